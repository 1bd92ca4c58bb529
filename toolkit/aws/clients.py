"""A botocore session whose clients share what is the same in every region.

In: what botocore's session takes. Out: such a session; its clients make the same requests as any others.

botocore makes each client from nothing, and a read of 17 regions takes hundreds of them. Each parses the model of its
service into a class of its own (EC2's has 700 methods), and finds out by itself which events are meant by which names;
each connection reads the certificates of all authorities, which takes OpenSSL 3 about 30 ms. Here:

| what | a session has one of | through |
| --- | --- | --- |
| model and class | each service | two methods of `botocore.client.ClientCreator` |
| names of events | all | a method of `botocore.hooks.EventAliaser`, in the component `event_emitter` |
| certificates of authorities | all | `botocore.httpsession.create_urllib3_context` |
| parser of moments, a faster one | all | the component `response_parser_factory`, as AWS CLI sets it |

What is a client's own stays so: endpoint, connections, signer, retries and their rate. Where another version of
botocore does one of these elsewhere, its clients are made as ever, and more slowly (tests/unit/aws/test_clients.py).
"""

from __future__ import annotations

import functools
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from typing import Any

import botocore.client
import botocore.hooks
import botocore.httpsession
import botocore.session
import botocore.utils


def new_session(**arguments: Any) -> botocore.session.Session:
    """A session.

    Args:
        **arguments: Of botocore's.
    """
    hooks = botocore.hooks.HierarchicalEmitter()
    core = _Session(event_hooks=hooks, **arguments)
    core.register_component("event_emitter", _Aliaser(hooks))
    core.get_component("response_parser_factory").set_parser_defaults(timestamp_parser=_moment)
    return core


_SWAPPING = threading.RLock()
"""Held while a client is made, whose credentials may take another client: one thread may take it several times."""


class _Session(botocore.session.Session):
    """Makes clients with what those before them had."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        self._kept: dict[Any, Any] = {}
        self._trust = functools.cache(_trust)
        super().__init__(*args, **kwargs)

    def create_client(self, *args: Any, **kwargs: Any) -> Any:
        """As the base, which looks both names up in their modules."""
        creator = functools.partial(_Creator, kept=self._kept)
        with (
            _SWAPPING,
            _swapped(botocore.client, "ClientCreator", creator),
            _swapped(botocore.httpsession, "create_urllib3_context", self._trust),
        ):
            return super().create_client(*args, **kwargs)


@contextmanager
def _swapped(module: Any, name: str, value: Any) -> Iterator[None]:
    """Another value of a name, for what this thread calls: others call by it what they did before."""
    before, mine = getattr(module, name), threading.get_ident()

    def chosen(*args: Any, **kwargs: Any) -> Any:
        return (value if threading.get_ident() == mine else before)(*args, **kwargs)

    setattr(module, name, chosen)
    try:
        yield
    finally:
        setattr(module, name, before)


class _Creator(botocore.client.ClientCreator):
    """Makes the model and the class of a service once."""

    def __init__(self, *args: Any, kept: dict[Any, Any], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._kept = kept

    def _load_service_model(self, service_name: str, api_version: str | None = None) -> Any:
        key = service_name, api_version
        if key not in self._kept:
            self._kept[key] = super()._load_service_model(service_name, api_version)  # type: ignore[misc] # the stubs lack it
        return self._kept[key]

    def _create_client_class(self, service_name: str, service_model: Any) -> Any:
        if service_model not in self._kept:
            self._kept[service_model] = super()._create_client_class(service_name, service_model)  # type: ignore[misc] # as above
        return self._kept[service_model]


class _Aliaser(botocore.hooks.EventAliaser):
    """Looks up once what a name of an event stands for; its copies, one for each client, know the same names."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._known: dict[str, str] = {}

    def _alias_event_name(self, event_name: str) -> str:
        if event_name not in self._known:
            self._known[event_name] = super()._alias_event_name(event_name)  # type: ignore[misc] # as above
        return self._known[event_name]

    def __copy__(self) -> _Aliaser:
        made: _Aliaser = super().__copy__()
        made._known = self._known
        return made


_new_context = botocore.httpsession.create_urllib3_context


def _trust() -> Any:
    """A context of TLS that reads a file of certificates once, however many connections ask for it."""
    context = _new_context()
    context.load_verify_locations = functools.cache(context.load_verify_locations)
    return context


def _moment(value: Any) -> datetime:
    """As `botocore.utils.parse_timestamp`, which tries all of dateutil's forms; nearly all are ISO 8601 in UTC."""
    if isinstance(value, str) and value.endswith("Z"):
        try:
            return datetime.fromisoformat(value)
        except ValueError:
            pass
    return botocore.utils.parse_timestamp(value)
