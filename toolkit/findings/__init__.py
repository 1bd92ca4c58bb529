"""What a plan would do that people must know before it is applied, and what they consented to.

One shape for every finding, so that each report format is written once.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, fields, replace
from datetime import date
from enum import Enum

from pydantic import ConfigDict

from toolkit.addresses import Address
from toolkit.globs import glob
from toolkit.spelling import nearest


class Severity(Enum):
    """How much it matters, the worst first."""

    CRITICAL = "critical"
    HIGH = "high"
    MEDIUM = "medium"
    NOTE = "note"

    @property
    def rank(self) -> int:
        """0 for the worst."""
        return list(Severity).index(self)


class Rule(Enum):
    """Kinds of findings; the value is the stable id that reports carry."""

    DESTROYS = "destroys-protected"
    WEAKENS = "weakens"
    COLLIDES = "collides"
    IMPORTS_DIFFER = "imports-differ"
    EXCEEDS_QUOTA = "exceeds-quota"
    LOCKS_OUT_CALLER = "locks-out-caller"
    LOCKS_OUT_LAST_ADMINISTRATOR = "locks-out-last-administrator"
    LOCKS_OUT = "locks-out-users"
    ADVICE = "advice"

    @property
    def explanation(self) -> str:
        """What the rule is about, one sentence."""
        return _EXPLANATIONS[self]


_EXPLANATIONS = {
    Rule.DESTROYS: "The plan deletes or replaces a resource that protects or records, or removes it from the state.",
    Rule.WEAKENS: "The plan changes a setting to its weaker side.",
    Rule.COLLIDES: "The plan would create something that the account already has, and only one can exist.",
    Rule.IMPORTS_DIFFER: "The plan does not import exactly what `imports` in the environment file has.",
    Rule.EXCEEDS_QUOTA: "The plan adds more than a quota of the account allows, and the apply would fail after part "
    "of it is done.",
    Rule.LOCKS_OUT_CALLER: "The caller who applies this would lose access.",
    Rule.LOCKS_OUT_LAST_ADMINISTRATOR: "No administrator would be left who can sign in.",
    Rule.LOCKS_OUT: "Users or programs would lose access immediately, or until they enroll an MFA device.",
    Rule.ADVICE: "Something needs a review, such as a user whose review date has passed. It blocks nothing.",
}


@dataclass(frozen=True)
class Finding:
    """One thing to know."""

    __pydantic_config__ = ConfigDict(strict=True, extra="forbid")
    """For reading what `as_data` gave."""

    rule: Rule
    severity: Severity
    address: str
    """Terraform address."""
    attribute: str | None
    summary: str
    """One sentence for people."""
    evidence: str
    """The fact behind it ("24 → 14")."""
    remedy: str
    """What to do instead of consenting."""
    consent: str | None
    """The very option that lets it through; None where nothing does."""
    component: str | None
    region: str
    setting: str | None = None
    """Key in environment.yaml that decides what it is about ("components.config.bucket.name"), several with ", "
    between them; the component's own where no setting does."""
    consented_by: str | None = None
    """Who or what let it through: an option, or a waiver with its reason and expiry."""

    def as_data(self) -> dict[str, str | None]:
        """Plain data for reports and bundles."""
        return {f.name: v.value if isinstance(v := getattr(self, f.name), Enum) else v for f in fields(self)}

    @property
    def blocks(self) -> bool:
        """Whether it stands in the way of an apply."""
        return self.severity is not Severity.NOTE and self.consented_by is None

    @property
    def subject(self) -> str:
        """What a consent names: the address, with the attribute where it is about one."""
        return f"{self.address}.{self.attribute}" if self.attribute else self.address


@dataclass(frozen=True)
class Waiver:
    """A consent that stands in the environment file, with reason and end."""

    rule: Rule
    subject: str
    """Address, or ADDRESS.ATTRIBUTE; `*` matches any characters."""
    reason: str
    expires: date


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

    def as_options(self) -> tuple[str, ...]:
        """As whoever planned gave them on the command line, waivers left out: they stand in the environment file."""
        options = [*(f"--allow-destroy={p}" for p in self.destroy), *(f"--allow-weaker={p}" for p in self.weaker)]
        return (*options, *(["--acknowledge-lockout"] if self.lockout else []))

    @classmethod
    def from_options(cls, options: Iterable[str]) -> Consents:
        """The consents that `as_options` gave."""
        pairs = [option.partition("=") for option in options]
        return cls(
            destroy=tuple(value for name, _, value in pairs if name == "--allow-destroy"),
            weaker=tuple(value for name, _, value in pairs if name == "--allow-weaker"),
            lockout=any(name == "--acknowledge-lockout" for name, _, _ in pairs),
        )

    def together(self, other: Consents) -> Consents:
        """Both of them."""
        return Consents(
            self.destroy + other.destroy,
            self.weaker + other.weaker,
            self.lockout or other.lockout,
            self.waivers + other.waivers,
        )

    def apply(self, findings: Iterable[Finding], today: date) -> tuple[Finding, ...]:
        """The findings, each with what consents to it, the worst first."""
        judged = (replace(f, consented_by=self._by(f, today)) for f in findings)
        return tuple(sorted(judged, key=lambda f: (not f.blocks, f.severity.rank, f.subject)))

    def idle(self, findings: Iterable[Finding]) -> tuple[tuple[str, str | None], ...]:
        """Options that consent to nothing of this plan, each with the subject that was probably meant.

        A lone `*` means whatever there may be, and so is never idle; waivers stand in the file for later plans, too.
        """
        found = tuple(findings)
        idle: list[tuple[str, str | None]] = []
        for name, patterns, rule in (
            ("--allow-destroy", self.destroy, Rule.DESTROYS),
            ("--allow-weaker", self.weaker, Rule.WEAKENS),
        ):
            subjects = [f.subject for f in found if f.rule is rule]
            for pattern in patterns:
                if pattern.strip("*") and not any(matches(pattern, subject) for subject in subjects):
                    idle.append((f"{name} {pattern}", nearest(pattern, subjects)))
        if self.lockout and not any(f.rule is Rule.LOCKS_OUT for f in found):
            idle.append(("--acknowledge-lockout", None))
        return tuple(idle)

    def _by(self, finding: Finding, today: date) -> str | None:
        if finding.consent is None:
            return None
        if finding.rule is Rule.DESTROYS:
            options, name = self.destroy, "--allow-destroy"
        elif finding.rule is Rule.WEAKENS:
            options, name = self.weaker, "--allow-weaker"
        else:
            options, name = (finding.subject,) if self.lockout else (), "--acknowledge-lockout"
        for pattern in options:
            if matches(pattern, finding.subject):
                return name if name == "--acknowledge-lockout" else f"{name} {pattern}"
        for waiver in self.waivers:
            if waiver.rule is finding.rule and matches(waiver.subject, finding.subject) and today <= waiver.expires:
                return f"waiver until {waiver.expires}: {waiver.reason}"
        return None


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
        address = Address.parse(finding.address)
    except ValueError:
        return finding.subject
    alike = _called(address, str(finding.component)).with_keys(lambda key: "*" if isinstance(key, str) else key)
    return f"{alike} {finding.attribute}"


def _pattern(findings: Sequence[Finding]) -> str:
    """What stands for all of one block: `*` for the keys that differ, and for the region in the module call's label."""
    addresses = [Address.parse(finding.address) for finding in findings]
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
