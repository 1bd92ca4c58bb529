from __future__ import annotations

import json
import re
from itertools import product
from pathlib import Path
from typing import Any

import botocore.session
import pytest
from hypothesis import given
from hypothesis import strategies as st
from moto.iam.aws_managed_policies import aws_managed_policies_data
from pydantic import ValidationError

from toolkit import privileges
from toolkit.aws_lists import aws_list
from toolkit.components.iam_groups import DEFAULT_GROUPS, Group, IamGroups, policy_size
from toolkit.privileges import CREDENTIALS, IDENTITY_ADMINISTRATION, overlap

ROOT = Path(__file__).parents[3]
MODULE = ROOT / "modules/iam_groups"
OWN = "arn:aws:iam::123456789012:user/${aws:username}"


def groups(**given_groups: Any) -> dict[str, Group | None]:
    return IamGroups.model_validate({"groups": given_groups}).groups


def with_statement(**statement: Any) -> dict[str, Any]:
    return {"inline_policies": {"p": [{"sid": "S", "resources": ["*"]} | statement]}}


def test_default_groups() -> None:
    default = IamGroups().groups
    assert list(default) == ["administrators", "developers", "auditors", "billing", "support"]
    assert [name for name, group in default.items() if group and group.administrator] == ["administrators"]


def test_groups_are_laid_over_the_defaults() -> None:
    effective = groups(
        billing=None,
        administrators={"path": "/people/"},
        developers={"managed_policies": ["ReadOnlyAccess"]},
        data={"managed_policies": ["ViewOnlyAccess", "arn:aws:iam::aws:policy/job-function/Billing"]},
    )
    assert effective["billing"] is None
    assert effective["administrators"] == Group(
        administrator=True, path="/people/", managed_policies=("AdministratorAccess",)
    )
    assert effective["developers"] == Group(managed_policies=("ReadOnlyAccess",))
    assert effective["support"] == DEFAULT_GROUPS["support"]
    # Names known from the console and ARNs become the one form that the module takes.
    assert effective["data"] == Group(managed_policies=("job-function/ViewOnlyAccess", "job-function/Billing"))


def test_effective_settings_read_back_unchanged() -> None:
    settings = IamGroups.model_validate(
        {"groups": {"billing": None, "team": with_statement(actions=["s3:Get*"])}, "assumable_roles": []}
    )
    assert IamGroups.model_validate(settings.model_dump()) == settings
    assert IamGroups.model_validate(json.loads(settings.model_dump_json())) == settings


@pytest.mark.parametrize(
    ("policy", "says"),
    [
        ("ReadOnlyAcess", "did you mean ReadOnlyAccess?"),
        ("viewonlyaccess", "did you mean job-function/ViewOnlyAccess?"),
        ("job-function/SecurityAudit", "did you mean SecurityAudit?"),
        ("arn:aws:iam::aws:policy/Billing", "did you mean job-function/Billing?"),
        ("Zzzzzzzz zzz", "is not a name of a managed policy"),
        ("", "is not a name of a managed policy"),
        ("aws-service-role/AWSSupportServiceRolePolicy", "belongs to a service-linked role"),
        ("AWSSupportServiceRolePolicy", "belongs to a service-linked role"),
        ("arn:aws:iam::123:policy/x", "is not the ARN of a managed policy"),
        ("arn:aws:iam::123456789012:role/x", "is not the ARN of a managed policy"),
    ],
)
def test_unknown_managed_policies_are_caught(policy: str, says: str) -> None:
    with pytest.raises(ValidationError, match=re.escape(says)):
        groups(team={"managed_policies": [policy]})


def test_policies_of_other_partitions_and_accounts_are_taken_as_they_stand() -> None:
    arns = ("arn:aws-cn:iam::aws:policy/ReadOnlyAccess", "arn:aws:iam::123456789012:policy/teams/data/read")
    assert groups(team={"managed_policies": list(arns)})["team"] == Group(managed_policies=arns)


