"""The organization: whether the account is in one, and what its management account decides for all.

A member account can read which organization it is in, and little else: what only the management account knows is not
applicable there, and the evidence names the account to audit.
https://docs.aws.amazon.com/organizations/latest/APIReference/API_DescribeOrganization.html
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

from toolkit.audit.facts import Every, Fact
from toolkit.audit.model import Answers, Check, Outcome, Remedy, Scope
from toolkit.findings import Severity, Status
from toolkit.plan.facts import Source, Wanted
from toolkit.resources.reading import Live

_NONE = ("AWSOrganizationsNotInUseException",)


@dataclass(frozen=True)
class Organization(Fact):
    """The organization that the account is in."""

    named = "the organization of the account"
    calls = ("organizations:DescribeOrganization",)

    def read(self, source: Source) -> tuple[Live, ...]:
        """One `Live`, with the id of the management account; none: the account is in no organization."""
        answer = source.call("organizations", "describe_organization", source.home_region, absent=_NONE)
        if answer is None:
            return ()
        found = answer["Organization"]
        values = {"management": found["MasterAccountId"]}
        return (Live({}, values, f"the organization {found['Id']}", None, arn=found["Arn"], region=source.home_region),)


@dataclass(frozen=True)
class Policies(Fact):
    """Every policy of the organization, as its management account can list them.

    https://docs.aws.amazon.com/organizations/latest/APIReference/API_ListPolicies.html
    """

    named = "every policy of the organization"

    @property
    def actions(self) -> tuple[str, ...]:
        """What it calls."""
        return tuple(
            f"organizations:{one}"
            for one in ("DescribeOrganization", "DescribePolicy", "ListPolicies", "ListRoots", "ListTargetsForPolicy")
        )

    def read(self, source: Source) -> tuple[Live, ...]:
        """The policies, what they say and to how many targets each is attached; none in a member account."""
        home = source.home_region
        answer = source.call("organizations", "describe_organization", home, absent=_NONE)
        if answer is None or answer["Organization"]["MasterAccountId"] != source.account_id:
            return ()
        roots = source.pages("organizations", "list_roots", "Roots", home)
        kinds = {one["Type"] for root in roots for one in root.get("PolicyTypes", ()) if one["Status"] == "ENABLED"}
        every = [
            p for k in sorted(kinds) for p in source.pages("organizations", "list_policies", "Policies", home, Filter=k)
        ]
        return tuple(source.side_by_side(lambda one: self._policy(source, one), every))

    @staticmethod
    def _policy(source: Source, one: Any) -> Live:
        home, identifier = source.home_region, one["Id"]
        answer = source.call("organizations", "describe_policy", home, PolicyId=identifier) or {}
        targets = source.pages("organizations", "list_targets_for_policy", "Targets", home, PolicyId=identifier)
        return Live(
            {"id": identifier},
            {
                "kind": one["Type"],
                "of_aws": one["AwsManaged"],
                "content": answer["Policy"]["Content"],
                "targets": sorted(target["TargetId"] for target in targets),
            },
            f"the policy {one['Name']!r}",
            identifier,
            arn=one["Arn"],
            region=home,
            type="aws_organizations_policy",
        )


Judge = Callable[[Scope, Answers], Iterator[Outcome]]
Needs = Callable[[Scope], Iterator[Wanted[Any]]]


def needs_in_management(*wanted: Callable[[Scope], Wanted[Any]]) -> Needs:
    """Wants the organization, and these facts, which are not read where the account is known to be a member of it."""

    def needs(scope: Scope) -> Iterator[Wanted[Any]]:
        yield Organization()
        if scope.management in (None, scope.account_id):
            yield from (one(scope) for one in wanted)

    return needs


def in_management(judge: Judge) -> Judge:
    """Asks only the management account; elsewhere nothing but who that is can be known."""

    def judged(scope: Scope, answers: Answers) -> Iterator[Outcome]:
        found = answers[Organization()]
        if not found:
            yield Outcome(Status.NOT_APPLICABLE, "the account is in no organization")
        elif (management := found[0].values["management"]) != scope.account_id:
            yield Outcome(
                Status.NOT_APPLICABLE, f"the management account {management} decides this: audit it there", found[0]
            )
        else:
            yield from judge(scope, answers)

    return judged


def _member_needs(_: Scope) -> Iterator[Fact]:
    yield Organization()


def _member(_: Scope, answers: Answers) -> Iterator[Outcome]:
    found = answers[Organization()]
    for one in found:
        yield Outcome(Status.PASS, f"the account is in {one.called}", one)
    if not found:
        yield Outcome(Status.FAIL, "the account is in no organization")


def _attached(kind: str, called: str, meant: Callable[[Live], bool] = lambda _: True) -> Judge:
    """Judges that a policy of a type, which is not AWS's own, is attached."""

    def judge(_: Scope, answers: Answers) -> Iterator[Outcome]:
        own = [one for one in answers[Policies()] if one.values["kind"] == kind and not one.values["of_aws"]]
        attached = [one for one in own if meant(one) and one.values["targets"]]
        for one in attached:
            count = len(one.values["targets"])
            yield Outcome(Status.PASS, f"{one.called} is attached to {count} target{'' if count == 1 else 's'}", one)
        if not attached:
            yield Outcome(Status.FAIL, f"no {called} is attached")

    return in_management(judge)


