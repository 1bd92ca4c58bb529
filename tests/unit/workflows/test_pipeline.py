"""The pipelines that `toolkit pipeline` writes: their shape, and their own scripts run as a runner runs them.

plan, apply, drift and audit are stood in for (tests/integration has a story with Terraform); `matrix`, `summary`,
`render`, `validate` and `pipeline` are the toolkit's own.
"""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import tomllib
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.unit.workflows.pipeline_runner import Ran, Runner, jobs_of
from tests.warm import Warm
from toolkit.errors import ToolkitError, UsageError
from toolkit.fleet.matrix import CODEBUILD, GITLAB
from toolkit.paths import Project
from toolkit.workflows.init import init_project
from toolkit.workflows.pipeline import KINDS, compare, keep_environments, pipeline_files, write
from toolkit.workflows.render import render_environments

needs_jq = pytest.mark.skipif(shutil.which("jq") is None, reason="GitHub's runners have jq, this machine does not")
DOCS = Path(__file__).parents[3] / "docs"
DEPLOYS = "github.event_name != 'pull_request' && github.ref == 'refs/heads/main'"
VARIANTS = {
    "default": "",
    "s3": "bundle: {to: 's3://acme-plans/baseline/', kms_key: alias/bundles}\n",
    "other": "branch: trunk\nrunner: [self-hosted, linux]\nrepository: example/accounts\npackage: toolkit-1.whl\n"
    "pull_request: all\ncache: false\nshards: 2\nnightly: {cron: '5 3 * * 1-5', fail_on: critical}\n",
    "quiet": "nightly: {enabled: false}\n",
    "attested": "bundle: {sign: github}\n",
}


def environment(root: Path, name: str, more: str = "") -> Path:
    file = root / "environments" / name / "environment.yaml"
    file.parent.mkdir(parents=True)
    file.write_text(f'account_id: "111122223333"\nregions: {{home: eu-west-1}}\n{more}components: {{}}\n')
    return file


def project_of(root: Path, *names: str, settings: str = "", kind: str = "github") -> Project:
    for name in names:
        environment(root, name)
    (root / "modules").mkdir(parents=True)
    (root / "environments").mkdir(exist_ok=True)
    if settings:
        (root / "pipeline.yaml").write_text(settings)
    project = Project(root)
    write(project, compare(project, kind), kind, force=False)
    return project


def texts(tmp_path: Path, kind: str, settings: str) -> dict[str, str]:
    project = project_of(tmp_path / "project", "prod", "stage", settings=settings, kind=kind)
    return {name: text for name, text in pipeline_files(project, kind).items() if text is not None}


# Files


@pytest.mark.parametrize("kind", KINDS)
def test_init_writes_the_bytes_that_the_command_writes(tmp_path: Path, kind: str):
    list(init_project(tmp_path / "a", pipeline=kind, upgrade=False))
    (tmp_path / "b" / "environments").mkdir(parents=True)
    project = Project(tmp_path / "b")
    write(project, compare(project, kind), kind, force=False)
    for name, _ in KINDS[kind]:
        assert (tmp_path / "a" / name).read_bytes() == (tmp_path / "b" / name).read_bytes()
    assert compare(Project(tmp_path / "a"), kind) == ()


def test_what_is_written_follows_from_the_settings_and_the_check_sees_each_difference(tmp_path: Path):
    project = project_of(tmp_path, "prod")
    assert compare(project, "github") == ()
    (tmp_path / "pipeline.yaml").write_text("branch: trunk\nnightly: {enabled: false}\n")
    changes = compare(project, "github")
    assert [(c.file, c.action, c.edited) for c in changes] == [
        (".github/workflows/baseline.yml", "change", False),
        (".github/workflows/baseline-nightly.yml", "delete", False),
    ]
    assert '+    branches: ["trunk"]' in changes[0].diff
    write(project, changes, "github", force=False)
    assert compare(project, "github") == ()
    assert not (tmp_path / ".github/workflows/baseline-nightly.yml").exists()


def test_a_file_that_was_edited_is_replaced_only_by_force_and_the_difference_is_shown(tmp_path: Path):
    project = project_of(tmp_path, "prod")
    file = tmp_path / ".github/workflows/baseline.yml"
    mine = file.read_text() + "# mine\n"
    file.write_text(mine)
    (change,) = compare(project, "github")
    assert change.edited
    with pytest.raises(ToolkitError) as caught:
        write(project, (change,), "github", force=False)
    assert "baseline.yml was edited or not written by this command" in caught.value.problem
    assert "-# mine" in (caught.value.detail or "")
    assert file.read_text() == mine
    write(project, (change,), "github", force=True)
    assert compare(project, "github") == ()


def test_a_file_of_somebody_elses_is_not_replaced(tmp_path: Path):
    (tmp_path / ".gitlab-ci.yml").write_text("test: {script: [make]}\n")
    with pytest.raises(ToolkitError, match=r"\.gitlab-ci\.yml was edited or not written by this command"):
        project_of(tmp_path, "prod", kind="gitlab")


def test_a_file_that_is_a_link_is_not_followed(tmp_path: Path):
    (tmp_path / "elsewhere").write_text("x")
    (tmp_path / "p").mkdir()
    (tmp_path / "p" / ".gitlab-ci.yml").symlink_to(tmp_path / "elsewhere")
    with pytest.raises(ToolkitError, match="symbolic link"):
        project_of(tmp_path / "p", "prod", kind="gitlab")


def test_environments_of_the_command_line_are_kept_for_the_check(tmp_path: Path):
    project = project_of(tmp_path, "prod", "stage", kind="gitlab")
    assert keep_environments(tmp_path, ["pro*"], "gitlab") == "wrote pipeline.yaml"
    assert keep_environments(tmp_path, ["pro*"], "gitlab") is None
    (change,) = compare(project, "gitlab")
    assert '-        ENVIRONMENTS: "stage"' in change.diff
    with pytest.raises(UsageError) as caught:
        keep_environments(tmp_path, ["stage"], "gitlab")
    assert str(caught.value) == "pipeline.yaml:2: --environments stage: the file says pro*"
    with pytest.raises(UsageError, match="not the name of an environment"):
        keep_environments(tmp_path, ["a]\nb: c"], "gitlab")


def test_one_role_is_not_taken_for_that_of_several_accounts(tmp_path: Path):
    """A job of several environments has one role, and CodeBuild's builds have that of their project."""
    for name, account, more in (
        ("a", "111122223333", ""),
        ("b", "444455556666", ""),
        ("c", "123456789012", "credentials: {assume_role: {role_arn: 'arn:aws:iam::123456789012:role/x'}}\n"),
    ):
        file = environment(tmp_path, name, more)
        file.write_text(file.read_text().replace("111122223333", account))
    for settings, kinds in (("", ("codebuild",)), ("shards: 1\n", KINDS), ("shards: 2\n", ("codebuild",))):
        (tmp_path / "pipeline.yaml").write_text(settings or "branch: main\n")
        for kind in KINDS:
            if kind not in kinds:
                pipeline_files(Project(tmp_path), kind)
                continue
            with pytest.raises(ToolkitError) as caught:
                pipeline_files(Project(tmp_path), kind)
            assert (caught.value.detail or "").splitlines() == [
                f"environments/{name}/environment.yaml:1: credentials.assume_role: missing: one role plans this "
                f"environment and {other}, which is another account; expected a role in {account} that it can assume"
                for name, other, account in (("a", "b", "111122223333"), ("b", "a", "444455556666"))
            ]


