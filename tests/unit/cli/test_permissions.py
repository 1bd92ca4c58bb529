"""`toolkit permissions`: what it prints and writes, and what it refuses."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from toolkit.iam.hand_over import PlanStore, bucket_policy

Told = Callable[..., tuple[str, str]]
ENVIRONMENT = """\
account_id: "123456789012"
regions: {home: eu-central-1}
backend: {type: s3, bucket: state-bucket, region: eu-central-1}
components:
  password_policy: {}
  iam_groups: {}
"""


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    folder = tmp_path / "environments" / "prod"
    folder.mkdir(parents=True)
    (folder / "environment.yaml").write_text(ENVIRONMENT)
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.mark.usefixtures("project")
def test_each_policy_is_printed_with_its_size_and_its_principal(told: Told):
    out, err = told("permissions", "prod", "--for", "discover")
    first, _, rest = out.partition("\n\n")
    title, _, policy = rest.partition("\n")
    assert first == "prod: 1 managed policy for `toolkit discover`"
    document = json.loads(policy)
    size = len("".join(json.dumps(document, separators=(",", ":")).split()))
    count = len(document["Statement"])
    assert title == (
        f"prod-discover: {size:,} of 6,144 characters, {count} statements, for the principal that runs the toolkit in "
        "account 123456789012"
    )
    assert "administers IAM" not in err
    assert "NeverRecorded" in told("permissions", "prod", "--for", "plan")[1]


@pytest.mark.usefixtures("project")
def test_an_apply_is_said_to_administer_iam(told: Told):
    _, err = told("permissions", "prod", "--for", "apply")
    assert "This policy administers IAM" in err
    assert "--also FILE" in err


@pytest.mark.parametrize(
    ("more", "purpose", "said", "unsaid"),
    [
        ("", "apply", ["cover everything"], ["hand-over", "every key"]),
        ("  cloudtrail: {}\n", "apply", ["nothing but the region limits changes to the policies of KMS keys"], []),
        ("  cloudtrail: {}\ndefault_tags: {ManagedBy: toolkit}\n", "apply", ["cover everything"], ["every key"]),
        ("bundle: {require_signature: alias/plans}\n", "plan", ["attach it to no role that pull requests"], ["store`"]),
        ("bundle: {require_signature: alias/plans}\n", "apply", [], ["pull requests"]),
        ("bundle: {bucket_kms_key: alias/plans}\n", "plan", ["`bundle.store` is not: no statement"], ["every key"]),
        ("bundle: {store: 's3://plans/'}\n", "apply", ["SSE-KMS, name the key"], []),
        ("bundle: {store: 's3://plans/', bucket_kms_key: alias/p}\n", "plan", [], ["bundle."]),
        ("bundle: {store: 's3://plans/', require_run: true}\n", "discover", [], ["bundle."]),
    ],
)
def test_the_notes_say_what_is_true(
    more: str, purpose: str, said: list[str], unsaid: list[str], told: Told, project: Path
):
    (project / "environments" / "prod" / "environment.yaml").write_text(ENVIRONMENT + more)
    _, err = told("permissions", "prod", "--for", purpose)
    text = " ".join(err.split())
    assert all(re.search(words, text) for words in said)
    assert not any(words in text for words in unsaid)


@pytest.mark.parametrize(
    ("bundle", "pipeline", "purpose", "said"),
    [
        (
            "",
            "to: s3://plans/ci/",
            "plan",
            ["passes plans on through s3://plans/ci/", "is not set: set it to the same"],
        ),
        ("store: s3://plans/x/", "to: s3://plans/ci/", "apply", ["of this environment is s3://plans/x/"]),
        ("store: s3://plans/ci/", "to: s3://plans/ci/", "plan", []),
        ("", "kms_key: alias/b", "plan", ["alias/b: these policies do not have kms:GenerateDataKey for it"]),
        ("", "kms_key: alias/b", "apply", ["do not have kms:Decrypt"]),
        ("", "{sign: kms, signing_key: alias/s}", "plan", ["set `bundle.require_signature` to it"]),
        ("require_signature: alias/s", "{sign: kms, signing_key: alias/s}", "apply", []),
    ],
)
def test_what_pipeline_yaml_says_otherwise_is_noted(
    bundle: str, pipeline: str, purpose: str, said: list[str], told: Told, project: Path
):
    (project / "environments" / "prod" / "environment.yaml").write_text(f"{ENVIRONMENT}bundle: {{{bundle}}}\n")
    (project / "pipeline.yaml").write_text(f"bundle: {pipeline if pipeline[0] == '{' else '{' + pipeline + '}'}\n")
    text = " ".join(told("permissions", "prod", "--for", purpose)[1].split())
    assert ("pipeline.yaml" in text) == bool(said)
    assert all(words in text for words in said)


def test_the_policy_of_the_bucket_is_printed(told: Told, project: Path):
    _, err = told("permissions", "prod", "--bucket-policy", exits=64)
    assert "environments/prod/environment.yaml: --bucket-policy: `bundle.store` names no bucket" in err
    text = f"{ENVIRONMENT}bundle: {{store: 's3://example-plans/ci/'}}\n"
    (project / "environments" / "prod" / "environment.yaml").write_text(text)
    out, _ = told("permissions", "prod", "--bucket-policy")
    assert json.loads(out) == bucket_policy(PlanStore("example-plans", "123456789012", "ci/"))
    for more in (("--for", "plan"), ("--json",)):
        assert "takes none of" in told("permissions", "prod", "--bucket-policy", *more, exits=64)[1]
    assert "one of --for and --bucket-policy" in told("permissions", "prod", exits=64)[1]


def test_files_are_what_the_cli_of_aws_takes(told: Told, project: Path):
    out, _ = told("permissions", "prod", "--for", "apply", "--out", "policies")
    files = sorted((project / "policies").iterdir())
    names = [file.name.removesuffix(".json") for file in files]
    assert [f"wrote policies/{file.name}" for file in files] == out.splitlines()[-len(files) :]
    printed = json.loads(told("permissions", "prod", "--for", "apply", "--json")[0])
    assert [one["name"] for one in printed["policies"]] == names
    assert [one["policy"] for one in printed["policies"]] == [json.loads(file.read_text()) for file in files]


def test_a_file_of_an_earlier_output_is_named(told: Told, project: Path):
    folder = project / "policies"
    folder.mkdir()
    for name in ("prod-discover-7", "prod-discover", "prod-apply-2", "others"):
        (folder / f"{name}.json").write_text("{}")
    _, err = told("permissions", "prod", "--for", "discover", "--out", "policies")
    assert err.count("is of an earlier output") == 1
    assert "policies/prod-discover-7.json is of an earlier output: delete it" in err


def test_no_link_is_written_through(told: Told, project: Path):
    (project / "policies").mkdir()
    (project / "policies" / "prod-discover.json").symlink_to(project / "elsewhere")
    told("permissions", "prod", "--for", "discover", "--out", "policies", exits=1)
    assert not (project / "elsewhere").exists()


def test_an_earlier_version_is_covered(told: Told, project: Path):
    (project / "before.yaml").write_text(ENVIRONMENT.replace("iam_groups: {}", "iam_groups: {groups: {gone: {}}}"))

    def resources(*more: str) -> str:
        return told("permissions", "prod", "--for", "apply", "--json", *more)[0]

    assert "group/gone" not in resources()
    assert "group/gone" in resources("--also", "before.yaml")


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("--for", "aply"), "--for: no purpose 'aply'; did you mean 'apply'?"),
        (("--for", "plan", "--also", "other.yaml"), "other.yaml is of account 444455556666, and prod of 123456789012"),
    ],
)
def test_what_does_not_fit_is_refused(told: Told, project: Path, arguments: tuple[str, ...], message: str):
    (project / "other.yaml").write_text(ENVIRONMENT.replace("123456789012", "444455556666"))
    _, err = told("permissions", "prod", *arguments, exits=64)
    assert message in err


def test_a_wrong_earlier_version_is_named_with_its_line(told: Told, project: Path):
    (project / "before.yaml").write_text(ENVIRONMENT.replace("password_policy", "pasword_policy"))
    _, err = told("permissions", "prod", "--for", "apply", "--also", "before.yaml", exits=1)
    assert "before.yaml:5" in err


@pytest.mark.usefixtures("project")
def test_the_json_is_as_described(told: Told, json_shape: Callable[[str], Any]):
    for purpose in ("discover", "plan", "apply"):
        json_shape(told("permissions", "prod", "--for", purpose, "--json")[0])


def test_too_many_policies_are_warned_of(told: Told, project: Path):
    groups = "".join(f"      {'group' * 20}-{n}: {{}}\n" for n in range(400))
    text = ENVIRONMENT.replace("  iam_groups: {}\n", f"  iam_groups:\n    groups:\n{groups}")
    (project / "environments" / "prod" / "environment.yaml").write_text(text)
    _, err = told("permissions", "prod", "--for", "apply")
    assert "managed policies by default" in err
