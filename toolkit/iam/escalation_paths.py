"""The catalogue of escalation paths, and what their actions do.

In: escalation_paths.json, which names its source. Out: the paths, and tables of actions. Pure.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path


@dataclass(frozen=True)
class EscalationPath:
    """One path of the catalogue.

    Attributes:
        id: As the catalogue calls it ("iam-001").
        category: The catalogue's: self-escalation, principal-access, new-passrole or existing-passrole.
        required: Every action that it takes.
        services: Those that a role has to trust; one is enough.
    """

    id: str
    category: str
    required: tuple[str, ...]
    services: tuple[str, ...] = ()


@cache
def escalation_paths() -> tuple[EscalationPath, ...]:
    """The catalogue; escalation_paths.json names its source."""
    listed = json.loads((Path(__file__).parent / "escalation_paths.json").read_text("utf-8"))["paths"]
    return tuple(
        EscalationPath(
            one["id"],
            one["category"],
            tuple(one["required"]),
            tuple(one["services"]) or _services_of(tuple(one["required"])),
        )
        for one in listed
    )


RUNS_AS: Mapping[str, str] = {
    "apprunner": "tasks.apprunner.amazonaws.com",
    "bedrock-agentcore": "bedrock-agentcore.amazonaws.com",
    "cloudformation": "cloudformation.amazonaws.com",
    "codebuild": "codebuild.amazonaws.com",
    "ec2": "ec2.amazonaws.com",
    "ec2-instance-connect": "ec2.amazonaws.com",
    "glue": "glue.amazonaws.com",
    "lambda": "lambda.amazonaws.com",
    "sagemaker": "sagemaker.amazonaws.com",
    "ssm": "ec2.amazonaws.com",
}
"""Prefix of an action that changes a workload → the service that the workload's role trusts."""


def _services_of(required: tuple[str, ...]) -> tuple[str, ...]:
    prefixes = {action.partition(":")[0] for action in required} - {"iam", "sts"}
    return tuple(dict.fromkeys(RUNS_AS[prefix] for prefix in sorted(prefixes)))


CREATES = "iam:CreatePolicy"
"""Makes a policy that says whatever its caller likes."""
REWRITES = "iam:CreatePolicyVersion"
"""Makes a policy say so."""
REVERTS = "iam:SetDefaultPolicyVersion"
"""Makes a policy say what another of its versions says."""
RAISES = {
    "iam:AttachGroupPolicy": "group",
    "iam:AttachRolePolicy": "role",
    "iam:AttachUserPolicy": "user",
    REWRITES: "policy",
    REVERTS: "policy",
    "iam:PutGroupPolicy": "group",
    "iam:PutRolePolicy": "role",
    "iam:PutUserPolicy": "user",
}
"""Actions that give rights to what they are about, of which there need be none before → that."""
IN_PROFILE = "iam:AddRoleToInstanceProfile"
"""Gives instances a role that none could have; its caller has to be allowed iam:PassRole, too:
https://docs.aws.amazon.com/IAM/latest/APIReference/API_AddRoleToInstanceProfile.html"""
ENTERS = {
    "iam:AddUserToGroup": "group",
    "iam:CreateAccessKey": "user",
    "iam:CreateLoginProfile": "user",
    "iam:DeleteAccessKey": "user",
    "iam:UpdateAssumeRolePolicy": "role",
    "iam:UpdateLoginProfile": "user",
    "sts:AssumeRole": "role",
}
"""Actions that give the rights which somebody has → who."""
ON_IDENTITIES: Mapping[str, str] = {**RAISES, **ENTERS, "iam:PassRole": "role"}
"""Actions that are judged by what they are about; all others may be allowed on any resource."""

LIFTS = {
    kind: (f"iam:Delete{kind.capitalize()}PermissionsBoundary", f"iam:Put{kind.capitalize()}PermissionsBoundary")
    for kind in ("user", "role")
}
"""Actions that take a boundary away or exchange it."""
LIFTING = EscalationPath("permissions-boundary", "self-escalation", ())
"""Lifting one's own boundary where it is all that keeps one from being an administrator: no path of the catalogue."""
REVERTING = EscalationPath("policy-version", "self-escalation", (REVERTS,))
"""Going back to a version of one's own policy that made one an administrator: no path of the catalogue either."""
ADMINISTERS = ("iam:AttachRolePolicy", "iam:AttachUserPolicy", "iam:PutRolePolicy", "iam:PutUserPolicy")
JOINS = "iam:AddUserToGroup"


@cache
def actions() -> frozenset[str]:
    """Every action that is looked for."""
    listed = (action for path in escalation_paths() for action in path.required)
    lifting = (action for actions in LIFTS.values() for action in actions)
    return frozenset({*listed, *lifting, IN_PROFILE, CREATES, REVERTS})
