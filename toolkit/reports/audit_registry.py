"""The formats an audit can be reported in: one interface, all from the same findings."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from toolkit.audit.report import Audit
from toolkit.reports import audit
from toolkit.reports.format import Format
from toolkit.visible import JSON, PLAIN

FORMATS: Mapping[str, Format[Audit]] = MappingProxyType(
    {
        "markdown": Format(audit.audit_markdown, audit.recognises_markdown, PLAIN, (".md",)),
        "json": Format(audit.audit_json, audit.recognises_json, JSON, (".json",)),
        "text": Format(audit.audit_text, audit.recognises_text, PLAIN, (".txt",)),
    }
)
"""Name in `--report NAME=FILE` → format."""