def test_an_attestation_of_github_is_of_github(tmp_path: Path):
    with pytest.raises(ToolkitError) as caught:
        project_of(tmp_path, "prod", settings="bundle:\n  sign: github\n", kind="gitlab")
    assert (caught.value.detail or "").startswith("pipeline.yaml:2: bundle.sign: an attestation of GitHub")


def test_names_that_yaml_reads_as_something_else_stay_names(tmp_path: Path):
    names = ["0123", "0x1f", "1_000", "1e3", "2026-11-29", "no", "null", "off", "on", "true", "y", "yes"]
    project = project_of(tmp_path, *names, settings="runner: 'no'\n", kind="gitlab")
    gitlab = yaml.safe_load(pipeline_files(project, "gitlab")[".gitlab-ci.yml"] or "")
    for job in ("plan", "nightly"):
        entries = gitlab[job]["parallel"]["matrix"]
        assert entries == [{"NAME": n, "ENVIRONMENTS": n, "PLAN_ENVIRONMENT": f"plan-{n}"} for n in names]
    assert gitlab["apply-1"]["parallel"]["matrix"] == [{"ENV": n} for n in names]
    builds = [yaml.safe_load(text or "") for text in pipeline_files(project, "codebuild").values()]
    for build in builds[:2]:
        assert build["batch"]["build-matrix"]["dynamic"]["env"]["variables"] == {"ENVIRONMENTS": names}
    for text in pipeline_files(project, "github").values():
        assert {job["runs-on"] for job in yaml.safe_load(text or "")["jobs"].values()} == {"no"}


@pytest.mark.parametrize(
    ("kind", "reason"),
    [
        ("github", "pull requests plan with the same role as the branch, and could sign plans with the key; "
                   "expected github or none"),
        ("gitlab", "merge requests plan with the same role as the branch, and could sign plans with the key; "
                   "expected none"),
    ],
)  # fmt: skip
def test_no_key_signs_where_a_pull_request_could_use_it(tmp_path: Path, kind: str, reason: str):
    settings = "bundle:\n  signing_key: alias/plans\n  sign: kms\n"
    with pytest.raises(ToolkitError) as caught:
        project_of(tmp_path, "prod", settings=settings, kind=kind)
    assert caught.value.detail == f'pipeline.yaml:3: bundle.sign: "kms": {reason}'


def test_a_key_signs_where_only_the_branch_is_planned(tmp_path: Path):
    files = texts(tmp_path, "codebuild", "bundle: {sign: kms, signing_key: alias/plans}\n")
    assert "--out bundles/ --sign alias/plans" in files["buildspec-plan.yml"]
    assert "--require-signature alias/plans" in files["buildspec-apply.yml"]


# GitHub: shape


@pytest.mark.parametrize("variant", VARIANTS)
def test_each_job_has_least_permissions_an_end_and_pinned_actions(tmp_path: Path, variant: str):
    wanted = {"plan": {"id-token"}, "apply": {"id-token"}, "comment": {"pull-requests"}, "scan": {"security-events"},
              "replan": {"actions"}, "look": {"id-token"}, "issues": {"issues"}}  # fmt: skip
    if variant == "attested":
        wanted["plan"] = {"id-token", "attestations"}
    files = texts(tmp_path, "github", VARIANTS[variant])
    documented = (DOCS / "pipelines.md").read_text("utf-8")
    pins = set()
    for text in files.values():
        workflow = yaml.safe_load(text)
        assert workflow["permissions"] == {}
        for name, job in workflow["jobs"].items():
            assert job["timeout-minutes"] <= 60
            writes = {p for p, access in job["permissions"].items() if access == "write"}
            assert writes == wanted.get(name.partition("-")[0], set()), name
            for step in job["steps"]:
                assert re.fullmatch(r"[\w./-]+@[0-9a-f]{40}", step.get("uses", "a/b@" + 40 * "0")), step
                if "run" in step:
                    assert "${{" not in step["run"], "a script gets what it is given by its environment"
        found = re.findall(r"uses: (\S+)@([0-9a-f]{40})(.*)", text)
        assert len(found) == text.count("uses: ")
        pins.update(found)
    assert len({action for action, _, _ in pins}) == len(pins), "one pin for each action"
    for action, commit, release in pins:
        assert re.fullmatch(r" # v\d+\.\d+\.\d+", release)
        repository, tag = "/".join(action.split("/")[:2]), release.removeprefix(" # ")
        row = f"| [{repository}](https://github.com/{repository}/releases/tag/{tag}) | {tag} | `{commit}` |"
        assert row in documented


@pytest.mark.parametrize("variant", VARIANTS)
def test_the_pipeline_applies_only_what_was_planned(tmp_path: Path, variant: str):
    files = texts(tmp_path, "github", VARIANTS[variant])
    jobs = yaml.safe_load(files[".github/workflows/baseline.yml"])["jobs"]
    (plan,) = [s["run"] for s in jobs["plan"]["steps"] if "toolkit plan" in s.get("run", "")]
    assert "--no-render" in plan
    assert "exec toolkit plan" in plan, "a signal must reach the toolkit, not the shell that started it"
    (apply,) = [s["run"] for s in jobs["apply-1"]["steps"] if "toolkit apply" in s.get("run", "")]
    assert "--plan" in apply
    assert "--auto-approve" not in apply
    assert apply.startswith("exec toolkit apply")
    assert jobs["apply-1"]["concurrency"]["cancel-in-progress"] is False
    for name, job in jobs.items():
        caches = [step for step in job["steps"] if "actions/cache" in step.get("uses", "")]
        assert bool(caches) == (name == "plan" and variant != "other"), (
            "a cache could be poisoned: none where it applies"
        )
        if "id-token" in job["permissions"]:
            assert job["environment"] == "${{ matrix.environment }}", name


def test_options_of_the_hand_over_are_where_they_belong(tmp_path: Path):
    text = texts(tmp_path, "github", VARIANTS["s3"])[".github/workflows/baseline.yml"]
    assert "--out s3://acme-plans/baseline/ --reference bundles/ --kms-key alias/bundles" in text
    assert '--plan "bundles/$ENV.tfbundle" --kms-key alias/bundles --json' in text
    assert "Require TOOLKIT_BUNDLE_KEY" not in text
    shutil.rmtree(tmp_path / "project")
    text = texts(tmp_path, "github", VARIANTS["attested"])[".github/workflows/baseline.yml"]
    signer = "github:$GITHUB_REPOSITORY/.github/workflows/baseline.yml@refs/heads/main"
    assert f'--require-signature "{signer}" --require-run this' in text


