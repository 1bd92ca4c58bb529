"""What becomes of what an account has: proposals, edits, and what is taken back when the next plan shows no gain."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import pytest

from toolkit.adoption import Adoption, Choice
from toolkit.environment.source import Problem
from toolkit.environment.splice import DELETE
from toolkit.errors import UsageError
from toolkit.plan.guards import Existing
from toolkit.plan.model import Action, AttributeChange, Change, Marker, Plan
from toolkit.resources.reading import Live

POLICY = "module.password_policy.aws_iam_account_password_policy.this"
RECORDER = "module.config_eu_central_1.aws_config_configuration_recorder.this"
CHANNEL = "module.config_eu_central_1.aws_config_delivery_channel.this"
BUCKET = "module.config_delivery.module.bucket.aws_s3_bucket.this"
BUCKET_POLICY = "module.config_delivery.module.bucket.aws_s3_bucket_policy.this"
MFA = "module.mfa_enforcement.aws_iam_policy.this"
GROUP = 'module.iam_groups.aws_iam_group.this["developers"]'
DETECTOR = "module.guardduty_eu_central_1.aws_guardduty_detector.this"
ALIAS = 'module.account_defaults_global.aws_iam_account_alias.this["acme"]'
COMPONENTS = (
    *("password_policy", "config", "mfa_enforcement", "iam_groups", "guardduty", "account_defaults", "iam_roles"),
    *("activity_alarms", "cloudtrail"),
)


def change(address: str, action: Action = Action.CREATE, **values: Any) -> Change:
    kind, name = address.split("[", maxsplit=1)[0].split(".")[-2:]
    component = next(c for c in COMPONENTS if address.startswith(f"module.{c}"))
    before, after = values.pop("before", {}), values.pop("after", {})
    forced = tuple(AttributeChange(path, None, None, True) for path in values.pop("forced", ()))
    return Change(address, kind, name, action, component, "eu-central-1", forced, before, after, **values)


def found(
    key: dict[str, str],
    called: str,
    import_id: str | None,
    *,
    overwritten: bool = False,
    managed_by: str | None = None,
    **values: Any,
) -> Existing:
    live = Live(key, {**key, **values}, called, import_id, managed_by=managed_by)
    return Existing(live.values if overwritten else {}, overwritten, import_id, called, live=live)


def plan(*changes: Change) -> Plan:
    return Plan("1.11.4", changes, (), 0)


def written(adoption: Adoption) -> dict[str, Any]:
    return {".".join(e.path) if e.path[0] != "imports" else e.path[1]: e.value for e in adoption.edits}


def policy(length: int) -> Change:
    return change(POLICY, after={"minimum_password_length": length, "max_password_age": 90})


THEIRS = found({}, "a password policy", "its-id", overwritten=True, minimum_password_length=24, max_password_age=120)


def test_the_stronger_of_both_values_is_set_with_where_it_comes_from():
    adoption = Adoption()
    assert adoption.next(plan(policy(14)), {POLICY: THEIRS})

    assert written(adoption) == {"components.password_policy.minimum_password_length": 24, POLICY: "its-id"}
    (edit,) = [e for e in adoption.edits if e.path[0] == "components"]
    assert edit.comment == "24 as a password policy has it, not 14"
    # The plan of the edited file: an import that weakens nothing.
    imported = change(
        POLICY,
        Action.UPDATE,
        before={"minimum_password_length": 24, "max_password_age": 120},
        after={"minimum_password_length": 24, "max_password_age": 90},
        imported=True,
    )
    assert not adoption.next(plan(imported), {})
    assert [d.choice for d in adoption.decisions.values()] == [Choice.ADOPT]


def test_an_edit_that_did_not_help_is_taken_back_and_told():
    adoption = Adoption()
    adoption.next(plan(policy(14)), {POLICY: THEIRS})
    still = change(
        POLICY, Action.UPDATE, before={"minimum_password_length": 24}, after={"minimum_password_length": 14},
        imported=True,
    )  # fmt: skip
    assert adoption.next(plan(still), {})
    assert written(adoption) == {POLICY: "its-id"}
    assert adoption.decisions[POLICY].open == "minimum_password_length would become weaker (24 → 14)"
    assert not adoption.next(plan(still), {})


def test_a_value_that_the_environment_file_refuses_is_taken_back():
    adoption = Adoption()
    adoption.next(plan(policy(14)), {POLICY: THEIRS})
    path = "components.password_policy.minimum_password_length"
    assert adoption.reject([Problem(3, path, "24", "less")])
    assert written(adoption) == {POLICY: "its-id"}
    assert not adoption.reject([Problem(3, "regions.home", "x", "y")])


ROLE = 'module.iam_roles.aws_iam_role.break_glass["emergency"]'
ROLE_POLICY = 'module.iam_roles.aws_iam_role_policy.break_glass["emergency"]'
OTHER_POLICY = 'module.iam_roles.aws_iam_role_policy.break_glass["emergency-baseline"]'


@pytest.fixture
def kept_apart(monkeypatch: pytest.MonkeyPatch) -> Adoption:
    """A role that cannot be adopted, whose name is the key of its policy, too; and the policy met before it."""
    key = "components.iam_roles.break_glass.name"
    monkeypatch.setattr("toolkit.adoption.naming", lambda address, _: (key,) if "aws_iam_role." in address else ())
    monkeypatch.setattr("toolkit.adoption.skipping", lambda *_: ())
    adoption = Adoption(written={"components": {"iam_roles": {"break_glass": {"name": "emergency"}}}})
    policy = change(ROLE_POLICY, after={"role": "emergency", "name": "assume"})
    adoption.next(plan(policy), {ROLE_POLICY: found({}, "a role's policy", "emergency:assume")})
    assert adoption.imports == (ROLE_POLICY,)
    role = change(ROLE, after={"name": "emergency"})
    assert adoption.next(plan(role, policy), {ROLE: found({}, "a role", "emergency", managed_by="a stack")})
    assert written(adoption) == {key: "emergency-baseline"}
    return adoption


def test_what_moves_with_a_name_is_not_imported_where_it_was(kept_apart: Adoption):
    assert kept_apart.imports == ()
    assert list(kept_apart.decisions) == [ROLE]


def test_what_moves_back_is_not_imported_where_it_was(kept_apart: Adoption):
    policy = change(OTHER_POLICY, after={"role": "emergency-baseline", "name": "assume"})
    kept_apart.next(plan(policy), {OTHER_POLICY: found({}, "a role's policy", "emergency-baseline:assume")})
    assert kept_apart.imports == (OTHER_POLICY,)
    destroyed = change('module.iam_roles.aws_iam_role.this["x"]', Action.DELETE, before={"name": "x"})
    assert kept_apart.next(plan(destroyed), {})
    assert kept_apart.imports == ()


LOGS = "module.cloudtrail.module.log_bucket.aws_s3_bucket"


def logged(bucket: str) -> tuple[str, Change]:
    """That access to the bucket of a trail is logged, in the bucket that is called after it."""
    address = f'{LOGS}_logging.this["{bucket}-access-logs"]'
    return address, change(address, after={"bucket": bucket, "target_bucket": f"{bucket}-access-logs"})


def test_what_has_a_name_behind_another_one_moves_with_it():
    adoption = Adoption()
    address, logging = logged("logs")
    there = found({"bucket": "logs"}, "the access logging of logs", "logs", overwritten=True, target_bucket="other")
    bucket = change(f"{LOGS}.this", after={"bucket": "logs"})
    theirs = found({"bucket": "logs"}, "the bucket 'logs'", "logs", managed_by="a stack")
    adoption.next(plan(bucket, logging), {bucket.address: theirs, address: there})
    assert written(adoption) == {"components.cloudtrail.bucket.name": "logs-baseline"}


def test_what_the_configuration_does_not_have_is_not_imported_and_deleted():
    """Whatever moved it: Terraform plans to delete what it imports at an address that nothing has."""
    address, logging = logged("logs")
    there = found({"bucket": "logs"}, "the access logging of logs", "logs", overwritten=True, target_bucket="other")
    deleted = replace(logging, action=Action.DELETE, before=logging.after, after={}, imported=True)
    adoption = Adoption()
    adoption.next(plan(logging), {address: there})
    assert adoption.imports == (address,)
    assert adoption.next(plan(deleted), {})
    assert (adoption.imports, adoption.decisions) == ((), {})
    assert not adoption.next(plan(), {})
    # What the file imports by itself is left to the plan's finding.
    adoption = Adoption(written={"imports": {address: "logs"}})
    assert not adoption.next(plan(deleted), {})
    # A decision that was given cannot be carried out.
    adoption = Adoption(given={address: Choice.ADOPT})
    adoption.next(plan(logging), {address: there})
    with pytest.raises(UsageError, match="adopt is not possible: with the other decisions, no resource has this"):
        adoption.next(plan(deleted), {})


DELIVERY = "module.cloudtrail.aws_iam_role_policy.delivery"


def test_what_would_be_replaced_is_not_imported():
    """The policy of a role that was kept apart, by the setting of another one: Terraform would move it."""
    delivery = change(DELIVERY, after={"role": "delivery", "name": "write"})
    same = found({}, "a role's policy", "delivery:write", overwritten=True, role="delivery", name="write")
    adoption = Adoption()
    adoption.next(plan(delivery), {DELIVERY: same})
    assert written(adoption) == {DELIVERY: "delivery:write"}
    moved = replace(
        delivery, action=Action.REPLACE, before=delivery.after, after={**delivery.after, "role": "delivery-2"},
        imported=True, attributes=(AttributeChange("role", "delivery", "delivery-2", True),),
    )  # fmt: skip
    assert adoption.next(plan(moved), {})
    # There is none of the other role.
    assert not adoption.next(plan(replace(delivery, after=moved.after)), {})
    assert (written(adoption), adoption.decisions) == ({}, {})
    # If there is, it is overwritten: it is not imported a second time.
    assert not adoption.next(plan(delivery), {DELIVERY: same})
    assert written(adoption) == {}
    assert adoption.decisions[DELIVERY].open == "imported, Terraform would replace it"


def test_a_bucket_that_terraform_may_not_empty_stays_so():
    adoption = Adoption(written={"components": {"cloudtrail": {"bucket": {"force_destroy": True}}}})
    values = {"bucket": "logs", "force_destroy": True}
    bucket = change(f"{LOGS}.this", after=values)
    adoption.next(plan(bucket), {bucket.address: found({"bucket": "logs"}, "the bucket 'logs'", "logs")})
    before = {"bucket": "logs", "force_destroy": None}
    adoption.next(plan(replace(bucket, action=Action.UPDATE, before=before, imported=True)), {})
    assert written(adoption) == {bucket.address: "logs", "components.cloudtrail.bucket.force_destroy": False}


def test_what_can_exist_once_is_taken_over_under_its_name():
    adoption = Adoption()
    recorder = change(RECORDER, after={"name": "default"})
    adoption.next(plan(recorder), {RECORDER: found({"name": "acme"}, "the recorder 'acme'", "acme")})
    assert written(adoption) == {"components.config.recorder_name": "acme", RECORDER: "acme"}


def test_the_name_of_an_entry_moves_with_its_address():
    adoption = Adoption(written={"components": {"account_defaults": {"account_alias": "acme"}}})
    alias = found({}, "the account alias 'theirs'", "theirs", overwritten=True, account_alias="theirs")
    adoption.next(plan(change(ALIAS, after={"account_alias": "acme"})), {ALIAS: alias})
    assert written(adoption) == {"components.account_defaults.account_alias": "theirs"}
    moved = ALIAS.replace("acme", "theirs")
    adoption.next(plan(change(moved, after={"account_alias": "theirs"})), {moved: alias})
    assert written(adoption)[moved] == "theirs"


def test_what_terraform_would_replace_is_kept_apart():
    adoption = Adoption()
    theirs = found({"name": "mfa-enforcement"}, "the policy 'mfa-enforcement'", "arn:x")
    adoption.next(plan(change(MFA, after={"name": "mfa-enforcement"})), {MFA: theirs})
    assert written(adoption) == {MFA: "arn:x"}
    replaced = change(
        MFA, Action.REPLACE, after={"name": "mfa-enforcement"}, imported=True, forced=["description"]
    )  # fmt: skip
    assert adoption.next(plan(replaced), {})
    assert written(adoption) == {"components.mfa_enforcement.policy_name": "mfa-enforcement-baseline"}
    decision = adoption.decisions[MFA]
    assert (decision.choice, decision.reason) == (Choice.KEEP, "Terraform would replace it, since description differs")
    # That name is taken, too.
    again = change(MFA, after={"name": "mfa-enforcement-baseline"})
    taken = found({"name": "mfa-enforcement-baseline"}, "the policy 'mfa-enforcement-baseline'", "arn:y")
    assert adoption.next(plan(again), {MFA: taken})
    assert written(adoption) != {"components.mfa_enforcement.policy_name": "mfa-enforcement-baseline"}


@pytest.mark.parametrize("given", [{}, {DETECTOR: Choice.KEEP}])
def test_what_others_manage_is_left_alone_and_the_component_left_out(given: dict[str, Choice]):
    adoption = Adoption(given=given)
    theirs = found({}, "a GuardDuty detector", "d1", managed_by=None if given else "account 111122223333")
    adoption.next(plan(change(DETECTOR)), {DETECTOR: theirs})
    assert written(adoption) == {"components.guardduty": DELETE}
    (edit,) = adoption.edits
    assert str(edit.comment).startswith("guardduty is left out. a GuardDuty detector is left alone: ")
    adoption.require_all_used()


ALLOW = {
    "Effect": "Allow",
    "Principal": {"Service": "config.amazonaws.com"},
    "Action": "s3:PutObject",
    "Resource": "arn:aws:s3:::theirs/AWSLogs/123456789012/*",
    "Condition": {"StringEquals": {"aws:SourceAccount": "123456789012"}},
}


def bucket_round(adoption: Adoption, their_policy: Any) -> None:
    """A channel to a bucket of the account's: the bucket is adopted with it, if its policy lets in nobody else."""
    channel = found({"name": "acme"}, "the channel 'acme'", "acme")
    adoption.next(plan(change(CHANNEL, after={"name": "default", "s3_bucket_name": "ours"})), {CHANNEL: channel})
    imported = change(
        CHANNEL, Action.UPDATE, before={"name": "acme", "s3_bucket_name": "theirs"},
        after={"name": "acme", "s3_bucket_name": "ours"}, imported=True,
    )  # fmt: skip
    adoption.next(plan(imported), {})
    assert written(adoption)["components.config.bucket.name"] == "theirs"
    ours = {"Version": "2012-10-17", "Statement": ALLOW}
    bucket = found({"bucket": "theirs"}, "the bucket 'theirs'", "theirs")
    old = found(
        {"bucket": "theirs"},
        "the policy of 'theirs'",
        "theirs",
        overwritten=True,
        policy=json.dumps({"Version": "2012-10-17", **their_policy}),
    )
    quiet = change(CHANNEL, Action.IMPORT, before={"s3_bucket_name": "theirs"}, after={"s3_bucket_name": "theirs"},
                   imported=True)  # fmt: skip
    after = {"bucket": "theirs", "policy": json.dumps(ours)}
    adoption.next(
        plan(quiet, change(BUCKET, after={"bucket": "theirs"}), change(BUCKET_POLICY, after=after)),
        {BUCKET: bucket, BUCKET_POLICY: old},
    )


