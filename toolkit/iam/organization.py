"""Judges organization policies by their text: grammar, size, number per target, and whether they lock out who applies.

In: the policies as they would be sent, the quotas, and who must stay able to apply what. Out: problems. Pure, and asks
neither Terraform nor AWS, so that all of it is said before either is started. Whether a request is denied is decided by
evaluate.py, which follows AWS's documented evaluation.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field

from toolkit.aws_lists import aws_list
from toolkit.iam.document import PolicyDocument, PolicyError, PolicyKind, Statement
from toolkit.iam.evaluate import statement_applies as applies
from toolkit.iam.matching import ContextValue
from toolkit.iam.request import Principal, PrincipalKind, Request
from toolkit.policies import Limits, Need, OrganizationPolicy
from toolkit.regions import GLOBAL_REGION
from toolkit.typed import dotted
from toolkit.visible import shortened

_KINDS = {"SERVICE_CONTROL_POLICY": PolicyKind.SCP, "RESOURCE_CONTROL_POLICY": PolicyKind.RCP}
_ONE_ENDPOINT = frozenset({"account", "iam", "organizations", "shield"})
"""Services of our needs whose requests all go to the partition's one endpoint (AWS General Reference, "Service
endpoints")."""

HONOUR_RCPS = frozenset[str](aws_list("rcp_services").items)
"""Services to whose resources resource control policies apply."""

_NAMED_ACTIONS = 3


@dataclass(frozen=True)
class Deployment:
    """Who applies what, where.

    Attributes:
        deployers: ARNs of roles, users or sessions; none: not known yet.
        needs: What it is needed for -> actions.
        regions: Where the baseline is applied.
        account_id: Whose resources are meant.
        partition: Of ARNs.
        organization_id: What the deployers' requests carry as their organization; None: not known, and left out.
        context: Further condition keys that are known of the deployers' requests.
    """

    deployers: tuple[str, ...]
    needs: Mapping[str, tuple[Need, ...]]
    regions: tuple[str, ...]
    account_id: str
    partition: str
    organization_id: str | None = None
    context: Mapping[str, ContextValue] = field(default_factory=dict)


@dataclass(frozen=True)
class PolicyProblem:
    """Why the policies are not sent."""

    path: tuple[str | int, ...]
    """Where it stands in the component's settings."""
    problem: str
    expected: str

    def __str__(self) -> str:
        return f"{dotted(('components', 'organization', *self.path))}: {self.problem}; expected {self.expected}"


def judge_texts(
    policies: tuple[OrganizationPolicy, ...], limits: Limits, files: Mapping[str, str]
) -> Iterator[PolicyProblem]:
    """Grammar, sizes and numbers.

    Args:
        policies: As they would be sent.
        limits: The quotas.
        files: Text of the files that policies come from.
    """
    for policy in policies:
        kind = _KINDS.get(policy.type)
        if kind is not None:
            try:
                # The file's own text: a key that stands twice is lost in what was parsed from it.
                document = PolicyDocument.parse(
                    files[policy.file] if policy.file else policy.content, name="", kind=kind
                )
            except PolicyError as e:
                places = (policy.file, (e.where or "").removeprefix(": "), e.problem)
                yield PolicyProblem(
                    policy.path,
                    ": ".join(part for part in places if part),
                    e.hint or "a policy document",
                )
                continue
            if not document.variables:
                problem = f"{policy.file}: no Version, or an older one, which AWS does not take here"
                yield PolicyProblem(policy.path, problem, '"Version": "2012-10-17"')
            yield from _beyond_rcps(policy, document)
        size = len(policy.text.encode())
        setting, most = limits.bytes_of(policy.type)
        if size > most:
            yield PolicyProblem(
                policy.path,
                f"{policy.name} has {size} bytes without blanks, {size - most} too many",
                f"at most {most} (limits.{setting}): make two policies of it",
            )
    yield from _too_many(policies, limits)


def _beyond_rcps(policy: OrganizationPolicy, document: PolicyDocument) -> Iterator[PolicyProblem]:
    """What AWS's grammar of resource control policies leaves out (User Guide, "RCP syntax")."""
    if policy.type != "RESOURCE_CONTROL_POLICY":
        return
    for statement in document.statements:
        if statement.effect != "Deny" or statement.not_actions or "*" in statement.actions:
            expected = 'statements with "Effect": "Deny" and an Action that names services'
            yield PolicyProblem(policy.path, f"{_called(statement)} is none of a resource control policy", expected)


def _too_many(policies: tuple[OrganizationPolicy, ...], limits: Limits) -> Iterator[PolicyProblem]:
    for kind in dict.fromkeys(p.type for p in policies):
        setting, most = limits.per_target(kind)
        others = limits.control_policies_attached_otherwise if kind in _KINDS else 0
        ours = [p for p in policies if p.type == kind]
        for target in dict.fromkeys(t for p in ours for t in p.targets):
            names = [p.name for p in ours if target in p.targets]
            if len(names) + others > most:
                besides = f" and {others} besides" if others else ""
                remedy = "put guardrails together in one policy" if kind in _KINDS else "make one policy of several"
                yield PolicyProblem(
                    ours[0].path[:1],
                    f"{len(names) + others} policies of the type {kind} on {target} ({', '.join(names)}{besides})",
                    f"at most {most} (limits.{setting}): {remedy}, or attach some of them to a unit above or below",
                )


