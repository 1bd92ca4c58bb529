"""What a document of a command says is changed or fails, entry by entry, as texts that can be compared.

In: a document of docs/output.schema.json. Out: a key for each entry, with its region and its values. Pure.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator, Mapping
from typing import Any, TypeAlias

from toolkit.findings import Severity
from toolkit.fleet.summary import Attribute, Entry, Kind

Key: TypeAlias = tuple[str, ...]
"""An entry as texts that can be compared and sorted: kind, word, and what the numbers below say."""

SUBJECT, COMPONENT, TYPE, ATTRIBUTES, IMPORTED, PREVIOUS, RULE, SUMMARY, EVIDENCE, REMEDY = range(2, 12)
_Found: TypeAlias = tuple[str, Key, list[list[Any]]]
"""Region, key, attributes that are still to become the key's."""
LOSSES = ("gone", "delete", "replace", "forget")
"""Words of changes that take something away."""
_UNCOVERED = "uncovered"
"""Status of a requirement that nothing meets (toolkit.controls.coverage)."""
_WORDS = (
    "gains",
    "loses",
    *LOSSES,
    "differs",
    "update",
    "create",
    "import",
    "move",
    *(s.value for s in Severity),
    "unknown",
)
_LABEL = re.compile(
    r"module\.\w*?_((?:us_gov|[a-z]{2})_(?:central|(?:north|south)(?:east|west)?|east|west)_[1-9])(?=[.\[])"
)


def rank(word: str) -> int:
    """Where a word of an entry stands among its like: 0 for the most dangerous."""
    return _WORDS.index(word) if word in _WORDS else len(_WORDS)


def _key(kind: Kind, word: str, subject: str, **more: str) -> Key:
    names = ("component", "type", "attributes", "imported", "previous", "rule", "summary", "evidence", "remedy")
    return (kind.value, word, subject, *(more.get(name) or "" for name in names))


def finding_key(finding: Mapping[str, Any], word: str, **more: str) -> Key:
    """The key of a finding, of which a report says this word."""
    texts = {name: finding[name] or "" for name in ("component", "rule", "summary", "evidence", "remedy")}
    return _key(Kind.FINDING, word, finding["subject"], **{**texts, **more})


def access_of(document: Mapping[str, Any]) -> Mapping[str, Any]:
    """Who gains or loses by the plan of a document; one of an earlier version does not say."""
    return document.get("access") or {"gains": (), "losses": (), "gaps": ()}


def entries(document: Mapping[str, Any]) -> Iterator[_Found]:
    """What a document says is changed or fails, and what goes with that."""
    match document.get("kind"):
        case "plan":
            yield from _of_plan(document)
        case "apply":
            for done in document["completed"]:
                label = _LABEL.match(done["address"])
                region = label[1].replace("_", "-") if label else ""
                yield region, _key(Kind.CHANGE, done["action"], done["address"]), []
        case "drift":
            for c in document["changes"]:
                word = "gone" if c["gone"] else "differs"
                more = {"component": c["component"] or "", "type": c["type"]}
                values = [[a["path"], a["applied"], a["now"], False] for a in c["attributes"]]
                yield c["region"], _key(Kind.CHANGE, word, c["address"], **more), values
        case "audit":
            yield from _of_audit(document)
        case "controls":
            for framework in document["frameworks"]:
                for one in framework["requirements"]:
                    if one["status"] == _UNCOVERED:
                        subject = f"{framework['name']}:{one['id']}"
                        yield "", _key(Kind.CHECK, _UNCOVERED, subject, summary=" ".join(one["titles"])), []
        case "render":
            for environment in document["environments"]:
                for file in environment["files"]:
                    yield "", _key(Kind.FILE, file["action"], file["name"]), []


def _of_plan(document: Mapping[str, Any]) -> Iterator[_Found]:
    access = access_of(document)
    for word, groups in (("gains", access["gains"]), ("loses", access["losses"])):
        for group in groups:
            yield "", _key(Kind.ACCESS, word, group["title"], summary="; ".join(group["lines"])), []
    for gap in access["gaps"]:
        yield "", _key(Kind.ACCESS, "unknown", "who can do what", summary=gap), []
    for c in document["changes"]:
        more = {
            "component": c["component"] or "",
            "type": c["type"],
            "imported": "import" if c["imported"] else "",
            "previous": c["previous_address"] or "",
        }
        values = [[a["path"], a["before"], a["after"], a["forces_replacement"]] for a in c["attributes"]]
        yield c["region"], _key(Kind.CHANGE, c["action"], c["address"], **more), values
    for output in document["outputs"]:
        yield "", _key(Kind.OUTPUT, output["action"], output["name"]), []
    for f in document["findings"]:
        if f["consented_by"] is not None:
            yield f["region"], finding_key(f, "consented", remedy=f["consented_by"]), []
        elif not f["blocks"]:
            yield f["region"], finding_key(f, f["severity"]), []
    for lasting in document["irreversible"]:
        # It is about one of the changes, whose region it does not repeat.
        label = _LABEL.match(lasting["address"])
        region = label[1].replace("_", "-") if label else ""
        yield region, _key(Kind.IRREVERSIBLE, "", lasting["address"], summary=lasting["summary"]), []


def _of_audit(document: Mapping[str, Any]) -> Iterator[_Found]:
    """Checks that fail or are unknown, each once: what it finds is another thing in every account."""
    titles = {check["id"]: (check["title"], check["service"]) for check in document["checks"]}
    worst: dict[str, str] = {}
    for f in document["findings"]:
        if f["blocks"]:
            word = f["severity"] if f["status"] == "fail" else "unknown"
            worst[f["rule"]] = min(word, worst.get(f["rule"], word), key=rank)
    for check, word in worst.items():
        title, service = titles.get(check, ("", ""))
        yield "", _key(Kind.CHECK, word, check, summary=title, component=service), []


def entry(key: Key, literal: Callable[[str], str] | None = None) -> Entry:
    """What a key says, with placeholders or as it is in one environment."""
    texts = [literal(text) if literal and n != ATTRIBUTES else text for n, text in enumerate(key)]
    values = json.loads(key[ATTRIBUTES]) if key[ATTRIBUTES] else []
    if literal:
        values = mapped(values, literal)
    return Entry(
        Kind(texts[0]),
        texts[1],
        texts[SUBJECT],
        texts[TYPE] or None,
        texts[COMPONENT] or None,
        tuple(Attribute(*value) for value in values),
        bool(texts[IMPORTED]),
        texts[PREVIOUS] or None,
        texts[RULE] or None,
        texts[SUMMARY],
        texts[EVIDENCE],
        texts[REMEDY],
    )


def mapped(value: Any, text: Callable[[str], str]) -> Any:
    """A value of JSON with all its texts, keys included, made anew."""
    # Millions of values: JSON has these very types, and `isinstance` takes longer.
    kind = type(value)
    if kind is str:
        return text(value)
    if kind is list:
        return [mapped(one, text) for one in value]
    if kind is dict:
        return {text(key): mapped(one, text) for key, one in value.items()}
    return value
