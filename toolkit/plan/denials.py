"""What policies newly deny the members of a group, or a role's sessions, of what the baseline is applied by.

In: the plan, what groups or the role have now, and who is in which group before and after. Out: Denied. Pure. Whether a
statement denies is decided as for organization policies. One that depends on what is not known of somebody's requests
(an address, a tag) may deny, which is told apart.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Literal

from toolkit.iam import ContextValue, PolicyDocument, PolicyError, Statement
from toolkit.iam.comparison import denies
from toolkit.iam.organization import Deployment, denied_needs, is_known, named_actions
from toolkit.plan.facts import Source, Wanted
from toolkit.plan.managed_policies import DENY_EVERYTHING, POLICY, is_deny_all
from toolkit.plan.model import Action, Change, Plan
from toolkit.plan.users import authorization_details

_PUTS = (Action.CREATE, Action.UPDATE, Action.REPLACE)
_TAKES = (Action.DELETE, Action.UPDATE, Action.REPLACE)
_IDENTITY = ("iam", "sts", "organizations")


@dataclass(frozen=True)
class HeldPolicies:
    """Policies of an account's groups, or of a role, as JSON text."""

    inline: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    """Group or role → name of an inline policy → its text."""
    attached: Mapping[str, frozenset[str]] = field(default_factory=dict)
    """Group or role → ARNs of managed policies on it."""
    documents: Mapping[str, str] = field(default_factory=dict)
    """ARN of a policy of the account's own → its text."""
    kind: Literal["group", "role"] = "group"

    @property
    def inline_type(self) -> str:
        """Terraform's type of an inline policy on one."""
        return f"aws_iam_{self.kind}_policy"

    @property
    def attached_type(self) -> str:
        """Terraform's type of a managed policy on one."""
        return f"aws_iam_{self.kind}_policy_attachment"


@dataclass(frozen=True)
class GroupPoliciesWanted(Wanted[HeldPolicies]):
    """The policies of every group, with the text of those that are inline or the account's own."""

    @property
    def what(self) -> str:
        """As the base."""
        return "the policies of the account's groups"

    def read(self, source: Source) -> HeldPolicies:
        """As the base."""
        groups = authorization_details(source, "Group", "GroupDetailList")
        policies = authorization_details(source, "LocalManagedPolicy", "Policies")
        return HeldPolicies(
            inline={
                g["GroupName"]: {p["PolicyName"]: json.dumps(p["PolicyDocument"]) for p in g.get("GroupPolicyList", ())}
                for g in groups
            },
            attached={g["GroupName"]: frozenset(p["PolicyArn"] for p in g["AttachedManagedPolicies"]) for g in groups},
            documents={
                policy["Arn"]: json.dumps(version["Document"])
                for policy in policies
                for version in policy["PolicyVersionList"]
                if version["IsDefaultVersion"]
            },
        )


@dataclass(frozen=True)
class Member:
    """Somebody, with the groups that they are in before and after; of a session, its role."""

    arn: str
    before: frozenset[str]
    after: frozenset[str]
    joins: Change | None
    """What puts them in another group."""
    mfa: bool
    """Whether they can have a session with MFA."""


@dataclass(frozen=True)
class Denied:
    """Actions that applying the baseline needs and a user or role is denied."""

    actions: Mapping[str, bool]
    """Action → whether that is certain."""
    lines: tuple[str, ...]
    """For people: some actions, and the statement that denies them."""
    change: Change | None
    """What does it; None for what is so already."""

    @property
    def certain(self) -> bool:
        """Whether any of it is denied for certain."""
        return any(self.actions.values())

    @property
    def administers_not(self) -> bool:
        """Whether identities can certainly not be administered in full, so that it could not be undone either."""
        return any(sure and action.split(":")[0] in _IDENTITY for action, sure in self.actions.items())


@dataclass(frozen=True)
class _Put:
    """A policy on a group."""

    name: str
    text: str | None
    """None: not known before the apply."""
    change: Change | None = None


class Denials:
    """Judges members of groups, or a role."""

    def __init__(
        self, plan: Plan, policies: HeldPolicies, deployment: Deployment, with_mfa: frozenset[str] = frozenset()
    ) -> None:
        """Args:
        plan: The plan.
        policies: What groups, or the role, have now.
        deployment: What the baseline is applied by; its deployers are not asked.
        with_mfa: Groups on which MFA is enforced, about which other findings tell.
        """
        self._deployment = deployment
        self._with_mfa = with_mfa
        self._before = _now(policies)
        self._after = _then(plan, policies, self._before, deployment)

    def already(self, member: Member) -> Denied:
        """What is denied before the plan is applied."""
        return _told(self._of(member, member.before, self._before), None)

    def newly(self, member: Member) -> Denied:
        """What is denied afterwards that is not denied, or not for certain, before."""
        known = self._of(member, member.before, self._before)
        found = self._of(member, member.after, self._after)
        new = {a: d for a, d in found.items() if a not in known or d.sure > known[a].sure}
        return _told(new, member.joins)

    def _of(
        self, member: Member, groups: frozenset[str], policies: Mapping[str, Mapping[str, _Put]]
    ) -> dict[str, _Why]:
        found: dict[str, _Why] = {}
        context: dict[str, ContextValue] = {"aws:MultiFactorAuthPresent": True} if member.mfa else {}
        deployment = replace(self._deployment, context=context)
        for group in sorted(groups):
            for put in policies.get(group, {}).values():
                for action, why in _denials(group, put, member.arn, deployment, enforced=group in self._with_mfa):
                    if action not in found or why.sure > found[action].sure:
                        found[action] = why
        return found