@pytest.mark.parametrize(
    ("wrong", "says"),
    [
        ({"two words": {}}, "is not a valid IAM name"),
        ({"x" * 129: {}}, "is not a valid IAM name"),
        ({"team": {"path": "teams"}}, "is not an IAM path"),
        ({"team": {"path": "/teams//x/"}}, "is not an IAM path"),
        ({"team": {"path": "/" + "x" * 511 + "/"}}, "is not an IAM path"),
        ({"team": {"managed_policies": ["ReadOnlyAccess", "ReadOnlyAccess"]}}, "names a policy twice"),
        ({"team": {"managed_policies": ["Billing", "job-function/Billing"]}}, "names a policy twice"),
        ({"team": {"inline_policies": {"p": []}}}, "the list is empty"),
        (
            {"team": {"inline_policies": {"p q": [{"sid": "A", "actions": ["*"], "resources": ["*"]}]}}},
            "is not a valid IAM name",
        ),
        ({"team": with_statement(sid="not-a-sid", actions=["s3:Get*"])}, "is not a statement id"),
        ({"team": with_statement(effect="allow", actions=["s3:Get*"])}, "'Allow' or 'Deny'"),
        ({"team": with_statement(actions=[])}, "the list is empty"),
        ({"team": with_statement(actions=["s3"])}, "^1 validation error.*\n.*\n.*'s3' is not an action"),
        ({"team": with_statement(actions=["i*:Get*"])}, "is not an action"),
        ({"team": with_statement(actions=["s3:Get*"], resources=["bucket"])}, "is not a resource"),
        ({"team": with_statement(actions=["s3:Get*"], Resource="*")}, "Extra inputs"),
        ({"team": {"description": "x"}}, "Extra inputs"),
        ({"team": "ReadOnlyAccess"}, "Group"),
    ],
)
def test_wrong_groups_are_refused(wrong: dict[str, Any], says: str) -> None:
    with pytest.raises(ValidationError, match=says):
        groups(**wrong)


def test_self_service_is_off_by_default() -> None:
    default = IamGroups().self_service
    assert (default.access_keys, default.aws_login) == ("none", False)


@pytest.mark.parametrize(
    ("self_service", "policies", "room"),
    [
        ({}, 7, None),
        ({"access_keys": "rotate"}, 6, None),
        ({"access_keys": "rotate"}, 7, 6),
        ({"aws_login": True}, 6, None),
        ({"aws_login": True}, 7, 7),
        ({"access_keys": "rotate", "aws_login": True}, 5, None),
        ({"access_keys": "rotate", "aws_login": True}, 6, 6),
    ],
)
def test_self_service_takes_places_of_a_group_s_policies(
    self_service: dict[str, Any], policies: int, room: int | None
) -> None:
    arns = [f"arn:aws:iam::123456789012:policy/p{number}" for number in range(policies)]
    admins = {"administrator": True, "managed_policies": [f"{arns[0]}{n}" for n in range(9)]}
    given = {"groups": {"team": {"managed_policies": arns}, "root-admins": admins}, "self_service": self_service}
    if room is None:
        IamGroups.model_validate(given)
        return
    with pytest.raises(ValidationError, match=f"group 'team' has {room + 1} managed policies .* at most {room}:"):
        IamGroups.model_validate(given)


def test_a_group_that_names_the_policy_of_aws_login_has_it_once() -> None:
    arns = [f"arn:aws:iam::123456789012:policy/p{number}" for number in range(6)]
    team = {"managed_policies": [*arns, "SignInLocalDevelopmentAccess"]}
    IamGroups.model_validate({"groups": {"team": team}, "self_service": {"aws_login": True}})


def test_a_sid_stands_once_in_a_policy() -> None:
    statement = {"sid": "S", "actions": ["s3:Get*"], "resources": ["*"]}
    with pytest.raises(ValidationError, match="uses a sid twice"):
        groups(team={"inline_policies": {"p": [statement, statement]}})
    groups(team={"inline_policies": {"p": [statement], "q": [statement]}})


def test_condition_operators() -> None:
    def condition(test: str) -> dict[str, Any]:
        values = {"test": test, "variable": "aws:PrincipalTag/team", "values": ["x"]}
        return with_statement(actions=["s3:Get*"], conditions=[values])

    for test in ("StringEquals", "BoolIfExists", "ForAnyValue:StringLikeIfExists", "Null", "NotIpAddress"):
        groups(team=condition(test))
    for test, guess in (("StringEqual", "StringEquals"), ("Boole", "Bool"), ("stringlike", "StringLike")):
        with pytest.raises(ValidationError, match=f"did you mean {guess}"):
            groups(team=condition(test))
    with pytest.raises(ValidationError, match="is not a condition operator"):
        groups(team=condition("NullIfExists"))


