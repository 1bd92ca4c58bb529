"""Audits an account and keeps what its report rests on: an evidence pack.

In: an account that is checked, a signer. Out: a pack (toolkit.evidence), and the audit that is in it. Reads only; what
is in the pack's facts is what the audit's inventory was answered, nothing is read a second time.
"""

from __future__ import annotations

import dataclasses
import hashlib
import json
import os
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import chain
from pathlib import Path
from typing import Any

from toolkit import __version__
from toolkit.audit.model import Check
from toolkit.audit.report import Audit
from toolkit.aws.keys import KmsSigner
from toolkit.controls.catalogue import Framework
from toolkit.documents import utc
from toolkit.errors import ToolkitError, UsageError
from toolkit.evidence import manifest as m
from toolkit.evidence.about import about
from toolkit.evidence.facts import Facts, facts_file
from toolkit.evidence.pack import write_pack
from toolkit.files import digest, read_regular
from toolkit.paths import Project
from toolkit.rendering.render import render
from toolkit.rendering.tree import compare
from toolkit.reports import audit_html
from toolkit.reports.audit import audit_data, audit_markdown
from toolkit.resources.reading import Answered
from toolkit.signing import Signed, Signer, read_private_key
from toolkit.variables import SIGNING_PASSPHRASE
from toolkit.visible import json_pieces
from toolkit.workflows.audit import audit, audit_actions
from toolkit.workflows.checkout import checkout
from toolkit.workflows.discover import MAX_CALLS, Account
from toolkit.workflows.fix import proposed
from toolkit.workflows.observer import Observer
from toolkit.workflows.scan_policy import policies_of
from toolkit.workflows.workspace import read_environment, sources

KMS_ACTIONS = ("kms:GetPublicKey", "kms:Sign")
"""Actions that signing with KMS needs on its key."""


@dataclass(frozen=True)
class Made:
    """A pack that was written."""

    file: Path
    size: int
    manifest: m.Manifest
    audit: Audit


def made_data(made: Made) -> dict[str, Any]:
    """A pack that was written, as --json prints it (docs/output.schema.json)."""
    manifest = dataclasses.asdict(made.manifest)
    return {
        "file": str(made.file),
        "size": made.size,
        **{k: manifest[k] for k in manifest if k not in ("kind", "format")},
    }


def policies(wanted: Iterable[Check], *, kms: bool) -> tuple[dict[str, Any], ...]:
    """The IAM policies that reading the account needs, and signing with KMS."""
    return policies_of(tuple(sorted({*audit_actions(wanted), *(KMS_ACTIONS if kms else ())})))


def require_free(file: Path) -> None:
    """Demand that a pack can be written there: evidence replaces nothing.

    Raises:
        UsageError: Something is there, or its folder is not.
        ToolkitError: The folder cannot be written to.
    """
    if file.is_symlink() or file.exists():
        raise UsageError(
            "-o: it exists already, and evidence replaces no file", where=str(file), hint="name another file"
        )
    if not file.parent.is_dir():
        raise UsageError("-o: no such folder", where=str(file.parent), hint="make it first")
    if not os.access(file.parent, os.W_OK):
        raise ToolkitError("the evidence pack cannot be written: the folder is read-only", where=str(file.parent))


def file_signer(file: Path, environ: Mapping[str, str], prompt: Callable[[], bytes] | None) -> Signer:
    """The signer of a private key.

    Args:
        file: The key, PEM.
        environ: May have TOOLKIT_SIGNING_PASSPHRASE.
        prompt: Asks for the passphrase; None: nobody is there.

    Raises:
        ToolkitError: It is not a key that signs, or cannot be read.
    """

    def passphrase() -> bytes | None:
        word = environ.get(SIGNING_PASSPHRASE)
        if word:
            return word.encode()
        return prompt() if prompt is not None else None

    return read_private_key(file, passphrase)


def kms_signer(account: Account, key_id: str) -> Signer:
    """The signer of a KMS key, which is used with the credentials that read the account.

    Raises:
        ToolkitError: It is not a key that signs, or KMS refuses.
    """
    return KmsSigner(account.clients, key_id)