def test_findings_are_uploaded_from_private_repositories_and_of_all_environments_only(tmp_path: Path):
    scan = yaml.safe_load(texts(tmp_path, "github", "")[".github/workflows/baseline.yml"])["jobs"]["scan"]
    # docs.github.com, "Uploading a SARIF file to GitHub": actions: read is for private repositories.
    assert scan["permissions"] == {"actions": "read", "contents": "read", "security-events": "write"}
    assert scan["if"].endswith(" && !inputs.environments")


def test_no_credentials_reach_a_pull_request_of_a_fork_or_of_dependabot(tmp_path: Path):
    jobs = yaml.safe_load(texts(tmp_path, "github", "")[".github/workflows/baseline.yml"])["jobs"]
    condition = " ".join(jobs["plan"]["if"].split())
    (refusal,) = [step for step in jobs["check"]["steps"] if step.get("name") == "Refuse a public repository"]
    assert refusal["if"] in condition, "what plans is refused in a public repository, and nothing else is"
    assert "github.event.pull_request.head.repo.full_name == github.repository" in condition
    assert "github.event.pull_request.user.login != 'dependabot[bot]'" in condition
    assert DEPLOYS in jobs["changed"]["if"]
    for name, job in jobs.items():
        if "id-token" in job["permissions"]:
            assert name == "plan" or "changed" in job["needs"], name


def test_one_requirements_file_with_hashes_can_pin_every_package(tmp_path: Path):
    """In its hash-checking mode pip refuses a command that names a package without a hash."""
    package = "--requirement=https://example.com/toolkit.txt"
    written = texts(tmp_path, "github", f"package: {package}\n")
    for name, text in written.items():
        workflow = yaml.safe_load(text)
        assert workflow["env"]["TOOLKIT_PACKAGE"] == package
        steps = [step for job in workflow["jobs"].values() for step in job["steps"]]
        installs = {step["run"] for step in steps if step.get("run", "").startswith("pip ")}
        alone = 'pip install "$TOOLKIT_PACKAGE"'
        assert installs <= {alone, f"{alone} && pip install cryptography"}, name
        assert installs


@pytest.mark.parametrize(
    ("event", "ref", "planned"),
    [
        ("merge_group", "refs/heads/gh-readonly-queue/main/pr-7-0123456789abcdef", False),
        ("merge_group", "refs/heads/gh-readonly-queue/refs/heads/main/pr-7-0123456789abcdef", False),
        ("push", "refs/heads/gh-readonly-queue/main/pr-7-0123456789abcdef", False),
        ("push", "refs/heads/main", True),
    ],
)
def test_a_merge_queue_is_checked_and_gets_no_credentials(tmp_path: Path, event: str, ref: str, planned: bool):
    workflow = yaml.safe_load(texts(tmp_path, "github", "")[".github/workflows/baseline.yml"])
    assert {"merge_group", "pull_request"} <= set(workflow[True]), "a required check must run for both"
    assert "if" not in workflow["jobs"]["check"]
    says = {"github.event_name": event, "github.ref": ref, "needs.check.outputs.jobs": "1"}
    written = workflow["jobs"]["plan"]["if"].replace("&&", " and ").replace("||", " or ")
    # Every context as a text; those of a pull request are empty for other events.
    expression = re.sub(r"(?<!')\b(?:github|needs)[\w.]+", lambda found: repr(says.get(found[0], "")), written)
    assert eval(" ".join(expression.split()), {"__builtins__": {}}) is planned


def test_no_environment_is_applied_where_another_is_planned(tmp_path: Path):
    """An environment may be called prod-plan: its role, which applies, must not trust what plans prod."""
    from toolkit.workflows.matrix import jobs_of as plan_jobs

    names = ("prod", "prod-plan", "plan-prod", "aws-prod", "prod_plan", "plan", "aws", "shard")
    project = project_of(tmp_path, *names)
    single = {job.entry()["environment"] for job in plan_jobs(project, None, None)}
    several = {job.entry()["environment"] for job in plan_jobs(project, None, 3)}
    applied = {f"aws-{name}" for name in names}
    assert len(single) == len(names)
    assert several == {"plan"}
    assert not (single | several) & applied
    assert not single & several


def test_a_wave_waits_for_the_one_before(tmp_path: Path):
    for name, ring in (("a", "canary"), ("b", "late")):
        environment(tmp_path, name, f"labels: {{ring: {ring}}}\n")
    (tmp_path / "fleet.yaml").write_text("waves:\n  - {name: 'x: ${{ y }}', where: {ring: canary}}\n")
    project = project_of(tmp_path)
    jobs = jobs_of(tmp_path / ".github/workflows/baseline.yml")
    assert jobs["apply-2"]["needs"] == ["changed", "apply-1"]
    assert "needs.apply-1.result != 'failure'" in jobs["apply-2"]["if"]
    assert "${{ y }}" not in (tmp_path / ".github/workflows/baseline.yml").read_text()
    gitlab = yaml.safe_load(pipeline_files(project, "gitlab")[".gitlab-ci.yml"] or "")
    assert [gitlab[f"apply-{n}"]["parallel"]["matrix"] for n in (1, 2)] == [[{"ENV": "a"}], [{"ENV": "b"}]]


def test_a_file_that_does_not_keep_the_order_of_waves_says_so(tmp_path: Path):
    name, says = "buildspec-apply.yml", "This batch does not keep their order"
    environment(tmp_path, "a", "labels: {ring: canary}\n")
    project = project_of(tmp_path)
    assert says not in (pipeline_files(project, "codebuild")[name] or "")
    (tmp_path / "fleet.yaml").write_text("waves:\n  - {name: first, where: {ring: canary}}\n")
    assert says in (pipeline_files(project, "codebuild")[name] or "").partition("\nbatch:")[0]
    assert "CodeBuild does not keep the order" in (DOCS / "pipelines.md").read_text("utf-8")


# GitHub: its scripts


@pytest.fixture
def runner(tmp_path: Path, request: pytest.FixtureRequest, warm: Warm) -> Runner:
    settings, scenario = getattr(request, "param", ("", {}))
    scenario = scenario or {"prod": "changes", "stage": "none", "bad": "refused", "down": "error"}
    project = project_of(tmp_path / "project", *scenario, settings=settings)
    list(render_environments(project, project.names, dry=False))
    return Runner(tmp_path, tmp_path / "project", scenario, warm)


def github_jobs(runner: Runner, name: str = "baseline") -> dict[str, Any]:
    return jobs_of(runner.project / f".github/workflows/{name}.yml")


def check(runner: Runner, event: str = "push", environments: str = "") -> Ran:
    says = {"github.event_name": event, "inputs.environments": environments}
    return runner.github(without(github_jobs(runner)["check"], "toolkit validate"), says)


def without(job: dict[str, Any], command: str) -> dict[str, Any]:
    """A job without the step that needs Terraform."""
    return {**job, "steps": [step for step in job["steps"] if step.get("run") != command]}


def matrix_of(ran: Ran, step: str = "matrix", output: str = "matrix") -> list[dict[str, str]]:
    return list(json.loads(ran.outputs[step][output])["include"])


