"""Coverage of requirements, on recorded real plans (tests/plans/components) and on what is changed in them."""

from __future__ import annotations

import copy
import json
from collections.abc import Iterable
from datetime import date, timedelta
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from toolkit.components.registry import REGISTRY
from toolkit.controls.catalogue import Framework, claims, frameworks, requirements
from toolkit.controls.coverage import Attested, Coverage, Status, Verdict, coverage, idle
from toolkit.findings import Status as FindingStatus
from toolkit.findings import Waiver
from toolkit.findings.rules import UNCOVERED
from toolkit.plan.model import Attribution, Resource, parse_outcome

PLANS = Path(__file__).parents[2] / "plans" / "components"
ATTRIBUTION = Attribution(tuple(REGISTRY), ("eu-central-1", "us-east-1"), "eu-central-1")
TODAY = date(2026, 11, 24)
ALL = {framework.name: framework for framework in frameworks()}


@cache
def planned(name: str) -> Any:
    return json.loads((PLANS / f"{name}.json").read_text("utf-8"))


def resources(*names: str) -> list[Resource]:
    return [r for name in names for r in parse_outcome(planned(name), ATTRIBUTION)]


def waivers(subjects: tuple[str, ...], expires: str) -> list[Waiver]:
    reason = "Nobody has a hardware key yet."
    return [Waiver(UNCOVERED, subject, reason, date.fromisoformat(expires)) for subject in subjects]


def cover(
    found: Iterable[Resource], framework: str = "cis-5.0", waivers: Iterable[Waiver] = (), **more: Any
) -> Coverage:
    return coverage([ALL[framework]], found, tuple(REGISTRY), list(waivers), TODAY, **more)


def verdict(found: Coverage, requirement: str) -> Verdict:
    (only,) = [v for v in found.verdicts if v.requirement == requirement]
    return only


def changed(name: str, address: str, **values: Any) -> list[Resource]:
    data = copy.deepcopy(planned(name))
    (entry,) = [e for e in data["resource_changes"] if e["address"] == address]
    entry["change"]["after"].update(values)
    return list(parse_outcome(data, ATTRIBUTION))


def without(name: str, address: str) -> list[Resource]:
    return [r for r in resources(name) if not r.address.startswith(address)]


def test_everything_that_is_claimed_is_proven_by_the_plan_of_everything():
    found = cover(resources(*(file.stem for file in sorted(PLANS.glob("*.json")))))
    able = {claim.topic for name in REGISTRY for claim in claims(name)}
    missing = {
        v.requirement: v.why for v in found.verdicts if v.status is not Status.PROVISIONED and set(v.topics) <= able
    }
    assert missing == {}
    assert found.count("cis-5.0", Status.PROVISIONED) > 25


def test_an_empty_account_is_covered_by_nothing():
    for name in ("cis-3.0", "cis-5.0", "cis-7.0", "fsbp"):
        found = cover([], name)
        assert found.count(name, Status.PROVISIONED) == 0
        assert found.count(name, Status.UNCOVERED) > 10
        assert [v.requirement for v in found.verdicts] == [r for r, _ in requirements(ALL[name])]


def test_root_is_somebody_s_to_look_at():
    only = verdict(cover(resources("core")), "1.4")
    assert (only.status, only.why) == (Status.AUDIT_ONLY, "look at the account: iam_root_mfa_enabled")
    assert only.titles == ("Root has an MFA device.",)
    checked = verdict(cover(resources("core"), checked={"iam_root_mfa_enabled"}), "1.4")
    assert (checked.status, checked.why) == (Status.AUDIT_ONLY, "`toolkit audit` checks it: iam_root_mfa_enabled")


def test_reasons_that_are_alike_are_given_once():
    only = verdict(cover([], checked={"iam_user_accesskey_unused", "iam_user_console_access_unused"}), "1.11")
    assert only.why == "`toolkit audit` checks it: iam_user_accesskey_unused, iam_user_console_access_unused"


WORKLOADS = "organizations_management_account_without_workloads"


