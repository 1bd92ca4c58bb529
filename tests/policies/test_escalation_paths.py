"""The publicly catalogued ways to raise one's own rights, against every group and role of every recorded plan.

A path is open to somebody if each action that it needs is allowed on a target that is worth it: a role without the
permissions boundary, somebody else's user, a group of administrators, a policy that something unbounded has. Paths that
need no right of IAM's change a workload that runs already (code of a function, commands on an instance): they are open
where a role of the plan could be that workload's.

Source of the paths: toolkit/iam/escalation_paths.json. What administrators may do is not an escalation, so they are
left out by name.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from toolkit.iam import Policies, PolicyDocument, PolicyKind, Request, evaluate
from toolkit.iam.escalation import escalations
from toolkit.iam.escalation_paths import ON_IDENTITIES, EscalationPath, escalation_paths
from toolkit.iam.held_policies import ManagedPolicy
from toolkit.iam.holders import Identity

HERE = Path(__file__).parent
PLANS = sorted((HERE.parent / "plans" / "components").glob("*.json"))
PATHS = escalation_paths()

IAM = "arn:aws:iam::123456789012"
ADMINISTRATORS = {"group administrators", "role administration", "role break-glass"}
PASSING = [p for p in PATHS if "iam:PassRole" in p.required]
WORKLOADS = [p for p in PATHS if not ON_IDENTITIES.keys() & set(p.required)]


@dataclass(frozen=True)
class Principal:
    """A group's member or a role's session.

    Attributes:
        label: As `ADMINISTRATORS` names it.
        arn: Of a member, or of the role.
        identity: Every policy on it.
        boundary: The permissions boundary; None: none is set.
        policies: ARNs of the account's own managed policies on it.
        trusts: Services that may assume it.
        trust: A role's trust policy, where the plan knows it.
    """

    label: str
    arn: str
    identity: tuple[PolicyDocument, ...]
    boundary: PolicyDocument | None = None
    policies: tuple[str, ...] = ()
    trusts: tuple[str, ...] = ()
    trust: PolicyDocument | None = None


@pytest.fixture(scope="module")
def managed() -> dict[str, PolicyDocument]:
    """ARN → document of AWS's managed policies that the plans name, as moto carries them."""
    from moto.iam.aws_managed_policies import aws_managed_policies_data

    plans = "".join(file.read_text("utf-8") for file in PLANS)
    found = {
        f"arn:aws:iam::aws:policy{p['Path']}{name}": p for name, p in json.loads(aws_managed_policies_data).items()
    }
    return {arn: PolicyDocument.parse(p["Document"], name=arn) for arn, p in found.items() if f'"{arn}"' in plans}


def planned(plan: dict[str, Any], *types: str) -> Iterator[tuple[str, dict[str, Any]]]:
    for change in plan["resource_changes"]:
        after = change["change"]["after"]
        if change["type"] in types and after and change["mode"] == "managed":
            yield change["address"], after


def own_policies(plan: dict[str, Any]) -> dict[str, dict[str, tuple[str, PolicyDocument]]]:
    """Module → name in Terraform → ARN and document of its managed policies, to which attachments of an unknown ARN
    point: those of the same name or, where a module has one policy, to that one."""
    found: dict[str, dict[str, tuple[str, PolicyDocument]]] = {}
    for address, after in planned(plan, "aws_iam_policy"):
        arn = f"{IAM}:policy{after['path']}{after['name']}"
        document = PolicyDocument.parse(after["policy"], name=after["name"])
        found.setdefault(address.split(".")[1], {})[label(address)] = (arn, document)
    return found


def label(address: str) -> str:
    """The name of a resource in Terraform ("guardrail")."""
    return address.split("[", maxsplit=1)[0].rsplit(".", 1)[-1]


