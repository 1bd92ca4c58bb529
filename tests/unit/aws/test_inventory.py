"""What an answer of AWS means: an absence, something to read on from, or something that could not be read."""

from __future__ import annotations

import copy
import gc
import gzip
import re
import threading
import time
import weakref
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import boto3
import botocore.exceptions
import botocore.session
import pytest
from botocore import xform_name
from botocore.stub import Stubber

from toolkit.aws import inventory as module
from toolkit.aws.inventory import Inventory
from toolkit.aws.session import AwsSession
from toolkit.environment import load_text
from toolkit.resources.base import ResourceType
from toolkit.resources.reading import (
    Absent,
    Account,
    Answered,
    Call,
    Live,
    OnCreate,
    Reading,
    Reason,
    Unreadable,
    UnreadableError,
)

REGION, OTHER = "eu-central-1", "ap-east-1"
ENVIRONMENT = load_text(
    'account_id: "123456789012"\nregions: {home: eu-central-1}\ncomponents: {}\n', name="x", shown_as="x"
)
KEYS = {"aws_access_key_id": "AKIAIOSFODNN7EXAMPLE", "aws_secret_access_key": "example"}


class Recorded(AwsSession):
    """Clients with recorded answers, in the order in which they are asked for; a text is an error "CODE: message"."""

    def __init__(self, *answers: tuple[str, str, dict[str, Any] | str]) -> None:
        super().__init__(ENVIRONMENT, {})
        self.made: dict[tuple[str, str], Any] = {}
        self.stubbers: list[Stubber] = []
        for service, method, answer in answers:
            stubber = self.stubber(service)
            if isinstance(answer, str):
                code, _, message = answer.partition(": ")
                stubber.add_client_error(method, code, message)
            else:
                stubber.add_response(method, answer)

    def stubber(self, service: str, region: str = REGION) -> Stubber:
        if (service, region) not in self.made:
            one = boto3.client(service, region, **KEYS)  # type: ignore[call-overload]
            stubber = Stubber(one)
            stubber.activate()
            self.made[service, region] = one
            self.stubbers.append(stubber)
        return self.stubbers[list(self.made).index((service, region))]

    def client(self, service: str, region: str | None = None) -> Any:
        self.stubber(service, region or REGION)
        return self.made[service, region or REGION]


POLICY = ("iam", "get_account_password_policy")
ERRORS: list[tuple[str, Reason]] = [
    ("AccessDenied: not authorized", Reason.DENIED),
    ("AccessDeniedException: not authorized", Reason.DENIED),
    ("UnauthorizedOperation: not authorized", Reason.DENIED),
    ("AuthorizationError: SNS says it so", Reason.DENIED),
    ("ExpiredToken: the token has expired", Reason.EXPIRED),
    ("ExpiredTokenException: the token has expired", Reason.EXPIRED),
    ("InvalidClientTokenId: the token is not valid", Reason.EXPIRED),
    ("UnrecognizedClientException: the token is not valid", Reason.EXPIRED),
    ("Throttling: Rate exceeded", Reason.THROTTLED),
    ("ThrottlingException: Rate exceeded", Reason.THROTTLED),
    ("RequestLimitExceeded: Request limit exceeded", Reason.THROTTLED),
    ("TooManyRequestsException: slow down", Reason.THROTTLED),
    ("OptInRequired: You are not subscribed to this service", Reason.NOT_SUBSCRIBED),
    ("SubscriptionRequiredException: The AWS Access Key Id needs a subscription", Reason.NOT_SUBSCRIBED),
    ("InternalFailure: we encountered an internal error", Reason.UNKNOWN),
    ("ResourceNotFoundException: of another resource than that which the reader knows", Reason.UNKNOWN),
    ("500: ", Reason.UNKNOWN),
]


@pytest.mark.parametrize(("error", "reason"), ERRORS, ids=[e for e, _ in ERRORS])
def test_an_error_that_is_not_documented_as_an_absence_is_unreadable(error: str, reason: Reason):
    found = Inventory(Recorded((*POLICY, error))).find("aws_iam_account_password_policy", REGION, {})
    assert isinstance(found, Unreadable)
    assert (found.reason, found.call, found.region) == (reason, "iam:GetAccountPasswordPolicy", REGION)
    assert error.partition(": ")[0] in found.message


