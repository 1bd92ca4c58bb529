"""The formats a plan can be reported in: one interface, one file per format."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from toolkit.reports import data, html, junit, markdown, sarif, text
from toolkit.reports.format import Format
from toolkit.reports.view import PlanView
from toolkit.visible import JSON, PLAIN, XML

FORMATS: Mapping[str, Format[PlanView]] = MappingProxyType(
    {
        "markdown": Format(markdown.render, markdown.recognises, PLAIN, (".md",)),
        "json": Format(data.render, data.recognises, JSON, (".json",)),
        "sarif": Format(sarif.render, sarif.recognises, JSON, (".sarif", ".sarif.json")),
        "junit": Format(junit.render, junit.recognises, XML, (".xml",)),
        "html": Format(html.render, html.recognises, XML, (".html",)),
        "text": Format(text.render, text.recognises, PLAIN, (".txt",)),
    }
)
"""Name in `--report NAME=FILE` → format."""