def principals(plan: dict[str, Any], managed: dict[str, PolicyDocument]) -> list[Principal]:
    own = own_policies(plan)

    def rights(kind: str, name: str) -> tuple[tuple[PolicyDocument, ...], tuple[str, ...]]:
        documents, arns = [], []
        for address, after in planned(plan, f"aws_iam_{kind}_policy_attachment"):
            if after[kind] != name:
                continue
            arn = after.get("policy_arn")
            if arn in managed:
                documents.append(managed[arn])
            elif arn is not None:
                assert not arn.startswith("arn:aws:iam::aws:"), f"moto carries no {arn}"
                arns.append(arn)  # a policy of the account, of which only that it could be rewritten is tried
            else:
                policies = own[address.split(".")[1]]
                known, document = next(iter(policies.values())) if len(policies) == 1 else policies[label(address)]
                documents.append(document)
                arns.append(known)
        for _, after in planned(plan, f"aws_iam_{kind}_policy"):
            if after.get(kind) == name and after.get("policy"):
                documents.append(PolicyDocument.parse(after["policy"], name=after["name"]))
        return tuple(documents), tuple(arns)

    found = []
    for _, after in planned(plan, "aws_iam_group"):
        identity, arns = rights("group", after["name"])
        found.append(Principal(f"group {after['name']}", f"{IAM}:user/member", identity, None, arns))
    for address, after in planned(plan, "aws_iam_role"):
        name = after.get("name") or address
        identity, arns = rights("role", name)
        boundary = own[address.split(".")[1]]["boundary"][1] if after.get("permissions_boundary") else None
        trust = json.loads(after.get("assume_role_policy") or '{"Statement": []}')["Statement"]
        services = [
            service
            for statement in (trust if isinstance(trust, list) else [trust])
            for named in [statement["Principal"].get("Service", [])]
            for service in (named if isinstance(named, list) else [named])
        ]
        found.append(
            Principal(
                *(f"role {name}", f"{IAM}:role{after['path']}{name}", identity, boundary, arns, tuple(services)),
                trust=PolicyDocument.parse(after["assume_role_policy"], kind=PolicyKind.TRUST)
                if after.get("assume_role_policy")
                else None,
            )
        )
    return found


def targets(action: str, who: Principal, everybody: list[Principal]) -> list[str]:
    """What the action would have to be allowed on for rights to be gained."""
    unbounded = [p for p in everybody if p.boundary is None and p.label != who.label]
    own = [who.arn] if who.boundary is None else []
    if not action.startswith(("iam:", "sts:")):
        return ["*"]
    if action == "iam:CreatePolicyVersion":
        return [*{arn for p in [*unbounded, who] if p.boundary is None for arn in p.policies}, f"{IAM}:policy/any"]
    if "Role" in action:
        roles = [p.arn for p in unbounded if p.label.startswith("role ")]
        own_role = own if action != "iam:PassRole" and who.label.startswith("role ") else []
        return [*roles, *own_role, f"{IAM}:role/administration"]
    if "Group" in action:
        return [f"{IAM}:group/administrators"]
    own_user = own if action in ("iam:AttachUserPolicy", "iam:PutUserPolicy") and ":user/" in who.arn else []
    return [f"{IAM}:user/anna", *own_user]


def is_open(path: EscalationPath, who: Principal, everybody: list[Principal]) -> bool:
    if path in WORKLOADS and not any(set(path.services) & set(p.trusts) and p.boundary is None for p in everybody):
        return False
    policies = Policies(identity=who.identity, boundary=who.boundary)
    caller = who.arn if ":user/" in who.arn else f"{IAM.replace(':iam:', ':sts:')}:assumed-role/{who.label[5:]}/run"
    contexts = [{"aws:MultiFactorAuthPresent": True, "iam:PassedToService": s} for s in path.services or ["x"]]
    return all(
        any(
            evaluate(Request(caller, action, target, context=context), policies).allowed
            for target in targets(action, who, everybody)
            for context in contexts
        )
        for action in path.required
    )


def open_paths(plan: dict[str, Any], managed: dict[str, PolicyDocument]) -> set[tuple[str, str]]:
    everybody = principals(plan, managed)
    return {
        (who.label, path.id)
        for who in everybody
        if who.label not in ADMINISTRATORS
        for path in PATHS
        if is_open(path, who, everybody)
    }


def test_every_path_is_of_a_kind_that_is_understood() -> None:
    assert len(PATHS) == len({p.id for p in PATHS}) == 65
    identity = [p for p in PATHS if p not in WORKLOADS and p not in PASSING]
    assert (len(PASSING), len(WORKLOADS), len(identity)) == (26, 17, 22)


@pytest.mark.parametrize("file", PLANS, ids=lambda file: file.stem)
def test_no_path_is_open(file: Path, managed: dict[str, PolicyDocument]) -> None:
    assert open_paths(json.loads(file.read_text("utf-8")), managed) == set()


