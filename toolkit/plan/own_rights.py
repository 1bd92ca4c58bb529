"""Whether the role that applies a plan keeps the rights that the plan itself needs, until the end.

In: the plan, and the policies of the role that applies it: of the caller, or of the pipeline's other role if the caller
is the one that plans. Out: findings. Pure. Terraform has no order between the update of a policy and deletions in other
modules: once the policy is narrower, AWS denies what is left to delete, and a second apply as the same role is denied
as well. What a plan does with a type is from the recording and the types' records; what a resource is called, from the
forms of the ARNs that each action is about. Denials are for `own_role`.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any

from toolkit.findings import Finding
from toolkit.findings.rules import LOCKS_OUT, LOCKS_OUT_CALLER
from toolkit.globs import glob
from toolkit.iam import PolicyDocument, PolicyError, Statement
from toolkit.iam.comparison import grants_lost
from toolkit.iam.matching import Context, any_action_matches
from toolkit.plan.case import Case, Guard
from toolkit.plan.denials import HeldPolicies
from toolkit.plan.facts import Facts, Wanted
from toolkit.plan.lockout.changes import goes
from toolkit.plan.lockout.finding import counted, lockout
from toolkit.plan.managed_policies import POLICY, is_administrator, is_of_aws
from toolkit.plan.model import Action, Change, Plan
from toolkit.plan.own_role import RolePoliciesWanted, policies_given, role_of
from toolkit.plan.spelling import Spelling
from toolkit.resources.recorded import recorded
from toolkit.resources.registry import record_of

_ATTACHED = "aws_iam_role_policy_attachment"
_INLINE = "aws_iam_role_policy"
_PUTS = (Action.CREATE, Action.UPDATE, Action.REPLACE)
_NEEDING = (Action.UPDATE, Action.REPLACE, Action.DELETE)
_NEVER = ("Create", "Tag", "PassRole")
"""What the names of actions begin with that no change or deletion of a resource rests on."""
_FIRST = ("Delete", "Remove", "Detach", "Disable", "Disassociate", "Schedule")
"""What the names of actions begin with that a deletion rests on, so that people recognize it."""
_READ_ONLY = ("SecurityAudit", "ViewOnlyAccess", "ReadOnlyAccess")
"""AWS's policies that allow no writing: https://docs.aws.amazon.com/aws-managed-policy/latest/reference/"""
_NAMED = 3
"""Resources that the evidence names."""


@dataclass(frozen=True)
class _Rights:
    """What a role is allowed at one time.

    Attributes:
        documents: The policies whose text is known.
        unknown: Whether it has others, which may allow more.
    """

    documents: tuple[PolicyDocument, ...]
    unknown: bool = False

    def allow(self, action: str, change: Change) -> bool:
        """Whether a statement allows an action on what a change is about."""
        return any(
            s.effect == "Allow" and _allows(s, one, action, change) for one in self.documents for s in one.statements
        )


def _allows(statement: Statement, document: PolicyDocument, action: str, change: Change) -> bool:
    named = any_action_matches(statement.actions or statement.not_actions, action)
    if named == bool(statement.not_actions):
        return False
    if statement.resources and not any(_covers(pattern, action, change.before) for pattern in statement.resources):
        return False
    # Other keys are of requests that are not known here: their conditions count as met, before and after.
    known = [c for c in statement.conditions if c.key.lower().startswith(("aws:requestedregion", "aws:resourcetag/"))]
    # An update may give it the tags that a condition names then.
    return any(
        all(condition.holds(_keys(change.region, values), variables=document.variables) for condition in known)
        for values in (change.before, change.after if change.action is Action.UPDATE else change.before)
    )


def _keys(region: str, values: Mapping[str, Any]) -> Context:
    keys = {"aws:requestedregion": region}
    if isinstance(tags := values.get("tags_all"), Mapping):
        keys |= {f"aws:resourcetag/{key.lower()}": str(value) for key, value in tags.items()}
    return Context(keys)


def _covers(pattern: str, action: str, values: Mapping[str, Any]) -> bool:
    """Whether a pattern of a policy covers a resource, of which the values are known that Terraform has."""
    if pattern == "*":
        return True
    texts = [value for value in values.values() if isinstance(value, str) and value]
    whole = glob(pattern)
    if any(text.startswith("arn:") and whole.matches(text) for text in texts):
        return True
    known = recorded().actions.get(action)
    for form in known.on if known is not None else ():
        found = _form(form).fullmatch(pattern)
        if found is not None and all(_is_called(name, texts) for name in found.groups()):
            return True
    return False