def statements_of(policy: Live) -> Iterator[dict[str, Any]]:
    """The statements of a policy of the organization."""
    found = json.loads(policy.values["content"])["Statement"]
    yield from found if isinstance(found, list) else [found]


def _denies_regions(policy: Live) -> bool:
    """Whether a statement denies by the region of the request (Organizations User Guide, examples of SCPs)."""
    return any(
        statement["Effect"] == "Deny"
        and any("aws:requestedregion" in {key.lower() for key in of} for of in statement.get("Condition", {}).values())
        for statement in statements_of(policy)
    )


def _opts_out(policy: Live) -> bool:
    """Whether the policy opts out of every service: by default, and with no service that is left out of it.

    https://docs.aws.amazon.com/organizations/latest/userguide/orgs_manage_policies_ai-opt-out_syntax.html
    """
    services = json.loads(policy.values["content"]).get("services", {})
    chosen = {
        name: of.get("opt_out_policy", {}).get("@@assign") for name, of in services.items() if not name.startswith("@@")
    }
    return "default" in chosen and set(chosen.values()) == {"optOut"}


def _root(scope: Scope, answers: Answers) -> Iterator[Outcome]:
    found = answers[Every("aws_iam_organizations_features", scope.region)]
    enabled = {feature for one in found for feature in one.values["enabled_features"]}
    if "RootCredentialsManagement" in enabled:
        yield Outcome(Status.PASS, "root credentials of members are managed centrally", found[0])
    else:
        yield Outcome(Status.FAIL, "root credentials of members are not managed centrally")


_SECURITY_SERVICES = {
    "access-analyzer.amazonaws.com": "Access Analyzer",
    "config.amazonaws.com": "AWS Config",
    "guardduty.amazonaws.com": "GuardDuty",
    "securityhub.amazonaws.com": "Security Hub",
}


def _delegated(scope: Scope, answers: Answers) -> Iterator[Outcome]:
    found = answers[Every("aws_organizations_delegated_administrator", scope.region)]
    security = [one for one in found if one.values["service_principal"] in _SECURITY_SERVICES]
    for one in security:
        yield Outcome(Status.PASS, f"there is {one.called}", one)
    if not security:
        services = ", ".join(_SECURITY_SERVICES.values())
        yield Outcome(Status.FAIL, f"no account administers any of {services} for the organization")


_POLICIES = needs_in_management(lambda _: Policies())


