"""Organization policies and whoever plans: refused once the account is known, and before Terraform starts."""

from __future__ import annotations

from typing import Any

import pytest

from toolkit.errors import RefusedError
from toolkit.workflows.guardrails import deployment_of
from toolkit.workflows.workspace import open_workspace, read_environment

ANN = "arn:aws:iam::111122223333:user/ann"


@pytest.fixture(autouse=True)
def with_module(house: Any) -> None:
    (house.root / "modules" / "organization").mkdir()


def opened(house: Any, **options: Any) -> None:
    open_workspace(house.project, "prod", house.access(), house, **options)


def test_whoever_plans_must_be_left_able_to(house: Any, callers: list[Any]):
    house.write(components="{organization: {}}")
    with pytest.raises(RefusedError) as caught:
        opened(house, deploys=True)
    assert f"ProtectTrail of baseline-guardrails denies {ANN} cloudtrail:UpdateTrail" in str(caught.value.detail)
    assert "arn:aws:iam::*:user/ann under exempted_principal_arns" in str(caught.value.detail)
    assert len(callers) == 1
    assert house.asked == [] or house.commands == []


@pytest.mark.usefixtures("callers")
def test_whoever_only_looks_need_not_be(house: Any):
    house.write(components="{organization: {}}")
    opened(house)


@pytest.mark.usefixtures("callers")
@pytest.mark.parametrize(
    "settings",
    [
        'exempted_principal_arns: ["arn:aws:iam::*:user/ann"]',
        # Named deployers are judged in the place of whoever plans, who may be in the management account.
        'deployer_arns: ["arn:aws:iam::444455556666:role/x"], exempted_principal_arns: ["arn:aws:iam::*:role/x"]',
        # What nobody here applies need not be left to anybody.
        "deployer_applies: enabled_components",
    ],
)
def test_exempted_or_not_concerned(house: Any, settings: str):
    house.write(components=f"{{organization: {{{settings}}}}}")
    opened(house, deploys=True)
    assert house.commands == ["init"]


@pytest.mark.usefixtures("callers")
def test_a_session_is_judged_by_its_role_and_path(house: Any, monkeypatch: pytest.MonkeyPatch):
    """A session's ARN shows no path: a pattern of the bare name would not exempt the role on AWS."""
    monkeypatch.setattr(
        "toolkit.workflows.workspace.principal_arn", lambda *_: "arn:aws:iam::111122223333:role/ci/deployer"
    )
    house.write(components='{organization: {exempted_principal_arns: ["arn:aws:iam::*:role/deployer"]}}')
    with pytest.raises(RefusedError) as caught:
        opened(house, deploys=True)
    assert "arn:aws:iam::*:role/ci/deployer under exempted_principal_arns" in str(caught.value.detail)
    house.write(components='{organization: {exempted_principal_arns: ["arn:aws:iam::*:role/ci/deployer"]}}')
    opened(house, deploys=True)


@pytest.mark.parametrize(
    ("key", "object_"), [("", "prod/baseline.tfstate"), (", key: baseline/prod", "baseline/prod")], ids=str
)
def test_the_state_that_must_stay_writable_is_the_object_that_terraform_writes(house: Any, key: str, object_: str):
    house.write(f"backend: {{type: s3, bucket: acme-state, region: eu-central-1{key}}}")
    needs = deployment_of(read_environment(house.project, "prod")[1], ()).needs["the state"]
    assert {need.resource for need in needs} == {f"arn:{{partition}}:s3:::acme-state/{object_}"}
