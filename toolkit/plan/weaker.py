"""The guard against what leaves the account weaker: deletions, weaker values, rights that grow, boundaries that widen.

In: a Case, and what the account has already. Out: findings. Pure. Owners of policies are judged as a whole, so that
what one policy loses and another one has instead is no finding.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from toolkit.components.registry import REGISTRY
from toolkit.findings import Finding
from toolkit.plan.boundaries import judge_boundaries
from toolkit.plan.case import Case, Guard
from toolkit.plan.existing import contents, contents_wanted, existing, existing_wanted
from toolkit.plan.facts import Facts, Wanted
from toolkit.plan.guards import judge
from toolkit.plan.owners import judge_owners
from toolkit.plan.policy_texts import known_policies, wanted_texts


def _needs(case: Case) -> Iterator[Wanted[Any]]:
    yield from existing_wanted(case.plan, simulated=case.simulated)
    yield from contents_wanted(case.plan)
    yield from wanted_texts(case)


def _judge(case: Case, facts: Facts) -> Iterator[Finding]:
    policies = known_policies(case, facts)
    found = existing(case.plan, facts, simulated=case.simulated)
    there = {address: one for address, one in found.items() if not one.same}
    single = judge(case.plan, REGISTRY, there, contents(case.plan, facts), case.released)
    yield from judge_owners(case.plan, case.outcome, policies, single, case.drift)
    yield from judge_boundaries(case.plan, policies)


GUARD = Guard(_judge, _needs)
