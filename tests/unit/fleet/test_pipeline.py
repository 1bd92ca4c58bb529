"""pipeline.yaml, and the jobs of a pipeline that follow from it."""

from __future__ import annotations

import json
import re
import shlex
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from toolkit.errors import ToolkitError, UsageError
from toolkit.fleet.matrix import Described, apply_matrix, chosen, jobs, plan_matrix, wave_of, waves
from toolkit.fleet.pipeline import Bundle, Pipeline, PipelineFileError, load_pipeline, parse_pipeline, schema_text
from toolkit.fleet.settings import FleetSettings, parse_settings


def described(
    name: str, regions: int = 1, line: int = 3, simulator: str | None = None, state: str | None = None, **labels: str
) -> Described:
    return Described(name, "111122223333", "eu-central-1", regions, labels, state, simulator, line)


def told(error: ToolkitError) -> list[str]:
    return (error.detail or "").splitlines()


def test_without_a_file_everything_has_its_default(tmp_path: Path):
    written = load_pipeline(tmp_path)
    assert written.settings == Pipeline()
    assert not written.exists


def test_a_list_of_one_needs_no_brackets():
    settings = parse_pipeline("environments: prod-*\nwhere: {tier: prod}\nrunner: big\n").settings
    assert (settings.environments, settings.where, settings.runner) == (("prod-*",), {"tier": ("prod",)}, ("big",))


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "pipeline.yaml:1: the file is empty; expected one document with settings of the pipeline"),
        ("- a\n", "pipeline.yaml:1: a list at the top; expected keys like environments, where, repository"),
        (
            "brnch: main\n",
            "pipeline.yaml:1: brnch: unknown key 'brnch'; expected one of environments, where, repository, branch, "
            "pull_request, package, terraform, runner, shards, expires_in, plan_minutes, apply_minutes, cache, bundle, "
            "nightly (did you mean 'branch'?)",
        ),
        (
            "nightly:\n  croon: x\n",
            "pipeline.yaml:2: nightly.croon: unknown key 'croon'; expected one of enabled, cron, fail_on, issue_label "
            "(did you mean 'cron'?)",
        ),
        (
            "\nrepository: accounts\n",
            'pipeline.yaml:2: repository: "accounts"; expected OWNER/NAME, as in the repository\'s address',
        ),
        ("shards: 257\n", "pipeline.yaml:1: shards: 257; expected at most 256"),
        (
            "pull_request: chnged\n",
            'pipeline.yaml:1: pull_request: "chnged"; expected "changed" or "all" (did you mean \'changed\'?)',
        ),
        (
            "nightly: {cron: daily}\n",
            'pipeline.yaml:1: nightly.cron: "daily"; expected five fields of cron in UTC, like "17 4 * * *"',
        ),
        (
            "bundle: {to: 's3://acme'}\n",
            'pipeline.yaml:1: bundle.to: "s3://acme"; expected artifact, or an S3 prefix of letters, digits and ._- '
            'that ends with a slash, like "s3://acme-plans/baseline/"',
        ),
        (
            "bundle:\n  sign: kms\n",
            "pipeline.yaml:1: bundle: `sign: kms` and `signing_key` are set together, or neither",
        ),
        (
            "bundle:\n  sign: github\n  to: s3://acme-plans/\n",
            "pipeline.yaml:1: bundle: `sign: github` is for plans that are artifacts, not for an S3 prefix",
        ),
        ("runner: []\n", "pipeline.yaml:1: runner: a list; expected at least 1 entry"),
        ("cache: 'no'\n", 'pipeline.yaml:1: cache: "no"; expected true or false'),
    ],
)
def test_what_is_wrong_is_reported_with_its_line(text: str, message: str):
    with pytest.raises(PipelineFileError) as caught:
        parse_pipeline(text)
    assert told(caught.value) == [message]


@pytest.mark.parametrize("character", "()'*!$` ;&|<>\"\\~{}[]?#=%@,:+\n\x00é")
def test_a_prefix_is_a_word_of_a_shell_that_needs_no_quotes(character: str):
    """It is written bare into scripts of bash and of sh."""
    text = f"bundle: {{to: {json.dumps(f's3://acme-plans/a{character}b/')}}}"
    with pytest.raises(PipelineFileError):
        parse_pipeline(text)
    to = "s3://acme-plans/A_b.c-9/d/"
    assert parse_pipeline(f"bundle: {{to: '{to}'}}").settings.bundle.to == to == shlex.quote(to)


