"""The formats a summary of many environments can be reported in: one interface, all from the same Summary."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from toolkit.fleet.summary import Summary
from toolkit.reports import fleet_html, fleet_json, fleet_markdown, fleet_text, junit, sarif
from toolkit.reports.format import Format
from toolkit.visible import JSON, PLAIN, XML

FORMATS: Mapping[str, Format[Summary]] = MappingProxyType(
    {
        "markdown": Format(fleet_markdown.render, fleet_markdown.recognises, PLAIN, (".md",)),
        "json": Format(fleet_json.render, fleet_json.recognises, JSON, (".json",)),
        "sarif": Format(sarif.render_fleet, sarif.recognises_fleet, JSON, (".sarif", ".sarif.json")),
        "junit": Format(junit.render_fleet, junit.recognises_fleet, XML, (".junit.xml", ".xml")),
        "html": Format(fleet_html.render, fleet_html.recognises, XML, (".html",)),
        "text": Format(fleet_text.render, fleet_text.recognises, PLAIN, (".txt",)),
    }
)
"""Name in `--report NAME=FILE` → format."""
