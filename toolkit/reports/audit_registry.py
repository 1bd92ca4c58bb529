"""The formats an audit can be reported in: one interface, all from the same findings."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from toolkit.audit.report import Audit
from toolkit.reports import audit, audit_html
from toolkit.reports.format import Format
from toolkit.visible import JSON, PLAIN, XML

FORMATS: Mapping[str, Format[Audit]] = MappingProxyType(
    {
        "markdown": Format(audit.audit_markdown, audit.recognises_markdown, PLAIN, (".md",)),
        "json": Format(audit.audit_json, audit.recognises_json, JSON, (".json",)),
        "html": Format(audit_html.render, audit_html.recognises, XML, (".html",)),
        "text": Format(audit.audit_text, audit.recognises_text, PLAIN, (".txt",)),
    }
)
"""Name in `--report NAME=FILE` → format."""
