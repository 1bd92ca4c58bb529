"""What Shield does already, and for whom: asked of stubs, since moto lacks these calls."""

from __future__ import annotations

import pytest

from toolkit.aws.inventory import Inventory

from .conftest import Stubbed, creates, existing, judged, plan_of, read_existing

pytestmark = pytest.mark.usefixtures("aws")

WEB = "arn:aws:elasticloadbalancing:eu-central-1:123456789012:loadbalancer/app/web/0123456789abcdef"


def test_another_role_of_the_shield_response_team_is_overwritten():
    role = "arn:aws:iam::123456789012:role/theirs"
    plan = creates("aws_shield_drt_access_role_arn_association")
    (found,) = read_existing(plan, Inventory(Stubbed("shield", ("describe_drt_access", {"RoleArn": role})))).values()
    assert (found.overwritten, found.values) == (True, {"role_arn": role})
    assert read_existing(plan, Inventory(Stubbed("shield", ("describe_drt_access", {})))) == {}


def test_what_shield_does_already():
    response = {"Status": "ENABLED", "Action": {"Block": {}}}
    protection = {"Name": "web", "ResourceArn": WEB, "ApplicationLayerAutomaticResponseConfiguration": response}
    there = ("describe_protection", {"Protection": protection})
    resource = "aws_shield_application_layer_automatic_response"
    plan = plan_of("shield", resource, {"resource_arn": WEB, "action": "COUNT"})
    weakens, _note = judged(plan, Stubbed("shield", there))
    assert (weakens.attribute, weakens.evidence, weakens.blocks) == ("action", '"BLOCK" → "COUNT"', True)
    blocks = plan_of("shield", resource, {"resource_arn": WEB, "action": "BLOCK"})
    assert existing(blocks, Stubbed("shield", there)) is None
    assert existing(plan, Stubbed("shield", ("describe_protection", "ResourceNotFoundException"))) is None

    contacts = plan_of("shield", "aws_shield_proactive_engagement", {"emergency_contact": []})
    answer = {"EmergencyContactList": [{"EmailAddress": "security@example.com"}]}
    weakens, note = judged(contacts, Stubbed("shield", ("describe_emergency_contact_settings", answer)))
    assert (weakens.attribute, weakens.blocks) == ("emergency_contact", True)
    assert 'emergency_contact[0].email_address: "security@example.com" → null' in note.evidence
    assert existing(contacts, Stubbed("shield", ("describe_emergency_contact_settings", {}))) is None

    identifier, check = "1234abcd-12ab-34cd-56ef-1234567890ab", "abcd1234-12ab-34cd-56ef-1234567890ab"
    health = "aws_shield_protection_health_check_association"
    checks = plan_of("shield", health, {"shield_protection_id": identifier})
    for ids, import_id in (([check], f"{identifier}+arn:aws:route53:::healthcheck/{check}"), ([], None)):
        answer = {"Protection": {**protection, "HealthCheckIds": ids}}
        found = existing(checks, Stubbed("shield", ("describe_protection", answer)))
        assert (found.import_id if found else None) == import_id
    assert existing(checks, Stubbed("shield", ("describe_protection", "ResourceNotFoundException"))) is None
    assert existing(plan_of("shield", health, {}), Stubbed("shield")) is None

    group = plan_of("shield", "aws_shield_protection_group", {"protection_group_id": "web"})
    answer = {"ProtectionGroup": {"ProtectionGroupId": "web", "Aggregation": "SUM", "Pattern": "ALL", "Members": []}}
    (finding,) = judged(group, Stubbed("shield", ("describe_protection_group", answer)))
    assert finding.blocks
    assert existing(group, Stubbed("shield", ("describe_protection_group", "ResourceNotFoundException"))) is None
