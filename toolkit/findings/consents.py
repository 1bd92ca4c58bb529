"""Consents to findings: options of the command line for one plan, waivers of the environment file for a time.

In: findings and what was consented to. Out: the findings with what let them through. Pure.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import date

from toolkit.addresses import Address
from toolkit.findings.model import Consent, Finding, Rule, worst_first
from toolkit.findings.rules import ACKNOWLEDGE_LOCKOUT, ALLOW_DESTROY, ALLOW_GAIN, ALLOW_RELEASE, ALLOW_WEAKER
from toolkit.globs import glob
from toolkit.spelling import nearest


@dataclass(frozen=True)
class Waiver:
    """A consent that stands in the environment file, with reason and end."""

    rule: Rule
    subject: str
    """Address, ADDRESS.ATTRIBUTE, or a requirement; `*` matches any characters."""
    reason: str
    expires: date

    def covers(self, rule: Rule, subject: str, today: date) -> bool:
        """Whether it lets a finding through."""
        return self.rule is rule and today <= self.expires and matches(self.subject, subject)

    def __str__(self) -> str:
        return f"waiver until {self.expires}: {self.reason}"


_OPTIONS = (ALLOW_DESTROY, ALLOW_RELEASE, ALLOW_WEAKER, ALLOW_GAIN, ACKNOWLEDGE_LOCKOUT)


@dataclass(frozen=True)
class Consents:
    """What whoever runs the command consents to."""

    destroy: tuple[str, ...] = ()
    """Globs of addresses (--allow-destroy)."""
    weaker: tuple[str, ...] = ()
    """Globs of ADDRESS.ATTRIBUTE (--allow-weaker)."""
    lockout: bool = False
    """--acknowledge-lockout."""
    waivers: tuple[Waiver, ...] = ()
    release: tuple[str, ...] = ()
    """Globs of addresses (--allow-release)."""
    gain: tuple[str, ...] = ()
    """Globs of ADDRESS.ATTRIBUTE (--allow-gain)."""

    def as_options(self) -> tuple[str, ...]:
        """As whoever planned gave them on the command line, waivers left out: they stand in the environment file."""
        return tuple(
            f"{consent.option}={pattern}" if consent.takes else consent.option
            for consent in _OPTIONS
            for pattern in self._given(consent)
        )

    @classmethod
    def from_options(cls, options: Iterable[str]) -> Consents:
        """The consents that `as_options` gave."""
        pairs = [option.partition("=") for option in options]
        return cls(
            destroy=tuple(value for name, _, value in pairs if name == "--allow-destroy"),
            weaker=tuple(value for name, _, value in pairs if name == "--allow-weaker"),
            release=tuple(value for name, _, value in pairs if name == "--allow-release"),
            gain=tuple(value for name, _, value in pairs if name == "--allow-gain"),
            lockout=any(name == "--acknowledge-lockout" for name, _, _ in pairs),
        )

    def together(self, other: Consents) -> Consents:
        """Both of them."""
        return Consents(
            self.destroy + other.destroy,
            self.weaker + other.weaker,
            self.lockout or other.lockout,
            self.waivers + other.waivers,
            self.release + other.release,
            self.gain + other.gain,
        )

    def apply(self, findings: Iterable[Finding], today: date) -> tuple[Finding, ...]:
        """The findings, each with what consents to it, the worst first."""
        return worst_first(replace(f, consented_by=self._by(f, today)) for f in findings)

    def idle(self, findings: Iterable[Finding]) -> tuple[tuple[str, str | None], ...]:
        """Options that consent to nothing of this plan, each with the subject that was probably meant.

        A lone `*` means whatever there may be, and so is never idle; waivers stand in the file for later plans, too.
        """
        found = tuple(findings)
        idle: list[tuple[str, str | None]] = []
        for consent in _OPTIONS:
            subjects = [f.subject for f in found if f.rule.consent is consent]
            for pattern in self._given(consent):
                if consent.takes is None:
                    if not subjects:
                        idle.append((consent.option, None))
                elif pattern.strip("*") and not any(matches(pattern, subject) for subject in subjects):
                    idle.append((f"{consent.option} {pattern}", nearest(pattern, subjects)))
        return tuple(idle)

    def _given(self, consent: Consent) -> tuple[str, ...]:
        """The patterns for which an option was given; a switch is for every subject."""
        if consent is ACKNOWLEDGE_LOCKOUT:
            return ("*",) if self.lockout else ()
        given = {ALLOW_DESTROY: self.destroy, ALLOW_RELEASE: self.release}
        return {**given, ALLOW_WEAKER: self.weaker, ALLOW_GAIN: self.gain}[consent]

    def _by(self, finding: Finding, today: date) -> str | None:
        if finding.consent is None:
            return None
        consent = finding.rule.consent
        if consent is not None:
            for pattern in self._given(consent):
                if matches(pattern, finding.subject):
                    return f"{consent.option} {pattern}" if consent.takes else consent.option
        return next((str(w) for w in self.waivers if w.covers(finding.rule, finding.subject, today)), None)


def options_for(findings: Iterable[Finding], among: Iterable[Finding] = ()) -> tuple[str, ...]:
    """Options, quoted for a shell, that consent to all that blocks and can be consented to, and to nothing else.

    Where several resources of one block, in several regions or under several keys, need the same option for the same
    attribute, one pattern stands for them, if it matches no other finding of that rule.

    Args:
        findings: Those to consent to.
        among: All that the plan has, if these are not all.
    """
    found = tuple(findings)
    every = (*found, *among)
    wanted: dict[tuple[str, str], list[Finding]] = {}
    for finding in found:
        if finding.blocks and finding.consent is not None:
            wanted.setdefault((finding.consent.split(" ")[0], _block(finding)), []).append(finding)
    options: dict[str, None] = {}
    for (option, _), alike in wanted.items():
        subjects = {f.subject for f in alike}
        others = {f.subject for f in every if f.rule is alike[0].rule} - subjects
        pattern = _pattern(alike) if len(subjects) > 1 else ""
        if pattern and not any(matches(pattern, subject) for subject in others):
            options[f"{option} '{pattern}'"] = None
        else:
            options |= dict.fromkeys(str(f.consent) for f in alike)
    return tuple(options)


def _block(finding: Finding) -> str:
    """What those have in common that one block gives: component, nested modules, name and attribute."""
    try:
        address = Address.parse(finding.address or "")
    except ValueError:
        return finding.subject
    alike = _called(address, str(finding.component)).with_keys(lambda key: "*" if isinstance(key, str) else key)
    return f"{alike} {finding.attribute}"


def _pattern(findings: Sequence[Finding]) -> str:
    """What stands for all of one block: `*` for the keys that differ, and for the region in the module call's label."""
    addresses = [Address.parse(str(finding.address)) for finding in findings]
    labels = [address.label or "" for address in addresses]
    least, most = min(labels), max(labels)
    alike = next((i for i, pair in enumerate(zip(least, most, strict=False)) if len(set(pair)) > 1), len(least))
    keys = iter([set(key) for key in zip(*(address.keys for address in addresses), strict=True)])
    pattern = addresses[0].with_keys(lambda key: key if len(next(keys)) == 1 else "*")
    pattern = _called(pattern, least if least == most else f"{least[:alike]}*")
    attribute = findings[0].attribute
    return f"{pattern}.{attribute}" if attribute else str(pattern)


def _called(address: Address, label: str) -> Address:
    """With another label of its module call."""
    if not address.modules:
        return address
    (_, key), *nested = address.modules
    return replace(address, modules=((label, key), *nested))


def matches(pattern: str, subject: str) -> bool:
    """Whether a consent's pattern names the subject; only `*` is special, since addresses are full of brackets."""
    return glob(pattern, marks=False).matches(subject)
