"""Runs over many environments, with a stand-in for the command of one."""

from __future__ import annotations

import contextlib
import hashlib
import io
import json
import os
import random
import signal
import subprocess
import sys
import threading
import time
import zipfile
from collections import Counter
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from pathlib import Path
from types import SimpleNamespace
from typing import Any
from unittest.mock import patch

import pytest
from rich.console import Console

from toolkit.cli import console, terraform_commands
from toolkit.cli.board import Board
from toolkit.errors import BadPlanError, ExitCode, RefusedError, ToolkitError, UsageError
from toolkit.fleet.journal import Journal, State, newest
from toolkit.fleet.outcome import Outcome
from toolkit.fleet.waves import Wave
from toolkit.paths import Project
from toolkit.terraform import process
from toolkit.terraform.bundle import is_bundle
from toolkit.workflows import commands
from toolkit.workflows.capacity import Capacity, available_mb, capacity, processors
from toolkit.workflows.commands import Job, Watcher
from toolkit.workflows.fleet import Arguments, Machine, Run, _creations, _worse, begun, continued, memory_mb

PROGRAM = (sys.executable, "-IS", str(Path(__file__).parent / "fleet_command.py"))


class World:
    """A project whose environments behave as told."""

    def __init__(self, root: Path, **behaviours: Mapping[str, Any]) -> None:
        self.root = root
        (root / "world").mkdir(parents=True, exist_ok=True)
        for name, behaviour in behaviours.items():
            self.set(name, **behaviour)

    def set(self, name: str, **behaviour: Any) -> None:
        folder = self.root / "environments" / name
        folder.mkdir(parents=True, exist_ok=True)
        file = folder / "environment.yaml"
        if not file.exists():
            file.write_text('account_id: "123456789012"\nregions: {home: eu-west-1}\ncomponents: {}\n')
        (self.root / "world" / f"{name}.json").write_text(json.dumps(behaviour))

    @property
    def project(self) -> Project:
        return Project(self.root)

    @property
    def calls(self) -> list[str]:
        """Commands that have ended, in order: "plan a 2"."""
        file = self.root / "world" / "calls"
        lines = file.read_text().splitlines() if file.exists() else []
        return [line.rpartition(" ")[0] for line in lines if not line.startswith("begin ")]

    @property
    def most_at_once(self) -> int:
        moments = []
        for line in (self.root / "world" / "calls").read_text().splitlines():
            moments.append((float(line.split()[-1]), 1 if line.startswith("begin ") else -1))
        count = most = 0
        for _, step in sorted(moments):
            count += step
            most = max(most, count)
        return most

    def save(self, **bundles: str) -> Path:
        """A folder of saved plans."""
        folder = self.root / "plans"
        folder.mkdir(exist_ok=True)
        for name, text in bundles.items():
            (folder / f"{name}.tfbundle").write_text(text)
        return folder

    def applied(self, name: str) -> list[str]:
        file = self.root / "world" / f"{name}.applied"
        return file.read_text().split() if file.exists() else []


class Told(Watcher):
    def __init__(self) -> None:
        self.notices: list[str] = []
        self.events: list[tuple[str, Mapping[str, Any]]] = []

    def notice(self, text: str) -> None:
        self.notices.append(text)

    def event(self, job: Job, event: Mapping[str, Any]) -> None:
        self.events.append((job.environment, event))


def every(names: Sequence[str]) -> Collection[str]:
    return names


@contextlib.contextmanager
def run(
    world: World,
    command: str,
    *names: str,
    failed: bool = False,
    jobs: int | None = 4,
    told: Watcher | None = None,
    out: Path | None = None,
    arguments: Arguments | None = None,
) -> Iterator[Run]:
    machine = Machine(told or Watcher(), jobs, program=PROGRAM)
    given = arguments or Arguments()
    opened = (
        continued(world.project, command, lambda _: (given, out), machine)
        if failed
        else begun(world.project, command, names or world.project.names, given, machine, out)
    )
    with opened as found:
        yield found


def apply(
    world: World,
    *names: str,
    waves: Sequence[Wave] | None = None,
    failed: bool = False,
    approve: Callable[[Sequence[str]], Collection[str]] = every,
    by_wave: bool = False,
    saved: Path | None = None,
    jobs: int | None = 4,
) -> Run:
    with run(world, "apply", *names, failed=failed, jobs=jobs) as found:
        found.plan_all(saved)
        found.apply(waves or (Wave("all", found.environments),), approve, by_wave=by_wave)
    return found


def states(found: Run) -> dict[str, str | None]:
    return {result.environment: result.state and result.state.value for result in found.results()}


# Many at once, and none hides another.


def test_a_plan_of_each_is_made_and_none_hides_another(tmp_path: Path):
    world = World(tmp_path, a={}, b={"plan": 1}, c={"plan": 4}, d={"wanted": 0}, e={"plan": "SIGKILL"})
    with run(world, "plan") as found:
        found.each()
    assert states(found) == {"a": "planned", "b": "failed", "c": "failed", "d": "planned", "e": "failed"}
    results = {result.environment: result for result in found.results()}
    assert {name: result.exit_code for name, result in results.items()} == {"a": 2, "b": 1, "c": 4, "d": 0, "e": 1}
    assert results["b"].error is not None and results["b"].error["message"] == "plan of b is broken"
    assert results["e"].error is not None and results["e"].error["message"] == "the command ended with SIGKILL"
    assert "--jobs" in results["e"].error["next"]
    assert (results["a"].changes, results["d"].changes, results["b"].changes) == (True, False, None)
    assert found.exit_code(changes=True) == found.exit_code(changes=False) == ExitCode.ERROR
    story = newest(tmp_path, "plan")
    assert story.unfinished == ("b", "c", "e")


def test_only_changes_is_two_where_they_count(tmp_path: Path):
    world = World(tmp_path, a={}, b={"wanted": 0})
    with run(world, "plan") as found:
        found.each()
    assert found.exit_code(changes=True) == ExitCode.CHANGES
    assert found.exit_code(changes=False) == ExitCode.OK


def test_what_commands_write_is_kept_and_private(tmp_path: Path):
    world = World(tmp_path, a={"plan": 1})
    with run(world, "plan") as found:
        found.each()
    folder = found.journal.folder
    assert "working on a" in (folder / "a.log").read_text()
    assert json.loads((folder / "a.plan.json").read_text())["kind"] == "error"
    assert {f.name: f.stat().st_mode & 0o077 for f in folder.glob("a.*")} == {"a.log": 0, "a.plan.json": 0}


@pytest.mark.parametrize("jobs", [1, 3])
def test_as_many_run_at_once_as_jobs_says(tmp_path: Path, jobs: int):
    world = World(tmp_path, **{f"e{n}": {"seconds": 0.3} for n in range(6)})
    with run(world, "plan", jobs=jobs) as found:
        found.each()
    assert set(states(found).values()) == {"planned"}
    assert world.most_at_once == jobs


def test_events_arrive(tmp_path: Path):
    told = Told()
    with run(World(tmp_path, a={"seconds": 0.1}), "plan", told=told) as found:
        found.each()
    assert told.events[0] == ("a", {"stage": "plan", "done": 1})
    assert len(told.events) > 1


@pytest.mark.parametrize(("command", "ends"), [("drift", 2), ("discover", 0)])
def test_commands_that_only_read(tmp_path: Path, command: str, ends: int):
    world = World(tmp_path, a={"ends": ends}, b={command: 5})
    with run(world, command) as found:
        found.each()
    assert states(found) == {"a": "done", "b": "failed"}
    assert found.exit_code(changes=True) == ExitCode.WRONG_ACCOUNT
    world.set("b", ends=0)
    with run(world, command, failed=True) as found:
        found.each()
    assert states(found) == {"a": "done", "b": "done"}
    assert found.exit_code(changes=True) == ends  # of an earlier command
    assert found.exit_code(changes=False) == ExitCode.OK
    assert [result.exit_code for result in found.results()] == [ends, 0]
    assert [call for call in world.calls if call.startswith(f"{command} a")] == [f"{command} a {ends}"]


def test_an_audit_with_unknown_checks_is_a_result(tmp_path: Path):
    with run(World(tmp_path, a={"audits": 1}), "audit") as found:
        found.each()
    assert states(found) == {"a": "done"}
    assert found.exit_code(changes=True) == ExitCode.ERROR


@pytest.mark.parametrize("ends", [1, 2])
def test_an_audit_is_not_made_green_by_continuing_it(tmp_path: Path, ends: int):
    world = World(tmp_path, a={"audits": ends}, b={"audit": 5})
    for failed in (False, True):
        with run(world, "audit", failed=failed) as found:
            found.each()
        world.set("b")
    assert states(found) == {"a": "done", "b": "done"}
    assert found.exit_code(changes=True) == ends


