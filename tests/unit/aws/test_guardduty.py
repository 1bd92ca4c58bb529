"""What a detector does, what it does for an organization's accounts, and who administers it: moto, and stubs."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from toolkit.aws.session import AwsSession
from toolkit.plan.guards import Existing

from .conftest import REGION, Stubbed, client, existing, judged, plan_of, read_and_judged

pytestmark = pytest.mark.usefixtures("aws")

DETECTOR = ("list_detectors", {"DetectorIds": ["12abc34d567e8fa901bc2d34e56789f0"]})
MEMBERS = {"MemberAccountLimitReached": False, "AutoEnableOrganizationMembers": "ALL"}
IMPORTED = ("aws_guardduty_detector", {"enable": True})


def make_detector(status: str = "ENABLED") -> str:
    agents = [{"Name": "EC2_AGENT_MANAGEMENT", "Status": "ENABLED"}]
    features = [
        {"Name": "S3_DATA_EVENTS", "Status": status},
        {"Name": "RUNTIME_MONITORING", "Status": status, "AdditionalConfiguration": agents},
    ]
    return str(client("guardduty").create_detector(Enable=True, Features=features)["DetectorId"])


def test_a_protection_plan_that_is_on_does_not_go_off_unseen():
    identifier = make_detector()
    values = {"name": "S3_DATA_EVENTS", "status": "DISABLED", "detector_id": identifier}
    weakens, note = judged(plan_of("guardduty", "aws_guardduty_detector_feature", values, imports=IMPORTED))
    assert weakens.blocks
    assert (weakens.attribute, weakens.evidence) == ("status", '"ENABLED" → "DISABLED"')
    assert "S3_DATA_EVENTS of the GuardDuty detector in eu-central-1" in note.summary
    on = {**values, "status": "ENABLED"}
    assert judged(plan_of("guardduty", "aws_guardduty_detector_feature", on, imports=IMPORTED)) == []


def test_what_aws_switched_on_with_a_detector_of_ours_goes_off_unasked_what_people_did_does_not():
    """As after an apply that was interrupted between the detector and its plans."""
    created = datetime(2026, 1, 1, tzinfo=UTC)
    values = {"name": "S3_DATA_EVENTS", "status": "DISABLED"}
    plan = plan_of("guardduty", "aws_guardduty_detector_feature", values)

    def answers(updated: datetime) -> Stubbed:
        feature = {"Name": "S3_DATA_EVENTS", "Status": "ENABLED", "UpdatedAt": updated}
        detector = {"Status": "ENABLED", "ServiceRole": "x", "CreatedAt": "2026-01-01T00:00:00.000Z"}
        return Stubbed(
            "guardduty",
            ("list_detectors", {"DetectorIds": ["12abc34d"]}),
            ("get_detector", {**detector, "Features": [feature]}),
        )

    assert judged(plan, answers(created + timedelta(seconds=1))) == []
    weakens, _note = judged(plan, answers(created + timedelta(days=1)))
    assert weakens.blocks


def test_agents_are_compared_by_name():
    make_detector()
    agents = [
        {"name": "EKS_ADDON_MANAGEMENT", "status": "DISABLED"},
        {"name": "EC2_AGENT_MANAGEMENT", "status": "DISABLED"},
    ]
    values = {"name": "RUNTIME_MONITORING", "status": "ENABLED", "additional_configuration": agents}
    found = judged(plan_of("guardduty", "aws_guardduty_detector_feature", values, imports=IMPORTED))
    assert [f.attribute for f in found if f.blocks] == ['additional_configuration["EC2_AGENT_MANAGEMENT"].status']


def test_an_export_of_findings_that_is_there_collides():
    plan = plan_of("guardduty", "aws_guardduty_publishing_destination", {"destination_type": "S3"})
    detectors = ("list_detectors", {"DetectorIds": ["12abc34d"]})
    destination = {"DestinationId": "56ef", "DestinationType": "S3", "Status": "PUBLISHING"}
    found = existing(
        plan, Stubbed("guardduty", detectors, ("list_publishing_destinations", {"Destinations": [destination]}))
    )
    assert found is not None
    assert (found.overwritten, found.import_id) == (False, "12abc34d:56ef")
    nothing = Stubbed("guardduty", detectors, ("list_publishing_destinations", {"Destinations": []}))
    assert existing(plan, nothing) is None
    assert existing(plan, Stubbed("guardduty", ("list_detectors", {"DetectorIds": []}))) is None


def test_who_administers_guardduty_here():
    client("guardduty").enable_organization_admin_account(AdminAccountId="111122223333")
    found = existing(
        plan_of("organization", "aws_guardduty_organization_admin_account", {"admin_account_id": "444455556666"})
    )
    assert found == Existing({}, False, "111122223333", f"111122223333 as administrator of GuardDuty in {REGION}")


def guardduty(answer: dict[str, Any] | str) -> Stubbed:
    return Stubbed("guardduty", DETECTOR, ("describe_organization_configuration", answer), DETECTOR)


def test_fewer_accounts_than_now_are_refused() -> None:
    configuration = "aws_guardduty_organization_configuration"
    found, findings = read_and_judged(configuration, guardduty(MEMBERS), auto_enable_organization_members="NEW")
    assert found is not None
    assert found.values == {"auto_enable_organization_members": "ALL"}
    assert any(f.blocks and f.evidence == '"ALL" → "NEW"' for f in findings)
    assert read_and_judged(configuration, guardduty(MEMBERS), auto_enable_organization_members="ALL") == (None, [])


def test_a_plan_that_is_on_for_members_is_not_switched_off_unseen() -> None:
    answer = {**MEMBERS, "Features": [{"Name": "S3_DATA_EVENTS", "AutoEnable": "ALL"}]}
    feature = "aws_guardduty_organization_configuration_feature"
    _, findings = read_and_judged(feature, guardduty(answer), name="S3_DATA_EVENTS", auto_enable="NONE")
    assert any(f.blocks for f in findings)
    assert read_and_judged(feature, guardduty(answer), name="EKS_AUDIT_LOGS", auto_enable="NONE") == (None, [])


@pytest.mark.parametrize(
    "clients", [Stubbed("guardduty", ("list_detectors", {"DetectorIds": []})), guardduty("BadRequestException")]
)
def test_an_account_that_administers_nothing_overwrites_nothing(clients: AwsSession) -> None:
    values = {"auto_enable_organization_members": "NONE"}
    assert read_and_judged("aws_guardduty_organization_configuration", clients, **values) == (None, [])