def test_an_error_that_is_documented_as_an_absence_is_one():
    found = Inventory(Recorded((*POLICY, "NoSuchEntity: no policy"))).find(
        "aws_iam_account_password_policy", REGION, {}
    )
    assert found is None


def test_an_error_of_two_meanings_is_told_apart_by_its_words():
    """Macie says with the code of a missing right that it is not enabled."""
    off = (Absent("AccessDeniedException", "not enabled"),)

    def ask(error: str) -> Any:
        clients = Recorded(("macie2", "get_macie_session", error))
        return Inventory(clients).call("macie2", "get_macie_session", REGION, absent=off)

    assert ask("AccessDeniedException: Macie is not enabled") is None
    with pytest.raises(UnreadableError, match="denied"):
        ask("AccessDeniedException: User is not authorized")


SILENCE: list[tuple[Exception, Reason]] = [
    (botocore.exceptions.ReadTimeoutError(endpoint_url="https://iam"), Reason.TIMED_OUT),
    (botocore.exceptions.ConnectTimeoutError(endpoint_url="https://iam"), Reason.TIMED_OUT),
    (botocore.exceptions.EndpointConnectionError(endpoint_url="https://iam"), Reason.UNREACHABLE),
    (botocore.exceptions.ProxyConnectionError(proxy_url="http://proxy"), Reason.UNREACHABLE),
    (botocore.exceptions.NoCredentialsError(), Reason.EXPIRED),
    (botocore.exceptions.PaginationError(message="the token repeats"), Reason.TRUNCATED),
    (botocore.exceptions.ParamValidationError(report="a parameter is missing"), Reason.UNKNOWN),
]


@pytest.mark.parametrize(("error", "reason"), SILENCE, ids=[type(e).__name__ for e, _ in SILENCE])
def test_silence_is_unreadable(error: Exception, reason: Reason):
    class Silent(AwsSession):
        def client(self, service: str, region: str | None = None) -> Any:
            class Client:
                def get_account_password_policy(self) -> None:
                    raise error

            return Client()

    found = Inventory(Silent(ENVIRONMENT, {})).find("aws_iam_account_password_policy", REGION, {})
    assert isinstance(found, Unreadable)
    assert found.reason is reason


def test_an_answer_without_what_is_needed_of_it_is_unreadable_and_says_what_is_missing():
    lacking = {"Groups": [{"GroupName": "one"}], "IsTruncated": False}
    for read in (
        lambda inventory: inventory.find("aws_iam_group", REGION, {"name": "one"}),
        lambda inventory: next(inventory.every(["aws_iam_group"], [REGION])),
    ):
        found = read(Inventory(Answering(lambda: lacking)))
        assert isinstance(found, Unreadable)
        assert (found.type, found.call, found.reason) == ("aws_iam_group", "iam:ListGroups", Reason.UNKNOWN)
        assert "it has no 'Path'" in found.message
    held = Inventory(Answering(lambda: {"Versions": [{}]})).contents("aws_s3_bucket", REGION, {"bucket": "one"})
    assert isinstance(held, Unreadable)
    assert "it has no 'Key'" in held.message


def failing(error: str | Exception) -> Callable[[], dict[str, Any]]:
    """What raises the error; a text is AWS's "CODE: message"."""

    def fails() -> dict[str, Any]:
        code, _, message = str(error).partition(": ")
        answer: Any = {"Error": {"Code": code, "Message": message}}
        raise botocore.exceptions.ClientError(answer, "X") if isinstance(error, str) else copy.copy(error)

    return fails


WAYS: dict[str, Callable[[Inventory], Any]] = {
    "find": lambda inventory: inventory.find("aws_iam_group", REGION, {"name": "one"}),
    "every": lambda inventory: next(iter(inventory.every(["aws_iam_group"], [REGION])), None),
    "contents": lambda inventory: inventory.contents("aws_s3_bucket", REGION, {"bucket": "one"}),
}


@pytest.mark.parametrize("way", WAYS)
def test_an_answer_means_the_same_in_each_way_to_ask(way: str):
    for error, reason in [*ERRORS, *SILENCE]:
        found = WAYS[way](Inventory(Answering(failing(error))))
        assert isinstance(found, Unreadable), error
        assert found.reason is reason, error
    assert WAYS[way](Inventory(Answering(dict))) is None
    spent = WAYS[way](Inventory(Answering(dict), budget=0))
    assert isinstance(spent, Unreadable)
    assert spent.reason is Reason.BUDGET


