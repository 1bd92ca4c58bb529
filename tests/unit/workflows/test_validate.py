"""Validation asks Terraform and nobody else, and leads its errors to the settings."""

from __future__ import annotations

import json
from datetime import date, timedelta
from typing import Any

import pytest

from toolkit.errors import ExitCode, ToolkitError
from toolkit.workflows.validate import validate_environment


def says(house: Any, *diagnostics: dict[str, Any]) -> None:
    answer = {"format_version": "1.0", "valid": not diagnostics, "diagnostics": list(diagnostics)}
    (house.tools / "validate.json").write_text(json.dumps(answer))


def at(rendered: Any, file: str, start: str) -> dict[str, Any]:
    lines = (rendered / file).read_text().splitlines()
    line = next(n for n, text in enumerate(lines, 1) if text.strip().startswith(start))
    return {"filename": file, "start": {"line": line}}


def validated(house: Any, **environ: str) -> tuple[Any, ...]:
    return validate_environment(house.project, "prod", house.access(**environ), house).warnings


def test_no_account_and_no_state_is_asked(house: Any, callers: list[Any]):
    house.render()
    says(house)
    assert validated(house) == ()
    assert house.commands == ["init", "validate"]
    assert "-backend=false" in house.asked[1]["arguments"]
    # Data of its own: an `init` without backend must not disturb the one that plans.
    data = house.root / "environments" / "prod" / ".toolkit" / "validate" / "terraform"
    assert {call["environ"]["TF_DATA_DIR"] for call in house.asked if call["arguments"] != ["version"]} == {str(data)}
    assert callers == []


def test_errors_name_the_setting_and_what_to_do(house: Any):
    house.write(components="\n  password_policy:\n    max_password_age: 60")
    rendered = house.render()
    place = at(rendered, "password_policy.tf", "max_password_age")
    says(
        house,
        {"severity": "warning", "summary": "Old", "detail": ""},
        {"severity": "error", "summary": "Invalid value", "detail": "Too old.", "range": place},
        {"severity": "error", "summary": "Missing", "detail": ""},
    )
    with pytest.raises(ToolkitError, match="Terraform finds 2 errors in the rendered files") as caught:
        validated(house)
    assert caught.value.where == "environments/prod/environment.yaml"
    detail = str(caught.value.detail)
    assert "Error: Invalid value" in detail
    assert f"at environments/prod/rendered/password_policy.tf:{place['start']['line']}" in detail
    assert "Too old." in detail
    assert "set by environments/prod/environment.yaml:6 components.password_policy.max_password_age" in detail
    assert "Old" not in detail.replace("Too old", "")
    assert caught.value.hint


def test_one_error_is_one(house: Any):
    house.render()
    says(house, {"severity": "error", "summary": "Missing", "detail": ""})
    with pytest.raises(ToolkitError, match="finds 1 error in"):
        validated(house)


def test_warnings_are_given_back(house: Any):
    house.render()
    says(house, {"severity": "warning", "summary": "Old", "detail": ""})
    assert [d.summary for d in validated(house)] == ["Old"]


def test_what_is_not_rendered_is_not_validated(house: Any):
    with pytest.raises(ToolkitError, match=r"out of date: .*password_policy.tf \(create\)") as caught:
        validated(house)
    assert caught.value.exit_code is ExitCode.OUT_OF_DATE
    assert not (house.root / "environments" / "prod" / "rendered").exists()
    assert house.asked == []


def test_what_the_settings_want_looked_at_is_told_with_its_line(house: Any, callers: list[Any]):
    (house.root / "modules" / "iam_users").mkdir(parents=True)
    users = "{late: {owner: lead@example.com, review_date: '2020-01-31'}, soon: {owner: x, review_date: '9999-01-31'}}"
    house.write(components=f"\n  iam_users:\n    users: {users}")
    house.render()
    says(house)
    (advice,) = validated(house)
    assert advice.severity == "warning"
    assert advice.summary.startswith("environments/prod/environment.yaml:6: The review of the active user late")
    assert "review_date 2020-01-31 was" in advice.detail
    assert advice.address == 'module.iam_users.aws_iam_user.this["late"]'


def test_a_name_that_is_newer_than_our_list_is_reported_once_with_its_line(house: Any):
    (house.root / "modules" / "iam_groups").mkdir(parents=True)
    policy = "AmazonBedrockFutureFullAccess"
    house.write(components=f"\n  iam_groups:\n    groups: {{team: {{managed_policies: [{policy}]}}}}")
    house.render()
    says(house)
    (found,) = validated(house)
    assert found.severity == "warning"
    assert found.summary.startswith("environments/prod/environment.yaml:6: components.iam_groups.groups.team.")
    assert f"'{policy}' is not in the list of AWS managed policies" in found.summary
    assert house.warnings.count(found.summary) == 1


def test_a_waiver_that_expired_is_reported_with_its_line(house: Any):
    entry = "{{rule: weakens, subject: module.cloudtrail.aws_kms_key.this.x, reason: for the audit, expires: '{}'}}"
    house.write(f"waivers:\n  - {entry.format('2020-01-31')}\n  - {entry.format(date.today() + timedelta(days=9))}")
    house.render()
    says(house)
    (found,) = validated(house)
    assert found.summary == (
        "environments/prod/environment.yaml:4: the waiver of weakens for module.cloudtrail.aws_kms_key.this.x "
        "expired on 2020-01-31."
    )
    assert "set a later date" in found.detail
    assert any(line.startswith(found.summary) for line in house.warnings)


def test_access_tests_that_cannot_be_run_are_named_and_never_taken_for_held(house: Any, monkeypatch: Any):
    tests = "access_tests:\n  - {who: x, cannot: iam:CreateUser}\n  - {who: y, can: iam:CreateUser}"
    house.write(tests)
    house.render()
    says(house)
    monkeypatch.setattr("toolkit.sandbox.control.installed", lambda: False)
    found = validate_environment(house.project, "prod", house.access(), house)
    assert (found.access_tests, found.tested) == (2, 0)
    assert found.result == "valid, but 2 access tests were not run"
    (warning,) = found.warnings
    assert warning.summary == "environments/prod/environment.yaml:3: 2 access tests were not run"
    assert "pip install '.[sandbox]'" in warning.detail
    assert house.warnings[-1].startswith(warning.summary)
