"""Attestations: who confirms what, for how long, and what an audit makes of one that names nothing."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from toolkit.audit.attestations import broken, idle, of_topic
from toolkit.audit.registry import checks
from toolkit.controls.catalogue import topics
from toolkit.environment import Environment, load_text
from toolkit.environment.load import EnvironmentFileError
from toolkit.errors import ExitCode
from toolkit.paths import Project
from toolkit.workflows.workspace import read_environment

ATTESTED = tuple(topic for topic in topics() if topic.attested)
UNITS = next(topic for topic in ATTESTED if topic.name == "organizations_units_by_environment")
HEAD = 'account_id: "123456789012"\nregions: {home: eu-central-1}\ncomponents: {}\nattestations:\n'


def entry(**changed: Any) -> str:
    keys = {"control": "cis-7.0:2.1.4", "by": "Alice", "on": "2026-11-01", "until": "2027-05-01", **changed}
    return "\n".join(
        f"  {'-' if first else ' '} {key}: {json.dumps(value)}"
        for first, (key, value) in ((not index, pair) for index, pair in enumerate(keys.items()))
        if value is not None
    )


def environment(*entries: str) -> Environment:
    return load_text(HEAD + "\n".join(entries) + "\n", name="prod", shown_as="environment.yaml")


@pytest.mark.parametrize("topic", ATTESTED, ids=lambda topic: topic.name)
def test_each_such_topic_has_a_check(topic: Any):
    assert topic in checks()[topic.name].met


@pytest.mark.parametrize("control", ["cis-7.0:2.1.4", UNITS.name])
def test_a_topic_and_a_requirement_name_it(control: str):
    attested = environment(entry(control=control, note="looked at the units"))
    assert broken(attested) == []
    (found,) = of_topic(UNITS, attested)
    assert (found.by, found.on, found.until, found.note) == ("Alice", "2026-11-01", "2027-05-01", "looked at the units")
    assert of_topic(ATTESTED[0], attested) == ()
    assert idle(attested, checks().values()) == ()


def test_the_one_that_holds_longest_counts():
    found = of_topic(UNITS, environment(entry(until="2026-11-02"), entry(by="Bob"), entry(until="2026-12-01")))
    assert [one.by for one in found] == ["Bob", "Alice", "Alice"]


@pytest.mark.parametrize("control", ["iam_root_mfa_enabled", "cis-5.0:1.4"])
def test_what_aws_reports_is_not_attested(control: str):
    """The check asks AWS whatever is attested, and the entry is reported."""
    attested = environment(entry(control=control))
    assert broken(attested) == []
    assert idle(attested, checks().values()) == (control,)


def test_what_answers_no_check_that_ran_is_reported():
    assert idle(environment(entry()), [checks()["iam_root_mfa_enabled"]]) == ("cis-7.0:2.1.4",)


@pytest.mark.parametrize(
    ("control", "guess"),
    [
        ("cis-7.0:2.1.44", "cis-7.0:2.1.4"),
        ("organizations_units_by_enviroment", UNITS.name),
        ("cis-7.1:2.1.4", "cis-7.0:2.1.4"),
    ],
)
def test_a_name_that_nothing_has_is_an_error_with_its_line_and_the_nearest(tmp_path: Path, control: str, guess: str):
    folder = tmp_path / "environments" / "prod"
    folder.mkdir(parents=True)
    (folder / "environment.yaml").write_text(HEAD + entry() + "\n" + entry(control=control) + "\n")
    with pytest.raises(EnvironmentFileError) as refused:
        read_environment(Project(tmp_path), "prod")
    (problem,) = refused.value.problems
    assert problem.line == 9
    assert str(problem) == (
        f"attestations[1].control: there is no check and no requirement {control!r}; "
        f"expected the id of a check, or a requirement like cis-7.0:2.1.3 (did you mean {guess!r}?)"
    )
    assert refused.value.exit_code is ExitCode.ERROR


@pytest.mark.parametrize(
    ("changed", "line", "said"),
    [
        ({"by": ""}, 6, "at least 1 character"),
        ({"by": None}, 5, "who has confirmed it"),
        ({"on": "soon"}, 7, "a day, like 2027-03-31"),
        ({"until": "20261129"}, 8, "a day, like 2027-03-31"),
        ({"until": "2026-10-31"}, 8, "a day from 2026-11-01 (`on`) to 2027-11-02"),
        ({"until": "2030-01-01"}, 8, "a day from 2026-11-01 (`on`) to 2027-11-02"),
        ({"until": None}, 5, "last day on which it holds"),
        ({"untill": "2027-05-01"}, 9, "did you mean 'until'?"),
        ({"control": 7}, 5, "text"),
    ],
)
def test_a_wrong_entry_is_an_error_with_its_line(changed: dict[str, Any], line: int, said: str):
    with pytest.raises(EnvironmentFileError) as refused:
        environment(entry(**changed))
    (problem,) = refused.value.problems
    assert problem.line == line
    assert said in str(problem)
