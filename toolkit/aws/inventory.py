"""The only way to read what an account has: each question is put to AWS once, several wait for AWS at a time.

In: clients for one account. Out: `Live` resources by the records of `toolkit.resources`, and `Unreadable` for what AWS
did not answer. Reads only.

Which answer means what is decided here, for every reader:

| AWS answers | is |
| --- | --- |
| an error that the service documents as "there is none" or "not enabled" | an absence |
| an empty last page | an absence |
| an empty page with a token | read on |
| a token that repeats, a cut-off answer to a call that is not paged | unreadable: truncated |
| access denied | unreadable: denied |
| expired or invalid credentials | unreadable: expired, or the region is off if it is known to be |
| throttled after every retry | unreadable: throttled |
| no answer in time; no connection | unreadable: timed out; unreachable, or not offered in the region |
| an answer in another shape than the record expects: a key or an entry is missing | unreadable: unknown |
| any other error | unreadable: unknown |
"""

from __future__ import annotations

import functools
import threading
import time
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from types import MappingProxyType
from typing import Any, TypeVar, cast

from toolkit.aws.actions import action_of
from toolkit.aws.budget import Budget
from toolkit.aws.facts import AT_ONCE, side_by_side
from toolkit.aws.owners import managers_of
from toolkit.aws.session import AwsSession
from toolkit.regions import partition_of
from toolkit.resources.base import ResourceType
from toolkit.resources.managers import Manager
from toolkit.resources.reading import Absent, Answered, Call, Live, Reading, Reason, Unreadable, UnreadableError
from toolkit.resources.registry import RESOURCES

S = TypeVar("S")
T = TypeVar("T")

_PATIENCE = 60
"""Seconds after which an answer that AWS is still working on is given up."""
_TOKENS = ("NextToken", "nextToken", "NextMarker", "Marker", "PaginationToken")
_DENIED = frozenset(
    {
        "403",
        "AccessDenied",
        "AccessDeniedException",
        "AuthorizationError",
        "AuthorizationErrorException",
        "Client.UnauthorizedOperation",
        "Forbidden",
        "NotAuthorized",
        "UnauthorizedAccess",
        "UnauthorizedException",
        "UnauthorizedOperation",
    }
)
_EXPIRED = frozenset(
    {
        "AuthFailure",
        "ExpiredToken",
        "ExpiredTokenException",
        "InvalidClientTokenId",
        "InvalidSignatureException",
        "InvalidToken",
        "RequestExpired",
        "SignatureDoesNotMatch",
        "TokenRefreshRequired",
        "UnrecognizedClientException",
    }
)
_NOT_SUBSCRIBED = frozenset({"OptInRequired", "SubscriptionRequired", "SubscriptionRequiredException"})


_UNEXPECTED = (LookupError, TypeError, ValueError, AttributeError, RuntimeError)
"""What a reader raises on an answer that lacks what it needs (RuntimeError: `next` of nothing, in a generator)."""


@dataclass(frozen=True)
class _Kept:
    """What came of one question. No exception is kept: its traceback would keep every frame and what is in it."""

    answer: Any
    calls: tuple[Call, ...]
    failure: Unreadable | None = None
    code: str = ""
    """Of AWS's error, which some readers take for an absence."""


