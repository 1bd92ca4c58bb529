"""What an environment applied by an earlier version is told by this one, and that CHANGELOG's consents are enough.

On recorded plans: `before` is what the earlier version had applied.
"""

from __future__ import annotations

import copy
import json
import re
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from toolkit.components.registry import REGISTRY
from toolkit.findings import Consents, Finding
from toolkit.findings.rules import DESTROYS, WEAKENS
from toolkit.plan.guards import judge
from toolkit.plan.model import Attribution, parse_plan

ROOT = Path(__file__).parents[3]
RECORDED = ROOT / "tests" / "plans" / "components"
ATTRIBUTION = Attribution(tuple(REGISTRY), ("eu-central-1", "us-east-1"), "eu-central-1")

CONDITIONS = {"ArnLike": {"aws:SourceArn": "arn:aws:events:eu-central-1:123456789012:rule/baseline-activity-*"}}
"""What topics asked of EventBridge, which sends nothing of the kind."""


RELEASES = sorted((ROOT / "tests" / "upgrades").glob("*/addresses.json"))
_RESOURCE = re.compile(r'^resource "(\w+)" "(\w+)" \{', re.M)
_CALL = re.compile(r'^module "(\w+)" \{\n +source += "(\.[^"]*)"', re.M)
_MOVED = re.compile(r"^moved \{\n +from = (\S+)\n +to   = (\S+)\n\}", re.M)


def resources(folder: Path) -> set[str]:
    """Addresses in a module, and in those that it calls, without instance keys."""
    text = "".join(file.read_text("utf-8") for file in folder.glob("*.tf"))
    nested = {f"module.{label}.{a}" for label, source in _CALL.findall(text) for a in resources(folder / source)}
    return nested | {f"{kind}.{name}" for kind, name in _RESOURCE.findall(text)}


def test_an_address_of_a_release_is_there_or_is_moved() -> None:
    """Otherwise an upgrade deletes what was applied: a trail, a key, a topic with its subscribers."""
    assert RELEASES
    lost = []
    for release in RELEASES:
        for module, addresses in json.loads(release.read_text("utf-8")).items():
            folder = ROOT / "modules" / module
            text = "".join(file.read_text("utf-8") for file in folder.glob("*.tf"))
            moved = {re.sub(r"\[.*?\]", "", old): re.sub(r"\[.*?\]", "", new) for old, new in _MOVED.findall(text)}
            there = resources(folder)
            for address in addresses:
                now = address if address in there else moved.get(address)
                if now not in there:
                    lost.append(f"{release.parent.name}: modules/{module}: {address}: it needs a `moved` block")
    assert lost == []


def earlier_topic(document: dict[str, Any]) -> None:
    """The topic's policy of the version before."""
    kept = [s for s in document["Statement"] if s["Sid"] != "AlarmPublish"]
    for statement in kept:
        if statement["Sid"] == "EventBridgePublish":
            statement["Condition"] = CONDITIONS
    document["Statement"] = kept


def earlier_key(document: dict[str, Any]) -> None:
    """The key's policy of the version before: CloudWatch publishes to these topics since."""
    document["Statement"][1]["Principal"] = {"Service": "events.amazonaws.com"}


EARLIER = [
    ("alarms", "module.activity_alarms.module.alerts.aws_sns_topic_policy.this", earlier_topic),
    ("core", "module.guardduty_notifications.module.alerts.aws_sns_topic_policy.this", earlier_topic),
    ("core", "module.guardduty_notifications.module.alerts.aws_kms_key.topic", earlier_key),
    (
        "trusted_advisor",
        'module.trusted_advisor_us_east_1.module.alerts["topic"].aws_sns_topic_policy.this',
        earlier_topic,
    ),
    ("trusted_advisor", 'module.trusted_advisor_us_east_1.module.alerts["topic"].aws_kms_key.topic', earlier_key),
]


