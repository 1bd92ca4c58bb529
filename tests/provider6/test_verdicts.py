"""What the judge says of plans that Terraform made with the schema of version 6 (record.py): as with version 5.

An update, a weakening, a replacement and a deletion of every recorded resource. Version 5's shape of a plan is version
6's without what version 5 does not have; that the values are those of the real 5.100.0 is compared with its recorded
plans, and one plan with changes is recorded of both.
"""

from __future__ import annotations

import copy
import dataclasses
import json
from collections import Counter
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import pytest

from tests.modules.test_modules import terraform
from tests.provider6 import record
from tests.provider6.test_schema import FIVE
from tests.provider6.test_terraform import known_to_both
from tests.unit.plan.test_judging import ANSWERS, CALLERS, case
from toolkit.components.registry import REGISTRY
from toolkit.findings import Finding, Resource
from toolkit.findings.rules import DESTROYS, WEAKENS
from toolkit.plan import judging
from toolkit.plan.existing import ExistingWanted
from toolkit.plan.facts import Facts, Wanted
from toolkit.plan.imports import judge_imports
from toolkit.plan.model import Action, Attribution, Plan, parse_plan
from toolkit.resources.reading import Live
from toolkit.resources.registry import RESOURCES

PLANS = Path(__file__).parents[1] / "plans"
ATTRIBUTION = Attribution(tuple(REGISTRY), ("eu-central-1", "us-east-1"), "eu-central-1")
COMPONENTS = [name for name in record.names() if name != record.LATER]
RECORDED = {name: record.read(name) for name in record.names() if (record.FOLDER / f"{name}.json.xz").exists()}
each = pytest.mark.parametrize("name", COMPONENTS)


def test_everything_is_recorded():
    cure = "run `python tests/provider6/record.py NAME`"
    assert {file.name.partition(".")[0] for file in record.FOLDER.iterdir()} == set(record.names()), cure


def as_version_5(plan: Mapping[str, Any]) -> dict[str, Any]:
    """The plan without what only version 6 has, and with what only version 5 has."""
    found = copy.deepcopy(dict(plan))
    for entry in found["resource_changes"]:
        known = FIVE[entry["type"]]
        for side in ("before", "after", "after_unknown", "before_sensitive", "after_sensitive"):
            if isinstance(entry["change"].get(side), dict):
                entry["change"][side] = _of_version_5(entry["change"][side], known)
    return found


def _of_version_5(values: Any, known: Mapping[str, str], path: str = "") -> Any:
    """What is a list in version 5 has another order than the set of version 6."""
    if isinstance(values, dict):
        kind = known.get(path, "block")
        if not kind.startswith("block"):  # a map, or an object of an attribute
            return values
        names = {name: f"{path}.{name}" if path else name for name in values}
        return {name: _of_version_5(values[name], known, below) for name, below in names.items() if below in known}
    if isinstance(values, list):
        became_set = path == "additional_configuration" and known[path].startswith("block list")
        return [_of_version_5(value, known, path) for value in (reversed(values) if became_set else values)]
    return values


def parsed(plan: Mapping[str, Any]) -> Plan:
    return parse_plan(plan, ATTRIBUTION)


def findings(plan: Plan, existing: Mapping[str, Live] | None = None) -> list[Finding]:
    """Those of every guard, in the order of reports."""
    one = dataclasses.replace(case(CALLERS[1]), plan=plan)
    answers: dict[Wanted[Any], Any] = {wanted: ANSWERS[type(wanted)] for wanted in judging.needs(one)}
    for wanted in answers:
        if existing is not None and isinstance(wanted, ExistingWanted):
            answers[wanted] = existing.get(wanted.address)
    return list(judging.judge(one, Facts(answers)))


def told(found: Iterable[Finding], *, arns: bool = True) -> list[str]:
    """Everything that findings say, in an order of its own: that of a list may be the configuration's.

    Args:
        found: The findings.
        arns: Whether ARNs are compared. Of some types, version 6 alone has them.
    """
    return sorted(
        repr(
            dataclasses.replace(
                f,
                resource=f.resource if arns and "arn" in FIVE.get(f.resource.type or "", ()) else bare(f.resource),
                evidence="; ".join(sorted(f.evidence.split("; "))),
            )
        )
        for f in found
    )


def bare(resource: Resource) -> Resource:
    return dataclasses.replace(resource, arn=None)


@each
def test_both_versions_plan_the_same_values(name: str):
    """The real version 5 has recorded what it creates: every value that both know is the same."""
    five = {
        e["address"]: e for e in json.loads((PLANS / "components" / f"{name}.json").read_text())["resource_changes"]
    }
    six = {e["address"]: e for e in RECORDED[name]["created"]["resource_changes"]}
    assert five.keys() <= six.keys()
    for address, entry in five.items():
        assert [
            (path, one, other)
            for path, one, other in known_to_both(entry["change"]["after"], six[address]["change"]["after"])
            # An id that a data source of the schema provider answers is a word of its own.
            if one != other and not str(other).endswith("-of-the-schema")
        ] == [], address


@each
@pytest.mark.parametrize("kind", ["created", "changed", "replaced", "destroyed"])
def test_a_plan_is_judged_as_that_of_version_5(name: str, kind: str):
    plan = RECORDED[name][kind]
    assert told(findings(parsed(plan))) == told(findings(parsed(as_version_5(plan))))