def plan(runner: Runner, entry: dict[str, str], *, deploys: bool = True) -> Ran:
    says = {f"matrix.{key}": value for key, value in entry.items()} | {
        "vars.AWS_ROLE_ARN": "role",
        f"{DEPLOYS} && secrets.TOOLKIT_BUNDLE_KEY || ''": "secret" if deploys else "",
        "secrets.TOOLKIT_BUNDLE_KEY": "secret",
        DEPLOYS: str(deploys).lower(),
    }
    when = {f"${{{{ !cancelled() && {DEPLOYS} }}}}": deploys, DEPLOYS: deploys}
    return runner.github(github_jobs(runner)["plan"], says, when)


def apply(runner: Runner, entry: dict[str, str], head: str = "0" * 40) -> Ran:
    runner.stand_in("gh", f'echo "gh $*" >> "$CALLS"; echo {head}')
    says = {f"matrix.{key}": value for key, value in entry.items()} | {
        "vars.AWS_ROLE_ARN": "role",
        "secrets.TOOLKIT_BUNDLE_KEY": "secret",
        "github.token": "token",
    }
    return runner.github(
        github_jobs(runner)["apply-1"], says, {"${{ !cancelled() && steps.apply.outcome == 'failure' }}": True}
    )


@needs_jq
def test_from_a_push_to_the_apply_with_only_artifacts_between(runner: Runner):
    """One refused account and one that fails stop no other."""
    checked = check(runner)
    assert checked.code == 0, checked.log
    entries = matrix_of(checked)
    assert [entry["environment"] for entry in entries] == ["plan-bad", "plan-down", "plan-prod", "plan-stage"]
    assert checked.outputs["matrix"]["jobs"] == "4"
    assert {entry["name"]: plan(runner, entry).code for entry in entries} == {
        "bad": 4,
        "down": 1,
        "prod": 0,
        "stage": 0,
    }
    changed = runner.github(github_jobs(runner)["changed"], {"inputs.environments": ""})
    assert changed.code == 0, changed.log
    (entry,) = matrix_of(changed, "changed", "wave-1")
    assert entry == {
        "name": "prod",
        "account_id": "111122223333",
        "region": "eu-west-1",
        "environment": "aws-prod",
        "artifact": "plan-prod",
    }
    applied = apply(runner, entry)
    assert applied.code == 0, applied.log
    assert sorted(p.name for p in (applied.folder / "bundles").iterdir()) == ["prod.tfbundle"]
    assert runner.commands[-1] == "apply prod --plan bundles/prod.tfbundle --json key"
    assert [line for line in runner.commands if line.startswith("plan prod")] == [
        "plan prod --no-render --out bundles/ --expires-in 24h --report markdown=reports/ --report json=reports/ "
        "--json key"
    ]
    summary = runner.github(
        github_jobs(runner)["summary"], {"needs.check.outputs.matrix": checked.outputs["matrix"]["matrix"]}
    )
    assert summary.code == 0, summary.log
    text = (runner.artifacts / "summary" / "plan.md").read_text()
    assert text.startswith("<!-- aws-baseline-toolkit:fleet:plan -->\n")
    assert "## Plan of 4 environments" in text
    assert json.loads((runner.artifacts / "summary" / "plan.sarif").read_text())["runs"][0]["results"]
    # Another push came before the approval.
    called = len(runner.commands)
    moved = apply(runner, entry, head="1" * 40)
    assert moved.code == 1
    assert "prod is not applied: main has moved on" in moved.log
    assert not [line for line in runner.commands[called:] if line.startswith("apply")]
    # The state has changed before the approval: a run of its own plans again.
    runner.scenario["prod"] = "stale"
    stale = apply(runner, entry)
    assert stale.code == 7
    assert "::warning::the plan of prod was stale and is not applied: it is planned again" in stale.log
    says = {"inputs.attempt": "", "github.token": "token"}
    again = runner.github(github_jobs(runner)["replan"], says)
    assert again.code == 0, again.log
    assert runner.commands[-1] == (
        "gh workflow run baseline.yml --repo example/accounts --ref main --field environments=prod --field attempt=1"
    )
    assert [e["name"] for e in matrix_of(check(runner, "workflow_dispatch", "prod"))] == ["prod"]
    for attempt in ("3", "a[$(touch ran)]"):
        ended = runner.github(github_jobs(runner)["replan"], {**says, "inputs.attempt": attempt})
        assert ended.code == 1
        assert "were stale three times: prod" in ended.log
        assert not (ended.folder / "ran").exists()
    assert check(runner, "workflow_dispatch", "--shards 1").code == 64, "a name, not an option"


@needs_jq
@pytest.mark.parametrize("runner", [("shards: 2\n", {"a": "changes", "b": "refused", "c": "changes"})], indirect=True)
def test_a_job_of_several_hands_over_each_plan(runner: Runner):
    checked = check(runner)
    entries = matrix_of(checked)
    assert [(e["environments"], e["environment"]) for e in entries] == [("a c", "plan"), ("b", "plan-b")]
    assert [plan(runner, entry).code for entry in entries] == [0, 4]
    changed = runner.github(github_jobs(runner)["changed"], {"inputs.environments": ""})
    ready = matrix_of(changed, "changed", "wave-1")
    assert [(e["name"], e["artifact"]) for e in ready] == [("a", "plan-shard.1"), ("c", "plan-shard.1")]
    assert [apply(runner, entry).code for entry in ready] == [0, 0]
    shutil.rmtree(runner.artifacts)
    changed = runner.github(github_jobs(runner)["changed"], {"inputs.environments": ""})
    assert changed.outputs["changed"]["wave-1"] == "", "no job is started for a matrix without any"


@needs_jq
def test_a_pull_request_plans_what_it_changes_without_the_key_and_hands_nothing_over(runner: Runner):
    def git(*arguments: str) -> None:
        command = [
            "git",
            "-c",
            "user.name=n",
            "-c",
            "user.email=n@example.com",
            "-c",
            "commit.gpgsign=false",
            *arguments,
        ]
        subprocess.run(command, cwd=runner.project, check=True, capture_output=True)

    git("init", "-q")
    git("add", "-A")
    git("commit", "-qm", "one")
    file = runner.project / "environments/prod/environment.yaml"
    file.write_text(file.read_text() + "default_tags: {a: b}\n")
    list(render_environments(Project(runner.project), ("prod",), dry=False))
    git("add", "-A")
    git("commit", "-qm", "two")
    checked = check(runner, "pull_request")
    assert checked.code == 0, checked.log
    (entry,) = matrix_of(checked)
    assert entry["name"] == "prod"
    assert plan(runner, entry, deploys=False).code == 0
    assert runner.commands[-1].endswith("--json no-key")
    assert not (runner.artifacts / "plan-prod").exists()
    assert (runner.artifacts / "report-prod" / "prod.json").exists()