def test_a_plan_keeps_its_exit_code_where_it_is_continued(tmp_path: Path):
    world = World(tmp_path, a={}, b={"plan": 1, "wanted": 0})
    for failed in (False, True):
        with run(world, "plan", failed=failed) as found:
            found.each()
        world.set("b", wanted=0)
    assert [result.exit_code for result in found.results()] == [2, 0]
    assert found.exit_code(changes=True) == ExitCode.CHANGES


# Waves.

PAIR = (Wave("canary", ("a",)), Wave("rest", ("b",)))
CANARY = (Wave("canary", ("a",)), Wave("rest", ("b", "c", "d")))


def test_waves_are_applied_in_order_and_the_canary_is_verified(tmp_path: Path):
    world = World(tmp_path, a={}, b={}, c={}, d={"wanted": 0})
    found = apply(world, waves=CANARY)
    assert states(found) == {"a": "verified", "b": "applied", "c": "applied", "d": "verified"}
    assert found.exit_code(changes=False) == ExitCode.OK
    plans, rest = world.calls[:4], world.calls[4:]
    assert sorted(plans) == ["plan a 2", "plan b 2", "plan c 2", "plan d 0"]
    assert rest[:4] == ["audit a 0", "apply a 0", "plan a 0", "audit a 0"]
    assert sorted(rest[4:]) == ["apply b 0", "apply c 0"]


SABOTAGE = {
    "its apply fails": ({"apply": 1}, "apply"),
    "its plan fails": ({"plan": 4}, "plan"),
    "its second plan is not empty": ({"always": True}, "second plan"),
    "its second plan fails": ({"plan": {"serial": 1, "code": 1}}, "second plan"),
    "its audit is worse": ({"worse": True}, "second audit"),
    "its audit cannot be made": ({"audit": 1}, "audit before the apply"),
    "it is killed": ({"apply": "SIGKILL"}, "apply"),
}


@pytest.mark.parametrize("how", SABOTAGE)
def test_a_canary_stops_what_follows_until_it_is_mended(tmp_path: Path, how: str):
    behaviour, phase = SABOTAGE[how]
    world = World(tmp_path, a=behaviour, b={}, c={}, d={})
    found = apply(world, waves=CANARY)
    assert states(found) == {"a": "failed", "b": "skipped", "c": "skipped", "d": "skipped"}
    assert found.exit_code(changes=False) not in (ExitCode.OK, ExitCode.CHANGES)
    story = newest(tmp_path, "apply")
    assert story.latest["a"].facts["phase"] == phase
    assert story.latest["b"].facts["reason"] == "wave canary is not complete"
    assert found.results()[1].exit_code is None
    assert [world.applied(name) for name in "bcd"] == [[], [], []]

    again = apply(world, failed=True, waves=CANARY)  # nothing was mended
    assert states(again)["b"] == "skipped"

    world.set("a", wanted=2 if how == "its audit is worse" else 1)
    before = len(world.calls)
    found = apply(world, failed=True, waves=CANARY)
    assert states(found) == {"a": "verified", "b": "applied", "c": "applied", "d": "applied"}
    assert found.exit_code(changes=False) == ExitCode.OK
    assert not [call for call in world.calls[before:] if call.startswith(("plan b", "plan c", "plan d"))]
    assert [world.applied(name) for name in "bcd"] == [["1"], ["1"], ["1"]]
    assert len(set(world.applied("a"))) == len(world.applied("a"))
    # Once more: there is nothing to do.
    before = len(world.calls)
    assert apply(world, failed=True, waves=CANARY).exit_code(changes=False) == ExitCode.OK
    assert world.calls[before:] == []


ATTACHED = "aws_iam_group_policy_attachment"
GROUP = {"rule": "admin", "id": f"admin/account/{ATTACHED}[group=x,policy_arn=p]", "type": ATTACHED, "status": "fail"}
TRAIL_ARN = "arn:aws:cloudtrail:eu-west-1:123456789012:trail/t"
TRAIL = {"id": f"admin/eu-west-1/{TRAIL_ARN}", "arn": TRAIL_ARN, "type": "aws_cloudtrail"}
CREATED: dict[str, dict[str, Any]] = {ATTACHED: {"group": "x", "policy_arn": "p"}, "aws_cloudtrail": {"name": "t"}}
NEW = {"change": "new", "severity": "high"}
SECOND_AUDITS: dict[str, tuple[dict[str, Any], dict[str, Any], dict[str, dict[str, Any]], str | None]] = {
    "what the plan created has a finding": ({}, NEW, CREATED, None),
    "the same, of a type that was not created": ({}, NEW, {"aws_y": CREATED[ATTACHED]}, "admin"),
    "of another group": ({}, NEW, {ATTACHED: {"group": "y", "policy_arn": "p"}}, "admin"),
    "of another policy": ({}, NEW, {ATTACHED: {"group": "x", "policy_arn": "q"}}, "admin"),
    "of a policy that is not known before the apply": (
        *({}, NEW, {ATTACHED: {"group": "x", "policy_arn": "(known after apply)"}}, "admin"),
    ),
    "its values are those of other attributes": ({}, NEW, {ATTACHED: {"group": "p", "policy_arn": "x"}}, "admin"),
    "its name looks like a created one": (
        *({}, {**NEW, "id": f"admin/account/{ATTACHED}[group=x,group=x,policy_arn=p]"}, CREATED, "admin"),
    ),
    "in another region": ({}, {**NEW, "id": GROUP["id"].replace("account", "us-east-1")}, CREATED, "admin"),
    "in another region than the check's": (
        *({}, {**NEW, "id": GROUP["id"].replace("account", "account/us-east-1")}, CREATED, "admin"),
    ),
    "without a key": ({}, {**NEW, "id": f"admin/account/{ATTACHED}[the attachment]"}, CREATED, "admin"),
    "without an id": ({}, {**NEW, "id": None}, CREATED, "admin"),
    "a created trail": ({}, {**NEW, **TRAIL}, CREATED, None),
    "another trail": ({}, {**NEW, **TRAIL, "arn": f"{TRAIL_ARN}t"}, CREATED, "admin"),
    "a trail of another region": ({}, {**NEW, **TRAIL, "arn": TRAIL_ARN.replace("west", "north")}, CREATED, "admin"),
    "what was there fails now": ({"status": "pass"}, NEW, CREATED, "admin"),
    "it is not severe": ({}, {**NEW, "severity": "medium"}, {"aws_y": {}}, None),
    "it failed before": ({"status": "fail"}, {"change": "unchanged", "severity": "high"}, {"aws_y": {}}, None),
}


def planned(created: Mapping[str, Mapping[str, Any]], action: str = "create") -> dict[str, Any]:
    """A plan document that creates a resource of each type."""
    changes = [
        {
            "address": f"module.x.{kind}.z",
            "type": kind,
            "action": action,
            "region": "eu-west-1",
            "attributes": [{"path": path, "before": None, "after": value} for path, value in values.items()],
        }
        for kind, values in created.items()
    ]
    return {"kind": "plan", "changes": changes}


@pytest.mark.parametrize("what", SECOND_AUDITS)
def test_what_makes_an_audit_worse(what: str):
    before, now, created, named = SECOND_AUDITS[what]

    def audit(*findings: dict[str, Any]) -> Outcome:
        return Outcome("a", "audit", ExitCode.OK, {"kind": "audit", "findings": list(findings)}, None, 1.0)

    audits = audit(*([{**GROUP, **before}] if before else [])), audit({**GROUP, **now})
    assert _worse(*audits, _creations(planned(created))) == (f"new findings of {named}" if named else None)
    excused = now == NEW and named is None
    assert not excused or _worse(*audits, _creations(planned(created, "replace"))) == "new findings of admin"


def test_an_audit_that_was_worse_is_compared_with_the_one_before_the_first_apply(tmp_path: Path):
    world = World(tmp_path, a={"worse": True}, b={})
    waves = (Wave("canary", ("a",)), Wave("rest", ("b",)))
    apply(world, waves=waves)
    found = apply(world, waves=waves, failed=True)  # its plan is empty by now, and its audit still worse
    assert states(found) == {"a": "failed", "b": "skipped"}
    assert world.applied("a") == ["1"]
    assert world.calls.count("audit a 0") == 1


def test_a_canary_that_was_not_audited_again_is_planned_and_audited_again(tmp_path: Path):
    world = World(tmp_path, a={"worse": True}, b={})
    apply(world, waves=PAIR)
    with run(world, "apply", failed=True) as found:  # killed between its empty plan and its audit
        facts = {"bundle": str(found.journal.folder / "a.tfbundle"), "sha256": "0"}
        found.plan_all()
        (tmp_path / "world" / "calls").unlink()
        facts["sha256"] = hashlib.sha256(Path(facts["bundle"]).read_bytes()).hexdigest()
        found.journal.record("a", State.PLANNED, changes=False, **facts)
    found = apply(world, waves=PAIR, failed=True)
    assert states(found) == {"a": "failed", "b": "skipped"}
    assert world.calls == ["plan a 0", "audit a 2"]
    assert world.applied("b") == []


