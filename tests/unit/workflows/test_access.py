"""Whom `toolkit explain` asks about: a bundle, and where a policy comes from."""

from __future__ import annotations

import json
import zipfile
from pathlib import Path

import pytest

from tests.unit.terraform.test_bundle import MANIFEST
from toolkit.access import Judge, Question, Verdict
from toolkit.access.asking import answer_of, named
from toolkit.access.changes import NO_CHANGES
from toolkit.environment import load_text
from toolkit.errors import ToolkitError, UsageError
from toolkit.iam import PolicyError
from toolkit.paths import Project
from toolkit.terraform import bundle as bundles
from toolkit.terraform.sealing import NO_KEYS
from toolkit.workflows.access import Subject, environment_named, planned, session_policies, texts
from toolkit.workflows.workspace import Access

PLANS = Path(__file__).parents[2] / "plans" / "components"
TEXT = (PLANS / "identities.yaml").read_text("utf-8")


@pytest.fixture
def bundle(tmp_path: Path) -> Path:
    plan, path = tmp_path / "plan.tfplan", tmp_path / "prod.tfbundle"
    with zipfile.ZipFile(plan, "w") as archive:
        archive.writestr("tfstate", json.dumps({"lineage": "3f9e", "serial": 7}))
    planned_json = json.loads((PLANS / "identities.json").read_text("utf-8"))
    bundles.place(path, bundles.pack(MANIFEST, plan.read_bytes(), planned_json, (), NO_CHANGES, NO_KEYS))
    return path


def test_a_bundle_is_asked_by_itself(bundle: Path) -> None:
    subject = planned(str(bundle), None, Access(environ={}), NO_KEYS)
    assert subject.world.source == f"the plan {bundle}"
    assert subject.world.account_id == MANIFEST.account_id
    answer = answer_of(Judge(subject.world), named(subject.world, "break-glass"), Question("iam:CreateUser"))
    assert answer.verdict is Verdict.ALLOWED
    # Without the environment's file, the statement has the address of what gives it.
    assert "from module.iam_roles.aws_iam_role_policy_attachment" in subject.ground(answer.grounds[0])


def test_a_statement_names_file_line_and_setting(bundle: Path) -> None:
    shown = "environments/prod/environment.yaml"
    environment = load_text(TEXT, name="prod", shown_as=shown)
    subject = Subject(planned(str(bundle), None, Access(environ={}), NO_KEYS).world, environment, shown)
    answer = answer_of(Judge(subject.world), named(subject.world, "break-glass"), Question("iam:CreateUser"))
    said = subject.ground(answer.grounds[0])
    assert said.startswith("identity-based policy AdministratorAccess, statement 1, from environments/prod/")
    line, setting = said.rpartition("environment.yaml:")[2].split(" ")
    assert setting.startswith("components.iam_roles")
    assert TEXT.splitlines()[int(line) - 1].strip().startswith(setting.rpartition(".")[2])


def test_texts_of_aws_policies_are_those_that_were_read_last(tmp_path: Path) -> None:
    arn = "arn:aws:iam::aws:policy/ReadOnlyAccess"
    found = texts(Project(tmp_path))(arn)
    assert found is not None
    assert "moto" in found[1]
    (tmp_path / ".toolkit").mkdir()
    kept = {arn: {"document": "{}", "version": "v9", "read": "2026-11-29"}}
    (tmp_path / ".toolkit" / "managed-policies.json").write_text(json.dumps(kept))
    assert texts(Project(tmp_path))(arn) == ("{}", "v9, read on 2026-11-29")
    assert texts(None)("arn:aws:iam::aws:policy/NoSuchPolicy") is None
    (tmp_path / ".toolkit" / "managed-policies.json").write_text("[]")
    assert texts(Project(tmp_path))(arn) == found


def test_session_policies_from_files(tmp_path: Path) -> None:
    file = tmp_path / "session.json"
    with pytest.raises(ToolkitError, match="cannot be read"):
        session_policies([file])
    file.write_text('{"Statement": []}')
    with pytest.raises(PolicyError):
        session_policies([file])
    file.write_text('{"Version": "2012-10-17", "Statement": {"Effect": "Allow", "Action": "s3:*", "Resource": "*"}}')
    assert session_policies([file])[0].name == str(file)


def test_the_environment_may_be_left_out_where_there_is_one(tmp_path: Path) -> None:
    for name in ("prod", "test"):
        (tmp_path / "environments" / name).mkdir(parents=True)
        (tmp_path / "environments" / name / "environment.yaml").write_text(TEXT)
    with pytest.raises(UsageError, match="the project has 2 environments"):
        environment_named(Project(tmp_path), None)
    assert environment_named(Project(tmp_path), "test") == "test"