@needs_jq
@needs_jq
@pytest.mark.parametrize(("reason", "again"), [("stale", True), ("expired", True), ("unproven", False)])
def test_only_a_plan_that_waited_too_long_is_planned_again(runner: Runner, reason: str, again: bool):
    steps = github_jobs(runner)["apply-1"]["steps"]
    (script,) = [s["run"] for s in steps if s.get("name") == "Say whether the plan was stale"]
    folder = runner.machine()
    (folder / "apply.json").write_text(json.dumps({"code": "bad-plan", "reason": reason, "message": "not signed"}))
    done = runner.script(script, folder, ENV="prod", RUNNER_TEMP=str(folder))
    assert done.returncode == 0, done.stderr
    assert (folder / "stale" / "prod").exists() == again
    assert ('::error::the plan of prod is not applied, and not planned again: "not signed"' in done.stdout) != again


def test_no_stale_plan_starts_no_run(runner: Runner):
    says = {"inputs.attempt": "0", "github.token": "token"}
    assert runner.github(github_jobs(runner)["replan"], says).code == 0
    assert runner.commands == []


@needs_jq
@pytest.mark.parametrize(
    ("results", "named"),
    [
        # Each wave's result, and what is planned again: never a later wave without all of the one that failed.
        (("failure", "skipped", "skipped"), "a b c d"),
        (("success", "failure", "skipped"), "a c d"),
        (("success", "success", "failure"), "a"),
        (("failure", "success", "success"), "a"),
    ],
)
def test_a_wave_that_was_skipped_for_a_stale_plan_is_planned_again_with_it(
    tmp_path: Path, results: tuple[str, ...], named: str, warm: Warm
):
    """`a` is stale; the waves are a and b, c, d."""
    for name, ring in (("a", "one"), ("b", "one"), ("c", "two"), ("d", "rest")):
        environment(tmp_path / "project", name, f"labels: {{ring: {ring}}}\n")
    (tmp_path / "project" / "fleet.yaml").write_text(
        "waves:\n  - {name: one, where: {ring: one}}\n  - {name: two, where: {ring: two}}\n"
    )
    runner = Runner(tmp_path, project_of(tmp_path / "project").root, {}, warm)
    runner.stand_in("gh", 'echo "gh $*" >> "$CALLS"')
    (runner.artifacts / "stale-a").mkdir(parents=True)
    (runner.artifacts / "stale-a" / "a").write_text("a\n")
    says = {"inputs.attempt": "1", "github.token": "token"}
    for number, members in ((1, "ab"), (2, "c"), (3, "d")):
        made = json.dumps({"include": [{"name": name} for name in members]})
        for result in ("failure", "skipped"):
            expression = f"needs.apply-{number}.result == '{result}' && needs.changed.outputs.wave-{number} || ''"
            says[expression] = made if results[number - 1] == result else ""
    replan = github_jobs(runner)["replan"]
    assert set(replan["needs"]) == {"changed", "apply-1", "apply-2", "apply-3"}
    done = runner.github(replan, says)
    assert done.code == 0, done.log
    assert runner.commands[-1].endswith(f"--field environments={named} --field attempt=2")


def test_the_pipeline_says_which_variable_is_missing(runner: Runner):
    (script,) = [s["run"] for s in github_jobs(runner)["check"]["steps"] if s.get("name") == "Require TOOLKIT_PACKAGE"]
    done = runner.script(script, runner.machine(), TOOLKIT_PACKAGE="")
    assert done.returncode == 1
    assert "::error::the repository variable TOOLKIT_PACKAGE is empty" in done.stdout
    assert runner.script(script, runner.machine(), TOOLKIT_PACKAGE="toolkit.whl").returncode == 0


GH = """\
echo "$MARKER|$*" >> "$CALLS"
if [[ "$*" == *--paginate* ]]; then cat "$(dirname "$CALLS")/found" 2>/dev/null; fi
for word in "$@"; do if [[ $word == body=@* ]]; then test -s "${word#body=@}" || exit 9; fi; done
"""


@needs_jq
@pytest.mark.parametrize("planned", [True, False])
@pytest.mark.parametrize("there_already", [False, True])
def test_there_is_one_comment_which_is_updated(runner: Runner, there_already: bool, planned: bool):
    runner.stand_in("gh", GH)
    if there_already:
        (runner.tmp / "found").write_text("4711\n")
    if planned:
        (runner.artifacts / "summary").mkdir(parents=True)
        (runner.artifacts / "summary" / "plan.md").write_text("<!-- aws-baseline-toolkit:fleet:plan -->\nthe plan\n")
    says = {"github.token": "token", "github.event.pull_request.number": "7"}
    done = runner.github(github_jobs(runner)["comment"], says, {"needs.summary.result == 'success'": planned})
    assert done.code == 0, done.log
    search, *writes = runner.commands
    assert search.startswith(
        "<!-- aws-baseline-toolkit:fleet:plan -->|api --paginate repos/example/accounts/issues/7/comments"
    )
    if not there_already and not planned:
        assert writes == []
        return
    (written,) = writes
    method, place = ("PATCH", "issues/comments/4711") if there_already else ("POST", "issues/7/comments")
    assert f"--method {method} repos/example/accounts/{place} --field body=@summary/plan.md" in written


@needs_jq
@pytest.mark.parametrize("runner", [("", {"prod": "drifts", "stage": "clean"})], indirect=True)
def test_each_night_an_issue_is_opened_updated_and_closed(runner: Runner):
    jobs = github_jobs(runner, "baseline-nightly")

    runner.stand_in("gh", "echo private")
    listed = runner.github(jobs["list"], {"github.token": "t", "vars.TOOLKIT_PUBLIC": ""})
    assert listed.code == 0, listed.log
    for entry in matrix_of(listed):
        says = {f"matrix.{key}": value for key, value in entry.items()} | {"vars.AWS_ROLE_ARN": "role"}
        looked = runner.github(jobs["look"], says)
        assert looked.code == 0, looked.log
    summary = runner.github(jobs["summary"], {"needs.list.outputs.matrix": listed.outputs["matrix"]["matrix"]})
    assert summary.code == 0, summary.log

    def issues() -> list[str]:
        runner.stand_in("gh", GH.replace('"$*" == *--paginate*', '"$*" == *--paginate* && $MARKER == *drift*'))
        runner.calls.write_text("")
        place = {"github.server_url": "https://example.com", "github.repository": "r", "github.run_id": "1"}
        assert runner.github(jobs["issues"], {"github.token": "token", **place}).code == 0
        return [line.partition("|")[2] for line in runner.commands if "--paginate" not in line]

    label, opened = issues()
    assert "repos/example/accounts/labels --field name=aws-baseline" in label
    assert "--method POST repos/example/accounts/issues --field title=AWS baseline: drift" in opened
    (runner.tmp / "found").write_text("12\n")
    (updated,) = issues()
    assert updated == "api --silent --method PATCH repos/example/accounts/issues/12 --field body=@summary/drift.md"
    found = runner.artifacts / "summary" / "drift.json"
    clean = json.loads(found.read_text()) | {"exit_code": 0}
    clean["counts"]["not_run"] = 1
    found.write_text(json.dumps(clean))
    assert "issues/12 --field body=@" in issues()[0], "nothing is known of an environment: the issue stays open"
    clean["counts"]["not_run"] = 0
    found.write_text(json.dumps(clean))
    comment, closed = issues()
    assert "issues/12/comments --field body=Nothing is found any more: https://example.com/r/actions/runs/1" in comment
    assert closed.endswith("issues/12 --field state=closed --field state_reason=completed")


