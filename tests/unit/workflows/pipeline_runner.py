"""Runs jobs of the pipelines that the toolkit writes, as their runners do: each in a folder of its own.

GitHub's steps run in order with `bash -e`; what an action does of which something comes (artifacts) is done here. What
an expression stands for has to be said by the test: one that is not known is an error.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

from tests import warm_client
from tests.unit.fleet.made import account, change, failed, finding, plan
from tests.warm import Warm

COMMANDS = '''\
#!{python} -IS
"""plan, apply, drift and audit as a scenario says; every other command is the toolkit's own."""
import sys
given = sys.argv[1:]
if given[0] not in ("plan", "apply", "drift", "audit"):
    sys.path.insert(0, {tests!r})
    import warm_client
    warm_client.main({address!r}, given)
import json, os
scenario = json.loads(os.environ["SCENARIO"])
documents = json.load(open({documents!r}))
envs = [word for word in given[1:] if word in scenario]
with open(os.environ["CALLS"], "a") as calls:
    key = "" if "TOOLKIT_BUNDLE_KEY" not in os.environ else " key" if os.environ["TOOLKIT_BUNDLE_KEY"] else " no-key"
    calls.write(" ".join(given) + key + chr(10))

def write(file, text):
    os.makedirs(os.path.dirname(file), exist_ok=True)
    open(file, "w").write(text)

def ended(env):
    found = documents[given[0]].get(scenario[env]) or documents["error"]
    return dict(found[0], environment=env) if found[0]["kind"] != "error" else found[0], found[1]

if given[0] == "apply":
    assert open(given[given.index("--plan") + 1]).read() == "plan of " + envs[0]
for env in envs if given[0] == "plan" else ():
    document, code = ended(env)
    if document["kind"] == "plan":
        write("reports/" + env + ".json", json.dumps(document))
        write("reports/" + env + ".md", "<!-- plan -->")
    if not code:
        write(given[given.index("--out") + 1] + env + ".tfbundle", "plan of " + env)