@pytest.mark.parametrize("file", PLANS, ids=lambda file: file.stem)
def test_the_audit_finds_none_open_either(file: Path, managed: dict[str, PolicyDocument]) -> None:
    """As the audit judges the account that the plan makes: every role is in an instance profile there."""
    plan = json.loads(file.read_text("utf-8"))
    everybody, own = principals(plan, managed), own_policies(plan)
    documents = {**managed, **dict(one for module in own.values() for one in module.values())}
    policies = [ManagedPolicy(arn, partial(documents.get, arn)) for arn in documents]
    identities = [
        Identity(
            who.arn if who.label.startswith("role ") else f"{IAM}:user/{who.label[6:]}-member",
            who.identity,
            boundary=who.boundary,
            boundary_arn=f"{IAM}:policy/{who.boundary.name}" if who.boundary else None,
            managed=frozenset(who.policies),
            trust=who.trust,
            instance_profile=True,
        )
        for who in everybody
    ]
    found = escalations(identities, policies)
    assert found.ways == {}
    labels = {who.arn.rsplit("/", 1)[-1] for who in everybody if who.label in ADMINISTRATORS and "role" in who.label}
    assert labels <= {arn.rsplit("/", 1)[-1] for arn in found.administrators}


def test_the_plans_have_groups_and_roles_to_try() -> None:
    plans = [json.loads(file.read_text("utf-8")) for file in PLANS]
    groups = [after["name"] for plan in plans for _, after in planned(plan, "aws_iam_group")]
    roles = [address for plan in plans for address, _ in planned(plan, "aws_iam_role")]
    assert len(groups) >= 6
    assert len(roles) >= 19


def identities(**roles: dict[str, Any]) -> dict[str, Any]:
    """The recorded plan of identities with settings of its roles changed, and `development` a bounded administrator."""
    plan = json.loads((HERE.parent / "plans" / "components" / "identities.json").read_text("utf-8"))
    for _, after in planned(plan, "aws_iam_role"):
        after.update(roles.get(after["name"], {}))
    attach(plan, "development", "arn:aws:iam::aws:policy/AdministratorAccess")
    return plan


def attach(plan: dict[str, Any], role: str, policy: str) -> None:
    """Exchange the managed policy of a role."""
    for _, after in planned(plan, "aws_iam_role_policy_attachment"):
        if after["role"] == role:
            after["policy_arn"] = policy


def test_none_is_open_to_a_bounded_administrator(managed: dict[str, PolicyDocument]) -> None:
    assert open_paths(identities(), managed) == set()
    # Bounded roles under the path may be used, since what they can do is no more.
    assert open_paths(identities(site={"path": "/delegated/"}), managed) == set()


@pytest.mark.parametrize("path", ["/delegated/", "/delegated/team/"])
def test_an_unbounded_role_under_the_delegation_path_would_open_them(
    path: str, managed: dict[str, PolicyDocument]
) -> None:
    """What the loader and the module refuse."""
    found = open_paths(identities(operations={"path": path}), managed)
    # Stack sets stay closed, whatever role there is.
    sets = {path.id for path in PASSING if any("StackSet" in action for action in path.required)}
    opened = {path.id for path in PASSING} - sets | {"sts-001", "iam-012"}
    assert len(sets) == 2
    assert opened <= {path for who, path in found if who == "role development"}
    assert not sets & {path for who, path in found if who == "role development"}


def test_a_policy_under_the_path_on_something_unbounded_would_open_them(managed: dict[str, PolicyDocument]) -> None:
    plan = identities()
    attach(plan, "operations", f"{IAM}:policy/delegated/team/own")
    assert ("role development", "iam-001") in open_paths(plan, managed)


def test_without_the_guardrail_developers_are_still_held_by_their_policy_but_not_from_roles(
    managed: dict[str, PolicyDocument],
) -> None:
    plan = json.loads((HERE.parent / "plans" / "components" / "core.json").read_text("utf-8"))
    plan["resource_changes"] = [c for c in plan["resource_changes"] if ".guardrail" not in c["address"]]
    assert ("group developers", "sts-001") in open_paths(plan, managed)


def test_without_the_boundary_bounded_roles_take_on_others(managed: dict[str, PolicyDocument]) -> None:
    assert ("role development", "sts-001") in open_paths(
        identities(development={"permissions_boundary": None}), managed
    )
