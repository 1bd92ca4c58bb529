"""The shape of a check, what it is asked about, and what it says.

In: nothing. Out: frozen values that each file of `toolkit.audit.checks` fills in. Pure.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, TypeVar, cast

from toolkit import findings
from toolkit.controls.catalogue import Topic, topics
from toolkit.environment.model import Environment
from toolkit.findings import Rule, Severity, Source, Status
from toolkit.plan.facts import Wanted
from toolkit.regions import partition_of
from toolkit.resources.reading import Call, Live, Reason, Unreadable, UnreadableError

T = TypeVar("T")

SEVERITIES = {
    "critical": Severity.CRITICAL,
    "high": Severity.HIGH,
    "medium": Severity.MEDIUM,
    "low": Severity.NOTE,
    "informational": Severity.NOTE,
}
"""Severity of a topic in the catalogue → that of its check."""


@dataclass(frozen=True)
class Scope:
    """Where a check looks: once per account, or in one region."""

    account_id: str
    region: str
    """The home region for what exists once per account."""
    regions: tuple[str, ...]
    """All that are audited."""
    now: datetime
    """When the audit began, in UTC."""
    environment: Environment | None = None
    """None for an account without an environment file."""
    simulated: bool = False
    """Whether it is on the embedded AWS."""
    management: str | None = None
    """The management account of its organization, where that is known before anything is read."""

    @property
    def root_arn(self) -> str:
        """The account itself, as the subject of what is about none of its resources."""
        return f"arn:{partition_of(self.region) or 'aws'}:iam::{self.account_id}:root"


@dataclass(frozen=True)
class Outcome:
    """What a check says about one resource, or about the account or region as a whole."""

    status: Status
    evidence: str
    """The fact behind it, one sentence without a full stop at its end."""
    resource: Live | None = None
    """What it is about; None: the account, or the region."""
    severity: Severity | None = None
    """None: the check's."""
    facts: tuple[str, ...] | None = None
    """What is wrong, problem by problem, for the comparison with an earlier audit: one that this lacks is new. To be
    given where the evidence lists problems, leaves some out, or has what changes by itself (days, counts); None: the
    evidence, word for word."""
    part: str = ""
    """Which of several outcomes about the resource it is, in words that never change: a digest of them is a
    part of its id in other tools. Empty where there is one, and for the main one."""


class Answers:
    """What AWS answered to what one check wanted. A fact that could not be read ends the check: it is unknown then."""

    def __init__(self, answers: Mapping[Wanted[Any], tuple[Any, tuple[Call, ...]]]) -> None:
        """Args:
        answers: Question → answer, which may be `Unreadable`, and the calls that it rests on.
        """
        self._answers = answers
        self._calls: dict[Call, None] = {}
        self._unread: dict[Unreadable, None] = {}

    def __getitem__(self, wanted: Wanted[T]) -> T:
        """The answer.

        Raises:
            UnreadableError: It could not be read, or a part of it; never taken for an absence.
            KeyError: The check's `needs` lacks the question.
        """
        answer = self._answer(wanted)
        for one in answer if isinstance(answer, tuple) else ():
            if isinstance(one, Unreadable):
                raise one.error()
        return cast(T, answer)

    def each(self, wanted: Wanted[tuple[Live, ...]]) -> tuple[Live, ...]:
        """What could be read, for a check that everything has to pass: it fails for one of these, and never passes.

        Raises:
            UnreadableError: Nothing of it could be read.
            KeyError: The check's `needs` lacks the question.
        """
        answer = self._answer(wanted)
        self._unread.update(dict.fromkeys(one for one in answer if isinstance(one, Unreadable)))
        return tuple(one for one in answer if isinstance(one, Live))

    def _answer(self, wanted: Wanted[Any]) -> Any:
        answer, calls = self._answers[wanted]
        self._calls.update(dict.fromkeys(calls))
        if isinstance(answer, Unreadable):
            raise answer.error()
        return answer

    @property
    def unread(self) -> tuple[Unreadable, ...]:
        """Parts of answers that `each` left out."""
        return tuple(self._unread)

    @property
    def calls(self) -> tuple[Call, ...]:
        """The calls that the answers which were looked at rest on."""
        return tuple(self._calls)


@dataclass(frozen=True)
class Remedy:
    """What to do about what a check finds."""

    text: str
    """For people, in the imperative."""
    component: str | None = None
    """The component that does it."""
    setting: str | None = None
    """Its setting, dotted; None where enabling the component is all."""


