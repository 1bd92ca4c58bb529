"""Terraform's own words (1.11.4, provider 5.100.0) and what we make of them."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from toolkit.errors import ExitCode
from toolkit.terraform.events import Diagnostic
from toolkit.terraform.failures import _KINDS, StateLockedError, TerraformError, explain, plain_text
from toolkit.terraform.locks import StateLock
from toolkit.terraform.outcomes import ApplyOutcome, Step

ROOT = Path(__file__).parents[3]
LOCAL_LOCK = (
    "Error message: resource temporarily unavailable\nLock Info:\n  ID:        b62696e5-a341-6547-beb8-694111ec9ada\n"
    "  Path:      terraform.tfstate\n  Operation: OperationTypeApply\n  Who:       ann@host\n  Version:   1.11.4\n"
    "  Created:   2026-11-24 08:22:09.697957726 +0000 UTC\n  Info:      \n\n\nTerraform acquires a state lock to "
    "protect the state from being written\nby multiple users at the same time."
)
BROKEN_STATE = (
    "Error message: 2 problems:\n\n- Unsupported state file format: The state file could not be parsed as JSON: syntax "
    "error at byte offset 1.\n\nTerraform acquires a state lock to protect the state from being written"
)
UNREACHABLE = (
    "Could not retrieve the list of available versions for provider hashicorp/aws: could not connect to "
    "registry.terraform.io: failed to request discovery document: Get "
    '"https://registry.terraform.io/.well-known/terraform.json": dial tcp: lookup registry.terraform.io: no such host'
)


def error(summary: str, detail: str = "", file: str | None = None, line: int | None = None) -> Diagnostic:
    return Diagnostic("error", summary, detail, None, file, line, None)


def failure(*diagnostics: Diagnostic, stderr: str = "", returncode: int = 1, operation: str = "plan") -> TerraformError:
    return explain(operation, diagnostics=diagnostics, stderr=stderr, returncode=returncode, interrupted=False)


@pytest.mark.parametrize(
    ("summary", "detail", "code", "hint"),
    [
        ("Saved plan is stale", "The given plan file can no longer be applied", ExitCode.BAD_PLAN, "plan again"),
        ('Failed to load "p" as a plan file', "Error: zip: not a valid zip file", ExitCode.BAD_PLAN, "not a plan"),
        ("Failed to query available provider packages", UNREACHABLE, ExitCode.ERROR, "TOOLKIT_PROVIDER_MIRROR"),
        (
            "Failed to query available provider packages",
            "Could not retrieve the list: no available releases match the given constraints ~> 6.0",
            ExitCode.ERROR,
            "Add that version to the mirror",
        ),
        (
            "Failed to query available provider packages",
            "Could not retrieve the list of available versions for provider hashicorp/aws: locked provider\n"
            "registry.terraform.io/hashicorp/aws 5.100.0 does not match configured version constraint ~> 6.0; must\n"
            "use terraform init -upgrade to allow selection of new versions",
            ExitCode.ERROR,
            "`toolkit lock` with --upgrade",
        ),
        (
            "Failed to install provider",
            "the local package for registry.terraform.io/hashicorp/aws 5.100.0 doesn't match any of the checksums "
            "previously recorded",
            ExitCode.ERROR,
            "toolkit lock",
        ),
        (
            "Could not retrieve providers for locking",
            "provider\nregistry.terraform.io/hashicorp/aws 5.100.0 is not available for\nlinux_arm64.",
            ExitCode.ERROR,
            "--platform",
        ),
        # As Terraform 1.11.4 and provider 5.100.0 said it of ap-southeast-6.
        ("Invalid region value", "Invalid AWS Region: ap-southeast-6", ExitCode.ERROR, "install Terraform 1.11.4"),
        ("invalid AWS Region: ap-southeast-6", "", ExitCode.ERROR, "Rendered roots pin AWS provider 5.100 "),
        (
            "finding Region by name (ap-southeast-6)",
            "couldn't find resource",
            ExitCode.ERROR,
            "`toolkit init . --upgrade`",
        ),
        ("Provider dependency changes detected", "the lock file is read-only", ExitCode.ERROR, "toolkit lock"),
        (
            "Failed to query available provider packages",
            "Could not retrieve the list of available versions for provider hashicorp/aws: locked provider "
            "registry.terraform.io/hashicorp/aws 5.100.0 does not match configured version constraint >= 5.100.0, "
            "~> 6.0, < 7.0.0; must use terraform init -upgrade to allow selection of new versions",
            ExitCode.ERROR,
            "`toolkit lock` with --upgrade",
        ),
        (
            "no schema available for aws_securityhub_account_v2.this while reading state; this is a bug in Terraform "
            "and should be reported",
            "",
            ExitCode.ERROR,
            "Select the newer one again",
        ),
        (
            "Resource instance managed by newer provider version",
            "The current state of aws_guardduty_detector.this was created by a newer provider version than is "
            "currently selected. Upgrade the aws provider to work with this state.",
            ExitCode.ERROR,
            "Select the newer one again",
        ),
        ("Inconsistent dependency lock file", "no version is selected", ExitCode.ERROR, "initialised again"),
        ('Backend initialization required, please run "terraform init"', "Reason", ExitCode.ERROR, "state backend"),
        (
            "Can't ask approval for state migration when interactive input is disabled.\n\nPlease remove",
            "",
            ExitCode.ERROR,
            "state backend",
        ),
        ("Cannot import non-existent remote object", "While attempting to import", ExitCode.ERROR, "under `imports`"),
        ("AWS account ID not allowed: 999999999999", "", ExitCode.WRONG_ACCOUNT, "another account"),
        ("No valid credential sources found", "Please see the docs", ExitCode.WRONG_ACCOUNT, "credentials"),
        ("Error acquiring the state lock", BROKEN_STATE, ExitCode.ERROR, "cut off while it was written"),
        ("Invalid function argument", "whatever", ExitCode.ERROR, None),
    ],
)
def test_a_known_failure_has_its_exit_code_and_next_step(
    summary: str, detail: str, code: ExitCode, hint: str | None
) -> None:
    found = failure(error(summary, detail))

    assert found.exit_code is code
    assert summary.splitlines()[0].rstrip(".") in found.problem
    if hint is None:
        assert found.hint is None
    else:
        assert found.hint is not None and hint in found.hint
    assert detail in (found.detail or "")


def test_a_hint_to_change_the_constraint_of_the_provider_names_all_that_follows() -> None:
    """A lock file that is there names the former version, which `toolkit lock` alone keeps."""
    hints = [hint for _, _, hint in _KINDS if "`aws_provider_version" in hint]
    assert len(hints) == 3
    assert [h for h in hints if "`toolkit render ENV` and `toolkit lock ENV --upgrade`" not in h] == []


def test_a_held_lock_says_who_and_since_when() -> None:
    found = failure(error("Error acquiring the state lock", LOCAL_LOCK))

    assert isinstance(found, StateLockedError)
    assert found.exit_code is ExitCode.LOCKED
    assert found.lock == StateLock(
        "b62696e5-a341-6547-beb8-694111ec9ada",
        "terraform.tfstate",
        "apply",
        "ann@host",
        "1.11.4",
        "2026-11-24 08:22:09 UTC",
    )
    assert found.problem == "the state is locked since 2026-11-24 08:22:09 UTC by ann@host (apply)"


@pytest.mark.parametrize(
    ("summary", "detail", "command"),
    [
        (
            "Error acquiring the state lock",
            LOCAL_LOCK,
            "toolkit unlock prod --sandbox b62696e5-a341-6547-beb8-694111ec9ada",
        ),
        (
            'Failed to get existing workspaces: S3 bucket "tf-state" does not exist.\n\nThe referenced S3 bucket must',
            "",
            "`toolkit bootstrap prod --sandbox`",
        ),
        ("Backend configuration changed", "", "`toolkit bootstrap prod --sandbox`"),
    ],
)
def test_the_next_step_is_the_very_command(summary: str, detail: str, command: str) -> None:
    found = explain(
        "plan",
        diagnostics=(error(summary, detail),),
        stderr="",
        returncode=1,
        interrupted=False,
        environment="prod --sandbox",
    )
    assert command in (found.hint or "")


def test_a_lock_is_found_in_boxed_text_too() -> None:
    boxed = "\n".join(f"│ {line}" for line in ["Error: Error acquiring the state lock", "", *LOCAL_LOCK.splitlines()])

    assert isinstance(failure(stderr=f"╷\n{boxed}\n╵"), StateLockedError)


def test_the_place_is_the_rendered_line() -> None:
    assert failure(error("Bad", file="cloudtrail.tf", line=12)).where == "cloudtrail.tf:12"


def test_several_errors_are_counted_and_all_quoted() -> None:
    found = failure(error("First"), error("Second"), error("Third"))

    assert found.problem == "terraform plan failed: First (and 2 more errors)"
    assert found.detail == "First\n\nSecond\n\nThird"


def test_what_the_problem_says_already_is_not_said_again() -> None:
    found = failure(error("deleting S3 Bucket (logs): api error BucketNotEmpty: not empty"), operation="apply")

    assert found.detail is None
    assert "Empty it, old versions included" in str(found.hint)
    assert failure(error("First", "because")).detail == "First\nbecause"
    assert failure(error("First\n\nmore")).detail == "First\n\nmore"


def test_boxed_text_without_diagnostics_still_names_the_error() -> None:
    stderr = "\x1b[31m╷\x1b[0m\n\x1b[31m│\x1b[0m \x1b[1mError: \x1b[0mCould not retrieve providers for locking\n╵"

    assert failure(stderr=stderr, operation="providers lock").problem.endswith(
        "failed with exit code 1: Could not retrieve providers for locking"
    )
    assert plain_text(stderr) == "Error: Could not retrieve providers for locking"


def test_a_failed_apply_says_how_far_it_came() -> None:
    outcome = ApplyOutcome((Step("a.b", "create", 1),), (Step("a.c", "create", 1),), (), False, (), 3)
    found = explain("apply", diagnostics=(error("Boom"),), stderr="", returncode=1, interrupted=False, outcome=outcome)

    assert found.problem == "terraform apply failed: Boom; 1 done, 1 failed"
    assert found.outcome is outcome


def test_a_killed_terraform_asks_for_a_new_plan() -> None:
    found = failure(returncode=-9)

    assert found.problem == "terraform plan was killed by signal 9"
    assert found.hint is not None and "Plan again" in found.hint


@pytest.mark.parametrize(("returncode", "said"), [(1, "was interrupted"), (0, "had finished by then")])
def test_an_interrupt_is_reported_even_if_it_came_too_late(returncode: int, said: str) -> None:
    outcome = ApplyOutcome((), (), (Step("a.b", "create", 0),), False, (), 3)
    found = explain("apply", diagnostics=(), stderr="", returncode=returncode, interrupted=True, outcome=outcome)

    assert found.exit_code is ExitCode.INTERRUPTED
    assert said in found.problem
    assert "1 unfinished" in found.problem


def test_the_hint_about_another_backend_names_the_very_record():
    said = "Error: Backend configuration changed\n\nA change in the backend configuration has been detected"
    error = explain(
        "init",
        diagnostics=(),
        stderr=said,
        returncode=1,
        interrupted=False,
        environment="prod --sandbox",
        record="/p/.toolkit/sandbox/terraform/terraform.tfstate",
    )
    assert "`toolkit bootstrap prod --sandbox`" in str(error.hint)
    assert "delete /p/.toolkit/sandbox/terraform/terraform.tfstate: it only remembers" in str(error.hint)


def orphan(address: str, alias: str) -> Diagnostic:
    """As Terraform 1.11 says it, line breaks included."""
    return error(
        "Provider configuration not present",
        f"To work with {address} (orphan) its\noriginal provider configuration at\n"
        f'provider["registry.terraform.io/hashicorp/aws"].{alias} is required, but it has been removed.\nThis occurs '
        "when a provider configuration is removed while objects created by\nthat provider still exist in the state.",
    )


@pytest.mark.parametrize("count", [1, 2, 7])
def test_a_region_that_was_dropped_is_one_error_with_the_line_to_write(count: int) -> None:
    found = failure(*(orphan(f'module.x_us_east_1.aws_sns_topic.t["a {n}"]', "us_east_1") for n in range(count)))
    assert f"us-east-1 is no longer in environment.yaml, but the state has {count} resource" in found.problem
    assert "`retiring: [us-east-1]`" in str(found.hint)
    assert str(found.detail).splitlines() == [
        f'us-east-1: module.x_us_east_1.aws_sns_topic.t["a {n}"]' for n in range(count)
    ]
    assert "provider[" not in f"{found.problem}{found.detail}{found.hint}"


def test_two_regions_are_named_and_other_errors_are_not_hidden() -> None:
    two = orphan("module.a.aws_x.y", "us_east_1"), orphan("module.b.aws_x.y", "ap_southeast_2")
    assert "`retiring: [us-east-1, ap-southeast-2]`" in str(failure(*two).hint)
    mixed = failure(*two, error("Unsupported argument", "An argument named x is not expected here."))
    assert "Unsupported argument" in str(mixed.detail)


def test_a_bucket_name_that_another_account_has_leads_to_the_setting_of_each_bucket():
    said = "creating S3 Bucket (logs): operation error S3: CreateBucket, api error BucketAlreadyExists: taken"
    hint = failure(error(said), operation="apply").hint
    assert hint is not None
    settings = json.loads((ROOT / "toolkit" / "plan" / "settings.json").read_text("utf-8"))
    buckets = {
        (component, address): attributes.get("bucket", ())
        for component, addresses in settings.items()
        for address, attributes in addresses.items()
        if address.endswith("aws_s3_bucket.this")
    }
    assert buckets
    for (component, address), names in buckets.items():
        own = [name for name in names if f"{component}.{name}" in hint]
        assert own, f"{component}: nothing names {address}"


def test_a_bucket_that_the_account_has_already_is_imported_or_renamed():
    said = "creating S3 Bucket (logs): operation error S3: CreateBucket, BucketAlreadyOwnedByYou: yours"
    assert "`imports`" in str(failure(error(said), operation="apply").hint)
