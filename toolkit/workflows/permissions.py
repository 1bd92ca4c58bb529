"""The IAM policies that an environment needs, with what people should know of them.

In: an environment's file, earlier or later versions of it, and pipeline.yaml. Out: documents, notes and warnings;
files, if wanted; the policy of the bucket of saved plans. Asks no AWS and runs no Terraform.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from toolkit.documents import Document as Json
from toolkit.documents import document
from toolkit.environment import Environment, load_environment
from toolkit.errors import ToolkitError, UsageError, or_meant, unwritable
from toolkit.files import refuse_links, write_all_atomically
from toolkit.fleet.pipeline import Bundle, load_pipeline
from toolkit.iam.escalation_paths import RAISES
from toolkit.iam.hand_over import bucket_policy, key_arn
from toolkit.paths import Project
from toolkit.permissions.documents import policies
from toolkit.permissions.hand_over import plan_store, signing_key
from toolkit.permissions.model import ATTACHED, LARGEST, Document, Holder, Purpose
from toolkit.permissions.statements import own_tag
from toolkit.workflows.workspace import read_environment


@dataclass(frozen=True)
class Permissions:
    """The policies of one environment and purpose.

    Attributes:
        environment: Its name.
        purpose: What the policies are for.
        documents: The policies, those of one principal after another.
        notes: What to know of them.
        warnings: What keeps them from being used as they are.
    """

    environment: str
    purpose: Purpose
    documents: tuple[Document, ...]
    notes: tuple[str, ...] = ()
    warnings: tuple[str, ...] = ()


def purpose_of(text: str) -> Purpose:
    """The purpose that an option names.

    Raises:
        UsageError: There is none of that name.
    """
    known = [purpose.value for purpose in Purpose]
    if text not in known:
        raise UsageError(
            f"--for: no purpose {text!r}" + or_meant(text, tuple(known)), hint=f"one of {', '.join(known)}"
        )
    return Purpose(text)


def permissions(project: Project, name: str, purpose: Purpose, also: Sequence[Path] = ()) -> Permissions:
    """What an environment needs.

    Args:
        project: The project.
        name: The environment.
        purpose: What is to be done with it.
        also: Other versions of its file, whose names are covered, too.

    Raises:
        UsageError: One of these is of another account.
    """
    _, environment = read_environment(project, name)
    others = []
    for file in also:
        other = load_environment(file, name=name, shown_as=str(file))
        if other.account_id != environment.account_id:
            raise UsageError(
                f"--also: {file} is of account {other.account_id}, and {name} of {environment.account_id}",
                hint="give an earlier or later version of the same environment's file",
            )
        others.append(other)
    found = policies(environment, purpose, also=tuple(others))
    notes = [*_notes(environment, purpose, found, bool(others))]
    if purpose is not Purpose.DISCOVER:
        notes += _hand_over_notes(environment, purpose, load_pipeline(project.root).settings.bundle)
    return Permissions(name, purpose, found, tuple(notes), tuple(_warnings(found)))


def policy_of_bucket(project: Project, name: str) -> dict[str, Any]:
    """The policy of the bucket in which an environment's plans are saved.

    Raises:
        UsageError: environment.yaml names no bucket.
    """
    paths, environment = read_environment(project, name)
    store = plan_store(environment)
    if store is None:
        raise UsageError(
            "--bucket-policy: `bundle.store` names no bucket of saved plans",
            where=paths.shown,
            hint="set it to the prefix that `toolkit plan --out` names, such as s3://BUCKET/PREFIX/",
        )
    return bucket_policy(store)


def _notes(environment: Environment, purpose: Purpose, found: Sequence[Document], also: bool) -> Iterator[str]:
    statements = [statement for document in found for statement in document.statements]
    if any(not statement.recorded for statement in statements):
        yield (
            "Statements whose Sid begins with NeverRecorded are taken from AWS's documentation: the embedded AWS, on "
            "which the others were recorded, does not have these services."
        )
    raising = [s for s in statements if set(s.actions) & set(RAISES)]
    if raising:
        yield (
            "This policy administers IAM: it writes the policies of the roles, users and groups that the environment "
            "names, so that its principal can get every right in the account. Protect that principal like an "
            "administrator."
        )
    if purpose is Purpose.APPLY:
        if not any(statement.sid == "EmptyBuckets" for statement in statements):
            yield "No statement deletes objects in buckets: emptying the buckets before `toolkit destroy` needs more."
        if any("kms:PutKeyPolicy" in s.actions for s in statements) and own_tag(environment) is None:
            yield (
                "Without `default_tags`, nothing but the region limits changes to the policies of KMS keys and their "
                "deletion: they cover every key of the account."
            )
        if not also:
            yield (
                "Writes are limited to names in environment.yaml; where AWS gives an id (such as KMS keys and "
                "detectors), they cover everything of that kind. To remove or rename resources, cover the earlier "
                "names as well: --also FILE, with the environment.yaml of the last apply."
            )
    if purpose is not Purpose.DISCOVER and environment.backend.type == "local":
        yield "The state is a local file: no statement is about it."


def _hand_over_notes(environment: Environment, purpose: Purpose, pipeline: Bundle) -> Iterator[str]:
    """What of the hand-over of saved plans is not in the policies, and who must not have them."""
    given, planning = environment.bundle, purpose is Purpose.PLAN
    if planning and signing_key(environment) is not None:
        yield (
            "This policy can sign plans (SignPlans): attach it to no role that pull requests plan with. A role of "
            "`iam_roles.deployers.*.pipeline` gets that statement only with `pull_requests: false`."
        )
    if given.store is not None and given.bucket_kms_key is None:
        yield (
            "No statement is about a KMS key of the bucket of saved plans: if its default encryption is SSE-KMS, name "
            "the key under `bundle.bucket_kms_key`."
        )
    if given.store is None and given.bucket_kms_key is not None:
        yield "`bundle.bucket_kms_key` is set, and `bundle.store` is not: no statement is about saved plans in S3."
    if pipeline.to not in ("artifact", given.store):
        yield (
            f"pipeline.yaml passes plans on through {pipeline.to}, and `bundle.store` of this environment "
            f"{'is not set' if given.store is None else f'is {given.store}'}: set it to the same."
        )
    if pipeline.kms_key is not None:
        action = "kms:GenerateDataKey" if planning else "kms:Decrypt"
        yield f"pipeline.yaml encrypts plans with {pipeline.kms_key}: these policies do not have {action} for it."
    if pipeline.signing_key is not None:
        regions = environment.regions
        key = key_arn(pipeline.signing_key, environment.account_id, regions.home, regions.partition)
        if key != signing_key(environment):
            yield (
                f"pipeline.yaml signs plans with {pipeline.signing_key}: set `bundle.require_signature` to it; else "
                "nothing demands the signature for good, and these policies have no right for the key."
            )


def _warnings(found: Sequence[Document]) -> Iterator[str]:
    for (holder, principal), count in Counter((d.holder, d.principal) for d in found).items():
        if count > ATTACHED:
            yield (
                f"{count} policies are for {principal}, but a {'role' if holder is not Holder.CALLER else 'principal'} "
                f"may have {ATTACHED} managed policies by default: request a higher quota in Service Quotas (IAM, "
                '"Managed policies per role"), or divide the environment'
            )
    for one in found:
        if one.size > LARGEST:
            yield f"{one.name} has {one.size:,} characters; IAM accepts {LARGEST:,}"


def write(found: Permissions, folder: Path) -> tuple[Path, ...]:
    """Write each policy to NAME.json in a folder, which is created, for `aws iam create-policy`.

    Raises:
        ToolkitError: The folder or a file cannot be written; nothing is half-written.
    """
    files = {folder / f"{document.name}.json": document.text for document in found.documents}
    try:
        folder.mkdir(parents=True, exist_ok=True)
        refuse_links(folder, *files)
        write_all_atomically(files)
    except OSError as error:
        raise unwritable(error) or ToolkitError(f"cannot be written: {error.strerror}", where=str(folder)) from error
    return tuple(files)


def left_over(found: Permissions, folder: Path) -> tuple[Path, ...]:
    """Files of earlier policies of the same environment and purpose that are not among those that were written."""
    names = {f"{document.name}.json" for document in found.documents}
    start = f"{found.environment}-{found.purpose.value}"
    return tuple(
        file
        for file in sorted(folder.glob("*.json"))
        if file.name not in names and file.name.removesuffix(".json") in (start, *_numbered(start))
    )


def _numbered(start: str) -> Iterator[str]:
    for middle in ("", *(f"-{holder.value}" for holder in Holder)):
        yield f"{start}{middle}"
        yield from (f"{start}{middle}-{number}" for number in range(1, 100))


def permissions_data(found: Permissions) -> Json:
    """As --json prints it."""
    return document(
        "permissions",
        {
            "environment": found.environment,
            "purpose": found.purpose.value,
            "policies": [_data(one) for one in found.documents],
            "notes": list(found.notes),
            "warnings": list(found.warnings),
        },
    )


def _data(one: Document) -> dict[str, Any]:
    return {
        "name": one.name,
        "account_id": one.account_id,
        "holder": one.holder.value,
        "principal": one.principal,
        "characters": one.size,
        "never_recorded": [statement.sid for statement in one.statements if not statement.recorded],
        "policy": one.content,
    }


def heading(found: Permissions) -> str:
    """One line about all of them."""
    count = len(found.documents)
    return (
        f"{found.environment}: {count} managed polic{'y' if count == 1 else 'ies'} for `toolkit {found.purpose.value}`"
    )


def title(one: Document) -> str:
    """One line about a policy."""
    count = len(one.statements)
    return (
        f"{one.name}: {one.size:,} of {LARGEST:,} characters, {count} statement{'' if count == 1 else 's'}, for "
        f"{one.principal} in account {one.account_id}"
    )