def test_a_destination_is_adopted_with_what_writes_to_it():
    adoption = Adoption()
    bucket_round(adoption, {"Statement": [ALLOW]})
    assert written(adoption)["components.config.bucket.name"] == "theirs"
    assert written(adoption)[BUCKET] == "theirs"


@pytest.mark.parametrize(
    "theirs",
    [
        {"Principal": {"Service": "cloudtrail.amazonaws.com"}},
        {"Principal": {"AWS": "arn:aws:iam::111122223333:root"}},
        {"Action": "s3:*"},
        {"Action": ["s3:PutObject", "s3:GetBucketAcl"]},
        {"Resource": ["arn:aws:s3:::theirs/AWSLogs/123456789012/*", "arn:aws:s3:::theirs/AWSLogs/111122223333/*"]},
        {"Resource": "arn:aws:s3:::theirs/*"},
        {"Condition": {"StringEquals": {"aws:SourceAccount": ["123456789012", "111122223333"]}}},
        {"Principle": "a policy that cannot be read"},
    ],
    ids=str,
)
def test_a_destination_that_others_use_is_not(theirs: dict[str, Any]):
    """A grant is lost with its principal, an action, a resource or by a condition; AWS's documented policies name each.

    https://docs.aws.amazon.com/config/latest/developerguide/s3-bucket-policy.html
    """
    adoption = Adoption()
    bucket_round(adoption, {"Statement": [ALLOW, {**ALLOW, **theirs}]})
    assert set(written(adoption)) == {"components.config.delivery_channel_name", CHANNEL}
    # Without it, the channel would lose its bucket: then Config is left to the account.
    imported = change(
        CHANNEL, Action.UPDATE, before={"s3_bucket_name": "theirs"}, after={"s3_bucket_name": "ours"}, imported=True
    )
    adoption.next(plan(imported), {})
    assert written(adoption) == {"components.config": DELETE}
    assert "s3_bucket_name would become weaker" in adoption.decisions[CHANNEL].reason


