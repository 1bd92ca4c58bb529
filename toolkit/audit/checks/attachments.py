"""Policies: where they are attached, and which of them allow everything."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from toolkit.audit.facts import Every, Fact
from toolkit.audit.model import Answers, Check, Outcome, Remedy, Scope
from toolkit.findings import Severity, Status
from toolkit.iam import PolicyDocument, PolicyError, Statement
from toolkit.plan.facts import Source
from toolkit.resources.reading import Live

_OWNERS = ("group", "role", "user")


@dataclass(frozen=True)
class UsersPolicies(Fact):
    """Every policy that a user has by itself, inline or attached.

    https://docs.aws.amazon.com/IAM/latest/APIReference/API_GetAccountAuthorizationDetails.html
    """

    named = "every policy of a user"
    calls = ("iam:GetAccountAuthorizationDetails",)

    def read(self, source: Source) -> tuple[Live, ...]:
        """A `Live` per user, with the names of its inline policies and the ARNs of attached ones."""
        home = source.home_region
        found = source.pages(
            "iam", "get_account_authorization_details", "UserDetailList", home, MaxItems=1000, Filter=["User"]
        )
        return tuple(
            Live(
                {"name": one["UserName"]},
                {
                    "inline": sorted(policy["PolicyName"] for policy in one.get("UserPolicyList", ())),
                    "attached": sorted(policy["PolicyArn"] for policy in one.get("AttachedManagedPolicies", ())),
                },
                f"the user {one['UserName']!r}",
                one["UserName"],
                arn=one["Arn"],
                region=home,
            )
            for one in found
        )


def _users_needs(_: Scope) -> Iterator[Fact]:
    yield UsersPolicies()


def _users(_: Scope, answers: Answers) -> Iterator[Outcome]:
    every = answers[UsersPolicies()]
    wrong = False
    for user in every:
        names = [*user.values["inline"], *(arn.rsplit("/", 1)[-1] for arn in user.values["attached"])]
        if names:
            wrong = True
            yield Outcome(Status.FAIL, f"{user.called} has {', '.join(names)} by itself", user, facts=tuple(names))
    if not wrong:
        yield Outcome(Status.PASS, f"no policy at any of {len(every):,} users" if every else "there are no IAM users")


def _attachments(scope: Scope) -> Iterator[Every]:
    yield from (Every(f"aws_iam_{owner}_policy_attachment", scope.region) for owner in _OWNERS)


def _attached(scope: Scope, answers: Answers) -> Iterator[Live]:
    for wanted in _attachments(scope):
        yield from (one for one in answers[wanted] if not one.by_default)


def _is_aws_policy(attachment: Live, name: str) -> bool:
    """Whether a policy of AWS's is attached; one of the account with that name is another policy."""
    return bool(attachment.values["policy_arn"].endswith(f"::aws:policy/{name}"))


def _nowhere(name: str) -> Callable[[Scope, Answers], Iterator[Outcome]]:
    """Judges that a policy of AWS's is attached to nobody."""

    def judge(scope: Scope, answers: Answers) -> Iterator[Outcome]:
        there = [one for one in _attached(scope, answers) if _is_aws_policy(one, name)]
        yield from (Outcome(Status.FAIL, f"there is {one.called}", one) for one in there)
        if not there:
            yield Outcome(Status.PASS, f"{name} is not attached")

    return judge


def _role_needs(scope: Scope) -> Iterator[Every]:
    yield Every("aws_iam_role_policy_attachment", scope.region)


def _somewhere(name: str) -> Callable[[Scope, Answers], Iterator[Outcome]]:
    """Judges that a role has a policy of AWS's."""

    def judge(scope: Scope, answers: Answers) -> Iterator[Outcome]:
        (wanted,) = _role_needs(scope)
        there = [one for one in answers[wanted] if _is_aws_policy(one, name)]
        if there:
            yield Outcome(Status.PASS, f"there is {there[0].called}", there[0])
        else:
            yield Outcome(Status.FAIL, f"no role has AWS's policy {name}")

    return judge


def _own_needs(scope: Scope) -> Iterator[Every]:
    yield Every("aws_iam_policy", scope.region)
    yield from _attachments(scope)