class Inventory:
    """What one account has."""

    def __init__(
        self,
        session: AwsSession,
        *,
        budget: Budget | int | None = None,
        on_call: Callable[[Call], None] = lambda _: None,
        on_answer: Callable[[Answered], None] | None = None,
        at_once: int = AT_ONCE,
    ) -> None:
        """Args:
        session: Makes the calls.
        budget: How many calls of AWS may be made at most, or what is shared with other inventories; further calls are
            unreadable. None: any number.
        on_call: Told of each call that AWS answered, possibly from several threads.
        on_answer: Gets each call with what AWS answered or refused, possibly from several threads; None: nobody does.
        at_once: How many lists are read side by side, and how many calls wait for AWS at a time. Of one service in
            one region, never more than eight do: AWS limits calls by account, service and region
            (https://docs.aws.amazon.com/ec2/latest/devguide/ec2-api-throttling.html).
        """
        self._session = session
        self._budget = budget if isinstance(budget, Budget) else Budget(budget)
        self._on_call = on_call
        self._on_answer = on_answer
        # Some wait for an answer that another one has asked for, or for a service that eight wait for.
        self._threads = 2 * at_once
        self._made = 0
        self._lock = threading.Lock()
        self._waiting = threading.BoundedSemaphore(at_once)
        self._waiting_there: defaultdict[tuple[str, str], threading.BoundedSemaphore] = defaultdict(
            lambda: threading.BoundedSemaphore(AT_ONCE)
        )
        self._asking: defaultdict[tuple[Any, ...], threading.RLock] = defaultdict(threading.RLock)
        self._answers: dict[tuple[Any, ...], _Kept] = {}
        self._evidence = threading.local()

    @property
    def account_id(self) -> str:
        """The account's id, 12 digits."""
        return self._session.account_id

    @property
    def home_region(self) -> str:
        """Where what has no region is read."""
        return self._session.home_region

    @property
    def simulated(self) -> bool:
        """Whether it is on the embedded AWS."""
        return self._session.simulated

    @property
    def calls(self) -> int:
        """How many calls of AWS were made; each page is one."""
        return self._made

    def side_by_side(self, ask: Callable[[S], T], about: Iterable[S]) -> tuple[T, ...]:
        """As `Account.side_by_side`; how many calls wait for AWS at a time is decided for all of them together.

        What is asked inside of another question is mostly asked of one service in one region, of which eight may wait.
        """

        def gathered(one: S) -> tuple[T, list[Call]]:
            with self._gathering() as calls, self._read(None, calls):
                return ask(one), calls

        evidence: list[Call] | None = getattr(self._evidence, "calls", None)
        at_once = self._threads if evidence is None else AT_ONCE
        answers = side_by_side(gathered, about, at_once, self._budget.stop)
        if evidence is not None:
            for _, calls in answers:
                evidence.extend(calls)
        return tuple(answer for answer, _ in answers)

    def find(self, kind: str, region: str, planned: Mapping[str, Any]) -> Live | Unreadable | None:
        """The resource of a type that has the key of a planned one; None: AWS says that there is none.

        Args:
            kind: The Terraform type; its record has a `reading`.
            region: Where it would be; what exists once per account is read in the home region, whatever it says.
            planned: Values of the planned resource, its key among them.
        """
        record, reading = _readable(kind)
        if reading.is_global:
            region = self._session.home_region
        try:
            with self._gathering() as evidence, self._read(region, evidence):
                if reading.finds is not None:
                    found = reading.finds(self, region, planned)
                else:
                    found = next((one for one in self.live(kind, region) if record.is_of(one, planned)), None)
                return None if found is None else self._whole(found, kind, region, tuple(dict.fromkeys(evidence)))
        except UnreadableError as e:
            return e.of(kind)

    def answered(self, read: Callable[[Inventory], T]) -> T | Unreadable:
        """What comes of a question about more than one type's resources."""
        return self.with_calls(read)[0]

    def with_calls(self, read: Callable[[Inventory], T]) -> tuple[T | Unreadable, tuple[Call, ...]]:
        """As `answered`, with the calls that it rests on."""
        with self._gathering() as evidence:
            answer: T | Unreadable
            try:
                with self._read(self.home_region, evidence):
                    answer = read(self)
            except UnreadableError as e:
                answer = e.of("")
            return answer, tuple(dict.fromkeys(evidence))

    def contents(self, kind: str, region: str, values: Mapping[str, Any]) -> str | Unreadable | None:
        """What a resource with these values holds, for people; None: nothing, or there is no such resource."""
        reads = RESOURCES[kind].contents
        assert reads is not None, f"{kind} holds nothing"
        try:
            with self._gathering() as evidence, self._read(region, evidence):
                return reads(self, region, values)
        except UnreadableError as e:
            return e.of(kind)

    def every(self, kinds: Iterable[str], regions: Iterable[str]) -> Iterator[Live | Unreadable]:
        """Every resource of these types in these regions; global types are read in the home region alone.

        Types whose record has no lister are left out. Of a region that is known to be off, there is one `Unreadable`.
        """
        wanted = dict.fromkeys(regions)
        off = [region for region in wanted if self._is_off(region)]
        yield from (
            Unreadable("", region, "ec2:DescribeRegions", Reason.REGION_OFF, "not enabled for the account")
            for region in off
        )
        on = [region for region in wanted if region not in off]
        listed = [kind for kind in kinds if _readable(kind)[1].lists is not None]
        # What exists once per account takes the most calls, one after the other by pages: it is begun first. Then
        # neighbours are of different regions, so that none waits for the limit of one.
        listed.sort(key=lambda kind: not _readable(kind)[1].is_global)
        questions = [(k, r) for k in listed for r in ([self.home_region] if _readable(k)[1].is_global else on)]
        for answers in side_by_side(
            lambda question: self._list(*question), questions, self._threads, self._budget.stop
        ):
            yield from answers

    def managers(self, resources: Sequence[Live]) -> tuple[Manager, ...]:
        """Who manages each of these resources, in their order."""
        return managers_of(resources, self)

    def enabled_regions(self) -> tuple[str, ...]:
        """Every region that is enabled for the account.

        Raises:
            UnreadableError: AWS does not say.
        """
        states = self._opt_in()
        return tuple(sorted(region for region, state in states.items() if state != "not-opted-in"))

    def live(self, kind: str, region: str) -> tuple[Live, ...]:
        """As `Account.live`."""
        found = self._listed(kind, region)
        for one in found:
            if isinstance(one, Unreadable):
                raise one.error()
        return tuple(one for one in found if isinstance(one, Live))

    def _listed(self, kind: str, region: str) -> tuple[Live | Unreadable, ...]:
        """What the record's lister yields.

        Raises:
            UnreadableError: Nothing of it can be listed.
        """
        lists = _readable(kind)[1].lists
        assert lists is not None, f"{kind} has no lister"

        def ask() -> _Kept:
            with self._gathering() as evidence:
                try:
                    with self._read(region, evidence):
                        return _Kept(tuple(lists(self, region)), tuple(evidence))
                except UnreadableError as e:
                    return _Kept(None, tuple(evidence), e.of(kind))

        found: tuple[Live | Unreadable, ...] = _answer(self._once(("live", kind, region), ask))
        return found

    def call(
        self,
        service: str,
        operation: str,
        region: str,
        *,
        absent: tuple[str | Absent, ...] = (),
        first: bool = False,
        unfinished: Callable[[Mapping[str, Any]], bool] | None = None,
        **parameters: Any,
    ) -> Mapping[str, Any] | None:
        """As `Account.call`."""

        def ask() -> _Kept:
            deadline = time.monotonic() + _PATIENCE
            while True:
                self._spend(service, operation, region)
                with self._turn(service, region):
                    answer = getattr(self._session.client(service, region), operation)(**parameters)
                made = self._made_call(service, operation, region, answer, parameters)
                if unfinished is None or not unfinished(answer):
                    return _Kept(answer, (made,))
                if time.monotonic() > deadline:
                    raise UnreadableError(
                        made.action, region, Reason.TIMED_OUT, f"AWS is still working on it after {_PATIENCE} seconds"
                    )
                time.sleep(1)

        answer: Mapping[str, Any] | None = self._answered(service, operation, region, absent, ask, parameters)
        if (
            answer is not None
            and not first
            and (answer.get("IsTruncated") or any(answer.get(token) for token in _TOKENS))
        ):
            raise UnreadableError(
                self._action(service, operation, region),
                region,
                Reason.TRUNCATED,
                "the response continues on another page",
            )
        return answer

    def pages(
        self,
        service: str,
        operation: str,
        member: str,
        region: str,
        *,
        absent: tuple[str | Absent, ...] = (),
        **parameters: Any,
    ) -> tuple[Any, ...]:
        """As `Account.pages`."""
        parameters = {**PAGED_ON_REQUEST.get(operation, {}), **parameters}

        def ask() -> _Kept:
            items: list[Any] = []
            calls: list[Call] = []
            self._spend(service, operation, region)
            for page in self._pages(service, operation, region, parameters):
                if calls:
                    self._spend(service, operation, region)
                calls.append(self._made_call(service, operation, region, page, parameters))
                items += _member(page, member)
            return _Kept(tuple(items), tuple(calls))

        return self._answered(service, operation, region, absent, ask, parameters, member) or ()

    def _pages(
        self, service: str, operation: str, region: str, parameters: Mapping[str, Any]
    ) -> Iterator[Mapping[str, Any]]:
        pages = _pages(self._session.client(service, region), operation, parameters)
        while True:
            with self._turn(service, region):
                page = next(pages, None)
            if page is None:
                return
            yield page

    @contextmanager
    def _turn(self, service: str, region: str) -> Iterator[None]:
        """While it lasts, a call may wait for AWS: whoever waits for a busy service takes no one else's turn."""
        with self._lock:
            there = self._waiting_there[service, region]
        with there, self._waiting:
            yield

    def _list(self, kind: str, region: str) -> tuple[Live | Unreadable, ...]:
        try:
            with self._gathering() as evidence:
                found = self._listed(kind, region)
                # One for all: a list of thousands may rest on as many calls.
                calls = tuple(dict.fromkeys(evidence))
                return tuple(
                    replace(one, type=kind) if isinstance(one, Unreadable) else self._whole(one, kind, region, calls)
                    for one in found
                )
        except UnreadableError as e:
            return (e.of(kind),)

    def _whole(self, found: Live, kind: str, region: str, evidence: tuple[Call, ...]) -> Live:
        return replace(found, type=kind, region=region, account_id=self.account_id, evidence=evidence)

    def _answered(
        self,
        service: str,
        operation: str,
        region: str,
        absent: tuple[str | Absent, ...],
        ask: Callable[[], _Kept],
        parameters: Mapping[str, Any],
        member: str = "",
    ) -> Any:
        """What AWS answered; None for an error in `absent`."""
        import botocore.exceptions
        import botocore.parsers

        def failed(reason: Reason, message: str, code: str = "") -> _Kept:
            call = self._action(service, operation, region)
            return _Kept(None, (), Unreadable("", region, call, reason, message), code)

        def refused(code: str, message: str, answer: Mapping[str, Any]) -> None:
            if self._on_answer is not None:
                made = _call(self._action(service, operation, region), region, answer)
                self._on_answer(Answered(service, operation, parameters, made, None, (code, message)))

        def put() -> _Kept:
            try:
                return ask()
            except botocore.exceptions.ClientError as e:
                error = e.response.get("Error", {})
                code, message = str(error.get("Code", "")), str(error.get("Message", ""))
                refused(code, message, cast(Mapping[str, Any], e.response))
                return failed(self._reason(code, region), message, code)
            except (botocore.exceptions.BotoCoreError, botocore.parsers.ResponseParserError) as e:
                refused(type(e).__name__, str(e), {})
                return failed(_silence(e, service, region), str(e))
            except UnreadableError as e:
                return _Kept(None, (), e.of(""))

        kept = self._once((service, operation, region, _frozen(parameters), member), put)
        if kept.code:
            assert kept.failure is not None
            for one in absent:
                known = one if isinstance(one, Absent) else Absent(one)
                if known.code in ("", kept.code) and known.words in kept.failure.message:
                    return None
            message = f"{kept.code}: {kept.failure.message}"
            kept = replace(kept, failure=replace(kept.failure, message=message))
        return _answer(kept)

    def _once(self, question: tuple[Any, ...], put: Callable[[], _Kept]) -> _Kept:
        """What came of a question, also if it failed; whoever needs it has the calls among its evidence."""
        with self._lock:
            asking = self._asking[question]
        with asking:
            if question not in self._answers:
                self._answers[question] = put()
            kept = self._answers[question]
        gathered = getattr(self._evidence, "calls", None)
        if gathered is not None:
            gathered.extend(kept.calls)
        return kept

    @contextmanager
    def _read(self, region: str | None, evidence: list[Call]) -> Iterator[None]:
        """An answer in which a reader does not find what it needs is unreadable.

        Args:
            region: What is read; None: the region of the last call.
            evidence: The calls so far.
        """
        try:
            yield
        except _UNEXPECTED as e:
            if not evidence:
                raise  # nothing was answered yet: an error of the toolkit's own
            lacks = f"it has no {e}" if isinstance(e, KeyError) else f"{type(e).__name__}: {e}"
            message = f"the response is not in the expected form ({lacks})"
            last = evidence[-1]
            raise UnreadableError(last.action, region or last.region, Reason.UNKNOWN, message) from None

    @contextmanager
    def _gathering(self) -> Iterator[list[Call]]:
        """The calls that answers given in this thread rest on; what is gathered inside is part of what is outside."""
        outer: list[Call] | None = getattr(self._evidence, "calls", None)
        calls: list[Call] = []
        self._evidence.calls = calls
        try:
            yield calls
        finally:
            self._evidence.calls = outer
            if outer is not None:
                outer.extend(calls)

    def _action(self, service: str, operation: str, region: str) -> str:
        return action_of(self._session.client(service, region), service, operation)

    def _spend(self, service: str, operation: str, region: str) -> None:
        why = self._budget.take()
        if why is not None:
            raise UnreadableError(self._action(service, operation, region), region, Reason.BUDGET, why)
        with self._lock:
            self._made += 1

    def _made_call(
        self, service: str, operation: str, region: str, answer: Mapping[str, Any], parameters: Mapping[str, Any]
    ) -> Call:
        call = _call(self._action(service, operation, region), region, answer)
        self._on_call(call)
        if self._on_answer is not None:
            self._on_answer(Answered(service, operation, parameters, call, answer))
        return call

    def _reason(self, code: str, region: str) -> Reason:
        if code in _EXPIRED:
            # STS and others answer so in a region that the account has not enabled.
            return Reason.REGION_OFF if self._is_off(region) else Reason.EXPIRED
        if code in _DENIED:
            return Reason.DENIED
        if code in _NOT_SUBSCRIBED:
            return Reason.NOT_SUBSCRIBED
        return Reason.THROTTLED if code in _throttled() else Reason.UNKNOWN

    def _is_off(self, region: str) -> bool:
        """Whether the region is known to be off; not where that cannot be read."""
        if region == self._session.home_region:
            return False
        try:
            return self._opt_in().get(region) == "not-opted-in"
        except UnreadableError:
            return False

    def _opt_in(self) -> Mapping[str, str | None]:
        """Every region that AWS has → whether the account has opted in, as EC2 says it."""
        answer = self.call("ec2", "describe_regions", self.home_region, AllRegions=True) or {}
        return {one["RegionName"]: one.get("OptInStatus") for one in answer.get("Regions", ())}


