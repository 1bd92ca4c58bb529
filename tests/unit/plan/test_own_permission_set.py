"""Who applies by way of IAM Identity Center: their permission set, its policies and its assignment to them."""

from __future__ import annotations

import json
from typing import Any

import pytest

from toolkit.components.registry import REGISTRY
from toolkit.findings import Finding, Severity
from toolkit.findings.rules import LOCKS_OUT, LOCKS_OUT_CALLER
from toolkit.plan.case import Caller
from toolkit.plan.model import Attribution, parse_outcome, parse_plan
from toolkit.plan.own_permission_set import (
    Assigned,
    SignedIn,
    judge_own_permission_set,
    lost_assignments,
    signed_in,
)

ATTRIBUTION = Attribution(tuple(REGISTRY), ("eu-central-1",), "eu-central-1")
ACCOUNT = "123456789012"
ANN = SignedIn("Admin_Access", "ann@example.com")
OWN, OTHER = (f"arn:aws:sso:::permissionSet/ssoins-1234567890abcdef/ps-{x * 16}" for x in "12")
ADMINISTRATION, READING = (f"arn:aws:iam::aws:policy/{name}" for name in ("AdministratorAccess", "ReadOnlyAccess"))
ADMINS, ANNS, OTHERS = "group-admins", "user-ann", "group-others"


@pytest.mark.parametrize(
    ("arn", "who"),
    [
        ("assumed-role/AWSReservedSSO_Admin_Access_0123456789abcdef/ann@example.com", ANN),
        ("assumed-role/AWSReservedSSO_Admin_Access/ann@example.com", None),
        ("assumed-role/Admin_Access_0123456789abcdef/ann@example.com", None),
    ],
)
def test_a_session_tells_its_permission_set_and_user(arn: str, who: SignedIn | None):
    assert signed_in(Caller(f"arn:aws:sts::{ACCOUNT}:{arn}", None, True)) == who
    assert signed_in(Caller(f"arn:aws:iam::{ACCOUNT}:user/ann", "ann", True)) is None


def entry(kind: str, action: str, **values: Any) -> dict[str, Any]:
    """A resource of the own set; to another value with `to` for an update."""
    to = values.pop("to", {})
    values = {"permission_set_arn": OWN, **values}
    before, after = (None if action == "create" else values), (None if action == "delete" else {**values, **to})
    resource = f"aws_ssoadmin_{kind}"
    return {
        "address": f'module.identity_center.{resource}.this["{action}/{len(json.dumps(values))}"]',
        "mode": "managed",
        "type": resource,
        "name": "this",
        "change": {"actions": action.split("+"), "before": before, "after": after},
    }


def own_set(action: str = "no-op", **values: Any) -> dict[str, Any]:
    return entry("permission_set", action, **{"name": "Admin_Access", "arn": OWN, **values})


def assigned(principal: str, action: str = "delete", **values: Any) -> dict[str, Any]:
    return entry("account_assignment", action, **{"target_id": ACCOUNT, "principal_id": principal, **values})


def managed(policy: str, action: str = "delete", **values: Any) -> dict[str, Any]:
    return entry("managed_policy_attachment", action, managed_policy_arn=policy, **values)


def document(effect: str, *actions: str) -> str:
    statement = {"Sid": "S", "Effect": effect, "Action": list(actions), "Resource": "*"}
    return json.dumps({"Version": "2012-10-17", "Statement": [statement]})


def inline(policy: str, action: str = "delete", to: str | None = None) -> dict[str, Any]:
    more = {} if to is None else {"to": {"inline_policy": to}}
    return entry("permission_set_inline_policy", action, inline_policy=policy, **more)


def judged(*entries: dict[str, Any], facts: Assigned | None = None, who: SignedIn = ANN) -> list[Finding]:
    data = {"format_version": "1.2", "resource_changes": list(entries)}
    outcome = parse_outcome(data, ATTRIBUTION)
    return list(judge_own_permission_set(parse_plan(data, ATTRIBUTION), outcome, who, ACCOUNT, facts))


def lost(*entries: dict[str, Any]) -> int:
    data = {"format_version": "1.2", "resource_changes": list(entries)}
    return len(lost_assignments(parse_plan(data, ATTRIBUTION), parse_outcome(data, ATTRIBUTION), ANN, ACCOUNT))


READS, DENIES, MORE = document("Allow", "s3:Get*"), document("Deny", "iam:*"), document("Deny", "iam:*", "sts:*")


@pytest.mark.parametrize(
    ("entries", "how"),
    [
        ([own_set("delete"), assigned(ADMINS), managed(ADMINISTRATION)], "is deleted"),
        ([own_set("delete+create")], "is deleted"),
        ([own_set(), managed(ADMINISTRATION)], "loses AdministratorAccess"),
        ([own_set(), managed(ADMINISTRATION), managed(READING, "create")], "loses AdministratorAccess"),
        ([own_set(), managed(READING)], "loses ReadOnlyAccess"),
        ([own_set(), entry("customer_managed_policy_attachment", "delete")], "loses a customer managed policy"),
        ([own_set(), inline(READS)], "loses its inline policy"),
        ([own_set(), entry("permissions_boundary_attachment", "create")], "gets a permissions boundary"),
    ],
)
def test_nobody_takes_rights_from_the_permission_set_that_they_apply_by(entries: list[dict[str, Any]], how: str):
    (finding,) = judged(*entries)
    assert (finding.rule, finding.severity, finding.consent) == (LOCKS_OUT_CALLER, Severity.CRITICAL, None)
    assert finding.summary.startswith(f"You apply with the permission set Admin_Access, which {how} during this apply")
    # By another set, it is somebody else's.
    assert judged(*entries, who=SignedIn("Admin", "ann@example.com")) == []


