"""Deletions, replacements and weakenings: for every protected type and every declared attribute.

The cases start from the JSON that real Terraform gave for environments with everything on (tests/plans/components,
recorded with tests/plans/trim.py from the bundle of a plan of the YAML beside each): what is changed in it is the
action and, for weakenings, the one value that the case is about. An attribute path that real plans do not have fails.
"""

from __future__ import annotations

import copy
import itertools
import json
import re
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from tests.provider5.record import types
from toolkit.addresses import label_of, value_at
from toolkit.components.base import Component, Protected
from toolkit.components.registry import REGISTRY
from toolkit.findings import Consents, Finding, Waiver
from toolkit.findings.rules import DESTROYS, RELEASES, WEAKENS
from toolkit.plan.entries import named
from toolkit.plan.guards import Existing, judge, judge_orphans
from toolkit.plan.model import Attribution, parse_plan
from toolkit.plan.owners import CARRIERS
from toolkit.resources.base import IDENTITY, ResourceType, Strength, Stronger
from toolkit.resources.registry import RESOURCES

RECORDED = Path(__file__).parents[2] / "plans" / "components"
ATTRIBUTION = Attribution(tuple(REGISTRY), ("eu-central-1", "us-east-1"), "eu-central-1")


def sorted_by_type(recorded: dict[str, Any]) -> dict[str, Any]:
    """The same with its entries by their type, under "by_type"."""
    by_type: dict[str, list[dict[str, Any]]] = {}
    for entry in recorded["resource_changes"]:
        by_type.setdefault(entry["type"], []).append(entry)
    return {**recorded, "by_type": by_type}


@pytest.fixture(scope="session")
def recorded() -> dict[str, Any]:
    plans = [json.loads(file.read_text("utf-8")) for file in sorted(RECORDED.glob("*.json"))]
    changes = [entry for plan in plans for entry in plan["resource_changes"]]
    return sorted_by_type({**plans[0], "resource_changes": changes})


def entries(recorded: dict[str, Any], component: Component | None, resource: str) -> list[dict[str, Any]]:
    """Recorded entries of a type, in one component or in all, as if they had been applied and are now left alone."""
    found = []
    for entry in recorded["by_type"].get(resource, ()):
        if component is None or ATTRIBUTION.of(entry["address"])[0] == component.name:
            copied = copy.deepcopy(entry)
            change = copied["change"]
            change["before"] = copy.deepcopy(change["after"])
            change["actions"] = ["no-op"]
            # What an apply made known: after it, nothing of the resource is unknown.
            change["before_sensitive"], change["after_sensitive"], change["after_unknown"] = {}, {}, {}
            found.append(copied)
    return found


def findings(
    *changed: dict[str, Any], existing: dict[str, Existing] | None = None, held: dict[str, str | None] | None = None
):
    plan = parse_plan({"format_version": "1.2", "resource_changes": list(changed)}, ATTRIBUTION)
    return list(judge(plan, REGISTRY, existing or {}, held or {}))


def protections() -> list[Any]:
    return [
        pytest.param(component, protected, id=f"{component.name}-{protected.resource}")
        for component in REGISTRY.values()
        for protected in component.protects
    ]


def never_consented(finding: Finding) -> None:
    """Whatever is consented to: what the plan forgets goes on in AWS, and nobody would know."""
    address, day = finding.address, date(2026, 1, 1)
    waived = [Waiver(DESTROYS, subject, "because of it", date(2027, 1, 1)) for subject in (address, "*")]
    assert finding.consent is None
    for destroy in ((), (address,), ("*",), ("module.*",), (f"{address[:12]}*",)):
        for weaker, lockout, waivers in itertools.product(((), ("*",)), (False, True), ((), tuple(waived))):
            (judged,) = Consents(destroy, weaker, lockout, waivers, ("*",)).apply([finding], day)
            assert judged.blocks


def is_released(entry: dict[str, Any]) -> None:
    """What the environment file releases needs a consent of its own; one to a deletion is none."""
    plan = parse_plan({"format_version": "1.2", "resource_changes": [entry]}, ATTRIBUTION)
    address, day = entry["address"], date(2026, 1, 1)
    label = str(label_of(address))
    (finding,) = judge(plan, REGISTRY, {}, {}, frozenset({label}))
    assert finding.rule is RELEASES
    assert finding.consent == f"--allow-release '{address}'"
    for wrong in (Consents(("*",), ("*",), True), Consents(release=(f"{address}x",))):
        assert wrong.apply([finding], day)[0].blocks
    waived = Waiver(RELEASES, address, "moves to another team", date(2027, 1, 1))
    for right in (Consents(release=(f"module.{label}.*",)), Consents(waivers=(waived,))):
        assert not right.apply([finding], day)[0].blocks
    assert [f.rule for f in judge(plan, REGISTRY, {}, {}, frozenset({f"{label}x"}))] == [DESTROYS]


