"""One summary of what several jobs of a pipeline have reported, each of some environments.

In: a folder of JSON documents that `plan`, `drift` and `audit` have printed (docs/output.schema.json). Out: a Summary,
as a run over all these environments would have it. Reads nothing else: no project, no AWS.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from toolkit.documents import check_version
from toolkit.errors import ExitCode, ToolkitError, UsageError
from toolkit.files import plain_files, read_regular
from toolkit.findings import Severity
from toolkit.fleet.grouping import summarize
from toolkit.fleet.outcome import Outcome
from toolkit.fleet.summary import Summary
from toolkit.paths import ENVIRONMENT_NAME

COMMANDS = ("plan", "drift", "audit")
_MOST = 64 << 20
"""Bytes of a report: a plan of some thousand changes has a few megabytes."""
_MISSING = "its job ended without a report"


def fold_reports(
    folder: Path, expected: tuple[str, ...], *, command: str | None = None, threshold: Severity = Severity.HIGH
) -> Summary:
    """The summary of what is in a folder.

    Args:
        folder: Has, at any depth, ENV.json of each environment, and documents of runs over several.
        expected: Environments that should be there: one without a report counts as not run.
        command: Which of COMMANDS the reports are of; None: what they say.
        threshold: From which severity on a failed check of an audit counts for the exit code.

    Raises:
        UsageError: There is no such folder, nothing is in it, or reports of several commands.
        ToolkitError: A file is not such a document.
    """
    outcomes = {one.environment: one for one in read_reports(folder, threshold)}
    commands = {one.command for one in outcomes.values() if one.command} | ({command} if command else set())
    if len(commands) > 1:
        raise UsageError(
            f"reports of {' and '.join(sorted(commands))}", where=str(folder), hint="one folder for each command"
        )
    if not outcomes and not expected:
        raise UsageError("no reports are in the folder", where=str(folder), hint="--expect names the environments")
    command = next(iter(commands), COMMANDS[0])
    missing = {name: _MISSING for name in expected if name not in outcomes}
    found = [
        Outcome(one.environment, command, one.exit_code, one.document, one.error, one.seconds)
        for one in outcomes.values()
    ]
    try:
        return replace(summarize(found, missing), command=command)
    except (LookupError, TypeError, ValueError, AttributeError) as e:
        raise ToolkitError(
            f"a report is not whole: {type(e).__name__}: {e}", where=str(folder), hint=f"{command} again"
        ) from e


def read_reports(folder: Path, threshold: Severity = Severity.HIGH) -> tuple[Outcome, ...]:
    """What a folder says of each environment; an environment of which only an error is known has no command.

    Raises:
        UsageError: There is no such folder.
        ToolkitError: A file is not such a document, or two say different of one environment.
    """
    if not folder.is_dir():
        raise UsageError("no such folder", where=str(folder))
    documents: dict[str, tuple[Path, Mapping[str, Any]]] = {}
    failures: dict[str, tuple[int, Mapping[str, Any]]] = {}
    for file in plain_files(folder):
        if file.suffix != ".json":
            continue
        document = _read(file)
        for name, about, error in _about(file, document):
            if not ENVIRONMENT_NAME.match(name):
                raise ToolkitError(f"{name!r} is not the name of an environment", where=str(file))
            if about is not None:
                other = documents.setdefault(name, (file, about))
                if other[0] != file and other[1] != about:
                    raise ToolkitError(f"another report of {name} is {other[0].name}", where=str(file))
            if error is not None:
                failures[name] = error
    found = []
    for name in sorted({*documents, *failures}):
        about = documents[name][1] if name in documents else None
        code, failure = failures.get(name, (0, None))
        if about is not None:
            code = code or _exit_code(about, threshold)
        # A refusal is in the plan's own findings, which say more than the error.
        refused = about is not None and about["kind"] == "plan" and about["refused"]
        found.append(Outcome(name, about["kind"] if about else "", code, about, None if refused else failure, 0.0))
    return tuple(found)


def _about(
    file: Path, document: Mapping[str, Any]
) -> Iterator[tuple[str, Mapping[str, Any] | None, tuple[int, Mapping[str, Any]] | None]]:
    """Environment, its document, and exit code and error, of all that a file is about."""
    match document["kind"]:
        case "error":
            yield file.stem, None, (document["exit_code"], document)
        case "fleet-run":
            for one in document["environments"]:
                if one["error"] is not None:
                    yield one["environment"], None, (one["exit_code"] or ExitCode.ERROR, one["error"])
        case _:
            yield document["environment"], document, None


def _read(file: Path) -> Mapping[str, Any]:
    try:
        raw = read_regular(file, _MOST + 1, follow=False)
    except OSError as e:
        raise ToolkitError(f"cannot be read: {e.strerror}", where=str(file)) from e
    if not raw:
        # The command was ended before it printed anything; the environment counts as not run.
        return {"kind": "fleet-run", "environments": []}
    try:
        if len(raw) > _MOST:
            raise ValueError(f"larger than {_MOST} bytes")
        data = json.loads(raw)
        kind = data["kind"]
        if kind not in (*COMMANDS, "error", "fleet-run"):
            raise ValueError(f"a document of kind {kind!r}")
        check_version(data)
        _check(kind, data)
    except (ValueError, LookupError, TypeError, AttributeError, RecursionError) as e:
        why = str(e) if isinstance(e, ValueError) else f"{type(e).__name__}: {e}"
        raise ToolkitError(
            f"not what `toolkit plan`, `drift` or `audit` prints as JSON: {why}",
            where=str(file),
            hint="plan again; keep other files out of this folder",
        ) from e
    found: Mapping[str, Any] = data
    return found


def _check(kind: str, data: Mapping[str, Any]) -> None:
    """Demand what is read of a document here; the rest is read as it is of a run's own.

    Raises:
        ValueError, LookupError, TypeError: Something is missing, or of another type.
    """
    if kind == "error":
        wanted = {"exit_code": int, "message": str}
    elif kind == "fleet-run":
        wanted = {"environments": list}
    else:
        wanted = {"environment": str, "findings": list, "checks" if kind == "audit" else "changes": list}
    for key, type_ in wanted.items():
        if not isinstance(data[key], type_):
            raise ValueError(f"{key!r} is not a {type_.__name__}")
        if type_ is list and not all(isinstance(row, dict) for row in data[key]):
            raise ValueError(f"{key!r} has something else than objects")
    if kind == "fleet-run" and not all({"environment", "error", "exit_code"} <= set(row) for row in data[key]):
        raise ValueError("an environment without its result")


def _exit_code(document: Mapping[str, Any], threshold: Severity) -> int:
    """How the command ended that printed a document."""
    match document["kind"]:
        case "plan":
            return ExitCode.REFUSED if document["refused"] else ExitCode.OK
        case "drift":
            return ExitCode.CHANGES if document["drift"] else ExitCode.OK
    counted = [f for f in document["findings"] if f["blocks"] and Severity(f["severity"]).rank <= threshold.rank]
    if any(f["status"] == "fail" for f in counted):
        return ExitCode.CHANGES
    return ExitCode.ERROR if counted else ExitCode.OK