def test_a_wave_is_complete_only_where_that_is_written_down(tmp_path: Path):
    world = World(tmp_path, a={}, b={})
    with run(world, "apply") as found:
        found.plan_all()
        found._note("a", State.PLANNED, changes=False)  # a chain that did not come to its end
        found.apply(PAIR, every)
    assert states(found) == {"a": "planned", "b": "skipped"}
    assert world.applied("b") == []


@pytest.mark.parametrize("saved", [False, True])
@pytest.mark.parametrize("how", ["deleted", "changed"])
def test_without_the_audit_from_before_nothing_is_verified(tmp_path: Path, how: str, saved: bool):
    world = World(tmp_path, a={"worse": True}, b={})
    found = apply(world, waves=PAIR)
    file = found.journal.folder / "a.audit-before.json"
    file.unlink() if how == "deleted" else file.write_text('{"kind": "audit", "findings": []}')
    world.set("a")
    for wanted in (1, 2):  # nothing is left to apply, or something is
        world.set("a", wanted=wanted)
        plans = world.save(a=f"1{' empty=yes' if wanted == 1 else ''}", b="0") if saved else None
        found = apply(world, waves=PAIR, failed=True, saved=plans)
        assert states(found) == {"a": "failed", "b": "skipped"}
        error = found.results()[0].error or {}
        assert (
            error["message"] == f"the audit from before the first apply is {'gone' if how == 'deleted' else 'damaged'}"
        )
        assert "toolkit audit a" in error["next"] and "start a new run" in error["next"]
    assert (world.applied("a"), world.applied("b")) == (["1"], [])


def test_failures_are_tolerated_as_a_wave_says(tmp_path: Path):
    world = World(tmp_path, a={"apply": 1}, b={}, c={}, d={})
    waves = (Wave("first", ("a", "b"), failures_tolerated=1), Wave("rest", ("c", "d")))
    found = apply(world, waves=waves, jobs=1)
    assert states(found) == {"a": "failed", "b": "verified", "c": "applied", "d": "applied"}
    assert found.exit_code(changes=False) == ExitCode.ERROR


def test_a_failed_apply_starts_no_further_one_by_default(tmp_path: Path):
    world = World(tmp_path, a={"apply": 1}, b={}, c={})
    found = apply(world, jobs=1)
    assert states(found) == {"a": "failed", "b": "skipped", "c": "skipped"}


FAILED_PLANS = {
    "a plan alone stops none of its wave, but the next one": ({"b": {"plan": 1}}, 0, "applied failed applied skipped"),
    "a plan is tolerated": ({"b": {"plan": 1}}, 1, "verified failed verified applied"),
    "a plan and an apply are two failures": ({"a": {"apply": 1}, "b": {"plan": 1}}, 1, "failed failed skipped skipped"),
    "an apply alone is tolerated": ({"a": {"apply": 1}}, 1, "failed verified verified applied"),
}


@pytest.mark.parametrize("what", FAILED_PLANS)
def test_how_failed_plans_count_in_their_wave(tmp_path: Path, what: str):
    behaviour, tolerated, expected = FAILED_PLANS[what]
    world = World(tmp_path, **{name: behaviour.get(name, {}) for name in "abcd"})
    waves = (Wave("first", ("a", "b", "c"), failures_tolerated=tolerated), Wave("rest", ("d",)))
    found = apply(world, waves=waves, jobs=1)
    assert [state.replace("verified", "applied") for state in states(found).values()] == [
        state.replace("verified", "applied") for state in expected.split()
    ]


@pytest.mark.parametrize("by_wave", [False, True])
def test_nothing_is_asked_about_that_is_not_reached(tmp_path: Path, by_wave: bool):
    world = World(tmp_path, a={}, b={"plan": 1}, c={}, d={})
    shown: list[Sequence[str]] = []

    def approve(names: Sequence[str]) -> Collection[str]:
        shown.append(names)
        return names

    waves = (Wave("canary", ("a",)), Wave("second", ("b", "c")), Wave("rest", ("d",)))
    found = apply(world, waves=waves, approve=approve, by_wave=by_wave)
    assert shown == ([["a"], ["c"]] if by_wave else [["a", "c"]])
    assert states(found) == {"a": "verified", "b": "failed", "c": "verified", "d": "skipped"}
    assert (found.results()[3].error or {}).get("message") == "wave second is not complete"


def test_a_wave_has_its_own_concurrency(tmp_path: Path):
    world = World(tmp_path, **{f"e{n}": {} for n in range(4)})
    with run(world, "apply") as found:
        found.plan_all()
        (tmp_path / "world" / "calls").unlink()
        for n in range(4):
            world.set(f"e{n}", seconds=0.2)
        found.apply((Wave("all", found.environments, concurrency=2),), every)
    assert world.most_at_once == 2


def test_a_plan_that_only_moves_the_home_region_is_applied(tmp_path: Path):
    world = World(tmp_path, a={"wanted": 0, "moves_home": True}, b={"wanted": 0})
    assert states(apply(world)) == {"a": "applied", "b": "verified"}


# Approval.


def test_only_what_is_approved_is_applied(tmp_path: Path):
    world = World(tmp_path, a={}, b={}, c={"wanted": 0})
    shown: list[Sequence[str]] = []

    def approve(names: Sequence[str]) -> Collection[str]:
        shown.append(names)
        return ["a"]

    found = apply(world, approve=approve)
    assert shown == [["a", "b"]]
    assert states(found) == {"a": "applied", "b": "skipped", "c": "verified"}
    assert found.exit_code(changes=False) == ExitCode.REFUSED


def test_approval_by_wave_is_asked_for_before_each(tmp_path: Path):
    world = World(tmp_path, a={}, b={}, c={}, d={})
    shown: list[tuple[Sequence[str], list[str]]] = []

    def approve(names: Sequence[str]) -> Collection[str]:
        shown.append((names, world.applied("a")))
        return names

    apply(world, waves=CANARY, approve=approve, by_wave=True)
    assert shown == [(["a"], []), (["b", "c", "d"], ["1"])]


def test_nothing_approved_leaves_the_plans_for_later(tmp_path: Path):
    world = World(tmp_path, a={}, b={})
    waves = (Wave("first", ("a",)), Wave("second", ("b",)))
    found = apply(world, waves=waves, approve=lambda _: ())
    assert states(found) == {"a": "skipped", "b": "skipped"}
    assert {result.error and result.error["message"] for result in found.results()} == {"not approved"}
    assert found.exit_code(changes=False) == ExitCode.REFUSED
    before = len(world.calls)
    found = apply(world, failed=True)
    assert states(found) == {"a": "applied", "b": "applied"}
    assert sorted(world.calls[before:]) == ["apply a 0", "apply b 0"]


# Saved plans.


def test_saved_plans_are_applied_as_they_are(tmp_path: Path):
    world = World(tmp_path, a={}, b={})
    saved = tmp_path / "plans"
    saved.mkdir()
    with run(world, "plan", out=saved) as found:
        found.each()
    assert sorted(f.name for f in saved.iterdir()) == ["a.tfbundle", "b.tfbundle"]
    found = apply(world, saved=saved)
    assert states(found) == {"a": "applied", "b": "applied"}
    assert len([call for call in world.calls if call.startswith("plan")]) == 2


def test_saved_plans_are_kept_for_a_rerun(tmp_path: Path):
    world = World(tmp_path, a={"apply": 1}, b={}, c={})
    saved = tmp_path / "plans"
    saved.mkdir()
    for name in "abc":
        (saved / f"{name}.tfbundle").write_text("0")
    apply(world, saved=saved, jobs=1)
    world.set("a")
    found = apply(world, failed=True)
    assert set(states(found).values()) == {"applied"}
    assert [call for call in world.calls if call.startswith("plan")] == ["plan a 2"]


UNUSABLE = {
    "": "damaged",
    "0 environment=b": "a plan for 'b', not for 'a'",
    "0 environment=b empty=yes": "a plan for 'b', not for 'a'",
    "0 expires=2020-01-01T00:00:00+00:00": "the plan expired at 2020-01-01T00:00:00+00:00",
    "0 expires=never": "the plan expired at never",
    "0 rendered_sha256=0": "the files are not those that it was made from",
    "5 empty=yes": "the plan is stale",
}


@pytest.mark.parametrize("text", UNUSABLE)
def test_a_saved_plan_that_cannot_be_used_fails_its_environment(tmp_path: Path, text: str):
    world = World(tmp_path, a={}, b={})
    waves = (Wave("all", ("a", "b"), failures_tolerated=1),)
    found = apply(world, waves=waves, saved=world.save(a=text, b="0"))
    assert states(found) == {"a": "failed", "b": "applied"}
    assert found.exit_code(changes=False) == ExitCode.BAD_PLAN
    assert UNUSABLE[text] in (found.results()[0].error or {})["message"]
    assert world.applied("a") == []