@needs_jq
@pytest.mark.parametrize(("workflow", "job"), [("baseline-nightly", "list"), ("baseline", "check")])
def test_a_public_repository_gets_no_issues_and_no_artifacts(runner: Runner, workflow: str, job: str):
    runner.stand_in("gh", "echo public")
    steps = github_jobs(runner, workflow)[job]["steps"]
    refusal = next(step for step in steps if step.get("name") == "Refuse a public repository")
    assert steps.index(refusal) == 0, "before a checkout"
    assert "'dependabot[bot]'" in refusal["if"] if job == "check" else "if" not in refusal
    for public, code in (("", 1), ("true", 0)):
        says = {"github.token": "t", "vars.TOOLKIT_PUBLIC": public}
        assert runner.github({"steps": [refusal]}, says, {refusal.get("if", ""): True}).code == code


# GitLab


def gitlab(runner: Runner) -> dict[str, Any]:
    found: dict[str, Any] = yaml.safe_load(pipeline_files(Project(runner.project), "gitlab")[".gitlab-ci.yml"] or "")
    return found


def gitlab_script(runner: Runner, job: dict[str, Any], folder: Path, part: str = "script", **variables: str) -> Any:
    """As GitLab's runner: the lines of a part are one script of one shell."""
    lines = [*(job.get("before_script", ()) if part == "script" else ()), *job[part]]
    assert not any(" /tmp/" in line or "=/tmp/" in line for line in lines), "jobs of one machine would share the file"
    lines = [line.replace("/var/tmp/", f"{folder.parent}/") for line in lines]
    given = {
        "CI_PROJECT_DIR": str(folder),
        "TMPDIR": str(folder.parent),
        "CI_JOB_ID": "1",
        "AWS_TOKEN": "t",
        "CI_COMMIT_SHA": "0" * 40,
        **variables,
    }
    return runner.script("\n".join(lines), folder, shell=("sh", "-e", "-c"), **given)


@needs_jq
def test_gitlab_from_the_plan_to_the_apply_with_only_artifacts_between(runner: Runner):
    config = gitlab(runner)
    push = {"CI_PIPELINE_SOURCE": "push", "TOOLKIT_BUNDLE_KEY": "secret"}
    codes = {}
    for entry in config["plan"]["parallel"]["matrix"]:
        folder = runner.machine()
        codes[entry["NAME"]] = gitlab_script(runner, config["plan"], folder, **push, **entry).returncode
        for path in config["plan"]["artifacts"]["paths"]:
            if (folder / path).exists():
                shutil.copytree(folder / path, runner.artifacts / path, dirs_exist_ok=True)
    assert codes == {"bad": 4, "down": 1, "prod": 0, "stage": 0}
    folder = runner.machine()
    shutil.copytree(runner.artifacts / "reports", folder / "reports")
    done = gitlab_script(runner, config["summary"], folder)
    assert done.returncode == 0, done.stderr
    assert "Plan of 4 environments" in done.stdout
    runner.stand_in("git", "test $1 = fetch || printf '0%.0s' {1..40}")
    results = {}
    for entry in config["apply-1"]["parallel"]["matrix"]:
        folder = runner.machine()
        shutil.copytree(runner.artifacts / "bundles", folder / "bundles")
        results[entry["ENV"]] = gitlab_script(runner, config["apply-1"], folder, **push, **entry)
    assert {env: done.returncode for env, done in results.items()} == {"bad": 1, "down": 1, "prod": 0, "stage": 0}
    assert "there is no plan of bad: it was refused" in results["bad"].stdout
    assert "apply prod --plan bundles/prod.tfbundle --json key" in runner.commands
    runner.stand_in("git", "test $1 = fetch || printf '1%.0s' {1..40}")
    moved = gitlab_script(runner, config["apply-1"], folder, **push, ENV="stage")
    assert (moved.returncode, "main has moved on since this plan" in moved.stdout) == (1, True)


@needs_jq
def test_gitlab_a_stale_plan_is_planned_again_by_a_pipeline_of_its_own(runner: Runner):
    config = gitlab(runner)
    runner.stand_in("curl", 'echo "curl $*" >> "$CALLS"')
    folder = runner.machine()
    (folder / "apply.json").write_text('{"kind": "error", "code": "bad-plan", "reason": "expired"}')
    variables = {"ENV": "prod", "CI_JOB_TOKEN": "j", "CI_API_V4_URL": "https://example.com", "CI_PROJECT_ID": "5"}
    assert gitlab_script(runner, config["apply-1"], folder, "after_script", **variables).returncode == 0
    (call,) = runner.commands
    assert (
        "--form variables[ONLY]=prod --form variables[ATTEMPT]=1 https://example.com/projects/5/trigger/pipeline"
        in call
    )
    gitlab_script(runner, config["apply-1"], folder, "after_script", **variables, ATTEMPT="3")
    assert len(runner.commands) == 1
    (folder / "apply.json").write_text('{"code": "bad-plan", "reason": "unproven", "message": "not signed"}')
    done = gitlab_script(runner, config["apply-1"], folder, "after_script", **variables)
    assert 'not planned again: "not signed"' in done.stdout
    assert len(runner.commands) == 1, "a plan that somebody may have forged is not planned again"
    for name, planned in (("prod", True), ("stage", False)):
        runner.calls.write_text("")
        entry = next(one for one in config["plan"]["parallel"]["matrix"] if one["NAME"] == name)
        more = {"ONLY": "prod", "CI_PIPELINE_SOURCE": "pipeline", "TOOLKIT_BUNDLE_KEY": "k"}
        assert gitlab_script(runner, config["plan"], runner.machine(), **entry, **more).returncode == 0
        assert bool(runner.commands) == planned