def upgraded(file: str, address: str, earlier: Any) -> list[Finding]:
    plan = json.loads((RECORDED / f"{file}.json").read_text("utf-8"))
    (entry,) = [copy.deepcopy(e) for e in plan["resource_changes"] if e["address"] == address]
    change = entry["change"]
    document = json.loads(change["after"]["policy"])
    earlier(document)
    change["before"] = {**copy.deepcopy(change["after"]), "policy": json.dumps(document)}
    change["actions"] = ["update"]
    change["before_sensitive"], change["after_sensitive"], change["after_unknown"] = {}, {}, {}
    parsed = parse_plan({"format_version": "1.2", "resource_changes": [entry]}, ATTRIBUTION)
    return list(judge(parsed, REGISTRY, {}, {}))


@pytest.mark.parametrize(
    ("file", "address", "earlier"), EARLIER, ids=lambda value: value if isinstance(value, str) else ""
)
def test_topics_that_eventbridge_could_not_publish_to_want_the_consent_that_changelog_names(
    file: str, address: str, earlier: Any
) -> None:
    (finding,) = [f for f in upgraded(file, address, earlier) if f.blocks]
    assert (finding.rule, finding.attribute) == (WEAKENS, "policy")
    named = tuple(re.findall(r"--allow-weaker '([^']+)'", (ROOT / "CHANGELOG.md").read_text("utf-8")))
    assert named
    (consented,) = Consents(weaker=named).apply([finding], date(2026, 1, 1))
    assert not consented.blocks


def changed(file: str, address: str, attribute: str, earlier: Any) -> list[Finding]:
    """What is told where an attribute was another in the version before."""
    plan = json.loads((RECORDED / f"{file}.json").read_text("utf-8"))
    (entry,) = [copy.deepcopy(e) for e in plan["resource_changes"] if e["address"] == address]
    change = entry["change"]
    change["before"] = copy.deepcopy(change["after"])
    change["before"][attribute] = earlier(change["before"][attribute])
    change["actions"] = ["update"]
    change["before_sensitive"], change["after_sensitive"], change["after_unknown"] = {}, {}, {}
    parsed = parse_plan({"format_version": "1.2", "resource_changes": [entry]}, ATTRIBUTION)
    return list(judge(parsed, REGISTRY, {}, {}))


