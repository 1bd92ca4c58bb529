"""Plain words in what users read. CONTRIBUTING has the glossary; here is a short list of words that slow readers down.

Add a word only with what to write instead. Code blocks, code spans and quoted messages of AWS and Terraform are exempt.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Any, get_args

import pytest
import typer

from toolkit.cli.app import app
from toolkit.components.registry import REGISTRY
from toolkit.settings.base import Settings

REPOSITORY = Path(__file__).parents[3]

INSTEAD = {
    r"told|tells?|telling": "reports, shows, notifies",
    r"asked|asks?|asking": "calls, queries, requires, prompts for",
    r"nobody|somebody|anybody|everybody": "no user, a user, any principal, the caller",
    r"whoever|whatever": "the user who, every principal that, everything that",
    r"goes|comes": "is removed, is added, is sent, arrives",
    r"stands?|stood": "is, are",
    r"beside": "next to, together with, in addition to",
    r"anew|half-made|unasked|dearer": "again, partially created, without consent, more expensive",
    r"mend(?:s|ed|ing)?": "fix",
    r"hears?|heard": "receives",
    r"hand(?:s|ed)? (?:over|on|out)": "sends, forwards, streams",
    r"on request": "optionally",
    r"for ever": "forever",
    r"(?<!there )(?:is|are) no (?!longer|more|less|later|earlier)\w+": "is not a",
}
"""Pattern → words of Terraform's and AWS's own documentation."""
_WORDS = re.compile("|".join(rf"(?P<w{n}>\b(?:{pattern})\b)" for n, pattern in enumerate(INSTEAD)), re.I)


def prose(markdown: str) -> str:
    """A document without code, quoted messages (bold or after `>`), links' addresses and generated parts."""
    text = re.sub(r"<!-- BEGIN generated.*?<!-- END generated[^>]*-->", "", markdown, flags=re.S)
    text = re.sub(r"^( *)```.*?^\1```", "", text, flags=re.M | re.S)
    return re.sub(r"`[^`]*`|^> .*$|\*\*[^*]*\*\*|\]\([^)]*\)", "", text, flags=re.M)


def hcl_texts(folder: Path) -> str:
    """Comments, descriptions of variables and outputs, and messages of validations; not values of resources."""
    found = []
    for file in sorted(folder.rglob("*.tf")):
        text = file.read_text("utf-8")
        found += re.findall(r"^\s*#(.*)$", text, re.M)
        found += re.findall(r'^    error_message = (".*")$', text, re.M)
        for block in re.findall(r"^(?:variable|output) .*?^\}", text, re.M | re.S):
            found += re.findall(r'^  description\s+= (".*")$', block, re.M)
    return "\n".join(found)


def setting_texts(model: Any) -> Iterator[str]:
    """Descriptions of a component's settings, its blocks' too."""
    for field in model.model_fields.values():
        yield field.description or ""
        for inner in _models(field.annotation):
            yield from setting_texts(inner)


def _models(annotation: Any) -> list[Any]:
    if isinstance(annotation, type) and issubclass(annotation, Settings):
        return [annotation]
    return [model for argument in get_args(annotation) for model in _models(argument)]


def template_comments(template: Path) -> str:
    """What a template writes as comments and pages, without Jinja's own."""
    text = re.sub(r"\{#.*?#\}", "", template.read_text("utf-8"), flags=re.S)
    if template.name.endswith((".md.j2", ".html.j2")):
        return prose(text)
    return "\n".join(re.findall(r"#(?!!)(.*)$", text, re.M))


def helps(command: Any, path: str) -> Iterator[tuple[str, Callable[[], str]]]:
    """Every command's help and that of its options."""
    parts = [command.help or "", *(getattr(p, "help", "") or "" for p in command.params)]
    yield f"help of {path}", partial("\n".join, parts)
    for name, inner in getattr(command, "commands", {}).items():
        yield from helps(inner, f"{path} {name}")


def messages(source: str) -> Iterator[tuple[int, str]]:
    """(line, text) of string literals with a blank, without docstrings, f-strings' values and code spans.

    These are errors, hints, findings, progress and reports, wherever they are raised or built; a literal without a
    blank is a name or a key.
    """
    nodes = [*ast.walk(ast.parse(source))]
    skipped = set()
    for node in nodes:
        if isinstance(node, ast.Expr):
            skipped.add(node.value)
        elif isinstance(node, ast.JoinedStr):
            skipped.update(node.values)
    for node in nodes:
        if node in skipped:
            continue
        if isinstance(node, ast.JoinedStr):
            parts = [str(v.value) if isinstance(v, ast.Constant) else "…" for v in node.values]
        elif isinstance(node, ast.Constant) and isinstance(node.value, str):
            parts = [node.value]
        else:
            continue
        text = re.sub(r"`[^`]*`", "", "".join(parts))
        if " " in text:
            yield node.lineno, text


def file_messages(file: Path) -> str:
    return "\n".join(f"{line}: {text}" for line, text in messages(file.read_text("utf-8")))


def file_prose(file: Path) -> str:
    return prose(file.read_text("utf-8"))


def component_texts(settings: Any) -> str:
    return "\n".join(setting_texts(settings))


def texts() -> Iterator[tuple[str, Callable[[], str]]]:
    """Name → what reads the text: every worker collects the names, and one reads."""
    for file in sorted((REPOSITORY / "toolkit").rglob("*.py")):
        yield f"messages of {file.relative_to(REPOSITORY).as_posix()}", partial(file_messages, file)
    for document in [*sorted(REPOSITORY.glob("*.md")), *sorted((REPOSITORY / "docs").glob("*.md"))]:
        yield document.relative_to(REPOSITORY).as_posix(), partial(file_prose, document)
    for readme in sorted((REPOSITORY / "modules").rglob("README.md")):
        name = readme.parent.relative_to(REPOSITORY).as_posix()
        yield f"{name}/README.md", partial(file_prose, readme)
    for folder in sorted((REPOSITORY / "modules").iterdir()):
        if folder.is_dir():
            yield f"HCL of {folder.relative_to(REPOSITORY).as_posix()}", partial(hcl_texts, folder)
    for component in REGISTRY.values():
        yield f"settings of {component.name}", partial(component_texts, component.settings)
    for template in sorted((REPOSITORY / "templates").rglob("*.j2")):
        yield template.relative_to(REPOSITORY).as_posix(), partial(template_comments, template)
    yield from helps(typer.main.get_command(app), "toolkit")


def findings(text: str) -> list[str]:
    """Each word of the list with its line, and what to write instead."""
    replies = list(INSTEAD.values())
    return [
        f"{match[0]!r} ({replies[int((match.lastgroup or 'w0')[1:])]}): {line.strip()}"
        for line in text.splitlines()
        for match in _WORDS.finditer(line)
    ]


TEXTS = dict(texts())


@pytest.mark.parametrize("name", TEXTS)
def test_texts_use_plain_words(name: str):
    found = findings(TEXTS[name]())
    assert not found, f"{name}:\n" + "\n".join(found)


def test_messages_are_literals_of_errors_and_findings():
    source = '''"""Nobody here."""
raise UsageError(f"{name} is no region of {home}", hint="`ask` " "somebody")
KEY = "told"
'''
    assert list(messages(source)) == [(2, "… is no region of …"), (2, " somebody")]


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("The administrator is told, and somebody is asked.", ["told", "somebody", "asked"]),
        ("The report is shown next to the plan.", []),
        ("It is no region; there is no region.", ["is no region"]),
    ],
)
def test_words_are_found(text: str, words: list[str]):
    assert [finding.split("'")[1] for finding in findings(text)] == words
