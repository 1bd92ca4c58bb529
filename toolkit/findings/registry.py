"""Every rule by its id, imported when first looked up: a rule stands beside the guard or check that produces it."""

from __future__ import annotations

from importlib import import_module

from toolkit.findings.model import Rule, Source

_DECLARING = (
    "toolkit.findings.rules",
    "toolkit.plan.drift",
    "toolkit.plan.guards",
    "toolkit.plan.imports",
    "toolkit.plan.pipeline_trust",
    "toolkit.plan.quotas",
)
"""Modules that register rules. Those above this package are named only, since they import it; a contract test compares
the list with the files."""

_rules: dict[str, Rule] = {}


def register(rule: Rule) -> Rule:
    """Make a rule known.

    Raises:
        ValueError: Another rule has its id, so that reports and waivers could not tell the two apart.
    """
    if rule.id in _rules:
        raise ValueError(f"two rules have the id {rule.id!r}")
    _rules[rule.id] = rule
    return rule


def rule_of(rule_id: str) -> Rule | None:
    """The rule with an id; None where there is no such."""
    for module in _DECLARING:
        if rule_id in _rules:
            break
        import_module(module)
    return _rules.get(rule_id)


def rules(source: Source | None = None) -> tuple[Rule, ...]:
    """Every rule, or those whose findings one source produces; the worst first, then by id."""
    for module in _DECLARING:
        import_module(module)
    ordered = sorted(_rules.values(), key=lambda rule: (rule.severity.rank, rule.id))
    return tuple(rule for rule in ordered if source in (None, rule.source))
