"""What AWS answered, call by call, as the pack's facts.

In: `Answered`, as the inventory records it, possibly from several threads. Out: lines of JSON per service, in an order
that does not depend on which call answered first; a table of request ids; the credential report. Secrets are left out
before anything is written anywhere; what was recorded waits in a nameless temporary file, not in memory.
"""

from __future__ import annotations

import csv
import io
import json
import tempfile
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from types import TracebackType
from typing import Any

from toolkit.errors import ToolkitError
from toolkit.evidence.stripping import strip
from toolkit.resources.reading import Answered
from toolkit.visible import inert

Shapes = Callable[[Answered], tuple[Any, Any]]
"""A call → botocore's shapes of its parameters and of its answer; None for what is not known."""


@dataclass(frozen=True)
class Report:
    """IAM's credential report."""

    content: bytes
    generated: datetime


@dataclass(frozen=True, order=True, slots=True)
class _Recorded:
    service: str
    region: str
    operation: str
    parameters: str
    number: int
    """Pages of one list are recorded one after the other."""
    offset: int
    length: int
    action: str
    time: str
    request_id: str
    outcome: str


class Facts:
    """A recorder; to be closed."""

    def __init__(self, shapes: Shapes) -> None:
        self._shapes = shapes
        self._lock = threading.Lock()
        self._recorded: list[_Recorded] = []
        self._sorted = True
        self._file = tempfile.TemporaryFile()  # noqa: SIM115 - closed by __exit__
        self._end = 0
        self.stripped = 0
        """Values that were left out."""
        self.credential_report: Report | None = None

    def __enter__(self) -> Facts:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._file.close()

    def record(self, answered: Answered) -> None:
        """Keep one call.

        Raises:
            ToolkitError: It cannot be kept. The inventory would take most other errors for an answer that it does not
                understand, and a report would then be without its facts.
        """
        try:
            self._record(answered)
        except (ArithmeticError, LookupError, TypeError, ValueError, AttributeError, RuntimeError) as e:
            raise ToolkitError(
                f"internal error: the response of {answered.call.action} cannot be recorded: {type(e).__name__}: {e}",
                hint="please report it",
            ) from e

    def _record(self, answered: Answered) -> None:
        of_parameters, of_answer = self._shapes(answered)
        parameters, answer = strip(answered.parameters, of_parameters), strip(answered.answer or {}, of_answer)
        call = answered.call
        line: dict[str, Any] = {
            "action": call.action,
            "service": answered.service,
            "operation": answered.operation,
            "region": call.region,
            "parameters": parameters.data,
            "time": _utc(call.time),
            "request_id": call.request_id,
        }
        if answered.error is None:
            line["answer"] = answer.data
        else:
            code, message = answered.error
            line["error"] = {"code": code, **strip({"message": message}).data}
        line["stripped"] = [*(f"parameters.{path}" for path in parameters.paths), *answer.paths]
        data = json.dumps(line, separators=(",", ":")).encode("ascii") + b"\n"
        with self._lock:
            if (answered.service, answered.operation) == ("iam", "get_credential_report") and answered.answer:
                self.credential_report = Report(answered.answer["Content"], answered.answer["GeneratedTime"])
            self.stripped += parameters.count + answer.count
            self._file.seek(self._end)
            self._file.write(data)
            self._recorded.append(
                _Recorded(
                    answered.service,
                    call.region,
                    answered.operation,
                    json.dumps(parameters.data, sort_keys=True),
                    len(self._recorded),
                    self._end,
                    len(data),
                    call.action,
                    line["time"],
                    call.request_id or "",
                    answered.error[0] if answered.error else "answered",
                )
            )
            self._end += len(data)
            self._sorted = False

    @property
    def calls(self) -> int:
        """How many calls were recorded."""
        return len(self._recorded)

    @property
    def services(self) -> tuple[str, ...]:
        """Every service that was called, sorted."""
        return tuple(dict.fromkeys(one.service for one in self._in_order()))

    def lines(self, service: str) -> Iterator[bytes]:
        """The calls of a service, a line of JSON each."""
        for one in self._in_order():
            if one.service == service:
                self._file.seek(one.offset)
                yield self._file.read(one.length)

    def requests(self) -> Iterator[bytes]:
        """Every call with its time and request id, as CSV; by these, CloudTrail has them, too."""
        yield _row("time", "action", "region", "request_id", "outcome", "file", "line")
        line, service = 0, ""
        for one in self._in_order():
            line, service = (line + 1, service) if one.service == service else (1, one.service)
            yield _row(
                one.time, one.action, one.region, one.request_id, one.outcome, facts_file(one.service), str(line)
            )

    def _in_order(self) -> list[_Recorded]:
        if not self._sorted:
            self._recorded.sort()
            self._sorted = True
        return self._recorded


def facts_file(service: str) -> str:
    """The pack's file with the calls of a service."""
    return f"facts/{service}.jsonl"


def _row(*cells: str) -> bytes:
    text = io.StringIO()
    # A cell that a spreadsheet would take for a formula is none of these, but an error's code is another's text.
    csv.writer(text, lineterminator="\n").writerow(map(inert, cells))
    return text.getvalue().encode("utf-8", "backslashreplace")


def _utc(time: datetime) -> str:
    return f"{time.astimezone(UTC):%Y-%m-%dT%H:%M:%S.%f}"[:-3] + "Z"
