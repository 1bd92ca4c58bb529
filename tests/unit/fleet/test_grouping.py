"""Outcomes → summary: every environment once, every change kept, what is alike together, what is odd apart."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Iterable
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from toolkit.fleet.grouping import summarize
from toolkit.fleet.outcome import Outcome
from toolkit.fleet.summary import Danger, Group, Item, Kind, Outlier, Summary
from toolkit.reports.fleet_json import summary_data

from .made import account, attribute, change, failed, finding, odd_fleet, plan, planned, usual

REGIONS = ("eu-central-1", "eu-west-1", "us-east-1")
DETECTOR = "module.guardduty_{}.aws_guardduty_detector.this"


def fleet(*sets: tuple[int, list[Any]]) -> list[Outcome]:
    """Environments with the given sets of changes, each so many times."""
    wanted = [changes for times, changes in sets for _ in range(times)]
    return [planned(plan(f"acct-{n}", n, *changes)) for n, changes in enumerate(wanted)]


def names(part: Danger | Outlier | Group) -> list[str]:
    return [member.environment for member in part.members]


def subjects(items: Iterable[Item]) -> list[str]:
    return [item.entry.subject for item in items]


def test_the_same_changes_in_accounts_with_other_names_and_homes_are_one_group() -> None:
    outcomes = []
    for number in range(9):
        name, home = f"team-{number}", REGIONS[number % 3]
        others = tuple(region for region in REGIONS if region != home)
        outcomes.append(planned(plan(name, number, *usual(name, number, home, others), home=home)))
    summary = summarize(outcomes)
    (group,) = summary.groups
    assert names(group) == [f"team-{number}" for number in range(9)]
    assert [(i.entry.subject, i.entry.word, i.count, i.where) for i in group.items] == [
        ("module.password_policy.aws_iam_account_password_policy.this", "update", 1, "the home region"),
        ("module.guardduty_«region».aws_guardduty_detector.this", "create", 3, "eu-central-1, eu-west-1, us-east-1"),
        ('module.siem_export.aws_s3_bucket.logs["«environment»-logs"]', "create", 1, "the home region"),
    ]
    values = [a.after for a in group.items[2].entry.attributes]
    assert values == ["«environment»-logs-«account»", {"Environment": "«environment»", "Home": "«region»"}]
    assert not summary.outliers and not summary.dangers and not summary.unchanged


def test_three_odd_ones_of_500_are_apart() -> None:
    summary = summarize(odd_fleet(500))
    (danger,), (extra, lacking), (group,) = summary.dangers, summary.outliers, summary.groups
    assert names(danger) == ["acct-125"]
    assert danger.code == "refused"
    assert danger.members[0].consents == (
        "--allow-weaker=acct-125:module.password_policy.aws_iam_account_password_policy.this.minimum_password_length",
    )
    assert danger.difference is not None
    ((here, there),) = danger.difference.other
    assert [a.after for item in (here, there) for a in item.entry.attributes] == [8, 24]
    # What deletes comes before what only lacks something; each is told with its own names.
    assert names(extra) == ["acct-250"]
    assert extra.difference is not None
    assert subjects(extra.difference.more) == ["module.cloudtrail_eu_central_1.aws_cloudtrail.this"]
    assert names(lacking) == ["acct-498"]
    assert lacking.difference is not None
    assert subjects(lacking.difference.less) == ['module.siem_export.aws_s3_bucket.logs["«environment»-logs"]']
    assert len(group.members) == 497
    assert group.near == 3


def test_an_environment_called_like_a_word_of_all_is_not_odd() -> None:
    contact = 'module.account_contacts.aws_account_alternate_contact.this["security"]'
    outcomes = [planned(plan(name, n, change(contact))) for n, name in enumerate(("security", "audit", "prod", "dev"))]
    (group,) = summarize(outcomes).groups
    assert len(group.members) == 4
    assert subjects(group.items) == [contact]


def test_a_component_called_like_an_environment_stays_what_it_is() -> None:
    detector = DETECTOR.format("eu_central_1")
    outcomes = [planned(plan(name, n, change(detector))) for n, name in enumerate(("guardduty", "prod"))]
    (group,) = summarize(outcomes).groups
    assert subjects(group.items) == ["module.guardduty_«region».aws_guardduty_detector.this"]


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("«environment»", "acct-0"),
        ("«region»", "eu-central-1"),
        ("««region»»", "«eu-central-1»"),
        ("«account»", account(0)),
        ("a", "b"),
        (None, "null"),
        (1, "1"),
        (1, True),
        ([], {}),
        ("(known after apply)", ["(known after apply)"]),
        ("x_eu-central-1", "x_eu_central_1"),
    ],
)
def test_changes_that_differ_are_never_one(one: Any, other: Any) -> None:
    outcomes = [
        planned(plan(f"acct-{n}", n, change("aws_x.this", "update", "eu-central-1", attribute("a", "before", value))))
        for n, value in enumerate((other, one))
    ]
    summary = summarize(outcomes)
    assert not summary.groups
    assert [a.after for o in summary.outliers for i in o.items for a in i.entry.attributes] == [other, one]


def test_few_that_change_among_many_that_do_not_are_odd() -> None:
    summary = summarize(fleet((2, [change("aws_x.this")]), (1, [change("aws_y.this")]), (40, [])))
    assert [names(one) for one in summary.outliers] == [["acct-0", "acct-1"], ["acct-2"]]
    assert all(one.difference is not None and one.difference.group is None for one in summary.outliers)
    assert len(summary.unchanged) == 40
    assert not summary.groups


def test_what_most_have_in_common_is_a_group_where_each_has_more() -> None:
    common = [change("aws_x.this"), change("aws_y.this")]
    summary = summarize(fleet(*((1, [*common, change(f"aws_z.this[{n}]")]) for n in range(12))))
    (group,) = summary.groups
    assert names(group) == []
    assert group.near == 12
    assert subjects(group.items) == ["aws_x.this", "aws_y.this"]
    assert [subjects(one.difference.more) for one in summary.outliers if one.difference] == [
        [f"aws_z.this[{n}]"] for n in sorted(range(12), key=str)
    ]


def test_one_environment_is_a_group() -> None:
    (group,) = summarize(fleet((1, [change("aws_x.this")]))).groups
    assert names(group) == ["acct-0"]


def test_of_two_that_have_nothing_in_common_each_is_shown_whole() -> None:
    summary = summarize(fleet((1, [change("aws_x.this")]), (1, [change("aws_y.this")])))
    assert [(names(o), subjects(o.items), o.difference) for o in summary.outliers] == [
        (["acct-0"], ["aws_x.this"], None),
        (["acct-1"], ["aws_y.this"], None),
    ]


def test_several_large_groups_are_not_odd() -> None:
    summary = summarize(fleet((50, [change("aws_x.this")]), (50, [change("aws_y.this")]), (20, [change("aws_z.this")])))
    assert [len(group.members) for group in summary.groups] == [50, 50, 20]
    assert [group.number for group in summary.groups] == [1, 2, 3]
    assert not summary.outliers


def test_a_group_that_deletes_is_shown_before_a_larger_one() -> None:
    summary = summarize(fleet((50, [change("aws_x.this")]), (20, [change("aws_y.this", "delete")])))
    assert [(group.number, len(group.members)) for group in summary.groups] == [(1, 20), (2, 50)]


def test_dangers_are_in_the_order_in_which_they_matter() -> None:
    weak = finding("aws_x.this", "length")
    gone = finding("aws_y.this")
    outcomes = [
        failed("a-locked", "the state is locked by run 1b4e28ba-2fa1-11d2-883f-0016d3cca427", "locked", 6),
        failed("b-locked", "the state is locked by run 6fa459ea-ee8a-3ca4-894e-db77e160355e", "locked", 6),
        failed("failed", "Terraform failed"),
        failed("lost", "no credentials", "wrong-account", 5),
        Outcome("silent", "plan", -9, None, None, 3.0),
        planned(plan("weak", 1, change("aws_x.this", "update"), findings=[weak])),
        planned(plan("gone", 2, change("aws_y.this", "delete"), findings=[gone])),
        planned(plan("also-gone", 3, change("aws_y.this", "delete"), findings=[gone])),
        planned(plan("good", 4)),
    ]
    summary = summarize(outcomes, {"later": "wave 2 was not begun"})
    assert [(one.code, names(one)) for one in summary.dangers] == [
        ("refused", ["also-gone", "gone"]),
        ("refused", ["weak"]),
        ("error", ["failed"]),
        ("error", ["silent"]),
        ("wrong-account", ["lost"]),
        ("locked", ["a-locked", "b-locked"]),
    ]
    assert not summary.dangers[-1].is_alike
    assert dict(summary.not_run) == {"later": "wave 2 was not begun"}
    assert summary.total == 10
    assert summary.exit_code == 1


def test_consents_are_what_tells_an_environment_from_others() -> None:
    consented = finding("aws_x.this", "length", blocks=False, consented_by="--allow-weaker aws_x.this.length")
    outcomes = fleet((9, [change("aws_x.this", "update")]))
    outcomes.append(planned(plan("odd", 10, change("aws_x.this", "update"), findings=[consented])))
    (odd,) = summarize(outcomes).outliers
    assert odd.difference is not None
    assert [(i.entry.word, i.entry.subject) for i in odd.difference.more] == [("consented", "aws_x.this.length")]


def test_costs_are_of_all_environments() -> None:
    def line(usd: float | None) -> dict[str, Any]:
        return {"what": "KMS key", "count": 2, "monthly_usd": usd, "driver": "requests"}

    cost = [{"currency": "USD", "lines": [line(usd)]} for usd in (2.0, 0.1, None)]
    outcomes = [planned(plan(f"acct-{n}", n, change("aws_x.this"), cost=one)) for n, one in enumerate(cost)]
    (found,) = summarize(outcomes).costs
    assert (found.what, found.count, found.monthly_usd, found.driver) == ("KMS key", 6, 2.1, "requests")


def test_two_outcomes_of_an_environment_are_a_mistake() -> None:
    twice = fleet((1, []), (1, []))
    with pytest.raises(ValueError, match="acct-0"):
        summarize([twice[0], twice[0]])
    with pytest.raises(ValueError, match="acct-0"):
        summarize(twice, {"acct-0": "not begun"})


def test_no_environment() -> None:
    summary = summarize([])
    assert summary.total == 0
    assert summary.exit_code == 0


def drifted(name: str, number: int, *changes: Any, findings: Any = ()) -> Outcome:
    document = {
        "kind": "drift",
        "environment": name,
        "account_id": account(number),
        "changes": list(changes),
        "findings": list(findings),
    }
    return Outcome(name, "drift", 2 if changes else 0, document, None, 1.0)


def drift(address: str, *, gone: bool = False, weaker: bool = False) -> dict[str, Any]:
    return {
        **{"address": address, "type": "aws_x", "component": None, "region": "eu-central-1", "gone": gone},
        "attributes": [] if gone else [{"path": "a", "applied": 14, "now": 8}],
        "weaker": [{"attribute": "a", "rule": "weakens", "evidence": "14 → 8"}] if weaker else [],
    }


def test_drift_that_weakens_is_a_danger() -> None:
    weak = finding("aws_x.this", "a", rule="weakened-outside-terraform", consent=None)
    summary = summarize(
        [
            drifted("a", 1, drift("aws_x.this"), findings=[finding("aws_x.this", rule="changed-outside-terraform")]),
            drifted("b", 2, drift("aws_x.this"), findings=[finding("aws_x.this", rule="changed-outside-terraform")]),
            drifted("c", 3, drift("aws_x.this", weaker=True), findings=[weak]),
            drifted("d", 4),
        ]
    )
    assert [(one.code, names(one)) for one in summary.dangers] == [("weaker", ["c"])]
    assert [names(group) for group in summary.groups] == [["a", "b"]]
    assert summary.groups[0].items[0].entry.word == "differs"
    assert [member.environment for member in summary.unchanged] == ["d"]


def test_audits_are_grouped_by_the_checks_that_fail() -> None:
    checks = [{"id": "iam_root_mfa_enabled", "title": "MFA of root", "service": "iam"}]

    def audited(name: str, *found: dict[str, Any]) -> Outcome:
        document = {"kind": "audit", "account_id": account(1), "checks": checks, "findings": list(found)}
        return Outcome(name, "audit", 2 if found else 0, document, None, 1.0)

    fails = finding("x", rule="iam_root_mfa_enabled", severity="critical")
    unknown = finding("x", rule="iam_root_mfa_enabled", status="unknown")
    passed = finding("x", rule="iam_root_mfa_enabled", status="pass", blocks=False)
    summary = summarize(
        [audited("a", fails, unknown), audited("b", fails), audited("c", unknown), audited("d", passed)]
    )
    assert [(names(g), [(i.entry.word, i.entry.summary) for i in g.items]) for g in summary.groups] == [
        (["a", "b"], [("critical", "MFA of root")])
    ]
    assert [names(one) for one in summary.outliers] == [["c"]]
    assert [member.environment for member in summary.unchanged] == ["d"]
    assert not summary.dangers


def test_applies_are_grouped_by_what_was_done() -> None:
    def applied(name: str, *regions: str) -> Outcome:
        done = [{"address": DETECTOR.format(r.replace("-", "_")), "action": "create", "seconds": 1.0} for r in regions]
        return Outcome(name, "apply", 0, {"kind": "apply", "account_id": account(1), "completed": done}, None, 1.0)

    summary = summarize([applied("a", "eu-central-1"), applied("b", "us-gov-west-1"), applied("c")])
    (group,) = summary.groups
    assert names(group) == ["a", "b"]
    assert subjects(group.items) == [DETECTOR.format("«region»")]


def test_rendered_files_are_grouped() -> None:
    def rendered(name: str, *files: str) -> Outcome:
        made = [{"name": file, "action": "update"} for file in files]
        environments = [{"environment": name, "up_to_date": not files, "files": made}]
        return Outcome(name, "render", 3 if files else 0, {"kind": "render", "environments": environments}, None, 0.1)

    summary = summarize([rendered("a", "rendered/providers.tf"), rendered("b", "rendered/providers.tf"), rendered("c")])
    (group,) = summary.groups
    assert [i.entry.kind for i in group.items] == [Kind.FILE]
    assert not summary.dangers


# Any fleet

ADDRESSES = st.sampled_from(
    [
        *(DETECTOR.format(region.replace("-", "_")) for region in REGIONS),
        *('aws_x.this["acct-1"]', "aws_x.this", "aws_y.this", 'aws_z.this["«region»"]'),
    ]
)
VALUES = st.one_of(
    st.none(), st.sampled_from(["acct-1", "eu-west-1", account(1), "«account»", 14, ["acct-2"], {"a": 1}])
)
CHANGES = st.builds(
    lambda address, action, region, before, after: change(address, action, region, attribute("a", before, after)),
    ADDRESSES,
    st.sampled_from(["create", "update", "delete", "replace"]),
    st.sampled_from(REGIONS),
    VALUES,
    VALUES,
)


@st.composite
def outcomes(draw: st.DrawFn) -> list[Outcome]:
    """A few sets of changes in up to 40 environments, some of which are refused or failed."""
    sets = draw(st.lists(st.lists(CHANGES, max_size=4, unique_by=lambda c: c["address"]), min_size=1, max_size=4))
    made = []
    for number in range(draw(st.integers(0, 40))):
        changes = sets[draw(st.integers(0, len(sets) - 1))]
        match draw(st.sampled_from(["planned", "planned", "planned", "refused", "failed"])):
            case "planned":
                made.append(planned(plan(f"acct-{number}", number, *changes)))
            case "refused":
                found = [finding("aws_x.this", region=REGIONS[number % 3])]
                made.append(planned(plan(f"acct-{number}", number, *changes, findings=found)))
            case _:
                made.append(failed(f"acct-{number}", f"failed {number % 2}"))
    return made


def places(summary: Summary) -> list[str]:
    """Names of environments, each as often as the JSON report has it in a part."""
    data = summary_data(summary)
    listed = [name for part in ("dangers", "outliers", "groups") for one in data[part] for name in one["environments"]]
    return [*listed, *data["unchanged"], *(one["environment"] for one in data["not_run"])]


@settings(max_examples=60, deadline=None)
@given(outcomes(), st.dictionaries(st.sampled_from(["x", "y", "z"]), st.just("later")))
def test_no_environment_and_no_change_is_lost(made: list[Outcome], not_run: dict[str, str]) -> None:
    summary = summarize(iter(made), not_run)
    assert sorted(places(summary)) == sorted([*(one.environment for one in made), *not_run])
    data = summary_data(summary)
    assert sum(n for name, n in data["counts"].items() if name != "environments") == data["counts"]["environments"]
    assert [one["environment"] for one in data["environments"]] == sorted(one.environment for one in made)
    # In each environment as many changes of each kind and region as its plan has, and no other.
    told: dict[str, Counter[tuple[str, str]]] = {one.environment: Counter() for one in made}
    for part in ("dangers", "outliers", "groups"):
        for one in data[part]:
            for item in one["changes"]:
                for place in item["places"]:
                    having = one["environments"] if place["environments"] is None else place["environments"]
                    assert len(place["regions"]) == item["count"]
                    for name in set(having) & set(one["environments"]):
                        told[name].update(
                            (data["entries"][item["entry"]]["action"], region) for region in place["regions"]
                        )
    for one in made:
        changes = (one.document or {"changes": []})["changes"]
        assert told[one.environment] == Counter((c["action"], c["region"]) for c in changes)


@settings(max_examples=40, deadline=None)
@given(outcomes(), st.randoms(use_true_random=False))
def test_the_order_of_outcomes_changes_nothing(made: list[Outcome], by_chance: random.Random) -> None:
    mixed = list(made)
    by_chance.shuffle(mixed)
    assert summary_data(summarize(mixed)) == summary_data(summarize(made))