def test_a_saved_plan_without_changes_is_applied_all_the_same(tmp_path: Path):
    # Its account and state are asked for, and it may record another home region.
    world = World(tmp_path, a={}, b={})
    found = apply(world, saved=world.save(a="0 empty=yes", b="0"))
    assert states(found) == {"a": "verified", "b": "applied"}
    assert "apply a 0" in world.calls
    assert world.applied("a") == []


def test_a_saved_plan_without_changes_is_not_the_end_of_what_was_worse(tmp_path: Path):
    world = World(tmp_path, a={"worse": True}, b={})
    apply(world, waves=PAIR)
    found = apply(world, waves=PAIR, failed=True, saved=world.save(a="1 empty=yes", b="0"))
    assert states(found) == {"a": "failed", "b": "skipped"}
    assert world.calls.count("audit a 2") == 2


def test_a_saved_plan_is_applied_as_it_was_shown(tmp_path: Path):
    world = World(tmp_path, a={})
    saved = world.save(a="0")

    def approve(names: Sequence[str]) -> Collection[str]:
        world.save(a="5")
        return names

    found = apply(world, saved=saved, approve=approve)
    assert states(found) == {"a": "applied"}
    assert (found.journal.folder / "a.tfbundle").stat().st_mode & 0o077 == 0


@pytest.mark.parametrize("how", ["changed", "deleted"])
def test_a_plan_that_is_not_as_it_was_shown_is_not_applied(tmp_path: Path, how: str):
    world = World(tmp_path, a={}, b={})
    with run(world, "apply") as found:
        found.plan_all()
        bundle = found.journal.folder / "a.tfbundle"
        bundle.write_text("0 x=y") if how == "changed" else bundle.unlink()
        found.apply(PAIR, every)
    assert states(found) == {"a": "failed", "b": "skipped"}
    assert found.exit_code(changes=False) == ExitCode.BAD_PLAN
    assert (found.results()[0].error or {})["message"] == "not the plan that was shown"
    assert world.applied("a") == []


def test_a_missing_plan_is_refused_before_anything_runs(tmp_path: Path):
    world = World(tmp_path, a={}, b={})
    (tmp_path / "plans").mkdir()
    (tmp_path / "plans" / "a.tfbundle").write_text("0")
    with pytest.raises(BadPlanError, match=r"no saved plan b\.tfbundle"):
        apply(world, saved=tmp_path / "plans")
    assert world.calls == []


@pytest.mark.parametrize("how", ["changed", "deleted"])
@pytest.mark.parametrize("file", ["b.tfbundle", "b.plan.json"])
def test_a_kept_plan_that_is_not_as_it_was_is_made_again(tmp_path: Path, how: str, file: str):
    world = World(tmp_path, a={"apply": 1}, b={}, c={})
    found = apply(world, jobs=1)
    kept = found.journal.folder / file
    if how == "deleted":
        kept.unlink()
    else:
        # Of the summary: another account, so that the prompt and the summary would say so.
        kept.write_text("5" if file == "b.tfbundle" else kept.read_text().replace("123456789012", "111122223333"))
    world.set("a")
    before = len(world.calls)
    found = apply(world, failed=True)
    assert set(states(found).values()) == {"applied"}
    assert sorted(c for c in world.calls[before:] if c.startswith("plan")) == ["plan a 2", "plan b 2"]


@pytest.mark.parametrize("command", ["plan", "drift", "audit"])
def test_a_result_that_is_not_as_it_was_printed_is_made_again(tmp_path: Path, command: str):
    world = World(tmp_path, a={}, b={}, c={"audit": 5, "plan": 5, "drift": 5})
    with run(world, command) as found:
        found.each()
    printed = found.journal.folder / f"a.{command}.json"
    printed.write_text(printed.read_text().replace("{", '{"more": 1, ', 1))
    world.set("c")
    told, before = Told(), len(world.calls)
    with run(world, command, failed=True, told=told) as found:
        found.each()
        assert sorted(call.split()[1] for call in world.calls[before:]) == ["a", "c"]
        assert [result.outcome is not None for result in found.results()] == [True] * 3
    assert told.notices == [f"a runs again: what its {command} had printed was changed or deleted"]
    before = len(world.calls)
    with run(world, command, failed=True) as found:
        found.each()
    assert len(world.calls) == before


def test_what_is_applied_stays_applied_without_its_plan(fleet: World, told: SaysBoth):
    fleet.set("b", apply=1)
    told("apply", "a", "b", "--auto-approve", "--jobs", "1", exits=1)
    (printed,) = fleet.root.glob(".toolkit/fleet/*/a.plan.json")
    printed.unlink()
    fleet.set("b")
    out, _ = told("apply", "--failed", "--auto-approve")
    assert "what its plan printed was changed or deleted since: 1 environment" in out
    assert (fleet.applied("a"), fleet.applied("b")) == (["1"], ["1"])


def test_a_run_on_the_embedded_aws_is_not_continued_on_a_real_account(tmp_path: Path):
    world = World(tmp_path, a={"plan": 1})
    with run(world, "plan", arguments=Arguments(everywhere=("--sandbox",))) as found:
        found.each()
    with pytest.raises(UsageError, match="was on the embedded AWS"), run(world, "plan", failed=True):
        pass


def test_an_environment_that_is_gone_is_named(tmp_path: Path):
    world = World(tmp_path, a={"plan": 1}, b={"plan": 1})
    with run(world, "plan") as found:
        found.each()
    (tmp_path / "environments" / "b" / "environment.yaml").unlink()
    told = Told()
    with run(world, "plan", failed=True, told=told) as found:
        found.each()
    assert told.notices == ["no longer in the project, and left out: b"]
    assert states(found) == {"a": "failed"}


@pytest.mark.parametrize("behaviour", [{"apply": "SIGKILL"}, {"worse": True}, {"apply": 1}, {"plan": 1}])
def test_an_environment_whose_apply_is_not_known_to_be_good_cannot_go(tmp_path: Path, behaviour: Mapping[str, Any]):
    world = World(tmp_path, a=behaviour, b={})
    apply(world, waves=PAIR)
    (tmp_path / "environments" / "a" / "environment.yaml").unlink()
    with pytest.raises(RefusedError, match="no longer in the project, but failed or not verified: a"):
        apply(world, waves=(Wave("rest", ("b",)),), failed=True)
    assert world.applied("b") == []


# Interrupts.


@pytest.mark.parametrize("how", ["SIGTERM", "SIGINT", 130])
def test_a_command_that_somebody_stops_is_an_error_of_its_own(tmp_path: Path, how: str | int):
    with run(World(tmp_path, a={"plan": how}, b={}), "plan") as found:
        found.each()
    assert states(found) == {"a": "failed", "b": "planned"}
    assert found.exit_code(changes=True) == ExitCode.ERROR


def interrupt_after(world: World, count: int, seconds: float = 0.0) -> threading.Thread:
    """SIGINT to this process once so many commands have begun."""

    def wait() -> None:
        file = world.root / "world" / "calls"
        while not file.exists() or file.read_text().count("begin ") < count:
            time.sleep(0.01)
        time.sleep(seconds)
        os.kill(os.getpid(), signal.SIGINT)

    thread = threading.Thread(target=wait, daemon=True)
    thread.start()
    return thread


def test_an_interrupt_stops_all_gracefully_and_begins_no_more(tmp_path: Path):
    world = World(tmp_path, **{name: {"seconds": 3} for name in "abcd"})
    told = Told()
    with run(world, "plan", jobs=2, told=told) as found:
        thread = interrupt_after(world, 2, 0.2)
        found.each()
    thread.join()
    assert states(found) == {"a": "failed", "b": "failed", "c": "skipped", "d": "skipped"}
    assert {r.exit_code for r in found.results() if r.state is State.FAILED} == {130}
    assert found.exit_code(changes=True) == ExitCode.INTERRUPTED
    assert "Interrupted: 2 running commands stop gracefully" in told.notices[0]
    for name in "abcd":
        world.set(name)
    with run(world, "plan", failed=True) as found:
        found.each()
    assert set(states(found).values()) == {"planned"}


def test_an_interrupt_between_waves_leaves_the_rest_for_later(tmp_path: Path):
    world = World(tmp_path, a={}, b={}, c={}, d={})
    with run(world, "apply") as found:
        found.plan_all()
        world.set("a", seconds=2)
        thread = interrupt_after(world, 5, 0.2)
        found.apply(CANARY, every)
    thread.join()
    assert states(found)["b"] == "skipped"
    assert found.exit_code(changes=False) == ExitCode.INTERRUPTED
    world.set("a")
    found = apply(world, failed=True, waves=CANARY)
    assert states(found) == {"a": "verified", "b": "applied", "c": "applied", "d": "applied"}
    assert [world.applied(name) for name in "abcd"] == [["1"]] * 4


