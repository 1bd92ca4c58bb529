"""The browsable documentation (`make site`): README, docs/ and the modules' READMEs as they are, in one site.

The source folder is the repository, so that relative links work on the site as they do there. Links to files
that are no pages, such as code, become downloads. Navigation follows the sections of docs/index.md.
"""

from __future__ import annotations

import re
from pathlib import Path

from sphinx.application import Sphinx

ROOT = Path(__file__).parents[2]

project = "aws-baseline-toolkit"
copyright = ""
html_show_copyright = False
html_show_sphinx = False
html_title = project
html_theme = "furo"
html_copy_source = False
# The reader's own fonts: the site loads nothing from anywhere.
html_theme_options = {
    "light_css_variables": {
        "font-stack": "system-ui, sans-serif",
        "font-stack--monospace": "ui-monospace, monospace",
    }
}
extensions = ["myst_parser"]
root_doc = "docs/index"
include_patterns = ["README.md", "CHANGELOG.md", "CONTRIBUTING.md", "docs/*.md", "modules/**/README.md"]
exclude_patterns = [".*", "build", "dist", "environments", "tests", "toolkit", "**/.terraform"]
# GitHub's anchors of headings.
myst_heading_anchors = 4
# Code blocks without a language are plain text.
highlight_language = "text"
# HCL and console sessions that Pygments cannot read whole are shown as they are.
suppress_warnings = ["misc.highlighting_failure"]

_INDEX = "docs/index"
_LINK = re.compile(r"^- \[[^]]+\]\(([\w./-]+)\.md\)", re.M)


def _add_navigation(_app: Sphinx, name: str, source: list[str]) -> None:
    """Gives docs/index.md a table of contents per section, which its readers in the repository need not see."""
    if name != _INDEX:
        return
    for heading, section in re.findall(r"^## (.+)\n([^#]*)", source[0], re.M):
        pages = "\n".join(_LINK.findall(section))
        source[0] += f"\n```{{toctree}}\n:hidden:\n:caption: {heading}\n\n{pages}\n```\n"
    modules = sorted(f"../{f.relative_to(ROOT).with_suffix('')}" for f in (ROOT / "modules").rglob("README.md"))
    listed = "\n".join(("../README", *modules))
    source[0] += f"\n```{{toctree}}\n:hidden:\n:caption: Modules\n:titlesonly:\n\n{listed}\n```\n"


def setup(app: Sphinx) -> None:
    """Called by Sphinx."""
    app.connect("source-read", _add_navigation)
