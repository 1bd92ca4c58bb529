"""The formats a plan can be reported in: one interface, one file per format."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Protocol

from toolkit.reports import data, html, junit, markdown, sarif, text
from toolkit.reports.view import PlanView


class Render(Protocol):
    """A format: the whole report as text, from the view alone."""

    def __call__(self, view: PlanView) -> str:
        """The report."""
        ...


FORMATS: Mapping[str, Render] = MappingProxyType(
    {
        "markdown": markdown.render,
        "json": data.render,
        "sarif": sarif.render,
        "junit": junit.render,
        "html": html.render,
        "text": text.render,
    }
)
"""Name in `--report NAME=FILE` → format."""