@pytest.mark.parametrize(
    "entries",
    [
        [own_set("update", to={"description": "new"})],
        [own_set(), managed(ADMINISTRATION, "no-op"), managed(READING), inline(READS)],
        [own_set(), managed(ADMINISTRATION, "create"), managed(READING)],
        [own_set(), inline(DENIES)],
        [own_set(), inline(READS, "update", document("Allow", "s3:*"))],
        [own_set(), managed(ADMINISTRATION, "no-op"), inline(document("Allow", "s3:*"), "update", READS)],
        [own_set(), inline(READS, "create"), managed(READING, "create")],
        [own_set(), managed(ADMINISTRATION, permission_set_arn=OTHER), inline(READS, "no-op")],
    ],
)
def test_what_takes_nothing_from_it_is_not_asked(entries: list[dict[str, Any]]):
    assert judged(*entries) == []


@pytest.mark.parametrize(
    ("entries", "evidence"),
    [
        ([inline(document("Allow", "s3:*"), "update", READS)], "grants less: S"),
        ([managed(ADMINISTRATION, "no-op"), inline(DENIES, "update", MORE)], "denies more: S"),
        ([managed(ADMINISTRATION, "no-op"), inline(DENIES, "create")], "denies more: S"),
    ],
)
def test_an_inline_policy_that_lets_one_do_less_is_asked(entries: list[dict[str, Any]], evidence: str):
    (finding,) = judged(own_set(), *entries)
    assert (finding.rule, finding.consent) == (LOCKS_OUT, "--acknowledge-lockout")
    assert finding.evidence == evidence


def test_an_inline_policy_that_is_not_known_yet_is_asked():
    change = inline(READS, "update")
    change["change"] |= {"after": {"permission_set_arn": OWN}, "after_unknown": {"inline_policy": True}}
    (finding,) = judged(own_set(), change)
    assert (finding.rule, finding.evidence) == (LOCKS_OUT, "not known before the apply")


OWN_IDS = frozenset({ANNS, ADMINS})


@pytest.mark.parametrize(
    ("has", "entries"),
    [
        ({ADMINS}, [assigned(ADMINS)]),
        ({ANNS}, [assigned(ANNS, "delete+create", to={"principal_id": OTHERS})]),
        # Somebody else keeps it, but that is not who applies.
        ({ADMINS, OTHERS}, [assigned(ADMINS)]),
        ({ADMINS, ANNS}, [assigned(ADMINS), assigned(ANNS)]),
        ({ADMINS}, [assigned(ADMINS), assigned(OTHERS, "create")]),
        ({ADMINS}, [assigned(ADMINS), assigned(ANNS, "create", target_id="111122223333")]),
    ],
)
def test_nobody_takes_the_last_assignment_from_themselves(has: set[str], entries: list[dict[str, Any]]):
    (finding,) = judged(own_set(), *entries, facts=Assigned(frozenset(has), OWN_IDS))
    assert (finding.rule, finding.severity, finding.consent) == (LOCKS_OUT_CALLER, Severity.CRITICAL, None)
    assert "You apply as ann@example.com, who would no longer have the permission set Admin_Access in 123456789012" in (
        finding.summary
    )


@pytest.mark.parametrize(
    ("has", "entries"),
    [
        ({ADMINS, OTHERS}, [assigned(OTHERS)]),
        ({ADMINS, ANNS}, [assigned(ADMINS)]),
        ({ADMINS}, [assigned(ADMINS), assigned(ANNS, "create")]),
        ({ADMINS}, [assigned(ADMINS, target_id="111122223333")]),
        ({ADMINS}, [assigned(ADMINS, permission_set_arn=OTHER)]),
    ],
)
def test_assignments_of_others_or_beside_another_of_ones_own_may_go(has: set[str], entries: list[dict[str, Any]]):
    assert judged(own_set(), *entries, facts=Assigned(frozenset(has), OWN_IDS)) == []


def test_who_is_not_found_in_the_identity_store_is_asked():
    unknown = Assigned(frozenset({ADMINS, OTHERS}), None)
    (finding,) = judged(own_set(), assigned(ADMINS), facts=unknown)
    assert (finding.rule, finding.consent) == (LOCKS_OUT, "--acknowledge-lockout")
    # When nobody has it any more, that is certain.
    (finding,) = judged(own_set(), assigned(ADMINS), assigned(OTHERS), facts=unknown)
    assert (finding.rule, finding.consent) == (LOCKS_OUT_CALLER, None)


def test_facts_are_wanted_only_where_the_own_set_loses_an_assignment_here():
    assert lost(own_set(), assigned(ADMINS)) == 1
    assert lost(own_set("delete"), assigned(ADMINS, "delete+create")) == 1
    assert lost(own_set(), assigned(ADMINS, "create"), assigned(ADMINS, target_id="111122223333")) == 0
    assert lost(own_set(name="Other"), assigned(ADMINS)) == 0
