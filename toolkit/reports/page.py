"""What all HTML pages share: a file that loads nothing from anywhere, and runs only what it brings itself.

The template escapes everything; the Content-Security-Policy names the very style and script of the page by their
SHA-256, so that a browser runs and loads nothing else even where it did not. Pure.
"""

from __future__ import annotations

import base64
import hashlib
import json
from collections.abc import Mapping
from functools import cache
from typing import TYPE_CHECKING, Any

from toolkit import __version__
from toolkit.paths import data_dir
from toolkit.visible import one_line

if TYPE_CHECKING:
    import jinja2

PLAN, AUDIT, FLEET = "", "-audit", "-fleet"
"""What a page is of, as the name of its generator ends. Pages of plans were there first."""
_HEAD = 2000
"""Characters among which a page names its generator."""


def render(template: str, of: str, *, styles: tuple[str, ...], script: str | None = None, **values: Any) -> str:
    """A page.

    Args:
        template: In templates/reports; it extends page.html.j2.
        of: PLAN, AUDIT or FLEET, for `recognises`.
        styles: Files there with its style, in order.
        script: The file there with its script.
        values: What the template shows.
    """
    from markupsafe import Markup

    style = "\n" + "".join(_file(name) for name in styles)
    code = "\n" + _file(script) if script else ""
    policy = ["default-src 'none'", f"style-src {_source(style)}", f"script-src {_source(code)}" if code else ""]
    policy += ["base-uri 'none'", "form-action 'none'"]
    return (
        _environment()
        .get_template(template)
        .render(
            policy="; ".join(filter(None, policy)),
            generator=f"{_generator(of)}{__version__}",
            # Ours alone, and as the policy's digests have them.
            style=Markup(style),  # noqa: S704
            script=Markup(code),  # noqa: S704
            **values,
        )
    )


def recognises(text: str, of: str) -> bool:
    """Whether a text is such a page."""
    return text.startswith("<!DOCTYPE html>") and f'content="{_generator(of)}' in text[:_HEAD]


def embedded(data: Any) -> str:
    """JSON as the content of a script element that a browser never runs, in which no string can end the element.

    https://html.spec.whatwg.org/multipage/scripting.html#restrictions-for-contents-of-script-elements
    """
    from markupsafe import Markup

    text = json.dumps(data, ensure_ascii=False, separators=(",", ":"))
    for character in "<>&\u2028\u2029":
        text = text.replace(character, f"\\u{ord(character):04x}")
    # Half of a pair is no letter in UTF-8.
    return Markup(text.encode("utf-8", "backslashreplace").decode())  # noqa: S704


def _generator(of: str) -> str:
    return f"aws-baseline-toolkit{of} "


def _source(block: str) -> str:
    """A block as a Content-Security-Policy names it: https://www.w3.org/TR/CSP3/#grammardef-hash-source."""
    return f"'sha256-{base64.b64encode(hashlib.sha256(block.encode()).digest()).decode()}'"


@cache
def _file(name: str) -> str:
    return (data_dir("templates") / "reports" / name).read_text("utf-8")


@cache
def _environment() -> jinja2.Environment:
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
    environment.filters["coded"] = _coded
    return environment


def _coded(text: str) -> str:
    """Our words, with what is in backticks as code."""
    from markupsafe import Markup, escape

    # Every second part, if the last one ends.
    *parts, last = one_line(text).split("`")
    marked = [Markup("<code>{}</code>").format(part) if n % 2 else escape(part) for n, part in enumerate(parts)]
    return Markup("").join([*marked, escape(last) if len(parts) % 2 == 0 else escape(f"`{last}")])


def _visible(value: Any) -> Any:
    """What a placeholder shows: no character that is not to be seen, such as one that turns the reading direction."""
    # A macro's result is HTML, whose own placeholders have been through here.
    return one_line(value) if isinstance(value, str) and not hasattr(value, "__html__") else value


def shown(values: Mapping[str, Any]) -> dict[str, Any]:
    """Data for a script, whose strings show no such character either; lines of a text stay lines."""
    from toolkit.visible import escaped

    def clean(value: Any) -> Any:
        if isinstance(value, str):
            return value if value.isascii() and value.isprintable() else escaped(value)
        if isinstance(value, dict):
            return {key: clean(one) for key, one in value.items()}
        return [clean(one) for one in value] if isinstance(value, (list, tuple)) else value

    return {key: clean(value) for key, value in values.items()}
