"""What accounts are known to have: from AWS's answers, as it documents them, to what is proposed and edited."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

import pytest

from toolkit.adoption import Adoption, Choice
from toolkit.environment.splice import DELETE
from toolkit.plan.existing import existing, existing_wanted
from toolkit.plan.guards import Existing
from toolkit.plan.model import Action, Change, Plan
from toolkit.resources import managers
from toolkit.resources.reading import Live
from toolkit.resources.registry import RESOURCES

HOME, OTHER = "eu-central-1", "us-east-1"
OWN, MANAGEMENT = "123456789012", "111122223333"


@dataclass
class Recorded:
    """An account that answers what was recorded."""

    answers: Mapping[str, Any]
    account_id: str = OWN
    home_region: str = HOME
    simulated: bool = False
    called: list[tuple[str, Mapping[str, Any]]] = field(default_factory=list)

    def call(self, service: str, operation: str, region: str, **parameters: Any) -> Any:
        self.called.append((operation, parameters))
        answer = self.answers.get(operation)
        return answer(region, parameters) if callable(answer) else answer

    def pages(self, service: str, operation: str, key: str, region: str, **parameters: Any) -> tuple[Any, ...]:
        return tuple((self.call(service, operation, region, **parameters) or {}).get(key, ()))


def find(account: Recorded, change: Change) -> Live | None:
    """What the account has of a create, and who manages it."""
    reading = RESOURCES[change.type].reading
    assert reading is not None
    planned = {**reading.assumed, **change.after}
    if reading.finds is not None:
        live = reading.finds(account, change.region, planned)  # type: ignore[arg-type]
    else:
        assert reading.lists is not None
        every = reading.lists(account, change.region)  # type: ignore[arg-type]
        live = next((one for one in every if RESOURCES[change.type].is_of(one, planned)), None)
    if live is None:
        return None
    live = replace(live, type=change.type, region=change.region, account_id=account.account_id)
    who = live.managed_by or managers.by_owner_or_name(live)
    who = managers.by_administrator(account, change.type, change.region) or who  # type: ignore[arg-type]
    return replace(live, managed_by=who)


def adopted(account: Recorded, change: Change, **data: Any) -> Adoption:
    plan = Plan("1.11.4", (change,), (), 0)
    (wanted,) = existing_wanted(plan)
    adoption = Adoption(written=data)
    adoption.next(plan, existing(plan, {wanted: find(account, change)}))  # type: ignore[arg-type]
    return adoption


def create(address: str, component: str, **after: Any) -> Change:
    kind, name = address.split("[", maxsplit=1)[0].split(".")[-2:]
    return Change(address, kind, name, Action.CREATE, component, HOME, (), {}, after)


def trail(name: str, *, account: str = OWN, home: str = HOME, organization: bool = False) -> dict[str, Any]:
    return {
        "Name": name,
        "TrailARN": f"arn:aws:cloudtrail:{home}:{account}:trail/{name}",
        "HomeRegion": home,
        "S3BucketName": "theirs",
        "IsMultiRegionTrail": True,
        "IsOrganizationTrail": organization,
    }


def trails(*every: dict[str, Any]) -> dict[str, Any]:
    """As DescribeTrails answers: without shadow trails, neither other regions' nor, in members, the organization's."""

    def describe(region: str, parameters: Mapping[str, Any]) -> Any:
        shadows = parameters.get("includeShadowTrails", True)
        own = [t for t in every if t["HomeRegion"] == region and f":{OWN}:" in t["TrailARN"]]
        return {"trailList": list(every) if shadows else own}

    return {"describe_trails": describe}


TRAIL = create("module.cloudtrail.aws_cloudtrail.this", "cloudtrail", name="baseline")
RECORDER = create("module.config_eu_central_1.aws_config_configuration_recorder.this", "config", name="default")
CHANNEL = create("module.config_eu_central_1.aws_config_delivery_channel.this", "config", name="default")
DETECTOR = create("module.guardduty_eu_central_1.aws_guardduty_detector.this", "guardduty", enable=True)
ROLE = create(
    'module.config_delivery.aws_iam_service_linked_role.this["config.amazonaws.com"]', "config",
    aws_service_name="config.amazonaws.com",
)  # fmt: skip
GROUP = create('module.iam_groups.aws_iam_group.this["developers"]', "iam_groups", name="developers")
POLICY = create("module.mfa_enforcement.aws_iam_policy.this", "mfa_enforcement", name="mfa-enforcement")
ORGANIZATION = create("module.organization.aws_organizations_organization.this", "organization", feature_set="ALL")


def recorders(name: str, **more: Any) -> dict[str, Any]:
    return {"describe_configuration_recorders": {"ConfigurationRecorders": [{"name": name, "roleARN": "r", **more}]}}


def channels(name: str) -> dict[str, Any]:
    return {"describe_delivery_channels": {"DeliveryChannels": [{"name": name, "s3BucketName": "theirs"}]}}


def iam(operation: str, key: str, **entry: Any) -> dict[str, Any]:
    return {operation: {key: [entry]}}


SERVICE_ROLE = {
    "RoleName": "AWSServiceRoleForConfig",
    "Path": "/aws-service-role/config.amazonaws.com/",
    "Arn": f"arn:aws:iam::{OWN}:role/aws-service-role/config.amazonaws.com/AWSServiceRoleForConfig",
}
OTHERS_DETECTOR = {
    "list_detectors": {"DetectorIds": ["d1"]},
    "get_administrator_account": {"Administrator": {"AccountId": MANAGEMENT}},
}

POLICY_ARN = f"arn:aws:iam::{OWN}:policy/mfa-enforcement"


def organization(account: str) -> dict[str, Any]:
    arn = f"arn:aws:organizations::{account}:organization/o-exampleorgid"
    found = {"Id": "o-exampleorgid", "Arn": arn, "FeatureSet": "ALL", "MasterAccountId": account}
    return {"describe_organization": {"Organization": found}}


ROWS: dict[str, tuple[dict[str, Any], Change, Choice | None, dict[str, Any]]] = {
    "a trail of another name is beside ours": (trails(trail("legacy")), TRAIL, None, {}),
    "of several trails, the one that has our name": (
        trails(trail("legacy"), trail("baseline"), trail("third")), TRAIL, Choice.ADOPT,
        {"imports.module.cloudtrail.aws_cloudtrail.this": f"arn:aws:cloudtrail:{HOME}:{OWN}:trail/baseline"},
    ),
    "the organization's trail, from a member account": (
        trails(trail("baseline", account=MANAGEMENT, organization=True)), TRAIL, Choice.KEEP,
        {"components.cloudtrail.name": "baseline-2"},
    ),
    "the organization's trail of another region": (
        trails(trail("baseline", account=MANAGEMENT, home=OTHER, organization=True)), TRAIL, Choice.KEEP,
        {"components.cloudtrail.name": "baseline-2"},
    ),
    "the organization's trail beside our own": (
        trails(trail("baseline", account=MANAGEMENT, organization=True), trail("baseline")), TRAIL, Choice.ADOPT,
        {"imports.module.cloudtrail.aws_cloudtrail.this": f"arn:aws:cloudtrail:{HOME}:{OWN}:trail/baseline"},
    ),
    "the organization's trail, in its management account": (
        trails(trail("baseline", organization=True)), TRAIL, Choice.ADOPT,
        {"imports.module.cloudtrail.aws_cloudtrail.this": f"arn:aws:cloudtrail:{HOME}:{OWN}:trail/baseline"},
    ),
    "Control Tower's trail": (
        trails(trail("aws-controltower-BaselineCloudTrail", account=MANAGEMENT, organization=True)),
        replace(TRAIL, after={"name": "aws-controltower-BaselineCloudTrail"}), Choice.KEEP,
        {"components.cloudtrail.name": "aws-controltower-BaselineCloudTrail-baseline"},
    ),
    "a recorder of another name": (
        recorders("acme"), RECORDER, Choice.ADOPT,
        {"components.config.recorder_name": "acme", f"imports.{RECORDER.address}": "acme"},
    ),
    "Control Tower's recorder": (
        recorders("aws-controltower-BaselineConfigRecorder"), RECORDER, Choice.KEEP, {"components.config": DELETE},
    ),
    "a recorder of a service": (
        recorders("AWSConfigurationRecorderForX", servicePrincipal="x.amazonaws.com"), RECORDER, Choice.KEEP,
        {"components.config": DELETE},
    ),
    "a channel of another name": (
        channels("acme"), CHANNEL, Choice.ADOPT,
        {"components.config.delivery_channel_name": "acme", f"imports.{CHANNEL.address}": "acme"},
    ),
    "Control Tower's channel": (
        channels("aws-controltower-BaselineConfigDeliveryChannel"), CHANNEL, Choice.KEEP,
        {"components.config": DELETE},
    ),
    "a detector": (
        {"list_detectors": {"DetectorIds": ["d1"]}}, DETECTOR, Choice.ADOPT, {f"imports.{DETECTOR.address}": "d1"},
    ),
    "a detector that an administrator account manages": (
        OTHERS_DETECTOR, DETECTOR, Choice.KEEP, {"components.guardduty": DELETE},
    ),
    "a detector of the administrator account itself": (
        {**OTHERS_DETECTOR, "get_administrator_account": {"Administrator": {"AccountId": OWN}}}, DETECTOR,
        Choice.ADOPT, {f"imports.{DETECTOR.address}": "d1"},
    ),
    "a service-linked role": (
        iam("list_roles", "Roles", **SERVICE_ROLE), ROLE, Choice.KEEP,
        {"components.config.create_service_linked_role": False},
    ),
    "a group of our name": (
        iam("list_groups", "Groups", GroupName="developers", Path="/", Arn=f"arn:aws:iam::{OWN}:group/developers"),
        GROUP, Choice.ADOPT, {f"imports.{GROUP.address}": "developers"},
    ),
    "a policy of our name": (
        iam("list_policies", "Policies", PolicyName="mfa-enforcement", Path="/", Arn=POLICY_ARN),
        POLICY, Choice.ADOPT, {f"imports.{POLICY.address}": POLICY_ARN},
    ),
    "the organization, in its management account": (
        organization(OWN), ORGANIZATION, Choice.ADOPT,
        {f"imports.{ORGANIZATION.address}": "o-exampleorgid"},
    ),
    "the organization, from a member account": (
        organization(MANAGEMENT), ORGANIZATION,
        Choice.KEEP, {"components.organization": DELETE},
    ),
}  # fmt: skip


@pytest.mark.parametrize(("answers", "change", "choice", "edits"), ROWS.values(), ids=ROWS)
def test_it_knows(answers: dict[str, Any], change: Change, choice: Choice | None, edits: dict[str, Any]):
    adoption = adopted(Recorded(answers), change)
    assert [d.choice for d in adoption.decisions.values()] == ([] if choice is None else [choice])
    assert {".".join(edit.path): edit.value for edit in adoption.edits} == edits


def test_a_trail_of_all_regions_is_met_once():
    account = Recorded({**trails(trail("one"), trail("two", home=OTHER), trail("org", account=MANAGEMENT))})
    lists = RESOURCES["aws_cloudtrail"].reading.lists
    found = [(region, one.key["name"]) for region in (HOME, OTHER, "eu-west-1") for one in lists(account, region)]
    assert found == [(HOME, "one"), (HOME, "org"), (OTHER, "two")]


def test_what_writes_to_a_bucket_has_the_organizations_trail():
    account = Recorded(trails(trail("org", account=MANAGEMENT, organization=True)))
    (found,) = RESOURCES["aws_cloudtrail"].reading.lists(account, HOME)
    assert found.values["s3_bucket_name"] == "theirs"
    assert managers.other_account(replace(found, account_id=OWN)) == MANAGEMENT


def document(*actions: str, effect: str = "Deny") -> str:
    return json.dumps({"Statement": [{"Effect": effect, "Action": list(actions), "Resource": "*"}]})


@pytest.mark.parametrize(
    ("theirs", "kept"),
    [(document("iam:*", "s3:*"), True), (document("iam:*"), False), (document("s3:GetObject", effect="Allow"), False)],
    ids=["denies more", "the same", "allows what ours does not"],
)
def test_a_policy_of_our_name_with_other_content_is_kept_if_it_denies_more(theirs: str, kept: bool):
    answers = iam("list_policies", "Policies", PolicyName="mfa-enforcement", Path="/", Arn=POLICY_ARN)
    adoption = adopted(Recorded(answers), POLICY)
    before, after = ({"name": "mfa-enforcement", "policy": text} for text in (theirs, document("iam:*")))
    imported = replace(POLICY, action=Action.UPDATE, imported=True, before=before, after=after)
    adoption.next(Plan("1.11.4", (imported,), (), 0), {})
    renamed = {"components.mfa_enforcement.policy_name": "mfa-enforcement-baseline"}
    edits = {".".join(edit.path): edit.value for edit in adoption.edits}
    assert edits == (renamed if kept else {f"imports.{POLICY.address}": POLICY_ARN})


@pytest.mark.parametrize("theirs", [document("iam:*", "s3:*"), document("iam:*")], ids=["denies more", "the same"])
def test_a_groups_own_policy_with_other_content_is_left_to_people(theirs: str):
    """A create would overwrite it, and no setting names it: what it denies is not dropped unseen."""
    address = 'module.iam_groups.aws_iam_group_policy.inline["developers"]'
    change = create(address, "iam_groups", group="developers", name="developers", policy=document("iam:*"))
    live = Live(
        {"group": "developers", "name": "developers"}, {"policy": theirs}, "the policy", "developers:developers"
    )
    met = Existing(live.values, True, live.import_id, live.called, live=live)
    adoption = Adoption()
    for _ in range(2):
        adoption.next(Plan("1.11.4", (change,), (), 0), {address: met})
    decision = adoption.decisions[address]
    assert bool(decision.open) is (theirs != document("iam:*"))
    assert [edit.path for edit in adoption.edits] == [("imports", address)]
