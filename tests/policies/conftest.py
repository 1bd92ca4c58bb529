"""The real policies: planned by the real Terraform and provider from modules/, account id from the embedded AWS.

What Terraform plans is kept (tests/kept.py), once for all workers; the tests evaluate it each time.
"""

from __future__ import annotations

import json
import os
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from tests.kept import Kept
from toolkit.iam import PolicyDocument, PolicyKind
from toolkit.rendering.hcl import literal
from toolkit.sandbox import control
from toolkit.terraform.mirror import cli_config

ROOT = Path(__file__).parents[2]

VARIANTS = {
    "default": "",
    "no_password_change": "allow_password_change_before_mfa = false",
    "robot_enrols_by_key": 'access_key_enrolment_users = ["robot"]',
}
"""Settings of mfa_enforcement that change its policy; one module call each."""

ROLES = """
  roles = {
    administration = { users = ["anna"], managed_policies = ["AdministratorAccess"] }
    operations = {
      principals       = ["arn:aws:iam::111122223333:role/operators"]
      require_mfa      = false
      organization_id  = "o-a1b2c3d4e5"
      managed_policies = ["ReadOnlyAccess"]
    }
    vendor = {
      principals       = ["arn:aws:iam::444455556666:root"]
      require_mfa      = false
      external_id      = "example-42"
      managed_policies = ["ReadOnlyAccess"]
    }
  }
  break_glass = { users = ["anna"] }
  audit       = { principals = ["arn:aws:iam::999999999999:root"], external_id = "audit-7" }
  deployers = {
    site = {
      provider         = "github"
      repository       = "example/site"
      branches         = ["main"]
      environments     = ["production"]
      managed_policies = ["PowerUserAccess"]
    }
    renamed = {
      provider         = "github"
      repository       = "example/renamed"
      owner_id         = "123456"
      repository_id    = "456789"
      branches         = ["main"]
      environments     = ["production"]
      managed_policies = ["PowerUserAccess"]
    }
    changing = {
      provider         = "github"
      repository       = "example/changing"
      owner_id         = "123456"
      repository_id    = "987654"
      subject_format   = "both"
      tags             = ["v1"]
      managed_policies = ["PowerUserAccess"]
    }
    mirror = {
      provider         = "gitlab"
      repository       = "group/project"
      tags             = ["v1"]
      managed_policies = ["PowerUserAccess"]
    }
    branch = {
      provider         = "gitlab"
      repository       = "group/sub/project"
      owner_id         = "4711"
      repository_id    = "815"
      branches         = ["main"]
      managed_policies = ["PowerUserAccess"]
    }
    classic = {
      provider       = "github"
      repository     = "example/infrastructure"
      owner_id       = "123456"
      repository_id  = "456789"
      subject_format = "classic"
      pipeline       = {}
    }
    immutable = {
      provider      = "github"
      repository    = "example/infrastructure"
      owner_id      = "123456"
      repository_id = "456789"
      pipeline      = {}
    }
    both = {
      provider       = "github"
      repository     = "example/infrastructure"
      owner_id       = "123456"
      repository_id  = "456789"
      subject_format = "both"
      pipeline       = { workflows = ["baseline.yml", "other.yaml"], nightly_workflows = [], pull_requests = false }
    }
    gitlab = {
      provider      = "gitlab"
      repository    = "group/sub/project"
      owner_id      = "4711"
      repository_id = "815"
      pipeline      = {}
    }
  }
  environment_name = "prod"
  alarm = { log_group_name = "x", topic_arn = "arn:aws:sns:eu-central-1:123456789012:x", name_prefix = "x-" }
"""
"""Roles of iam_roles, one of each kind of condition."""


PROTECTED = {
    "buckets": ["baseline-cloudtrail-123456789012-eu-central-1"],
    "log_groups": ["/aws/cloudtrail/baseline"],
    "key_aliases": ["cloudtrail-baseline"],
    "topics": ["baseline-activity"],
    "event_rules": ["baseline-siem-*"],
    "alarms": ["baseline-activity-*"],
    "schedule_groups": ["baseline-trusted-advisor"],
}
"""What holds logs and carries alerts; the boundary knows what stores logs alone."""
STORES = {kind: PROTECTED[kind] for kind in ("buckets", "log_groups", "key_aliases")}


@dataclass(frozen=True)
class Rendered:
    """What Terraform plans.

    Attributes:
        mfa: The MFA policy by variant.
        guardrail: The policy of iam_groups that denies identity administration.
        log_guardrail: The policy of iam_groups that denies changes to what holds logs and carries alerts.
        self_service: The policy of iam_groups that allows users to rotate their own access keys.
        groups: Group name to every policy on it but the MFA policy: managed ones by AWS's own documents.
        trusts: Role of iam_roles to its trust policy.
        boundary: The permissions boundary of iam_roles.
        suspended: The policy on suspended users.
    """

    mfa: Mapping[str, PolicyDocument]
    guardrail: PolicyDocument
    log_guardrail: PolicyDocument
    self_service: PolicyDocument
    groups: Mapping[str, tuple[PolicyDocument, ...]]
    trusts: Mapping[str, PolicyDocument]
    boundary: PolicyDocument
    suspended: PolicyDocument


