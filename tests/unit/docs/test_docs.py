"""Documentation that cannot lie: commands and options exist, links lead somewhere, generated parts are fresh."""

from __future__ import annotations

import ast
import re
import shlex
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import typer
import yaml

from toolkit.cli.app import app
from toolkit.components.registry import REGISTRY
from toolkit.environment import load_text
from toolkit.environment.shape import file_model
from toolkit.paths import Project
from toolkit.terraform.passthrough import check
from toolkit.workflows.pipeline import pipeline_files

REPOSITORY = Path(__file__).parents[3]
DOCUMENTS = sorted(
    [*REPOSITORY.glob("*.md"), *(REPOSITORY / "docs").glob("*.md"), *(REPOSITORY / "modules").rglob("README.md")]
)
NAMES = [str(d.relative_to(REPOSITORY)) for d in DOCUMENTS]
LOADER = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
COMMANDS: dict[str, Any] = typer.main.get_command(app).commands  # type: ignore[attr-defined]


def texts() -> dict[str, str]:
    found = {name: document.read_text("utf-8") for name, document in zip(NAMES, DOCUMENTS, strict=True)}
    for name, text in pipeline_files(Project(REPOSITORY), "github").items():
        found[f"pipeline {name}"] = text or ""
    return found


def command_lines() -> list[Any]:
    found = []
    for name, text in texts().items():
        lines = re.findall(r"^\s*\$ (toolkit [^\n#]+)", text, re.M)
        if name.startswith("pipeline"):
            steps = (step for job in yaml.load(text, LOADER)["jobs"].values() for step in job["steps"])
            scripts = re.sub(r" *\\\n *", " ", "\n".join(step.get("run", "") for step in steps))
            lines += re.findall(r"^(?:exec |list=\$\()?(toolkit [^\n|]+)", scripts, re.M)
        lines += re.findall(r"`(toolkit [^`\n]+)`", text)
        if name.endswith("cli.md"):  # the examples in the commands' help; what follows a gap explains them
            joined = re.sub(r" *\\\n *", " ", text)
            lines += re.findall(r"^ +(toolkit [a-z]\S*(?: \S+)*)", joined, re.M)
        found += [pytest.param(line, id=f"{name}: {line}") for line in dict.fromkeys(lines)]
    # "What to do next" of errors.
    for source in sorted((REPOSITORY / "toolkit").rglob("*.py")):
        lines = re.findall(r"`(toolkit [a-z][^`\n]*)`", source.read_text("utf-8"))
        name = str(source.relative_to(REPOSITORY))
        found += [pytest.param(line, id=f"{name}: {line}") for line in dict.fromkeys(lines)]
    return found


@pytest.mark.parametrize("line", command_lines())
def test_every_command_line_uses_what_the_cli_has(line: str):
    words = shlex.split(line.split("&&", maxsplit=1)[0].replace("…", "").replace("[", "").replace("]", ""))[1:]
    while words and words[0].startswith("-"):
        words = words[2:] if words[0] in ("-C", "--chdir") else words[1:]
    if not words or words[0].isupper():
        return
    command = COMMANDS[words[0]]
    if inner := getattr(command, "commands", None):
        if len(words) < 2 or "|" in words[1]:
            return
        default = getattr(command, "default_command", None)
        command = inner[words[1] if words[1] in inner or default is None else default]
    known = {option for parameter in command.params for option in (*parameter.opts, *parameter.secondary_opts)}
    if "--" in words:
        end = words.index("--")
        words, passed = words[:end], words[end + 1 :]
        if passed not in ([], ["COMMAND"]):
            check(passed, "prod")
    for word in words:
        if word.startswith("--"):
            assert word.split("=")[0] in known | {"--help"}, f"{word} is no option of {words[0]}"


def test_an_option_that_a_hint_names_is_one_of_the_cli():
    root = typer.main.get_command(app)
    commands, known = [root], set[str]()
    while commands:
        command = commands.pop()
        known.update(option for parameter in command.params for option in (*parameter.opts, *parameter.secondary_opts))
        commands += getattr(command, "commands", {}).values()
    named = {
        (file.name, option)
        for file in (REPOSITORY / "toolkit").rglob("*.py")
        if "hint=" in (source := file.read_text(encoding="utf-8")) and "--" in source  # most have neither to parse
        for node in ast.walk(ast.parse(source))
        if isinstance(node, ast.keyword) and node.arg == "hint"
        for text in ast.walk(node.value)
        if isinstance(text, ast.Constant) and isinstance(text.value, str)
        for option in re.findall(r"(?<![\w-])--[a-z][a-z-]+", text.value)
    }
    assert len(named) > 10
    assert [one for one in sorted(named) if one[1] not in known | {"--help"}] == []


