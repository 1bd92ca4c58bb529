"""The examples of README, docs/ and module READMEs: YAML is accepted, command lines are parsed, and some are run.

Run are those that need neither AWS nor Terraform; tests/integration runs the others, and tests/modules validates HCL.
"""

from __future__ import annotations

import os
import re
import shlex
import textwrap
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import typer
import yaml

from toolkit.cli import console
from toolkit.cli.app import app
from toolkit.cli.main import run
from toolkit.components.registry import REGISTRY
from toolkit.environment import load_text
from toolkit.environment.shape import file_model
from toolkit.environment.source import parse
from toolkit.fleet.pipeline import Pipeline, parse_pipeline
from toolkit.fleet.settings import parse_settings

REPOSITORY = Path(__file__).parents[3]
DOCUMENTS = [REPOSITORY / "README.md", *sorted((REPOSITORY / "docs").glob("*.md"))]
READMES = sorted((REPOSITORY / "modules").rglob("README.md"))
POLICY = '{"Version": "2012-10-17", "Statement": [{"Effect": "Deny", "Action": "*", "Resource": "*"}]}'
GROUP: Any = typer.main.get_command(app)


def blocks(document: Path, language: str) -> list[str]:
    """The text of a document's fenced blocks in a language, also of those in a list."""
    found = re.findall(rf"^( *)```{language}\n(.*?)^\1```", document.read_text("utf-8"), re.M | re.S)
    return [textwrap.dedent(text) for _, text in found]


def named(documents: list[Path], language: str) -> list[Any]:
    return [
        pytest.param(text, id=f"{document.relative_to(REPOSITORY)}-{number}")
        for document in documents
        for number, text in enumerate(blocks(document, language), 1)
    ]


@pytest.mark.parametrize("text", named([*DOCUMENTS, *READMES], "yaml"))
def test_yaml_is_accepted_as_an_environment_file(text: str, tmp_path: Path):
    """Whole files, some of their keys, or some components; a file that one names holds a policy."""
    block: Any = parse(text).data  # not YAML 1.1, to which the key `on` is true
    if set(block) <= {"waves", "shared"}:  # of fleet.yaml
        settings = parse_settings(text)
        assert settings.waves or settings.shared
        return
    if set(block) <= set(Pipeline.model_fields) and set(block) != {"bundle"}:  # environments have that key, too
        parse_pipeline(text)
        return
    if set(block) <= set(REGISTRY):
        block = {"components": block}
    assert set(block) <= set(file_model().model_fields)
    for name in re.findall(r"[\w/]+\.json", text):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text(POLICY)
    around = {
        "account_id": "123456789012",
        "regions": {"home": "eu-central-1", "active": ["eu-central-1", "us-east-1"]},
        "components": {"password_policy": {}},
    }
    load_text(yaml.safe_dump(around | block), name="example", shown_as="example", folder=tmp_path)


def command_lines(documents: list[Path]) -> list[str]:
    """What follows the `$` of console blocks, without comments."""
    texts = [text for document in documents for text in blocks(document, "console")]
    return [re.sub(r"\s+# .*", "", line[2:]) for text in texts for line in text.splitlines() if line.startswith("$ ")]


def toolkit_calls(line: str) -> Iterator[list[str]]:
    """The words of each `toolkit …` of a command line."""
    for part in re.split(r"&&|\|", line.split(" > ", maxsplit=1)[0]):
        words = shlex.split(part)
        if words[:1] == ["toolkit"]:
            yield words[1:]


LINES = list(dict.fromkeys(command_lines(DOCUMENTS)))


@pytest.mark.parametrize("line", LINES)
def test_a_command_line_is_parsed(line: str):
    """By the commands themselves: options, their values and the number of arguments."""
    for words in toolkit_calls(line):
        command, name, rest, context = GROUP, "toolkit", words, None
        while hasattr(command, "resolve_command"):
            context = typer.Context(command, parent=context, info_name=name)
            name, command, rest = command.resolve_command(context, rest)
        command.make_context(name, list(rest), parent=context)


def test_a_target_of_make_exists():
    targets = re.findall(r"^(\w+):", (REPOSITORY / "Makefile").read_text("utf-8"), re.M)
    called = [word for line in LINES for word in re.findall(r"^make (\w+)", line)]
    assert called
    assert set(called) <= set(targets)


OFFLINE = {"init", "new", "render", "components", "schema"}
"""Commands that need neither AWS nor Terraform."""


def test_what_needs_no_account_is_run(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
):
    """In README's order, in one project: what an operator types first, then what a pipeline runs."""
    for name in [n for n in os.environ if n.startswith(("AWS_", "TF_", "TOOLKIT_"))]:
        monkeypatch.delenv(name)
    monkeypatch.setattr(console, "in_terminal", lambda: True)
    answers = {"Account": "111122223333", "Home": "eu-central-1"}
    monkeypatch.setattr("typer.prompt", lambda question, **_: answers.get(question.split()[0], ""))
    monkeypatch.chdir(tmp_path)
    done = []
    for line in command_lines([REPOSITORY / "README.md"]):
        for words in toolkit_calls(line):
            if words[0] in OFFLINE:
                code = run(words)
                assert code == 0, f"toolkit {shlex.join(words)}: {code}\n{capsys.readouterr().err}"
                done.append(words[0])
        if entered := re.search(r"&& cd (\S+)", line):
            monkeypatch.chdir(entered[1])
    assert done[:3] == ["init", "new", "render"], "README's first commands of an operator"
    assert (Path.cwd() / "environments" / "prod" / "rendered" / "versions.tf").exists()