def _own(scope: Scope, answers: Answers) -> Iterator[Outcome]:
    attached = {one.values["policy_arn"] for one in _attached(scope, answers)}
    own = [one for one in answers[Every("aws_iam_policy", scope.region)] if one.arn in attached]
    wrong, all_but = False, []
    for policy in own:
        try:
            allowed = [s for s in PolicyDocument.parse(policy.values["policy"]).statements if s.effect == "Allow"]
        except PolicyError as e:
            wrong = True
            yield Outcome(Status.UNKNOWN, f"{policy.called} cannot be understood: {e}", policy)
            continue
        everything = next((one for one in allowed if _is_everything(one)), None)
        if everything is not None:
            wrong = True
            yield Outcome(Status.FAIL, f"{policy.called} allows every action on every resource", policy)
        elif any(one.not_actions or one.not_resources for one in allowed):
            all_but.append(policy.called)
    if not wrong:
        # How much is left of everything is for people to judge: AWS's PowerUserAccess is such a policy.
        also = f"; NotAction or NotResource, which this does not judge: {', '.join(all_but)}" if all_but else ""
        yield Outcome(
            Status.PASS, f"none of {len(own):,} attached policies of the account allows Action * on Resource *{also}"
        )


def _is_everything(statement: Statement) -> bool:
    """Whether a statement names every action and every resource, whatever its conditions are.

    Also by a pattern of every ARN: IAM lets the last asterisk of a segment match what follows it (IAM User Guide, "IAM
    JSON policy elements: Resource").
    """
    return any(set(action) <= set("*:") for action in statement.actions) and any(
        _EVERY_RESOURCE.fullmatch(resource) for resource in statement.resources
    )


_EVERY_RESOURCE = re.compile(r"\*+|arn(:aws[a-z-]*)?(:\*)+")


_EVERYTHING = "A stolen key or session of its owner gives away the whole account."

CHECKS = (
    Check(
        "iam_policy_attached_only_to_group_or_roles",
        "No policy is attached to a user, or is a part of one.",
        Severity.NOTE,
        "iam",
        _users_needs,
        _users,
        Remedy("put the user into a group that has the policy, in `components.iam_groups`", "iam_groups"),
        why="Permissions of single users are easily missed in reviews.",
    ),
    Check(
        "iam_aws_attached_policy_no_administrative_privileges",
        "AdministratorAccess is not attached to any user, group or role.",
        Severity.CRITICAL,
        "iam",
        _attachments,
        _nowhere("AdministratorAccess"),
        Remedy("attach policies that allow what is needed, or waive it for the one role or group that administers"),
        why=_EVERYTHING,
    ),
    Check(
        "iam_customer_attached_policy_no_administrative_privileges",
        "No attached policy of the account has a statement that allows Action * on Resource *.",
        Severity.HIGH,
        "iam",
        _own_needs,
        _own,
        Remedy("allow what is needed instead of everything, or detach the policy"),
        why=_EVERYTHING,
    ),
    Check(
        "iam_support_role_created",
        "There is a role for AWS Support cases.",
        Severity.NOTE,
        "iam",
        _role_needs,
        _somewhere("AWSSupportAccess"),
        Remedy("enable `components.iam_roles.support` in environment.yaml", "iam_roles", "support.managed_policies"),
        why="Without it, people need administrator permissions to open a support case.",
    ),
    Check(
        "iam_securityaudit_role_created",
        "There is a role for security auditors.",
        Severity.NOTE,
        "iam",
        _role_needs,
        _somewhere("SecurityAudit"),
        Remedy("enable `components.iam_roles.audit` in environment.yaml", "iam_roles", "audit.managed_policies"),
        why="Auditors otherwise work with more permissions than they need.",
    ),
    Check(
        "iam_policy_cloudshell_admin_not_attached",
        "AWSCloudShellFullAccess is not attached to any user, group or role.",
        Severity.MEDIUM,
        "iam",
        _attachments,
        _nowhere("AWSCloudShellFullAccess"),
        Remedy("detach it; a policy of your own can allow CloudShell without file transfer"),
        why="CloudShell lets files out of the account, past the monitoring of the network.",
    ),
)