def _call(action: str, region: str, answer: Mapping[str, Any]) -> Call:
    return Call(action, region, datetime.now(UTC), answer.get("ResponseMetadata", {}).get("RequestId"))


def _answer(kept: _Kept) -> Any:
    if kept.failure is not None:
        raise kept.failure.error()
    return kept.answer


def _readable(kind: str) -> tuple[ResourceType, Reading]:
    record = RESOURCES[kind]
    assert record.reading is not None, f"{kind} has no reading"
    return record, record.reading


PAGED_ON_REQUEST: Mapping[str, Mapping[str, Any]] = MappingProxyType(
    dict.fromkeys(("list_queues", "list_dead_letter_source_queues"), MappingProxyType({"MaxResults": 1000}))
)
"""Operations that say that there is more only to callers who limit a page, and the limit to send.

SQS API Reference, ListQueues, and ListDeadLetterSourceQueues alike: "You must set MaxResults to receive a value for
NextToken in the response." A request without it ends at 1,000 queues, whatever the account has.
https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/API_ListQueues.html
"""


def _pages(client: Any, operation: str, parameters: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
    """Page by page; botocore has no paginator for some lists that have a NextToken."""
    from botocore.exceptions import PaginationError

    if getattr(client, "can_paginate", lambda _: True)(operation):
        yield from client.get_paginator(operation).paginate(**parameters)
        return
    seen: set[str | None] = {None}
    token: dict[str, str] = {}
    while True:
        page = getattr(client, operation)(**parameters, **token)
        yield page
        following = page.get("NextToken")
        if not following:
            if any(page.get(name) for name in _TOKENS) or page.get("IsTruncated"):
                raise PaginationError(message="it continues in a way that the toolkit does not know")
            return
        if following in seen:
            raise PaginationError(message="the token of the next page repeats")
        seen.add(following)
        token = {"NextToken": following}


def _member(page: Mapping[str, Any], path: str) -> Iterable[Any]:
    found: Any = page
    for name in path.split("."):
        found = (found or {}).get(name)
    return found or ()


def _frozen(value: Any) -> Any:
    if isinstance(value, Mapping):
        return tuple(sorted((key, _frozen(one)) for key, one in value.items()))
    return tuple(map(_frozen, value)) if isinstance(value, (list, tuple)) else value


def _throttled() -> frozenset[str]:
    """Error codes that botocore retries as throttling."""
    from botocore.retries.standard import ThrottledRetryableChecker

    return frozenset(ThrottledRetryableChecker._THROTTLED_ERROR_CODES)  # type: ignore[attr-defined]


@functools.cache
def _regions_of(service: str, partition: str) -> frozenset[str]:
    """Where botocore knows the service to be; it reads all of its list of endpoints for that."""
    import botocore.session

    return frozenset(botocore.session.Session().get_available_regions(service, partition))


def _silence(error: Exception, service: str, region: str) -> Reason:
    import botocore.exceptions as e

    if isinstance(error, e.PaginationError):
        return Reason.TRUNCATED
    if isinstance(error, (e.ConnectTimeoutError, e.ReadTimeoutError)):
        return Reason.TIMED_OUT
    if isinstance(error, (e.EndpointConnectionError, e.ConnectionError, e.HTTPClientError)):
        # A service without an endpoint in a region has no name there to connect to; botocore's list may be older.
        offered = _regions_of(service, partition_of(region) or "")
        return Reason.NOT_OFFERED if offered and region not in offered else Reason.UNREACHABLE
    if isinstance(error, (e.NoCredentialsError, e.CredentialRetrievalError, e.TokenRetrievalError)):
        return Reason.EXPIRED
    return Reason.UNKNOWN
