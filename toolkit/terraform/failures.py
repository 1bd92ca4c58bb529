"""Explains a failed Terraform run: what happened, where, what to do next.

In: the operation, its diagnostics, its stderr, its exit code. Out: one `TerraformError`, of a kind that carries the
right exit code. Terraform's own words are kept as the detail. Pure. The patterns are texts of Terraform 1.10 to 1.11
and of the AWS provider 5.100; one that no longer matches loses the hint, never the error.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterable
from shlex import quote

from toolkit.errors import UNWRITABLE, BadPlanError, InterruptedRunError, LockedError, ToolkitError, WrongAccountError
from toolkit.terraform.events import ANSI, Diagnostic
from toolkit.terraform.locks import StateLock, state_lock
from toolkit.terraform.outcomes import ApplyOutcome
from toolkit.terraform.unsaved import SEALED, Kept

_BACKEND = (
    "The state backend of the rendered root is not the one that was initialised. A local state is moved into a bucket "
    "by `toolkit bootstrap ENV`; between other backends migrate it by hand. If the state is already where the new "
    "backend looks, delete RECORD: it only remembers the old backend."
)
_PROVIDER = (
    "Rendered roots pin AWS provider 5.100 (`~> 5.100`, of June 2025), unless `terraform.aws_provider_version` accepts "
    "another."
)
_NEWER_PROVIDER = (
    'A newer provider may know the region: `aws_provider_version: "~> 6.0"` under `terraform` in environment.yaml opts '
    "in to it; then `toolkit render ENV` and `toolkit lock ENV --upgrade`."
)
_INIT = "The root has to be initialised again after such a change; `toolkit plan` does that by itself."


class TerraformError(ToolkitError):
    """Terraform failed.

    Attributes:
        operation: init, plan, apply, …
        diagnostics: Its errors and warnings, each once.
        outcome: What an apply had done by then; None for other operations.
    """

    def __init__(  # the same keywords as ToolkitError plus ours
        self,
        problem: str,
        *,
        operation: str,
        diagnostics: tuple[Diagnostic, ...] = (),
        outcome: ApplyOutcome | None = None,
        where: str | None = None,
        hint: str | None = None,
        detail: str | None = None,
    ) -> None:
        super().__init__(problem, where=where, hint=hint, detail=detail)
        self.operation = operation
        self.diagnostics = diagnostics
        self.outcome = outcome


class SavedPlanError(TerraformError, BadPlanError):
    """The saved plan is stale or no plan."""


class CredentialsError(TerraformError, WrongAccountError):
    """AWS did not accept the credentials, or the provider refused the account they belong to."""


class TerraformInterruptedError(TerraformError, InterruptedRunError):
    """A signal stopped the run; `outcome` tells how far an apply came."""


class UnsavedStateError(TerraformError):
    """An apply whose state could not be saved: what it did is in the account and recorded nowhere but in `kept`."""

    kept: Kept = Kept(None)


class StateLockedError(TerraformError, LockedError):
    """Another Terraform holds the state; `lock` says which."""

    def __init__(
        self,
        lock: StateLock,
        *,
        operation: str,
        diagnostics: tuple[Diagnostic, ...],
        environment: str,
        detail: str | None,
    ) -> None:
        super().__init__(
            f"the state is locked since {lock.created} by {lock.who} ({lock.operation})",
            operation=operation,
            diagnostics=diagnostics,
            where=lock.path or None,
            hint="Wait until that run has ended, then plan again. Only if it is certainly dead, "
            f"release its lock: toolkit unlock {environment} {lock.id}",
            detail=detail,
        )
        self.lock = lock


def explain(
    operation: str,
    *,
    diagnostics: tuple[Diagnostic, ...],
    stderr: str,
    returncode: int,
    interrupted: bool,
    outcome: ApplyOutcome | None = None,
    environment: str = "ENV",
    record: str = "terraform.tfstate in Terraform's data folder",
    blocked: OSError | None = None,
    kept: Kept | None = None,
) -> TerraformError:
    """The error to raise for a run that failed or was interrupted.

    Args:
        environment: The environment as commands name it ("prod", "prod --sandbox"), for hints.
        record: Where Terraform remembers the backend, for hints.
        blocked: Why Terraform's output could not be written to the end, so that its own words may be missing.
        kept: What became of a state that was not saved; None where Terraform saved it.
    """
    errors = [d for d in diagnostics if d.severity == "error"]
    plain = plain_text(stderr)
    if kept is not None:
        return _unsaved(
            operation, errors, diagnostics, interrupted=interrupted, outcome=outcome, environment=environment, kept=kept
        )
    detail = "\n\n".join(_words(d) for d in errors) or plain or None
    if len(errors) == 1 and detail == _first_line(errors[0]):
        detail = None  # the problem says all of it
    text = "\n".join([*(f"{d.summary}\n{d.detail}" for d in errors), plain])
    if interrupted:
        return _interrupted(operation, diagnostics, returncode, detail, outcome)
    lock = state_lock(text) if "state lock" in text else None
    if lock is not None:
        return StateLockedError(
            lock, operation=operation, diagnostics=diagnostics, environment=environment, detail=detail
        )
    if (dropped := _dropped_regions(errors)) is not None:
        lost, advice, resources = dropped
        return TerraformError(lost, operation=operation, diagnostics=diagnostics, hint=advice, detail=resources)
    kind, hint = _kind(text)
    if errors:
        more = f" (and {len(errors) - 1} more errors)" if len(errors) > 1 else ""
        summary = _first_line(errors[0]).rstrip(".")
        problem = f"terraform {operation} failed: {summary}{more}"
    elif returncode < 0:
        problem = f"terraform {operation} was killed by signal {-returncode}"
        hint = "Plan again: what it was doing in AWS may have happened without reaching the state."
    else:
        said = _first_error(plain)
        problem = f"terraform {operation} failed with exit code {returncode}" + (f": {said}" if said else "")
    if outcome is not None and outcome.begun:
        problem += f"; {outcome.describe()}"
        if blocked is None:
            hint = (
                hint or "Changes already made stay in place and are in the state. Correct the cause, then plan again."
            )
        else:
            problem += "; what Terraform said of the state is lost with the rest of its output"
            hint = "Free some space there, then plan again: what was done may be missing from the state."
    full = _full_disk(text) or (UNWRITABLE[blocked.errno or 0] if blocked is not None else None)
    if full:
        problem += f": {full}"
        hint = hint or "Free some space there, or make it writable, then run this command again."
    if hint:
        hint = hint.replace(" ENV`", f" {environment}`").replace("RECORD", record)
    where = errors[0].place if errors else str(blocked.filename) if blocked is not None else None
    return kind(
        problem,
        operation=operation,
        diagnostics=diagnostics,
        outcome=outcome,
        where=where,
        hint=hint,
        detail=detail,
    )


_UNSAVED = (
    "Failed to save state",
    "Failed to persist state to backend",
    "Failed to create local state file",
    "Failed to serialize state",
)
"""What Terraform says after an apply whose state it could not save (internal/backend/local/backend_apply.go)."""

_LOCK_STAYED = "Error releasing the state lock"
_SHOWN_STEPS = 20


def not_saved(diagnostics: Iterable[Diagnostic]) -> bool:
    """Whether Terraform says that it could not save the state."""
    return any(d.severity == "error" and d.summary in _UNSAVED for d in diagnostics)


def _unsaved(
    operation: str,
    errors: list[Diagnostic],
    diagnostics: tuple[Diagnostic, ...],
    *,
    interrupted: bool,
    outcome: ApplyOutcome | None,
    environment: str,
    kept: Kept,
) -> TerraformError:
    """The state is not where it belongs: whatever else went wrong, this comes first."""
    done = f" ({outcome.describe()})" if outcome is not None else ""
    begun = f"terraform {operation} was interrupted, and" if interrupted else f"terraform {operation}:"
    problem = f"{begun} the state could NOT be saved: what it did{done} is in the account, but not recorded"
    # Terraform's own advice would give the state another lineage, so that bundles and drift no longer know it.
    causes = [
        # What it says at length of a lock that stayed is in the hint, with our command.
        f"{d.summary}\n{d.detail.split(chr(10), 1)[0]}" if d.summary == _LOCK_STAYED else _words(d)
        for d in errors
        if d.summary != "Failed to persist state to backend"
    ]
    steps = [f"  {step.action} {step.address}" for step in outcome.completed] if outcome is not None else []
    if steps:
        more = len(steps) - _SHOWN_STEPS
        shown = [*steps[:_SHOWN_STEPS], *([f"  and {more} more"] if more > 0 else [])]
        causes.append("\n".join(["Done by this apply:", *shown]))
    text = "\n".join(d.detail for d in errors if d.summary in _UNSAVED)
    first = "Correct the cause"
    if _full_disk(text):
        first = "Free some space"
    elif _kind(text)[0] is CredentialsError:
        first = "Sign in again"
    if kept.path is not None:
        problem += f"; it is kept in {kept.path}" + (" (encrypted)" if SEALED in kept.path.name else "")
        command = f"toolkit state restore {environment} {quote(str(kept.path))}"
        # One line (the terminal would get another line end as an escape), whose end can be copied.
        hint = (
            f"{first}. Until the state is restored, nothing else may be applied: Terraform would create all of this a "
            "second time."
        )
        if any(d.summary == _LOCK_STAYED for d in errors):
            name = environment.split(maxsplit=1)[0]
            hint += f" Its lock was not released either; if the restore names it: toolkit unlock {name}."
        hint += f" Restore it with: {command}"
    else:
        problem += "; it could not be kept anywhere either, and is lost"
        hint = (
            f"{first}. Do not apply before each resource named above is either under `imports` of the environment "
            "file or deleted by hand: Terraform would create it a second time."
        )
        if kept.fragment is not None:
            causes.append(f"A part of the state, cut off while it was written, is in {kept.fragment}.")
    kind = TerraformInterruptedError if interrupted else UnsavedStateError
    error = kind(
        problem,
        operation=operation,
        diagnostics=diagnostics,
        outcome=outcome,
        hint=hint,
        detail="\n\n".join(causes) or None,
    )
    if isinstance(error, UnsavedStateError):
        error.kept = kept
    return error


def _full_disk(text: str) -> str | None:
    """What Go's texts of ENOSPC, EDQUOT and EROFS mean, where Terraform or a provider met one of them."""
    for number, words in UNWRITABLE.items():
        if os.strerror(number).lower() in text.lower():
            return words
    return None