codes = {{env: ended(env)[1] for env in envs}}
rows = [{{"environment": e, "exit_code": c, "error": documents["error"][0] if c else None}} for e, c in codes.items()]
several = {{"schema_version": 1, "kind": "fleet-run", "environments": rows}}
print(json.dumps(several if len(envs) > 1 else ended(envs[0])[0]))
sys.exit(max(codes.values()))
'''


def documents() -> dict[str, Any]:
    """What the commands print: command → what a scenario has for an environment → document and exit code."""
    bucket = "module.x.aws_s3_bucket.y"
    gone = {
        "address": bucket, "type": "aws_s3_bucket", "component": None, "region": "eu-west-1", "gone": True,
        "attributes": [], "weaker": [],
    }  # fmt: skip
    drift = {"schema_version": 2, "kind": "drift", "account_id": account(1), "findings": []}
    audit = {"schema_version": 1, "kind": "audit", "account_id": account(1), "checks": [], "findings": []}
    changes = plan("x", 1, change(bucket)), 0
    return {
        "plan": {
            "changes": changes,
            "stale": changes,
            "none": (plan("x", 1), 0),
            "refused": (plan("x", 1, change(bucket), findings=[finding(bucket)]), 4),
        },
        "apply": {
            "changes": ({"schema_version": 1, "kind": "apply", "completed": []}, 0),
            "none": ({"schema_version": 1, "kind": "apply", "completed": []}, 0),
            "stale": ({**(failed("x", "stale", "bad-plan", 7).error or {}), "reason": "stale"}, 7),
        },
        "drift": {
            "clean": ({**drift, "drift": False, "changes": []}, 0),
            "drifts": ({**drift, "drift": True, "changes": [gone]}, 2),
        },
        "audit": {"clean": (audit, 0), "drifts": (audit, 0)},
        "error": (failed("x", "failed").error, 1),
    }


@dataclass
class Ran:
    """What a job came to."""

    code: int
    """Of the first step that failed; 0."""
    folder: Path
    outputs: dict[str, dict[str, str]] = field(default_factory=dict)
    """Id of a step → its outputs."""
    log: str = ""


class Runner:
    """A repository, its artifacts, and machines that are new for each job."""

    def __init__(self, tmp: Path, project: Path, scenario: dict[str, str], warm: Warm) -> None:
        self.tmp, self.project = tmp, project
        self.bin = tmp / "bin"
        self.bin.mkdir()
        self.artifacts = tmp / "artifacts"
        self.calls = tmp / "calls"
        self.calls.write_text("")
        self.scenario = scenario
        self._number = 0
        printed = tmp / "documents.json"
        printed.write_text(json.dumps(documents()))
        tests = str(Path(warm_client.__file__).parent)
        where = {"tests": tests, "address": warm.address, "documents": str(printed)}
        self._script("toolkit", COMMANDS.format(python=sys.executable, **where))

    def _script(self, name: str, text: str) -> None:
        file = self.bin / name
        file.write_text(text)
        file.chmod(0o755)

    def stand_in(self, name: str, text: str) -> None:
        """A program that the jobs find; it may write to $CALLS."""
        self._script(name, f"#!/bin/bash\n{text}")

    @property
    def commands(self) -> list[str]:
        """What was called, and whether with the key of plans."""
        return self.calls.read_text().splitlines()

    def machine(self, *, checkout: bool = True) -> Path:
        """A folder that has nothing but the repository."""
        self._number += 1
        folder = self.tmp / f"machine-{self._number}" / "work"
        if checkout:
            shutil.copytree(self.project, folder)
        else:
            folder.mkdir(parents=True)
        return folder

    def environ(self, folder: Path, **more: str) -> dict[str, str]:
        home = folder.parent
        return {
            "PATH": f"{self.bin}:{Path(sys.executable).parent}:{os.environ['PATH']}",
            "HOME": str(home),
            "CALLS": str(self.calls),
            "SCENARIO": json.dumps(self.scenario),
            **more,
        }

    def script(
        self, text: str, folder: Path, *, shell: tuple[str, ...] = ("bash", "-e", "-c"), **variables: str
    ) -> Any:
        return subprocess.run(
            [*shell, text],
            cwd=folder,
            env=self.environ(folder, **variables),
            capture_output=True,
            text=True,
            check=False,
        )

    # GitHub

    def github(self, job: dict[str, Any], says: dict[str, str], when: dict[str, bool] | None = None) -> Ran:
        """Run the steps of a job.

        Args:
            job: As the workflow has it.
            says: Expression → value.
            when: Condition of a step → whether it holds; of one that is not there, only `always()` holds.
        """
        steps = job["steps"]
        folder = self.machine(checkout=any("actions/checkout" in step.get("uses", "") for step in steps))
        ran = Ran(0, folder)
        variables = {
            "GITHUB_REPOSITORY": "example/accounts",
            "GITHUB_SHA": "0" * 40,
            "GITHUB_STEP_SUMMARY": str(folder.parent / "summary"),
            "GITHUB_ENV": str(folder.parent / "env"),
            "RUNNER_TEMP": str(folder.parent),
            "TOOLKIT_PACKAGE": "toolkit.whl",
        }
        for step in steps:
            condition = step.get("if")
            if condition is None and ran.code:
                continue
            if condition not in (None, "always()") and not (when or {}).get(condition, False):
                continue
            if "uses" in step:
                self._action(step, says, folder)
                continue
            if step["run"].startswith("pip install"):
                continue
            output = folder.parent / "output"
            output.write_text("")
            given = {name: _said(str(value), says) for name, value in step.get("env", {}).items()}
            done = self.script(step["run"], folder, **variables, GITHUB_OUTPUT=str(output), **given)
            ran.log += done.stdout + done.stderr
            ran.outputs[step.get("id", "")] = dict(line.split("=", 1) for line in output.read_text().splitlines())
            ran.code = ran.code or done.returncode
        return ran

    def _action(self, step: dict[str, Any], says: dict[str, str], folder: Path) -> None:
        given = {name: _said(str(value), says) for name, value in step.get("with", {}).items()}
        if "upload-artifact" in step["uses"]:
            source = folder / given["path"].strip()
            if source.is_dir():
                shutil.copytree(source, self.artifacts / given["name"], dirs_exist_ok=True)
            else:
                assert given["if-no-files-found"] == "ignore", step
        if "download-artifact" in step["uses"]:
            names = [given["name"]] if "name" in given else [p.name for p in self.artifacts.glob(given["pattern"])]
            for name in names:
                shutil.copytree(self.artifacts / name, folder / given["path"], dirs_exist_ok=True)


_EXPRESSION = re.compile(r"\$\{\{ (.*?) \}\}")


def _said(text: str, says: dict[str, str]) -> str:
    return _EXPRESSION.sub(lambda match: says[match[1]], text)


def jobs_of(file: Path) -> dict[str, Any]:
    """The jobs of a workflow of GitHub."""
    found: dict[str, Any] = yaml.safe_load(file.read_text("utf-8"))["jobs"]
    return found