@pytest.mark.parametrize(("component", "protected"), protections())
def test_what_protects_is_not_deleted_unasked(recorded: dict[str, Any], component: Component, protected: Protected):
    found = [e for e in entries(recorded, component, protected.resource) if protected.name in (None, e["name"])]
    if protected.denying:
        found = [e for e in found if '"Deny"' in e["change"]["before"][protected.denying]]
    assert found, f"no {protected.resource} in the recorded plan: is it still what the module makes?"
    every = (["delete", "create"], ["create", "delete"], ["delete"], ["forget"])
    for entry, actions in itertools.product(found, every):
        entry["change"]["actions"] = actions
        if actions in (["delete"], ["forget"]):
            entry["change"]["after"] = None
        (finding,) = [f for f in findings(entry) if f.rule is DESTROYS]
        assert (finding.address, finding.blocks) == (entry["address"], True), actions
        if actions == ["forget"]:
            never_consented(finding)
            is_released(entry)
            continue
        assert finding.consent == f"--allow-destroy '{entry['address']}'"
        (consented,) = Consents(destroy=(entry["address"],)).apply([finding], date(2026, 1, 1))
        assert not consented.blocks
        (other,) = Consents(destroy=(entry["address"] + "x",)).apply([finding], date(2026, 1, 1))
        assert other.blocks


def tainted(recorded: dict[str, Any], component: str, resource: str) -> dict[str, Any]:
    entry = entries(recorded, REGISTRY[component], resource)[0]
    entry["change"]["actions"] = ["delete", "create"]
    entry["action_reason"] = "replace_because_tainted"
    return entry


def test_what_an_interrupted_apply_left_half_made_is_made_anew_without_asking(recorded: dict[str, Any]):
    (told,) = findings(tainted(recorded, "cloudtrail", "aws_cloudtrail"))
    assert not told.blocks
    assert "partially created" in told.summary


@pytest.mark.parametrize("resource", sorted(kind for kind in RESOURCES if RESOURCES[kind].contents))
def test_what_is_tainted_and_holds_records_is_not_made_anew_unasked(recorded: dict[str, Any], resource: str):
    component = "guardduty" if "guardduty" in resource else "cloudtrail"
    entry = tainted(recorded, component, resource)
    (told,) = findings(entry, held={entry["address"]: None})
    assert not told.blocks
    (refused,) = findings(entry, held={entry["address"]: "the bucket has objects, such as AWSLogs/x"})
    assert refused.blocks
    assert refused.evidence == "Terraform marked it as tainted, but the bucket has objects, such as AWSLogs/x"
    assert refused.remedy == f"keep it: toolkit terraform ENV -- untaint '{entry['address']}'"
    # What it holds was not asked.
    (refused,) = findings(entry)
    assert refused.blocks
    assert "not known" in refused.evidence


def test_a_tainted_key_that_something_uses_is_not_made_anew_unasked():
    """On the plan that Terraform made after the key of an applied component was tainted by hand."""
    recorded = json.loads((RECORDED.parent / "tainted_key.json").read_text("utf-8"))
    changed = [e for e in recorded["resource_changes"] if e["change"]["actions"] != ["no-op"]]
    key = next(e for e in changed if e["type"] == "aws_kms_key")
    refused = [f for f in findings(*changed) if f.rule is DESTROYS]
    assert [(f.address, f.blocks) for f in refused] == [(key["address"], True)]
    assert "aws_kms_alias.topic" in refused[0].evidence
    assert refused[0].remedy.startswith("keep it: toolkit terraform ENV -- untaint")
    # As an interrupt leaves it: nothing uses it yet, and what AWS would choose for a new one is no loss.
    (told,) = findings(key)
    assert not told.blocks
    assert "partially created" in told.summary
    # What people choose is: a taint is no way around them.
    key["change"]["before"]["deletion_window_in_days"], key["change"]["after"]["deletion_window_in_days"] = 30, 7
    assert [f.attribute for f in findings(key) if f.blocks] == ["deletion_window_in_days"]


def test_a_guardrail_goes_with_its_group_but_not_without(recorded: dict[str, Any]):
    groups = entries(recorded, REGISTRY["iam_groups"], "aws_iam_group")
    group = next(e for e in groups if e["change"]["before"]["name"] == "billing")
    attachments = entries(recorded, REGISTRY["iam_groups"], "aws_iam_group_policy_attachment")
    attachments += entries(recorded, REGISTRY["mfa_enforcement"], "aws_iam_group_policy_attachment")
    of_group = [e for e in attachments if e["change"]["before"]["group"] == "billing"]
    assert len(of_group) >= 3
    for entry in (group, *of_group):
        entry["change"].update(actions=["delete"], after=None)
    assert findings(group, *of_group) == []
    assert {f.rule for f in findings(*of_group)} == {DESTROYS}


SCHEMA = types()


def strengths() -> list[Any]:
    return [
        pytest.param(record, strength, id=f"{record.name}-{strength.attribute}-{strength.stronger.name}")
        for record in RESOURCES.values()
        for strength in record.strengths
        # The rules of a lifecycle are judged together: test_lifecycles.py.
        if strength.stronger is not Stronger.KEPT
    ]


ALLOW = {"Effect": "Allow", "Principal": {"AWS": "arn:aws:iam::111122223333:root"}, "Action": "s3:*", "Resource": "*"}