@dataclass(frozen=True)
class Check:
    """One question to an account.

    Attributes:
        id: Stable; the catalogue's topic where there is one.
        title: What is true where it passes, one sentence for people.
        severity: Of what it finds.
        service: As IAM names it ("iam"), to choose checks by.
        needs: What it wants to know, in one scope. Equal questions of several checks are put once.
        judge: What it says. Whatever it yields before an answer proves unreadable holds.
        remedy: What to do.
        regional: Whether it is put in each region, else once.
        source: AWS's documentation of the rule behind it; None where the catalogue's requirements are the rule.
        why: Why it matters, one or two sentences.
    """

    id: str
    title: str
    severity: Severity
    service: str
    needs: Callable[[Scope], Iterable[Wanted[Any]]]
    judge: Callable[[Scope, Answers], Iterator[Outcome]]
    remedy: Remedy
    why: str
    regional: bool = False
    source: str | None = None
    topics: tuple[str, ...] = field(default=())
    """Topics of the catalogue beside that of its id."""

    @property
    def rule(self) -> Rule:
        """The rule of its findings."""
        return Rule(
            self.id,
            self.title,
            self.severity,
            refused=self.why,
            instead=self.remedy.text,
            source=Source.AUDIT,
        )

    @property
    def met(self) -> tuple[Topic, ...]:
        """The topics of the catalogue that it answers."""
        return tuple(topic for topic in topics() if topic.name in (self.id, *self.topics))

    @property
    def requirements(self) -> tuple[str, ...]:
        """Requirements of all frameworks that it is about ("cis-7.0:2.5")."""
        return tuple(
            dict.fromkeys(
                f"{framework}:{one}"
                for topic in self.met
                for framework, ids in topic.requirements.items()
                for one in ids
            )
        )


@dataclass(frozen=True)
class Result:
    """What came of one check in one scope."""

    check: Check
    region: str
    outcomes: tuple[Outcome, ...]
    """At least one."""
    calls: tuple[Call, ...]

    @property
    def status(self) -> Status:
        """The worst of what it says; what is unknown is no pass, and hides no failure."""
        return worst(outcome.status for outcome in self.outcomes)

    def findings(self, account_id: str) -> Iterator[findings.Finding]:
        """Each outcome in the shape of all findings."""
        check, rule, controls = self.check, self.check.rule, self.check.requirements
        for one in self.outcomes:
            live = one.resource
            yield findings.Finding(
                rule=rule,
                severity=one.severity or check.severity,
                resource=findings.Resource(
                    None,
                    self.region,
                    type=live.type or None if live else None,
                    arn=live.arn if live else None,
                    account_id=account_id,
                ),
                attribute=None,
                summary=check.title,
                evidence=one.evidence,
                remedy=check.remedy.text if one.status is Status.FAIL else "",
                consent=None,
                component=check.remedy.component,
                setting=check.remedy.setting,
                status=one.status,
                controls=controls,
                calls=self.calls,
                id=self._id(live),
                facts=one.facts,
                part=one.part,
            )

    def _id(self, live: Live | None) -> str:
        """What an outcome is about, whatever its evidence says: check, region or account, resource."""
        place = self.region if self.check.regional else "account"
        if live is None:
            return f"{self.check.id}/{place}"
        if live.arn:
            return f"{self.check.id}/{place}/{live.arn}"
        elsewhere = "" if live.region in ("", self.region) else f"{live.region}/"
        key = ",".join(f"{name}={live.key[name]}" for name in sorted(live.key)) or live.called
        return f"{self.check.id}/{place}/{elsewhere}{live.type}[{key}]"


STATUSES = (Status.FAIL, Status.UNKNOWN, Status.PASS, Status.ATTESTED, Status.NOT_APPLICABLE)
"""The worst first."""
WAIVED = "waived"
VERDICTS = (
    *(Status.FAIL.value, Status.UNKNOWN.value, WAIVED),
    *(Status.NOT_APPLICABLE.value, Status.ATTESTED.value, Status.PASS.value),
)
"""What a finding can come to, the worst first; only what fails can be waived."""


def verdict(finding: findings.Finding) -> str:
    """One of VERDICTS."""
    return WAIVED if finding.consented_by is not None else finding.status.value


def about(finding: findings.Finding) -> str | None:
    """What an outcome is about, as its id says: an ARN, or a type and a key; None: the account or region as a whole."""
    what = (finding.id or "").removeprefix(f"{finding.rule.id}/").partition("/")[2]
    # A fact about the account itself has neither type nor key: it is called "the account".
    return None if what in ("", "[the account]") else what


def worst(statuses: Iterable[Status]) -> Status:
    """The worst status of several; PASS only if there is nothing else but what is not applicable."""
    found = set(statuses)
    return next((status for status in STATUSES if status in found), Status.UNKNOWN)


def run(check: Check, scope: Scope, answers: Answers) -> Result:
    """Put one check in one scope. A fact that could not be read makes it unknown, unless the service is not there."""
    outcomes: list[Outcome] = []
    try:
        outcomes.extend(check.judge(scope, answers))
    except UnreadableError as e:
        # Of a check of the whole account, one region that lacks the service leaves the others to be judged.
        absent = check.regional and e.region == scope.region and e.reason in (Reason.REGION_OFF, Reason.NOT_OFFERED)
        outcomes.append(Outcome(Status.NOT_APPLICABLE if absent else Status.UNKNOWN, str(e)))
    except (LookupError, TypeError, ValueError, AttributeError, RuntimeError) as e:
        message = f"AWS's answer is not in the expected form ({type(e).__name__}: {e})"
        outcomes.append(Outcome(Status.UNKNOWN, message))
    if answers.unread:
        # A sentence about all of them is not true of those that were not read.
        outcomes = [one for one in outcomes if one.status is not Status.PASS or one.resource is not None]
        outcomes.extend(Outcome(Status.UNKNOWN, str(one), part=f"{one.call} in {one.region}") for one in answers.unread)
    if not outcomes:
        outcomes.append(Outcome(Status.NOT_APPLICABLE, "the account has nothing of the kind"))
    return Result(check, scope.region, tuple(outcomes), answers.calls)
