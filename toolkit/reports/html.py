"""A plan as one HTML file for those who would rather look: no script, nothing loaded from anywhere.

The template is templates/reports/plan.html.j2; `toolkit.reports.page` has what keeps a browser from running anything.
"""

from __future__ import annotations

from toolkit.plan.model import Change
from toolkit.reports import page
from toolkit.reports.details import ABSENT, Detail, details, only_tags, unknown_paths
from toolkit.reports.text import ACCESS, fixed
from toolkit.reports.view import DANGER, MARKS, PlanView

_LONGEST_VALUE = 4000
_UNFOLDED = 60
"""Changes up to which groups are shown unfolded."""


def render(view: PlanView) -> str:
    """The page."""
    plan = view.plan
    return page.render(
        "plan.html.j2",
        page.PLAN,
        styles=("page.css", "plan.css"),
        view=view,
        access=ACCESS,
        blocking=[f for f in view.findings if f.blocks],
        others=[f for f in view.findings if not f.blocks],
        counts=[(action, MARKS[action], plan.count(action)) for action in DANGER],
        unfolded=len(plan.changes) <= _UNFOLDED,
        absent=ABSENT,
        details=_details,
        fixed=fixed,
        marks=MARKS,
        only_tags=only_tags,
        unknown_paths=unknown_paths,
    )


def recognises(text: str) -> bool:
    """Whether a text is such a page."""
    return page.recognises(text, page.PLAN)


def _details(change: Change) -> tuple[Detail, ...]:
    return details(change, longest=_LONGEST_VALUE, with_values=True)