def test_an_error_of_a_reader_that_nothing_was_answered_to_is_not_taken_for_one_of_aws():
    with pytest.raises(KeyError):
        Inventory(Answering(dict)).contents("aws_s3_bucket", REGION, {})


class Answering(AwsSession):
    """Every call is answered by a function."""

    def __init__(self, answer: Callable[[], dict[str, Any]]) -> None:
        super().__init__(ENVIRONMENT, {})
        self.answer = answer

    def client(self, service: str, region: str | None = None) -> Any:
        answer = self.answer

        class Client:
            def can_paginate(self, _: str) -> bool:
                return True

            def get_paginator(self, _: str) -> Any:
                return SimpleNamespace(paginate=lambda **_: iter([answer()]))

            def __getattr__(self, method: str) -> Any:
                if method == "meta":
                    raise AttributeError(method)
                return lambda **_: answer()

        return Client()


class Weight:
    """What a frame holds while a call fails."""


def test_an_error_that_is_kept_does_not_keep_what_was_in_memory_when_it_was_raised():
    held: list[tuple[str, weakref.ref[Weight]]] = []
    inventories = []

    def kept(error: str | Exception) -> Inventory:
        def fails() -> dict[str, Any]:
            weight = Weight()
            held.append((str(error), weakref.ref(weight)))
            return failing(error)()

        return Inventory(Answering(fails))

    errors = [ERRORS[0][0], *(error for error, _ in SILENCE)]
    for error in errors:
        inventory = kept(error)
        inventories.append(inventory)
        for _ in range(2):
            assert isinstance(inventory.find("aws_iam_group", REGION, {"name": "one"}), Unreadable)
        assert isinstance(next(inventory.every(["aws_iam_group"], [REGION])), Unreadable)
    gc.collect()
    assert [(error, reference()) for error, reference in held] == [(str(error), None) for error in errors]


def groups(*names: str) -> list[dict[str, Any]]:
    return [
        {
            "GroupName": name, "Path": "/", "GroupId": "AGPAEXAMPLEEXAMPLE",
            "Arn": f"arn:aws:iam::123456789012:group/{name}", "CreateDate": "2026-01-01T00:00:00Z",
        }
        for name in names
    ]  # fmt: skip


def listed(*pages: dict[str, Any] | str) -> list[Live | Unreadable]:
    return list(
        Inventory(Recorded(*(("iam", "list_groups", page) for page in pages))).every(["aws_iam_group"], [REGION])
    )


def test_an_empty_page_with_a_token_is_read_on_and_an_empty_last_page_is_an_absence():
    first, second = (
        {"Groups": [], "IsTruncated": True, "Marker": "m"},
        {"Groups": groups("one"), "IsTruncated": False},
    )
    (found,) = listed(first, second)
    assert isinstance(found, Live)
    assert found.key == {"name": "one"}
    assert listed(first, {"Groups": [], "IsTruncated": False}) == []


def test_a_list_that_ends_in_an_error_or_a_repeated_token_is_unreadable_not_shorter():
    first = {"Groups": groups("one"), "IsTruncated": True, "Marker": "m"}
    (throttled,) = listed(first, "Throttling: Rate exceeded")
    assert isinstance(throttled, Unreadable)
    assert throttled.reason is Reason.THROTTLED
    (repeats,) = listed(first, first)
    assert isinstance(repeats, Unreadable)
    assert repeats.reason is Reason.TRUNCATED


def test_a_list_that_continues_only_for_callers_who_limit_a_page_is_read_to_its_end():
    first, second = {"QueueUrls": ["one"], "NextToken": "t"}, {"QueueUrls": ["two"]}
    asked: list[dict[str, Any]] = []

    class Limited(Recorded):
        def client(self, service: str, region: str | None = None) -> Any:
            client = super().client(service, region)
            ask = "provide-client-params.sqs"
            client.meta.events.register(ask, lambda params, **_: asked.append(dict(params)), unique_id="asked")
            return client

    found = Inventory(Limited(("sqs", "list_queues", first), ("sqs", "list_queues", second))).pages(
        "sqs", "list_queues", "QueueUrls", REGION
    )
    assert found == ("one", "two")
    assert asked == [{"MaxResults": 1000}, {"MaxResults": 1000, "NextToken": "t"}]