@cache
def _form(form: str) -> re.Pattern[str]:
    """The form of an ARN, as a pattern whose groups are what names the resource."""
    fixed = ("Partition", "Region", "Account")
    parts = re.split(r"\$\{(\w+)\}", form)
    return re.compile(
        "".join(re.escape(p) if n % 2 == 0 else "[^:]*" if p in fixed else "(.+)" for n, p in enumerate(parts))
    )


def _is_called(name: str, texts: list[str]) -> bool:
    """Whether a value of Terraform is a name that a pattern has; paths of IAM are in names of ARNs alone."""
    if name == "*":
        return True
    pattern, last = glob(name), glob(name.rsplit("/", 1)[-1])
    return any(pattern.matches(text) or ("/" in name and last.matches(text)) for text in texts)


def _actions(change: Change) -> list[str]:
    """Actions that a change may need, those that people recognize first."""
    known = recorded()
    kind = change.type
    every = (*known.types.get(kind, ()), *record_of(kind).unrecorded)
    # Who updates a resource does not delete it: what there is a Create of, or what a key is deleted by.
    made = {name.removeprefix("Create") for name in map(_name, every) if name.startswith("Create")}
    kept = {f"Delete{what}" for what in made} | {"ScheduleKeyDeletion"} if change.action is Action.UPDATE else set()
    writes = {
        action
        for action in every
        if not known.actions[action].reads and not _name(action).startswith(_NEVER) and _name(action) not in kept
    }
    return sorted(writes, key=lambda a: (not _name(a).startswith(_FIRST), a))


def _name(action: str) -> str:
    return action.partition(":")[2]


def _takes(change: Change, role: str) -> bool:
    """Whether a change may take rights from a role: from a policy that it may have, or the policy itself."""
    if change.type == _ATTACHED:
        return change.before.get("role") == role and goes(change)
    if change.type == POLICY or (change.type == _INLINE and change.before.get("role") == role):
        if change.action not in _NEEDING:
            return False
        before, after = change.before.get("policy"), change.after.get("policy")
        return isinstance(before, str) and (not isinstance(after, str) or bool(grants_lost(before, after)))
    return False


def _before(role: str, held: HeldPolicies, changed: Mapping[str, Change]) -> _Rights:
    texts = dict(held.inline.get(role, {}))
    arns = held.attached.get(role, frozenset())
    for arn in arns:
        text = changed[arn].before.get("policy") if arn in changed else held.documents.get(arn)
        if isinstance(text, str):
            texts[arn] = text
    return _Rights(_parsed(texts.values()))


def _after(
    role: str, held: HeldPolicies, plan: Plan, changed: Mapping[str, Change], given: Mapping[str, str]
) -> _Rights:
    texts = dict(held.inline.get(role, {}))
    arns = set(held.attached.get(role, ()))
    fresh = False
    for change in plan.changes:
        if change.type == _ATTACHED and goes(change) and change.before.get("role") == role:
            arns.discard(str(change.before.get("policy_arn")))
        if change.type == _INLINE and goes(change) and change.before.get("role") == role:
            texts.pop(str(change.before.get("name")), None)
    for change in plan.changes:
        if change.action not in _PUTS or change.after.get("role") != role:
            continue
        if change.type == _ATTACHED:
            arn = change.after.get("policy_arn")
            arns |= {arn} if isinstance(arn, str) else set()
            fresh = fresh or not isinstance(arn, str)
        if change.type == _INLINE and isinstance(text := change.after.get("policy"), str):
            texts[str(change.after.get("name"))] = text
    for arn in arns:
        text = changed[arn].after.get("policy") if arn in changed else held.documents.get(arn, given.get(arn))
        if isinstance(text, str):
            texts[arn] = text
    if fresh:
        # What one policy loses, one that the plan makes may have: the ARN does not say which of them the role gets.
        made = (c for c in plan.changes if c.type == POLICY and c.action in (Action.CREATE, Action.REPLACE))
        texts |= {c.address: text for c in made if isinstance(text := c.after.get("policy"), str)}
    of_aws = [arn.rsplit("/", 1)[-1] for arn in arns if is_of_aws(arn)]
    return _Rights(_parsed(texts.values()), any(name not in _READ_ONLY for name in of_aws))


