"""What AWS's policies allow: a small evaluator of the IAM policy language.

Behind lock-out verdicts and checks of organization policies; follows AWS's documented evaluation logic and is tested
against AWS's published example policies. Knows no component, and no plan: what else judges policies by their text
alone stands in files of its own here (comparison, inclusion, trust, organization).
"""

from toolkit.iam.conditions import Condition
from toolkit.iam.document import PolicyDocument, PolicyError, PolicyKind, Principals, Statement
from toolkit.iam.evaluate import Decision, Layer, Match, Policies, Result, evaluate, statement_applies
from toolkit.iam.matching import ContextValue
from toolkit.iam.request import Principal, PrincipalKind, Request, RequestError, role_session

__all__ = [
    "Condition",
    "ContextValue",
    "Decision",
    "Layer",
    "Match",
    "Policies",
    "PolicyDocument",
    "PolicyError",
    "PolicyKind",
    "Principal",
    "PrincipalKind",
    "Principals",
    "Request",
    "RequestError",
    "Result",
    "Statement",
    "evaluate",
    "role_session",
    "statement_applies",
]