@needs_jq
def test_gitlab_applies_a_wave_when_all_before_that_change_are_applied_and_plans_both_again(tmp_path: Path, warm: Warm):
    """One whose plan is refused, or has no changes, is waited for by no other."""
    for name, ring in {"a": "1", "b": "1", "no": "1", "bad": "1", "c": "2", "d": "2", "z": "3"}.items():
        environment(tmp_path / "project", name, f"labels: {{ring: '{ring}'}}\n")
    waves = "".join(f"  - {{name: w{n}, where: {{ring: '{n}'}}}}\n" for n in (1, 2))
    (tmp_path / "project" / "fleet.yaml").write_text(f"waves:\n{waves}")
    project = project_of(tmp_path / "project", kind="gitlab")
    runner = Runner(tmp_path, project.root, dict.fromkeys(("a", "b", "no", "c", "d", "z"), "changes"), warm)
    runner.stand_in("git", "test $1 = fetch || printf '0%.0s' {1..40}")
    runner.stand_in("curl", 'echo "curl $*" >> "$CALLS"')
    config, folder = gitlab(runner), runner.machine()
    for kept in ("bundles", "reports"):
        (folder / kept).mkdir()
    for name in runner.scenario:
        (folder / "bundles" / f"{name}.tfbundle").write_text(f"plan of {name}")
        (folder / "reports" / f"{name}.json").write_text(json.dumps({"changes_pending": name not in ("no", "d")}))
    variables = {"CI_JOB_URL": "https://example.com/1", "CI_API_V4_URL": "https://x", "CI_PROJECT_ID": "5"}

    def apply_(wave: int, name: str) -> str:
        (folder / "apply.json").unlink(missing_ok=True)
        done = gitlab_script(runner, config[f"apply-{wave}"], folder, ENV=name)
        assert "syntax" not in done.stderr
        if done.stdout:
            return str(done.stdout)
        status = {"CI_JOB_STATUS": "failed" if done.returncode else "success"}
        again = gitlab_script(runner, config[f"apply-{wave}"], folder, "after_script", ENV=name, **status, **variables)
        assert again.returncode == 0, again.stderr
        return "applied" if done.returncode == 0 else "failed"

    waits = "{} is not applied: its wave of fleet.yaml comes after {}, not yet applied in this pipeline."
    assert apply_(1, "a") == "applied"
    assert apply_(2, "c").startswith(waits.format("c", "b"))
    runner.scenario["b"] = "stale"
    assert apply_(1, "b") == "failed"
    assert apply_(3, "z").startswith(waits.format("z", "b c"))
    assert "variables[ONLY]=a b c z --" in runner.commands[-1]
    runner.scenario |= {"b": "changes", "c": "stale"}
    assert [apply_(1, "b"), apply_(2, "c"), apply_(2, "d")] == ["applied", "failed", "applied"]
    assert any("variables[ONLY]=c z --" in line for line in runner.commands[-2:])
    (folder / "applied" / "c").write_text("")
    (folder / "reports" / "d.json").unlink()
    (folder / "applied" / "d").unlink()
    assert apply_(3, "z").startswith(waits.format("z", "d")), "nothing is known of its changes"
    for wave, when in ((1, "always"), (2, "always"), (3, "on_failure")):
        kept = config[f"apply-{wave}"]["artifacts"]
        assert (kept["when"], "applied/*" in kept["paths"]) == (when, when == "always")


@needs_jq
def test_gitlab_gives_a_merge_request_no_key_and_one_note(runner: Runner):
    config = gitlab(runner)
    entry = next(one for one in config["plan"]["parallel"]["matrix"] if one["NAME"] == "prod")
    folder = runner.machine()
    request = {"CI_PIPELINE_SOURCE": "merge_request_event", "TOOLKIT_BUNDLE_KEY": "secret"}
    assert gitlab_script(runner, config["plan"], folder, **entry, **request).returncode == 0
    assert runner.commands[-1].endswith("--json")
    uploaded = [file.name for path in config["plan"]["artifacts"]["paths"] for file in (folder / path).rglob("*")]
    assert "prod.json" in uploaded
    assert not [name for name in uploaded if name.endswith(".tfbundle")], "it is not encrypted"
    note = {"CI_MERGE_REQUEST_IID": "9", "TOOLKIT_NOTE_TOKEN": "n", "CI_API_V4_URL": "https://x", "CI_PROJECT_ID": "5"}
    marker = "<!-- aws-baseline-toolkit:fleet:plan -->"
    for found, expected in ((f'[{{"id": 3, "body": "{marker} old"}}]', "PUT"), ("[]", "POST")):
        runner.calls.write_text("")
        runner.stand_in("curl", f'echo "curl $*" >> "$CALLS"; [[ $* == *per_page* ]] && echo \'{found}\'; true')
        done = gitlab_script(runner, config["summary"], folder, **note)
        assert done.returncode == 0, done.stderr
        assert f"--request {expected} " in runner.commands[-1]
        assert not any("TOKEN: n" in line for line in runner.commands), "no token is on a command line"


@pytest.mark.parametrize("variant", [v for v in VARIANTS if v != "attested"])
def test_gitlab_keeps_plans_from_other_people_and_applies_one_at_a_time(tmp_path: Path, variant: str):
    config = yaml.safe_load(texts(tmp_path, "gitlab", VARIANTS[variant])[".gitlab-ci.yml"])
    for name, job in config.items():
        if isinstance(job, dict) and "script" in job:
            assert "timeout" in job, name
            assert job.get("artifacts", {}).get("access", "developer") == "developer"
            assert ("id_tokens" in job) == name.startswith(("plan", "apply", "nightly")), name
            assert "cache" not in job or not name.startswith("apply")
    apply = config["apply-1"]
    assert (apply["resource_group"], apply["environment"]) == ("aws-$ENV", {"name": "aws-$ENV"})
    assert apply["rules"][0]["when"] == "manual"
    assert ("nightly" in config) == (variant != "quiet")


def test_gitlab_lets_a_plan_fail_without_skipping_every_apply_but_not_the_check(tmp_path: Path):
    """A manual job of a later stage is skipped after a job that failed and may not."""
    config = yaml.safe_load(texts(tmp_path, "gitlab", "")[".gitlab-ci.yml"])
    names = ("check", "plan", "summary")
    before = {name: config[name].get("allow_failure", False) for name in names}
    assert config["stages"] == [*names, "apply-1"]
    assert before == {"check": False, "plan": True, "summary": True}


# CodeBuild


@needs_jq
def test_codebuild_from_the_plan_to_the_apply_with_only_artifacts_between(runner: Runner):
    project = Project(runner.project)
    write(project, compare(project, "codebuild"), "codebuild", force=False)
    plan_, apply_, _ = (yaml.safe_load(text or "") for text in pipeline_files(project, "codebuild").values())
    codes = {}
    for env in plan_["batch"]["build-matrix"]["dynamic"]["env"]["variables"]["ENVIRONMENTS"]:
        folder = runner.machine()
        for command in plan_["phases"]["build"]["commands"]:
            if command.startswith("mkdir") or (env == "prod" and not command.startswith("toolkit validate")):
                codes[env] = runner.script(command, folder, ENVIRONMENTS=env).returncode
        if (folder / "bundles").is_dir() and any((folder / "bundles").iterdir()):
            shutil.copytree(folder / "bundles", runner.artifacts / env / "bundles")
    assert codes == {"bad": 4, "down": 1, "prod": 0, "stage": 0}
    assert apply_["batch"]["build-matrix"]["static"]["ignore-failure"] is False
    (command,) = apply_["phases"]["build"]["commands"]
    mark, keep = apply_["phases"]["build"]["finally"]
    results = {}
    for env in apply_["batch"]["build-matrix"]["dynamic"]["env"]["variables"]["ENVIRONMENTS"]:
        folder = runner.machine()
        variables = {"ENVIRONMENTS": env, "CODEBUILD_SRC_DIR_PlanOutput": str(runner.artifacts)}
        results[env] = runner.script(command, folder, **variables).returncode
        # A state that could be kept in the home folder alone is in the artifact, too.
        home = folder / "home"
        home.mkdir()
        (home / f"toolkit-{env}-x-errored.tfstate.sealed").write_text("sealed")
        for command_ in (mark, keep):
            assert runner.script(command_, folder, HOME=str(home), **variables).returncode == 0
        kept = {str(file.relative_to(folder)) for one in apply_["artifacts"]["files"] for file in folder.glob(one)}
        assert f"result/{env}.txt" in kept, "an artifact without any file fails the build"
        assert f"result/toolkit-{env}-x-errored.tfstate.sealed" in kept
    assert results == {"bad": 1, "down": 1, "prod": 0, "stage": 0}
    # A build of several, as of more environments than a batch takes: one without a plan stops no other.
    runner.calls.write_text("")
    variables = {"ENVIRONMENTS": "bad prod", "CODEBUILD_SRC_DIR_PlanOutput": str(runner.artifacts)}
    assert runner.script(command, runner.machine(), **variables).returncode == 1
    assert [line.split()[:2] for line in runner.commands] == [["apply", "prod"]]