@pytest.mark.parametrize(
    "name",
    ["accounts", "/accounts", "acme/", "acme//accounts", "https://example.com/acme/accounts", "acme/a b", "acme/a\n",
     "-a/b", "acme/$(id)", "acme/${{ x }}", "a--b/c", "acme/'", "acme/.", ""],
)  # fmt: skip
def test_what_is_no_name_of_a_repository_is_refused(name: str):
    with pytest.raises(PipelineFileError) as caught:
        parse_pipeline(json.dumps({"repository": name}))
    (line,) = told(caught.value)
    assert line.startswith("pipeline.yaml:1: repository: ")


@pytest.mark.parametrize("name", ["acme/accounts", "Acme-1/a.b_c-d", "group/sub/accounts"])
def test_names_of_repositories_are_accepted(name: str):
    assert parse_pipeline(f"repository: {name}\n").settings.repository == name


SHELL = re.compile(r"[\s\"'`$\\;&|<>(){}#]")


@given(st.text())
def test_nothing_that_a_shell_or_yaml_reads_gets_into_what_stands_in_a_script(text: str):
    """Branch, repository, prefix, key and duration stand in scripts and expressions without quotes of their own."""
    for key, block in (
        ("branch", {"branch": text}), ("repository", {"repository": text}), ("expires_in", {"expires_in": text}),
        ("to", {"bundle": {"to": text}}), ("kms_key", {"bundle": {"kms_key": text}}),
    ):  # fmt: skip
        try:
            Pipeline.model_validate(block)
        except ValueError:
            continue
        assert not SHELL.search(text) or (key == "to" and not set(text) & set('"`$\\;&|<>{}# \n\t')), (key, text)


@pytest.mark.parametrize("branch", ["main", "release/2.x", "a_b-c", "v1.0"])
def test_branches_are_accepted(branch: str):
    assert Pipeline.model_validate({"branch": branch}).branch == branch


@pytest.mark.parametrize("branch", ["", "-x", "/x", "a..b", "a b", "a'b", "x.lock", "a//b", "x/", "x.", "a$(id)"])
def test_what_is_no_branch_is_refused(branch: str):
    with pytest.raises(ValueError, match="the name of a branch"):
        Pipeline.model_validate({"branch": branch})


@pytest.mark.parametrize(("given", "days"), [("90m", 1), ("24h", 1), ("25h", 2), ("3d", 3), ("9999d", 90)])
def test_a_saved_plan_is_kept_as_long_as_it_may_be_applied(given: str, days: int):
    assert Pipeline(expires_in=given).days == days


def test_the_schema_takes_what_the_loader_takes():
    schema = json.loads(schema_text())
    assert set(schema["properties"]) == set(Pipeline.model_fields)
    assert {"type": "string"} in schema["properties"]["environments"]["anyOf"]
    assert all(field.description for model in (Pipeline, Bundle) for field in model.model_fields.values())


# The environments


def choose(text: str, *environments: Described) -> list[str]:
    return [one.name for one in chosen(parse_pipeline(text), environments)]


def test_names_patterns_and_labels_select_and_the_embedded_aws_is_left_out():
    every = (
        described("prod-a", tier="prod"),
        described("prod-b", tier="prod"),
        described("test", tier="test"),
        described("try", simulator="moto"),
        described("old", state="SUSPENDED"),
    )
    assert choose("branch: main\n", *every) == ["prod-a", "prod-b", "test"]
    assert choose("environments: [test, 'prod-*']\n", *every) == ["prod-a", "prod-b", "test"]
    assert choose("where: {tier: [test]}\n", *every) == ["test"]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("environments: [prd]\n", "pipeline.yaml:1: environments[0]: no environment 'prd'; expected one of prod, test"),
        (
            "\nenvironments: [try]\n",
            "pipeline.yaml:2: environments[0]: 'try' is of the embedded AWS, which exists on one machine only; "
            "expected one of prod, test",
        ),
        (
            "environments: [old]\n",
            "pipeline.yaml:1: environments[0]: the account of 'old' is SUSPENDED; expected one of prod, test",
        ),
        ("where: {teir: x}\n", "pipeline.yaml:1: where.teir: no environment has a label 'teir'; expected one of tier"),
        (
            "where: {tier: prd}\n",
            "pipeline.yaml:1: where.tier[0]: no environment has the label tier=prd; expected one of prod",
        ),
    ],
)
def test_what_the_project_does_not_have_is_refused_with_its_line(text: str, message: str):
    every = (described("prod", tier="prod"), described("test", tier="prod"), described("try", simulator="moto"))
    every = (*every, described("old", state="SUSPENDED"))
    with pytest.raises(PipelineFileError) as caught:
        choose(text, *every)
    (line,) = told(caught.value)
    assert line.startswith(message)


