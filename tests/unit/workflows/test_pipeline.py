"""The GitHub workflow that `init` writes: its shape, and its own scripts run as a runner runs them."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

from toolkit.rendering.render import template_text

WORKFLOW = yaml.safe_load(template_text("pipelines/github.yml.j2"))
JOBS = WORKFLOW["jobs"]


def test_the_pipeline_is_yaml_that_applies_only_what_was_planned():
    assert set(WORKFLOW[True]) == {"pull_request", "push"}  # YAML 1.1 reads the key `on` as true
    runs = {name: [s.get("run", "") for s in job["steps"]] for name, job in JOBS.items()}
    assert any("toolkit plan" in r and "--out" in r and "--no-render" in r for r in runs["plan"])
    (apply,) = [r for r in runs["apply"] if "toolkit apply" in r]
    assert "--plan" in apply
    assert "--auto-approve" not in apply
    for name in ("plan", "apply"):
        (command,) = [r for r in runs[name] if f"toolkit {name}" in r]
        assert command.startswith("exec "), "a signal must reach the toolkit, not the shell that started it"
    assert JOBS["apply"]["concurrency"]["cancel-in-progress"] is False


@pytest.mark.parametrize("name", JOBS)
def test_each_job_of_the_pipeline_has_least_permissions_an_end_and_pinned_actions(name: str):
    assert WORKFLOW["permissions"] == {}
    job = JOBS[name]
    assert job["timeout-minutes"] <= 60
    writes = {p for p, access in job["permissions"].items() if access == "write"}
    wanted = {"plan": {"id-token"}, "apply": {"id-token"}, "comment": {"pull-requests"}, "scan": {"security-events"}}
    assert writes == wanted.get(name, set())
    for step in job["steps"]:
        assert re.fullmatch(r"[\w./-]+@[0-9a-f]{40}", step.get("uses", "a/b@" + 40 * "0")), step


def test_every_pinned_action_names_its_release_and_has_one_pin_only():
    text = template_text("pipelines/github.yml.j2")
    pins = re.findall(r"uses: (\S+)@([0-9a-f]{40})(.*)", text)
    assert len(pins) == text.count("uses: ")
    assert all(re.fullmatch(r" # v\d+\.\d+\.\d+", release) for _, _, release in pins)
    assert len({action for action, _, _ in pins}) == len(set(pins))
    documented = (Path(__file__).parents[3] / "docs" / "pipelines.md").read_text("utf-8")
    for action, commit, release in set(pins):
        repository, tag = "/".join(action.split("/")[:2]), release.removeprefix(" # ")
        assert (
            f"| [{repository}](https://github.com/{repository}/releases/tag/{tag}) | {tag} | `{commit}` |" in documented
        )


def test_the_nightly_workflow_of_the_docs_is_pinned_alike_and_reads_only():
    text = (Path(__file__).parents[3] / "docs" / "scheduled-audit.md").read_text("utf-8")
    workflow, buildspec = (yaml.safe_load(block) for block in re.findall(r"^```yml\n(.*?)^```", text, re.M | re.S))
    pins = set(re.findall(r"uses: (\S+@[0-9a-f]{40} # \S+)", text))
    assert len(pins) == text.count("uses: ")
    assert pins <= set(re.findall(r"uses: (\S+@[0-9a-f]{40} # \S+)", template_text("pipelines/github.yml.j2")))
    assert workflow["permissions"] == {}
    (job,) = workflow["jobs"].values()
    assert {name for name, access in job["permissions"].items() if access == "write"} == {"id-token"}
    commands = [step.get("run", "") for step in job["steps"]] + buildspec["phases"]["build"]["commands"]
    assert [c for c in commands if "toolkit " in c] == [c for c in commands if "toolkit audit prod " in c] != []


def test_no_credentials_reach_a_pull_request_of_a_fork_or_of_dependabot():
    for name, job in JOBS.items():
        if "id-token" in job["permissions"]:
            assert name == "plan" or "changed" in job["needs"], name
    condition = " ".join(JOBS["plan"]["if"].split())
    assert "github.event.pull_request.head.repo.full_name == github.repository" in condition
    assert "github.event.pull_request.user.login != 'dependabot[bot]'" in condition
    assert JOBS["changed"]["if"] == "github.event_name == 'push'"


def _run(
    step: str, job: str, folder: Path, **variables: str
) -> tuple[subprocess.CompletedProcess[str], dict[str, str]]:
    """A step's script as the runner runs it, `bash -e`; gives what it wrote to GITHUB_OUTPUT, too."""
    (script,) = [s["run"] for s in JOBS[job]["steps"] if step in (s.get("id"), s.get("name"))]
    output = folder / "output"
    output.write_text("")
    done = subprocess.run(
        ["bash", "-e", "-c", script],
        cwd=folder,
        env={"PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}", "GITHUB_OUTPUT": str(output), **variables},
        capture_output=True,
        text=True,
        check=False,
    )
    return done, dict(line.split("=", 1) for line in output.read_text().splitlines())


