"""Organization policies that must not be sent are refused by the real commands, with no Terraform and no AWS there."""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from pathlib import Path

import pytest

from toolkit.cli.main import run
from toolkit.errors import ExitCode
from toolkit.policy_types import UNCONFIRMED

COMMANDS = [["render"], ["render", "--check"], ["validate"], ["plan"], ["apply", "--auto-approve"]]
HEAD = """\
account_id: "123456789012"
regions: {home: eu-central-1}
credentials:
  assume_role: {role_arn: "arn:aws:iam::123456789012:role/ci/deployer"}
components:
  organization:
"""
EXEMPTED = '    exempted_principal_arns: ["arn:aws:iam::*:role/ci/deployer"]\n'


pytestmark = pytest.mark.usefixtures("fresh_settings")


@pytest.fixture
def environment(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """environments/org of a project on a machine without Terraform, from which nothing can be reached."""

    def refuse(*_: object, **__: object) -> None:
        raise AssertionError("the network was asked, or a program was started")

    for name in [n for n in os.environ if n.startswith(("AWS_", "TF_", "TOOLKIT_"))]:
        monkeypatch.delenv(name)
    monkeypatch.setattr("botocore.httpsession.URLLib3Session.send", refuse)
    monkeypatch.setattr("subprocess.Popen.__init__", refuse)
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.chdir(tmp_path)
    folder = tmp_path / "environments" / "org"
    folder.mkdir(parents=True)
    (tmp_path / "modules" / "organization").mkdir(parents=True)
    return folder


@pytest.fixture
def refused(capsys: pytest.CaptureFixture[str]) -> Callable[[list[str]], str]:
    """What a command says that must end refused."""

    def call(command: list[str]) -> str:
        code = run([command[0], "org", *command[1:]])
        out, err = capsys.readouterr()
        assert code == ExitCode.REFUSED == 4, f"exit {code}\n{out}\n{err}"
        assert out == ""
        return err

    return call


@pytest.mark.parametrize("command", COMMANDS, ids=" ".join)
def test_a_policy_that_is_too_large(environment: Path, refused: Callable[[list[str]], str], command: list[str]):
    statements = [
        {"Sid": f"S{n}", "Effect": "Deny", "Action": "ec2:RunInstances", "Resource": f"arn:aws:ec2:*:*:instance/{n}"}
        for n in range(120)
    ]
    (environment / "own.json").write_text(json.dumps({"Version": "2012-10-17", "Statement": statements}, indent=2))
    (environment / "environment.yaml").write_text(
        HEAD + "    service_control_policies:\n      own:\n        file: own.json\n"
    )
    told = refused(command)
    size = len(json.dumps({"Version": "2012-10-17", "Statement": statements}, separators=(",", ":")))
    assert (
        f"environments/org/environment.yaml:8: components.organization.service_control_policies.own: own has {size} "
        f"bytes without blanks, {size - 10240} too many; expected at most 10240"
    ) in told
    assert not (environment / "rendered").exists()


@pytest.mark.parametrize("command", COMMANDS, ids=" ".join)
def test_one_policy_too_many(environment: Path, refused: Callable[[list[str]], str], command: list[str]):
    policies = "".join(f"      p{n}: {{guardrails: [deny_leaving]}}\n" for n in range(10))
    (environment / "environment.yaml").write_text(HEAD + "    service_control_policies:\n" + policies)
    told = refused(command)
    assert (
        "environment.yaml:7: components.organization.service_control_policies: 11 policies of the type "
        "SERVICE_CONTROL_POLICY on root (p0, p1, p2, p3, p4, p5, p6, p7, p8, p9 and 1 besides); expected at most 10 "
        "(limits.service_control_policies_per_target)"
    ) in told
    assert not (environment / "rendered").exists()


@pytest.mark.parametrize("command", COMMANDS, ids=" ".join)
def test_one_that_denies_whoever_deploys(environment: Path, refused: Callable[[list[str]], str], command: list[str]):
    (environment / "environment.yaml").write_text(HEAD + "    organizational_units: []\n")
    told = refused(command)
    assert (
        "statement ProtectTrail of baseline-guardrails denies arn:aws:iam::123456789012:role/ci/deployer "
        "cloudtrail:UpdateTrail, cloudtrail:PutEventSelectors; the baseline needs that for cloudtrail; expected "
        "arn:aws:iam::*:role/ci/deployer under exempted_principal_arns"
    ) in told
    assert "deployer_arns" in told
    assert not (environment / "rendered").exists()


def test_all_reasons_are_told_at_once(environment: Path, refused: Callable[[list[str]], str]):
    (environment / "environment.yaml").write_text(
        HEAD + "    limits: {service_control_policy_bytes: 100, service_control_policies_per_target: 1}\n"
    )
    told = refused(["render"])
    assert "too many" in told
    assert "2 policies of the type SERVICE_CONTROL_POLICY on root" in told
    assert "ProtectGuardDuty" in told


def test_who_is_named_as_deployer_is_judged_instead(environment: Path, refused: Callable[[list[str]], str]):
    other = '    deployer_arns: ["arn:aws:iam::111122223333:role/other"]\n'
    (environment / "environment.yaml").write_text(HEAD + EXEMPTED + other)
    told = refused(["render"])
    assert "denies arn:aws:iam::111122223333:role/other " in told
    assert "role/ci/deployer" not in told


def test_the_environments_own_regions_must_stay_open(environment: Path, refused: Callable[[list[str]], str]):
    (environment / "environment.yaml").write_text(
        HEAD
        + EXEMPTED
        + "    allowed_regions: [eu-west-1]\n"
        + "    service_control_policies: {x: {guardrails: [deny_other_regions]}}\n"
    )
    told = refused(["render"])
    assert "environment.yaml:8: components.organization.allowed_regions: lacks eu-central-1, where" in told


def test_the_region_of_trusted_advisor_must_stay_open(environment: Path, refused: Callable[[list[str]], str]):
    (environment / "environment.yaml").write_text(
        HEAD.replace("{home: eu-central-1}", "{home: eu-central-1, active: [eu-central-1, us-east-1]}")
        + EXEMPTED
        + "    allowed_regions: [eu-central-1]\n"
        + "    service_control_policies: {x: {guardrails: [deny_other_regions]}}\n"
        + "  trusted_advisor: {subscribers: {email_addresses: [security@example.com]}}\n"
    )
    assert (
        "environment.yaml:8: components.organization.allowed_regions: lacks us-east-1, where this environment's own "
        "baseline runs (trusted_advisor only in us-east-1); expected every active and retiring region"
    ) in refused(["render"])


BACKUP = """\
    enabled_policy_types:
      - SERVICE_CONTROL_POLICY
      - AISERVICES_OPT_OUT_POLICY
      - {0}
    management_policies:
      own:
        type: {0}
        content: {{"plans": {{}}}}
"""


@pytest.mark.parametrize("constraint", ["~> 5.100", ">= 5.100, < 7", "> 6.25, < 7", "6.0.0"])
def test_a_type_of_policies_that_the_provider_does_not_know(
    environment: Path, refused: Callable[[list[str]], str], constraint: str
):
    terraform = f'terraform: {{aws_provider_version: "{constraint}"}}\ncomponents:\n'
    (environment / "environment.yaml").write_text(
        HEAD.replace("components:\n", terraform) + EXEMPTED + BACKUP.format("S3_POLICY")
    )
    told = refused(["render"])
    problem = f'S3_POLICY is not accepted by every version of the AWS provider that "{constraint}" admits; expected no'
    assert f"environment.yaml:12: components.organization.enabled_policy_types[2]: {problem}" in told
    assert f"environment.yaml:15: components.organization.management_policies.own.type: {problem}" in told
    assert '`terraform.aws_provider_version: ">= 6.26, < 7"`' in told


@pytest.mark.parametrize("kind", sorted(UNCONFIRMED))
def test_a_type_whose_provider_is_unconfirmed_is_said_to_be(
    environment: Path, refused: Callable[[list[str]], str], kind: str
):
    (environment / "environment.yaml").write_text(HEAD + EXEMPTED + BACKUP.format(kind))
    told = refused(["render"])
    assert f"environment.yaml:11: components.organization.enabled_policy_types[2]: {kind} is not accepted by" in told
    assert '< 7"`; which later version accepts this type is unconfirmed' in told


@pytest.mark.parametrize(
    ("constraint", "kind"),
    [("~> 5.100", "BACKUP_POLICY"), ("~> 6.26", "S3_POLICY"), (">= 5, >= 6.30, < 7", "S3_POLICY")],
)
def test_a_type_of_policies_that_the_provider_knows(environment: Path, constraint: str, kind: str):
    terraform = f'terraform: {{aws_provider_version: "{constraint}"}}\ncomponents:\n'
    (environment / "environment.yaml").write_text(
        HEAD.replace("components:\n", terraform) + EXEMPTED + BACKUP.format(kind)
    )
    assert run(["render", "org"]) == ExitCode.OK
    rendered = (environment / "rendered" / "organization.tf").read_text()
    assert f'type        = "{kind}"' in rendered


def test_what_is_in_order_is_rendered(environment: Path, capsys: pytest.CaptureFixture[str]):
    (environment / "environment.yaml").write_text(HEAD + EXEMPTED)
    assert run(["render", "org"]) == ExitCode.OK, capsys.readouterr().err
    assert "ProtectTrail" in (environment / "rendered" / "organization.tf").read_text()
