"""Facts: every call once, in an order that threads do not decide, and no secret on any disk."""

from __future__ import annotations

import csv
import json
import random
import threading
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from toolkit.errors import ToolkitError
from toolkit.evidence.facts import Facts
from toolkit.resources.reading import Answered, Call

NOW = datetime(2026, 11, 29, 12, 0, 0, 123456, tzinfo=UTC)


def answered(
    service: str, operation: str, answer: dict[str, Any] | None, *, region: str = "eu-central-1", **more: Any
) -> Answered:
    action = f"{service}:{operation.title().replace('_', '')}"
    call = Call(action, region, NOW, more.pop("request_id", "r-1"))
    return Answered(service, operation, more.pop("parameters", {}), call, answer, more.pop("error", None))


def lines(facts: Facts, service: str) -> list[dict[str, Any]]:
    return [json.loads(line) for line in facts.lines(service)]


@pytest.fixture
def facts() -> Any:
    with Facts(lambda _: (None, None)) as found:
        yield found


def test_a_call_is_a_line_with_what_was_asked_and_answered(facts: Facts):
    facts.record(
        answered("iam", "get_group", {"Group": {"CreateDate": NOW}}, parameters={"GroupName": "a"}, request_id="r-9")
    )
    assert lines(facts, "iam") == [
        {
            "action": "iam:GetGroup",
            "service": "iam",
            "operation": "get_group",
            "region": "eu-central-1",
            "parameters": {"GroupName": "a"},
            "time": "2026-11-29T12:00:00.123Z",
            "request_id": "r-9",
            "answer": {"Group": {"CreateDate": "2026-11-29T12:00:00.123456+00:00"}},
            "stripped": [],
        }
    ]


def test_a_refusal_is_a_fact_with_its_code(facts: Facts):
    facts.record(answered("iam", "get_group", None, error=("AccessDenied", "not authorized: password=hunter2hunter2")))
    (line,) = lines(facts, "iam")
    assert line["error"]["code"] == "AccessDenied"
    assert "hunter2" not in json.dumps(line)
    assert "answer" not in line


def test_secrets_of_parameters_and_answers_are_named_and_counted(facts: Facts):
    facts.record(answered("x", "y", {"a": {"db_password": "hunter2hunter2"}}, parameters={"api_key": "hunter2hunter2"}))
    (line,) = lines(facts, "x")
    assert line["stripped"] == ["parameters.api_key", "a.db_password"]
    assert facts.stripped == 2


def test_the_order_does_not_depend_on_which_call_was_answered_first():
    calls = [
        answered(service, operation, {"n": page}, region=region, parameters={"of": of}, request_id=f"{of}{page}")
        for service in ("iam", "ec2")
        for region in ("us-east-1", "eu-central-1")
        for operation in ("list_b", "list_a")
        for of in ("y", "x")
        for page in range(3)
    ]
    results = []
    for seed in range(5):
        groups = [calls[i : i + 3] for i in range(0, len(calls), 3)]  # pages of one list keep their order
        random.Random(seed).shuffle(groups)
        with Facts(lambda _: (None, None)) as facts:
            threads = [threading.Thread(target=lambda g=g: [facts.record(one) for one in g]) for g in groups]
            for thread in threads:
                thread.start()
            for thread in threads:
                thread.join()
            assert facts.services == ("ec2", "iam")
            assert facts.calls == len(calls)
            results.append([line for service in facts.services for line in facts.lines(service)])
            table = list(csv.DictReader(b"".join(facts.requests()).decode().splitlines()))
            for row in table:
                service = row["file"].removeprefix("facts/").removesuffix(".jsonl")
                assert lines(facts, service)[int(row["line"]) - 1]["request_id"] == row["request_id"]
    assert all(one == results[0] for one in results)


def test_the_credential_report_is_kept_byte_for_byte(facts: Facts):
    content, generated = b"user,arn\r\n<root_account>,arn:aws:iam::111122223333:root\r\n", NOW - timedelta(hours=3)
    facts.record(answered("iam", "get_credential_report", {"Content": content, "GeneratedTime": generated}))
    assert facts.credential_report is not None
    assert (facts.credential_report.content, facts.credential_report.generated) == (content, generated)
    (line,) = lines(facts, "iam")
    assert line["answer"]["Content"] == content.decode()


def test_no_credential_report_is_none(facts: Facts):
    facts.record(answered("iam", "get_credential_report", None, error=("AccessDenied", "no")))
    assert facts.credential_report is None


@pytest.mark.parametrize("first", ["=", "+", "-", "@", "\uff1d", "\uff0b", "\uff0d", "\uff20"])
def test_a_cell_of_the_table_is_no_formula(facts: Facts, first: str):
    facts.record(answered("x", "y", None, error=(f"{first}HYPERLINK(1)", "x")))
    (row,) = csv.DictReader(b"".join(facts.requests()).decode().splitlines())
    assert row["outcome"] == f"'{first}HYPERLINK(1)"


@pytest.mark.parametrize(("first", "shown"), [("\t", r"\t"), ("\r", r"\r"), ("\n", r"\n")])
def test_a_cell_of_the_table_is_one_line(facts: Facts, first: str, shown: str):
    facts.record(answered("x", "y", None, error=(f"{first}=1", "x")))
    (row,) = csv.DictReader(b"".join(facts.requests()).decode().splitlines())
    assert row["outcome"] == f"'{shown}=1"


def test_an_answer_that_cannot_be_recorded_ends_the_command_and_is_no_unreadable_fact():
    def broken(_: Answered) -> Any:
        raise KeyError("list_things")

    with Facts(broken) as facts, pytest.raises(ToolkitError, match="the response of x:Y cannot be recorded: KeyError"):
        facts.record(answered("x", "y", {}))
