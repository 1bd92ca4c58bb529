"""The three profiles of `toolkit new`, with real Terraform: what each covers and costs, and that it comes and goes.

Each is planned whole, applied on an embedded AWS of its own as far as that has it, and destroyed, without an edit of
what `new` wrote. Nothing is left then but KMS keys that wait for their deletion.

What was found is kept (tests/kept.py); it is done again where what `new` writes, a module or the embedded AWS differs.
Their figures are recorded in tests/profiles.json, from which docs/environments.md has its table. After a wanted change:
`make kept`, then `make docs`.
"""

from __future__ import annotations

import json
import os
import re
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from tests.kept import Kept, rendered
from toolkit.workflows.new import Answers, environment_text

FIGURES = Path(__file__).parents[1] / "profiles.json"
PROFILES = ("minimal", "standard", "strict")
ACCOUNT, HOME, EMAIL = "123456789012", "eu-central-1", "security@example.com"
LISTS = (
    ("cloudtrail", "list_trails", "Trails"), ("cloudwatch", "describe_alarms", "MetricAlarms"),
    ("config", "describe_config_rules", "ConfigRules"),
    ("config", "describe_configuration_recorders", "ConfigurationRecorders"),
    ("config", "describe_delivery_channels", "DeliveryChannels"), ("ec2", "describe_flow_logs", "FlowLogs"),
    ("events", "list_rules", "Rules"), ("guardduty", "list_detectors", "DetectorIds"),
    ("iam", "list_account_aliases", "AccountAliases"), ("iam", "list_groups", "Groups"),
    ("iam", "list_policies", "Policies"), ("iam", "list_roles", "Roles"), ("iam", "list_users", "Users"),
    ("logs", "describe_log_groups", "logGroups"), ("logs", "describe_metric_filters", "metricFilters"),
    ("s3", "list_buckets", "Buckets"), ("sns", "list_topics", "Topics"), ("sqs", "list_queues", "QueueUrls"),
)  # fmt: skip


def written() -> dict[str, str]:
    """What `new` writes, and what is rendered from it."""
    texts = {}
    for profile in PROFILES:
        answers = Answers(ACCOUNT, HOME, (), None, profile == "standard", profile, EMAIL)
        text = texts[f"profile {profile}"] = environment_text(profile, answers)
        texts[f"{profile}, rendered"] = rendered(profile, text)
    return texts


KEPT = Kept(
    "profiles",
    files=(
        "modules", "tests/conftest.py", "tests/warm.py", "tests/warm_client.py", "tests/integration/test_profiles.py",
        *(f"toolkit/workflows/{name}.py" for name in ("coverage", "destroy", "left_out")),
    ),
    without=("README.md", "tests"),
    toolkit=("controls", "plan", "sandbox"),
    more=written,
)  # fmt: skip


def left(cli: Any) -> dict[str, Any]:
    """What the account has, but for what AWS made itself."""
    only_own = {"list_policies": {"Scope": "Local"}}
    found = {
        f"{service}:{call} {region}": getattr(cli.client(service, region), call)(**only_own.get(call, {})).get(member)
        for region in (HOME, "us-east-1")
        for service, call, member in LISTS
    }
    return {name: items for name, items in found.items() if items}


def key_states(cli: Any) -> set[str]:
    kms = cli.client("kms")
    return {kms.describe_key(KeyId=k["KeyId"])["KeyMetadata"]["KeyState"] for k in kms.list_keys()["Keys"]}