@pytest.mark.parametrize(
    ("attested", "status", "why"),
    [
        ({}, Status.AUDIT_ONLY, f"attest it in environment.yaml: {WORKLOADS}"),
        ({WORKLOADS: Attested("alice", TODAY)}, Status.ATTESTED, f"by alice until {TODAY}"),
        ({WORKLOADS: Attested("alice", TODAY - timedelta(days=1))}, Status.UNCOVERED, "attestation by alice ended on"),
        # What AWS or a plan can tell is not for a person to say.
        (
            {"iam_root_mfa_enabled": Attested("alice", TODAY)},
            Status.AUDIT_ONLY,
            f"attest it in environment.yaml: {WORKLOADS}",
        ),
    ],
)
def test_what_only_a_person_can_tell(attested: dict[str, Attested], status: Status, why: str):
    found = cover(resources("core"), "cis-7.0", attested=attested)
    assert verdict(found, "2.1.3").status is status
    assert why in verdict(found, "2.1.3").why
    assert verdict(found, "2.5").status is Status.AUDIT_ONLY


def test_a_weaker_value_is_not_covered_and_named():
    weak = changed("core", "module.password_policy.aws_iam_account_password_policy.this", minimum_password_length=8)
    only = verdict(cover(weak), "1.7")
    assert only.status is Status.UNCOVERED
    assert only.why.endswith("aws_iam_account_password_policy.this minimum_password_length is 8, expected at least 14")


def test_one_region_without_is_not_covered():
    one = without("core", "module.guardduty_us_east_1.aws_guardduty_detector.")
    only = verdict(cover(one, "fsbp"), "GuardDuty.1")
    assert (only.status, only.why) == (
        Status.UNCOVERED,
        "no aws_guardduty_detector.this in module.guardduty_us_east_1",
    )
    assert verdict(cover(resources("core"), "fsbp"), "GuardDuty.1").status is Status.PROVISIONED


def test_each_component_that_has_a_say_must_meet_it():
    """Every key of ours must rotate: the trail's and the topic's."""
    both = [*resources("core"), *resources("alarms")]
    assert verdict(cover(both), "3.6").why == "cloudtrail, activity_alarms"
    weak = [
        *resources("core"),
        *changed("alarms", "module.activity_alarms.module.alerts.aws_kms_key.topic", enable_key_rotation=False),
    ]
    assert verdict(cover(weak), "3.6").status is Status.UNCOVERED


def test_a_component_that_is_off_is_named():
    only = verdict(cover(resources("core")), "4.3")
    assert (only.status, only.why) == (Status.UNCOVERED, "the component activity_alarms is off")


def test_an_alarm_that_waits_for_too_much_proves_nothing():
    late = changed("alarms", 'module.activity_alarms.aws_cloudwatch_metric_alarm.monitor["root_use"]', threshold=1000)
    only = verdict(cover([*resources("core"), *late]), "4.3")
    assert only.status is Status.UNCOVERED
    assert only.why.endswith("threshold is 1000, expected at most 1")


def test_a_monitor_that_is_off_is_not_covered_by_the_others():
    less = without("alarms", 'module.activity_alarms.aws_cloudwatch_metric_alarm.monitor["root_use"]')
    found = cover(less)
    assert verdict(found, "4.3").status is Status.UNCOVERED
    assert "activity_alarms.monitors.root_use.enabled" in verdict(found, "4.3").why
    assert verdict(found, "4.4").status is Status.PROVISIONED


def test_a_value_that_is_not_known_yet_proves_nothing():
    data = copy.deepcopy(planned("core"))
    for entry in data["resource_changes"]:
        if entry["type"] == "aws_iam_account_password_policy":
            del entry["change"]["after"]["minimum_password_length"]
            entry["change"]["after_unknown"]["minimum_password_length"] = True
    only = verdict(cover(parse_outcome(data, ATTRIBUTION)), "1.7")
    assert only.status is Status.UNCOVERED
    assert "is (known after apply)" in only.why


def test_what_is_deleted_covers_nothing_and_what_is_left_alone_does():
    data = copy.deepcopy(planned("core"))
    for entry in data["resource_changes"]:
        change = entry["change"]
        change["before"], change["actions"] = change["after"], ["no-op"]
    assert cover(parse_outcome(data, ATTRIBUTION)).verdicts == cover(resources("core")).verdicts
    for entry in data["resource_changes"]:
        entry["change"].update(actions=["delete"], after=None)
    assert parse_outcome(data, ATTRIBUTION) == ()


