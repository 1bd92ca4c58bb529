"""What managed policies say before and after a plan, by their ARN.

In: the plan's changes, what there is once it is applied, and texts that were read from the account. Out: JSON text, or
None where it is not known. Pure. Of AWS's own policies only two are known by name: their texts change without notice,
and these two by definition cannot (AWS Managed Policy Reference, "AdministratorAccess" and "AWSDenyAll").
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from toolkit.plan.facts import Facts, Source, Wanted
from toolkit.plan.model import Action, Change, Plan, Resource

POLICY = "aws_iam_policy"
"""Terraform's type of a managed policy of the account's own."""
ALLOW_EVERYTHING = '{"Version": "2012-10-17", "Statement": {"Effect": "Allow", "Action": "*", "Resource": "*"}}'
DENY_EVERYTHING = (
    '{"Version": "2012-10-17", "Statement": {"Sid": "DenyAll", "Effect": "Deny", "Action": "*", "Resource": "*"}}'
)
_MAKES = (Action.CREATE, Action.UPDATE, Action.REPLACE)
_OF_AWS = ":iam::aws:policy/"


def is_of_aws(arn: str) -> bool:
    """Whether a managed policy is one of AWS's own."""
    return _OF_AWS in arn


def is_administrator(arn: str) -> bool:
    """Whether it is AdministratorAccess of AWS, not one of the account's own that is called so."""
    return is_of_aws(arn) and arn.endswith(":policy/AdministratorAccess")


def gives_administration(attachment: Mapping[str, Any]) -> bool:
    """Whether an attachment's values name AdministratorAccess; those of IAM Identity Center have another attribute."""
    return any(is_administrator(str(attachment.get(name))) for name in ("policy_arn", "managed_policy_arn"))


def is_deny_all(arn: str) -> bool:
    """Whether it is AWSDenyAll of AWS, not one of the account's own that is called so."""
    return is_of_aws(arn) and arn.endswith(":policy/AWSDenyAll")


class ManagedPolicies:
    """Texts of managed policies."""

    def __init__(self, plan: Plan, outcome: Iterable[Resource] = (), texts: Mapping[str, str] | None = None) -> None:
        """Args:
        plan: The plan.
        outcome: What there is once it is applied; what the plan leaves alone is in it.
        texts: ARN → text, of policies that the account has and the state may not have.
        """
        made = [c for c in plan.changes if c.type == POLICY]
        self._changes = [c for c in made if c.action is not Action.FORGET]
        changed = {c.address for c in made}
        kept = [r.values for r in outcome if r.type == POLICY and r.address not in changed]
        # What Terraform forgets, AWS keeps.
        kept += [c.before for c in made if c.action is Action.FORGET]
        self._texts = {**(texts or {}), **{str(v.get("arn")): t for v in kept if isinstance(t := v.get("policy"), str)}}

    def before(self, arn: str) -> str | None:
        """What the policy says before the plan is applied."""
        change = next((c for c in self._changes if c.before and c.before.get("arn") == arn), None)
        return _text(change.before) if change is not None else self._known(arn)

    def after(self, arn: str) -> str | None:
        """What it says afterwards."""
        change = self.change(arn)
        if change is None:
            return self._known(arn)
        # One that is deleted while something uses it: AWS refuses that, and what it says then is not known.
        return _text(change.after) if change.action in _MAKES else None

    def change(self, arn: str) -> Change | None:
        """What makes, changes or deletes it; None where the plan leaves it alone."""
        found = [c for c in self._changes if _is_named(c, arn)]
        # Deleted at one address and made again at another of the same name: the latter is what there is then.
        return next((c for c in found if c.action in _MAKES), found[0] if found else None)

    def _known(self, arn: str) -> str | None:
        if is_administrator(arn):
            return ALLOW_EVERYTHING
        return DENY_EVERYTHING if is_deny_all(arn) else self._texts.get(arn)


@dataclass(frozen=True)
class DocumentWanted(Wanted[str | None]):
    """The text of a managed policy of the account's own; None: there is no such policy."""

    arn: str

    @property
    def what(self) -> str:
        """As the base."""
        return f"the policy {self.arn}"

    def read(self, source: Source) -> str | None:
        """As the base."""
        return read_document(source, self.arn)


def read_document(source: Source, arn: str) -> str | None:
    """The text of a managed policy, that of its default version; None: there is no such policy."""
    home = source.home_region
    found = source.call("iam", "get_policy", home, absent=("NoSuchEntity",), PolicyArn=arn)
    if found is None:
        return None
    version = found["Policy"]["DefaultVersionId"]
    answer = source.call("iam", "get_policy_version", home, PolicyArn=arn, VersionId=version)
    assert answer is not None, "no error of this call is an absence"
    # botocore has parsed the document already.
    return json.dumps(answer["PolicyVersion"]["Document"])


def documents_wanted(
    arns: Iterable[str], plan: Plan, outcome: Iterable[Resource], drift: Iterable[Change] = ()
) -> tuple[DocumentWanted, ...]:
    """Which of some managed policies the account is to be asked for: neither the plan nor the state has their text.

    Args:
        arns: Of policies; AWS's own are never among the answer.
        plan: The plan.
        outcome: What there is once it is applied.
        drift: What AWS has otherwise than the state: the text of what somebody deleted by hand is known, too.
    """
    known = ManagedPolicies(plan, outcome, deleted_texts(drift))
    unknown = (a for a in arns if not is_of_aws(a) and known.before(a) is None and known.after(a) is None)
    return tuple(DocumentWanted(arn) for arn in sorted(set(unknown)))


def policies_with(
    facts: Facts, arns: Iterable[str], plan: Plan, outcome: Iterable[Resource], drift: Iterable[Change] = ()
) -> ManagedPolicies:
    """Texts of managed policies, with those that were wanted: arguments as for `documents_wanted`."""
    outcome, drift = tuple(outcome), tuple(drift)
    read = {w.arn: text for w in documents_wanted(arns, plan, outcome, drift) if (text := facts[w]) is not None}
    return ManagedPolicies(plan, outcome, deleted_texts(drift) | read)


def deleted_texts(drift: Iterable[Change]) -> dict[str, str]:
    """ARN → text of managed policies that somebody deleted by hand."""
    gone = (c.before for c in drift if c.type == POLICY and c.action is Action.DELETE)
    return {str(v["arn"]): text for v in gone if "arn" in v and (text := _text(v)) is not None}


def _text(values: Mapping[str, object]) -> str | None:
    text = values.get("policy")
    return text if isinstance(text, str) else None


def _is_named(change: Change, arn: str) -> bool:
    for values in (change.before, change.after):
        if isinstance(known := values.get("arn"), str) and known == arn:
            return True
    # What is only made has no ARN yet, but modules compose it, so that plans show it.
    path, name = change.after.get("path"), change.after.get("name")
    composed = f":policy{path if isinstance(path, str) else '/'}{name}"
    return isinstance(name, str) and not is_of_aws(arn) and arn.endswith(composed)