@pytest.mark.parametrize(("administrator", "room"), [(False, 7), (True, 9)])
def test_room_is_left_for_the_guardrail_and_mfa_enforcement(administrator: bool, room: int) -> None:
    names = [name for name in aws_list("managed_policies").names if "/" not in name and "Administrator" not in name]
    groups(team={"administrator": administrator, "managed_policies": names[:room]})
    with pytest.raises(ValidationError, match=f"expected at most {room}"):
        groups(team={"administrator": administrator, "managed_policies": names[: room + 1]})


def test_inline_policies_of_a_group_share_iams_quota() -> None:
    def policies(filler: int) -> dict[str, Any]:
        def policy(length: int) -> list[dict[str, Any]]:
            return [{"sid": "S", "actions": ["s3:Get*"], "resources": ["arn:aws:s3:::" + "x" * length]}]

        return {"inline_policies": {"p": policy(2000), "q": policy(filler)}}

    team = groups(team=policies(100))["team"]
    assert team is not None
    room = 5120 - sum(policy_size(statements) for statements in team.inline_policies.values())
    groups(team=policies(100 + room))
    with pytest.raises(ValidationError, match="have 5121 characters together; expected at most 5120"):
        groups(team=policies(101 + room))


def test_policy_size_counts_what_the_provider_renders() -> None:
    team = groups(
        team=with_statement(
            actions=["s3:ListBucket", "s3:GetObject", "s3:GetObject"],
            resources=["arn:aws:s3:::a b"],
            conditions=[{"test": "Bool", "variable": "aws:SecureTransport", "values": ["true"]}],
        )
    )["team"]
    assert team is not None
    expected = (
        '{"Version":"2012-10-17","Statement":{"Sid":"S","Effect":"Allow","Action":["s3:GetObject","s3:ListBucket"],'
        '"Resource":"arn:aws:s3:::ab","Condition":{"Bool":{"aws:SecureTransport":"true"}}}}'
    )
    assert policy_size(team.inline_policies["p"]) == len(expected)


ESCALATIONS = [
    "*",
    "iam:*",
    "IAM:*",
    "iam:*Policy",
    "iam:Put?serPolicy",
    "iam:PutUserPolicy",
    "iam:AttachGroupPolicy",
    "iam:CreatePolicyVersion",
    "iam:AddUserToGroup",
    "iam:UpdateAssumeRolePolicy",
    "iam:DeleteUserPermissionsBoundary",
    "iam:UpdateLoginProfile",
    "iam:TagUser",
    "sts:*",
    "sts:AssumeRoot",
    "sso:CreateAccountAssignment",
    "identitystore:CreateGroupMembership",
    "organizations:DetachPolicy",
]


@pytest.mark.parametrize("action", ESCALATIONS)
def test_no_inline_policy_raises_rights(action: str) -> None:
    with pytest.raises(ValidationError, match="members could raise their own rights") as caught:
        groups(team=with_statement(actions=["s3:Get*", action]))
    assert action in str(caught.value)
    assert "s3:Get*" not in caught.value.errors()[0]["msg"]
    groups(team={"administrator": True} | with_statement(actions=[action]))
    groups(team=with_statement(effect="Deny", actions=[action]))


@pytest.mark.parametrize("action", CREDENTIALS)
def test_credentials_only_of_oneself(action: str) -> None:
    under_path = OWN.replace("user/", "user/*/")
    groups(team=with_statement(actions=[action], resources=[OWN, under_path]))
    for resources in (["*"], [OWN, "arn:aws:iam::123456789012:user/bob"], ["arn:aws:iam::123456789012:user/*"]):
        with pytest.raises(ValidationError, match="on users other than"):
            groups(team=with_statement(actions=[action], resources=resources))


@pytest.mark.parametrize(
    "policy",
    ["AdministratorAccess", "IAMFullAccess", "AdministratorAccess-Amplify", "arn:aws-cn:iam::aws:policy/IAMFullAccess"],
)
def test_administrator_policies_are_for_administrators(policy: str) -> None:
    with pytest.raises(ValidationError, match="members could raise their own rights: managed policy"):
        groups(team={"managed_policies": [policy]})
    groups(team={"managed_policies": [policy], "administrator": True})


