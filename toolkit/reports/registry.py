"""The formats a plan can be reported in: one interface, one file per format."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import MappingProxyType

from toolkit.reports import data, html, junit, markdown, sarif, text
from toolkit.reports.view import PlanView
from toolkit.visible import JSON, PLAIN, XML


@dataclass(frozen=True)
class Format:
    """One format."""

    render: Callable[[PlanView], str]
    """The whole report as text, from the view alone."""
    recognises: Callable[[str], bool]
    """Whether a text is a report of this format, of whichever plan: such a file may be replaced by a new one."""
    errors: str
    """What becomes of a letter that standard output cannot encode (toolkit.visible)."""


FORMATS: Mapping[str, Format] = MappingProxyType(
    {
        "markdown": Format(markdown.render, markdown.recognises, PLAIN),
        "json": Format(data.render, data.recognises, JSON),
        "sarif": Format(sarif.render, sarif.recognises, JSON),
        "junit": Format(junit.render, junit.recognises, XML),
        "html": Format(html.render, html.recognises, XML),
        "text": Format(text.render, text.recognises, PLAIN),
    }
)
"""Name in `--report NAME=FILE` → format."""