def test_every_operation_that_continues_only_for_callers_who_limit_a_page_is_known():
    """By what AWS says of each parameter of every operation that boto3 has."""
    said = re.compile(rb"must (?:set|specify|include|provide) <code>Max\w+</code>[^.]{0,40}<code>(?:NextToken|Marker)")
    session = botocore.session.get_session()
    loader = session.get_component("data_loader")
    texts = (
        max(Path(loader_path, service).glob("*/service-2.json*"))
        for loader_path in loader.search_paths
        for service in loader.list_available_services("service-2")
        if Path(loader_path, service).is_dir()
    )
    found = set()
    for text in texts:
        content = gzip.decompress(text.read_bytes()) if text.suffix == ".gz" else text.read_bytes()
        if said.search(content):
            model = session.get_service_model(text.parent.parent.name)
            for name in model.operation_names:
                shape = model.operation_model(name).input_shape
                members = shape.members.values() if shape else ()
                if any(said.search(one.documentation.encode()) for one in members):
                    found.add(xform_name(name))
    assert found == set(module.PAGED_ON_REQUEST)


def test_a_list_for_which_boto3_has_no_pages_is_read_to_its_end():
    def read(*pages: dict[str, Any]) -> tuple[Any, ...]:
        clients = Recorded(*(("shield", "list_protection_groups", page) for page in pages))
        return Inventory(clients).pages("shield", "list_protection_groups", "ProtectionGroups", REGION)

    group = {"ProtectionGroupId": "one", "Aggregation": "SUM", "Pattern": "ALL", "Members": []}
    first = {"ProtectionGroups": [], "NextToken": "t"}
    assert [one["ProtectionGroupId"] for one in read(first, {"ProtectionGroups": [group]})] == ["one"]
    with pytest.raises(UnreadableError, match="not complete"):
        read(first, first)


def test_a_list_without_pages_that_goes_on_by_another_token_is_unreadable_not_shorter(
    monkeypatch: pytest.MonkeyPatch,
):
    class Client:
        def can_paginate(self, _: str) -> bool:
            return False

        def list_things(self) -> dict[str, Any]:
            return {"Things": [1], "nextToken": "t"}

    monkeypatch.setattr(Recorded, "client", lambda *_: Client())
    monkeypatch.setattr(module, "action_of", lambda *_: "things:ListThings")
    with pytest.raises(UnreadableError, match="not complete"):
        Inventory(Recorded()).pages("things", "list_things", "Things", REGION)


def test_what_exists_once_per_account_is_found_in_the_home_region_whatever_region_is_planned():
    found = Inventory(Recorded(("iam", "list_groups", {"Groups": groups("one"), "IsTruncated": False}))).find(
        "aws_iam_group", OTHER, {"name": "one"}
    )
    assert isinstance(found, Live)
    assert found.region == REGION
    assert {call.region for call in found.evidence} == {REGION}


@pytest.mark.parametrize(("code", "absent"), [("NoSuchBucket", True), ("NoSuchBucketPolicy", False)])
def test_a_bucket_that_is_gone_is_told_from_an_error_of_a_longer_name(code: str, absent: bool):
    inventory = Inventory(Recorded(("s3", "get_bucket_versioning", f"{code}: x")))
    found = inventory.find("aws_s3_bucket_versioning", REGION, {"bucket": "acme-logs"})
    assert (found is None) if absent else isinstance(found, Unreadable)


def test_an_answer_to_a_call_that_is_not_paged_must_be_whole():
    whole = {"AccountAliases": ["acme"], "IsTruncated": False}
    assert Inventory(Recorded(("iam", "list_account_aliases", whole))).call("iam", "list_account_aliases", REGION)
    cut = Recorded(("iam", "list_account_aliases", {**whole, "IsTruncated": True, "Marker": "m"}))
    with pytest.raises(UnreadableError, match="not complete"):
        Inventory(cut).call("iam", "list_account_aliases", REGION)


def test_a_question_is_put_once_whoever_asks_also_one_that_was_refused():
    clients = Recorded(
        ("iam", "list_groups", {"Groups": groups("one", "two"), "IsTruncated": False}), (*POLICY, "AccessDenied: no")
    )
    inventory = Inventory(clients)
    for name in ("one", "two", "three"):
        found = inventory.find("aws_iam_group", REGION, {"name": name})
        assert isinstance(found, Live) == (name != "three")
    for _ in range(3):
        assert isinstance(inventory.find("aws_iam_account_password_policy", REGION, {}), Unreadable)
    assert len(list(inventory.every(["aws_iam_group"], [REGION]))) == 2
    assert inventory.calls == 2