@pytest.mark.parametrize("name", ["theirs", "acme"], ids=["another name", "the channel's own name"])
def test_a_destination_that_something_else_writes_to_is_not(name: str):
    trail = Live({"name": name}, {}, f"the trail {name!r}", None, type="aws_cloudtrail")
    adoption = Adoption(writers=lambda bucket: [trail] if bucket == "theirs" else [])
    channel = found({"name": "acme"}, "the channel 'acme'", "acme")
    adoption.next(plan(change(CHANNEL, after={"name": "default", "s3_bucket_name": "ours"})), {CHANNEL: channel})
    imported = change(
        CHANNEL,
        Action.UPDATE,
        before={"name": "acme", "s3_bucket_name": "theirs"},
        after={"name": "acme", "s3_bucket_name": "ours"},
        imported=True,
    )
    adoption.next(plan(imported), {})
    assert written(adoption) == {"components.config": DELETE}
    assert f"the trail {name!r} uses it, too" in adoption.decisions[CHANNEL].reason
    # Another component needs Config: left to people.
    assert adoption.reject([Problem(9, "components.security_hub", "needs config", "")])
    assert written(adoption) == {}
    reason = str(adoption.decisions[CHANNEL].open)
    assert "uses it, too; `config` cannot be left out: components.security_hub: needs config" in reason