def variants(strength: Strength, value: Any) -> tuple[list[Any], list[Any]]:  # noqa: PLR0915 (a table)
    """(weaker values, stronger ones) than `value`."""
    match strength.stronger:
        case Stronger.HIGHER:
            unset = [None, 0]
            weaker, stronger = [1], [value + 1, 100_000]
            return (weaker, [*stronger, *unset]) if strength.unset_is_strongest else ([*weaker, *unset], stronger)
        case Stronger.LOWER:
            return [float(value) + 1, 100_000, *([] if strength.otherwise else [None, 0, -1])], [1]
        case Stronger.TRUE:
            if not value:
                return [], [True]
            return ([False], [None]) if strength.unset_is_strongest else ([False, None], [])
        case Stronger.FALSE:
            return ([True], []) if not value else ([], [False])
        case Stronger.PRESENT:
            return [None, type(value)()], [["other"] if isinstance(value, list) else "other"]
        case Stronger.ABSENT:
            return [[{"name": "first"}]], []
        case Stronger.SAME:
            return [["elsewhere"] if isinstance(value, list) else "elsewhere", None], []
        case Stronger.KEY:
            other, foreign = FILLED_KEY.replace("1234abcd", "5678abcd"), FILLED_KEY.replace(ACCOUNT, "444455556666")
            return [None, "", "alias/aws/sns", foreign], [other, "alias/own"]
        case Stronger.SUPERSET:
            if strength.unset_is_strongest:
                return [value[:-1], value[1:]], [[*value, "other"], [], None]
            return [value[:-1], []], [[*value, {"name": "more"}], value[::-1]]
        case Stronger.SUBSET:
            unset: list[Any] = [[], None]
            fewer = [value[1:]] if value[1:] else []
            weaker, stronger = [[*value, "other"]], [value[::-1], *fewer]
            return (weaker, [*stronger, *unset]) if strength.unset_is_strongest else ([*weaker, *unset], stronger)
        case Stronger.THRESHOLD:
            return [value + 1, None], [value - 1, 0]
        case Stronger.FILTER:
            return ["{ $.other = 1 }", f"{{ ({value[1:-1]}) && $.other = 1 }}"], [
                "",
                None,
                f"{value[:-1]} || $.x = 1 }}",
            ]
        case Stronger.CONTENT:
            said = json.loads(value)
            first = next(iter(said))
            weaker = [None, json.dumps({**said, first: "other"}), json.dumps({k: said[k] for k in said if k != first})]
            return weaker, [json.dumps({**said, "more": 1}), json.dumps(said, indent=8)]
        case Stronger.PATTERN:
            pattern = json.loads(value)
            narrower = [{**pattern, "account": ["123456789012"]}, {**pattern, "source": []}]
            wider = [
                {k: v for k, v in pattern.items() if k != "detail"},
                {**pattern, "source": [*pattern["source"], "x"]},
                {**pattern, "source": [{"prefix": ""}]},
            ]
            return [None, *map(json.dumps, narrower)], [*map(json.dumps, wider)]
        case Stronger.PARAMETERS:
            given = json.loads(value)
            bounds = {Stronger.HIGHER: ("1", "1000"), Stronger.LOWER: ("1000", "1"), Stronger.TRUE: ("false", "true")}
            directions = [(name, *bounds[d]) for name, d in strength.members if name in given]
            weaker = [json.dumps({**given, name: worse}) for name, worse, _ in directions]
            return weaker, [json.dumps({**given, name: better}) for name, _, better in directions]
        case Stronger.RECORDED:
            (own,) = value
            more = {**own, "resource_types": [*own["resource_types"], "AWS::S3::Bucket"]}
            return [[more]], [[], [{**own, "recording_frequency": "CONTINUOUS"}]]
        case Stronger.ORDER:
            place = strength.order.index(value)
            return [*strength.order[:place], *([] if strength.unset else [None])], list(strength.order[place + 1 :])
        case Stronger.POLICY:
            document = json.loads(value)
            resource_policy = "Principal" in document["Statement"][0]
            allow = ALLOW if resource_policy else {k: v for k, v in ALLOW.items() if k != "Principal"}
            deny = {"Sid": "More", "Effect": "Deny", "Action": "s3:*", "Resource": "*"}
            if resource_policy:
                deny["Principal"] = "*"
            if "Resource" not in document["Statement"][0]:
                # A role's trust policy names no resource.
                allow, deny = ({k: v for k, v in statement.items() if k != "Resource"} for statement in (allow, deny))
            wider = {**document, "Statement": [*document["Statement"], allow]}
            fewer = [s for s in document["Statement"] if s["Effect"] != "Deny"]
            weaker = [json.dumps(wider), None]
            if len(fewer) < len(document["Statement"]) and fewer:
                weaker.append(json.dumps({**document, "Statement": fewer}))
            return weaker, [json.dumps({**document, "Statement": [*document["Statement"], deny]})]


def put(values: dict[str, Any], path: str, value: Any) -> None:
    """Set what stands at a path; blocks on the way are made where there are none."""
    *steps, last = re.findall(r"([A-Za-z0-9_]+)(?:\[(\d+)\])?", path)
    here: Any = values
    for name, index in steps:
        blocks = here[name] = here.get(name) or [{}]
        here = blocks[int(index or 0)]
    here[last[0]] = value


