"""A destroy with buckets that hold objects: checked before anything is deleted, in two steps, and told where it ends.

Terraform, planning and S3 are fakes here; the requests to S3 are in tests/unit/aws/test_bucket_contents.py, the whole
with real Terraform in tests/integration/test_profiles.py.
"""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator
from types import SimpleNamespace
from typing import Any, cast

import pytest

from toolkit.aws.bucket_contents import Contents
from toolkit.errors import ExitCode, InterruptedRunError, RefusedError, ToolkitError
from toolkit.plan.model import Action, Change, Plan
from toolkit.terraform.failures import TerraformError
from toolkit.terraform.outcomes import ApplyOutcome, Step
from toolkit.workflows import destroy as workflow
from toolkit.workflows.observer import Observer
from toolkit.workflows.plan import PlanResult
from toolkit.workflows.workspace import Workspace

LOGS = "module.cloudtrail.module.log_bucket.aws_s3_bucket.this"
EMPTIED_BY_TERRAFORM = "module.config.aws_s3_bucket.this"
TRAIL = "module.cloudtrail.aws_cloudtrail.this"


def change(address: str, action: Action = Action.DELETE, **before: Any) -> Change:
    kind, name = address.split(".")[-2:]
    values = {"bucket": "acme-logs", "region": "eu-west-1", **before} if kind == "aws_s3_bucket" else before
    return Change(address, kind, name, action, "cloudtrail", "eu-central-1", (), values)


def plan(*changes: Change) -> Plan:
    return Plan("1.11.4", changes, (), 0)


WHOLE = plan(change(LOGS), change(TRAIL), change(EMPTIED_BY_TERRAFORM, bucket="acme-config", force_destroy=True))


def workspace(simulator: str | None = None) -> Workspace:
    return cast(Workspace, SimpleNamespace(simulator=simulator, called="prod", environment=None, environ={}, aws=None))


class House:
    """Buckets and what they hold, and everything that was done, in order."""

    def __init__(self) -> None:
        self.done: list[Any] = []
        self.contents: dict[str, Contents | None] = {}
        self.left = list(WHOLE.changes)
        self.fails: TerraformError | None = None
        self.refuses: ToolkitError | None = None
        self.signal: signal.Signals | None = None
        self.appears: tuple[Change, ...] = ()

    def bucket(self, _clients: Any, one: Change) -> Any:
        name = one.before["bucket"]

        def contents(*, bypasses_governance: bool = False) -> Contents | None:
            self.done.append(("read", name, bypasses_governance))
            return self.contents.get(name)

        def make_empty() -> Iterator[int]:
            self.done.append(("empty", name))
            if self.refuses:
                raise self.refuses
            yield 4
            if self.signal:
                os.kill(os.getpid(), self.signal)
            yield 3
            self.done.append(("emptied", name))

        return SimpleNamespace(name=name, contents=contents, make_empty=make_empty)

    def make_plan(self, _workspace: Any, _observer: Any, *, targets: Any, **options: Any) -> Any:
        assert (options["destroy"], options["keep"], options["step"]) == (True, False, True)
        self.done.append(("plan", targets))
        found = plan(*(c for c in self.left if not targets or c.address in targets), *self.appears)
        return SimpleNamespace(plan=found, findings=(), saved=found)

    def apply_bundle(self, _workspace: Any, bundle: Plan, _observer: Any, *, ready: Any, done: Any, **_: Any) -> None:
        ready(bundle)
        if self.fails:
            raise self.fails
        self.done.append(("apply", [c.address for c in bundle.changes]))
        self.left = [c for c in self.left if c not in bundle.changes]
        done(outcome(*(c.address for c in bundle.changes)))


def outcome(*addresses: str) -> ApplyOutcome:
    return ApplyOutcome(tuple(Step(a, "delete", 1) for a in addresses), (), (), True, (), 2.0)


@pytest.fixture
def house(monkeypatch: pytest.MonkeyPatch) -> House:
    found = House()
    monkeypatch.setattr(workflow, "_bucket", found.bucket)
    monkeypatch.setattr(workflow, "make_plan", found.make_plan)
    monkeypatch.setattr(workflow, "apply_bundle", found.apply_bundle)
    return found