def test_an_entry_that_only_the_defaults_have_is_never_written():
    """Written alone, it would drop the others."""
    rule = 'module.config_eu_central_1.aws_config_config_rule.this["iam-password-policy"]'
    theirs = found(
        {"name": "iam-password-policy"}, "the rule", "iam-password-policy", overwritten=True,
        maximum_execution_frequency="One_Hour",
    )  # fmt: skip
    after = {"name": "iam-password-policy", "maximum_execution_frequency": "TwentyFour_Hours"}
    for data, entry in ((None, False), ({"components": {"config": {"rules": {"iam-password-policy": {}}}}}, True)):
        adoption = Adoption(written=data)
        adoption.next(plan(change(rule, after=after)), {rule: theirs})
        assert any(e.path[0] == "components" for e in adoption.edits) is entry


def test_each_resource_is_asked_about_once_and_enter_is_the_safe_choice():
    asked = []

    def decide(proposal: Any) -> Choice | None:
        asked.append((proposal.address, proposal.default))
        return None

    adoption = Adoption(decide=decide)
    existing = {GROUP: found({"name": "developers"}, "the group 'developers'", "developers"), POLICY: THEIRS}
    changes = plan(change(GROUP, after={"name": "developers"}), policy(14))
    adoption.next(changes, existing)
    adoption.next(changes, {POLICY: THEIRS})
    assert asked == [(GROUP, Choice.ADOPT), (POLICY, Choice.ADOPT)]