@pytest.mark.parametrize(
    ("at", "time", "number", "by_wave"),
    [
        # The state or event that is written at that moment, and which of them.
        (State.PLANNED, 2, signal.SIGTERM, False),
        (State.APPROVED, 1, signal.SIGINT, False),
        ("wave", 1, signal.SIGHUP, True),
        (State.APPLYING, 1, signal.SIGINT, False),
        (State.APPLIED, 1, signal.SIGINT, True),
        (State.VERIFIED, 1, signal.SIGTERM, False),
        (State.APPROVED, 2, signal.SIGTERM, True),
        (State.APPLIED, 2, signal.SIGINT, False),
    ],
)
def test_a_signal_between_two_steps_is_a_request_to_stop(
    tmp_path: Path,
    at: State | str,
    time: int,
    number: signal.Signals,
    by_wave: bool,
    monkeypatch: pytest.MonkeyPatch,
):
    """Commands run only a part of the time; in between, what has happened is written down."""
    world = World(tmp_path, a={}, b={})
    moments: Counter[State | str] = Counter()

    def interrupt(data: Mapping[str, Any]) -> None:
        moment = data["state"] if data["event"] == "state" else data["event"]
        moments[moment] += 1
        if (moment, moments[moment]) == (at, time):
            os.kill(os.getpid(), number)

    write = Journal._write
    with monkeypatch.context() as patched:
        patched.setattr(Journal, "_write", lambda self, data: (write(self, data), interrupt(data))[0])
        found = apply(world, waves=PAIR, by_wave=by_wave)
    assert moments[at] >= time, "that moment never came"
    assert found.exit_code(changes=False) == ExitCode.INTERRUPTED
    reasons = {r.error["message"] for r in found.results() if r.state is State.SKIPPED and r.error is not None}
    assert reasons <= {"the run was interrupted"}
    if newest(tmp_path, "apply").unfinished:
        apply(world, failed=True, waves=PAIR)
    assert [world.applied(name) for name in "ab"] == [["1"], ["1"]]


@pytest.mark.parametrize(
    ("by_wave", "wanted"), [(False, {"a": "skipped", "b": "skipped"}), (True, {"a": "verified", "b": "skipped"})]
)
def test_an_interrupt_instead_of_an_answer(tmp_path: Path, by_wave: bool, wanted: Mapping[str, str]):
    world = World(tmp_path, a={}, b={})

    def answer(names: Sequence[str]) -> Collection[str]:
        if "b" in names:
            os.kill(os.getpid(), signal.SIGINT)
            time.sleep(60)  # like a prompt, ended by the signal
        return names

    found = apply(world, waves=PAIR, by_wave=by_wave, approve=answer)
    assert states(found) == wanted
    assert {r.error["message"] for r in found.results() if r.error} == {"the run was interrupted"}
    assert found.exit_code(changes=False) == ExitCode.INTERRUPTED