@dataclass(frozen=True)
class _Why:
    """Why an action is denied."""

    sure: bool
    line: str
    change: Change | None


def newly_denies(plan: Plan, role: str | None = None) -> bool:
    """Whether the plan puts a policy that denies on a group (or on the role), or changes one that may be on it."""
    of = HeldPolicies(kind="role" if role else "group")
    for change in plan.changes:
        if change.action not in _PUTS:
            continue
        if role and change.type in (of.inline_type, of.attached_type) and change.after.get("role") != role:
            continue
        # A policy that is made is on nothing yet.
        if change.type == of.inline_type or (change.type == POLICY and change.action is not Action.CREATE):
            found = denies(str(change.after.get("policy")))
        else:
            arn = str(change.after.get("policy_arn")) if change.type == of.attached_type else ""
            found = arn.startswith("arn:") and (":iam::aws:" not in arn or is_deny_all(arn))
        if found:
            return True
    return False


def _now(policies: HeldPolicies) -> dict[str, dict[str, _Put]]:
    found = {group: {n: _Put(n, text) for n, text in names.items()} for group, names in policies.inline.items()}
    for group, arns in policies.attached.items():
        for arn in arns:
            text = _text(arn, policies.documents)
            if text is not None:
                found.setdefault(group, {})[arn] = _Put(arn, text)
    return found


def _text(arn: str, documents: Mapping[str, str]) -> str | None:
    return DENY_EVERYTHING if is_deny_all(arn) else documents.get(arn)


def _then(
    plan: Plan, policies: HeldPolicies, before: Mapping[str, Mapping[str, _Put]], deployment: Deployment
) -> dict[str, dict[str, _Put]]:
    after = {group: dict(names) for group, names in before.items()}
    changed = {_arn(c, deployment): c for c in plan.changes if c.type == POLICY and c.action in _PUTS}
    for names in after.values():
        for arn in names.keys() & changed.keys():
            names[arn] = _put(arn, changed[arn])
    for change in plan.changes:
        key = {policies.inline_type: "name", policies.attached_type: "policy_arn"}.get(change.type)
        if key is None:
            continue
        if change.action in _TAKES:
            after.get(str(change.before.get(policies.kind)), {}).pop(str(change.before.get(key)), None)
        name = change.after.get(key)
        # The ARN of what the plan itself makes is not known: the guardrail and the like, judged by what they are for.
        if change.action not in _PUTS or not isinstance(name, str):
            continue
        put = _put(name, change)
        if key == "policy_arn":
            put = _put(name, changed[name]) if name in changed else _Put(name, _text(name, policies.documents))
            if ":iam::aws:" in name and put.text is None:
                continue
        after.setdefault(str(change.after.get(policies.kind)), {})[name] = replace(put, change=change)
    return after


def _arn(change: Change, deployment: Deployment) -> str:
    """A policy's ARN, composed where it is only made, since an attachment may name it so."""
    after = change.after
    composed = f"arn:{deployment.partition}:iam::{deployment.account_id}:policy{after.get('path')}{after.get('name')}"
    return str(change.before.get("arn") or composed)


def _put(name: str, change: Change) -> _Put:
    text = change.after.get("policy")
    return _Put(name, text if isinstance(text, str) else None, change)


def _denials(group: str, put: _Put, arn: str, deployment: Deployment, *, enforced: bool) -> Iterator[tuple[str, _Why]]:
    where = f"{put.name.rsplit('/', 1)[-1]} of {group}"
    try:
        document = PolicyDocument.parse(put.text) if put.text is not None else None
        unknown = "not known before the apply"
    except PolicyError as e:
        document, unknown = None, f"cannot be read: {e.problem}"
    if document is None:
        why = _Why(False, f"{where}, {unknown}", put.change)
        yield from ((need.action, why) for needs in deployment.needs.values() for need in needs)
        return
    for statement in document.statements:
        if statement.effect == "Allow" or (enforced and _about_mfa(statement)):
            continue
        open_ends = [c for c in statement.conditions if not is_known(c.key, arn, deployment)]
        rest = tuple(c for c in statement.conditions if c not in open_ends)
        denied = denied_needs(replace(statement, conditions=rest), document, arn, deployment)
        conditions = f" if {' and '.join(map(str, open_ends))}" if open_ends else ""
        why = _Why(not open_ends, f"{where}, {statement.label}{conditions}", put.change)
        yield from ((action, why) for action in denied.regions)


def _about_mfa(statement: Statement) -> bool:
    return any(c.key.lower().startswith("aws:multifactorauth") for c in statement.conditions)


def _told(found: Mapping[str, _Why], otherwise: Change | None) -> Denied:
    by_line: dict[str, list[str]] = {}
    for action, why in found.items():
        by_line.setdefault(why.line, []).append(action)
    first = next((why.change for why in sorted(found.values(), key=lambda w: not w.sure)), None)
    return Denied(
        {action: why.sure for action, why in found.items()},
        tuple(f"{named_actions(actions)} ({line})" for line, actions in by_line.items()),
        first or otherwise,
    )
