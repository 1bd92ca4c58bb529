"""The embedded AWS answers one call after the other: moto guards nothing that its threads share."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from io import BytesIO
from typing import Any

import pytest
from botocore.loaders import JSONFileLoader, create_loader
from moto import backends
from moto.core import responses, utils
from moto.sts.responses import TokenResponse

from toolkit.sandbox.server import _find_out_once, _one_at_a_time, _read_once

Start = Callable[[str, list[tuple[str, str]]], None]


def ask(application: Callable[..., Iterable[bytes]], body: Any, length: int) -> bytes:
    return b"".join(application({"wsgi.input": body, "CONTENT_LENGTH": str(length)}, lambda *_: None))


def test_calls_do_not_overlap() -> None:
    inside = 0
    most = 0

    def moto(environ: dict[str, Any], _start: Start) -> Iterator[bytes]:
        nonlocal inside, most
        inside += 1
        most = max(most, inside)
        time.sleep(0.005)
        yield environ["wsgi.input"].read()  # an answer is computed while it is read, too
        inside -= 1

    served = _one_at_a_time(moto)
    bodies = [str(n).encode() for n in range(16)]
    with ThreadPoolExecutor(8) as pool:
        assert list(pool.map(lambda body: ask(served, BytesIO(body), len(body)), bodies)) == bodies
    assert most == 1


def test_a_slow_sender_keeps_nobody_waiting() -> None:
    came, sent = threading.Event(), threading.Event()

    class Slow:
        def read(self, _length: int) -> bytes:
            came.set()
            assert sent.wait(60)
            return b"late"

    served = _one_at_a_time(lambda environ, _start: [environ["wsgi.input"].read()])
    with ThreadPoolExecutor(1) as pool:
        late = pool.submit(ask, served, Slow(), 4)
        assert came.wait(60)
        assert ask(served, BytesIO(b"now"), 3) == b"now"
        sent.set()
        assert late.result(60) == b"late"


def test_a_call_that_fails_frees_the_turn_and_ends_its_answer() -> None:
    class Answer:
        closed = False

        def __iter__(self) -> Iterator[bytes]:
            raise RuntimeError("dictionary changed size during iteration")

        def close(self) -> None:
            self.closed = True

    answer: Any = Answer()
    served = _one_at_a_time(lambda _environ, _start: answer)
    with pytest.raises(RuntimeError):
        ask(served, BytesIO(), 0)
    assert answer.closed
    answer = [b"next"]
    assert ask(served, BytesIO(), 0) == b"next"


def test_files_of_botocore_are_read_once_by_all_loaders(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(JSONFileLoader, "load_file", JSONFileLoader.load_file)  # restored after the test
    before = create_loader().load_data("partitions")
    _read_once()
    first, second = create_loader().load_data("partitions"), create_loader().load_data("partitions")
    assert first == before
    assert first is second
    assert JSONFileLoader().load_file("no/such/file") is None


def test_what_never_changes_is_found_out_once_and_is_what_moto_finds(monkeypatch: pytest.MonkeyPatch) -> None:
    before = tuple(backends.list_of_moto_modules()), tuple(responses.method_names_from_class(TokenResponse))
    for module, name in (
        (backends, "list_of_moto_modules"),
        (responses, "method_names_from_class"),
        (utils, "create_loader"),
    ):
        monkeypatch.setattr(module, name, getattr(module, name))  # restored after the test
    _find_out_once()
    assert (backends.list_of_moto_modules(), responses.method_names_from_class(TokenResponse)) == before
    assert backends.list_of_moto_modules() is backends.list_of_moto_modules()
    assert utils.create_loader() is utils.create_loader()