def test_a_command_that_does_not_stop_is_killed_in_the_end(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(process, "GRACE_SECONDS", 0.1)
    world = World(tmp_path, a={"plan": "SIGSTOP"})
    with run(world, "plan") as found:
        thread = interrupt_after(world, 1, 0.5)

        def insist() -> None:
            thread.join()
            for _ in range(3):
                time.sleep(0.2)
                os.kill(os.getpid(), signal.SIGINT)

        second = threading.Thread(target=insist, daemon=True)
        second.start()
        found.each()
        second.join()
    assert found.exit_code(changes=True) == ExitCode.INTERRUPTED


def test_an_error_of_ours_lets_what_runs_end(tmp_path: Path):
    world = World(tmp_path, a={"seconds": 0.5}, b={})
    with run(world, "plan", jobs=2) as found:

        def broken(*_: object, **__: object) -> None:
            raise ToolkitError("no space is left on the file system")

        found.journal.record = broken  # type: ignore[method-assign]
        with pytest.raises(ToolkitError, match="no space"):
            found.each()
    assert "plan a 2" in world.calls


# Kills: whatever ends the run, the next one converges, and nothing is applied twice.

KILLS = int(os.environ.get("FLEET_KILLS", "10"))
"""`make soak` sets more."""

SCRIPT = """
import os, sys
from pathlib import Path
sys.path[:0] = {path!r}
from toolkit.fleet.waves import Wave
from toolkit.paths import Project
from toolkit.workflows.commands import Watcher
from toolkit.workflows.fleet import Arguments, Machine, begun, continued
root, failed = Path(sys.argv[1]), sys.argv[2] == "failed"
machine = Machine(Watcher(), 2, program={program!r})
project = Project(root)
try:
    opened = continued(project, "apply", lambda _: (Arguments(), None), machine) if failed else begun(
        project, "apply", project.names, Arguments(), machine, None)
    with opened as run:
        run.plan_all()
        if not run.commands.interrupted:
            run.apply((Wave("canary", ("a",)), Wave("rest", ("b", "c", "d"))), lambda names: names)
    os._exit(run.exit_code(changes=False))
except KeyboardInterrupt:  # between the two, as in toolkit.cli.main
    os._exit(130)
"""


@pytest.mark.parametrize("seed", range(KILLS))
def test_a_run_that_is_killed_at_any_moment_is_completed_by_the_next(tmp_path: Path, seed: int):
    chance = random.Random(seed)
    world = World(tmp_path, **{name: {"seconds": 0.15} for name in "abcd"})
    script = SCRIPT.format(path=[p for p in sys.path if p], program=PROGRAM)
    kill = chance.choice([signal.SIGINT, signal.SIGTERM, signal.SIGKILL])
    process = subprocess.Popen(
        [sys.executable, "-c", script, str(tmp_path), "new"], start_new_session=True, stderr=subprocess.PIPE
    )
    while not (tmp_path / "world" / "calls").exists() and process.poll() is None:
        time.sleep(0.01)
    time.sleep(chance.uniform(0, 2.5))
    with contextlib.suppress(ProcessLookupError):
        os.kill(process.pid, kill)
    _, errors = process.communicate(timeout=60)
    assert b"Traceback" not in errors, errors.decode()
    # One command, and everything is as if nothing had happened.
    subprocess.run([sys.executable, "-c", script, str(tmp_path), "failed"], check=True, timeout=120)
    assert {name: world.applied(name) for name in "abcd"} == {name: ["1"] for name in "abcd"}
    story = newest(tmp_path, "apply")
    assert story.unfinished == ()
    assert Counter(entry.state for entry in story.latest.values())[State.FAILED] == 0
    begun_, ended = (
        sum(line.startswith("begin ") is wanted for line in (tmp_path / "world" / "calls").read_text().splitlines())
        for wanted in (True, False)
    )
    assert begun_ - ended <= 0 or kill is not signal.SIGKILL


# What runs where.


@pytest.mark.parametrize(
    ("found", "running", "used", "wanted", "fits"),
    [
        (Capacity(2, 1000), 0, 0, 5000, True),  # one alone always may
        (Capacity(2, 1000), 1, 500, 500, True),
        (Capacity(2, 1000), 1, 500, 501, False),
        (Capacity(2, None), 1, 5000, 5000, True),
        (Capacity(2, 1000), 2, 0, 0, False),
    ],
)
def test_what_fits(found: Capacity, running: int, used: int, wanted: int, fits: bool):
    assert found.fits(running, used, wanted) is fits


def machine_of(root: Path, files: Mapping[str, str]) -> Path:
    for name, text in files.items():
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text(text)
    return root


MEMINFO = "MemTotal: 8000000 kB\nMemAvailable: 4096000 kB\n"


@pytest.mark.parametrize(
    ("files", "memory", "cores"),
    [
        ({"proc/meminfo": MEMINFO}, 4000, None),
        ({}, None, None),
        (
            {
                "proc/meminfo": MEMINFO,
                "proc/self/cgroup": "0::/ci/job\n",
                "sys/fs/cgroup/ci/job/memory.max": "max\n",
                "sys/fs/cgroup/ci/job/cpu.max": "max 100000\n",
                "sys/fs/cgroup/ci/memory.max": str(1000 << 20),
                "sys/fs/cgroup/ci/memory.current": str(700 << 20),
                "sys/fs/cgroup/ci/memory.stat": f"anon 1\ninactive_file {200 << 20}\n",
                "sys/fs/cgroup/ci/cpu.max": "100000 100000\n",
            },
            500,
            1,
        ),
        (  # in a container: the path is the host's
            {
                "proc/meminfo": MEMINFO,
                "proc/self/cgroup": "0::/system.slice/docker-1.scope\n",
                "sys/fs/cgroup/memory.max": str(2000 << 20),
                "sys/fs/cgroup/memory.current": "0",
            },
            2000,
            None,
        ),
        (
            {
                "proc/meminfo": MEMINFO,
                "proc/self/cgroup": "5:memory:/\n4:cpu,cpuacct:/\n",
                "sys/fs/cgroup/memory/memory.limit_in_bytes": str(3000 << 20),
                "sys/fs/cgroup/memory/memory.usage_in_bytes": "0",
                "sys/fs/cgroup/cpu/cpu.cfs_quota_us": "50000",
                "sys/fs/cgroup/cpu/cpu.cfs_period_us": "100000",
            },
            3000,
            1,
        ),
    ],
)
def test_the_machine_is_read(tmp_path: Path, files: Mapping[str, str], memory: int | None, cores: int | None):
    root = machine_of(tmp_path, files)
    assert available_mb(root) == memory
    assert processors(root) == (cores or len(os.sched_getaffinity(0)))
    assert capacity(7, root) == Capacity(7)


def test_an_environment_of_many_regions_takes_more_memory(tmp_path: Path):
    world = World(tmp_path, a={}, b={})
    file = tmp_path / "environments" / "b" / "environment.yaml"
    file.write_text("regions: {home: eu-west-1, active: [eu-west-1, us-east-1], retiring: [eu-north-1]}\nno: [\n")
    assert memory_mb(world.project, "b", terraform=True) == memory_mb(world.project, "a", terraform=True)  # not YAML
    memory_mb.cache_clear()
    file.write_text("regions: {home: eu-west-1, active: [eu-west-1, us-east-1], retiring: [eu-north-1]}\nwrong: 1\n")
    assert memory_mb(world.project, "b", terraform=True) == memory_mb(world.project, "a", terraform=True) + 260


# The commands.

SaysBoth = Callable[..., tuple[str, str]]


@pytest.fixture
def fleet(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> World:
    """Two environments, and commands that work on them."""
    monkeypatch.setattr(commands, "PROGRAM", PROGRAM)
    monkeypatch.chdir(tmp_path)
    return World(tmp_path, a={}, b={})


def logged(world: World, name: str, command: str) -> str:
    """The command line of an environment's command."""
    (log,) = world.root.glob(f".toolkit/fleet/*/{name}.log")
    return next(line for line in log.read_text().splitlines() if f" {command} {name} " in line)


def test_plan_shows_every_environment_and_what_to_do_next(fleet: World, told: SaysBoth):
    fleet.set("c", plan=5)
    out, err = told("plan", "--all", exits=5)
    assert "Plan of 3 environments: " in out
    assert "plan of c is broken" in out
    assert "module.x.aws_y.z" in out
    assert err.endswith("Next: toolkit plan --failed\n")
    fleet.set("c")
    out, err = told("plan", "--failed")
    assert "Plan of 3 environments: 3 in 1 group" in out
    assert "Apply exactly these: toolkit apply --all --plan .toolkit/fleet/" in err
    assert [call for call in fleet.calls if call.startswith("plan a")] == ["plan a 2"]


def test_plan_ends_with_2_only_where_that_is_wanted(fleet: World, told: SaysBoth):
    told("plan", "a", "b", exits=0)
    told("plan", "a", "b", "--detailed-exitcode", exits=2)


def test_the_json_is_as_published(fleet: World, told: SaysBoth, json_shape: Callable[[str], Any]):
    fleet.set("b", plan=4)
    data = json_shape(told("plan", "--all", "--json", exits=4)[0])
    assert [(e["environment"], e["state"], e["exit_code"]) for e in data["environments"]] == [
        ("a", "planned", 2),
        ("b", "failed", 4),
    ]
    assert data["environments"][1]["error"]["phase"] == "plan"
    assert json.loads(Path(data["environments"][0]["output"]).read_text())["kind"] == "plan"


def test_apply_plans_approves_and_applies(fleet: World, told: SaysBoth):
    out, _ = told("apply", "--all", "--auto-approve", "--json")
    assert [e["state"] for e in json.loads(out)["environments"]] == ["applied", "applied"]
    told("apply", "--failed", "--auto-approve")
    assert fleet.calls.count("apply a 0") == 1


def test_apply_takes_a_folder_of_saved_plans(fleet: World, told: SaysBoth):
    told("plan", "--all", "--out", "plans/")
    told("apply", "--all", "--plan", "plans/")
    assert [fleet.applied(name) for name in "ab"] == [["1"], ["1"]]


def test_approval_is_by_one_answer_or_one_each(fleet: World, told: SaysBoth, monkeypatch: pytest.MonkeyPatch):
    asked: list[str] = []

    def ask(question: str, *, wanted: str) -> bool:
        asked.append(question)
        return "of b" not in question

    monkeypatch.setattr(console, "ask", ask)
    monkeypatch.setattr("sys.stdin.isatty", lambda: True, raising=False)
    out, _ = told("apply", "--all", "--approve-each", exits=4)
    where = "in account 123456789012"
    assert asked == [f"Apply the plan of a {where}?", f"Apply the plan of b {where}?"]
    assert [fleet.applied(name) for name in "ab"] == [["1"], []]
    assert "not approved" in out
    _, err = told("apply", "--failed", exits=4)
    assert asked[2:] == [f"Apply the plan of b {where}?"]
    assert "Each plan in full: toolkit show .toolkit/fleet/" in err


def test_the_prompt_names_the_accounts(fleet: World, told: SaysBoth, monkeypatch: pytest.MonkeyPatch):
    asked: list[str] = []
    monkeypatch.setattr(console, "ask", lambda question, *, wanted: asked.append(question) is not None)
    monkeypatch.setattr("sys.stdin.isatty", lambda: True, raising=False)
    told("apply", "--all", exits=4)
    fleet.set("b", account="210987654321")
    told("apply", "--all", exits=4)
    assert asked == [
        "Apply 2 plans in account 123456789012?",
        "Apply 2 plans in 2 accounts (123456789012, 210987654321)?",
    ]


def test_saved_plans_are_approved_one_by_one_if_that_is_wanted(
    fleet: World, told: SaysBoth, monkeypatch: pytest.MonkeyPatch
):
    told("plan", "--all", "--out", "plans/")
    asked: list[str] = []

    def ask(question: str, *, wanted: str) -> bool:
        asked.append(question)
        return "of b" not in question

    monkeypatch.setattr(console, "ask", ask)
    monkeypatch.setattr("sys.stdin.isatty", lambda: True, raising=False)
    told("apply", "--all", "--plan", "plans/", "--approve-each", exits=4)
    assert len(asked) == 2
    assert [fleet.applied(name) for name in "ab"] == [["1"], []]


@pytest.mark.parametrize("names", [["--all"], ["a"], ["a", "b"]], ids=str)
@pytest.mark.parametrize(
    ("given", "terminal", "problem"),
    [
        (["--auto-approve"], True, "--approve-each prompts, and --auto-approve skips every prompt"),
        (["--auto-approve", "--plan", "plans/"], True, "--approve-each prompts, and --auto-approve skips"),
        (["--plan", "plans/"], False, "approval needs a terminal"),
        ([], False, "approval needs a terminal"),
    ],
)
def test_approve_each_is_never_ignored(
    fleet: World,
    told: SaysBoth,
    monkeypatch: pytest.MonkeyPatch,
    names: list[str],
    given: list[str],
    terminal: bool,
    problem: str,
):
    monkeypatch.setattr("sys.stdin.isatty", lambda: terminal, raising=False)
    assert problem in told("apply", *names, "--approve-each", *given, exits=64)[1]
    assert fleet.calls == []


def test_a_saved_plan_of_one_environment_is_approved_if_that_is_wanted(
    fleet: World, told: SaysBoth, monkeypatch: pytest.MonkeyPatch
):
    done: list[str] = []

    def apply_bundle(*_: Any, judged: Callable[[Any], None], ready: Callable[[Any], None], **__: Any) -> Any:
        judged("the plan")
        ready("the plan")
        done.append("applied")
        raise ToolkitError("that is enough")

    workspace = SimpleNamespace(caller=SimpleNamespace(account_id="123456789012", arn="arn"), simulator=None)
    monkeypatch.setattr("toolkit.workflows.apply.apply_bundle", apply_bundle)
    monkeypatch.setattr("toolkit.workflows.hand_over.open_bundle", lambda *_: "bundle")
    monkeypatch.setattr("toolkit.workflows.workspace.open_workspace", lambda *_, **__: workspace)
    monkeypatch.setattr(terraform_commands, "_show", lambda view, *_, **__: done.append(f"shown: {view}"))
    monkeypatch.setattr("sys.stdin.isatty", lambda: True, raising=False)
    answers = iter([False, True])
    monkeypatch.setattr(console, "ask", lambda question, *, wanted: next(answers))
    assert "not approved; nothing was applied" in told("apply", "a", "--plan", "x", "--approve-each", exits=4)[1]
    assert done == ["shown: the plan"]
    told("apply", "a", "--plan", "x", "--approve-each", exits=1)
    told("apply", "a", "--plan", "x", exits=1)
    assert done[1:] == ["shown: the plan", "applied", "applied"]


PLAN_OPTIONS = ("--out", "plans/", "--expires-in", "90m", "--kms-key", "alias/x", "--no-render")


def test_a_continued_plan_has_the_options_that_it_began_with(fleet: World, told: SaysBoth):
    fleet.set("b", plan=5)
    told("plan", "--all", *PLAN_OPTIONS, "--sandbox", exits=5)
    first = logged(fleet, "b", "plan")
    fleet.set("b")
    next(fleet.root.glob(".toolkit/fleet/*/b.log")).unlink()
    _, err = told("plan", "--failed", "--sandbox")
    assert logged(fleet, "b", "plan") == first
    assert "--no-render --expires-in 90m --kms-key alias/x" in first
    assert err.endswith("Apply exactly these: toolkit apply --all --plan plans/ --kms-key alias/x --sandbox\n")
    assert sorted(f.name for f in (fleet.root / "plans").iterdir()) == ["a.tfbundle", "b.tfbundle"]


def test_plans_in_s3_leave_references(fleet: World, told: SaysBoth):
    """Each command puts its own plan, and what `apply` needs of it is in the folder."""
    fleet.set("b", plan=5)
    place = ("--out", "s3://example-plans/ci/", "--reference", "refs/", "--sign", "alias/x")
    told("plan", "--all", *place, exits=5)
    fleet.set("b")
    next(fleet.root.glob(".toolkit/fleet/*/b.log")).unlink()
    told("plan", "--failed")
    for name in "ab":
        reference = fleet.root / "refs" / f"{name}.tfbundle"
        assert reference.exists()
        command = logged(fleet, name, "plan")
        assert f"--out s3://example-plans/ci/ --reference {reference} " in command
        assert "--sign alias/x" in command


def test_without_a_folder_references_are_in_that_of_the_run(fleet: World, told: SaysBoth):
    told("plan", "a", "b", "--out", "s3://example-plans/ci/")
    (folder,) = {file.parent for file in fleet.root.glob(".toolkit/fleet/*/a.log")}
    assert f"--reference {folder / 'a.tfbundle'}" in logged(fleet, "a", "plan")


@pytest.mark.parametrize(
    ("arguments", "problem"),
    [
        (["apply", "a", "b", "--plan", "s3://example-plans/ci/"], "a folder with a reference to each plan"),
        (
            ["apply", "a", "b", "--require-signature", "alias/x"],
            "--require-signature demands something of a saved plan",
        ),
        (["apply", "a", "b", "--plan", "p/", "--require-run", "x"], "'x' is not a run of a pipeline"),
        (["plan", "a", "b", "--out", "s3://example-plans/ci"], "is not a prefix in S3"),
        (["plan", "a", "b", "--out", "p/", "--reference", "r/"], "names a plan that is saved in S3"),
        (["plan", "a", "b", "--sign", "arn:aws:kms:x"], "names no key"),
    ],
)
def test_what_cannot_be_meant_for_several(fleet: World, told: SaysBoth, arguments: list[str], problem: str):
    assert problem in told(*arguments, exits=64)[1]
    assert fleet.calls == []


@pytest.mark.parametrize(
    ("given", "problem"),
    [
        (["--out", "other/"], "plans"),
        (["--expires-in", "91m"], "--expires-in 91m: the run that is continued began with --expires-in 90m"),
        (["--kms-key", "alias/y"], "--kms-key alias/y: the run that is continued began with --kms-key alias/x"),
    ],
)
def test_a_continued_plan_takes_no_other_options(fleet: World, told: SaysBoth, given: list[str], problem: str):
    fleet.set("b", plan=5)
    told("plan", "--all", *PLAN_OPTIONS, exits=5)
    calls = fleet.calls
    assert problem in told("plan", "--failed", *given, exits=64)[1]
    assert fleet.calls == calls
    told("plan", "--failed", *PLAN_OPTIONS, exits=5)  # the same are no others
    told("plan", "a", "b", exits=5)
    problem = "--no-render: the run that is continued began without it"
    assert problem in told("plan", "--failed", "--no-render", exits=64)[1]


def bundle_at(file: Path) -> Path:
    """What looks like a plan bundle."""
    file.parent.mkdir(exist_ok=True)
    with zipfile.ZipFile(file, "w") as archive:
        for name in ("manifest.json", "plan.tfplan", "SHA256SUMS"):
            archive.writestr(name, "")
    assert is_bundle(file)
    return file


def test_no_earlier_bundle_is_left_for_an_environment_that_fails(fleet: World, told: SaysBoth):
    old = bundle_at(fleet.root / "plans" / "b.tfbundle")
    other = bundle_at(fleet.root / "plans" / "c.tfbundle")
    fleet.set("b", plan=5)
    told("plan", "a", "b", "--out", "plans/", exits=5)
    assert not old.exists()
    assert other.exists()
    (fleet.root / "plans" / "b.tfbundle").write_text("somebody's")
    assert "not a plan bundle" in told("plan", "--failed", exits=64)[1]
    assert (fleet.root / "plans" / "b.tfbundle").read_text() == "somebody's"
    assert (fleet.root / "plans" / "a.tfbundle").exists()


@pytest.mark.parametrize("out", [(), ("--out", "plans/")], ids=str)
@pytest.mark.parametrize("form", [(), ("--json",), ("--report", "json=-")], ids=str)
def test_plans_that_could_not_be_shown_are_not_saved(
    fleet: World, told: SaysBoth, out: tuple[str, ...], form: tuple[str, ...]
):
    with Path("/dev/full").open("w") as full, patch("sys.stdout", full):
        err = told("plan", "--all", *out, *form, exits=1)[1]
    assert "No space left on device" in err
    assert not list(fleet.root.rglob("*.tfbundle"))
    told("plan", "--failed")
    assert len(list(fleet.root.rglob("*.tfbundle"))) == 2


def test_consents_of_a_continued_apply_are_those_given_now(fleet: World, told: SaysBoth):
    told("plan", "--all", "--out", "plans/")
    fleet.set("a", apply=1)
    told("apply", "--all", "--plan", "plans/", "--jobs", "1", "--allow-weaker", "*:module.x", exits=1)
    fleet.set("a")
    told("apply", "--failed", "--auto-approve", "--allow-weaker", "b:module.y")
    log = next(f for f in fleet.root.glob(".toolkit/fleet/*/b.log") if " apply b " in f.read_text())
    (called,) = [line for line in log.read_text().splitlines() if " apply b " in line]
    assert "--allow-weaker module.y" in called
    assert "module.x" not in called
    assert fleet.calls.count("plan b 2") == 1  # its plan is kept: the copy that was shown
    assert f"--plan {log.parent / 'b.tfbundle'}" in called


def test_apply_needs_a_terminal_or_consent(fleet: World, told: SaysBoth):
    assert "approval needs a terminal" in told("apply", "--all", exits=64)[1]
    assert fleet.calls == []


def test_a_pattern_that_matches_all_is_not_applied(fleet: World, told: SaysBoth):
    assert "'*' matches all 2 environments; nothing was done" in told("apply", "*", "--auto-approve", exits=64)[1]
    assert fleet.calls == []


def test_consents_go_to_the_environment_that_they_name(fleet: World, told: SaysBoth):
    told("plan", "--all", "--allow-weaker", "a:module.x", "--allow-destroy", '*:module.y["k:v"]')
    assert logged(fleet, "a", "plan").endswith(
        '--allow-destroy module.y["k:v"] --allow-weaker module.x --lock-timeout 30s'
    )
    assert logged(fleet, "b", "plan").endswith('--allow-destroy module.y["k:v"] --lock-timeout 30s')


@pytest.mark.parametrize(
    ("given", "problem", "hint"),
    [
        (
            ["--allow-weaker", "module.x.y"],
            "--allow-weaker module.x.y: with several environments, a consent names the one that it is for",
            "--allow-weaker ENV:module.x.y",
        ),
        (["--allow-destroy", 'module.x["a:b"]'], "a consent names the one that it is for", "--allow-destroy ENV:"),
        (["--allow-release", "c:module.x"], "'c' is not one of the environments of this run", "they are: a, b"),
        (["--acknowledge-lockout"], "--acknowledge-lockout is for one environment", "alone"),
        (["--report", "markdwn=x/"], "did you mean 'markdown'?", "markdown"),
        (["--report", "reports/"], "--report reports/: a folder needs a format", "--report markdown=reports/"),
        (["--report", "markdwn=x"], "did you mean 'markdown'", "markdown"),
        (["--out", "fleet.txt"], "with several environments, a folder is needed", "folder"),
    ],
)
def test_what_cannot_be_for_several_is_refused_before_anything_runs(
    fleet: World, told: SaysBoth, given: list[str], problem: str, hint: str
):
    (fleet.root / "fleet.txt").touch()
    _, err = told("plan", "--all", *given, exits=64)
    assert problem in err
    assert hint in err.partition("Next: ")[2]
    assert fleet.calls == []
    assert not (fleet.root / ".toolkit").exists()


def test_failed_selects_alone(fleet: World, told: SaysBoth):
    assert "--failed takes the environments of the newest run" in told("plan", "a", "--failed", exits=64)[1]
    assert "no run of `toolkit plan` over many environments" in told("plan", "--failed", exits=64)[1]


def test_waves_are_shown_and_a_wrong_fleet_file_stops_everything(fleet: World, told: SaysBoth):
    (fleet.root / "fleet.yaml").write_text("waves:\n  - {name: first, environments: [b], concurrency: 3}\n")
    out, _ = told("apply", "--all", "--dry-run")
    assert [line.split() for line in out.splitlines()[1:]] == [
        ["first", "3", "at", "once,", "stops", "at", "a", "failure", "b"],
        ["rest", "stops", "at", "a", "failure", "a"],
    ]
    told("apply", "a", "--dry-run")
    (fleet.root / "fleet.yaml").write_text("waves:\n  - {name: first, environments: [bb]}\n")
    for more in (["--dry-run"], ["--auto-approve"]):
        _, err = told("apply", "--all", *more, exits=1)
        assert "fleet.yaml:2: waves[0].environments[0]: no environment 'bb'" in err
    assert fleet.calls == []


def test_reports_and_snapshots_get_a_file_each(fleet: World, told: SaysBoth):
    told("plan", "--all", "--report", "markdown=reports/")
    assert " --report markdown=reports/a.md " in logged(fleet, "a", "plan")
    assert (fleet.root / "reports").is_dir()


def test_a_report_to_a_file_is_of_the_whole_run(fleet: World, told: SaysBoth):
    told("plan", "--all", "--report", "markdown=all.md", "--report", "json=all.json")
    assert "--report" not in logged(fleet, "a", "plan")
    assert "2 environments" in (fleet.root / "all.md").read_text()
    assert json.loads((fleet.root / "all.json").read_text())["kind"] == "fleet"
    out, err = told("apply", "--all", "--auto-approve", "--report", "json=-")
    assert json.loads(out)["command"] == "plan"
    assert "Plan of 2 environments" in err


@pytest.mark.parametrize(
    ("arguments", "called"),
    [
        (["drift", "--all", "--no-render"], "drift a --json --no-render --lock-timeout 30s"),
        (["discover", "--all", "--out", "s/"], "discover a --json --regions enabled --out s/a.json"),
        (
            ["audit", "--all", "--service", "iam", "--service", "kms", "--history", "h", "--baseline", "latest"],
            "audit a --format json --regions enabled --service iam --service kms --fail-on high --history h/a "
            "--baseline latest",
        ),
        (
            ["controls", "--all", "--framework", "fsbp", "--framework", "cis-7.0", "--no-render"],
            "controls a --format json --framework fsbp --framework cis-7.0 --no-render",
        ),
    ],
)
def test_commands_that_read_are_called_for_each(fleet: World, told: SaysBoth, arguments: list[str], called: str):
    told(*arguments)
    assert logged(fleet, "a", arguments[0]).endswith(called)


def test_uncovered_requirements_are_grouped_and_counted(fleet: World, told: SaysBoth, json_shape: Callable[[str], Any]):
    for name in ("b", "c"):
        fleet.set(name, uncovered=["1.2"])
    out, _ = told("controls", "--all")
    assert "Controls of 3 environments: 2 in 1 group, 1 without uncovered requirements." in out
    assert "Group 1: the same uncovered requirement in 2 environments" in out
    assert "uncovered cis-7.0:1.2\n" in out
    assert [line.split() for line in out.splitlines()[-3:]] == [
        ["a", "cis-7.0", "2", "0", "0", "0", "0"],
        ["b", "cis-7.0", "1", "0", "0", "0", "1"],
        ["c", "cis-7.0", "1", "0", "0", "0", "1"],
    ]
    out, err = told("controls", "--all", "--format", "csv")
    assert out.splitlines()[0] == "environment,framework,requirement,status,why,topics,titles,fsbp"
    assert [line.split(",")[:4] for line in out.splitlines()[1:]] == [
        [name, "cis-7.0", one, "uncovered" if one == "1.2" and name != "a" else "provisioned"]
        for name in "abc"
        for one in ("1.1", "1.2")
    ]
    assert "Controls of 3 environments" in err
    out, _ = told("controls", "--all", "--format", "markdown")
    assert out.startswith("<!-- aws-baseline-toolkit:fleet:controls -->\n")
    fleet.set("b", controls=5)
    data = json_shape(told("controls", "--all", "--format", "json", exits=5)[0])
    assert [(one["state"], one["exit_code"]) for one in data["environments"]] == [
        ("done", 0),
        ("failed", 5),
        ("done", 0),
    ]
    assert data["summary"]["counts"]["unchanged"] == 1


def test_controls_of_saved_plans(fleet: World, told: SaysBoth):
    folder = fleet.save(a="0")
    assert "no saved plan b.tfbundle" in told("controls", "--all", "--plan", "plans", exits=7)[1]
    assert fleet.calls == []
    fleet.save(b="0")
    fleet.set("b", controls=1)
    told("controls", "--all", "--plan", "plans/", "--framework", "fsbp", exits=1)
    assert logged(fleet, "a", "controls").endswith(f"--framework fsbp --plan {folder}/a.tfbundle")
    assert "began with --framework fsbp" in told("controls", "--failed", "--framework", "cis-7.0", exits=64)[1]
    fleet.set("b")
    out, _ = told("controls", "--failed")
    assert "Controls of 2 environments" in out
    assert fleet.calls[-1] == "controls b 0"
    (log,) = fleet.root.glob(".toolkit/fleet/*/b.log")
    assert log.read_text().count(f"--framework fsbp --plan {folder}/b.tfbundle") == 2


@pytest.mark.parametrize(
    "arguments",
    [
        ["audit", "--all", "--fix"],
        ["audit", "--all", "--account-id", "123456789012"],
        ["audit", "--all", "--explain", "iam_root_mfa_enabled"],
        ["audit", "--all", "--format", "markdown"],
        ["audit", "--all", "--baseline", "x.json"],
        ["discover", "--all", "--diff", "a", "b"],
        ["discover", "--all", "--out", "s.json"],
    ],
)
def test_what_is_for_one_account_is_refused(fleet: World, told: SaysBoth, arguments: list[str]):
    told(*arguments, exits=64)
    assert fleet.calls == []


# The board.


def drawn(board: Board, *, width: int = 80, height: int = 20) -> list[str]:
    stream = io.StringIO()
    Console(file=stream, width=width).print(board.table(height))
    return [line.rstrip() for line in stream.getvalue().splitlines()]


def job(name: str, phase: str = "planning") -> Job:
    return Job(name, "plan", (), 0, phase, "plan")


def test_the_board_shows_phase_progress_and_time():
    board = Board()
    for name, event in (("a", {"stage": "Planning a"}), ("b", {"done": 3, "steps": 9}), ("c", {"read": 5})):
        board.began(job(name))
        board.event(job(name), event)
    board.ended(job("c"), Outcome("c", "plan", 0, {}, None, 1.0))
    board.ended(job("d"), Outcome("d", "plan", 1, None, {"message": "x"}, 1.0))
    assert [" ".join(line.split()) for line in drawn(board)] == [
        "ENVIRONMENT PHASE PROGRESS ELAPSED",
        "a planning Planning a 0:00",
        "b planning 3 of 9 done 0:00",
        "2 running, 1 done, 1 failed 0:00",
    ]


def test_the_board_fits_into_the_terminal():
    board = Board()
    for number in range(50):
        board.began(job(f"environment-with-a-long-name-{number}"))
        board.event(job(f"environment-with-a-long-name-{number}"), {"progress": "x" * 200})
    lines = drawn(board, width=50, height=12)
    assert len(lines) <= 12
    assert max(map(len, lines)) <= 50
    assert "50 running (42 not shown)" in " ".join(lines[-1].split()) or "50 running" in lines[-1]


def test_the_board_shows_no_escape_sequence_of_others():
    board = Board()
    board.began(job("a"))
    board.event(job("a"), {"progress": "\x1b[2J\r\nevil [red]x[/red]"})
    text = "\n".join(drawn(board, width=100))
    assert "\x1b" not in text and "\r" not in text
    assert "\\x1b[2J\\r\\nevil [red]x[/red]" in text
