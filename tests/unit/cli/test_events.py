"""Events go to the pipe of a run over many environments, and to nothing else that a number may name."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from toolkit.cli import events
from toolkit.workflows.observer import EVENTS_FD


@pytest.fixture(autouse=True)
def fresh() -> Iterator[None]:
    events.inherited.cache_clear()
    yield
    events.inherited.cache_clear()


def test_a_pipe_gets_them(monkeypatch: pytest.MonkeyPatch):
    reader, writer = os.pipe()
    monkeypatch.setenv(EVENTS_FD, str(writer))
    found = events.inherited()
    assert found is not None
    found.send(stage="planning")
    assert os.read(reader, 100) == b'{"stage": "planning"}\n'
    os.close(reader)
    os.close(writer)


@pytest.mark.parametrize("number", [0, 1, 2])
def test_standard_streams_do_not_even_where_they_are_pipes(monkeypatch: pytest.MonkeyPatch, number: int):
    reader, writer = os.pipe()
    saved = os.dup(number)
    try:
        os.dup2(writer, number)
        monkeypatch.setenv(EVENTS_FD, str(number))
        assert events.inherited() is None
        assert os.get_blocking(number)
    finally:
        os.dup2(saved, number)
        for each in (reader, writer, saved):
            os.close(each)


def test_nothing_else_does(monkeypatch: pytest.MonkeyPatch, tmp_path: Path):
    reader, writer = os.pipe()
    with (tmp_path / "file").open("w") as file:
        for number in (reader, file.fileno(), 99999):
            events.inherited.cache_clear()
            monkeypatch.setenv(EVENTS_FD, str(number))
            assert events.inherited() is None, number
        assert os.get_blocking(reader)
    for word in ("", "x", "-1", "1e3", "٣", str(sys.maxsize)):
        events.inherited.cache_clear()
        monkeypatch.setenv(EVENTS_FD, word)
        assert events.inherited() is None
    os.close(reader)
    os.close(writer)
