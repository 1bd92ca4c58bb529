"""The IAM policies that an environment needs, with what people should know of them.

In: an environment's file, and earlier or later versions of it. Out: documents, notes and warnings; files, if wanted.
Asks no AWS and runs no Terraform.
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
from toolkit.iam.escalation_paths import RAISES
from toolkit.paths import Project
from toolkit.permissions import LARGEST, Document, Holder, Purpose, policies
from toolkit.permissions.model import ATTACHED
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
    return Permissions(
        name, purpose, found, tuple(_notes(environment, purpose, found, bool(others))), tuple(_warnings(found))
    )


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
    if purpose is not Purpose.DISCOVER and environment.bundle.model_dump(exclude_defaults=True):
        yield (
            "`bundle` is set: what the hand-over of saved plans needs (S3, and KMS keys that sign and encrypt) is not "
            "in these policies; docs/hand-over.md has it."
        )
    if purpose is not Purpose.DISCOVER and environment.backend.type == "local":
        yield "The state is a local file: no statement is about it."


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