def every_object(selectors: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Selectors of data events that record the trail's own buckets, too."""
    for selector in selectors:
        selector["field_selector"] = [f for f in selector["field_selector"] if f["field"] != "resources.ARN"]
    return selectors


def named_otherwise(selectors: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """The selector of management events under its earlier name, by which scanners did not recognize it."""
    return [{**s, "name": "management" if s["name"] == "Management events selector" else s["name"]} for s in selectors]


def test_a_selector_of_a_trail_that_gets_another_name_is_no_finding() -> None:
    address = "module.cloudtrail.aws_cloudtrail.this"
    assert changed("core", address, "advanced_event_selector", named_otherwise) == []
    narrower = changed("core", address, "advanced_event_selector", lambda s: [*s, {"name": "x", "field_selector": []}])
    assert [f.rule for f in narrower] == [WEAKENS]


def test_a_monitor_that_looks_for_more_is_no_finding() -> None:
    address = 'module.activity_alarms.aws_cloudwatch_log_metric_filter.monitor["organizations_changes"]'
    earlier = "||($.eventName=CancelHandshake)"
    assert changed("alarms", address, "pattern", lambda pattern: pattern.replace(earlier, "", 1)) == []
    (less,) = changed("alarms", address, "pattern", lambda p: p.replace(earlier, f"{earlier}||($.eventName=x)", 1))
    assert less.rule is WEAKENS


def of_the_default(_: str) -> str:
    return json.dumps({"MaxPasswordAge": "90", "MinimumPasswordLength": "20", "PasswordReusePrevention": "24"})


@pytest.mark.parametrize(
    ("file", "address", "attribute", "earlier"),
    [
        ("core", "module.cloudtrail.aws_cloudtrail.this", "advanced_event_selector", every_object),
        (
            "core",
            'module.config_eu_central_1.aws_config_config_rule.this["iam-password-policy"]',
            "input_parameters",
            of_the_default,
        ),
    ],
)
def test_what_detects_less_on_purpose_wants_the_consent_that_changelog_names(
    file: str, address: str, attribute: str, earlier: Any
) -> None:
    found = [f for f in changed(file, address, attribute, earlier) if f.blocks]
    assert {(f.rule, (f.attribute or "").split(".")[0].split("[")[0]) for f in found} == {(WEAKENS, attribute)}
    assert all_consented(found)


def test_an_export_from_regions_that_had_to_be_enabled_wants_the_consent_that_changelog_names() -> None:
    regional = ["guardduty.amazonaws.com", "guardduty.me-south-1.amazonaws.com"]
    found: list[Finding] = []
    for address in (
        "module.guardduty_export.aws_kms_key.this",
        "module.guardduty_export.module.bucket.aws_s3_bucket_policy.this",
    ):
        plan = json.loads((RECORDED / "core.json").read_text("utf-8"))
        (entry,) = [e for e in plan["resource_changes"] if e["address"] == address]
        change = entry["change"]
        change["before"] = copy.deepcopy(change["after"])
        document = json.loads(change["after"]["policy"])
        for statement in document["Statement"]:
            if statement["Principal"] == {"Service": "guardduty.amazonaws.com"}:
                statement["Principal"] = {"Service": regional}
        change["after"]["policy"] = json.dumps(document)
        change["actions"] = ["update"]
        change["before_sensitive"], change["after_sensitive"], change["after_unknown"] = {}, {}, {}
        parsed = parse_plan({"format_version": "1.2", "resource_changes": [entry]}, ATTRIBUTION)
        found += [f for f in judge(parsed, REGISTRY, {}, {}) if f.blocks]
    assert {(f.rule, f.attribute) for f in found} == {(WEAKENS, "policy")}
    assert len(found) == 2
    assert all_consented(found)


def test_members_without_standards_want_the_consent_that_changelog_names() -> None:
    address = "module.member_security_eu_central_1.aws_securityhub_organization_configuration.this"
    local: dict[str, Any] = {"organization_configuration": [{"configuration_type": "LOCAL"}], "auto_enable": True}
    entry = {
        "address": f'{address}["LOCAL"]',
        "mode": "managed",
        "type": "aws_securityhub_organization_configuration",
        "name": "this",
        "change": {
            "actions": ["update"],
            "before": {**local, "auto_enable_standards": "DEFAULT"},
            "after": {**local, "auto_enable_standards": "NONE"},
        },
    }
    parsed = parse_plan({"format_version": "1.2", "resource_changes": [entry]}, ATTRIBUTION)
    (finding,) = [f for f in judge(parsed, REGISTRY, {}, {}) if f.blocks]
    assert (finding.rule, finding.attribute) == (WEAKENS, "auto_enable_standards")
    assert all_consented([finding])


def test_a_boundary_that_nothing_uses_is_deleted_with_the_consent_that_changelog_names() -> None:
    address = 'module.iam_roles.aws_iam_policy.boundary["delegation"]'
    plan = json.loads((RECORDED / "identities.json").read_text("utf-8"))
    (entry,) = [copy.deepcopy(e) for e in plan["resource_changes"] if e["address"] == address]
    entry["previous_address"] = "module.iam_roles.aws_iam_policy.boundary"
    change = entry["change"]
    change["before"], change["after"] = change["after"], None
    change["before_sensitive"], change["after_sensitive"], change["after_unknown"] = {}, False, {}
    change["actions"] = ["delete"]
    parsed = parse_plan({"format_version": "1.2", "resource_changes": [entry]}, ATTRIBUTION)
    (finding,) = [f for f in judge(parsed, REGISTRY, {}, {}) if f.blocks]
    assert finding.rule is DESTROYS
    text = (ROOT / "CHANGELOG.md").read_text("utf-8")
    assert finding.rule.id in text
    consents = Consents(destroy=tuple(re.findall(r"--allow-destroy '([^']+)'", text)))
    (consented,) = consents.apply([finding], date(2026, 1, 1))
    assert not consented.blocks


def test_a_boundary_that_a_role_has_is_only_moved() -> None:
    plan = json.loads((RECORDED / "identities.json").read_text("utf-8"))
    address = 'module.iam_roles.aws_iam_policy.boundary["delegation"]'
    (entry,) = [copy.deepcopy(e) for e in plan["resource_changes"] if e["address"] == address]
    entry["previous_address"] = "module.iam_roles.aws_iam_policy.boundary"
    change = entry["change"]
    change["before"], change["actions"] = copy.deepcopy(change["after"]), ["no-op"]
    change["before_sensitive"], change["after_sensitive"], change["after_unknown"] = {}, {}, {}
    parsed = parse_plan({"format_version": "1.2", "resource_changes": [entry]}, ATTRIBUTION)
    assert list(judge(parsed, REGISTRY, {}, {})) == []


def fewer_global_actions(content: str) -> str:
    document = json.loads(content)
    (statement,) = document["Statement"]
    statement["NotAction"] = [a for a in statement["NotAction"] if a.split(":")[0] in ("iam", "sts", "support")]
    return json.dumps(document)


def no_account_of_aws(content: str) -> str:
    document = json.loads(content)
    for statement in document["Statement"]:
        if statement["Sid"] == "OrganizationIdentitiesOnly":
            statement["Condition"]["StringNotEqualsIfExists"] = {"aws:PrincipalOrgID": "o-a1b2c3d4e5"}
    return json.dumps(document)


@pytest.mark.parametrize(
    ("policy", "earlier"), [("baseline-regions", fewer_global_actions), ("baseline-resources", no_account_of_aws)]
)
def test_organization_policies_that_except_more_want_the_consent_that_changelog_names(
    policy: str, earlier: Any
) -> None:
    address = f'module.organization.aws_organizations_policy.control["{policy}"]'
    found = [f for f in changed("organization", address, "content", earlier) if f.blocks]
    assert {(f.rule, f.attribute) for f in found} == {(WEAKENS, "content")}
    assert all_consented(found)


def all_consented(found: list[Finding]) -> bool:
    """Whether CHANGELOG's consents are enough for these findings."""
    named = tuple(re.findall(r"--allow-weaker '([^']+)'", (ROOT / "CHANGELOG.md").read_text("utf-8")))
    return not [f for f in Consents(weaker=named).apply(found, date(2026, 1, 1)) if f.blocks]


def test_switching_ai_protection_off_wants_the_consent_that_upgrading_names() -> None:
    plan = json.loads((RECORDED / "provider6.json").read_text("utf-8"))
    entries = [e for e in plan["resource_changes"] if e["type"] == "aws_guardduty_detector_feature"]
    for entry in entries:
        change = entry["change"]
        change |= {"actions": ["update"], "before": copy.deepcopy(change["after"]), "after_unknown": {}}
        change["after"]["status"] = "DISABLED"
    parsed = parse_plan({"format_version": "1.2", "resource_changes": entries}, ATTRIBUTION)
    found = [f for f in judge(parsed, REGISTRY, {}, {}) if f.blocks]
    assert [(f.rule, f.attribute) for f in found] == [(WEAKENS, "status")] * len(entries) != []
    page = (ROOT / "docs" / "upgrading.md").read_text("utf-8").split("| Back to version 5 |")[1]
    named = tuple(re.findall(r"--allow-weaker '([^']+)'", page))
    assert not [f for f in Consents(weaker=named).apply(found, date(2026, 1, 1)) if f.blocks]