def judge_lock_out(
    policies: tuple[OrganizationPolicy, ...], deployment: Deployment, files: Mapping[str, str]
) -> Iterator[PolicyProblem]:
    """Statements that would deny who applies the baseline what it takes, but for policies that are meant to.

    A condition on what is not known of the deployers' requests (tags of the role, say) counts as it does where the key
    is absent. Policies that cannot be read are left to `judge_texts`.
    """
    for policy in policies:
        kind = _KINDS.get(policy.type)
        if kind is None or policy.locks_out:
            continue
        try:
            document = PolicyDocument.parse(files[policy.file] if policy.file else policy.content, name="", kind=kind)
        except PolicyError:
            continue
        for statement in document.statements:
            if statement.effect == "Deny":
                for deployer in deployment.deployers:
                    yield from _denials(policy, document, statement, deployer, deployment)


def _denials(
    policy: OrganizationPolicy, document: PolicyDocument, statement: Statement, deployer: str, deployment: Deployment
) -> Iterator[PolicyProblem]:
    denial = denied_needs(statement, document, deployer, deployment)
    if denial.regions:
        yield PolicyProblem(
            policy.path,
            f"{_called(statement)} of {policy.name} denies {deployer} {_shown(denial.regions, deployment)}"
            f"{_conditions(policy, statement)}; the baseline needs that for {', '.join(denial.purposes)}",
            _remedy(policy, statement, deployer, deployment),
        )


@dataclass(frozen=True)
class Denial:
    """What a statement denies of what a deployment needs; all empty where it denies none of it."""

    regions: Mapping[str, list[str]]
    """Action -> where it is denied."""
    purposes: tuple[str, ...]


def denied_needs(statement: Statement, document: PolicyDocument, deployer: str, deployment: Deployment) -> Denial:
    """What a statement of `document` that denies would deny a deployer; keys that are not known count as absent."""
    denied: dict[str, list[str]] = {}
    purposes: dict[str, None] = {}
    for purpose, needs in deployment.needs.items():
        for need in needs:
            if document.kind is PolicyKind.RCP and need.action.split(":")[0] not in HONOUR_RCPS:
                continue
            regions = [
                region
                for region in _requested(need, deployment)
                if applies(statement, document, _request(need, region, deployer, deployment))
            ]
            if regions:
                denied.setdefault(need.action, regions)
                purposes[purpose] = None
    return Denial(denied, tuple(purposes))


def requests(deployer: str, deployment: Deployment) -> Iterator[Request]:
    """Every request that a deployer makes by what it needs, once per region where that matters."""
    for needs in deployment.needs.values():
        for need in needs:
            for region in _requested(need, deployment):
                yield _request(need, region, deployer, deployment)


def is_known(condition_key: str, deployer: str, deployment: Deployment) -> bool:
    """Whether what a condition asks about is known of a deployer's requests."""
    need = Need("sts:GetCallerIdentity")
    return _request(need, deployment.regions[0], deployer, deployment).keys.values(condition_key) is not None


def _called(statement: Statement) -> str:
    return f"statement {statement.sid}" if statement.sid else statement.label


def _conditions(policy: OrganizationPolicy, statement: Statement) -> str:
    """What a statement of one's own asks for; where a key is not known, it counts as absent."""
    if policy.file is None or not statement.conditions:
        return ""
    return f" (if {' and '.join(map(str, statement.conditions))})"


def _shown(denied: Mapping[str, list[str]], deployment: Deployment) -> str:
    """Some of the actions, with regions where not all are meant."""
    some = {r for regions in denied.values() for r in regions} & set(deployment.regions)
    text = named_actions(denied)
    return f"{text} in {', '.join(sorted(some))}" if some and some != set(deployment.regions) else text


def named_actions(actions: Iterable[str]) -> str:
    """Some of the actions, and how many more there are."""
    return shortened(list(actions), _NAMED_ACTIONS)


def _requested(need: Need, deployment: Deployment) -> tuple[str, ...]:
    if need.action.split(":")[0] in _ONE_ENDPOINT:
        return (GLOBAL_REGION[deployment.partition],)
    return deployment.regions


def _request(need: Need, region: str, deployer: str, deployment: Deployment) -> Request:
    organization = {
        f"aws:{key}": deployment.organization_id
        for key in ("PrincipalOrgID", "ResourceOrgID")
        if deployment.organization_id
    }
    return Request(
        deployer,
        need.action,
        need.resource.format(partition=deployment.partition, region=region, account=deployment.account_id),
        context={
            "aws:RequestedRegion": region,
            "aws:SecureTransport": True,
            "aws:ViaAWSService": False,
            **organization,
            **deployment.context,
        },
        resource_account=deployment.account_id,
    )


def _remedy(policy: OrganizationPolicy, statement: Statement, deployer: str, deployment: Deployment) -> str:
    caller = Principal.parse(deployer)
    if caller.kind is PrincipalKind.ROOT:
        return "a role that applies the baseline: the root user is for what only it can do"
    kind = "user" if caller.kind is PrincipalKind.USER else "role"
    path = deployer.split(f":{kind}/", 1)[1] if f":{kind}/" in deployer else caller.name
    pattern = f"arn:{deployment.partition}:iam::*:{kind}/{path}"
    if policy.file is None and policy.type == "SERVICE_CONTROL_POLICY":
        remedy = f"{pattern} under exempted_principal_arns"
    else:
        place = policy.file or policy.name
        remedy = (
            f'"ArnNotLike": {{"aws:PrincipalArn": "{pattern}"}} in the Condition of {_called(statement)} in {place}'
        )
    if any(c.key.lower() == "aws:requestedregion" for c in statement.conditions):
        remedy = f"all regions of the baseline in it ({', '.join(deployment.regions)}), or {remedy}"
    return remedy