def test_no_safe_choice_ever_replaces():
    for managed in (None, "CloudFormation"):
        for import_id in (None, "id"):
            for overwritten in (True, False):
                adoption = Adoption()
                theirs = found({}, "it", import_id, overwritten=overwritten, managed_by=managed, status="x")
                adoption.next(plan(change(DETECTOR)), {DETECTOR: theirs})
                assert adoption.decisions[DETECTOR].proposal.default is not Choice.REPLACE
                assert adoption.decisions[DETECTOR].choice is not Choice.REPLACE


def test_replace_imports_it_and_sets_nothing():
    adoption = Adoption(given={RECORDER: Choice.REPLACE})
    recorder = change(RECORDER, after={"name": "default"})
    adoption.next(plan(recorder), {RECORDER: found({"name": "acme"}, "the recorder 'acme'", "acme")})
    assert written(adoption) == {RECORDER: "acme"}


def test_decisions_that_contradict_each_other_are_refused():
    adoption = Adoption(given={RECORDER: Choice.ADOPT, CHANNEL: Choice.KEEP})
    existing = {
        RECORDER: found({"name": "acme"}, "the recorder 'acme'", "acme"),
        CHANNEL: found({"name": "acme"}, "the channel 'acme'", "acme"),
    }
    changes = plan(change(RECORDER, after={"name": "default"}), change(CHANNEL, after={"name": "default"}))
    with pytest.raises(UsageError, match=f"contradictory decisions: adopt for {RECORDER} and keep for {CHANNEL}"):
        adoption.next(changes, existing)