@pytest.mark.parametrize("kind", ["gitlab", "codebuild"])
def test_no_job_is_in_a_matrix_that_is_too_large(tmp_path: Path, kind: str):
    most, files = {"gitlab": GITLAB, "codebuild": CODEBUILD}[kind], []
    for text in pipeline_files(project_of(tmp_path, *(f"e{n:03}" for n in range(257)), kind=kind), kind).values():
        files.append(yaml.safe_load(text or ""))
    if kind == "gitlab":
        applies = [job for name, job in files[0].items() if name.startswith("apply-")]
        found = [job["parallel"]["matrix"] for job in (files[0]["plan"], files[0]["nightly"], *applies)]
        assert [len(matrix) for matrix in found] == [200, 200, 200, 57]
        words = [" ".join(one["ENVIRONMENTS"] for one in found[0]), " ".join(o["ENV"] for m in found[2:] for o in m)]
    else:
        found = [one["batch"]["build-matrix"]["dynamic"]["env"]["variables"]["ENVIRONMENTS"] for one in files[:2]]
        words = [" ".join(matrix) for matrix in found]
    assert all(len(matrix) <= most for matrix in found)
    assert [len(set(text.split())) for text in words] == [257, 257]


@pytest.mark.parametrize("runner", [("", {"prod": "clean"}), ("", {"prod": "drifts"})], indirect=True)
def test_codebuild_looks_each_night_and_fails_for_what_it_finds(runner: Runner):
    nightly = yaml.safe_load(pipeline_files(Project(runner.project), "codebuild")["buildspec-nightly.yml"] or "")
    folder = runner.machine()
    look, fold = nightly["phases"]["build"]["commands"]
    assert runner.script(look, folder).returncode == 0
    assert runner.script(fold, folder).returncode == (0 if runner.scenario["prod"] == "clean" else 2)


# What is next to the pipelines


def test_the_action_installs_itself_with_the_same_pins_and_takes_its_input_by_the_environment(
    tmp_path: Path, warm: Warm
):
    text = (DOCS.parent / "action.yml").read_text("utf-8")
    pins = set(re.findall(r"uses: (\S+@[0-9a-f]{40} # \S+)", text))
    ours = texts(tmp_path, "github", "")[".github/workflows/baseline.yml"]
    assert len(pins) == text.count("uses: ")
    assert pins <= set(re.findall(r"uses: (\S+@[0-9a-f]{40} # \S+)", ours))
    steps = yaml.safe_load(text)["runs"]["steps"]
    assert not any("${{" in step.get("run", "") for step in steps)
    runner = Runner(tmp_path, tmp_path / "project", {"prod": "changes"}, warm)
    folder = runner.machine()
    (folder / "reports").mkdir()
    done = runner.script(steps[-1]["run"], folder, COMMAND="plan prod --no-render --out bundles/")
    assert done.returncode == 0, done.stderr
    assert runner.commands == ["plan prod --no-render --out bundles/"]


def test_the_hooks_of_pre_commit_are_commands():
    hooks = yaml.safe_load((DOCS.parent / ".pre-commit-hooks.yaml").read_text("utf-8"))
    assert [hook["entry"] for hook in hooks] == ["toolkit render --check", "toolkit validate"]
    documented = (DOCS / "integrations.md").read_text("utf-8")
    assert all(f"- id: {hook['id']}\n" in documented and hook["pass_filenames"] is False for hook in hooks)


def test_what_access_tests_need_is_installed_where_they_run(tmp_path: Path):
    extras = tomllib.loads((DOCS.parent / "pyproject.toml").read_text("utf-8"))["project"]["optional-dependencies"]
    hooks = yaml.safe_load((DOCS.parent / ".pre-commit-hooks.yaml").read_text("utf-8"))
    (validate,) = [hook for hook in hooks if hook["id"] == "toolkit-validate"]
    assert validate["additional_dependencies"] == extras["sandbox"]
    steps = yaml.safe_load((DOCS.parent / "action.yml").read_text("utf-8"))["runs"]["steps"]
    (install,) = [step["run"] for step in steps if "pip install" in step.get("run", "")]
    assert install.endswith('"${GITHUB_ACTION_PATH}[sandbox,encryption]"')
    assert {"sandbox", "encryption"} <= set(extras)
    header = texts(tmp_path, "github", "")[".github/workflows/baseline.yml"].partition("\nname:")[0]
    named = "aws-baseline-toolkit[sandbox] @ "
    assert named in header
    assert all(named in (DOCS / page).read_text("utf-8") for page in ("pipelines.md", "explain.md"))


def test_the_containers_are_of_the_versions_that_were_tested():
    text = (DOCS.parent / "Containerfile").read_text("utf-8")
    images = re.findall(r"^ARG \w+=(\S+):(\S+)$", text, re.M)
    documented = (DOCS / "integrations.md").read_text("utf-8")
    assert len(images) == 2
    assert all(f"| `{image}` | `{tag}` | not verified |" in documented for image, tag in images)
    target = json.loads((DOCS.parent / ".devcontainer" / "devcontainer.json").read_text("utf-8"))["build"]["target"]
    assert f" AS {target}\n" in text


# The documentation


def test_the_nightly_workflow_of_the_docs_is_pinned_alike_and_reads_only(tmp_path: Path):
    text = (DOCS / "scheduled-audit.md").read_text("utf-8")
    workflow, buildspec = (yaml.safe_load(block) for block in re.findall(r"^```yml\n(.*?)^```", text, re.M | re.S))
    pins = set(re.findall(r"uses: (\S+@[0-9a-f]{40} # \S+)", text))
    assert len(pins) == text.count("uses: ")
    ours = texts(tmp_path, "github", "")[".github/workflows/baseline.yml"]
    assert pins <= set(re.findall(r"uses: (\S+@[0-9a-f]{40} # \S+)", ours))
    assert workflow["permissions"] == {}
    (job,) = workflow["jobs"].values()
    assert {name for name, access in job["permissions"].items() if access == "write"} == {"id-token"}
    commands = [step.get("run", "") for step in job["steps"]] + buildspec["phases"]["build"]["commands"]
    assert [c for c in commands if "toolkit " in c] == [c for c in commands if "toolkit audit prod " in c] != []
