"""What was changed in an account outside of Terraform, as findings.

In: the changes from the state as applied to the account as it is now. Out: findings. Pure. The guards of plans judge
the changes as if a plan made them; what they say of a plan (its consents, how to avoid it) does not hold for what has
happened already, so their verdicts get rules and words of their own.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from toolkit.addresses import AttributePath
from toolkit.components.base import Component
from toolkit.findings import Finding, Rule, Severity, Source, register
from toolkit.findings.rules import DESTROYS, WEAKENS
from toolkit.plan.guards import judge
from toolkit.plan.model import Action, Change, Plan

DELETED = register(
    Rule(
        "deleted-outside-terraform",
        "A resource that Terraform created no longer exists in the account.",
        Severity.CRITICAL,
        refused="the trail was deleted in the console",
        instead="apply again, which creates it, and find out who deleted it: its logs have a gap",
        source=Source.DRIFT,
    )
)
WEAKENED = register(
    Rule(
        "weakened-outside-terraform",
        "A setting was changed to its weaker side outside of Terraform.",
        Severity.HIGH,
        refused="`minimum_password_length` of the account's password policy is 8, and was applied as 14",
        instead="apply again, which restores it, and find out who changed it",
        source=Source.DRIFT,
    )
)
CHANGED = register(
    Rule(
        "changed-outside-terraform",
        "A resource differs from what was applied, and nothing known of it is weaker.",
        Severity.MEDIUM,
        refused="a tag of a bucket was changed in the console",
        instead="apply again, which restores it, or set the new value in environment.yaml",
        source=Source.DRIFT,
    )
)


def judge_drift(changes: Sequence[Change], components: Mapping[str, Component], called: str) -> Iterator[Finding]:
    """Findings about each change: what is gone, what is weaker, and what else differs.

    Args:
        changes: `before` is as applied, `after` is as the account has it now; a DELETE is gone from the account.
        components: Component name → component, for what each protects.
        called: The environment as commands name it.
    """
    judged = tuple(judge(Plan("", tuple(changes), (), 0), components, {}))
    for change in changes:
        own = [f for f in judged if f.address == change.address]
        if change.action is Action.DELETE:
            protects = change.component in components and any(f.rule is DESTROYS for f in own)
            yield _found(
                DELETED,
                change,
                called,
                severity=DELETED.severity if protects else Severity.MEDIUM,
                summary=f"{change.address} was deleted outside of Terraform"
                + (", and it protects or records." if protects else "."),
                evidence="it is in the state and not in the account",
            )
            continue
        weaker = [f for f in own if f.rule is WEAKENS]
        for finding in weaker:
            yield _found(
                WEAKENED,
                change,
                called,
                severity=finding.severity,
                attribute=finding.attribute,
                summary=f"{finding.attribute} of {change.address} was made weaker outside of Terraform.",
                evidence=finding.evidence,
            )
        judged_as_weaker = [AttributePath.parse(str(finding.attribute)) for finding in weaker]
        others = [a.path for a in change.attributes if not _is_in(AttributePath.parse(a.path), judged_as_weaker)]
        if others:
            yield _found(
                CHANGED,
                change,
                called,
                severity=CHANGED.severity,
                summary=f"{change.address} was changed outside of Terraform.",
                evidence=f"differs in {', '.join(others)}",
            )


def _is_in(path: AttributePath, others: Sequence[AttributePath]) -> bool:
    """Whether one of the others is the same place, a part of what stands there, or has it as a part."""
    return any(other.starts_with(path) or path.starts_with(other) for other in others)


def _found(
    rule: Rule,
    change: Change,
    called: str,
    *,
    severity: Severity,
    summary: str,
    evidence: str,
    attribute: str | None = None,
) -> Finding:
    return Finding(
        rule=rule,
        severity=severity,
        resource=change.resource,
        attribute=attribute,
        summary=summary,
        evidence=evidence,
        remedy=f"`toolkit plan {called}` shows what would revert it; to keep it, change environment.yaml",
        consent=None,
        component=change.component,
    )