needs_jq = pytest.mark.skipif(shutil.which("jq") is None, reason="GitHub's runners have jq, this machine does not")


@needs_jq
def test_the_pipeline_plans_each_environment_of_a_real_account_in_its_home_region(tmp_path: Path):
    for name, more in (("prod", ""), ("try", "simulator: moto\n")):
        file = tmp_path / "environments" / name / "environment.yaml"
        file.parent.mkdir(parents=True)
        file.write_text(f'account_id: "111122223333"\nregions: {{home: eu-west-1}}\n{more}components: {{}}\n')
    done, output = _run("environments", "check", tmp_path)
    assert done.returncode == 0, done.stderr
    assert json.loads(output["list"]) == [{"name": "prod", "account_id": "111122223333", "region": "eu-west-1"}]


@needs_jq
def test_the_pipeline_asks_for_approval_only_where_something_changes(tmp_path: Path):
    everything = [{"name": n, "account_id": "111122223333", "region": "eu-west-1"} for n in ("prod", "stage", "new")]
    for name, pending in (("prod", True), ("stage", False), ("new", True)):
        report = tmp_path / "reports" / f"report-{name}" / "plan.json"
        report.parent.mkdir(parents=True)
        report.write_text(json.dumps({"environment": name, "changes_pending": pending}))
    done, output = _run("changed", "changed", tmp_path, ENVIRONMENTS=json.dumps(everything))
    assert done.returncode == 0, done.stderr
    assert [e["name"] for e in json.loads(output["list"])] == ["prod", "new"]
    assert json.loads(output["list"])[0] == everything[0]


def test_the_pipeline_says_which_variable_is_missing(tmp_path: Path):
    done, _ = _run("Require TOOLKIT_PACKAGE", "check", tmp_path, TOOLKIT_PACKAGE="")
    assert done.returncode == 1
    assert "::error::the repository variable TOOLKIT_PACKAGE is empty" in done.stdout
    assert _run("Require TOOLKIT_PACKAGE", "check", tmp_path, TOOLKIT_PACKAGE="toolkit.whl")[0].returncode == 0


def test_no_environment_is_applied_where_another_is_planned():
    """An environment may be called prod-plan: its role, which applies, must not trust what plans prod."""
    names = ("prod", "prod-plan", "plan-prod", "aws-prod", "prod_plan", "plan", "aws")
    planned, applied = (
        {JOBS[job]["environment"].replace("${{ matrix.name }}", name) for name in names} for job in ("plan", "apply")
    )
    assert len(planned) == len(applied) == len(names)
    assert not planned & applied


@pytest.mark.parametrize("folder", ["report-prod", "."])
@pytest.mark.parametrize("there_already", [False, True])
def test_the_comment_of_an_environment_is_written_once_and_then_updated(
    tmp_path: Path, there_already: bool, folder: str
):
    """gh is stood in for by a script that records its arguments and answers the search for comments.

    Of a single artifact, actions/download-artifact makes no folder since v5, also where a pattern found it:
    `artifacts.length === 1` in its src/download-artifact.ts, v8.0.1, read 2026-11-28.
    """
    report = tmp_path / "reports" / folder / "plan.md"
    report.parent.mkdir(parents=True)
    report.write_text("<!-- aws-baseline-toolkit:plan:prod -->\nthe plan\n")
    gh = tmp_path / "bin" / "gh"
    gh.parent.mkdir()
    gh.write_text(
        '#!/bin/bash\necho "$MARKER|$*" >> calls\n'
        + ('[[ "$*" != *--paginate* ]] || echo 4711\n' if there_already else "")
    )
    gh.chmod(0o755)
    variables = {"GITHUB_REPOSITORY": "example/accounts", "PULL_REQUEST": "7", "GH_TOKEN": "none"}
    done, _ = _run(
        "Write one comment per environment, or update it",
        "comment",
        tmp_path,
        **variables,
        PATH=f"{gh.parent}:{os.environ['PATH']}",
    )
    assert done.returncode == 0, done.stderr
    search, write = (tmp_path / "calls").read_text().splitlines()
    assert search.startswith(
        "<!-- aws-baseline-toolkit:plan:prod -->|api --paginate repos/example/accounts/issues/7/comments"
    )
    method, place = ("PATCH", "issues/comments/4711") if there_already else ("POST", "issues/7/comments")
    assert f"--method {method} repos/example/accounts/{place} --field body=@{report.relative_to(tmp_path)}" in write