def test_a_decision_that_cannot_be_carried_out_is_refused():
    adoption = Adoption(given={DETECTOR: Choice.ADOPT})
    with pytest.raises(UsageError, match=r"adopt is not possible: Terraform cannot import it"):
        adoption.next(plan(change(DETECTOR)), {DETECTOR: found({}, "a detector", None)})


def test_a_decision_for_what_is_not_there_is_refused_with_the_nearest():
    adoption = Adoption(given={POLICY.replace("this", "thsi"): Choice.ADOPT})
    adoption.next(plan(policy(14)), {POLICY: THEIRS})
    with pytest.raises(UsageError, match=rf"what is not there: .*thsi; did you mean '{POLICY}'"):
        adoption.require_all_used()


def test_another_spelling_is_left_to_people():
    adoption = Adoption()
    live = Live({"name": "Developers"}, {"name": "Developers"}, "the group 'Developers'", "Developers")
    theirs = Existing({}, False, "Developers", live.called, spelled="Developers", live=live)
    adoption.next(plan(change(GROUP, after={"name": "developers"})), {GROUP: theirs})
    assert written(adoption) == {}
    assert "spell it 'Developers'" in str(adoption.decisions[GROUP].open)


def test_what_nobody_can_say_the_manager_of_is_left_alone():
    adoption = Adoption()
    theirs = replace(found({}, "a GuardDuty detector", "d1"), manager_unread="tag:GetResources: denied")
    adoption.next(plan(change(DETECTOR)), {DETECTOR: theirs})
    assert written(adoption) == {"components.guardduty": DELETE}
    assert adoption.decisions[DETECTOR].reason == "who manages it cannot be read: tag:GetResources: denied"


@pytest.mark.parametrize("choice", [Choice.ADOPT, Choice.REPLACE])
def test_what_another_account_owns_is_never_adopted(choice: Choice):
    theirs = found({}, "a GuardDuty detector", "d1")
    arn = "arn:aws:guardduty:eu-central-1:111122223333:detector/d1"
    theirs = replace(theirs, live=replace(theirs.live, arn=arn, account_id="123456789012"))
    with pytest.raises(UsageError, match=f"{choice.value} is not possible: it belongs to account 111122223333"):
        Adoption(decide=lambda _: choice).next(plan(change(DETECTOR)), {DETECTOR: theirs})


OTHER_DETECTOR = DETECTOR.replace("eu_central_1", "eu_west_1")


