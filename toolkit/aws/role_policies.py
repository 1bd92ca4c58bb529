"""The policies of one role, with their text. Reads only."""

from __future__ import annotations

import json
from collections.abc import Iterable
from typing import Any

from toolkit.aws.facts import asked
from toolkit.aws.session import ClientFactory
from toolkit.plan.denials import HeldPolicies


def read_role_policies(clients: ClientFactory, role: str, more: Iterable[str]) -> HeldPolicies:
    """What a role has.

    Args:
        clients: Reach the account.
        role: Its name.
        more: ARNs of policies that it is to get, whose text is wanted as well.

    Raises:
        ToolkitError: They could not be read.
    """
    iam = clients.client("iam")

    def listed(call: str, member: str) -> tuple[Any, ...]:
        return clients.listed("iam", call, member, RoleName=role)

    names = asked("iam:ListRolePolicies", lambda: listed("list_role_policies", "PolicyNames"))
    attached = asked("iam:ListAttachedRolePolicies", lambda: listed("list_attached_role_policies", "AttachedPolicies"))
    arns = frozenset(p["PolicyArn"] for p in attached)
    # botocore has parsed the documents already. AWS's own are not asked for: they deny nothing, but for AWSDenyAll.
    inline = asked(
        "iam:GetRolePolicy",
        lambda: {n: json.dumps(iam.get_role_policy(RoleName=role, PolicyName=n)["PolicyDocument"]) for n in names},
    )
    wanted = [arn for arn in sorted(arns | frozenset(more)) if ":iam::aws:" not in arn]
    return HeldPolicies({role: inline}, {role: arns}, read_documents(clients, wanted), "role")


def read_documents(clients: ClientFactory, arns: Iterable[str]) -> dict[str, str]:
    """ARN → text of the managed policies that there are.

    Raises:
        ToolkitError: One could not be read.
    """
    iam = clients.client("iam")
    wanted = sorted(set(arns))
    return asked("iam:GetPolicyVersion", lambda: {a: t for a in wanted if (t := _document(iam, a)) is not None})


def _document(iam: Any, arn: str) -> str | None:
    try:
        version = iam.get_policy(PolicyArn=arn)["Policy"]["DefaultVersionId"]
    except iam.exceptions.NoSuchEntityException:
        return None
    return json.dumps(iam.get_policy_version(PolicyArn=arn, VersionId=version)["PolicyVersion"]["Document"])