ACCOUNT = "123456789012"
FILLED_KEY = f"arn:aws:kms:eu-central-1:{ACCOUNT}:key/1234abcd-12ab-34cd-56ef-1234567890ab"
FILLED: dict[Stronger, Any] = {
    Stronger.HIGHER: 30,
    Stronger.LOWER: 30,
    Stronger.THRESHOLD: 30,
    Stronger.TRUE: True,
    Stronger.FALSE: False,
    Stronger.PRESENT: "arn:aws:sns:us-east-1:123456789012:baseline",
    Stronger.KEY: FILLED_KEY,
    Stronger.ABSENT: [],
    Stronger.SAME: "that",
    Stronger.SUPERSET: ["one", "two"],
    Stronger.SUBSET: ["one", "two"],
    Stronger.CONTENT: '{"one": {"two": [1, 2]}, "three": true}',
    Stronger.FILTER: "{ $.one = 1 || $.two = 2 }",
}
"""What no recorded plan of a first apply can show: what Terraform computes, and what no setting sets."""
_NOT_BACK = (Stronger.SAME, Stronger.FILTER, Stronger.CONTENT)
"""Directions in which not every weakening is undone by a change that is known to be harmless."""


def filled(record: ResourceType, strength: Strength) -> Any:
    kind = SCHEMA[record.name][re.sub(r"\[[0*]\]", "", strength.attribute)]
    if strength.stronger is Stronger.ORDER:
        return strength.order[len(strength.order) // 2]
    value = FILLED[strength.stronger]
    if kind.startswith("block") and isinstance(value, list):
        names = record.keys.get(strength.attribute, ("name",))
        return [dict.fromkeys(names, one) for one in value]
    return [value] if kind.startswith(("block", "list", "set")) and not isinstance(value, list) else value


def with_value(recorded: dict[str, Any], record: ResourceType, strength: Strength) -> list[dict[str, Any]]:
    """Recorded entries in which the attribute has a value, so that something can be lost, or one that is given one."""
    path = strength.attribute.replace("[*]", "[0]")
    every = entries(recorded, None, record.name)
    assert every, f"no {record.name} in the recorded plans"
    if strength.only is not None:
        for entry in every:
            for side in ("before", "after"):
                put(entry["change"][side], strength.only[0], strength.only[1][0])
    found = [e for e in every if value_at(e["change"]["before"], path) not in (None, [], "")]
    if strength.only is not None and strength.stronger in (Stronger.POLICY, Stronger.CONTENT):
        # Its kind decides its grammar.
        found = [
            e
            for e in found
            if ("Statement" in json.loads(e["change"]["before"]["content"])) is (strength.stronger is Stronger.POLICY)
        ]
    if strength.only is not None and strength.stronger is Stronger.ORDER:
        # Other kinds have words of their own there.
        found = [e for e in found if value_at(e["change"]["before"], path) in strength.order]
    if not found or strength.stronger in (Stronger.KEY, Stronger.ABSENT) or strength.attribute.endswith("hop_limit"):
        found = every[:1]
        for side in ("before", "after"):
            put(found[0]["change"][side], path, filled(record, strength))
    return found


def called(record: ResourceType, path: str, entry: dict[str, Any]) -> str:
    """As findings have the path."""
    return named(record, path, entry["change"]["after"] or {}, entry["change"]["before"] or {})


@pytest.mark.parametrize(("record", "strength"), strengths())
def test_weakening_is_refused_and_strengthening_is_not(
    recorded: dict[str, Any], record: ResourceType, strength: Strength
):
    path = strength.attribute.replace("[*]", "[0]")
    checked = 0
    for entry in with_value(recorded, record, strength):
        entry["change"]["actions"] = ["update"]
        before = value_at(entry["change"]["before"], path)
        weaker, stronger = variants(strength, before)
        for value in weaker:
            case = copy.deepcopy(entry)
            put(case["change"]["after"], path, value)
            hits = [f for f in findings(case) if f.attribute == called(record, path, case)]
            assert len(hits) == 1, f"{before!r} → {value!r} went through"
            assert hits[0].blocks
            assert hits[0].rule is WEAKENS
            (consented,) = Consents(weaker=(hits[0].subject,)).apply(hits, date(2026, 1, 1))
            assert not consented.blocks
            checked += 1
            # And the way back is a strengthening, unless the attribute is one of those that must not change.
            if strength.stronger not in _NOT_BACK and "444455556666" not in str(value):
                back = copy.deepcopy(case)
                back["change"]["before"], back["change"]["after"] = case["change"]["after"], entry["change"]["before"]
                assert [f for f in findings(back) if f.attribute == called(record, path, back)] == []
        for value in stronger:
            case = copy.deepcopy(entry)
            put(case["change"]["after"], path, value)
            assert findings(case) == [], f"{before!r} → {value!r} is no weakening"
            checked += 1
    assert checked


@pytest.mark.parametrize(("record", "strength"), [p for p in strengths() if p.values[1].by_aws])
def test_what_aws_decides_of_a_new_resource_is_no_loss_beside_its_replacement(
    recorded: dict[str, Any], record: ResourceType, strength: Strength
):
    entry = with_value(recorded, record, strength)[0]
    entry["change"]["actions"] = ["delete", "create"]
    put(entry["change"]["after"], strength.attribute, None)
    put(entry["change"]["after_unknown"], strength.attribute, True)
    assert [f for f in findings(entry) if f.rule is WEAKENS] == []
    # A change that leaves the resource is another matter.
    entry["change"]["actions"] = ["update"]
    assert [f.attribute for f in findings(entry)] == [strength.attribute]


def moved(entry: dict[str, Any], path: str | None = None, value: Any = None) -> list[dict[str, Any]]:
    """A resource that is deleted at its address and created at another, with another value at a path."""
    old, new = copy.deepcopy(entry), copy.deepcopy(entry)
    old["change"].update(actions=["delete"], after=None)
    new["change"].update(actions=["create"], before=None)
    module, _, resource = entry["address"].partition(f".{entry['type']}.")
    new["address"] = f"{module}.{entry['type']}.moved{resource.removeprefix(entry['name'])}"
    new["name"] = "moved"
    # What the recorded plans learn only from the apply: whose it is.
    for name in RESOURCES[entry["type"]].no_weaker_side.get(IDENTITY, "").split():
        for values in (old["change"]["before"], new["change"]["after"]):
            if values.get(name) is None:
                values[name] = f"some-{name}"
    if path is not None:
        put(new["change"]["after"], path, value)
    return [old, new]


@pytest.mark.parametrize(("record", "strength"), [p for p in strengths() if p.values[0].name not in CARRIERS])
def test_what_is_deleted_at_one_address_and_created_at_another_is_judged_as_a_change(
    recorded: dict[str, Any], record: ResourceType, strength: Strength
):
    path = strength.attribute.replace("[*]", "[0]")
    entry = with_value(recorded, record, strength)[0]
    assert [f for f in findings(*moved(entry)) if f.rule is WEAKENS] == []
    weaker, stronger = variants(strength, value_at(entry["change"]["before"], path))
    for value in weaker:
        why = f"than {entry['address']}, which it replaces"
        place = called(record, path, entry)
        hits = [f for f in findings(*moved(entry, path, value)) if f.attribute == place and why in f.summary]
        assert [(f.rule, f.blocks) for f in hits] == [(WEAKENS, True)], f"→ {value!r} went through"
        assert ".moved" in hits[0].address
    for value in stronger:
        assert [f for f in findings(*moved(entry, path, value)) if f.rule is WEAKENS] == []


def test_a_role_of_another_name_takes_the_place_of_one_that_goes(recorded: dict[str, Any]):
    role = entries(recorded, REGISTRY["iam_roles"], "aws_iam_role")[0]
    old, new = moved(role)
    new["change"]["after"]["name"] = "another"
    assert [f for f in findings(old, new) if f.rule is WEAKENS] == []
    trust = json.loads(role["change"]["before"]["assume_role_policy"])
    open_to_all = {"Effect": "Allow", "Principal": "*", "Action": "sts:AssumeRole"}
    wider = json.dumps({**trust, "Statement": [*trust["Statement"], open_to_all]})
    new["change"]["after"]["assume_role_policy"] = wider
    (found,) = [f for f in findings(old, new) if f.rule is WEAKENS]
    assert (found.attribute, found.blocks) == ("assume_role_policy", True)
    # Beside one that stays it is new, and reviewed as that.
    assert findings(new) == []
    # One that is as narrow as another that goes takes that one's place.
    narrow = copy.deepcopy(old)
    narrow["address"], narrow["change"]["before"] = (
        "module.iam_roles.aws_iam_role.x",
        copy.deepcopy(new["change"]["after"]),
    )
    narrow["change"]["before"]["name"] = "x"
    assert [f for f in findings(old, narrow, new) if f.rule is WEAKENS] == []


def test_another_resource_of_the_type_takes_no_place(recorded: dict[str, Any]):
    """Another bucket, or the same topic in another region."""
    policy = entries(recorded, None, "aws_s3_bucket_policy")[0]
    old, new = moved(policy, "policy", json.dumps({"Version": "2012-10-17", "Statement": [ALLOW]}))
    assert [f.attribute for f in findings(old, new) if f.rule is WEAKENS] == ["policy"]
    new["change"]["after"]["bucket"] = "another"
    assert [f for f in findings(old, new) if f.rule is WEAKENS] == []
    # A bucket that is made has no name yet: in the same component it may be the same one.
    new["change"]["after"].pop("bucket")
    new["change"]["after_unknown"] = {"bucket": True}
    assert [f.attribute for f in findings(old, new) if f.rule is WEAKENS] == ["policy"]


def rule_of(identifier: str) -> dict[str, Any]:
    recorded = sorted_by_type(json.loads((RECORDED / "kept.json").read_text("utf-8")))
    rules = entries(recorded, REGISTRY["config"], "aws_config_config_rule")
    return next(r for r in rules if r["change"]["before"]["source"][0]["source_identifier"] == identifier)


def changed(entry: dict[str, Any], path: str, value: Any) -> list[Any]:
    """Findings about one attribute when it changes to a value."""
    case = copy.deepcopy(entry)
    case["change"]["actions"] = ["update"]
    put(case["change"]["after"], path, value)
    return [(f.evidence, f.blocks) for f in findings(case) if f.attribute == path]


def test_parameters_whose_direction_nobody_knows_do_not_change_unasked():
    keys = rule_of("ENCRYPTED_VOLUMES")
    other = json.dumps({"kmsId": "arn:aws:kms:eu-central-1:123456789012:key/other"})
    (((evidence, blocks)),) = changed(keys, "input_parameters", other)
    assert blocks
    assert evidence.startswith("kmsId: ")
    assert "key/other" in evidence
    assert changed(keys, "input_parameters", None)[0][0].endswith("→ (none)")
    password = rule_of("IAM_PASSWORD_POLICY")
    before = json.loads(password["change"]["before"]["input_parameters"])
    assert changed(password, "input_parameters", json.dumps({**before, "RequireNumbers": "false"})) == [
        ('RequireNumbers: (none) → "false"', True)
    ]
    assert changed(password, "input_parameters", json.dumps({**before, "MinimumPasswordLength": "x"}))[0][1]
    assert changed(password, "input_parameters", "no JSON") == [("parameters that cannot be read", True)]


def test_a_rule_does_not_become_another_or_get_a_limit_unasked():
    rule = rule_of("IAM_PASSWORD_POLICY")
    (((evidence, _blocks)),) = changed(rule, "source[0].source_identifier", "IAM_USER_MFA_ENABLED")
    assert evidence == '"IAM_PASSWORD_POLICY" → "IAM_USER_MFA_ENABLED"'
    rule["change"]["after"]["scope"] = [{"compliance_resource_types": []}]
    assert changed(rule, "scope[0].compliance_resource_types", ["AWS::IAM::User"])[0][1]


def test_how_often_a_type_is_recorded_is_judged_with_its_exceptions(recorded: dict[str, Any]):
    recorder = entries(recorded, REGISTRY["config"], "aws_config_configuration_recorder")[0]
    path = "recording_mode[0].recording_mode_override"
    daily = [{"recording_frequency": "DAILY", "resource_types": ["AWS::EC2::Instance", "AWS::S3::Bucket"]}]
    assert changed(recorder, path, daily) == [('AWS::S3::Bucket: "CONTINUOUS" → "DAILY"', True)]
    # The exception ends, and what it was taken from is all there is: nothing gets weaker by that.
    assert changed(recorder, path, []) == []
    # All the others become daily: told of them, not of the one that was daily already.
    put(recorder["change"]["after"], "recording_mode[0].recording_frequency", "DAILY")
    assert changed(recorder, path, []) == []
    assert changed(recorder, "recording_mode[0].recording_frequency", "DAILY") == [('"CONTINUOUS" → "DAILY"', True)]


def test_findings_of_a_lower_severity_are_not_dropped_unasked(recorded: dict[str, Any]):
    rules = entries(recorded, REGISTRY["guardduty"], "aws_cloudwatch_event_rule")
    for rule in rules:
        pattern = rule["change"]["before"]["event_pattern"]
        assert '[">=",7]' in pattern
        (((evidence, blocks)),) = changed(rule, "event_pattern", pattern.replace("7", "9"))
        assert blocks
        assert evidence == 'may match less: detail.severity [{"numeric": [">=", 7]}] → [{"numeric": [">=", 9]}]'
        assert changed(rule, "event_pattern", pattern.replace("7", "4")) == []


def test_what_an_import_would_delete_is_refused_whatever_its_type(recorded: dict[str, Any]):
    """The wrong id under `imports`: Terraform would take somebody else's role over by deleting it."""
    role = entries(recorded, REGISTRY["iam_roles"], "aws_iam_role")[0]
    role["change"].update(actions=["delete", "create"], replace_paths=[["name"]], importing={"id": "theirs"})
    role["change"]["before"]["name"] = "theirs"
    (finding,) = [f for f in findings(role) if f.rule is DESTROYS]
    assert finding.blocks
    assert finding.summary.endswith("which it was to import.")
    assert f"delete the line of {role['address']} under `imports`, or correct its id" in finding.remedy
    del role["change"]["importing"]
    assert DESTROYS not in {f.rule for f in findings(role)}


@pytest.mark.parametrize("actions", [["delete"], ["delete", "create"], ["forget"]], ids=str)
@pytest.mark.parametrize("address", ["aws_cloudtrail.main", "module.shop.aws_db_instance.orders"])
def test_what_no_component_has_made_is_not_deleted_unasked(address: str, actions: list[str]):
    """A backend that leads to another configuration's state: its plan would delete all of that."""
    *_, kind, name = address.split(".")
    change = {"actions": actions, "before": {"id": "theirs"}, "after": None}
    entry = {"address": address, "mode": "managed", "type": kind, "name": name, "change": change}
    (finding,) = findings(entry)
    assert finding.rule is DESTROYS
    assert finding.blocks
    if actions == ["forget"]:
        never_consented(finding)
    else:
        assert finding.consent == f"--allow-destroy '{address}'"
    assert "another configuration's state" in finding.remedy
    # The toolkit does not pass this command through for the environment itself.
    assert f"`terraform state rm '{address}'` in the other configuration's folder" in finding.remedy


def test_a_grant_of_a_groups_own_may_go_but_no_denial(recorded: dict[str, Any]):
    own = entries(recorded, REGISTRY["iam_groups"], "aws_iam_group_policy")
    for entry in own:
        entry["change"].update(actions=["delete"], after=None)
    by_name = {e["change"]["before"]["name"]: findings(e) for e in own}
    assert by_name["restart"] == []
    assert [f.rule for f in by_name["stay-home"]] == [DESTROYS]
    own[0]["change"]["before"]["policy"] = "what cannot be read may deny"
    assert [f.rule for f in findings(own[0])] == [DESTROYS]
    # With its group, it goes.
    groups = entries(recorded, REGISTRY["iam_groups"], "aws_iam_group")
    for entry in groups:
        entry["change"].update(actions=["delete"], after=None)
    assert findings(*groups, *own) == []


def attachment(name: str, *, actions: list[str], policy: str, owner: str = "readers") -> dict[str, Any]:
    values = {"group": owner, "policy_arn": f"arn:aws:iam::{policy}"}
    return {
        "address": f'module.iam_groups.aws_iam_group_policy_attachment.managed["{name}"]',
        "mode": "managed",
        "type": "aws_iam_group_policy_attachment",
        "name": "managed",
        "change": {
            "actions": actions,
            "before": values if "delete" in actions else None,
            "after": values if "create" in actions else None,
        },
    }


def test_a_policy_of_aws_does_not_take_anothers_place_unasked():
    gone = attachment("old", actions=["delete"], policy="aws:policy/ReadOnlyAccess")
    new = attachment("new", actions=["create"], policy="aws:policy/PowerUserAccess")
    (found,) = findings(gone, new)
    assert (found.rule, found.blocks, found.evidence) == (WEAKENS, True, "ReadOnlyAccess → PowerUserAccess")
    assert found.consent == f"--allow-weaker '{new['address']}.policy_arn'"
    assert not Consents(weaker=("*.policy_arn",)).apply([found], date.today())[0].blocks


@pytest.mark.parametrize(
    ("gone", "new", "told"),
    [
        (None, "aws:policy/PowerUserAccess", ["+ PowerUserAccess"]),
        ("aws:policy/AdministratorAccess", "aws:policy/ReadOnlyAccess", []),
        (None, "123456789012:policy/deny-identity-administration", []),
        ("aws:policy/ReadOnlyAccess", "123456789012:policy/mfa-enforcement", []),
    ],
    ids=["added", "narrower than everything", "a denial of ours", "a denial of ours for a grant"],
)
def test_other_changes_of_an_owners_policies_are_at_most_told(gone: str | None, new: str, told: list[str]):
    entries = [attachment("new", actions=["create"], policy=new)]
    if gone:
        entries.append(attachment("old", actions=["delete"], policy=gone))
    found = [f for f in findings(*entries) if f.rule is WEAKENS]
    assert [f.evidence for f in found] == told
    assert not any(f.blocks for f in found)


def test_another_owners_policies_are_no_exchange():
    gone = attachment("old", actions=["delete"], policy="aws:policy/ReadOnlyAccess", owner="others")
    new = attachment("new", actions=["create"], policy="aws:policy/PowerUserAccess")
    assert not any(f.blocks for f in findings(gone, new))


def test_nothing_is_found_in_a_first_apply_to_an_empty_account(recorded: dict[str, Any]):
    plan = parse_plan(recorded, ATTRIBUTION)
    assert len(plan.changes) > 100
    assert list(judge(plan, REGISTRY, {})) == []


def test_a_create_that_overwrites_something_stronger_is_shown_as_the_change_that_it_is(recorded: dict[str, Any]):
    entry = next(e for e in recorded["resource_changes"] if e["type"] == "aws_iam_account_password_policy")
    existing = Existing({"minimum_password_length": 24, "max_password_age": 90}, True, "id", "a password policy")
    weakens, note = findings(entry, existing={entry["address"]: existing})
    assert (weakens.attribute, weakens.evidence) == ("minimum_password_length", "24 → 14")
    assert weakens.blocks
    assert "would overwrite a password policy" in note.summary
    assert not note.blocks


def test_a_create_over_something_weaker_is_only_told(recorded: dict[str, Any]):
    entry = next(e for e in recorded["resource_changes"] if e["type"] == "aws_iam_account_password_policy")
    existing = Existing({"minimum_password_length": 8}, True, "id", "a password policy")
    (note,) = findings(entry, existing={entry["address"]: existing})
    assert not note.blocks
    assert note.evidence == "minimum_password_length: 8 → 14"


def test_a_create_that_would_collide_is_refused_without_possible_consent(recorded: dict[str, Any]):
    entry = next(e for e in recorded["resource_changes"] if e["type"] == "aws_guardduty_detector")
    (finding,) = findings(entry, existing={entry["address"]: Existing({}, False, "12abc34d", "a detector")})
    everything = Consents(("*",), ("*",), True)
    (judged,) = everything.apply([finding], date(2026, 1, 1))
    assert judged.blocks
    assert f"'{entry['address']}': '12abc34d'" in judged.remedy


def lost(recorded: dict[str, Any], component: str, resource: str, **before: str) -> Any:
    """Drift: a recorded resource that AWS does not have any more where Terraform looks."""
    entry = entries(recorded, REGISTRY[component], resource)[0]
    entry["change"].update(actions=["delete"], after=None)
    entry["change"]["before"].update(before)
    return parse_plan({"format_version": "1.2", "resource_changes": [entry]}, ATTRIBUTION).changes[0], entry


def orphans(change: Any, *planned: dict[str, Any], looked_in: str | None = None) -> list[Finding]:
    plan = parse_plan({"format_version": "1.2", "resource_changes": list(planned)}, ATTRIBUTION)
    return list(judge_orphans(plan, [change], REGISTRY, "123456789012", lambda c: looked_in or c.region))


@pytest.mark.parametrize(("component", "protected"), protections())
def test_what_protects_and_is_out_of_sight_is_never_forgotten(
    recorded: dict[str, Any], component: Component, protected: Protected
):
    """As after a change of the home region: the detector runs on, and Terraform would drop it from the state."""
    found = [e for e in entries(recorded, component, protected.resource) if protected.name in (None, e["name"])]
    for entry in found if not protected.denying else found[:0]:
        # Known by its ARN, or by the label of its module where it has none.
        label, _, rest = entry["address"].removeprefix("module.").partition(".")
        suffixed = label if label.endswith(("_eu_central_1", "_us_east_1")) else f"{label}_us_east_1"
        entry["address"] = f"module.{suffixed}.{rest}"
        entry["change"].update(actions=["delete"], after=None)
        entry["change"]["before"].pop("arn", None)
        (change,) = parse_plan({"format_version": "1.2", "resource_changes": [entry]}, ATTRIBUTION).changes
        (finding,) = orphans(change, looked_in="eu-west-1")
        never_consented(finding)
        assert finding.evidence.endswith(f"in {change.region}; Terraform looked for it in eu-west-1")
        assert f"active: [eu-west-1, {change.region}]" in finding.remedy
        # In its own region, AWS itself says that it is gone.
        (gone,) = orphans(change)
        assert gone.consent == f"--allow-destroy '{change.address}'"


def test_what_a_component_has_once_does_not_move(recorded: dict[str, Any]):
    arn = "arn:aws:cloudtrail:eu-west-1:123456789012:trail/baseline"
    change, _ = lost(recorded, "cloudtrail", "aws_cloudtrail", arn=arn)
    (finding,) = orphans(change)
    never_consented(finding)
    assert arn in finding.evidence
    assert finding.remedy.startswith("set `regions.home` back to eu-west-1")
    # What has no region of its own is where Terraform looks.
    entry = entries(recorded, REGISTRY["cloudtrail"], "aws_s3_bucket")[0]
    entry["change"].update(actions=["delete"], after=None)
    (bucket,) = parse_plan({"format_version": "1.2", "resource_changes": [entry]}, ATTRIBUTION).changes
    (gone,) = orphans(bucket, looked_in="us-east-1")
    assert gone.consent is not None


def test_what_was_deleted_by_hand_is_made_anew_without_asking(recorded: dict[str, Any]):
    arn = "arn:aws:cloudtrail:eu-central-1:123456789012:trail/baseline"
    change, entry = lost(recorded, "cloudtrail", "aws_cloudtrail", arn=arn)
    again = copy.deepcopy(entry)
    again["change"].update(actions=["create"], before=None, after=entry["change"]["before"])
    assert orphans(change, again) == []
    # But not when the one that is out of sight is in another region: then there would be two.
    moved, _ = lost(recorded, "cloudtrail", "aws_cloudtrail", arn=arn.replace("eu-central-1", "eu-west-1"))
    assert len(orphans(moved, again)) == 1
    # Nor when it is in another account, whose state this is.
    other, _ = lost(recorded, "cloudtrail", "aws_cloudtrail", arn=arn.replace("123456789012", "444455556666"))
    (finding,) = orphans(other, again)
    assert finding.evidence.endswith("account 123456789012 does not")
    assert finding.remedy.startswith("this is the state of account 444455556666: put `account_id` back")


def test_a_target_that_is_another_accounts_bus_may_be_made_anew(recorded: dict[str, Any]):
    bus = "arn:aws:events:eu-west-1:444455556666:event-bus/siem"
    change, entry = lost(recorded, "siem_export", "aws_cloudwatch_event_target", arn=bus)
    again = copy.deepcopy(entry)
    again["change"].update(actions=["create"], before=None, after=entry["change"]["before"])
    assert orphans(change, again) == []


def test_a_waiver_holds_until_its_last_day_and_for_its_rule_only(recorded: dict[str, Any]):
    (entry,) = entries(recorded, REGISTRY["password_policy"], "aws_iam_account_password_policy")
    entry["change"]["actions"] = ["update"]
    entry["change"]["after"]["minimum_password_length"] = 8
    (finding,) = findings(entry)
    waiver = Waiver(WEAKENS, finding.subject, "moving to passkeys", date(2026, 6, 30))
    assert not Consents(waivers=(waiver,)).apply([finding], date(2026, 6, 30))[0].blocks
    assert "moving to passkeys" in str(Consents(waivers=(waiver,)).apply([finding], date(2026, 6, 30))[0].consented_by)
    assert Consents(waivers=(waiver,)).apply([finding], date(2026, 7, 1))[0].blocks
    other = Waiver(DESTROYS, finding.subject, "moving to passkeys", date(2026, 6, 30))
    assert Consents(waivers=(other,)).apply([finding], date(2026, 6, 30))[0].blocks


def test_consents_survive_their_way_through_a_bundle():
    consents = Consents(("module.a.*",), ('module.b["x=y"].c',), True)
    assert Consents.from_options(consents.as_options()) == consents
