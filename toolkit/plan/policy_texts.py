"""Texts of the managed policies that a plan gives, takes, or makes boundaries of.

In: a Case, and facts. Out: what is wanted of the account, and what is known with it. Pure.
"""

from __future__ import annotations

from toolkit.plan.boundaries import changed_boundaries
from toolkit.plan.case import Case
from toolkit.plan.facts import Facts
from toolkit.plan.managed_policies import DocumentWanted, ManagedPolicies, documents_wanted, policies_with
from toolkit.plan.owners import referenced_policies


def _arns(case: Case) -> frozenset[str]:
    return changed_boundaries(case.plan) | referenced_policies(case.plan)


def wanted_texts(case: Case) -> tuple[DocumentWanted, ...]:
    """Those that neither the plan nor the state has."""
    return documents_wanted(_arns(case), case.plan, case.outcome, case.drift)


def known_policies(case: Case, facts: Facts) -> ManagedPolicies:
    """What managed policies say, with what the account answered to `wanted_texts`."""
    return policies_with(facts, _arns(case), case.plan, case.outcome, case.drift)