def _dropped_regions(errors: list[Diagnostic]) -> tuple[str, str, str] | None:
    """Problem, hint and detail where the only errors are resources whose region's provider is rendered no more."""
    found: dict[str, list[str]] = {}
    for error in errors:
        said = " ".join(error.detail.split())
        orphan = re.search(r"To work with (\S+(?: \S+)*?) (?:\(orphan\) )?its original provider .*?\"\]\.(\w+) ", said)
        if error.summary != "Provider configuration not present" or orphan is None:
            return None
        found.setdefault(orphan[2].replace("_", "-"), []).append(orphan[1])
    if not found:
        return None
    count, regions = len(errors), ", ".join(found)
    return (
        f"{regions} {'is' if len(found) == 1 else 'are'} no longer in environment.yaml, but the state has {count} "
        f"resource{'' if count == 1 else 's'} there, which Terraform can delete only with the region's provider",
        f"add the region to `regions` in environment.yaml (`retiring: [{regions}]`), plan and apply, and remove it "
        "from the file after that. If it is the home region now, move the home region first and remove nothing with it",
        "\n".join(f"{region}: {address}" for region, addresses in found.items() for address in sorted(addresses)),
    )


def plain_text(stderr: str) -> str:
    """Terraform's boxed, coloured text as plain lines."""
    lines = (re.sub(r"^[╷│╵][ \t]?", "", ANSI.sub("", line)).rstrip() for line in stderr.splitlines())
    return "\n".join(lines).strip()