@each
def test_what_a_create_meets_is_judged_as_with_version_5(name: str):
    """The account has everything already, stronger."""
    plan, values = RECORDED[name]["created"], {}
    for entry in RECORDED[name]["changed"]["resource_changes"]:
        values[entry["address"]] = entry["change"]["before"]
    created = {c.address: c for c in parsed(plan).changes}
    there = {
        address: Live(
            {n: str(created[address].after.get(n)) for n in RESOURCES[created[address].type].key},
            _of_version_5(had, FIVE[created[address].type]),
            f"that of {address}",
            "x",
        )
        for address, had in values.items()
        if address in created
    }
    assert told(findings(parsed(plan), there)) == told(findings(parsed(as_version_5(plan)), there))


def test_every_kind_of_change_is_recorded_and_judged():
    """Else the comparisons above would prove nothing."""
    weaker, destroyed, seen = set(), {"replaced": set(), "destroyed": set()}, set()
    for name in COMPONENTS:
        plans = {kind: parsed(plan) for kind, plan in RECORDED[name].items()}
        assert {c.action for c in plans["created"].changes} == {Action.CREATE}
        assert {c.action for c in plans["changed"].changes} <= {Action.UPDATE}
        assert {c.action for c in plans["replaced"].changes} == {Action.REPLACE}
        assert {c.action for c in plans["destroyed"].changes} == {Action.DELETE}
        seen |= {c.type for c in plans["created"].changes}
        weaker |= {(f.resource.type, f.attribute) for f in findings(plans["changed"]) if f.rule is WEAKENS}
        for kind, types in destroyed.items():
            types |= {f.resource.type for f in findings(plans[kind]) if f.rule is DESTROYS}
    assert len(seen) > 90
    assert len(weaker) > 100
    assert destroyed["destroyed"] <= destroyed["replaced"]
    # Others are released by what they belong to, or protect only if they deny something.
    always = {p.resource for c in REGISTRY.values() for p in c.protects if p.released_by is None and p.denying is None}
    assert always & seen <= destroyed["destroyed"]


SINCE = 'module.config_eu_central_1.aws_config_config_rule.this["iam-password-policy"]'
"""When version 5's plan was recorded, this rule did not have the numbers of the password policy."""


def test_a_plan_with_changes_has_the_findings_of_the_real_version_5():
    """From one environment to another, recorded with both; these verdicts are from `toolkit plan` with 5.100.0."""
    five = json.loads((PLANS / "reports" / "later.findings.json").read_text("utf-8"))
    plan = parsed(RECORDED[record.LATER][record.LATER])
    ours = {f["rule"] for f in five}
    found = [f for f in findings(plan) if f.rule.id in ours and f.address != SINCE]
    other = parsed(json.loads((PLANS / "reports" / "later.json").read_text("utf-8")))
    assert told(found, arns=False) == told((f for f in findings(other) if f.rule.id in ours), arns=False)
    assert Counter((f.rule.id, f.address, f.attribute, f.evidence, f.consent) for f in found) == Counter(
        (f["rule"], f["address"], f["attribute"], f["evidence"], f["consent"]) for f in five
    )
    assert {c.address: c.action for c in plan.changes} == {c.address: c.action for c in other.changes}
    changed = [
        {c.address: {a.path for a in c.attributes} for c in p.changes if c.action is Action.UPDATE}
        for p in (plan, other)
    ]
    assert {a: paths for a, paths in changed[0].items() if a != SINCE} == {
        a: paths for a, paths in changed[1].items() if a != SINCE
    }


IMPORTS = """\
provider "aws" {
  region = "eu-central-1"
}

resource "aws_guardduty_detector" "this" {}

resource "aws_iam_user" "this" {
  name = "ops@eu-west-1"
}

resource "aws_sns_topic" "this" {
  name = "alerts"
}

import {
  to = aws_sns_topic.this
  id = "arn:aws:sns:eu-west-1:123456789012:alerts@eu-west-1"
}

import {
  to = aws_guardduty_detector.this
  id = "00b0@eu-central-1"
}

import {
  to = aws_iam_user.this
  id = "ops@eu-west-1"
}
"""


@pytest.mark.terraform
def test_a_region_at_the_end_of_an_import_id_is_read_as_terraform_does(environ: dict[str, str], tmp_path: Path):
    """That of the module is no other import, that of another is refused, and a user's name is left alone."""
    (tmp_path / "main.tf").write_text(IMPORTS, encoding="utf-8")
    terraform(tmp_path, environ, "init", "-input=false")
    terraform(tmp_path, environ, "plan", "-input=false", "-out=plan")
    plan = json.loads(terraform(tmp_path, environ, "show", "-json", "plan"))
    changes = {e["address"]: e["change"] for e in plan["resource_changes"]}
    imports = {address: change["importing"]["id"] for address, change in changes.items()}
    topic = "arn:aws:sns:eu-west-1:123456789012:alerts"
    assert imports == {
        "aws_guardduty_detector.this": "00b0@eu-central-1",
        "aws_iam_user.this": "ops@eu-west-1",
        "aws_sns_topic.this": f"{topic}@eu-west-1",
    }
    assert {a: (c["before"]["id"], c["before"].get("region")) for a, c in changes.items()} == {
        "aws_guardduty_detector.this": ("00b0", "eu-central-1"),
        "aws_iam_user.this": ("ops@eu-west-1", None),
        "aws_sns_topic.this": (topic, "eu-west-1"),
    }
    # As with the real provider, the region of the state wins over that of the module's provider.
    assert changes["aws_sns_topic.this"]["after"]["region"] == "eu-west-1"
    (found,) = judge_imports(plan, imports, ATTRIBUTION)
    assert found.summary == "The plan imports aws_sns_topic.this from eu-west-1, and its module is in eu-central-1."
