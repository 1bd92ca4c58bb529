"""Escalation: users and roles that are no administrators and can become one by a publicly catalogued path.

`toolkit.iam.escalation` has the paths, and says what is assumed where an account does not tell.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from functools import cache, partial
from typing import Any

from toolkit.audit.facts import Fact
from toolkit.audit.model import Answers, Check, Outcome, Remedy, Scope
from toolkit.findings import Severity, Status
from toolkit.iam import PolicyDocument, PolicyError, PolicyKind
from toolkit.iam.escalation import Way, escalations
from toolkit.iam.escalation_paths import LIFTING, REVERTING
from toolkit.iam.held_policies import ManagedPolicy
from toolkit.iam.holders import Identity
from toolkit.plan.facts import Source
from toolkit.resources.reading import Live
from toolkit.visible import shortened

_MEMBERS = {
    "User": "UserDetailList",
    "Group": "GroupDetailList",
    "Role": "RoleDetailList",
    "LocalManagedPolicy": "Policies",
    "AWSManagedPolicy": "Policies",
}


@dataclass(frozen=True)
class Details(Fact):
    """Every user, group, role or managed policy with its policies' documents, as JSON text.

    Values of users, groups and roles: `inline` (documents), `attached` (ARNs); of users and roles `boundary` (an ARN or
    None); of users `groups` (names); of roles `trust` and `instance_profile`. Of policies: `document`, the default
    version, and of own ones `older`, the versions that the account can go back to (None: the answer lacks that).
    https://docs.aws.amazon.com/IAM/latest/APIReference/API_GetAccountAuthorizationDetails.html
    https://docs.aws.amazon.com/IAM/latest/APIReference/API_ManagedPolicyDetail.html ("PolicyVersionList: A list
    containing information about the versions of the policy")
    """

    kind: str

    named = "IAM's details of every {kind}"
    calls = ("iam:GetAccountAuthorizationDetails",)

    def read(self, source: Source) -> tuple[Live, ...]:
        """The details."""
        home, member = source.home_region, _MEMBERS[self.kind]
        found = source.pages(
            "iam", "get_account_authorization_details", member, home, MaxItems=1000, Filter=[self.kind]
        )
        text = cache(lambda written: written)  # thousands of users may have the same document

        def live(one: Mapping[str, Any]) -> Live:
            if member == "Policies":
                versions = one["PolicyVersionList"]
                values: dict[str, Any] = {
                    "document": json.dumps(next(v["Document"] for v in versions if v["IsDefaultVersion"]))
                }
                if self.kind == "LocalManagedPolicy":
                    others = (v.get("Document") for v in versions if not v["IsDefaultVersion"])
                    values["older"] = [None if other is None else json.dumps(other) for other in others]
                return Live({"arn": one["Arn"]}, values, f"the policy {one['Arn']}", None, one["Arn"])
            name = one[f"{self.kind}Name"]
            values = {
                "inline": [
                    text(json.dumps(policy["PolicyDocument"])) for policy in one.get(f"{self.kind}PolicyList", ())
                ],
                "attached": [policy["PolicyArn"] for policy in one.get("AttachedManagedPolicies", ())],
            }
            if self.kind != "Group":
                values["boundary"] = one.get("PermissionsBoundary", {}).get("PermissionsBoundaryArn")
            if self.kind == "User":
                values["groups"] = list(one.get("GroupList", ()))
            if self.kind == "Role":
                values["trust"] = text(json.dumps(one["AssumeRolePolicyDocument"]))
                values["instance_profile"] = bool(one.get("InstanceProfileList"))
            called, kind = f"the {self.kind.lower()} {name!r}", f"aws_iam_{self.kind.lower()}"
            return Live({"name": name}, values, called, name, one["Arn"], type=kind, region=home)

        return tuple(map(live, found))


def _needs(_: Scope) -> Iterator[Details]:
    yield from map(Details, _MEMBERS)


def _document(name: str, effect: str, **elements: str) -> PolicyDocument:
    kind = PolicyKind.TRUST if "Principal" in elements else PolicyKind.IDENTITY
    statement = {"Effect": effect, "Action": "*", **elements}
    return PolicyDocument.parse({"Version": "2012-10-17", "Statement": [statement]}, name=name, kind=kind)


_EVERYTHING = _document("everything", "Allow", Resource="*")
_NOTHING = _document("nothing", "Deny", Resource="*")
_ANYONE = _document("anyone", "Allow", Principal="*")


class _Account:
    """What IAM answered, as identities; and of whom and what that is not the whole truth."""

    def __init__(self, answers: Answers, *, widely: bool = False) -> None:
        """Args:
        answers: To the check's questions.
        widely: Whether what is not known allows everything; else it allows nothing.
        """
        self._widely = widely
        self._policies = {
            str(one.arn): one for kind in ("AWSManagedPolicy", "LocalManagedPolicy") for one in answers[Details(kind)]
        }
        self._own = frozenset(str(one.arn) for one in answers[Details("LocalManagedPolicy")])
        self._parsed: dict[tuple[str, str, PolicyKind], PolicyDocument | str] = {}
        self.doubts: dict[str, str] = {}
        """ARN → why it is not known what somebody may do, or what a policy says."""
        self._groups = {one.key["name"]: one for one in answers[Details("Group")]}
        users = answers[Details("User")]
        # By service-linked roles only services act, and nobody can change them.
        roles = [one for one in answers[Details("Role")] if ":role/aws-service-role/" not in str(one.arn)]
        self.principals = (*users, *roles)
        self.identities = (
            *map(self._identity, self._groups.values()),
            *map(self._user, users),
            *map(self._role, roles),
        )
        self.policies = tuple(
            ManagedPolicy(arn, partial(self._managed, arn, arn), partial(self._older, arn)) for arn in self._policies
        )

    def _older(self, arn: str) -> Iterator[PolicyDocument]:
        for text in self._policies[arn].values["older"]:
            if text is None:
                self.doubts[arn] = f"IAM's details lack the document of a version of {arn}"
            document = self._unknown if text is None else self._parse(arn, text, f"a version of {arn}")
            if document is not None:
                yield document

    @property
    def _unknown(self) -> PolicyDocument | None:
        return _EVERYTHING if self._widely else None

    def _user(self, live: Live) -> Identity:
        groups = [self._groups[name] for name in live.values["groups"]]
        found = self._bounded(live, self._identity(live, *groups))
        return replace(found, groups=frozenset(str(one.arn) for one in groups))

    def _role(self, live: Live) -> Identity:
        trust = self._parse(str(live.arn), live.values["trust"], "its trust policy", PolicyKind.TRUST)
        found = self._bounded(live, self._identity(live))
        return replace(found, trust=trust, instance_profile=live.values["instance_profile"])

    def _bounded(self, live: Live, found: Identity) -> Identity:
        boundary = live.values["boundary"]
        if boundary is None:
            return found
        return replace(found, boundary=self._managed(found.arn, boundary) or _NOTHING, boundary_arn=boundary)

    def _identity(self, live: Live, *groups: Live) -> Identity:
        arn = str(live.arn)
        attached = tuple(dict.fromkeys(each for one in (live, *groups) for each in one.values["attached"]))
        documents = [self._managed(arn, policy) for policy in attached]
        for one in (live, *groups):
            documents += (self._parse(arn, text, f"an inline policy of {one.called}") for text in one.values["inline"])
        known = tuple(one for one in documents if one is not None)
        return Identity(arn, known, managed=self._own.intersection(attached))

    def _managed(self, of: str, arn: str) -> PolicyDocument | None:
        if arn not in self._policies:
            self.doubts[of] = f"IAM's details lack the policy {arn}"
            return self._unknown
        return self._parse(of, self._policies[arn].values["document"], arn)

    def _parse(self, of: str, text: str, name: str, kind: PolicyKind = PolicyKind.IDENTITY) -> PolicyDocument | None:
        # Equal inline policies of two users are one document: what a user may do does not depend on what it is called.
        key = (text, name if name.startswith("arn:") else "", kind)
        if key not in self._parsed:
            try:
                self._parsed[key] = PolicyDocument.parse(text, name=name, kind=kind)
            except PolicyError as e:
                self._parsed[key] = f"a policy cannot be understood: {e}"
        found = self._parsed[key]
        if isinstance(found, PolicyDocument):
            return found
        self.doubts[of] = found
        return _ANYONE if self._widely and kind is PolicyKind.TRUST else self._unknown


_NAMED = 3
"""Paths that the evidence names."""


def _said(ways: Iterable[Way], called: Mapping[str, str]) -> str:
    texts = []
    for way in ways:
        by = f" by {called.get(way.to, way.to)}" if way.to else ""
        name = _OWN_PATHS.get(way.path, f"path {way.path.id}")
        taken = [", ".join(way.path.required), f"after {', '.join(way.first)}" if way.first else ""]
        actions = f" ({', '.join(filter(None, taken))})" if any(taken) else ""
        texts.append(f"{name}{actions}{by}")
    return shortened(texts, _NAMED)


_OWN_PATHS = {
    LIFTING: "its own permissions boundary, which it may lift",
    REVERTING: "another version of its own policy, which it may make the default",
}
"""Paths that no catalogue has."""


def _judge(_: Scope, answers: Answers) -> Iterator[Outcome]:
    account = _Account(answers)
    found = escalations(account.identities, account.policies)
    doubtful: Mapping[str, tuple[Way, ...]] = {}
    if account.doubts:
        # What is not known could allow anything: whoever that leads on may be able to become an administrator.
        wide = _Account(answers, widely=True)
        doubtful = escalations(wide.identities, wide.policies).ways
    called = {str(one.arn): one.called for one in account.principals}
    wrong = False
    for one in account.principals:
        arn = str(one.arn)
        if arn in account.doubts:
            wrong = True
            yield Outcome(Status.UNKNOWN, f"what {one.called} may do is not known: {account.doubts[arn]}", one)
        elif ways := found.ways.get(arn):
            wrong = True
            said = f"{one.called} can become an administrator: {_said(ways, called)}"
            yield Outcome(Status.FAIL, said, one, facts=tuple(f"{way.path.id} {way.to or ''}".strip() for way in ways))
        elif arn not in found.administrators and (ways := doubtful.get(arn)):
            wrong = True
            reasons = (*(account.doubts[way.to] for way in ways if way.to in account.doubts), *account.doubts.values())
            said = f"whether {one.called} can become an administrator is not known: {reasons[0]}"
            yield Outcome(Status.UNKNOWN, said, one)
    if not wrong:
        administrators = len(found.administrators)
        others = len(called) - administrators
        yield Outcome(
            Status.PASS,
            f"no catalogued path is open to {others:,} users and roles; {administrators:,} are administrators",
        )


CHECKS = (
    Check(
        "iam_policy_allows_privilege_escalation",
        "No user or role can become an administrator by a publicly known path.",
        Severity.HIGH,
        "iam",
        _needs,
        _judge,
        Remedy(
            "take away one of the actions of each path (https://pathfinding.cloud explains each), or set a permissions "
            "boundary that denies it"
        ),
        why="Such a user or role can do what an administrator can. Service control policies may close a path: "
        "they are not considered.",
        topics=("iam_inline_policy_allows_privilege_escalation",),
    ),
)
