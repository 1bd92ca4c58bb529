"""Refuses organization policies that AWS would not take, or that would lock out who applies the baseline.

In: an Environment. Out: nothing, or an error. Everything here is known from the environment's files, so that it is said
before Terraform is started, by `render` already.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import replace

from toolkit.aws.state_bucket import state_key
from toolkit.components.base import Component, Scope
from toolkit.components.registry import REGISTRY
from toolkit.environment import Environment, S3Backend
from toolkit.environment.model import EnabledComponent
from toolkit.errors import RefusedError
from toolkit.iam.organization import Deployment, PolicyProblem, judge_lock_out, judge_texts
from toolkit.policies import Need, OrganizationPolicies
from toolkit.policy_types import NEWER_PROVIDER, NEWER_TYPES, UNCONFIRMED
from toolkit.versions import admitted, numbers
from toolkit.visible import joined_lines


def refuse_policies(environment: Environment, shown: str, *, caller_arn: str | None = None) -> None:
    """Stop where a policy of the environment must not be sent.

    Args:
        environment: Whichever.
        shown: How errors name its file.
        caller_arn: Who plans or applies, where that is known; judged only where the environment names no deployers.

    Raises:
        RefusedError: With every reason.
    """
    found = sent(environment)
    if found is None:
        return
    enabled, of = found
    # What the files say was told before; only the caller is news.
    problems = [] if caller_arn else list(judge_texts(of.policies, of.limits, environment.files))
    problems += [] if caller_arn else [*_closed_regions(environment, of), *_too_new(environment, of)]
    locked_out = list(judge_lock_out(of.policies, _deployment(environment, of, caller_arn), environment.files))
    problems += locked_out
    if problems:
        count = len(problems)
        lines = [f"{shown}:{_line(environment, enabled, problem)}: {problem}" for problem in problems]
        raise RefusedError(
            f"the organization's policies are refused for {count} reason{'s' if count != 1 else ''}; nothing was sent",
            where=shown,
            detail=joined_lines(lines),
            hint="fix the lines above"
            + ("; if others apply the baseline in the accounts, name them under deployer_arns" if locked_out else ""),
        )


def judges_caller(environment: Environment) -> bool:
    """Whether `refuse_policies` has to know who plans or applies: there are policies, and no deployers are named."""
    found = sent(environment)
    return found is not None and not _deployers(environment, found[1])


def sent(environment: Environment) -> tuple[EnabledComponent, OrganizationPolicies] | None:
    """The component that sends policies to AWS Organizations, and what it sends; None where none does."""
    for enabled in environment.components:
        if enabled.component.organization_policies is not None:
            return enabled, enabled.component.organization_policies(enabled.settings, environment.place)
    return None


def _deployers(environment: Environment, of: OrganizationPolicies) -> tuple[str, ...]:
    role = environment.credentials.assume_role
    return of.deployers or ((role.role_arn,) if role else ())


def _deployment(environment: Environment, of: OrganizationPolicies, caller_arn: str | None) -> Deployment:
    named = _deployers(environment, of)
    # Whoever is named was judged when the files were read.
    deployers = (() if named else (caller_arn,)) if caller_arn else named
    components = list(REGISTRY.values()) if of.apply_everything else [c.component for c in environment.components]
    return replace(deployment_of(environment, components), deployers=deployers, organization_id=of.organization_id)


def deployment_of(environment: Environment, components: Iterable[Component]) -> Deployment:
    """What it takes to apply these components in the environment; by whom is left open."""
    needs = {c.name: c.needs for c in components if c.needs}
    backend = environment.backend
    if isinstance(backend, S3Backend):
        objects = f"arn:{{partition}}:s3:::{backend.bucket}/{state_key(environment, backend)}"
        needs["the state"] = (Need("s3:GetObject", objects), Need("s3:PutObject", objects))
    needs["every plan"] = (Need("sts:GetCallerIdentity"),)
    return Deployment(
        deployers=(),
        needs=needs,
        regions=environment.place.regions,
        account_id=environment.account_id,
        partition=environment.regions.partition,
    )


def _closed_regions(environment: Environment, of: OrganizationPolicies) -> list[PolicyProblem]:
    """Regions of the environment that a policy would close for everybody who is not exempted."""
    closed = [r for r in environment.place.regions if of.allowed_regions and r not in of.allowed_regions]
    if not closed:
        return []
    only_there = [c.component.name for c in environment.components if c.component.scope is Scope.GLOBAL_REGION]
    problem = f"lacks {', '.join(closed)}, where this environment's own baseline runs"
    if environment.regions.where_global in closed and only_there:
        problem += f" ({', '.join(only_there)} only in {environment.regions.where_global})"
    return [
        PolicyProblem(("allowed_regions",), problem, "every active and retiring region, the home region among them")
    ]


def _too_new(environment: Environment, of: OrganizationPolicies) -> Iterator[PolicyProblem]:
    """Types of policies that a version of the provider which the environment accepts does not know."""
    accepted = environment.terraform.aws_provider_version
    for path, kind in of.types:
        if kind in NEWER_TYPES and admitted(accepted).lowest < numbers(NEWER_PROVIDER):
            unsure = "; which later version accepts this type is unconfirmed" if kind in UNCONFIRMED else ""
            yield PolicyProblem(
                path,
                f'{kind} is not accepted by every version of the AWS provider that "{accepted}" admits',
                f'no policies of this type, or `terraform.aws_provider_version: ">= {NEWER_PROVIDER}, < 7"`{unsure}',
            )


def _line(environment: Environment, enabled: EnabledComponent, problem: PolicyProblem) -> int:
    """The line of what the problem is about, or of what it stands in."""
    path: tuple[str | int, ...] = ("components", enabled.component.name, *problem.path)
    while path and path not in environment.lines:
        path = path[:-1]
    return environment.lines.get(path, enabled.line)
