"""What people must know of a plan or an account, and what they consented to: one shape, whoever finds it.

`model.py` has the shape, `registry.py` the rules by id, `rules.py` those that several guards share (any other stands
beside the guard or check that produces it), `consents.py` options and waivers. Pure.
"""

from toolkit.findings.consents import Consents, Waiver, matches, options_for
from toolkit.findings.model import Consent, Finding, Names, Resource, Rule, Severity, Source, Status, worst_first
from toolkit.findings.registry import register, rule_of, rules

__all__ = [
    "Consent",
    "Consents",
    "Finding",
    "Names",
    "Resource",
    "Rule",
    "Severity",
    "Source",
    "Status",
    "Waiver",
    "matches",
    "options_for",
    "register",
    "rule_of",
    "rules",
    "worst_first",
]
