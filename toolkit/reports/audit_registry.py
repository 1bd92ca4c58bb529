"""The formats an audit can be reported in: one interface, all from the same findings."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from toolkit.audit.report import Audit
from toolkit.reports import asff, audit, audit_html, audit_table, junit, ocsf, sarif
from toolkit.reports.format import Format
from toolkit.visible import JSON, PLAIN, XML

FORMATS: Mapping[str, Format[Audit]] = MappingProxyType(
    {
        "markdown": Format(audit.audit_markdown, audit.recognises_markdown, PLAIN, (".md",)),
        "json": Format(audit.audit_json, audit.recognises_json, JSON, (".json",)),
        "html": Format(audit_html.render, audit_html.recognises, XML, (".html",)),
        "sarif": Format(sarif.render_audit, sarif.recognises_audit, JSON, (".sarif", ".sarif.json")),
        "junit": Format(junit.render_audit, junit.recognises_audit, XML, (".junit.xml", ".xml")),
        "ocsf": Format(ocsf.render, ocsf.recognises, JSON, (".ocsf.json",)),
        "asff": Format(asff.render, asff.recognises, JSON, (".asff.json",)),
        "csv": Format(audit_table.render, audit_table.recognises, PLAIN, (".csv",)),
        "text": Format(audit.audit_text, audit.recognises_text, PLAIN, (".txt",)),
    }
)
"""Name in `--report NAME=FILE` → format."""