def _parsed(texts: Any) -> tuple[PolicyDocument, ...]:
    found = []
    for text in texts:
        try:
            found.append(PolicyDocument.parse(text))
        except PolicyError:
            continue  # AWS has it, so that it is a policy; what is new and none, AWS refuses
    return tuple(found)


def _who(case: Case) -> tuple[str, bool] | None:
    """(the role that applies, whether it is the caller); None where it is no role."""
    role = role_of(case.caller)
    if role is None or case.ends:
        return None
    applier = dict(case.identities.appliers).get(role)
    return (role, True) if applier is None else (applier, False)


def _relevant(case: Case) -> tuple[str, bool, Plan] | None:
    """The role, whether it is the caller, and the plan, where that may take rights which it needs itself."""
    who = _who(case)
    if who is None:
        return None
    plan = Spelling(roles=[who[0]]).plan(case.plan)
    takes = [change for change in plan.changes if _takes(change, who[0])]
    needs = any(c.action in _NEEDING and c not in takes and _actions(c) for c in plan.changes)
    # A role that the plan makes has nothing yet; of one that it deletes, `own_role` tells.
    roles = (
        c for c in plan.changes if c.type == "aws_iam_role" and who[0] in (c.before.get("name"), c.after.get("name"))
    )
    made = any(c.action is Action.CREATE or (who[1] and goes(c)) for c in roles)
    return (*who, plan) if takes and needs and not made else None


def _needs(case: Case) -> Iterator[Wanted[Any]]:
    if (found := _relevant(case)) is not None:
        role, _, plan = found
        yield RolePoliciesWanted(role)
        yield from policies_given(plan, role)


def _judge(case: Case, facts: Facts) -> Iterator[Finding]:
    if (found := _relevant(case)) is None:
        return
    role, own, plan = found
    held = facts[RolePoliciesWanted(role)]
    if any(is_administrator(arn) for arn in held.attached.get(role, ())):
        return  # that it may lose AdministratorAccess is for `own_role`
    changed = {str(c.before.get("arn")): c for c in plan.changes if c.type == POLICY and c.before.get("arn")}
    given = {wanted.arn: text for wanted in policies_given(plan, role) if (text := facts[wanted]) is not None}
    before, after = _before(role, held, changed), _after(role, held, plan, changed, given)
    lost: dict[str, str] = {}
    for change in plan.changes:
        if change.action in _NEEDING:
            gone = [a for a in _actions(change) if before.allow(a, change) and not after.allow(a, change)]
            if gone:
                # Of an update, what it cannot do without says more than what it may not need.
                sure = (a for a in gone if change.action is Action.UPDATE and not _name(a).startswith(_FIRST))
                lost[change.address] = next(sure, gone[0])
    if not lost:
        return
    # An update may do without what takes something away from a resource, if it adds or sets: only AWS would tell.
    updated = {c.address for c in plan.changes if c.action is Action.UPDATE}
    unsure = after.unknown or all(at in updated and _name(a).startswith(_FIRST) for at, a in lost.items())
    first = next(c for c in plan.changes if _takes(c, role))
    named = [f"{action} ({address})" for address, action in list(lost.items())[:_NAMED]]
    more = f", and more for {counted(len(lost) - _NAMED, 'resource')}" if len(lost) > _NAMED else ""
    yield lockout(
        LOCKS_OUT if unsure else LOCKS_OUT_CALLER,
        first,
        f"{'You apply' if own else 'The pipeline applies this'} as the role {role}, whose policies "
        f"{'might' if unsure else 'would'} lose rights that this plan needs to change or delete "
        f"{counted(len(lost), 'resource')}.",
        f"it would lose {', '.join(named)}{more}; Terraform has no order between that and these changes, and a second "
        "apply as this role has the new policies alone",
        "apply this plan as an administrator; or first give the role, by another apply, the policies of `toolkit "
        "permissions ENV --for apply --also FILE` (FILE: environment.yaml of the last apply), and take them away "
        "afterwards",
        consent="--acknowledge-lockout" if unsure else None,
    )


GUARD = Guard(_judge, _needs)
