"""Where pipeline.yaml and an environment.yaml contradict each other about saved plans.

In: both, as they were read. Out: what is wrong, with file and line. Pure. pipeline.yaml says what the jobs do;
environment.yaml says which rights their roles get, and what `apply` demands of a plan. A pipeline on which these differ
would plan, be approved, and then be denied or refused. `bundle.kms_key` of pipeline.yaml (the toolkit encrypts with it)
and `bundle.bucket_kms_key` of environment.yaml (S3 encrypts with it) are two keys: they may differ.
"""

from __future__ import annotations

import json
from collections.abc import Iterator

from toolkit.environment import Environment
from toolkit.environment.source import Path, Problem
from toolkit.fleet.pipeline import Bundle, PipelineFileError, Written
from toolkit.iam.hand_over import key_arn
from toolkit.signing import KmsKey, Workflow, required_signature
from toolkit.typed import dotted

WORKFLOW_FILE = ".github/workflows/baseline.yml"
"""The workflow of GitHub whose plan job attests plans."""
Found = Iterator[tuple[str, Problem]]


def demand_agreement(written: Written, environment: Environment) -> None:
    """Demand that what both files say of saved plans fits together, whatever kind of pipeline there is.

    Args:
        written: pipeline.yaml.
        environment: One of the pipeline's.

    Raises:
        PipelineFileError: It does not.
    """
    if problems := [*contradictions(written, environment)]:
        raise PipelineFileError(problems)


def contradictions(written: Written, environment: Environment, *, signs: bool = False) -> Found:
    """What both files say of saved plans, and cannot both hold.

    Args:
        written: pipeline.yaml.
        environment: One of the pipeline's.
        signs: Whether the plans are surely those of the written pipeline, so that nothing else can sign them; a
            workflow of the user's own may, and pipeline.yaml then has no `sign`.
    """
    yield from _store(written, environment)
    yield from _encryption(written, environment)
    bundle, demanded = written.settings.bundle, environment.bundle.require_signature
    if demanded is not None and (signs or bundle.sign != "none"):
        yield from _signature(written, environment, demanded)


def _store(written: Written, environment: Environment) -> Found:
    to, store = written.settings.bundle.to, environment.bundle.store
    if to in ("artifact", store):
        return
    passes = f"{_place(written, 'to')} passes plans on through {to}"
    if store is not None:
        what = f"{json.dumps(store)}, and {passes}: the policies for the roles have no rights for it"
        yield _problem(environment, ("bundle", "store"), what, to)
    elif appliers := sorted(environment.identities.appliers):
        roles = " and ".join(role for pair in appliers for role in pair)
        yield _problem(environment, ("bundle", "store"), f"missing: {passes}, and {roles} get no rights for it", to)


def _encryption(written: Written, environment: Environment) -> Found:
    """A plan in S3 without a key: of an artifact, the jobs themselves demand TOOLKIT_BUNDLE_KEY before they plan."""
    bundle = written.settings.bundle
    if environment.bundle.require_encryption and bundle.to != "artifact" and bundle.kms_key is None:
        what = f"true, and {_place(written, 'to')} passes plans on through {bundle.to} without a key: "
        what += "`apply` would refuse plans that are not encrypted"
        expected = "false, or `bundle.kms_key` in pipeline.yaml"
        yield _problem(environment, ("bundle", "require_encryption"), what, expected)


def _signature(written: Written, environment: Environment, demanded: str) -> Found:
    bundle, regions = written.settings.bundle, environment.regions
    wanted = required_signature(demanded, option="", files=False)
    fits, sure, expected = False, True, "null, or a signature that `bundle.sign` of pipeline.yaml makes"
    if isinstance(wanted, KmsKey) and bundle.signing_key is not None:
        ours, theirs = (
            key_arn(key, environment.account_id, regions.home, regions.partition)
            for key in (bundle.signing_key, wanted.id)
        )
        # An alias may be of the key that the other one names: AWS alone knows. Of two aliases, one is a mistake.
        aliases = [":alias/" in arn for arn in (ours, theirs)]
        fits, sure, expected = ours == theirs or aliases[0] != aliases[1], not any(aliases), bundle.signing_key
    elif isinstance(wanted, Workflow) and bundle.sign == "github":
        repository, ref = written.settings.repository or wanted.repository, f"refs/heads/{written.settings.branch}"
        # GitHub's names of owners and repositories differ by more than case.
        fits = wanted.repository.casefold() == repository.casefold()
        fits = fits and (wanted.file, wanted.ref) == (WORKFLOW_FILE, ref)
        expected = f"github:{repository}/{WORKFLOW_FILE}@{ref}"
    if not fits:
        what = f"{json.dumps(demanded)}, and {_signed(written, bundle)}"
        what += ": `apply` would refuse every plan" if sure else ""
        yield _problem(environment, ("bundle", "require_signature"), what, expected)


def _signed(written: Written, bundle: Bundle) -> str:
    if bundle.sign == "none":
        return "the pipeline does not sign plans"
    if bundle.signing_key is not None:
        return f"{_place(written, 'signing_key')} signs plans with {bundle.signing_key}"
    return f"{_place(written, 'sign')} has GitHub attest plans of {WORKFLOW_FILE} on {written.settings.branch}"


def _place(written: Written, key: str) -> str:
    file, problem = written.problem(("bundle", key), "")
    return f"{file}:{problem.line}"


def _problem(environment: Environment, path: Path, what: str, expected: str) -> tuple[str, Problem]:
    line = next((environment.lines[path[:end]] for end in (2, 1) if path[:end] in environment.lines), 1)
    return f"environments/{environment.name}/environment.yaml", Problem(line, dotted(path), what, expected)
