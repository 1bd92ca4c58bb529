"""An alias and the key behind it go the same way: both are taken over, or both are left alone."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from toolkit.adoption import Adoption, Choice
from toolkit.adoption.keys import alias_of, key_of, keys_wanted, met, settled
from toolkit.errors import UsageError
from toolkit.plan.guards import Existing
from toolkit.plan.model import Action, Change, Plan
from toolkit.resources.reading import Live

MODULES = Path(__file__).parents[3] / "modules"
ALIAS, KEY = "module.cloudtrail.aws_kms_alias.this", "module.cloudtrail.aws_kms_key.this"
OTHER_ALIAS, OTHER_KEY = (
    f"module.activity_alarms.module.alerts.{kind}.topic" for kind in ("aws_kms_alias", "aws_kms_key")
)
REGION, ID = "eu-central-1", "1234abcd-12ab-34cd-56ef-1234567890ab"
TAKEN = {ALIAS: "alias/cloudtrail-baseline", KEY: ID}
RENAMED = {"components.cloudtrail.name": "cloudtrail-baseline-2"}


def statement(sid: str, service: str) -> dict[str, Any]:
    return {
        "Sid": sid, "Effect": "Allow", "Principal": {"Service": service}, "Action": "kms:Decrypt", "Resource": "*"
    }  # fmt: skip


PLANNED = {
    "is_enabled": True,
    "enable_key_rotation": True,
    "rotation_period_in_days": 365,
    "deletion_window_in_days": 30,
    "policy": json.dumps({"Version": "2012-10-17", "Statement": [statement("A", "cloudtrail.amazonaws.com")]}),
}
LIVE = {"description": "", **PLANNED}
del LIVE["deletion_window_in_days"]


def change(address: str, after: dict[str, Any], action: Action = Action.CREATE, **more: Any) -> Change:
    kind, name = address.split(".")[-2:]
    component = address.split(".")[1]
    return Change(address, kind, name, action, component, REGION, (), more.pop("before", {}), after, **more)


def plan(*changes: Change) -> Plan:
    return Plan("1.11.4", changes, (), 0)


def creates(alias: str = ALIAS, key: str = KEY, name: str = "alias/cloudtrail-baseline") -> tuple[Change, Change]:
    return change(alias, {"name": name}), change(key, PLANNED)


def alias(name: str = "alias/cloudtrail-baseline") -> Existing:
    live = Live({"name": name}, {"name": name, "target_key_id": ID}, f"the key alias {name!r}", name)
    return Existing({}, False, live.import_id, live.called, live=live)


def key(**values: Any) -> Live:
    account = values.pop("account", "123456789012")
    arn = f"arn:aws:kms:{REGION}:{account}:key/{ID}"
    manager = values.pop("managed_by", None)
    return Live(
        {"key_id": ID}, {**LIVE, **values}, f"the key {ID}", ID, arn, account_id="123456789012", managed_by=manager
    )


def meets(live: Live | None, the_plan: Plan | None = None) -> dict[str, Existing]:
    the_plan = the_plan or plan(*creates())
    wanted = keys_wanted(the_plan, {ALIAS: alias()})
    assert wanted[KEY].planned == {"key_id": ID}
    return settled({ALIAS: alias(), **({} if live is None else {KEY: met(live)})}, wanted)


def written(adoption: Adoption) -> dict[str, Any]:
    return {".".join(e.path) if e.path[0] != "imports" else e.path[1]: e.value for e in adoption.edits}


def choices(adoption: Adoption) -> dict[str, Choice]:
    return {address: d.choice for address, d in adoption.decisions.items()}


def imported(before: dict[str, Any]) -> Plan:
    name = {"name": "alias/cloudtrail-baseline", "target_key_id": ID}
    return plan(
        change(ALIAS, name, Action.IMPORT, before=name, imported=True),
        change(KEY, PLANNED, Action.UPDATE, before=before, imported=True),
    )


def test_each_alias_of_the_modules_names_the_key_of_its_own_name():
    found = []
    for file in sorted(MODULES.rglob("*.tf")):
        text = file.read_text("utf-8")
        for name, body in re.findall(r'^resource "aws_kms_alias" "(\w+)" \{\n(.*?)^\}', text, re.M | re.S):
            (target,) = re.findall(r"^  target_key_id\s*=\s*(.+)$", body, re.M)
            (its_key,) = re.findall(rf'^resource "aws_kms_key" "{name}" \{{\n(.*?)^\}}', text, re.M | re.S)
            assert target == f"aws_kms_key.{name}.key_id", file
            # Were there several, the keys of their instances would have to be the same.
            assert not re.search(r"^  (for_each|count)\b", body + its_key, re.M), file
            found.append(name)
    assert len(found) == sum(f.read_text("utf-8").count('resource "aws_kms_alias"') for f in MODULES.rglob("*.tf")) > 0


def test_addresses_keep_their_module_calls():
    nested = 'module.trusted_advisor_us_east_1.module.alerts["aws_kms_key."]'
    assert key_of(f"{nested}.aws_kms_alias.topic") == f"{nested}.aws_kms_key.topic"
    assert alias_of(f"{nested}.aws_kms_key.topic") == f"{nested}.aws_kms_alias.topic"
    assert key_of(KEY) is alias_of(ALIAS) is alias_of(f"{nested}.aws_sns_topic.this") is None


def test_the_key_behind_an_adopted_alias_is_imported():
    adoption = Adoption()
    assert adoption.next(plan(*creates()), meets(key()))
    assert written(adoption) == TAKEN
    assert not adoption.next(imported({**LIVE, "deletion_window_in_days": None}), {})
    assert set(choices(adoption).values()) == {Choice.ADOPT}
    assert not any(d.open for d in adoption.decisions.values())


def test_the_key_of_an_alias_that_is_imported_already_is_imported_too():
    target = {"name": "alias/cloudtrail-baseline", "target_key_id": ID}
    the_plan = plan(change(ALIAS, target, Action.UPDATE, before=target, imported=True), change(KEY, PLANNED))
    wanted = keys_wanted(the_plan, {})
    adoption = Adoption()
    adoption.next(the_plan, settled({KEY: met(key())}, wanted))
    assert written(adoption) == {KEY: ID}
    # An applied alias is nothing to adopt.
    assert not keys_wanted(plan(replace(the_plan.changes[0], imported=False), the_plan.changes[1]), {})


UNFIT = {
    "waits for its deletion": (None, f"its key {ID} waits for its deletion, or is AWS's"),
    "disabled": (key(is_enabled=False), f"its key {ID} is disabled"),
    "of another account": (key(account="111122223333"), f"its key {ID} belongs to account 111122223333"),
    "managed": (key(managed_by="the stack x"), f"its key {ID} is managed by the stack x"),
}


@pytest.mark.parametrize(("live", "why"), UNFIT.values(), ids=UNFIT)
def test_an_alias_whose_key_cannot_be_taken_over_is_kept_apart(live: Live | None, why: str):
    adoption = Adoption()
    adoption.next(plan(*creates()), meets(live))
    assert written(adoption) == RENAMED
    assert choices(adoption) == {ALIAS: Choice.KEEP}
    assert adoption.decisions[ALIAS].reason == why
    with pytest.raises(UsageError, match="adopt is not possible: its key"):
        Adoption(given={ALIAS: Choice.ADOPT}).next(plan(*creates()), meets(live))
    replacing = Adoption(given={ALIAS: Choice.REPLACE})
    replacing.next(plan(*creates()), meets(live))
    assert written(replacing) == {ALIAS: "alias/cloudtrail-baseline"}


WEAKER = {
    "policy": {"policy": json.dumps({"Version": "2012-10-17", "Statement": [
        statement("A", "cloudtrail.amazonaws.com"), {**statement("B", "cloudtrail.amazonaws.com"), "Effect": "Deny"}
    ]})},
}  # fmt: skip


@pytest.mark.parametrize("before", WEAKER.values(), ids=WEAKER)
def test_a_key_that_would_get_weaker_is_kept_apart_with_its_alias(before: dict[str, Any]):
    adoption = Adoption()
    adoption.next(plan(*creates()), meets(key(**before)))
    assert adoption.next(imported({**LIVE, **before}), {})
    assert written(adoption) == RENAMED
    assert choices(adoption) == {ALIAS: Choice.KEEP, KEY: Choice.KEEP}
    assert adoption.decisions[ALIAS].reason.startswith(f"the key {ID} behind it is left alone: policy would become")
    # Under the other name, nothing is met.
    adoption.next(plan(change(ALIAS, {"name": "alias/cloudtrail-cloudtrail-baseline-2"}), change(KEY, PLANNED)), {})
    assert written(adoption) == RENAMED


def test_what_a_setting_can_hold_of_a_key_is_held():
    adoption = Adoption()
    adoption.next(plan(*creates()), meets(key(rotation_period_in_days=90)))
    assert adoption.next(imported({**LIVE, "rotation_period_in_days": 90}), {})
    assert written(adoption) == {**TAKEN, "components.cloudtrail.key.rotation_period_days": 90}


def test_what_is_decided_about_an_alias_goes_for_its_key():
    asked = []

    def decide(proposal: Any) -> Choice:
        asked.append(proposal.address)
        return Choice.KEEP

    adoption = Adoption(decide=decide)
    adoption.next(plan(*creates()), meets(key()))
    assert asked == [ALIAS]
    assert written(adoption) == RENAMED
    assert choices(adoption) == {ALIAS: Choice.KEEP, KEY: Choice.KEEP}


@pytest.mark.parametrize(
    ("given", "edits"),
    [
        ({ALIAS: Choice.ADOPT}, TAKEN),
        ({ALIAS: Choice.REPLACE}, TAKEN),
        ({ALIAS: Choice.ADOPT, KEY: Choice.REPLACE}, TAKEN),
        ({KEY: Choice.REPLACE}, TAKEN),
        ({KEY: Choice.KEEP}, RENAMED),
        ({ALIAS: Choice.KEEP, KEY: Choice.KEEP}, RENAMED),
        ({ALIAS: Choice.ADOPT, KEY: Choice.KEEP}, None),
        ({ALIAS: Choice.KEEP, KEY: Choice.ADOPT}, None),
        ({ALIAS: Choice.REPLACE, KEY: Choice.KEEP}, None),
    ],
)
def test_decisions_about_both_are_taken_together(given: dict[str, Choice], edits: dict[str, Any] | None):
    adoption = Adoption(given=given)
    if edits is None:
        with pytest.raises(UsageError, match="contradictory decisions"):
            adoption.next(plan(*creates()), meets(key()))
        return
    adoption.next(plan(*creates()), meets(key()))
    assert written(adoption) == edits
    adoption.require_all_used()


def test_a_key_is_imported_once_though_two_aliases_name_it():
    both = plan(*creates(), *creates(OTHER_ALIAS, OTHER_KEY, "alias/activity"))
    found = {ALIAS: alias(), OTHER_ALIAS: alias("alias/activity")}
    wanted = keys_wanted(both, found)
    adoption = Adoption()
    adoption.next(both, settled({**found, KEY: met(key()), OTHER_KEY: met(key())}, wanted))
    adopted = [address for address, choice in choices(adoption).items() if choice is Choice.ADOPT]
    assert adopted == [OTHER_ALIAS, OTHER_KEY]
    why = f"the key {ID} behind it is left alone: imported as {OTHER_KEY} already"
    assert adoption.decisions[ALIAS].reason == why
    assert written(adoption) == {**RENAMED, OTHER_ALIAS: "alias/activity", OTHER_KEY: ID}
