"""Judges a plan: gathers what guards want to know of AWS, once, and judges by it.

In: a Workspace, its plan and the consents given. Out: findings, each with what consents to it. Reads AWS only where the
plan needs it: things that exist once and are to be created, and users whom MFA or password rules would reach.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from datetime import UTC, datetime
from functools import cache
from types import MappingProxyType
from typing import Any, NamedTuple

from toolkit import findings
from toolkit.access.changes import AccessChanges
from toolkit.addresses import Address, label_of
from toolkit.aws.gather import gather
from toolkit.aws.inventory import Inventory
from toolkit.components.base import Advice, Component
from toolkit.environment import Environment
from toolkit.environment.rules import iam_names
from toolkit.errors import RefusedError
from toolkit.findings import Consents, Finding, Severity, options_for
from toolkit.findings.rules import ADVICE
from toolkit.iam.organization import Deployment
from toolkit.paths import Project
from toolkit.plan.access import Texts
from toolkit.plan.case import Caller, Case
from toolkit.plan.guards import ADOPT
from toolkit.plan.imports import judge_imports
from toolkit.plan.judging import judge, needs, prepared
from toolkit.plan.model import Action, Change, Plan, Resource, parse_drift, parse_outcome
from toolkit.plan.settings import with_settings
from toolkit.policies import Need
from toolkit.regions import partition_of
from toolkit.typed import dotted
from toolkit.visible import joined_lines
from toolkit.workflows.guardrails import deployment_of, sent
from toolkit.workflows.observer import Observer
from toolkit.workflows.workspace import Workspace


class Judged(NamedTuple):
    """A plan that was judged."""

    findings: tuple[Finding, ...]
    """All of them, the worst first."""
    access: AccessChanges
    """What the plan changes in who may do what."""


def judge_plan(
    workspace: Workspace,
    data: Mapping[str, Any],
    plan: Plan,
    consents: Consents,
    *,
    destroy: bool,
    aliases: Mapping[str, str] = MappingProxyType({}),
) -> Judged:
    """What there is to know of a plan.

    Args:
        workspace: The environment's.
        data: `show -json` of the plan.
        plan: The same, parsed.
        consents: What whoever runs the command consents to.
        destroy: Whether it is a plan to destroy everything.
        aliases: Which provider the plan's state records, as `planned_aliases` gives it.

    Raises:
        ToolkitError: A fact could not be read; an unknown fact is never taken for a harmless one.
    """
    environment = workspace.environment
    inventory = Inventory(workspace.aws)
    case = _case(workspace, data, plan, destroy=destroy, simulated=inventory.simulated, aliases=aliases)
    # Nothing is read after this: guards judge what they asked for.
    facts = gather(needs(case), inventory)
    case = prepared(case, facts)
    found = list(judge(case, facts))
    today = datetime.now(UTC).date()
    if not destroy:
        found += (
            _finding(environment, component, advice)
            for component, advice in environment.advice(today)
            if advice.reported
        )
        found += judge_imports(data, environment.imports, workspace.attribution)
        found += _imported(environment, case.plan, case.outcome, workspace)
        found += _released(environment, case.plan)
    given = consents.together(environment.consents)
    if destroy and workspace.simulator:
        # Nothing outlives a simulated account anyway; asking for consent there would only train people to give it.
        given = given.together(Consents(destroy=("*",)))
    tried_out = workspace.simulator is not None and environment.simulator is None
    found = [replace(f, remedy=_with_adopt(f.remedy, environment.name, tried_out=tried_out)) for f in found]
    named = {of: dotted(path) for of, path in iam_names(environment.components).items()}
    return Judged(given.apply(with_settings(found, _followed(environment), named), today), case.access.changes)


def _texts(workspace: Workspace) -> Texts:
    """Texts of managed policies, for which nothing is read, or imported, before one is wanted."""

    @cache
    def known() -> Texts:
        from toolkit.workflows.access import texts

        return texts(Project(workspace.paths.project))

    def text(arn: str) -> tuple[str, str] | None:
        return known()(arn)

    return text


def _with_adopt(remedy: str, name: str, *, tried_out: bool) -> str:
    """A remedy that names `toolkit adopt` for this environment; it refuses a real account's on the embedded AWS."""
    return remedy.replace(f"{ADOPT}, or ", "") if tried_out else remedy.replace(ADOPT, ADOPT.replace("ENV", name))


def _case(
    workspace: Workspace,
    data: Mapping[str, Any],
    plan: Plan,
    *,
    destroy: bool,
    simulated: bool,
    aliases: Mapping[str, str],
) -> Case:
    environment = workspace.environment
    return Case(
        plan,
        _caller(workspace),
        environment.account_id,
        _deployment(environment),
        outcome=parse_outcome(data, workspace.attribution),
        drift=parse_drift(data, workspace.attribution),
        identities=environment.identities,
        attachable=_attachable(environment),
        looked_in=_looked_in(environment, aliases),
        destroy=destroy,
        simulated=simulated,
        partition=partition_of(environment.regions.home) or "aws",
        home=environment.regions.home,
        texts=_texts(workspace),
        # Nobody lives in a simulated account that ends; elsewhere even its end must lock nobody out.
        released=frozenset(filter(None, map(label_of, environment.released))),
        ends=destroy and workspace.simulator is not None,
    )


def _followed(environment: Environment) -> dict[str, str]:
    """Keys whose values other components decide, since the environment file does not give them."""
    return {
        f"components.{enabled.component.name}.{key}": f"components.{other}"
        for enabled in environment.components
        if enabled.component.follows is not None
        for key, other in enabled.component.follows(enabled.settings).items()
    }


