"""What a person attests: nothing, for a time that lasts, that is over or still to come; of an organization, where."""

from __future__ import annotations

from dataclasses import replace

from toolkit.audit.checks.organizations import Organization
from toolkit.controls.catalogue import topics
from toolkit.environment import Environment, load_text
from toolkit.findings import Status

from .conftest import SCOPE, Case, Flip, live

OTHER = "111122223333"


def environment(control: str, until: str, on: str) -> Environment:
    text = (
        'account_id: "123456789012"\nregions: {home: eu-central-1}\ncomponents: {}\n'
        f"attestations:\n  - {{control: {control}, by: Alice, on: {on}, until: {until}}}\n"
    )
    return load_text(text, name="prod", shown_as="environment.yaml")


def _cases(name: str, *, organization: bool) -> tuple[Case, ...]:
    answers = {Organization(): (live({"management": SCOPE.account_id}),)} if organization else {}
    elsewhere = (Flip("management", OTHER, Status.NOT_APPLICABLE, Organization()),) if organization else ()

    def case(expected: Status, until: str | None, on: str = "2026-11-01") -> Case:
        attested = None if until is None else environment(name, until, on)
        return Case(name, expected, answers, elsewhere, replace(SCOPE, environment=attested))

    nowhere = (Case(name, Status.NOT_APPLICABLE, {Organization(): ()}),) if organization else ()
    return (
        case(Status.ATTESTED, "2026-11-29"),
        case(Status.FAIL, "2026-11-28"),
        case(Status.UNKNOWN, None),
        case(Status.ATTESTED, "2026-12-24", "2026-11-30"),  # written where the day has begun already
        case(Status.UNKNOWN, "2026-12-24", "2026-12-01"),
        *nowhere,
    )


CASES = tuple(
    case
    for topic in topics()
    if topic.attested
    for case in _cases(topic.name, organization=topic.service == "organizations")
)