def yaml_blocks(name: str) -> list[str]:
    return re.findall(r"^```yaml\n(.*?)^```", (REPOSITORY / name).read_text("utf-8"), re.M | re.S)


def test_the_environment_file_that_is_explained_is_one_and_has_every_key():
    (text,) = yaml_blocks("docs/environments.md")
    load_text(text, name="example", shown_as="docs/environments.md")
    assert {*yaml.safe_load(text), "simulator"} == set(file_model().model_fields)


@pytest.mark.parametrize("name", [n for n in NAMES if not n.startswith("modules")])
def test_files_that_are_named_exist(name: str):
    text = re.sub(r"^```.*?^```", "", (REPOSITORY / name).read_text("utf-8"), flags=re.M | re.S)
    for path in re.findall(r"`((?:toolkit|tests|modules|templates|docs|environments)/[\w./-]+)`", text):
        assert "NAME" in path or (REPOSITORY / path).exists(), path


@pytest.mark.parametrize("name", NAMES)
def test_links_lead_somewhere(name: str):
    document = REPOSITORY / name
    for target in re.findall(r"\]\(([^)#\s]+)(?:#[^)]*)?\)", document.read_text("utf-8")):
        if "://" not in target:
            assert (document.parent / target).exists(), target


def test_readme_stays_short():
    """Long parts have a page in docs/, which README names."""
    assert len((REPOSITORY / "README.md").read_text("utf-8").splitlines()) <= 250


def test_the_plan_in_readme_is_the_walkthroughs():
    """Which tests/cases/27-an-account-with-a-history compares with what the commands print."""
    readme, page = ((REPOSITORY / name).read_text("utf-8") for name in ("README.md", "docs/existing-account.md"))
    shown = re.findall(r"^```text\n\$ toolkit plan legacy\n(.*?)^```", readme, re.M | re.S)
    assert len(shown) == 1
    assert set(shown[0].splitlines()) <= set(page.splitlines())


def test_the_gains_that_readme_shows_are_those_of_the_example_pull_request():
    """README's excerpt is written by hand; the pull request's comment is generated from a recorded plan."""
    readme = (REPOSITORY / "README.md").read_text("utf-8")
    excerpt = readme[readme.index("Access: who can do what once this is applied") :].split("```")[0].splitlines()
    comment = (REPOSITORY / "docs" / "pull-request.md").read_text("utf-8").replace("**", "")
    shown = [line.strip().removeprefix("gains: ").removeprefix("loses: ") for line in excerpt if line.strip() != "…"]
    assert len(shown) == 5
    assert [line for line in shown if line not in comment] == []


def test_generated_parts_are_fresh():
    done = subprocess.run(
        [sys.executable, REPOSITORY / "docs" / "generate.py", "--check"], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, f"run `make docs`\n{done.stdout}{done.stderr}"


def test_every_picture_says_what_it_was_drawn_from():
    """`make docs` draws one anew only if that has changed."""
    pictures = sorted((REPOSITORY / "docs" / "images").glob("*.png"))
    assert [one.name for one in pictures] == ["audit-findings.png", "audit.png", "plan.png"]
    for one in pictures:
        assert re.search(rb"tEXtsource\0[0-9a-f]{64}", one.read_bytes()), f"{one.name}: run `make docs`"


PRACTICES = [*(f"R{n}" for n in range(1, 8)), *(f"U{n}" for n in range(1, 13)), *(f"S{n}" for n in range(1, 9)), "C1"]


def test_every_practice_is_met_by_something_that_is_there():
    """Links are followed by another test; here each row must have one, to a component, or to a page of ours."""
    text = (REPOSITORY / "docs" / "practices.md").read_text("utf-8")
    rows = dict(re.findall(r"^\| ([RUSC]\d+) \| .*? \| (.*) \|$", text, re.M))
    assert list(rows) == PRACTICES
    for practice, met_by in rows.items():
        links = re.findall(r"\]\(([^)#]+)", met_by)
        assert links, practice
        assert all((REPOSITORY / "docs" / link).exists() for link in links), practice


def test_what_meets_a_practice_is_a_component_that_can_be_switched_on():
    text = (REPOSITORY / "docs" / "practices.md").read_text("utf-8")
    named = set(re.findall(r"\(\.\./modules/(\w+)/README\.md\)", text))
    assert named <= set(REGISTRY)
