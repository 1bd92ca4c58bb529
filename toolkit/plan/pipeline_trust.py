"""The guard of roles that pipelines assume: their trust policies let in only the runs that they name.

In: a Case. Out: findings. Pure: the policy's text is in the plan, as Terraform renders it. A module that was edited, or
a newer one with a mistake, is what it is for: the settings admit nothing that would be found here.
"""

from __future__ import annotations

from collections.abc import Iterator

from toolkit.findings import Finding, Rule, Severity
from toolkit.findings.registry import register
from toolkit.iam import PolicyDocument, PolicyError, PolicyKind
from toolkit.iam.pipelines import openings, unjudged
from toolkit.plan.case import Case, Guard
from toolkit.plan.facts import Facts
from toolkit.plan.model import Action

OPEN = register(
    Rule(
        "opens-role-to-others",
        "A role for pipelines could be assumed by runs that its trust policy is not meant for.",
        Severity.CRITICAL,
        refused="modules/iam_roles was edited, and compares the subject with `repo:example/*`: a repository that "
        "anyone in that organization creates could apply",
        instead="compare `sub` and `aud` with exact values, as the module does",
    )
)

_MADE = (Action.CREATE, Action.UPDATE, Action.REPLACE)


def _judge(case: Case, _: Facts) -> Iterator[Finding]:
    for change in case.plan.changes:
        policy = change.after.get("assume_role_policy") if change.type == "aws_iam_role" else None
        if not isinstance(policy, str) or change.action not in _MADE:
            continue
        try:
            trust = PolicyDocument.parse(policy, kind=PolicyKind.TRUST)
        except PolicyError:
            continue  # AWS refuses what is no policy
        found = openings(trust)
        unknown = () if found else unjudged(trust)
        if found or unknown:
            yield Finding(
                rule=OPEN,
                severity=OPEN.severity,
                resource=change.resource,
                attribute="assume_role_policy",
                summary=f"{change.address} could be assumed by runs that it is not meant for."
                if found
                else f"Which runs could assume {change.address} cannot be judged.",
                evidence=f"it accepts {', '.join(found)}"
                if found
                else f"no token that it should accept can be made for its conditions: {'; '.join(unknown)}",
                remedy="compare the claims `sub` and `aud` of the tokens with exact values",
                consent=None,
                component=change.component,
            )


GUARD = Guard(_judge)
