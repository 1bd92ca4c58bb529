"""What others manage is left alone: an entry, or a region of a list, is removed from the environment file."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml

from toolkit.adoption import Adoption, Choice
from toolkit.environment import load_text
from toolkit.environment.rules import iam_names
from toolkit.environment.source import Problem
from toolkit.environment.splice import DELETE, splice_bytes
from toolkit.plan.guards import Existing
from toolkit.plan.model import Action, Change, Plan
from toolkit.plan.settings import leaving_out
from toolkit.resources.reading import Live

ANNA = 'module.iam_users.aws_iam_user.this["anna"]'
BERT = 'module.iam_users.aws_iam_user.this["bert"]'
USERS = {"iam_users": {"users": {"anna": {"owner": "x"}, "bert": {"owner": "x"}}}}
COMPONENTS = ("iam_users", "iam_roles", "account_defaults", "activity_alarms", "organization")
FLOW_LOG = 'module.account_defaults_{}.aws_flow_log.default_vpc["default"]'


def create(address: str, region: str = "eu-central-1", **after: Any) -> Change:
    kind, name = address.split("[", maxsplit=1)[0].split(".")[-2:]
    component = next(c for c in COMPONENTS if address.startswith(f"module.{c}"))
    return Change(address, kind, name, Action.CREATE, component, region, (), {}, after)


def theirs(called: str, import_id: str) -> Existing:
    live = Live({"name": import_id}, {"name": import_id}, called, import_id, managed_by="terraform (tag x=y)")
    return Existing({}, False, import_id, called, live=live)


def plan(*changes: Change) -> Plan:
    return Plan("1.11.4", changes, (), 0)


def written(adoption: Adoption) -> dict[str, Any]:
    return {".".join(edit.path): edit.value for edit in adoption.edits}


def users() -> Adoption:
    adoption = Adoption(written={"components": USERS})
    adoption.next(
        plan(create(ANNA, name="anna"), create(BERT, name="bert")),
        {ANNA: theirs("the user 'anna'", "anna"), BERT: theirs("the user 'bert'", "bert")},
    )
    return adoption


def test_an_entry_is_removed_and_the_reason_written_in_its_place():
    adoption = users()
    assert written(adoption) == {"components.iam_users.users.anna": DELETE, "components.iam_users.users.bert": DELETE}
    assert not adoption.next(plan(), {})
    assert [(d.choice, d.open) for d in adoption.decisions.values()] == [(Choice.KEEP, None)] * 2
    head = "components:\n  iam_users:\n    users:\n"
    raw = f"{head}      anna: {{owner: x}}\n      bert: {{owner: x}}\n      eva: {{owner: x}}\n"
    assert splice_bytes(raw.encode(), adoption.edits, where="e.yaml").decode() == (
        f"{head}"
        "      # Adopted: the user 'anna' is left alone: managed by terraform (tag x=y)\n"
        "      # Adopted: the user 'bert' is left alone: managed by terraform (tag x=y)\n"
        "      eva: {owner: x}\n"
    )


def test_an_entry_that_another_setting_refers_to_is_left_to_people():
    """Whose rules may be about a whole component, and then say which entry they need."""
    adoption = users()
    told = "iam_users has no user 'anna'; expected one of its active users"
    assert adoption.reject([Problem(9, "components.iam_roles.break_glass.users[0]", told, "x")])
    assert written(adoption) == {"components.iam_users.users.bert": DELETE}
    met = {ANNA: theirs("the user 'anna'", "anna")}
    assert not adoption.next(plan(create(ANNA, name="anna")), met)
    why = str(adoption.decisions[ANNA].open)
    assert why.startswith("managed by terraform (tag x=y); `components.iam_users.users.anna` cannot be left out: ")
    assert told in why
    assert adoption.decisions[BERT].open is None


def test_a_name_that_another_setting_forbids_is_left_to_people():
    """The rule is about both settings, and the problem is at the other one: nothing else is taken back for it."""
    support, audit = (f'module.iam_roles.aws_iam_role.this["{name}"]' for name in ("aws-support", "security-audit"))
    names = {
        ("aws_iam_role", "aws-support"): ("components", "iam_roles", "support", "name"),
        ("aws_iam_role", "security-audit"): ("components", "iam_roles", "audit", "name"),
    }
    data = {"components": {**USERS, "iam_roles": {"support": {}, "audit": {}}}}
    adoption = Adoption(written=data, iam_names=names)
    changes = [
        create(support, name="aws-support"), create(audit, name="security-audit"), create(BERT, name="bert")
    ]  # fmt: skip
    met = {change.address: theirs(f"the {change.address}", str(change.after["name"])) for change in changes}
    adoption.next(plan(*changes), met)
    rest = {
        "components.iam_roles.audit.name": "security-audit-baseline",
        "components.iam_users.users.bert": DELETE,
    }
    told = Problem(9, "components.iam_roles.support.users[0]", "the user is in developers", "x")
    for name in ("aws-support-baseline", "aws-support-2", "aws-support-3"):
        assert written(adoption) == {**rest, "components.iam_roles.support.name": name}
        assert adoption.reject([told])
        adoption.next(plan(create(support, name="aws-support")), {support: met[support]})
    assert written(adoption) == rest
    assert "`components.iam_roles.support.name` cannot be changed: " in str(adoption.decisions[support].open)


def test_whatever_the_files_rules_refuse_there_is_an_edit_to_take_back():
    adoption = users()
    assert adoption.reject([Problem(1, "components.macie", "something else", "x")])
    assert written(adoption) == {}
    assert not adoption.reject([Problem(1, "components.macie", "something else", "x")])


def test_a_setting_that_is_called_as_an_entry_is_none():
    """`delegation` of iam_roles: with a default, it is not in the file, and may be written all the same."""
    address = 'module.iam_roles.aws_iam_policy.boundary["delegation"]'
    adoption = Adoption(written={"components": {"iam_roles": {}}})
    met = {address: theirs("the policy 'boundary'", "boundary")}
    adoption.next(plan(create(address, name="boundary")), met)
    assert written(adoption) == {"components.iam_roles.delegation.boundary_name": "boundary-baseline"}
    assert not adoption.next(plan(create(address, name="boundary-baseline")), {})
    assert adoption.decisions[address].open is None


@pytest.mark.parametrize(
    ("kind", "name", "edit"),
    [
        ("control", "guardrails", ("service_control_policies.guardrails", DELETE)),
        ("control", "resources", ("resource_control_policies.resources", DELETE)),
        ("management", "tags", ("tag_policies.tags", DELETE)),
        ("management", "consoles", ("management_policies.consoles", DELETE)),
        ("management", "baseline-ai-opt-out", ("ai_services_opt_out.policy_name", "baseline-ai-opt-out-2")),
    ],
)
def test_a_policy_of_the_organization_is_left_out_by_the_setting_that_names_it(kind: str, name: str, edit: Any):
    text = """