def _looked_in(environment: Environment, aliases: Mapping[str, str]) -> Callable[[Change], str]:
    """The region that Terraform asks about a resource: that of the provider which the state records for it."""

    def region(change: Change) -> str:
        alias = aliases.get(str(Address.parse(change.address).without_keys))
        return change.region if alias is None else alias.replace("_", "-") or environment.regions.home

    return region


def _attachable(environment: Environment) -> dict[str, tuple[str, int]]:
    """Name of a policy of the organization → its type, and how many of the type a target may have."""
    found = sent(environment)
    return {} if found is None else {p.name: (p.type, found[1].limits.per_target(p.type)[1]) for p in found[1].policies}


def _finding(environment: Environment, component: Component, advice: Advice) -> Finding:
    return Finding(
        rule=ADVICE,
        severity=Severity.NOTE,
        resource=findings.Resource(f"module.{component.name}.{advice.resource}", environment.regions.home),
        attribute=None,
        summary=advice.summary,
        evidence=advice.evidence,
        remedy=advice.remedy,
        consent=None,
        component=component.name,
        setting=".".join(("components", component.name, *map(str, advice.setting))),
    )


def _imported(
    environment: Environment, plan: Plan, outcome: Iterable[Resource], workspace: Workspace
) -> Iterable[Finding]:
    """Lines under `imports` that have done their work: Terraform's state has the resource.

    A line that stays stops `render` once its component is gone, since Terraform imports nothing that is not called.
    """
    coming = {c.address for c in plan.changes if c.imported or c.action in (Action.CREATE, Action.REPLACE)}
    there = {r.address for r in outcome} - coming
    for address, import_id in environment.imports.items():
        if address not in there:
            continue
        component, region = workspace.attribution.of(address)
        line = environment.lines.get(("imports", address))
        yield Finding(
            rule=ADVICE,
            severity=Severity.NOTE,
            resource=findings.Resource(address, region),
            attribute=None,
            summary=f"{address} has been imported.",
            evidence="Terraform's state has it, and it is still under `imports`",
            remedy=f"delete this line under `imports` in environment.yaml{f' (line {line})' if line else ''}: "
            f"'{address}': '{import_id}'",
            consent=None,
            component=component,
            setting=f"imports.{address}",
        )


def _released(environment: Environment, plan: Plan) -> Iterable[Finding]:
    """Lines under `released` that have done their work: the state has nothing of the module."""
    left = {label_of(change.address) for change in plan.changes}
    for index, module in enumerate(environment.released):
        if label_of(module) not in left:
            line = environment.lines.get(("released", index))
            yield Finding(
                rule=ADVICE,
                severity=Severity.NOTE,
                resource=findings.Resource(module, environment.regions.home),
                attribute=None,
                summary=f"The state has nothing of {module} any more.",
                evidence=f"it is still under `released`{f' (line {line})' if line else ''}",
                remedy=f"run `toolkit release {environment.name} --done`, which deletes such lines",
                consent=None,
                component=None,
                setting="released",
            )


def tell_idle(consents: Consents, findings: Iterable[Finding], observer: Observer) -> None:
    """Warn of consents that consent to nothing: probably misspelt, or of an earlier plan."""
    for option, meant in consents.idle(findings):
        guess = f"; did you mean {meant}?" if meant else ""
        observer.warning(f"{option}: nothing of this plan needs that consent{guess}")


def refuse(findings: Iterable[Finding], where: str, *, told: bool = False) -> None:
    """Stop where a finding stands in the way.

    Args:
        findings: All of them.
        where: The environment or the bundle.
        told: Whether a report has shown them already, so that the error need not.

    Raises:
        RefusedError: With every one that does, and the option that consents to it.
    """
    found = tuple(findings)
    blocking = [f for f in found if f.blocks]
    if not blocking:
        return
    lines = []
    for finding in blocking:
        lines.append(f"{finding.severity.value}: {finding.summary}")
        lines.append(f"    {finding.subject}")
        lines.append(f"    {finding.evidence}")
        lines.append(f"    remediation: {finding.remedy}")
        lines.append(f"    consent: {finding.consent or 'none is possible'}")
    options = options_for(found)
    # What a report has just shown is not repeated: its summary of findings stays on the screen.
    consents = f": {' '.join(options)}" if not told and len(blocking) > 1 and options else " shown above"
    count = len(blocking)
    raise RefusedError(
        f"the plan is refused for {count} finding{'s' if count != 1 else ''}; nothing was applied",
        where=where,
        detail=None if told else joined_lines(lines),
        hint=f"change environment.yaml, or give the consents{consents} (or `waivers` in the environment file)",
    )


_UNDOING = tuple(
    Need(f"iam:{action}", "arn:{partition}:iam::{account}:group/administrators")
    for action in ("DeleteGroupPolicy", "DetachGroupPolicy", "RemoveUserFromGroup")
)


def _deployment(environment: Environment) -> Deployment:
    """What it takes to apply the environment, and to take from a group what denies that."""
    applying = deployment_of(environment, (c.component for c in environment.components))
    return replace(applying, needs={**applying.needs, "undoing it": _UNDOING})


def _caller(workspace: Workspace) -> Caller:
    arn = workspace.caller.arn
    resource = arn.split(":", 5)[5]
    user = resource.rsplit("/", 1)[-1] if resource.startswith("user/") else None
    return Caller(arn, user, workspace.aws.has_session_token())
