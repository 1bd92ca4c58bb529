"""Artifact attestations of GitHub: who made a file, checked with GitHub's own CLI.

In: a bundle's bytes, the workflow that must have attested them. Out: nothing, or why not. `gh attestation verify`
checks signature, certificate and transparency log; what it says of the certificate is compared here once more, exactly:
`--signer-workflow` is a pattern that is open at its end, and releases before 2.67 end with 0 where there are no
attestations (https://pkg.go.dev/vuln/GO-2025-3467). Only the certificate's fields are trusted: a workflow writes the
statement itself.

Its flags: https://cli.github.com/manual/gh_attestation_verify; the certificate's fields:
https://github.com/sigstore/fulcio/blob/main/docs/oid-info.md
"""

from __future__ import annotations

import hashlib
import shutil
import subprocess
from collections.abc import Mapping
from pathlib import Path

from pydantic import BaseModel

from toolkit.errors import BadPlanError, ToolkitError
from toolkit.signing import Workflow
from toolkit.terraform.bundle import Manifest
from toolkit.typed import FieldError, from_json
from toolkit.variables import Admitted

HOST = "github.com"
ISSUER = "https://token.actions.githubusercontent.com"
PREDICATE = "https://slsa.dev/provenance/v1"
_SECONDS = 120
_PASSED = (
    *("PATH", "HOME", "TMPDIR", "USER", "LANG", "LC_ALL", "TZ", "XDG_CONFIG_HOME", "XDG_CACHE_HOME", "XDG_STATE_HOME"),
    *("GH_TOKEN", "GITHUB_TOKEN", "GH_CONFIG_DIR", "SSL_CERT_FILE", "SSL_CERT_DIR"),
    *("HTTP_PROXY", "HTTPS_PROXY", "NO_PROXY", "ALL_PROXY", "http_proxy", "https_proxy", "no_proxy", "all_proxy"),
)
"""What gh gets: no credentials of AWS, no other host (GH_HOST), no debug output (GH_DEBUG)."""
_NEXT = "nothing was applied; apply a bundle that the workflow has attested"


class _Certificate(BaseModel):
    issuer: str
    buildSignerURI: str  # noqa: N815 - gh's names
    sourceRepositoryURI: str  # noqa: N815
    sourceRepositoryDigest: str  # noqa: N815
    sourceRepositoryRef: str  # noqa: N815
    runInvocationURI: str  # noqa: N815


class _Signature(BaseModel):
    certificate: _Certificate


class _Subject(BaseModel):
    digest: dict[str, str]


class _Statement(BaseModel):
    predicateType: str  # noqa: N815
    subject: list[_Subject]


class _Result(BaseModel):
    signature: _Signature
    statement: _Statement


class _Verified(BaseModel):
    verificationResult: _Result  # noqa: N815


def demand_attested(
    content: bytes, manifest: Manifest, wanted: Workflow, environ: Mapping[str, str], folder: Path, where: str
) -> None:
    """Demand that a workflow has attested a bundle, in the run and at the commit of which the bundle says it is.

    Args:
        content: The bundle's bytes, as they were saved.
        manifest: Its manifest.
        wanted: The workflow.
        environ: The process environment, of which gh gets what it needs.
        folder: Private; a copy of the bundle is written there for gh.
        where: Where the bundle is, for errors.

    Raises:
        BadPlanError: It is not attested by that workflow, or for another run or commit.
        ToolkitError: gh is not installed, not logged in, or does not answer.
    """
    gh = shutil.which("gh", path=environ.get("PATH"))
    if gh is None:
        raise ToolkitError(
            "GitHub's CLI (gh), which verifies attestations, is not installed, or not on PATH",
            where=where,
            hint="nothing was applied; install it: https://cli.github.com (GitHub's own runners have it)",
        )
    copy = folder / "attested.tfbundle"
    copy.touch(mode=0o600)
    copy.write_bytes(content)
    command = [
        str(Path(gh).absolute()), "attestation", "verify", str(copy), "--repo", wanted.repository, "--signer-workflow",
        f"{wanted.repository}/{wanted.file}", "--source-ref", wanted.ref, "--predicate-type", PREDICATE,
        "--hostname", HOST, "--format", "json",
    ]  # fmt: skip
    quiet = {"GH_PROMPT_DISABLED": "1", "GH_NO_UPDATE_NOTIFIER": "1", "NO_COLOR": "1"}
    passed = Admitted({name: environ[name] for name in _PASSED if environ.get(name)}) | quiet
    try:
        done = subprocess.run(
            command,
            cwd=folder,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            check=False,
            timeout=_SECONDS,
            env=passed,
        )
    except subprocess.TimeoutExpired as e:
        hint = "nothing was applied; check the network and run it again"
        raise ToolkitError(f"gh did not answer within {_SECONDS} seconds", where=where, hint=hint) from e
    except OSError as e:
        raise ToolkitError(f"gh cannot be run: {e.strerror}", where=gh, hint="nothing was applied") from e
    finally:
        copy.unlink()
    said = done.stderr.decode("utf-8", "replace").strip()
    if done.returncode == 4:
        raise ToolkitError(
            "gh is not logged in",
            where=where,
            detail=said or None,
            hint="nothing was applied; set GH_TOKEN (in a workflow ${{ github.token }}, with attestations: read)",
        )
    if done.returncode != 0:
        raise BadPlanError(
            f"gh finds no attestation of it by {wanted.identity} (exit code {done.returncode})",
            where=where,
            detail=said or None,
            hint=_NEXT,
        )
    try:
        found = from_json(list[_Verified], done.stdout)
    except FieldError as e:
        raise BadPlanError(
            f"what gh says of its attestation cannot be read: {e}", where=where, hint="nothing was applied; update gh"
        ) from None
    sha256 = hashlib.sha256(content).hexdigest()
    reasons = [_reason(one.verificationResult, sha256, manifest, wanted) for one in found]
    if None not in reasons:
        why = reasons[0] if reasons else "there is none"
        raise BadPlanError(f"no attestation of it that counts: {why}", where=where, hint=_NEXT)


def _reason(result: _Result, sha256: str, manifest: Manifest, wanted: Workflow) -> str | None:
    """Why an attestation that gh has verified does not count; None: it does."""
    said, repository = result.signature.certificate, f"https://github.com/{wanted.repository}"
    if result.statement.predicateType != PREDICATE:
        return f"it is of the kind {result.statement.predicateType}"
    if all(subject.digest.get("sha256") != sha256 for subject in result.statement.subject):
        return "it is of another file"
    if said.issuer != ISSUER:
        return f"it was issued for {said.issuer}"
    # GitHub's names of owners and repositories are the same in any case, paths and refs are not.
    if not _same(said.buildSignerURI, repository, f"/{wanted.file}@{wanted.ref}"):
        return f"it was made by {said.buildSignerURI}, not by {wanted.identity}"
    if not _same(said.sourceRepositoryURI, repository, ""):
        return f"it was made for the repository {said.sourceRepositoryURI}"
    if said.sourceRepositoryRef != wanted.ref:
        return f"it was made at {said.sourceRepositoryRef}, not at {wanted.ref}"
    if said.sourceRepositoryDigest != manifest.git_commit:
        return f"it was made at the commit {said.sourceRepositoryDigest}, and the bundle at {manifest.git_commit}"
    if said.runInvocationURI.partition("/attempts/")[0] != manifest.run:
        return f"it was made in the run {said.runInvocationURI}, and the bundle in {manifest.run}"
    return None


def _same(found: str, repository: str, rest: str) -> bool:
    return found[: len(repository)].lower() == repository.lower() and found[len(repository) :] == rest