@pytest.mark.parametrize(
    ("given", "status"),
    [
        (waivers(("cis-5.0:1.5",), "2026-11-24"), Status.WAIVED),
        (waivers(("cis-7.0:2.6",), "2026-11-24"), Status.WAIVED),
        (waivers(("cis-5.0:1.*",), "2027-01-31"), Status.WAIVED),
        (waivers(("fsbp:KMS.4", "cis-5.0:1.5"), "2027-01-31"), Status.WAIVED),
        (waivers(("cis-5.0:1.5",), "2026-11-23"), Status.AUDIT_ONLY),
        (waivers(("cis-3.0:1.5",), "2027-01-31"), Status.AUDIT_ONLY),
    ],
    ids=["on its last day", "by another id", "by a pattern", "among others", "a day later", "of another topic"],
)
def test_waivers(given: list[Waiver], status: Status):
    only = verdict(cover(resources("core"), waivers=given), "1.5")
    assert only.status is status
    if status is Status.WAIVED:
        by = " (as cis-7.0:2.6)" if given[0].subject == "cis-7.0:2.6" else ""
        assert only.why == f"until {given[0].expires}: {given[0].reason}{by}"


def test_a_waiver_of_another_framework_waives_the_topics_that_both_have():
    """1.11 is about keys and passwords; NIST's AC-2(3) is about both, FSBP's IAM.8 about neither by itself."""
    topics = dict(requirements(ALL["cis-5.0"]))["1.11"]
    assert len(topics) == 2
    common = set.intersection(
        *({f"{f}:{one}" for f, ids in topic.requirements.items() if f != "cis-5.0" for one in ids} for topic in topics)
    )
    for subject in common:
        assert verdict(cover([], waivers=waivers((subject,), "2027-01-31")), "1.11").status is Status.WAIVED
    for topic in topics:
        one_side = {f"{f}:{one}" for f, ids in topic.requirements.items() if f != "cis-5.0" for one in ids} - common
        for subject in one_side:
            assert verdict(cover([], waivers=waivers((subject,), "2027-01-31")), "1.11").status is Status.AUDIT_ONLY


def test_every_verdict_is_a_finding_and_only_what_is_proven_passes():
    attested = {WORKLOADS: Attested("alice", TODAY)}
    found = cover(resources("core"), "cis-7.0", waivers(("cis-7.0:2.6",), "2027-01-31"), attested=attested)
    statuses = {
        Status.PROVISIONED: (FindingStatus.PASS, False),
        Status.ATTESTED: (FindingStatus.ATTESTED, False),
        Status.AUDIT_ONLY: (FindingStatus.UNKNOWN, True),
        Status.WAIVED: (FindingStatus.FAIL, False),
        Status.UNCOVERED: (FindingStatus.FAIL, True),
    }
    assert {v.status for v in found.verdicts} == set(Status)
    for one in found.verdicts:
        finding = one.finding("123456789012", "eu-central-1")
        assert (finding.status, finding.blocks) == statuses[one.status]
        assert finding.rule is UNCOVERED
        assert finding.evidence == one.why
        # What a waiver of the environment file names.
        assert finding.subject == f"cis-7.0:{one.requirement}" == finding.controls[0]
    waived = verdict(found, "2.6").finding("123456789012", "eu-central-1")
    assert waived.consented_by == "waiver until 2027-01-31: Nobody has a hardware key yet."
    assert "pci-4.0" in {control.partition(":")[0] for control in waived.controls}


def test_nothing_that_is_provisioned_is_called_waived():
    found = cover(resources("core"), waivers=waivers(("cis-5.0:*",), "2027-01-31"))
    assert verdict(found, "1.8").status is Status.PROVISIONED


def test_a_requirement_of_several_topics_is_as_the_worst_of_them():
    found = cover(resources("account"))
    only = verdict(found, "2.1.4")
    assert only.status is Status.AUDIT_ONLY
    assert only.why.startswith("1 of 2 topics provisioned; look at the account: s3_bucket_level_public_access_block")


def test_related_requirements_of_other_frameworks_are_named():
    only = verdict(cover([]), "3.1")
    assert only.related["fsbp"] == ("CloudTrail.1",)
    assert {"nist-800-53-r5", "pci-4.0", "soc2"} <= set(only.related)
    assert "cis-5.0" not in only.related


def test_frameworks_have_names_for_options():
    assert {"cis-3.0", "cis-5.0", "cis-7.0", "fsbp"} <= set(ALL)
    assert all(isinstance(f, Framework) and f.title for f in frameworks())


def test_a_waiver_of_no_requirement_is_told():
    given = waivers(("cis-5.0:1.5", "cis-5:1.5", "fsbp:IAM.*", "x:y"), "2027-01-01")
    assert idle(given) == ("cis-5:1.5", "x:y")
