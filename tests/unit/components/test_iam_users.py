from __future__ import annotations

import json
import re
from datetime import date
from typing import Any

import pytest
from pydantic import ValidationError

from toolkit.components.iam_users import COMPONENT, IamUsers
from toolkit.environment import Environment, load_text
from toolkit.environment.load import EnvironmentFileError
from toolkit.rendering.render import render

USER = {"owner": "lead@example.com", "review_date": "2027-03-31"}


def message(user: dict[str, Any], **settings: Any) -> str:
    """The path and the words of the one error that these settings cause."""
    with pytest.raises(ValidationError) as caught:
        IamUsers.model_validate({"users": {"anna": {**USER, **user}}, **settings})
    (error,) = caught.value.errors()
    return f"{'.'.join(map(str, error['loc']))}: {error['msg'].removeprefix('Value error, ')}"


def loaded(users: dict[str, Any], *, groups: str = "iam_groups: {}", **settings: Any) -> Environment:
    text = (
        'account_id: "123456789012"\nregions: {home: eu-central-1}\ncomponents:\n'
        f"  {groups}\n  iam_users:\n    users: {json.dumps(users)}\n"
        + "".join(f"    {name}: {json.dumps(value)}\n" for name, value in settings.items())
    )
    return load_text(text, name="x", shown_as="x.yaml")


def refused(users: dict[str, Any], **settings: Any) -> str:
    with pytest.raises(EnvironmentFileError) as caught:
        loaded(users, **settings)
    (problem,) = caught.value.problems
    return f"{problem.line}: {problem}"


@pytest.mark.parametrize(
    ("user", "expected"),
    [
        ({"review_date": "2027-02-30"}, "review_date: expected a day, like 2027-03-31"),
        ({"review_date": "20270331"}, "review_date: expected a day"),
        ({"owner": "a;b"}, "owner: expected 1 to 256 letters"),
        ({"status": "gone"}, "status: Input should be 'active', 'suspended' or 'removed'"),
        ({"console_pgp_key": "anna"}, "console_pgp_key: expected keybase:NAME, or a public PGP key in base64"),
        ({"groups": ["a", "a"]}, "groups: expected each value once"),
        ({"groups": [f"g{n}" for n in range(11)]}, "groups has 11 entries; expected at most 10"),
        ({"path": "people"}, "path: 'people' is not an IAM path"),
        ({"tags": {"owner": "x"}}, "expected another key: Owner and ReviewDate"),
        ({"tags": {"aws:x": "x"}}, "not aws:*"),
    ],
)
def test_wrong_settings_say_what_is_accepted(user: dict[str, Any], expected: str) -> None:
    assert expected in message(user)


def test_the_suspended_are_in_no_existing_group_whatever_its_case() -> None:
    assert "suspended_group_name is among existing_groups" in message(
        {}, existing_groups=["Locked"], suspended_group_name="locked"
    )


def test_an_owner_and_a_review_are_not_optional() -> None:
    with pytest.raises(ValidationError) as caught:
        IamUsers.model_validate({"users": {"anna": {}}})
    assert {error["loc"][-1] for error in caught.value.errors()} == {"owner", "review_date"}


def test_groups_are_those_of_iam_groups_or_named_existing_ones() -> None:
    anna = {**USER, "groups": ["developers"]}
    assert loaded({"anna": anna})
    assert loaded({"anna": {**USER, "groups": ["readers"]}}, existing_groups=["readers"])
    said = refused({"anna": {**USER, "groups": ["administrators", "developer"]}})
    assert said.startswith(
        "6: components.iam_users.users.anna.groups[1]: there is no group 'developer'; expected one of "
    )
    assert said.endswith("(did you mean 'developers'?)")
    assert "a group of iam_groups, which is off" in refused({"anna": anna}, groups="password_policy: {}")
    # A group that was removed by null is none.
    assert "there is no group 'billing'" in refused(
        {"anna": {**USER, "groups": ["billing"]}}, groups="iam_groups: {groups: {billing: null}}"
    )


@pytest.mark.parametrize("status", ["active", "suspended"])
def test_an_administrator_is_in_no_group_that_denies_administration(status: str) -> None:
    """The guardrail of the other group beats AdministratorAccess: who is in both administers nothing."""
    said = refused({"anna": {**USER, "status": status, "groups": ["administrators", "developers"]}})
    assert said.startswith("6: components.iam_users.users.anna.groups[1]: developers denies the administration")
    assert "anna would be no administrator; expected administrator groups alone (administrators)" in said
    assert loaded({"anna": {**USER, "groups": ["developers", "auditors"]}})
    assert loaded({"anna": {**USER, "status": "removed", "groups": ["administrators", "developers"]}})
    # Groups that the baseline does not make carry no guardrail.
    assert loaded({"anna": {**USER, "groups": ["administrators", "readers"]}}, existing_groups=["readers"])


def test_who_is_in_no_group_any_more_may_name_one_that_is_gone() -> None:
    for status in ("suspended", "removed"):
        assert loaded({"anna": {**USER, "groups": ["gone"], "status": status}})


def test_the_suspended_have_a_group_of_their_own() -> None:
    said = refused({}, suspended_group_name="Developers")
    assert "the group 'Developers' is 'developers' of components.iam_groups.groups.developers" in said


def test_a_review_that_is_due_is_told_of_whoever_is_there() -> None:
    users = {
        "today": {**USER, "review_date": "2026-11-24"},
        "late": {**USER, "review_date": "2026-11-23"},
        "asleep": {**USER, "review_date": "2026-01-31", "status": "suspended"},
        "gone": {**USER, "review_date": "2026-01-31", "status": "removed"},
    }
    told = {advice.setting[1]: advice for _, advice in loaded(users).advice(date(2026, 11, 24))}
    assert set(told) == {"late", "asleep"}
    assert told["late"].evidence == "review_date 2026-11-23 was 1 day ago"
    assert "lead@example.com" in told["late"].summary
    assert "`status: suspended`" in told["late"].remedy
    assert "`status: removed`" in told["asleep"].remedy
    assert told["late"].resource == 'aws_iam_user.this["late"]'


def test_memberships_wait_for_the_groups_that_are_made_beside() -> None:
    beside = render(loaded({"anna": USER}))["iam_users.tf"]
    assert re.search(r"group_names += module\.iam_groups\.group_names", beside)
    alone = render(loaded({"anna": USER}, groups="password_policy: {}"))["iam_users.tf"]
    assert "group_names" not in alone


def test_a_leaver_needs_no_consent_but_coming_back_does() -> None:
    protected = {(p.resource, p.name): p for p in COMPONENT.protects}
    assert ("aws_iam_user", None) not in protected
    assert protected["aws_iam_user_group_membership", "suspended"].released_by == ("aws_iam_user", "name", "user")
