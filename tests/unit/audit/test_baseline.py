"""An audit compared with an earlier report: new, fixed and unchanged by ids, and nothing of what was not read."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from datetime import date, datetime
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from toolkit.audit.baseline import Baseline, Change, read_baseline
from toolkit.audit.model import Outcome, Result
from toolkit.audit.registry import checks
from toolkit.audit.report import Audit
from toolkit.errors import ExitCode, RefusedError, ToolkitError
from toolkit.findings import Severity, Status, Waiver
from toolkit.findings.rules import UNCOVERED
from toolkit.reports.audit import audit_data, audit_lines, audit_markdown
from toolkit.resources.reading import Live

from .conftest import HOME, NOW

ONCE, REGIONAL = "iam_rotate_access_key_90_days", "guardduty_is_enabled"
ALL_REGIONS = "cloudtrail_multi_region_enabled"
"""A check of the whole account that looks at every region."""
OTHER = "eu-west-1"


def user(name: str) -> Live:
    return Live({"user": name}, {}, f"the user {name!r}", None, arn=f"arn:aws:iam::123456789012:user/{name}")


def said(
    check: str, *outcomes: tuple[Status, Live | None] | Outcome, region: str = HOME, evidence: str = "example"
) -> Result:
    made = [one if isinstance(one, Outcome) else Outcome(one[0], evidence, one[1]) for one in outcomes]
    return Result(checks()[check], region, tuple(made), ())


def audit(*results: Result, taken: datetime = NOW, regions: tuple[str, ...] = (HOME,), **fields: Any) -> Audit:
    return Audit(
        account_id="123456789012",
        caller="arn:aws:iam::123456789012:user/audit",
        environment=None,
        simulated=False,
        taken=taken,
        home=HOME,
        regions=regions,
        off=(),
        frameworks=(),
        results=results,
        waivers=fields.pop("waivers", ()),
        calls=1,
        max_calls=100,
        **fields,
    )


@pytest.fixture
def written(tmp_path: Path) -> Callable[[Audit], Baseline]:
    """A report as a file, read back."""

    def write(found: Audit) -> Baseline:
        file = tmp_path / "audit.json"
        file.write_text(json.dumps(audit_data(found)), "utf-8")
        return read_baseline(file)

    return write


def changes(then: Audit, now: Audit, written: Callable[[Audit], Baseline]) -> dict[Change, int]:
    comparison = replace(now, baseline=written(then)).comparison
    assert comparison is not None
    return {one: n for one in Change if (n := comparison.count(one))}


A, B = user("a"), user("b")


def with_facts(evidence: str, *facts: str) -> Outcome:
    return Outcome(Status.FAIL, evidence, A, facts=facts)


WAIVER = Waiver(UNCOVERED, "cis-5.0:1.13", "example", date(2026, 12, 24))


@pytest.mark.parametrize(
    ("then", "now", "expected"),
    [
        (said(ONCE, (Status.FAIL, A)), said(ONCE, (Status.FAIL, A)), Change.UNCHANGED),
        (said(ONCE, (Status.FAIL, A), evidence="1"), said(ONCE, (Status.FAIL, A), evidence="2"), Change.NEW),
        (said(ONCE, with_facts("1", "a")), said(ONCE, with_facts("2", "a")), Change.UNCHANGED),
        (said(ONCE, with_facts("1", "a", "b")), said(ONCE, with_facts("2", "b")), Change.UNCHANGED),
        (said(ONCE, with_facts("1", "a")), said(ONCE, with_facts("1", "a", "b")), Change.NEW),
        (said(ONCE, (Status.PASS, None)), said(ONCE, (Status.FAIL, A)), Change.NEW),
        (said(ONCE, (Status.PASS, A)), said(ONCE, (Status.FAIL, A)), Change.NEW),
        (said(ONCE, (Status.NOT_APPLICABLE, None)), said(ONCE, (Status.FAIL, A)), Change.NEW),
        (said(ONCE, (Status.UNKNOWN, None)), said(ONCE, (Status.FAIL, A)), Change.UNKNOWN),
        (said(ONCE, (Status.UNKNOWN, A)), said(ONCE, (Status.FAIL, A)), Change.UNKNOWN),
        (said(REGIONAL, (Status.PASS, None)), said(ONCE, (Status.FAIL, A)), Change.NOT_COMPARED),
        (said(ONCE, (Status.FAIL, A)), said(ONCE, (Status.PASS, None)), Change.FIXED),
        (said(ONCE, (Status.FAIL, A)), said(ONCE, (Status.PASS, A)), Change.FIXED),
        (said(ONCE, (Status.FAIL, A)), said(ONCE, (Status.NOT_APPLICABLE, None)), Change.FIXED),
        (said(ONCE, (Status.FAIL, A)), said(ONCE, (Status.UNKNOWN, None)), Change.UNKNOWN),
        (said(ONCE, (Status.FAIL, A)), said(ONCE, (Status.UNKNOWN, A)), Change.UNKNOWN),
        (said(ONCE, (Status.FAIL, A)), said(ONCE, (Status.PASS, A), (Status.UNKNOWN, None)), Change.FIXED),
        (said(ONCE, (Status.FAIL, A)), said(REGIONAL, (Status.PASS, None)), Change.NOT_COMPARED),
    ],
)  # fmt: skip
def test_what_becomes_of_one_finding(
    then: Result, now: Result, expected: Change, written: Callable[[Audit], Baseline]
) -> None:
    assert changes(audit(then), audit(now), written) == {expected: 1}


def test_findings_of_one_resource_are_counted(written: Callable[[Audit], Baseline]) -> None:
    """Two old keys of one user where there was one: one of them is new, the one that says something else."""
    one, other = Outcome(Status.FAIL, "key 1", A), Outcome(Status.FAIL, "key 2", A)
    now = replace(audit(said(ONCE, one, other)), baseline=written(audit(said(ONCE, other))))
    assert {f.evidence: change for f, change in now.changes} == {"key 1": Change.NEW, "key 2": Change.UNCHANGED}
    assert changes(audit(said(ONCE, one, other)), audit(said(ONCE, other)), written) == {
        Change.UNCHANGED: 1,
        Change.FIXED: 1,
    }


def test_what_is_worse_than_it_was_is_new(written: Callable[[Audit], Baseline]) -> None:
    mild, bad = (Outcome(Status.FAIL, "example", A, severity) for severity in (Severity.NOTE, Severity.CRITICAL))
    assert changes(audit(said(ONCE, mild)), audit(said(ONCE, bad)), written) == {Change.NEW: 1}
    assert changes(audit(said(ONCE, bad)), audit(said(ONCE, mild)), written) == {Change.UNCHANGED: 1}


def test_a_waiver_that_ended_makes_it_new_and_one_that_began_is_no_fix(written: Callable[[Audit], Baseline]) -> None:
    bare = audit(said(ONCE, (Status.FAIL, A)))
    waived = replace(bare, waivers=(WAIVER,))
    assert changes(waived, bare, written) == {Change.NEW: 1}
    assert changes(bare, waived, written) == {Change.WAIVED: 1}
    assert changes(waived, waived, written) == {}


def test_a_check_of_a_region_is_compared_where_both_audits_looked(written: Callable[[Audit], Baseline]) -> None:
    here, there = (said(REGIONAL, (Status.FAIL, None), region=region) for region in (HOME, OTHER))
    both = audit(here, there, regions=(HOME, OTHER))
    assert changes(audit(here), both, written) == {Change.UNCHANGED: 1, Change.NOT_COMPARED: 1}
    assert changes(both, audit(here), written) == {Change.UNCHANGED: 1, Change.NOT_COMPARED: 1}
    unread = said(REGIONAL, (Status.UNKNOWN, None), region=OTHER)
    assert changes(both, audit(here, unread, regions=(HOME, OTHER)), written) == {
        Change.UNCHANGED: 1,
        Change.UNKNOWN: 1,
    }


def test_a_check_of_all_regions_is_compared_between_audits_of_the_same_ones(
    written: Callable[[Audit], Baseline],
) -> None:
    failed, passed = (said(ALL_REGIONS, (status, None)) for status in (Status.FAIL, Status.PASS))
    assert changes(audit(failed), audit(passed, regions=(HOME, OTHER)), written) == {Change.NOT_COMPARED: 1}
    several = audit(failed, regions=(OTHER, HOME))
    assert changes(several, audit(passed, regions=(HOME, OTHER)), written) == {Change.FIXED: 1}
    # Keys of users are the same whatever the regions are.
    assert changes(
        audit(said(ONCE, (Status.FAIL, A))), audit(said(ONCE, (Status.PASS, None)), regions=(HOME, OTHER)), written
    ) == {Change.FIXED: 1}


def test_only_what_the_baseline_does_not_have_counts(written: Callable[[Audit], Baseline]) -> None:
    then = audit(said(ONCE, (Status.FAIL, A)), said(REGIONAL, (Status.UNKNOWN, None)))
    now = audit(said(ONCE, (Status.FAIL, A), (Status.FAIL, B)), said(REGIONAL, (Status.FAIL, None)))
    assert len(now.failed(Severity.NOTE)) == 3
    counted = replace(now, baseline=written(then)).failed(Severity.NOTE)
    assert {f.resource.arn for f in counted} == {B.arn, None}
    assert replace(then, baseline=written(then)).failed(Severity.NOTE) == ()
    # What is unknown still is.
    assert len(replace(then, baseline=written(then)).unknown(Severity.NOTE)) == 1


STATUSES = st.sampled_from(Status)
WHO = st.sampled_from([None, A, B])
SAID = st.lists(st.tuples(STATUSES, WHO), min_size=1, max_size=4)


@given(then=SAID, now=SAID)
def test_nothing_is_called_new_or_fixed_that_was_not_read(
    tmp_path_factory: pytest.TempPathFactory,
    then: list[tuple[Status, Live | None]],
    now: list[tuple[Status, Live | None]],
) -> None:
    """Of any two audits: each open finding is counted once, and nothing unread decides."""
    file = tmp_path_factory.mktemp("reports") / "audit.json"
    earlier, later = audit(said(ONCE, *then)), audit(said(ONCE, *now))
    file.write_text(json.dumps(audit_data(earlier)), "utf-8")
    comparison = replace(later, baseline=read_baseline(file)).comparison
    assert comparison is not None
    fails_then, fails_now = ([who for status, who in one if status is Status.FAIL] for one in (then, now))
    assert sum(change is not None for change in comparison.now) == len(fails_now)
    unchanged = comparison.count(Change.UNCHANGED)
    assert len(comparison.before) == len(fails_then) - unchanged
    if any(status is Status.UNKNOWN for status, _ in then):
        assert Change.NEW not in comparison.now
    if all(status in (Status.UNKNOWN, Status.FAIL) for status, _ in now) and any(s is Status.UNKNOWN for s, _ in now):
        # A resource that fails fewer times than before was looked at.
        looked_at = {who.arn if who else None for status, who in now if status is Status.FAIL}
        fixed = [one for one, change in comparison.before if change is Change.FIXED]
        assert all(any(str(arn) in one.id or arn is None for arn in looked_at) for one in fixed)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "is not a report of an audit: not JSON"),
        (b"# Audit of account", "is not a report of an audit: not JSON"),
        (b"\xff\xfe", "is not a report of an audit: not JSON"),
        (b"[" * 100_000, "is not a report of an audit: not JSON"),
        (b"[]", "is not a report of an audit"),
        (b"{}", "kind is missing"),
        (b'{"kind": "plan", "schema_version": 1}', "is a document of kind 'plan', not of an audit"),
        (b'{"kind": "audit", "schema_version": 2}', "a report of schema version 2; this toolkit reads 1"),
        (b'{"kind": "audit", "schema_version": 1}', "is not a whole report of an audit: account_id is missing"),
    ],
)
def test_another_file_is_refused_in_one_line(tmp_path: Path, content: bytes, message: str) -> None:
    file = tmp_path / "audit.json"
    file.write_bytes(content)
    with pytest.raises(ToolkitError) as refused:
        read_baseline(file)
    assert message in str(refused.value)
    assert refused.value.where == str(file)
    assert "\n" not in str(refused.value)
    assert refused.value.exit_code is ExitCode.ERROR


@pytest.mark.parametrize(
    "gone", ["account_id", "simulator", "taken", "regions", "checks", "findings", "id", "facts", "status"]
)
def test_a_report_without_a_key_is_refused(tmp_path: Path, gone: str) -> None:
    """Reports of the first version had no ids."""
    data: dict[str, Any] = dict(audit_data(audit(said(ONCE, (Status.FAIL, A)))))
    holder = data if gone in data else data["findings"][0]
    del holder[gone]
    file = tmp_path / "audit.json"
    file.write_text(json.dumps(data), "utf-8")
    with pytest.raises(ToolkitError, match=f"not a whole report of an audit: .*{gone}"):
        read_baseline(file)


def test_a_file_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(ToolkitError, match="the baseline cannot be read: No such file"):
        read_baseline(tmp_path / "none.json")


def test_another_account_is_refused(written: Callable[[Audit], Baseline]) -> None:
    baseline = written(audit(said(ONCE, (Status.FAIL, A))))
    baseline.require_same(Path("audit.json"), "123456789012", simulated=False)
    for account, simulated, words in (
        ("111122223333", False, "the audit is of account 111122223333$"),
        ("123456789012", True, "the audit is of account 123456789012 on the embedded AWS$"),
    ):
        with pytest.raises(RefusedError, match=words) as refused:
            baseline.require_same(Path("audit.json"), account, simulated=simulated)
        assert refused.value.exit_code is ExitCode.REFUSED


def test_it_is_shown(written: Callable[[Audit], Baseline], json_shape: Callable[[str], Any]) -> None:
    then = audit(said(ONCE, (Status.FAIL, A)), said(REGIONAL, (Status.FAIL, None)))
    now = audit(said(ONCE, (Status.FAIL, A), (Status.FAIL, B)), said(REGIONAL, (Status.PASS, None)))
    found = replace(now, baseline=written(then))
    text = "\n".join(line for line, _ in audit_lines(found, verbose=False))
    assert "Since the baseline of 2026-11-29 12:00 UTC: 1 new; 1 fixed; 1 unchanged." in text
    assert text.index("Fixed since") < text.index("Failed, and new since")
    assert "in the baseline of" not in text, "what is unchanged is listed with -v"
    assert "and in the baseline of" in "\n".join(line for line, _ in audit_lines(found, verbose=True))
    markdown = audit_markdown(found)
    assert "| new | medium | iam" in markdown
    assert "| fixed | high | guardduty" in markdown
    data = json_shape(json.dumps(audit_data(found)))
    assert data["baseline"]["changes"] == {
        "new": 1, "unchanged": 1, "fixed": 1, "waived": 0, "unknown": 0, "not-compared": 0,
    }  # fmt: skip
    assert [one["change"] for one in data["findings"] if one["status"] == "fail"].count("new") == 1
    assert [one["id"] for one in data["baseline"]["findings"]] == [f"{REGIONAL}/{HOME}"]


def test_ids_name_what_they_are_about() -> None:
    keyed = Live({"name": "x", "region": "y"}, {}, "it", None, type="aws_a")
    ids = [
        finding.id
        for result in (
            said(ONCE, (Status.FAIL, A)),
            said(ONCE, (Status.FAIL, None)),
            said(REGIONAL, (Status.FAIL, keyed)),
            said(REGIONAL, (Status.FAIL, replace(keyed, key={}))),
        )
        for finding in result.findings("123456789012")
    ]
    assert ids == [
        f"{ONCE}/account/{A.arn}",
        f"{ONCE}/account",
        f"{REGIONAL}/{HOME}/aws_a[name=x,region=y]",
        f"{REGIONAL}/{HOME}/aws_a[it]",
    ]