def test_a_component_that_is_applied_already_is_not_left_out():
    adoption = Adoption()
    meets = {DETECTOR: found({}, "a GuardDuty detector", "d1", managed_by="account 111122223333")}
    adoption.next(plan(change(DETECTOR)), meets)
    assert written(adoption) == {"components.guardduty": DELETE}
    assert adoption.next(plan(change(OTHER_DETECTOR, Action.DELETE)), {})
    assert written(adoption) == {}
    assert adoption.decisions[DETECTOR].open == (
        "managed by account 111122223333; `guardduty` is already applied: leaving it out would destroy "
        f"{OTHER_DETECTOR}"
    )
    assert not adoption.next(plan(change(DETECTOR)), meets)


def test_a_second_resource_of_an_applied_component_is_left_to_people_too():
    adoption = Adoption()
    theirs = found({}, "a GuardDuty detector", "d1", managed_by="account 111122223333")
    third = DETECTOR.replace("eu_central_1", "us_east_1")
    meets = {DETECTOR: theirs, third: theirs}
    both = plan(change(DETECTOR), change(third))
    adoption.next(both, meets)
    adoption.next(plan(change(OTHER_DETECTOR, Action.DELETE)), {})
    assert not adoption.next(both, meets)
    assert all("is already applied" in str(decision.open) for decision in adoption.decisions.values())
    assert len(adoption.decisions) == 2


def test_a_name_that_what_is_applied_has_does_not_change():
    adoption = Adoption()
    meets = {MFA: found({"name": "mfa-enforcement"}, "the policy", None)}
    adoption.next(plan(change(MFA, after={"name": "mfa-enforcement"})), meets)
    path = "components.mfa_enforcement.policy_name"
    assert written(adoption) == {path: "mfa-enforcement-baseline"}
    applied = MFA.replace("this", "applied")
    assert adoption.next(plan(change(applied, Action.REPLACE)), {})
    assert written(adoption) == {}
    assert adoption.decisions[MFA].open == (
        f"Terraform cannot import it; `mfa_enforcement` is already applied: another value of `{path}` would destroy "
        f"{applied}"
    )


def test_a_destruction_that_the_file_asks_for_by_itself_takes_no_decision_back():
    adoption = Adoption()
    meets = {DETECTOR: found({}, "a GuardDuty detector", "d1", managed_by="account 111122223333")}
    gone = change(OTHER_DETECTOR, Action.DELETE)
    adoption.next(plan(change(DETECTOR), gone), meets)
    assert not adoption.next(plan(gone), {})
    assert written(adoption) == {"components.guardduty": DELETE}


def test_a_policy_that_a_plan_knows_only_with_the_import_is_compared_then():
    adoption = Adoption()
    both = {**ALLOW, "Principal": {"Service": ["config.amazonaws.com", "cloudtrail.amazonaws.com"]}}
    theirs, ours = (json.dumps({"Version": "2012-10-17", "Statement": one}) for one in (both, ALLOW))
    old = found({"bucket": "b"}, "the policy of 'b'", "b", overwritten=True, policy=theirs)
    first = change(BUCKET_POLICY, after={"bucket": "b", "policy": Marker.UNKNOWN})
    adoption.next(plan(first), {BUCKET_POLICY: replace(old, values={"bucket": "b"})})
    before, after = {"bucket": "b", "policy": theirs}, {"bucket": "b", "policy": ours}
    adoption.next(plan(change(BUCKET_POLICY, Action.UPDATE, before=before, after=after, imported=True)), {})
    assert "grants less" in str(adoption.decisions[BUCKET_POLICY].open)


PROVIDER = 'module.iam_roles.aws_iam_openid_connect_provider.this["{}"]'
GITHUB, GITLAB = (PROVIDER.format(host) for host in ("token.actions.githubusercontent.com", "gitlab.com"))


def provider(host: str) -> tuple[Change, Existing]:
    url = f"https://{host}"
    theirs = found({"url": url}, f"the identity provider of {host}", f"arn:{host}", managed_by="CloudFormation")
    return change(PROVIDER.format(host), after={"url": url, "client_id_list": ["sts.amazonaws.com"]}), theirs