def journey(cli: Any, profile: str) -> dict[str, Any]:
    """What the plan tells, and what is there before, between and after."""
    cli.run("sandbox", "up")
    # One lives on the embedded AWS only, the others are tried out there: both work without edits.
    simulator, sandbox = (["--simulator"], []) if profile == "standard" else ([], ["--sandbox"])
    cli.run(
        "new", profile, "--profile", profile, "--account-id", ACCOUNT, "--region", HOME,
        "--security-email", EMAIL, *simulator,
    )  # fmt: skip
    bundle = str(cli.root / f"{profile}.tfbundle")
    planned = cli.run("plan", profile, *sandbox, "--json", "--out", bundle)
    plan = json.loads(planned.stdout)
    data = json.loads(cli.run("controls", "--plan", bundle, "--format", "json").stdout)
    applied = cli.run("apply", profile, *sandbox, "--plan", bundle, "--json")
    second = cli.run("plan", profile, *sandbox, "--detailed-exitcode")
    states = cli.run("terraform", profile, *sandbox, "--", "state", "list").stdout.splitlines()
    # The embedded AWS delivers an access log for each of these requests.
    destroyed = cli.run("destroy", profile, *sandbox, "--auto-approve")
    state = json.loads(cli.run("terraform", profile, *sandbox, "--", "state", "pull").stdout)
    nothing_else = "nothing but these is left to apply" in second.stderr
    return {
        "covered": data["frameworks"][0]["counts"]["provisioned"],
        "creates": plan["summary"]["add"],
        "fixed": plan["cost"]["fixed"],
        "by_use": sum(line["monthly_usd"] is None for line in plan["cost"]["lines"]),
        "warned of the analyzer": "aws_accessanalyzer_analyzer" in planned.stderr,
        "blocked by": [f for f in plan["findings"] if f["blocks"]],
        "planned": sorted(c["address"] for c in plan["changes"] if c["action"] == "create"),
        "applied": sorted(step["address"] for step in json.loads(applied.stdout)["completed"]),
        "left out": re.findall(r"left out, since the embedded AWS lacks them: (.+)", applied.stderr),
        "nothing else is left to apply": nothing_else,
        "in the state": sorted({line for line in states if not re.search(r"(^|\.)data\.", line)}),
        "emptied the trail's bucket": "object versions in baseline-cloudtrail-" in destroyed.stderr,
        "state": state["resources"],
        "left": left(cli),
        "keys": sorted(key_states(cli)),
    }


@pytest.fixture(scope="module")
def figures(new_project: Callable[..., Any]) -> dict[str, dict[str, Any]]:
    """Profile → its journey; two at a time, since an apply waits most of a minute for S3's lifecycles."""

    def run() -> dict[str, dict[str, Any]]:
        with ThreadPoolExecutor(2) as pool:
            started = {profile: pool.submit(journey, new_project(), profile) for profile in reversed(PROFILES)}
            return {profile: started[profile].result() for profile in PROFILES}

    found: dict[str, dict[str, Any]] = KEPT.facts(run)
    return found


def test_each_covers_more_than_the_one_before_and_costs_more(figures: dict[str, dict[str, Any]]):
    minimal, standard, strict = (figures[p] for p in PROFILES)
    assert minimal["covered"] < standard["covered"] < strict["covered"]
    assert minimal["creates"] < standard["creates"] < strict["creates"]
    assert minimal["fixed"] < standard["fixed"] <= strict["fixed"]
    assert minimal["by_use"] < standard["by_use"] < strict["by_use"]


def test_none_is_refused_in_an_empty_account(figures: dict[str, dict[str, Any]]):
    assert [f for p in PROFILES for f in figures[p]["blocked by"]] == []


def test_the_embedded_aws_says_what_it_lacks(figures: dict[str, dict[str, Any]]):
    assert figures["minimal"]["warned of the analyzer"]
    assert any(told.startswith("aws_accessanalyzer_analyzer") for told in figures["minimal"]["left out"])


@pytest.mark.parametrize("profile", PROFILES)
def test_all_of_it_is_applied_but_what_is_lacking(figures: dict[str, dict[str, Any]], profile: str):
    found = figures[profile]
    lacking = (
        *("aws_accessanalyzer_", "aws_securityhub_standards_", "aws_guardduty_publishing_destination"),
        "aws_ecr_account_setting",
    )
    planned, applied = set(found["planned"]), set(found["applied"])
    missing = planned - applied
    assert missing
    assert all(any(kind in address for kind in lacking) for address in missing), missing
    assert applied == planned - missing == set(found["in the state"])
    assert found["nothing else is left to apply"]


@pytest.mark.parametrize("profile", PROFILES)
def test_a_destroy_leaves_nothing_but_keys_that_wait_for_their_deletion(
    figures: dict[str, dict[str, Any]], profile: str
):
    found = figures[profile]
    assert found["left"] == {}
    assert found["state"] == []
    assert set(found["keys"]) <= {"PendingDeletion"}
    assert found["emptied the trail's bucket"]


def test_the_documented_figures_are_these(figures: dict[str, dict[str, Any]]):
    found = {
        p: {"resources": f["creates"], "covered": f["covered"], "fixed_usd": f["fixed"], "billed_by_use": f["by_use"]}
        for p, f in figures.items()
    }
    if os.environ.get("UPDATE_APPLIED"):
        FIGURES.write_text(json.dumps(found, indent=1) + "\n")
    assert found == json.loads(FIGURES.read_text("utf-8"))