def holds(bucket: str, versions: int = 3, kept: str | None = None) -> dict[str, Contents | None]:
    return {bucket: Contents(bucket, "eu-west-1", versions, False, 0, kept)}


def shown(whole: Plan = WHOLE) -> PlanResult:
    return cast(PlanResult, SimpleNamespace(plan=whole, saved=whole, findings=()))


def test_a_bucket_with_objects_is_refused_with_what_it_holds_and_how_to_empty_it(house: House):
    house.contents = holds("acme-logs")
    with pytest.raises(RefusedError) as caught:
        workflow.check_buckets(workspace(), WHOLE, empty_buckets=False)
    error = caught.value
    assert error.exit_code is ExitCode.REFUSED
    assert "1 bucket would stop the destroy; nothing was deleted" in error.problem
    assert f"acme-logs ({LOGS}): 3 object versions" in str(error.detail)
    assert "aws s3api delete-objects --bucket acme-logs --region eu-west-1" in str(error.detail)
    assert "`components.cloudtrail.bucket.force_destroy: true`" in str(error.detail)
    assert "`toolkit destroy prod --empty-buckets`" in str(error.hint)


@pytest.mark.parametrize(("simulator", "consent"), [("moto", False), (None, True)])
def test_the_embedded_aws_or_a_consent_lets_it_through(house: House, simulator: str | None, consent: bool):
    house.contents = holds("acme-logs")
    assert [c.bucket for c in workflow.check_buckets(workspace(simulator), WHOLE, empty_buckets=consent)] == [
        "acme-logs"
    ]


@pytest.mark.parametrize(("simulator", "consent"), [("moto", False), (None, True), (None, False)])
def test_what_aws_keeps_is_refused_whoever_consents(house: House, simulator: str | None, consent: bool):
    house.contents = holds("acme-config", kept="Object Lock (COMPLIANCE) keeps 'a' until 2027-01-01 00:00 UTC")
    with pytest.raises(RefusedError, match="1 bucket cannot be emptied now; nothing was deleted") as caught:
        workflow.check_buckets(workspace(simulator), WHOLE, empty_buckets=consent)
    assert "acme-config" in str(caught.value.detail)
    assert "keeps 'a' until 2027-01-01" in str(caught.value.detail)
    # The provider, which empties this one, gets past governance mode.
    assert house.done == [("read", "acme-logs", False), ("read", "acme-config", True)]


@pytest.mark.parametrize("contents", [{}, holds("acme-logs", 0), holds("acme-config")], ids=["gone", "empty", "forced"])
def test_nothing_is_refused_where_aws_deletes_the_bucket(house: House, contents: Any):
    house.contents = contents
    assert workflow.check_buckets(workspace(), WHOLE, empty_buckets=False) == ()


@pytest.mark.parametrize(("simulator", "consent"), [("moto", False), (None, True)])
def test_what_writes_to_the_buckets_is_deleted_first(house: House, simulator: str | None, consent: bool):
    done = workflow.destroy(workspace(simulator), shown(), Observer(), empty_buckets=consent)
    assert house.done == [
        ("plan", (TRAIL, EMPTIED_BY_TERRAFORM)),
        ("apply", [TRAIL, EMPTIED_BY_TERRAFORM]),
        ("plan", ()),
        ("empty", "acme-logs"),
        ("emptied", "acme-logs"),
        ("apply", [LOGS]),
    ]
    assert [s.address for s in done.completed] == [TRAIL, EMPTIED_BY_TERRAFORM, LOGS]
    assert done.seconds == 4


def test_without_consent_what_was_shown_is_applied_in_one_step_and_nothing_emptied(house: House):
    workflow.destroy(workspace(), shown(), Observer())
    assert house.done == [("apply", [LOGS, TRAIL, EMPTIED_BY_TERRAFORM])]


def test_where_only_buckets_are_left_one_step_is_enough(house: House):
    workflow.destroy(workspace("moto"), shown(plan(change(LOGS))), Observer())
    assert house.done == [("empty", "acme-logs"), ("emptied", "acme-logs"), ("apply", [LOGS])]


