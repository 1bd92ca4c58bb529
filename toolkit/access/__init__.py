"""Who can do what: the principals of an account, each with every policy that applies, and three answers.

Allowed, denied, or depends on conditions that the policies alone do not decide. AWS's evaluation logic is in
`toolkit.iam.evaluate`; here is what is asked of it, and what is known of a request that nobody has made yet. Pure:
where policies come from (a plan, an account) is decided elsewhere.
"""

from toolkit.access.judging import Answer, Ground, Judge, Question, Verdict
from toolkit.access.model import Guarded, Holding, Kind, Principal, World

__all__ = [
    "Answer",
    "Ground",
    "Guarded",
    "Holding",
    "Judge",
    "Kind",
    "Principal",
    "Question",
    "Verdict",
    "World",
]