def test_identity_providers_that_are_kept_are_listed_beside_those_that_are():
    github, gitlab = provider("token.actions.githubusercontent.com"), provider("gitlab.com")
    data = {"components": {"iam_roles": {"existing_oidc_providers": ["example.org"]}}}
    adoption = Adoption(written=data)
    adoption.next(plan(github[0], gitlab[0]), {GITHUB: github[1], GITLAB: gitlab[1]})
    path = "components.iam_roles.existing_oidc_providers"
    assert written(adoption) == {path: ["example.org", "gitlab.com", "token.actions.githubusercontent.com"]}
    assert not any(d.open for d in adoption.decisions.values())
    assert not adoption.next(plan(), {})


def test_an_identity_provider_that_is_met_in_a_later_round_is_added_to_the_list():
    github, gitlab = provider("token.actions.githubusercontent.com"), provider("gitlab.com")
    adoption = Adoption()
    adoption.next(plan(github[0]), {GITHUB: github[1]})
    adoption.next(plan(gitlab[0]), {GITLAB: gitlab[1]})
    hosts = ["token.actions.githubusercontent.com", "gitlab.com"]
    assert written(adoption) == {"components.iam_roles.existing_oidc_providers": hosts}


def test_a_list_that_did_not_help_is_taken_back():
    github = provider("token.actions.githubusercontent.com")
    adoption = Adoption()
    for changes in (True, True, False):
        assert adoption.next(plan(github[0]), {GITHUB: github[1]}) is changes
    assert written(adoption) == {}
    assert "no setting leaves it alone" in str(adoption.decisions[GITHUB].open)


def test_one_entry_is_no_reason_to_leave_out_a_component():
    after, _ = provider("gitlab.com")
    named_otherwise = found({"url": "gitlab.com"}, "the identity provider", None)
    adoption = Adoption()
    for _ in range(3):
        adoption.next(plan(after), {GITLAB: named_otherwise})
    assert written(adoption) == {}
    assert "no setting leaves it alone" in str(adoption.decisions[GITLAB].open)


def test_a_service_linked_role_that_is_there_is_not_created():
    role = 'module.config_delivery.aws_iam_service_linked_role.this["config.amazonaws.com"]'
    service = "config.amazonaws.com"
    theirs = found({"aws_service_name": service}, "the service-linked role", "arn:x", managed_by=service)
    adoption = Adoption()
    adoption.next(plan(change(role, after={"aws_service_name": service})), {role: theirs})
    assert written(adoption) == {"components.config.create_service_linked_role": False}
    assert not adoption.next(plan(), {})


def test_an_alias_that_is_kept_costs_no_component():
    adoption = Adoption(written={"components": {"account_defaults": {"account_alias": "acme"}}})
    alias = found({}, "the account alias 'theirs'", "theirs", overwritten=True, account_alias="theirs",
                  managed_by="CloudFormation")  # fmt: skip
    adoption.next(plan(change(ALIAS, after={"account_alias": "acme"})), {ALIAS: alias})
    assert written(adoption) == {"components.account_defaults.account_alias": None}


TOPIC = "module.activity_alarms.module.alerts.aws_sns_topic.this"
ALARM = 'module.activity_alarms.aws_cloudwatch_metric_alarm.monitor["root-use"]'


@pytest.mark.parametrize("known", [True, False])
def test_what_a_plan_will_know_after_an_import_is_judged_then(known: bool):
    adoption = Adoption()
    arn = "arn:aws:sns:eu-central-1:123456789012:baseline-activity"
    alarm = found({"alarm_name": "b"}, "the alarm 'b'", "b", overwritten=True, alarm_actions=[arn], threshold=1)
    after = {"alarm_name": "b", "alarm_actions": Marker.UNKNOWN, "threshold": 1}
    topic = change(TOPIC, after={"name": "baseline-activity"})
    has = found({"name": "baseline-activity"}, "the topic", arn)
    assert adoption.next(plan(topic, change(ALARM, after=after)), {TOPIC: has, ALARM: alarm})
    assert not adoption.decisions[ALARM].open
    later = {**after, "alarm_actions": [arn]} if known else after
    before = {"alarm_name": "b", "alarm_actions": [arn], "threshold": 1}
    adoption.next(plan(change(ALARM, Action.UPDATE, before=before, after=later, imported=True)), {})
    assert bool(adoption.decisions[ALARM].open) is not known
    assert written(adoption) == {TOPIC: arn, ALARM: "b"}