@pytest.mark.parametrize(
    ("action", "setting"), [("iam:PassRole", "passable_roles"), ("sts:AssumeRole", "assumable_roles")]
)
def test_roles_are_passed_and_assumed_only_as_listed(action: str, setting: str) -> None:
    role = "arn:aws:iam::123456789012:role/app/*"
    team = with_statement(actions=[action], resources=[role])
    IamGroups.model_validate({"groups": {"team": team}, setting: [role]})
    IamGroups.model_validate({"groups": {"team": team | {"administrator": True}}})
    with pytest.raises(ValidationError, match=f"group 'team'.*expected only what {setting} lists"):
        IamGroups.model_validate({"groups": {"team": team}})
    with pytest.raises(ValidationError, match=f"expected only what {setting} lists"):
        IamGroups.model_validate({"groups": {"team": with_statement(actions=[action])}, setting: [role]})
    for wide in ("*", "arn:aws:iam::123456789012:role/*", "arn:aws:iam::*:role/app", "arn:aws:iam::123456789012:*"):
        with pytest.raises(ValidationError, match="names no limited set of roles"):
            IamGroups.model_validate({setting: [wide]})


def test_guardrail_covers_every_write_of_iam() -> None:
    operations = botocore.session.get_session().get_service_model("iam").operation_names
    writes = [name for name in operations if not re.match("Get|List|Generate|Simulate", name)]
    open_writes = [
        name for name in writes if not any(overlap(f"iam:{name}", p) for p in IDENTITY_ADMINISTRATION + CREDENTIALS)
    ]
    # iam:PassRole is no operation; enrolment, service-linked roles and TLS certificates give nobody rights.
    assert open_writes == [
        "CreateServiceLinkedRole",
        "CreateVirtualMFADevice",
        "DeleteServerCertificate",
        "DeleteServiceLinkedRole",
        "DeleteVirtualMFADevice",
        "TagMFADevice",
        "TagServerCertificate",
        "UntagMFADevice",
        "UntagServerCertificate",
        "UpdateServerCertificate",
        "UploadServerCertificate",
    ]
    reads = [f"iam:{name}" for name in operations if name not in writes]
    assert not [read for read in reads if any(overlap(read, p) for p in IDENTITY_ADMINISTRATION + CREDENTIALS)]


def _documents() -> dict[str, dict[str, Any]]:
    found: dict[str, dict[str, Any]] = json.loads(aws_managed_policies_data)
    return {f"{facts['Path']}{name}".lstrip("/"): facts for name, facts in found.items()}


def test_administrator_policies_are_those_that_allow_identity_administration_everywhere() -> None:
    def listed(value: Any) -> list[Any]:
        return value if isinstance(value, list) else [value]

    def raises_rights(statement: dict[str, Any]) -> bool:
        if statement["Effect"] != "Allow" or "Condition" in statement or "*" not in listed(statement.get("Resource")):
            return False
        if "NotAction" in statement:
            return not any(overlap("iam:PutUserPolicy", action) for action in listed(statement["NotAction"]))
        return any(
            overlap(action, f"iam:{core}")
            for action in listed(statement["Action"])
            for core in ("Attach*", "Put*Policy", "CreatePolicyVersion", "AddUserToGroup", "CreateLoginProfile")
        )

    found = {
        name
        for name, facts in _documents().items()
        if not name.startswith("aws-service-role/")
        and any(raises_rights(statement) for statement in listed(facts["Document"]["Statement"]))
    }
    assert found == privileges.ADMINISTRATOR_POLICIES


# Two patterns of four letters and wildcards that have a common word have one of at most eight letters.
WORDS = ["".join(word) for length in range(9) for word in product("ab", repeat=length)]
PATTERN = st.text("ab*?", max_size=4)


@given(one=PATTERN, other=PATTERN)
def test_overlap_is_whether_a_common_word_exists(one: str, other: str) -> None:
    def regex(pattern: str) -> re.Pattern[str]:
        return re.compile("".join({"*": ".*", "?": "."}.get(letter, letter) for letter in pattern))

    first, second = regex(one), regex(other)
    assert overlap(one, other) == any(first.fullmatch(word) and second.fullmatch(word) for word in WORDS)