def test_an_environment_without_a_label_that_the_pipeline_selects_by_is_refused_in_its_own_file():
    """It would be in no pipeline, and nothing would say so."""
    with pytest.raises(PipelineFileError) as caught:
        choose("where: {tier: prod}\n", described("prod", tier="prod"), described("new", line=7))
    assert told(caught.value) == [
        "environments/new/environment.yaml:7: labels.tier: missing: pipeline.yaml selects by it; expected one of prod"
    ]


FLEET = "waves:\n  - {name: canary, where: {ring: canary}}\n  - {name: named, environments: [special]}\n"


def test_without_waves_there_is_one():
    assert waves(FleetSettings(), [described("prod")], [described("prod")]) == ("",)
    assert wave_of(1, FleetSettings(), [described("prod")], [described("prod")]) == {"prod"}


def test_each_environment_is_in_one_wave():
    every = [described("a", ring="canary"), described("b", ring="late"), described("special")]
    fleet = parse_settings(FLEET)
    assert waves(fleet, every, every) == ("canary", "named", "rest")
    assert [wave_of(number, fleet, every, every) for number in (1, 2, 3)] == [{"a"}, {"special"}, {"b"}]
    with pytest.raises(UsageError, match="--wave 4: there are 3 waves"):
        wave_of(4, fleet, every, every)


def test_an_environment_without_a_label_that_orders_the_waves_is_refused_in_its_own_file():
    every = [described("a", ring="canary"), described("new", line=4), described("special")]
    with pytest.raises(PipelineFileError) as caught:
        waves(parse_settings(FLEET), every, every)
    assert told(caught.value) == [
        "environments/new/environment.yaml:4: labels.ring: missing: fleet.yaml orders by it; expected one of canary"
    ]


# The jobs


@pytest.mark.parametrize(
    ("number", "shards", "sizes"),
    [
        (0, None, []),
        (1, None, [1]),
        (256, None, [1] * 256),
        (257, None, [2] + [1] * 255),
        (1000, None, [4] * 232 + [3] * 24),
        (1000, 256, [4] * 232 + [3] * 24),
        (1000, 7, [143] * 6 + [142]),
        (257, 2, [129, 128]),
        (3, 200, [1, 1, 1]),
    ],
)
def test_every_environment_is_in_one_job_and_sizes_differ_by_one(number: int, shards: int | None, sizes: list[int]):
    environments = [described(f"e{n:04}", regions=n % 5 + 1) for n in range(number)]
    made = jobs(environments, shards)
    assert sorted((len(job.members) for job in made), reverse=True) == sizes
    assert sorted(m.name for job in made for m in job.members) == [one.name for one in environments]
    assert jobs(reversed(environments), shards) == made, "the same environments give the same jobs"
    assert len({job.name for job in made}) == len(made)
    loads = [sum(m.regions for m in job.members) for job in made]
    if number > 256:
        assert max(loads) - min(loads) <= 5, "long plans are spread"
    # What GitHub takes of an output (docs.github.com, "Workflow syntax", jobs.<job_id>.outputs): 1 MB.
    assert len(json.dumps(plan_matrix(made))) < 200_000


@settings(max_examples=40, deadline=None)
@given(st.integers(0, 300), st.integers(1, 256), st.integers(1, 17))
def test_any_number_of_environments_is_dealt_evenly(number: int, shards: int, regions: int):
    environments = [described(f"e{n}", regions=n % regions + 1) for n in range(number)]
    sizes = [len(job.members) for job in jobs(environments, shards)]
    assert len(sizes) == min(number, shards)
    assert sum(sizes) == number
    assert max(sizes, default=0) - min(sizes, default=0) <= 1


@pytest.mark.parametrize("shards", [0, 257, -1])
def test_more_jobs_than_a_matrix_takes_are_refused(shards: int):
    with pytest.raises(UsageError, match=f"--shards {shards}: a matrix has at most 256 jobs"):
        jobs([described("prod")], shards)


def test_no_environment_can_be_called_as_a_job_of_several():
    """Artifacts are named by jobs, and GitHub environments by environments: `plan` is of jobs of several."""
    from toolkit.paths import ENVIRONMENT_NAME

    made = jobs([described("a"), described("b"), described("shard")], 2)
    several, single = made
    assert not ENVIRONMENT_NAME.match(several.name)
    assert several.entry() == {
        "name": "shard.1",
        "environments": "a shard",
        "account_id": "",
        "region": "eu-central-1",
        "environment": "plan",
    }
    assert single.entry()["environment"] == "plan-b"


def test_only_what_is_ready_is_applied_with_the_artifact_that_has_its_plan():
    made = jobs([described("a"), described("b"), described("c")], 2)
    assert apply_matrix(made, frozenset({"c", "gone"})) == {
        "include": [
            {
                "name": "c",
                "account_id": "111122223333",
                "region": "eu-central-1",
                "environment": "aws-c",
                "artifact": "plan-shard.1",
            }
        ]
    }
