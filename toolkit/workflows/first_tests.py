"""The access tests that `toolkit new` writes: five that should hold in any account, of what its profile switches on.

In: components with their settings. Out: entries of `access_tests`. Each is decided by what the modules say themselves,
or by AdministratorAccess, and so has the same answer where no text of another policy of AWS's is known.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from toolkit.components.base import Component, Identities

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


def first_tests(components: Mapping[str, Component], settings: Mapping[str, Any]) -> Iterator[FirstTest]:
    """The tests of an environment.

    Args:
        components: All that it switches on, by name.
        settings: Theirs, by the same name.
    """
    groups = Identities()
    for name, component in components.items():
        if component.identities is not None:
            groups = groups.together(component.identities(settings[name], settings))
    others = tuple(sorted(groups.without_administration))
    administrators = tuple(sorted(groups.with_mfa - groups.without_administration))
    endings = [component.ending for component in components.values() if component.ending is not None]
    recorded = any(one.on for one in endings)
    if others:
        for one in endings:
            if one.on:
                meaning = "Of the groups, only administrators can stop the recording of API calls."
                yield FirstTest(meaning, others, "cannot", one.actions, on=one.on)
        if detecting := tuple(action for one in endings if not one.on for action in one.actions):
            yield FirstTest("Only administrators can switch off detection.", others, "cannot", detecting)
        giving = ("iam:CreateUser", "iam:AttachUserPolicy", "iam:PutGroupPolicy", "iam:CreatePolicyVersion")
        yield FirstTest("Only administrators can give permissions.", others, "cannot", giving)
    if groups.with_mfa:
        reading = ("s3:GetObject", "s3:DeleteObjectVersion") if recorded else ("secretsmanager:GetSecretValue",)
        yield FirstTest(
            f"Without MFA, no group can {'read or delete logs' if recorded else 'read secrets'}.",
            (*administrators, *others),
            "cannot",
            reading,
            on="log object" if recorded else None,
            mfa=False,
        )
    if administrators:
        yield FirstTest(
            "With MFA, administrators can do their work: they are not locked out.",
            administrators,
            "can",
            ("iam:CreateUser", "iam:AttachUserPolicy", "iam:DeleteGroupPolicy"),
            mfa=True,
        )


def _listed(names: Sequence[str]) -> str:
    return names[0] if len(names) == 1 else f"[{', '.join(names)}]"
