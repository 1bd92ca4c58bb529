"""Permissions boundaries: whether another one, or another text of it, limits less, and what it leaves of who has it.

In: the plan, and what managed policies say before and after it. Out: findings, and what a boundary refuses. Pure.
A boundary grants nothing: what it does not allow is refused, whatever the identity's own policies say (IAM User Guide,
"Permissions boundaries for IAM entities").
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any

from toolkit.findings import Finding, Severity
from toolkit.findings.rules import WEAKENS
from toolkit.iam import ContextValue, PolicyDocument, PolicyError, Request, Statement
from toolkit.iam import statement_applies as applies
from toolkit.iam.comparison import compare_policies, rights_lost
from toolkit.iam.organization import Deployment, is_known, named_actions, requests
from toolkit.plan.managed_policies import POLICY, ManagedPolicies
from toolkit.plan.model import Action, Change, Plan
from toolkit.plan.pairs import continued
from toolkit.resources.registry import RESOURCES

_BOUNDED = {
    record.name: (record.owner.kind, record.owner.boundary)
    for record in RESOURCES.values()
    if record.owner and record.owner.boundary
}
"""Type with a permissions boundary → what it is, and the attribute with the boundary."""
SET_BOUNDARY = "aws_ssoadmin_permissions_boundary_attachment"
_IDENTITY = ("iam", "sts", "organizations")


@dataclass(frozen=True)
class Refused:
    """Actions that applying the baseline needs and a boundary refuses."""

    actions: Mapping[str, bool]
    """Action → whether that is certain."""
    line: str
    """For people: some actions, and the boundary."""

    @property
    def certain(self) -> bool:
        """Whether any of it is refused for certain."""
        return any(self.actions.values())

    @property
    def administration(self) -> bool | None:
        """Whether it leaves the administration of identities in full: None where that is not certain."""
        sure = [sure for action, sure in self.actions.items() if action.split(":")[0] in _IDENTITY]
        return True if not sure else False if any(sure) else None

    def newly(self, earlier: Refused) -> Refused | None:
        """What is refused that was not, or not for certain; None where nothing is."""
        actions = {a: sure for a, sure in self.actions.items() if a not in earlier.actions or sure > earlier.actions[a]}
        return replace(self, actions=actions) if actions else None


class Boundaries:
    """Judges what boundaries refuse users and roles, before the plan is applied and by it."""

    def __init__(self, plan: Plan, policies: ManagedPolicies, deployment: Deployment) -> None:
        """Args:
        plan: The plan.
        policies: What the boundaries say.
        deployment: What the baseline is applied by; its deployers are not asked.
        """
        self._plan = plan
        self._policies = policies
        self._deployment = deployment

    def before(self, arn: str, boundary: str | None, *, mfa: bool) -> Refused:
        """What a boundary refuses now."""
        text = self._policies.before(boundary) if boundary else None
        return _refused(boundary, text, arn, self._deployment, mfa=mfa)

    def newly(self, arn: str, boundary: str | None, *, mfa: bool = False) -> tuple[Refused, Change] | None:
        """What is refused afterwards that is not, or not for certain, now; and by which change.

        Args:
            arn: Of a user or role.
            boundary: ARN of the boundary that AWS has on it; None: it has none.
            mfa: Whether they can have a session with MFA.
        """
        own = next((c for c in self._plan.changes if _is_of(c, arn)), None)
        new = boundary_of(own.type, own.after) if own is not None else boundary
        if new is None:
            return None
        change = own if own is not None and new != boundary else self._policies.change(new)
        if change is None:
            return None
        found = self.replaced(arn, boundary, new, mfa=mfa)
        return (found, change) if found is not None else None

    def replaced(self, arn: str, old: str | None, new: str, *, mfa: bool = False) -> Refused | None:
        """What boundary `new` refuses, as it is after the plan, that `old` does not now; None where it is nothing."""
        after = _refused(new, self._policies.after(new), arn, self._deployment, mfa=mfa)
        return after.newly(self.before(arn, old, mfa=mfa))


def _is_of(change: Change, arn: str) -> bool:
    """Whether a change is of the user or role itself, and says what its boundary is."""
    kind, _ = _BOUNDED.get(change.type, (None, None))
    if kind is None or change.action not in (Action.UPDATE, Action.REPLACE, Action.CREATE):
        return False
    name = str(change.before.get("name") or change.after.get("name"))
    return f":{kind}/" in arn and arn.rsplit("/", 1)[-1].casefold() == name.casefold()


def _refused(boundary: str | None, text: str | None, arn: str, deployment: Deployment, *, mfa: bool) -> Refused:
    if boundary is None:
        return Refused({}, "")
    context: dict[str, ContextValue] = {"aws:MultiFactorAuthPresent": True} if mfa else {}
    deployment = replace(deployment, context={**deployment.context, **context})
    name = boundary.rsplit("/", 1)[-1]
    try:
        document = PolicyDocument.parse(text) if text is not None else None
    except PolicyError:
        document = None
    if document is None:
        # Whatever it says, it may be less than what is needed.
        every = {request.action: False for request in requests(arn, deployment)}
        return Refused(every, f"the boundary {name}, whose text is not known")
    actions: dict[str, bool] = {}
    for request in requests(arn, deployment):
        sure = _refuses(document, request, arn, deployment)
        if sure is not None:
            actions[request.action] = actions.get(request.action, False) or sure
    return Refused(actions, f"{named_actions(actions)} (boundary {name})")


def _refuses(document: PolicyDocument, request: Request, arn: str, deployment: Deployment) -> bool | None:
    """True: certainly; False: perhaps, by what is not known of the request; None: it lets it through."""

    def meets(statement: Statement, *, at_best: bool) -> bool:
        known = tuple(c for c in statement.conditions if is_known(c.key, arn, deployment))
        if known != statement.conditions and not at_best:
            return False
        return applies(replace(statement, conditions=known), document, request)

    allows = [s for s in document.statements if s.effect == "Allow"]
    denies = [s for s in document.statements if s.effect == "Deny"]
    if any(meets(s, at_best=False) for s in denies) or not any(meets(s, at_best=True) for s in allows):
        return True
    if any(meets(s, at_best=True) for s in denies) or not any(meets(s, at_best=False) for s in allows):
        return False
    return None


def judge_boundaries(plan: Plan, policies: ManagedPolicies) -> Iterator[Finding]:
    """Boundaries that are replaced by one that is wider, or that nobody can compare.

    What takes a boundary away, and what changes the text of one, is judged as a change of that attribute.
    """
    replaced = continued(plan)
    for change in plan.changes:
        new = boundary_of(change.type, change.after)
        befores = [change, *replaced.get(change.address, ())]
        olds = [old for c in befores if (old := boundary_of(c.type, c.before)) is not None]
        if change.action not in (Action.UPDATE, Action.REPLACE, Action.CREATE) or new is None or new in olds:
            continue
        # Of several in whose place it may be, the one that it is nearest to.
        compared = [(limits_less(old, new, policies), old) for old in olds]
        reasons, old = min(compared, key=lambda one: len(one[0]), default=((), ""))
        if reasons:
            attribute = "permissions_boundary"
            yield Finding(
                rule=WEAKENS,
                severity=Severity.HIGH,
                resource=change.resource,
                attribute=attribute,
                summary=f"Another permissions boundary replaces {old.rsplit('/', 1)[-1]}, and may allow more.",
                evidence=f"{old.rsplit('/', 1)[-1]} → {new.rsplit('/', 1)[-1]}: {'; '.join(reasons)}",
                remedy="keep the boundary; or give consent after comparing the two policies",
                consent=f"--allow-weaker '{change.address}.{attribute}'",
                component=change.component,
            )


def limits_less(boundary: str, other: str, policies: ManagedPolicies) -> tuple[str, ...]:
    """Why another boundary in place of one limits less, or may; nothing where it limits as much.

    Args:
        boundary: ARN of the one that there is before the plan.
        other: ARN of the one that there is afterwards.
        policies: What both say.
    """
    old, new = policies.before(boundary), policies.after(other)
    if old is None or new is None:
        return (f"what the {'old' if old is None else 'new'} one says is not known here",)
    return compare_policies(old, new).weaker


def may_limit_more(change: Change) -> bool:
    """Whether a change of a managed policy takes something from whoever has it as a boundary, if anybody has."""
    if change.type != POLICY or change.action not in (Action.UPDATE, Action.REPLACE):
        return False
    old, new = change.before.get("policy"), change.after.get("policy")
    return not isinstance(old, str) or not isinstance(new, str) or any(rights_lost(old, new))


def changed_boundaries(plan: Plan) -> frozenset[str]:
    """ARNs of boundaries that the plan puts on somebody or takes from them, whose texts are wanted."""
    found = {boundary_of(c.type, values) for c in plan.changes for values in (c.before, c.after)}
    return frozenset(arn for arn in found if arn is not None and not arn.startswith(_ELSEWHERE))


def boundary_of(resource: str, values: Mapping[str, Any]) -> str | None:
    """What stands for a boundary in a resource's values: its ARN or, of a permission set, the path and name of a policy
    in each account, as an ARN without an account; UNKNOWN_BOUNDARY where it is known only after the apply; None: none.
    """
    if resource in _BOUNDED:
        return _reference(values.get(_BOUNDED[resource][1]))
    if resource != SET_BOUNDARY:
        return None
    block = values.get("permissions_boundary")
    inner = block[0] if isinstance(block, list) and block and isinstance(block[0], Mapping) else {}
    own = inner.get("customer_managed_policy_reference")
    if isinstance(own, list) and own and isinstance(own[0], Mapping):
        return f"{_ELSEWHERE}{own[0].get('path') or '/'}{own[0].get('name')}"
    return _reference(inner.get("managed_policy_arn") or (block if not isinstance(block, list) else None))


_ELSEWHERE = "arn:aws:iam::account:policy"
UNKNOWN_BOUNDARY = f"{_ELSEWHERE}/(known after apply)"
"""Stands for a boundary that is known only after the apply."""


def in_account(boundary: str, account_id: str) -> str:
    """The ARN in one account of what `boundary_of` gives for a permission set."""
    return boundary.replace(_ELSEWHERE, f"arn:aws:iam::{account_id}:policy")


def _reference(value: object) -> str | None:
    if isinstance(value, str):
        return value or None
    return None if value is None else UNKNOWN_BOUNDARY