def test_what_is_found_has_the_calls_it_rests_on_as_evidence():
    told: list[Call] = []
    clients = Recorded(("iam", "list_groups", {"Groups": groups("one"), "IsTruncated": False}))
    inventory = Inventory(clients, on_call=told.append)
    first = inventory.find("aws_iam_group", REGION, {"name": "one"})
    again = inventory.find("aws_iam_group", REGION, {"name": "ONE"})
    assert isinstance(first, Live)
    assert (first.type, first.region, first.account_id) == ("aws_iam_group", REGION, "123456789012")
    assert [call.action for call in first.evidence] == ["iam:ListGroups"]
    assert again == first
    assert told == list(first.evidence)


def test_every_answer_and_refusal_is_recorded_once_with_what_was_asked_and_nothing_else():
    recorded: list[Answered] = []
    first, second = (
        {"Groups": groups("one"), "IsTruncated": True, "Marker": "m"},
        {"Groups": groups("two"), "IsTruncated": False},
    )
    clients = Recorded(
        ("iam", "list_groups", first),
        ("iam", "list_groups", second),
        ("iam", "get_group", "NoSuchEntity: none"),
        (*POLICY, "AccessDenied: not authorized"),
    )
    told: list[Call] = []
    inventory = Inventory(clients, on_call=told.append, on_answer=recorded.append)
    for _ in range(2):
        assert len(list(inventory.every(["aws_iam_group"], [REGION]))) == 2
        inventory.call("iam", "get_group", REGION, absent=("NoSuchEntity",), GroupName="three")
        assert isinstance(inventory.find("aws_iam_account_password_policy", REGION, {}), Unreadable)
    assert [(one.operation, one.call.action, dict(one.parameters), one.error) for one in recorded] == [
        ("list_groups", "iam:ListGroups", {"MaxItems": 1000}, None),
        ("list_groups", "iam:ListGroups", {"MaxItems": 1000}, None),
        ("get_group", "iam:GetGroup", {"GroupName": "three"}, ("NoSuchEntity", "none")),
        ("get_account_password_policy", "iam:GetAccountPasswordPolicy", {}, ("AccessDenied", "not authorized")),
    ]
    assert [[group["GroupName"] for group in one.answer["Groups"]] for one in recorded if one.answer] == [
        ["one"],
        ["two"],
    ]
    assert len(recorded) == inventory.calls
    assert told == [one.call for one in recorded if one.answer is not None]


def test_silence_is_recorded_as_what_went_wrong():
    recorded: list[Answered] = []
    clients = Answering(failing(botocore.exceptions.ReadTimeoutError(endpoint_url="https://iam.amazonaws.com")))
    found = Inventory(clients, on_answer=recorded.append).find("aws_iam_account_password_policy", REGION, {})
    assert isinstance(found, Unreadable)
    (one,) = recorded
    assert (one.answer, one.call.request_id, one.error and one.error[0]) == (None, None, "ReadTimeoutError")


def test_no_more_calls_are_made_than_the_budget_has():
    clients = Recorded((*POLICY, "NoSuchEntity: none"))
    inventory = Inventory(clients, budget=1)
    assert inventory.find("aws_iam_account_password_policy", REGION, {}) is None
    found = inventory.find("aws_iam_group", REGION, {"name": "one"})
    assert isinstance(found, Unreadable)
    assert (found.reason, inventory.calls) == (Reason.BUDGET, 1)


@pytest.fixture
def regional(monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[..., None]]:
    def lists(account: Account, region: str) -> Iterator[Live]:
        for topic in account.pages("sns", "list_topics", "Topics", region):
            yield Live({"name": topic["TopicArn"].rsplit(":", 1)[-1]}, {}, "a topic", topic["TopicArn"])

    record = ResourceType("aws_thing", key=("name",), reading=Reading(lists, OnCreate.COLLIDES))
    monkeypatch.setattr(module, "RESOURCES", {"aws_thing": record, **module.RESOURCES})
    yield lambda: None