@pytest.mark.parametrize(
    "new", [change("module.other.aws_iam_role.this"), change(TRAIL, Action.REPLACE)], ids=["another", "replaced"]
)
def test_a_step_deletes_nothing_that_was_not_shown(house: House, new: Change):
    house.appears = (new,)
    with pytest.raises(RefusedError, match=f"contains changes that were not shown: {new.address}"):
        workflow.destroy(workspace("moto"), shown(), Observer())
    assert [step for step, *_ in house.done] == ["plan"]


def test_a_step_empties_no_other_bucket_at_an_address_that_was_shown(house: House):
    house.left = [change(LOGS, bucket="somebody-elses"), *WHOLE.changes[1:]]
    with pytest.raises(RefusedError, match=f"now contains changes that were not shown: {LOGS}"):
        workflow.destroy(workspace(), shown(), Observer(), empty_buckets=True)
    assert [step for step, *_ in house.done] == ["plan", "apply", "plan"]


@pytest.mark.parametrize("signum", [signal.SIGINT, signal.SIGTERM])
@pytest.mark.parametrize("whole", [WHOLE, plan(change(LOGS))], ids=["two steps", "second run"])
def test_a_signal_stops_the_emptying_and_says_what_is_left(house: House, signum: signal.Signals, whole: Plan):
    house.signal, house.left = signum, list(whole.changes)
    with pytest.raises(InterruptedRunError) as caught:
        workflow.destroy(workspace(), shown(whole), Observer(), empty_buckets=True)
    error = caught.value
    of = len(whole.changes)
    assert str(error) == (
        f"1 of {of} resources are not deleted: interrupted; 7 object versions in acme-logs are deleted"
    )
    assert error.detail == f"Not deleted:\n  {LOGS}"
    assert error.hint == (
        "That cannot be undone. Then run `toolkit destroy prod --empty-buckets`: it deletes what is left."
    )
    assert house.done[-1] == ("empty", "acme-logs"), "nothing is deleted after the signal"


def test_an_interrupt_between_steps_says_what_is_left(house: House, monkeypatch: pytest.MonkeyPatch):
    def make_plan(*arguments: Any, targets: Any, **options: Any) -> Any:
        if not targets:
            raise KeyboardInterrupt
        return house.make_plan(*arguments, targets=targets, **options)

    monkeypatch.setattr(workflow, "make_plan", make_plan)
    with pytest.raises(InterruptedRunError, match="1 of 3 resources are not deleted: interrupted") as caught:
        workflow.destroy(workspace(), shown(), Observer(), empty_buckets=True)
    assert caught.value.detail == f"Not deleted:\n  {LOGS}"


def test_a_failure_says_what_is_left_and_what_to_run(house: House):
    house.fails = TerraformError(
        "terraform apply failed: BucketNotEmpty", operation="apply", outcome=outcome(TRAIL), hint="It has objects."
    )
    with pytest.raises(TerraformError) as caught:
        workflow.destroy(workspace(), shown(), Observer())
    error = caught.value
    assert str(error) == "2 of 3 resources are not deleted: terraform apply failed: BucketNotEmpty"
    assert error.detail == f"Not deleted:\n  {LOGS}\n  {EMPTIED_BY_TERRAFORM}"
    assert error.hint == "It has objects. Then run `toolkit destroy prod --empty-buckets`: it deletes what is left."


def test_so_does_a_bucket_that_cannot_be_emptied_after_all(house: House):
    house.refuses = ToolkitError("S3 refused 1", where="acme-logs", hint="the credentials need more")
    with pytest.raises(ToolkitError) as caught:
        workflow.destroy(workspace(), shown(), Observer(), empty_buckets=True)
    error = caught.value
    assert str(error) == "acme-logs: 1 of 3 resources are not deleted: S3 refused 1"
    assert error.detail == f"Not deleted:\n  {LOGS}"
    assert error.hint == (
        "the credentials need more. Then run `toolkit destroy prod --empty-buckets`: it deletes what is left."
    )


def test_a_failure_before_anything_was_deleted_stays_as_it_is(house: House):
    house.fails = TerraformError("terraform plan failed", operation="plan", hint="h")
    with pytest.raises(TerraformError) as caught:
        workflow.destroy(workspace(), shown(), Observer())
    assert (str(caught.value), caught.value.hint) == ("terraform plan failed", "h")
