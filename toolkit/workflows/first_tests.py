"""The access tests that `toolkit new` writes: five that should hold in any account, of what its profile switches on.

In: names of components. Out: entries of `access_tests`. Each is decided by what the modules say themselves, or by
AdministratorAccess, and so has the same answer where no text of another policy of AWS's is known.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass

from toolkit.components.iam_groups import DEFAULT_GROUPS

_WATCHING = {
    "config": "config:StopConfigurationRecorder",
    "guardduty": "guardduty:DeleteDetector",
    "security_hub": "securityhub:DisableSecurityHub",
    "access_analyzer": "access-analyzer:DeleteAnalyzer",
}
"""Component → the action that ends what it detects."""
_WIDTH = 120
_MFA = "aws:MultiFactorAuthPresent"


@dataclass(frozen=True)
class FirstTest:
    """One entry.

    Attributes:
        meaning: What it holds, as a sentence.
        who: Groups.
        word: "can" or "cannot".
        actions: Which.
        on: What of the environment is meant; None: any resource.
        mfa: Whether the request has it; None: no matter.
    """

    meaning: str
    who: tuple[str, ...]
    word: str
    actions: tuple[str, ...]
    on: str | None = None
    mfa: bool | None = None

    @property
    def lines(self) -> tuple[str, ...]:
        """Its YAML, indented as an entry of a list is."""
        found = [f"  - who: {_listed(self.who)}", *self._actions]
        if self.on is not None:
            found.append(f"    on: {self.on}")
        if self.mfa is not None:
            found.append(f'    when: {{"{_MFA}": {str(self.mfa).lower()}}}')
        return (f"  # {self.meaning}", *found)

    @property
    def _actions(self) -> tuple[str, ...]:
        quoted = [f'"{action}"' for action in self.actions]
        line = f"    {self.word}: {_listed(quoted)}"
        return (line,) if len(line) <= _WIDTH else (f"    {self.word}:", *(f"      - {one}" for one in quoted))


def first_tests(components: Collection[str]) -> Iterator[FirstTest]:
    """The tests of an environment that has these components.

    Args:
        components: Their names.
    """
    if "iam_groups" not in components:
        return
    administrators = tuple(name for name, group in DEFAULT_GROUPS.items() if group is not None and group.administrator)
    others = tuple(name for name in DEFAULT_GROUPS if name not in administrators)
    if "cloudtrail" in components:
        yield FirstTest(
            "Of the groups, only administrators can stop the recording of API calls.",
            others,
            "cannot",
            ("cloudtrail:StopLogging", "cloudtrail:DeleteTrail", "cloudtrail:PutEventSelectors"),
            on="trail",
        )
    watching = tuple(action for name, action in _WATCHING.items() if name in components)
    if watching:
        yield FirstTest("Nor can the others switch off detection.", others, "cannot", watching)
    yield FirstTest(
        "Nor can they give permissions.",
        others,
        "cannot",
        ("iam:CreateUser", "iam:AttachUserPolicy", "iam:PutGroupPolicy", "iam:CreatePolicyVersion"),
    )
    if "mfa_enforcement" in components:
        logs = "cloudtrail" in components
        yield FirstTest(
            f"Without MFA, no group can {'read or delete logs' if logs else 'read secrets'}.",
            (*administrators, *others),
            "cannot",
            ("s3:GetObject", "s3:DeleteObjectVersion") if logs else ("secretsmanager:GetSecretValue",),
            on="log object" if logs else None,
            mfa=False,
        )
    yield FirstTest(
        "With MFA, administrators can do their work: they are not locked out.",
        administrators,
        "can",
        ("iam:CreateUser", "iam:AttachUserPolicy", "iam:DeleteGroupPolicy"),
        mfa=True,
    )


def _listed(names: Sequence[str]) -> str:
    return names[0] if len(names) == 1 else f"[{', '.join(names)}]"
