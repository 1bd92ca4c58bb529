"""A plan as one HTML file for those who would rather look: no script, nothing loaded from anywhere.

The template (templates/reports/plan.html.j2) escapes everything; the page's Content-Security-Policy would keep a
browser from running or loading anything even where it did not.
"""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING, Any

from toolkit.paths import data_dir
from toolkit.plan.model import Change
from toolkit.reports.details import ABSENT, Detail, details, only_tags, unknown_paths
from toolkit.reports.text import fixed
from toolkit.reports.view import DANGER, MARKS, PlanView
from toolkit.visible import one_line

if TYPE_CHECKING:
    import jinja2

_LONGEST_VALUE = 4000
_GENERATOR = '<meta name="generator" content="aws-baseline-toolkit '
_HEAD = 2000
"""Characters among which the page names its generator."""
_UNFOLDED = 60
"""Changes up to which groups are shown unfolded."""


def render(view: PlanView) -> str:
    """The page."""
    plan = view.plan
    return _template().render(
        view=view,
        blocking=[f for f in view.findings if f.blocks],
        others=[f for f in view.findings if not f.blocks],
        counts=[(action, MARKS[action], plan.count(action)) for action in DANGER],
        unfolded=len(plan.changes) <= _UNFOLDED,
    )


def recognises(text: str) -> bool:
    """Whether a text is such a page."""
    return text.startswith("<!DOCTYPE html>") and _GENERATOR in text[:_HEAD]


@cache
def _template() -> jinja2.Template:
    import jinja2

    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader(data_dir("templates") / "reports"),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
        finalize=_visible,
    )
    environment.globals.update(
        absent=ABSENT, details=_details, fixed=fixed, marks=MARKS, only_tags=only_tags, unknown_paths=unknown_paths
    )
    return environment.get_template("plan.html.j2")


def _visible(value: Any) -> Any:
    """What a placeholder shows: no character that is not to be seen, such as one that turns the reading direction."""
    # A macro's result is HTML, whose own placeholders have been through here.
    return one_line(value) if isinstance(value, str) and not hasattr(value, "__html__") else value


def _details(change: Change) -> tuple[Detail, ...]:
    return details(change, longest=_LONGEST_VALUE, with_values=True)