@pytest.mark.usefixtures("regional")
def test_a_region_that_is_off_is_out_of_scope_and_reported_once():
    regions = {"Regions": [{"RegionName": OTHER, "OptInStatus": "not-opted-in"}]}
    clients = Recorded(("ec2", "describe_regions", regions), ("sns", "list_topics", {"Topics": []}))
    (off,) = Inventory(clients).every(["aws_thing", "aws_thing"][:1], [REGION, OTHER, OTHER])
    assert off == Unreadable("", OTHER, "ec2:DescribeRegions", Reason.REGION_OFF, "not enabled for the account")


@pytest.mark.usefixtures("regional")
@pytest.mark.parametrize(
    "states", ["AccessDenied: no", {"Regions": [{"RegionName": OTHER, "OptInStatus": "opted-in"}]}]
)
def test_refused_credentials_are_no_region_that_is_off_unless_that_is_known(states: Any):
    clients = Recorded(("ec2", "describe_regions", states))
    clients.stubber("sns", OTHER).add_client_error("list_topics", "InvalidClientTokenId", "not valid")
    (found,) = Inventory(clients).every(["aws_thing"], [OTHER])
    assert isinstance(found, Unreadable)
    assert found.reason is Reason.EXPIRED


def test_what_aws_is_still_working_on_is_asked_again_and_given_up_in_the_end(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(module.time, "sleep", lambda _: None)
    working, done = (("iam", "generate_credential_report", {"State": state}) for state in ("INPROGRESS", "COMPLETE"))

    def ask(account: Inventory) -> Any:
        return account.call(
            "iam", "generate_credential_report", REGION, unfinished=lambda answer: answer["State"] != "COMPLETE"
        )

    account = Inventory(Recorded(working, working, done))
    assert ask(account)["State"] == "COMPLETE"
    assert account.calls == 3
    assert ask(account)["State"] == "COMPLETE"
    assert account.calls == 3, "asked once"
    monkeypatch.setattr(module, "_PATIENCE", -1)
    with pytest.raises(UnreadableError, match=r"timed out .*still working"):
        ask(Inventory(Recorded(working)))


def test_eight_calls_wait_for_aws_at_a_time_whoever_makes_them():
    """Also where what is asked side by side asks side by side itself."""
    waiting: list[int] = []
    most = 0
    lock, full = threading.Lock(), threading.Event()

    class Slow(AwsSession):
        def client(self, service: str, region: str | None = None) -> Any:
            return self

        def get_role(self, **_: Any) -> dict[str, Any]:
            nonlocal most
            with lock:
                waiting.append(1)
                most = max(most, len(waiting))
                if most == 8:
                    full.set()
            full.wait(60)  # until as many wait as may
            time.sleep(0.01)
            with lock:
                waiting.pop()
            return {}

    account = Inventory(Slow(ENVIRONMENT, {}))

    def ask(number: int) -> None:
        account.side_by_side(lambda n: account.call("iam", "get_role", REGION, RoleName=f"{number}-{n}"), range(8))

    account.side_by_side(ask, range(8))
    assert account.calls == 64
    assert most == 8


def test_of_one_service_in_one_region_never_more_than_eight_calls_wait():
    """However many may wait in all: AWS limits each by itself, and who waits there holds up no other."""
    lock, full = threading.Lock(), threading.Event()
    waiting: Counter[str] = Counter()
    most: Counter[str] = Counter()

    class Slow(AwsSession):
        def client(self, service: str, region: str | None = None) -> Any:
            def get_role(**_: Any) -> dict[str, Any]:
                place = f"{service} {region}"
                with lock:
                    for name in (place, "all"):
                        waiting[name] += 1
                        most[name] = max(most[name], waiting[name])
                    if waiting["all"] == 20:
                        full.set()
                full.wait(60)  # until as many wait as may
                time.sleep(0.02)
                with lock:
                    waiting.subtract((place, "all"))
                return {}

            return SimpleNamespace(get_role=get_role)

    account = Inventory(Slow(ENVIRONMENT, {}), at_once=20)
    questions = [(service, region, n) for n in range(20) for service in ("iam", "sns") for region in (REGION, OTHER)]
    account.side_by_side(lambda q: account.call(q[0], "get_role", q[1], RoleName=str(q[2])), questions)
    assert account.calls == 80
    assert most.pop("all") == 20
    assert len(most) == 4
    assert max(most.values()) <= 8