account_id: "111122223333"
regions: {home: eu-central-1}
components:
  organization:
    organization_id: o-a1b2c3d4e5
    exempted_principal_arns: ["arn:aws:iam::*:role/deployer"]
    service_control_policies: {guardrails: {guardrails: [deny_leaving]}}
    resource_control_policies: {resources: {guardrails: [require_tls]}}
    tag_policies: {tags: {tags: {Owner: {values: [x]}}}}
    management_policies: {consoles: {type: DECLARATIVE_POLICY_EC2, content: {ec2_attributes: {}}}}
    enabled_policy_types: [SERVICE_CONTROL_POLICY, RESOURCE_CONTROL_POLICY, TAG_POLICY, AISERVICES_OPT_OUT_POLICY,
      DECLARATIVE_POLICY_EC2]
"""
    environment = load_text(text, name="x", shown_as="x")
    address = f'module.organization.aws_organizations_policy.{kind}["{name}"]'
    adoption = Adoption(written=yaml.safe_load(text), iam_names=iam_names(environment.components))
    adoption.next(plan(create(address, name=name)), {address: theirs(f"the policy {name!r}", "p-1")})
    assert written(adoption) == {f"components.organization.{edit[0]}": edit[1]}


def test_a_default_entry_is_left_to_people():
    """Written down, one of them would drop the others."""
    adoption = Adoption(written={"components": {"iam_users": {}}})
    adoption.next(plan(create(ANNA, name="anna")), {ANNA: theirs("the user 'anna'", "anna")})
    assert written(adoption) == {}
    assert str(adoption.decisions[ANNA].open).startswith("no setting leaves it alone")


def test_a_region_is_removed_from_the_list():
    logs = {"default_vpc_flow_logs": {"regions": ["eu-central-1", "us-east-1"]}}
    adoption = Adoption(written={"components": {"account_defaults": logs}})
    places = {region: FLOW_LOG.format(region.replace("-", "_")) for region in ("eu-central-1", "us-east-1")}
    creates = [create(address, region, vpc_id="vpc-1") for region, address in places.items()]
    key = "components.account_defaults.default_vpc_flow_logs.regions"
    adoption.next(plan(*creates), {places["us-east-1"]: theirs("a flow log", "fl-1")})
    assert written(adoption) == {key: ["eu-central-1"]}
    adoption.next(plan(creates[0]), {places["eu-central-1"]: theirs("a flow log", "fl-2")})
    assert written(adoption) == {key: []}
    assert not adoption.next(plan(), {})
    assert [d.open for d in adoption.decisions.values()] == [None, None]
    assert leaving_out(places["us-east-1"], "account_defaults") == (f"remove its region from `{key}`",)


ENVIRONMENT = """\
account_id: "123456789012"
regions: {home: eu-central-1}
backend: {type: local}
components:
  iam_roles:
    roles:
      administration:
        principals: ["arn:aws:iam::444455556666:root"]
        managed_policies: [ReadOnlyAccess]
    audit:
      principals: ["arn:aws:iam::999999999999:root"]
      external_id: audit-7
"""


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("administration", {"components.iam_roles.roles.administration": DELETE}),
        ("security-audit", {"components.iam_roles.audit.name": "security-audit-baseline"}),
    ],
)
def test_the_setting_that_names_a_role_is_edited_and_no_other_one(name: str, expected: Any):
    environment = load_text(ENVIRONMENT, name="e", shown_as="e.yaml", folder=Path("e"))
    data = {"components": {"iam_roles": {"roles": {"administration": {}}, "audit": {}}}}
    adoption = Adoption(written=data, iam_names=iam_names(environment.components))
    role = f'module.iam_roles.aws_iam_role.this["{name}"]'
    adoption.next(plan(create(role, name=name)), {role: theirs(f"the role {name!r}", name)})
    assert written(adoption) == expected


def test_what_another_ones_name_moves_away_is_left_to_nobody():
    """Its name is made of a setting that no table has for it."""
    role = "module.activity_alarms_forward_us_east_1.aws_iam_role.root_sign_in"
    adoption = Adoption()
    met = {role: theirs("the role 'x-forward'", "x-forward")}
    adoption.next(plan(create(role, name="x-forward")), met)
    assert adoption.decisions[role].open is not None
    assert not adoption.next(plan(create(role, name="y-forward")), {})
    assert adoption.decisions[role].open is None