def _policy_check(
    check: str, title: str, severity: Severity, judge: Judge, remedy: Remedy, why: str, source: str
) -> Check:
    return Check(check, title, severity, "organizations", _POLICIES, judge, remedy, why, source=_GUIDE + source)


_GUIDE = "https://docs.aws.amazon.com/organizations/latest/userguide/"
_ORGANIZATION = "organization"

CHECKS = (
    Check(
        "organizations_account_part_of_organizations",
        "The account is in an organization.",
        Severity.MEDIUM,
        "organizations",
        _member_needs,
        _member,
        Remedy("invite the account from the management account, or set `components.organization`", _ORGANIZATION),
        why="An account outside an organization has no service control policies and no central billing.",
        source=_GUIDE + "orgs_introduction.html",
    ),
    Check(
        "iam_root_credentials_management_enabled",
        "The organization manages the root credentials of its members centrally.",
        Severity.HIGH,
        "iam",
        needs_in_management(lambda scope: Every("aws_iam_organizations_features", scope.region)),
        in_management(_root),
        Remedy("set `components.root_protection.enabled_features`", "root_protection", "enabled_features"),
        why="Each member account otherwise has a root user of its own to protect.",
        source="https://docs.aws.amazon.com/IAM/latest/UserGuide/id_root-enable-root-access.html",
    ),
    Check(
        "organizations_delegated_administrators",
        "Security services have a delegated administrator account.",
        Severity.CRITICAL,
        "organizations",
        needs_in_management(lambda scope: Every("aws_organizations_delegated_administrator", scope.region)),
        in_management(_delegated),
        Remedy("set `components.organization.delegated_administrators`", _ORGANIZATION, "delegated_administrators"),
        why="Security services are otherwise run from the management account, to which no service control policy "
        "applies.",
        source=_GUIDE + "orgs_integrate_delegated_admin.html",
    ),
    _policy_check(
        "organizations_scp_attached",
        "A service control policy of your own is attached.",
        Severity.MEDIUM,
        _attached("SERVICE_CONTROL_POLICY", "service control policy, apart from AWS's own,"),
        Remedy(
            "set `components.organization.service_control_policies` in environment.yaml",
            _ORGANIZATION,
            "service_control_policies",
        ),
        "Without one, administrators of each member account can switch off what the baseline sets up.",
        "orgs_manage_policies_scps.html",
    ),
    _policy_check(
        "organizations_scp_check_deny_regions",
        "A service control policy denies regions that are not used.",
        Severity.HIGH,
        _attached("SERVICE_CONTROL_POLICY", "service control policy that denies by region", _denies_regions),
        Remedy("set `components.organization.allowed_regions` in environment.yaml", _ORGANIZATION, "allowed_regions"),
        "What runs in a region that is not used is not noticed until it is billed.",
        "orgs_manage_policies_scps_examples_general.html",
    ),
    _policy_check(
        "organizations_opt_out_ai_services_policy",
        "The organization opts out of the use of its data for AI services.",
        Severity.NOTE,
        _attached("AISERVICES_OPT_OUT_POLICY", "policy that opts out of all AI services", _opts_out),
        Remedy(
            "set `components.organization.ai_services_opt_out` in environment.yaml",
            _ORGANIZATION,
            "ai_services_opt_out",
        ),
        "AWS may otherwise store and use content that AI services process, to improve them.",
        "orgs_manage_policies_ai-opt-out.html",
    ),
    _policy_check(
        "organizations_tags_policies_enabled_and_attached",
        "A tag policy is attached.",
        Severity.NOTE,
        _attached("TAG_POLICY", "tag policy"),
        Remedy("set `components.organization.tag_policies` in environment.yaml", _ORGANIZATION, "tag_policies"),
        "Tags that are spelled in several ways cannot be relied on to find the owner of a resource.",
        "orgs_manage_policies_tag-policies.html",
    ),
)