def make_evidence(
    project: Project | None,
    account: Account,
    wanted: Sequence[Check],
    regions: str | Sequence[str],
    frameworks: Sequence[Framework],
    observer: Observer,
    *,
    file: Path,
    signer: Signer | None,
    max_calls: int = MAX_CALLS,
) -> Made:
    """Audit an account, and write the evidence.

    Args:
        project: Where the environment is; None for an account without one.
        account: The account, checked.
        wanted: The checks to ask.
        regions: "enabled", "active" or names of regions.
        frameworks: Whose requirements get verdicts.
        observer: Gets told what happens.
        file: Where the pack goes (`require_free`).
        signer: Signs it; None: nobody does.
        max_calls: Calls of AWS at most.

    Raises:
        ToolkitError: As `audit`, or the pack cannot be written.
    """
    name = account.environment.name if account.has_file else None

    def shapes(answered: Answered) -> tuple[Any, Any]:
        return account.clients.shapes(answered.service, answered.operation, answered.call.region)

    with Facts(shapes) as facts:
        found = audit(account, wanted, regions, frameworks, observer, max_calls=max_calls, on_answer=facts.record)
        rendered, git = None, None
        files: Mapping[str, str] = {}
        if project is not None and name is not None:
            found = proposed(project, name, found)
            rendered, files = _rendered(project, name)
            git = _git(project, name)
        observer.stage(f"Writing {file}")
        report = facts.credential_report

        def manifest_of(written: tuple[m.File, ...]) -> m.Manifest:
            return m.Manifest(
                kind=m.KIND,
                format=m.FORMAT,
                account_id=found.account_id,
                caller=found.caller,
                environment=name,
                simulator="moto" if found.simulated else None,
                taken=utc(found.taken),
                created=utc(datetime.now(UTC)),
                home=found.home,
                regions=found.regions,
                regions_off=found.off,
                frameworks=tuple(m.Framework(one.name, one.title) for one in found.frameworks),
                toolkit_version=__version__,
                calls=facts.calls,
                stripped=facts.stripped,
                rendered=rendered,
                git=git,
                credential_report=m.CredentialReport(utc(report.generated)) if report else None,
                signature=signer.signed if signer else None,
                files=written,
            )

        contents = _files(found, facts, files, signer.signed if signer else None)
        manifest = write_pack(file, contents, manifest_of, signer)
    return Made(file, file.stat().st_size, manifest, found)


def _files(
    found: Audit, facts: Facts, rendered: Mapping[str, str], signed: Signed | None
) -> Iterator[tuple[str, Iterable[bytes]]]:
    """The pack's files in their order; each content is made when it is written."""
    yield "README.txt", [about(signed).encode()]
    yield "report.json", _encoded(json_pieces(audit_data(found)), "\n")
    yield "report.md", _encoded([audit_markdown(found)])
    yield "report.html", _encoded([audit_html.render(found)])
    if rendered:
        yield "rendered.json", [json.dumps(rendered, indent=1, sort_keys=True).encode() + b"\n"]
    if facts.credential_report is not None:
        yield "credential-report.csv", [facts.credential_report.content]
    yield "requests.csv", facts.requests()
    for service in facts.services:
        yield facts_file(service), facts.lines(service)


def _encoded(pieces: Iterable[str], *more: str) -> Iterator[bytes]:
    return (piece.encode("utf-8", "backslashreplace") for piece in chain(pieces, more))


def _rendered(project: Project, name: str) -> tuple[m.Rendered | None, Mapping[str, str]]:
    """What Terraform reads of the environment; none before it was rendered."""
    paths, environment = read_environment(project, name)
    if not paths.rendered.is_dir():
        return None, {}
    files = sources(paths)
    return m.Rendered(
        sha256=digest(files),
        files=len(files),
        up_to_date=not compare(render(environment), paths.rendered),
        environment_sha256=hashlib.sha256(read_regular(paths.file)).hexdigest(),
    ), files


def _git(project: Project, name: str) -> m.Git | None:
    commit, dirty = checkout(project.root, f"environments/{name}", "modules")
    return m.Git(commit, dirty) if commit is not None else None