def _interrupted(
    operation: str,
    diagnostics: tuple[Diagnostic, ...],
    returncode: int,
    detail: str | None,
    outcome: ApplyOutcome | None,
) -> TerraformInterruptedError:
    if returncode in (0, 2):
        problem = f"interrupted, but terraform {operation} had finished by then"
    else:
        problem = f"terraform {operation} was interrupted"
    if outcome is not None:
        problem += f" ({outcome.describe()})"
    return TerraformInterruptedError(
        problem,
        operation=operation,
        diagnostics=diagnostics,
        outcome=outcome,
        hint="Plan again before anything else: an interrupted call may have succeeded in AWS."
        if operation == "apply"
        else None,
        detail=detail if returncode not in (0, 2) else None,
    )


_KINDS: tuple[tuple[str, type[TerraformError], str], ...] = (
    (
        r"Saved plan is stale|Saved plan does not match",
        SavedPlanError,
        "The state has changed since this plan was made. Nothing was applied; plan again and review the new plan.",
    ),
    (
        r"Failed to load .* as a plan file|Failed to read the given file as a state or plan file",
        SavedPlanError,
        "The file is not a plan of this Terraform version. Nothing was applied; plan again.",
    ),
    (
        r"(?i)no space left on device|disk quota exceeded|read-only file system",
        TerraformError,
        "The file system named above takes no more: free some space there, or make it writable, then run this "
        "command again.",
    ),
    (
        r"The state file could not be parsed as JSON",
        TerraformError,
        "The state file is damaged or was cut off while it was written, as on a full disk. Where a later state was "
        "kept, `toolkit state restore ENV FILE` puts it back; terraform.tfstate.backup is the one before.",
    ),
    (
        r"could not connect to registry\.|failed to request discovery document",
        TerraformError,
        "The provider registry cannot be reached from here. Where it is blocked, use a provider mirror: fill one with "
        "`terraform providers mirror DIR` on a machine with access, then set TOOLKIT_PROVIDER_MIRROR=DIR.",
    ),
    (
        r"no available releases match the given constraints|provider registry .* does not have a provider named",
        TerraformError,
        "The place the providers come from (a mirror, if one is used) holds no version that the rendered versions.tf "
        "accepts. Add that version to the mirror, or change `aws_provider_version` under `terraform` in "
        "environment.yaml; then `toolkit render ENV` and `toolkit lock ENV --upgrade`.",
    ),
    (
        r"Invalid AWS Region: |Invalid region value",
        TerraformError,
        "The S3 backend of this Terraform does not know the region in `backend.region`. `toolkit render ENV` "
        "turns that check off (`skip_region_validation`) for regions that Terraform 1.11.4 does not know; for others, "
        "install Terraform 1.11.4 or newer.",
    ),
    (
        r"finding Region by name",
        TerraformError,
        f"data.aws_region fails in a region that the provider does not know. {_PROVIDER} The modules of this toolkit "
        "version do not use it: `toolkit init . --upgrade` takes them. " + _NEWER_PROVIDER,
    ),
    (
        r"invalid AWS Region: ",
        TerraformError,
        f"The provider does not know this region. {_PROVIDER} `toolkit render ENV` turns that check off "
        "(`skip_region_validation`) for the regions that 5.100.0 does not know. " + _NEWER_PROVIDER,
    ),
    (
        r"is not available for \w+_\w+\.",
        TerraformError,
        "That mirror lacks a platform. Add it (`terraform providers mirror -platform=OS_ARCH DIR`), or name with "
        "--platform only those that you use.",
    ),
    (
        r"doesn't match any of the checksums",
        TerraformError,
        "The committed .terraform.lock.hcl has no checksum for this platform. Run `toolkit lock` for every platform "
        "that plans or applies, and commit the file.",
    ),
    (
        r"no schema available for \S+ while reading state|Resource instance managed by newer provider version",
        TerraformError,
        "The state is of a newer version of the AWS provider than the one that is selected. Select the newer one "
        "again, and remove with it what needs it; then go back: docs/upgrading.md, Version 6 of the AWS provider.",
    ),
    (
        r"must use terraform init -upgrade",
        TerraformError,
        "The committed .terraform.lock.hcl names a provider version that the rendered files do not admit. Run `toolkit "
        "lock` with --upgrade, which selects the newest one that they admit; review and commit the file.",
    ),
    (
        r"Provider dependency changes detected",
        TerraformError,
        "The committed .terraform.lock.hcl does not fit the rendered versions.tf. Run `toolkit lock`, and commit the "
        "file.",
    ),
    (
        r"Backend configuration changed|Backend initialization required|approval for state migration",
        TerraformError,
        _BACKEND,
    ),
    (
        r"S3 bucket \".*\" does not exist",
        TerraformError,
        "The bucket of the state is not there. `toolkit bootstrap ENV` makes it, and moves a local state into it.",
    ),
    (
        r"Inconsistent dependency lock file|Required plugins are not installed|Module not installed",
        TerraformError,
        _INIT,
    ),
    (
        r"Cannot import non-existent remote object",
        TerraformError,
        "The account has no resource with this import id, in the region of that module. Correct the id under `imports` "
        "of environment.yaml, or delete the line; then plan again. Leave out `@REGION` at its end: version 5 of the "
        "provider takes it as a part of the id, version 6 looks in that region.",
    ),
    (
        r"AWS account ID not allowed|AWS Account ID not allowed",
        CredentialsError,
        "The credentials belong to another account than the environment's. Nothing was changed.",
    ),
    (
        r"No valid credential sources found|failed to refresh cached credentials|ExpiredToken|InvalidClientTokenId"
        r"|security token included in the request is (?:invalid|expired)|error configuring .*credentials",
        CredentialsError,
        "AWS did not accept the credentials. Sign in again, or check the environment's `credentials` block.",
    ),
    (
        r"BucketAlreadyExists",
        TerraformError,
        "Another account has a bucket of this name: names are unique over all accounts of AWS, and a default name can "
        "be guessed. Do not use that bucket. Set another name in environment.yaml, then plan again: "
        "cloudtrail.bucket.name, cloudtrail.bucket.access_log_bucket_name, config.bucket.name, "
        "guardduty.findings_bucket.name or account_defaults.default_vpc_flow_logs.bucket.name.",
    ),
    (
        r"BucketAlreadyOwnedByYou",
        TerraformError,
        "This account has a bucket of this name already. Put it under `imports` of environment.yaml if the baseline "
        "shall manage it, or set another name for the new one, then plan again.",
    ),
    (
        r"BucketNotEmpty",
        TerraformError,
        "AWS deletes no bucket that holds objects; logs may have arrived after it was emptied. Empty it, old "
        "versions included, if its contents are not needed. Changes already made stay in place.",
    ),
    (
        r"Error acquiring the state lock",
        TerraformError,
        "The lock could not be requested: the state is unreadable, or these credentials may not write next to it.",
    ),
)


def _kind(text: str) -> tuple[type[TerraformError], str | None]:
    flat = " ".join(text.split())
    return next(((kind, hint) for pattern, kind, hint in _KINDS if re.search(pattern, flat)), (TerraformError, None))


def _first_line(diagnostic: Diagnostic) -> str:
    return diagnostic.summary.strip().splitlines()[0]


def _words(diagnostic: Diagnostic) -> str:
    parts = [f"{diagnostic.place}: {diagnostic.summary}" if diagnostic.place else diagnostic.summary]
    if diagnostic.snippet:
        parts.append(f"  {diagnostic.snippet}")
    if diagnostic.detail:
        parts.append(diagnostic.detail)
    return "\n".join(parts)


def _first_error(plain: str) -> str | None:
    found = re.search(r"^Error: (.+)$", plain, re.MULTILINE)
    if found:
        return found.group(1).rstrip(".")
    return plain.splitlines()[-1] if plain else None