@pytest.fixture(scope="session")
def aws_managed() -> Mapping[str, PolicyDocument]:
    """AWS managed policies by name, as moto carries them."""
    from moto.iam.aws_managed_policies import aws_managed_policies_data

    wanted = {
        "AdministratorAccess",
        "PowerUserAccess",
        "SecurityAudit",
        "ViewOnlyAccess",
        "Billing",
        "AWSSupportAccess",
        "SignInLocalDevelopmentAccess",
    }
    documents = json.loads(aws_managed_policies_data)
    return {name: PolicyDocument.parse(documents[name]["Document"], name=name) for name in wanted}


def configuration() -> str:
    """A root module with every module that has a policy to be tested."""
    calls = "".join(
        f"""
module "{variant}" {{
  source      = "{ROOT}/modules/mfa_enforcement"
  group_names = ["administrators"]
  policy_name = "{variant}"
  {settings}
}}
output "{variant}" {{
  value = module.{variant}.policy_json
}}
"""
        for variant, settings in VARIANTS.items()
    )
    return (
        calls
        + f"""
module "iam_groups" {{
  source    = "{ROOT}/modules//iam_groups"
  protected = {literal(PROTECTED)}
}}
output "log_guardrail" {{
  value = module.iam_groups.log_guardrail_policy_json
}}
output "guardrail" {{
  value = module.iam_groups.guardrail_policy_json
}}
output "self_service" {{
  value = module.iam_groups.self_service_policy_json
}}
module "iam_users" {{
  source = "{ROOT}/modules/iam_users"
}}
output "suspended" {{
  value = module.iam_users.suspended_policy_json
}}
module "iam_roles" {{
  source    = "{ROOT}/modules//iam_roles"
  protected = {literal(STORES)}
{ROLES}
}}
output "trusts" {{
  value = module.iam_roles.trust_policies_json
}}
output "boundary" {{
  value = module.iam_roles.boundary_policy_json
}}
"""
    )


KEPT = Kept(
    "policies",
    files=("modules", "tests/conftest.py", "tests/warm.py", "tests/warm_client.py", "tests/policies/conftest.py"),
    without=("README.md", "tests"),
    toolkit=("sandbox",),
    more=lambda: {"the root module": configuration().replace(str(ROOT), "")},
)


def plan(folder: Path, sandbox: control.Sandbox, terraform_binary: Path) -> dict[str, Any]:
    """The outputs of the root module, and the policies that are attached to groups."""
    (folder / "main.tf").write_text(configuration())
    environment = control.child_environ(sandbox, os.environ)
    environment |= {"CHECKPOINT_DISABLE": "1", "TF_IN_AUTOMATION": "1"}
    environment |= cli_config(None, environment, folder / "scratch")

    def terraform(*arguments: str) -> str:
        done = subprocess.run(
            [terraform_binary, *arguments], cwd=folder, env=environment, capture_output=True, text=True, check=False
        )
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    terraform("init", "-input=false", "-no-color")
    terraform("plan", "-input=false", "-no-color", "-out=plan")
    planned = json.loads(terraform("show", "-json", "plan"))["planned_values"]
    module = next(child for child in planned["root_module"]["child_modules"] if child["address"] == "module.iam_groups")
    groups, attached = [], []
    for resource in module["resources"]:
        if resource["type"] == "aws_iam_group":
            groups.append(resource["values"]["name"])
        if resource["type"] == "aws_iam_group_policy_attachment":
            values = resource["values"]
            attached.append([values["group"], resource["name"], values.get("policy_arn")])
        assert resource["type"] != "aws_iam_group_policy", "default groups have no inline policies: add them here"
    outputs = {name: output["value"] for name, output in planned["outputs"].items()}
    return {"outputs": outputs, "groups": groups, "attached": attached}


@pytest.fixture(scope="session")
def rendered(
    request: pytest.FixtureRequest,
    tmp_path_factory: pytest.TempPathFactory,
    aws_managed: Mapping[str, PolicyDocument],
) -> Rendered:
    """One plan for every test of this folder."""
    needed = ("sandbox", "terraform_binary")
    facts = KEPT.facts(
        lambda: plan(tmp_path_factory.mktemp("policies"), *(request.getfixturevalue(name) for name in needed))
    )
    outputs = facts["outputs"]
    own = {name: PolicyDocument.parse(outputs[name], name=name) for name in ("guardrail", "log_guardrail")}
    groups: dict[str, list[PolicyDocument]] = {name: [] for name in facts["groups"]}
    for group, resource, arn in facts["attached"]:
        document = own[resource] if resource in own else aws_managed[arn.split("/")[-1]]
        groups.setdefault(group, []).append(document)
    return Rendered(
        {variant: PolicyDocument.parse(outputs[variant], name="mfa-enforcement") for variant in VARIANTS},
        own["guardrail"],
        own["log_guardrail"],
        PolicyDocument.parse(outputs["self_service"], name="self-service"),
        {name: tuple(policies) for name, policies in groups.items()},
        {
            name: PolicyDocument.parse(text, name=f"trust of {name}", kind=PolicyKind.TRUST)
            for name, text in outputs["trusts"].items()
        },
        PolicyDocument.parse(outputs["boundary"], name="boundary"),
        PolicyDocument.parse(outputs["suspended"], name="suspended"),
    )
