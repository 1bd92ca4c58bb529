from __future__ import annotations

import json
import re
from datetime import date
from typing import Any

import pytest
import yaml
from pydantic import ValidationError

from toolkit.components.iam_roles import COMPONENT, IamRoles
from toolkit.environment import Environment, load_text
from toolkit.environment.load import EnvironmentFileError
from toolkit.permissions.documents import policies
from toolkit.rendering.render import render

READ = {"managed_policies": ["ReadOnlyAccess"]}
ROOT = "arn:aws:iam::111122223333:root"
SITE = {"provider": "github", "repository": "example/site", "branches": ["main"], **READ}


def message(**settings: Any) -> str:
    """The path and the words of the one error that these settings cause."""
    with pytest.raises(ValidationError) as caught:
        IamRoles.model_validate(settings)
    (error,) = caught.value.errors()
    return f"{'.'.join(map(str, error['loc']))}: {error['msg'].removeprefix('Value error, ')}"


def loaded(roles: dict[str, Any], beside: str = "  password_policy: {}") -> Environment:
    text = (
        'account_id: "123456789012"\nregions: {home: eu-central-1}\ncomponents:\n'
        f"{beside}\n  iam_roles: {json.dumps(roles)}\n"
    )
    return load_text(text, name="x", shown_as="x.yaml")


def refused(roles: dict[str, Any], beside: str = "  password_policy: {}") -> list[str]:
    with pytest.raises(EnvironmentFileError) as caught:
        loaded(roles, beside)
    return [str(problem) for problem in caught.value.problems]


@pytest.mark.parametrize(
    ("role", "expected"),
    [
        ({}, "no principal may assume the role; expected at least one of users and principals"),
        ({"principals": ["*"]}, "expected the ARN of an account, a user or a role, without wildcards"),
        ({"principals": ["arn:aws:iam::111122223333:role/*"]}, "without wildcards"),
        ({"principals": ["arn:aws:iam::111122223333:user/*"]}, "without wildcards"),
        ({"users": ["anna"], "require_mfa": False}, "the role has no condition; expected require_mfa, external_id or"),
        (
            {"principals": ["arn:aws:iam::111122223333:role/x"]},
            "arn:aws:iam::111122223333:role/x could never assume the role, since sessions of roles carry no MFA",
        ),
        ({"users": ["anna"], "organization_id": "example"}, "expected the id of an organization"),
        ({"users": ["anna"], "external_id": "x"}, "expected 2 to 1224 letters"),
        ({"users": ["anna"], "max_session_minutes": 721}, "less than or equal to 720"),
        ({"users": ["anna"], "max_session_minutes": 59}, "greater than or equal to 60"),
        ({"users": ["anna"], "managed_policies": []}, "at least one"),
        ({"users": ["anna"], "managed_policies": ["ReadOnlyAcess"]}, "did you mean ReadOnlyAccess?"),
        ({"users": ["anna"], "path": "/delegated/"}, "is under /delegated/ without the boundary"),
        ({"users": ["anna"], "path": "/delegated/team/"}, "is under /delegated/ without the boundary"),
    ],
)
def test_wrong_roles_say_what_is_accepted(role: dict[str, Any], expected: str) -> None:
    assert expected in message(roles={"x": {**READ, **role}})


@pytest.mark.parametrize(
    ("deployer", "expected"),
    [
        ({"repository": "*/site"}, "repository is '*/site'; expected OWNER/NAME, without wildcards"),
        ({"repository": "example/*"}, "expected OWNER/NAME, without wildcards"),
        ({"repository": "example"}, "expected OWNER/NAME"),
        ({"provider": "gitlab", "repository": "*"}, "expected GROUP/PROJECT, without wildcards"),
        ({"branches": []}, "any run of the repository could assume the role"),
        ({"branches": ["*"]}, "expected an exact name without wildcards and colons"),
        ({"branches": ["release/?"]}, "expected an exact name"),
        ({"branches": ["main:environment:x"]}, "expected an exact name"),
        ({"provider": "gitlab", "repository": "a/b", "environments": ["x"]}, "environments are GitHub's"),
        ({"owner_id": "1"}, "expected owner_id and repository_id, or neither"),
        ({"owner_id": "1x", "repository_id": "2"}, "is not an id of GitHub"),
        ({"owner_id": "012", "repository_id": "2"}, "is not an id of GitHub"),
        ({"repository": "example@1/site@2"}, "expected OWNER/NAME"),
        ({"subject_format": "immutable"}, "subject_format is 'immutable' without the ids"),
        ({"subject_format": "both"}, "gh api repos/OWNER/NAME"),
        (
            {"subject_format": "classic", "owner_id": "1", "repository_id": "2", "issuer": "github.example.com"},
            "classic subjects name no ids, and AWS compares none with other claims of this issuer",
        ),
        (
            {"provider": "gitlab", "owner_id": "1", "repository_id": "2", "issuer": "gitlab.example.com"},
            "AWS compares ids with tokens of gitlab.com alone",
        ),
        ({"provider": "gitlab", "subject_format": "classic"}, "subject_format is GitHub's; expected none for gitlab"),
        ({"managed_policies": []}, "managed_policies is empty; expected at least one"),
        ({"provider": "jenkins"}, "Input should be 'github' or 'gitlab'"),
        ({"issuer": "https://gitlab.example.com"}, "without https://"),
        ({"audience": "a b"}, "expected 1 to 255 letters"),
        ({"path": "/delegated/"}, "expected a path outside of /delegated/"),
        ({"path": "/delegated/ci/", "bounded": False}, "expected a path outside of /delegated/"),
    ],
)
def test_wrong_deployers_say_what_is_accepted(deployer: dict[str, Any], expected: str) -> None:
    assert expected in message(deployers={"x": {**SITE, **deployer}})


IDS = {"owner_id": "123456", "repository_id": "456789"}
PIPELINE = {"provider": "github", "repository": "example/infrastructure", **IDS, "pipeline": {}}


@pytest.mark.parametrize(
    ("deployer", "expected"),
    [
        ({"repository": "infrastructure"}, "repository is 'infrastructure'; expected OWNER/NAME"),
        ({"repository": "example/*"}, "expected OWNER/NAME, without wildcards"),
        ({"repository": "https://github.com/example/infrastructure"}, "expected OWNER/NAME"),
        ({"owner_id": None}, "an id without the other one; expected owner_id and repository_id, or neither"),
        ({"repository_id": None}, "an id without the other one"),
        ({"owner_id": None, "repository_id": None}, "another owner could take over the names; expected owner_id and"),
        (
            {"owner_id": None, "repository_id": None, "subject_format": "immutable"},
            "subject_format is 'immutable' without the ids",
        ),
        ({"provider": "gitlab", "owner_id": None, "repository_id": None}, "glab api projects/:id"),
        ({"provider": "gitlab", "issuer": "gitlab.example.com"}, "with tokens of gitlab.com alone"),
        ({"branches": ["main"]}, "branches with pipeline; expected neither"),
        ({"environments": ["x"], "bounded": False}, "environments, bounded with pipeline"),
        ({"managed_policies": ["ReadOnlyAccess"]}, "managed_policies with pipeline"),
        ({"pipeline": {"branch": "*"}}, "expected an exact name without wildcards"),
        ({"pipeline": {"branch": "release/?"}}, "expected an exact name without wildcards"),
        ({"pipeline": {"workflows": ["*.yml"]}}, "expected the name of a file in .github/workflows"),
        ({"pipeline": {"workflows": [".github/workflows/baseline.yml"]}}, "expected the name of a file"),
        ({"pipeline": {"nightly_workflows": ["baseline"]}}, "expected the name of a file"),
        ({"pipeline": {"workflows": ["example/x/.github/workflows/a.yml@*"]}}, "expected the name of a file"),
        ({"pipeline": {"workflows": ["a.yml", "a.yml"]}}, "a.yml"),
        ({"pipeline": {"plan_environment": "x", "apply_environment": "x"}}, "a run that plans could apply"),
        ({"pipeline": {"plan_environment": "a:b"}}, "without wildcards and colons"),
        ({"pipeline": {"apply_managed_policies": ["AdministratorAcces"]}}, "did you mean AdministratorAccess?"),
        ({"path": "/delegated/"}, "expected a path outside of /delegated/"),
        (
            {"pipeline": {"apply_managed_policies": ["arn:aws:iam::123456789012:policy/delegated/own"]}},
            "expected a policy outside of /delegated/",
        ),
    ],
)
def test_wrong_pipelines_say_what_is_accepted(deployer: dict[str, Any], expected: str) -> None:
    assert expected in message(deployers={"x": {**PIPELINE, **deployer}})


@pytest.mark.parametrize(
    ("provider", "issuer", "demanded"),
    [
        ("github", None, True),
        ("github", "token.actions.githubusercontent.com", True),
        ("github", "token.actions.githubusercontent.com/enterprise", True),
        ("github", "token.actions.example.ghe.com", True),
        ("github", "github.example.com/_services/token", False),
        ("gitlab", None, True),
        ("gitlab", "gitlab.com", True),
        ("gitlab", "gitlab.example.com", False),
    ],
)
def test_ids_are_demanded_of_issuers_that_serve_every_owner(provider: str, issuer: str | None, demanded: bool) -> None:
    named = {"provider": provider, "repository": "example/x", "issuer": issuer, "pipeline": {}}
    if demanded:
        assert "pipeline without the ids: another owner could" in message(deployers={"x": named})
        assert IamRoles.model_validate({"deployers": {"x": {**named, **IDS}}})
    else:
        assert IamRoles.model_validate({"deployers": {"x": named}})


@pytest.mark.parametrize(
    ("deployer", "line", "problem"),
    [
        ({"repository": "infrastructure"}, 5, "repository is 'infrastructure'"),
        ({"owner_id": None, "repository_id": None, "subject_format": "immutable"}, 5, "without the ids"),
        ({"owner_id": None}, 5, "an id without the other one"),
    ],
)
def test_what_is_wrong_has_its_line(deployer: dict[str, Any], line: int, problem: str) -> None:
    given = {**PIPELINE, **deployer}
    with pytest.raises(EnvironmentFileError) as caught:
        loaded({"deployers": {"x": {name: value for name, value in given.items() if value is not None}}})
    (found,) = caught.value.problems
    assert found.line == line
    assert str(found).startswith("components.iam_roles.deployers.x: ")
    assert problem in str(found)


def test_a_pipeline_is_two_roles() -> None:
    text = render(loaded({"deployers": {"x": PIPELINE}}))["iam_roles.tf"]
    assert re.search(r'environment_name += "x"', text)
    assert re.search(r"bounded += false", text)
    assert not re.search(r"bounded += true", text)
    # Its roles get what `toolkit permissions` prints, of the principal that runs the toolkit.
    assert 'permissions = { "x" = { plan = local.plan_policies, apply = local.apply_policies } }' in " ".join(
        text.split()
    )
    for purpose in ("plan", "apply"):
        block = text.partition(f"  {purpose}_policies = [")[2].partition("\n  ]")[0]
        documents = policies(loaded({"deployers": {"x": PIPELINE}}), purpose)
        assert block.count("jsonencode({") == len(documents) >= 1
        actions = {action for d in documents for s in d.statements for action in s.actions}
        assert actions == set(re.findall(r'"([a-z0-9-]+:[A-Za-z0-9*]+)"', block))
    # One role is rendered as ever.
    assert "environment_name" not in render(loaded({"deployers": {"x": SITE}}))["iam_roles.tf"]
    # IAM knows no two roles of a name, and not by case.
    (said,) = refused({"deployers": {"x": PIPELINE}, "roles": {"X-plan": {**READ, "users": ["anna"]}}})
    assert (
        "IAM does not distinguish names by case: the role 'x-plan' is 'X-plan' of components.iam_roles.roles.X-plan"
        in said
    )
    (said,) = refused({"deployers": {"x": PIPELINE, "x-apply": SITE}})
    assert "names a role 'x-apply' already" in said
    assert loaded({"deployers": {"x": PIPELINE}, "roles": {"x": {**READ, "users": ["anna"]}}})


def test_a_deployer_that_is_known_by_name_alone_is_warned_of() -> None:
    elsewhere = {**SITE, "issuer": "github.example.com"}
    deployers = {"a": SITE, "b": {**SITE, **IDS}, "c": elsewhere, "d": {**SITE, "subject_format": "classic"}}
    found = {a.setting: a for _, a in loaded({"deployers": deployers}).advice(date(2026, 11, 30))}
    assert set(found) == {("deployers", "a"), ("deployers", "d")}
    assert not any(a.reported for a in found.values())
    assert "owner_id and repository_id, as `gh api" in found["deployers", "a"].remedy


def test_no_role_that_pull_requests_plan_with_may_sign() -> None:
    branch = {**PIPELINE, "pipeline": {"pull_requests": False}}
    data = {
        "account_id": "123456789012",
        "regions": {"home": "eu-central-1"},
        "backend": STATE,
        "bundle": {"require_signature": "alias/plans", "store": "s3://plans/"},
        "components": {"iam_roles": {"deployers": {"a": PIPELINE, "b": branch}}},
    }
    text = render(load_text(json.dumps(data), name="x", shown_as="x.yaml"))["iam_roles.tf"]
    assert '"a" = { plan = local.plan_policies, apply = local.apply_policies }' in " ".join(text.split())
    assert '"b" = { plan = local.signing_plan_policies, apply = local.apply_policies }' in " ".join(text.split())
    for policies_of, has in (("plan", {"PutPlans"}), ("signing_plan", {"PutPlans", "SignPlans"})):
        block = text.partition(f"  {policies_of}_policies = [")[2].partition("\n  ]")[0]
        assert set(re.findall(r'"(\w+Plans)"', block)) == has


@pytest.mark.parametrize(
    ("deployer", "is_refused"),
    [
        ({**PIPELINE, "subject_format": "classic"}, True),
        ({**PIPELINE, "subject_format": "both"}, True),
        (PIPELINE, False),
        ({**SITE, **IDS, "subject_format": "classic"}, True),
        # As it was before AWS compared ids.
        ({**SITE, **IDS, "subject_format": "both"}, False),
        ({**SITE, **IDS}, False),
        (SITE, False),
    ],
)
@pytest.mark.parametrize(("region", "partition"), [("cn-north-1", "aws-cn"), ("us-gov-west-1", "aws-us-gov")])
def test_names_alone_are_refused_where_aws_compares_no_ids(
    deployer: dict[str, Any], is_refused: bool, region: str, partition: str
) -> None:
    data = {
        "account_id": "123456789012",
        "regions": {"home": region},
        "components": {"iam_roles": {"deployers": {"x": deployer}}},
    }
    if not is_refused:
        assert load_text(json.dumps(data), name="x", shown_as="x.yaml")
        return
    with pytest.raises(EnvironmentFileError) as caught:
        load_text(json.dumps(data), name="x", shown_as="x.yaml")
    (found,) = map(str, caught.value.problems)
    assert f"no condition keys for other claims in the partition {partition}; expected immutable" in found
    assert found.startswith("components.iam_roles.deployers.x.subject_format: ")


ASSUMED = {"role_arn": "arn:aws:iam::123456789012:role/baseline"}
STATE = {"type": "s3", "bucket": "state-bucket", "region": "eu-central-1"}


@pytest.mark.parametrize(
    ("more", "settings"),
    [
        ({"credentials": {"assume_role": ASSUMED}}, ["credentials.assume_role"]),
        ({"backend": {**STATE, **ASSUMED}}, ["backend.role_arn"]),
        (
            {"credentials": {"assume_role": ASSUMED}, "backend": {**STATE, **ASSUMED}},
            ["credentials.assume_role", "backend.role_arn"],
        ),
        ({"credentials": {"profile": "x"}, "backend": STATE}, []),
        ({"backend": {"type": "local"}}, []),
    ],
)
@pytest.mark.parametrize("provider", ["github", "gitlab"])
def test_pull_requests_get_no_role_that_applies(more: dict[str, Any], settings: list[str], provider: str) -> None:
    def text(**pipeline: Any) -> str:
        deployer = {**PIPELINE, "provider": provider, "pipeline": pipeline}
        data = {"account_id": "123456789012", "regions": {"home": "eu-central-1"}, **more}
        return yaml.safe_dump({**data, "components": {"iam_roles": {"deployers": {"x": deployer}}}}, sort_keys=False)

    def rights(environment: Environment) -> set[str]:
        planning = render(environment)["iam_roles.tf"].partition("plan_policies = [")[2].partition("\n  ]")[0]
        return set(re.findall(r'"([a-z0-9-]+:[A-Za-z0-9*]+)"', planning))

    if not settings:
        assert "sts:AssumeRole" not in rights(load_text(text(), name="x", shown_as="x.yaml"))
        return
    with pytest.raises(EnvironmentFileError) as caught:
        load_text(text(), name="x", shown_as="x.yaml")
    lines = text().splitlines()
    for setting, found in zip(settings, caught.value.problems, strict=True):
        assert lines[found.line - 1].strip().startswith("pipeline:")
        key = setting.partition(".")[2]
        # `assume_role` has a `role_arn`, too, and stands above the backend.
        line = max(number for number, line in enumerate(lines, start=1) if line.strip().startswith(key))
        assert str(found) == (
            "components.iam_roles.deployers.x.pipeline: x-plan, which runs for pull requests may assume, would get "
            f"{setting} (line {line}), and with it every right of an apply; expected `pull_requests: false`, or no "
            f"{setting}: the roles of the pipeline have what they need"
        )
    # Runs of the branch alone are trusted with both.
    assert "sts:AssumeRole" in rights(load_text(text(pull_requests=False), name="x", shown_as="x.yaml"))


def test_named_roles_keep_what_they_are_for() -> None:
    assert "audit.managed_policies" in message(audit={"users": ["anna"], "managed_policies": ["PowerUserAccess"]})
    assert "lacks AWSSupportAccess" in message(support={"users": ["anna"], **READ})
    # An emergency role always asks for MFA: there is no setting that would not.
    assert "Extra inputs" in message(break_glass={"users": ["anna"], "require_mfa": False})
    assert "sessions of roles carry no MFA" in message(break_glass={"principals": ["arn:aws:iam::111122223333:role/x"]})


DELEGATED = [f"arn:aws:iam::123456789012:policy/delegated/{rest}" for rest in ("own", "team/own")]
NOT_DELEGATED = [
    "ReadOnlyAccess",
    "arn:aws:iam::123456789012:policy/own",
    "arn:aws:iam::123456789012:policy/delegated",
    "arn:aws:iam::123456789012:policy/team/delegated/own",
    "arn:aws:iam::123456789012:policy/Delegated/own",
]
ANNA = {"users": ["anna"]}


def attached(policy: str) -> dict[str, tuple[dict[str, Any], str]]:
    """Everything that is not bounded and can carry a policy of the account: settings of components, and the place."""
    path, _, name = policy.partition(":policy")[2].rpartition("/")
    own = [policy]
    return {
        "role": ({"iam_roles": {"roles": {"x": {**ANNA, "managed_policies": own}}}}, "role 'x'"),
        "deployer": ({"iam_roles": {"deployers": {"x": {**SITE, "managed_policies": own}}}}, "deployer 'x'"),
        "unbounded deployer": (
            {"iam_roles": {"deployers": {"x": {**SITE, "managed_policies": own, "bounded": False}}}},
            "deployer 'x'",
        ),
        "break_glass": (
            {
                "iam_roles": {"break_glass": {**ANNA, "managed_policies": own}},
                "cloudtrail": {},
                "activity_alarms": {"subscribers": {"email_addresses": ["security@example.com"]}},
            },
            "break_glass",
        ),
        "support": (
            {"iam_roles": {"support": {**ANNA, "managed_policies": ["AWSSupportAccess", policy]}}},
            "support",
        ),
        "group": (
            {"iam_roles": {}, "iam_groups": {"groups": {"developers": {"managed_policies": own}}}},
            "components.iam_groups.groups.developers.managed_policies[0]",
        ),
        "administrators": (
            {"iam_roles": {}, "iam_groups": {"groups": {"administrators": {"managed_policies": own}}}},
            "components.iam_groups.groups.administrators.managed_policies[0]",
        ),
        "permission set": (
            {
                "iam_roles": {},
                "identity_center": {"permission_sets": {"x": {"customer_managed_policies": {name: f"{path}/"}}}},
            },
            f"components.identity_center.permission_sets.x.customer_managed_policies.{name}",
        ),
        "boundary of a permission set": (
            {
                "iam_roles": {},
                "identity_center": {
                    "permission_sets": {
                        "x": {"permissions_boundary": {"customer_managed_policy": name, "path": f"{path}/"}}
                    }
                },
            },
            "components.identity_center.permission_sets.x.permissions_boundary.path",
        ),
    }


def environment(components: dict[str, Any]) -> Environment:
    data = {"account_id": "123456789012", "regions": {"home": "eu-central-1"}, "components": components}
    return load_text(json.dumps(data), name="x", shown_as="x.yaml")


@pytest.mark.parametrize("policy", DELEGATED)
@pytest.mark.parametrize("holder", list(attached(DELEGATED[0])))
def test_what_is_not_bounded_has_no_policy_that_bounded_administrators_may_rewrite(holder: str, policy: str) -> None:
    components, place = attached(policy)[holder]
    with pytest.raises(EnvironmentFileError) as caught:
        environment(components)
    (problem,) = map(str, caught.value.problems)
    assert place in problem
    assert "expected a policy outside of /delegated/" in problem


@pytest.mark.parametrize(
    ("holder", "policy"),
    [
        (holder, policy)
        for holder in attached(DELEGATED[0])
        for policy in NOT_DELEGATED
        # Permission sets name AWS managed policies under a setting of their own.
        if ":policy" in policy or not holder.endswith("set")
    ],
)
def test_other_policies_may_be_anywhere(holder: str, policy: str) -> None:
    environment(attached(policy)[holder][0])


def test_a_bounded_role_may_have_them_and_another_path_moves_what_is_refused() -> None:
    environment({"iam_roles": {"roles": {"x": {**ANNA, "bounded": True, "managed_policies": DELEGATED}}}})
    elsewhere = {"delegation": {"path": "/teams/"}}
    environment({"iam_roles": {"roles": {"x": {**ANNA, "managed_policies": DELEGATED}}, **elsewhere}})
    assert "outside of /teams/" in message(
        roles={"x": {**ANNA, "managed_policies": ["arn:aws:iam::123456789012:policy/teams/own"]}}, **elsewhere
    )
    # Without iam_roles nobody is bounded, and the path means nothing.
    environment({"iam_groups": {"groups": {"developers": {"managed_policies": DELEGATED}}}})


def roles(**principals: list[str]) -> dict[str, Any]:
    """Roles by name, each open to users (no colon) and principals."""
    return {
        name: {
            **READ,
            "users": [p for p in given if ":" not in p],
            "principals": [p for p in given if ":" in p],
            "require_mfa": False,
            "external_id": "example-42",
        }
        for name, given in principals.items()
    }


OWN = "arn:aws:iam::123456789012:role"


@pytest.mark.parametrize(
    ("given", "shared"),
    [
        (roles(a=["anna", "bert"], b=["carl", "anna"]), "user anna"),
        (roles(a=[ROOT], b=[ROOT]), ROOT),
        (roles(a=[ROOT], b=["arn:aws:iam::111122223333:user/x"]), "arn:aws:iam::111122223333:user/x"),
        (roles(a=["arn:aws:iam::111122223333:role/x"], b=[ROOT]), "arn:aws:iam::111122223333:role/x"),
        # Whoever has one role goes on to the other, at once or by way of a third.
        (roles(a=["anna"], b=[f"{OWN}/a"]), "role a"),
        (roles(a=[f"{OWN}/people/b"], b=["anna"]), "role b"),
        (roles(a=["anna"], b=[f"{OWN}/c"], c=["anna"]), "user anna"),
        (roles(a=["anna"], b=[f"{OWN}/c"], c=[f"{OWN}/a", "bert"]), "role a"),
        (roles(a=[f"{OWN}/b"], b=[f"{OWN}/a"]), "role a"),
    ],
)
def test_nobody_has_two_duties_in_conflict(given: dict[str, Any], shared: str) -> None:
    said = message(roles=given, conflicts=[["a", "b"]])
    assert "roles 'a' and 'b' are in conflict, but " in said
    assert shared in said
    assert shared in message(roles=given, conflicts=[["b", "a"]])
    assert IamRoles.model_validate({"roles": given}).conflicts == ()


def test_separate_duties_are_accepted() -> None:
    given = roles(a=["anna"], b=["bert", ROOT], c=["arn:aws:iam::444455556666:root"])
    settings = {
        "roles": given,
        "break_glass": {"users": ["carl"]},
        "conflicts": [["a", "b"], ["b", "c"], ["a", "break-glass"]],
    }
    assert len(IamRoles.model_validate(settings).conflicts) == 3
    assert "user anna may assume both" in message(
        roles=given, break_glass={"users": ["anna"]}, conflicts=[["a", "break-glass"]]
    )


def test_conflicts_name_two_roles() -> None:
    given = roles(administration=["anna"], development=["bert"])
    assert "which is not a role here (did you mean 'development'?)" in message(
        roles=given, conflicts=[["administration", "developmnt"]]
    )
    for pair in (["administration"], ["administration", "administration"], ["a", "b", "c"]):
        assert "expected a pair of two different roles" in message(roles=given, conflicts=[pair])


USERS = (
    "  iam_users:\n    users:\n      anna: {owner: x, review_date: '2027-03-31'}\n"
    "      bert: {owner: x, review_date: '2027-03-31', status: suspended}"
)


def test_users_are_those_of_iam_users_and_active() -> None:
    (said,) = refused({"roles": {"x": {**READ, "users": ["ana"]}}}, USERS)
    assert said.startswith("components.iam_roles.roles.x.users[0]: iam_users has no user 'ana'; expected one of anna")
    assert said.endswith("(did you mean 'anna'?)")
    (said,) = refused({"audit": {"users": ["bert"]}}, USERS)
    assert "components.iam_roles.audit.users[0]: the user 'bert' is suspended" in said
    text = render(loaded({"roles": {"x": {**READ, "users": ["anna"]}}}, USERS))["iam_roles.tf"]
    assert re.search(r"user_arns += module\.iam_users\.user_arns", text)
    # Without iam_users, names are taken as they stand.
    assert "user_arns" not in render(loaded({"roles": {"x": {**READ, "users": ["zoe"]}}}))["iam_roles.tf"]


def test_an_emergency_role_that_nobody_hears_of_is_refused() -> None:
    said = refused({"break_glass": {"users": ["anna"]}})
    assert "components.iam_roles.break_glass: needs the component cloudtrail, which is off" in said[0]
    assert any("needs the component activity_alarms, which is off" in line for line in said)
    assert COMPONENT.requires == ()
    alarms = "  cloudtrail: {}\n  activity_alarms: {subscribers: {email_addresses: [a@example.com]}}"
    text = render(loaded({"break_glass": {"users": ["anna"]}}, alarms))["iam_roles.tf"]
    assert "name_prefix = module.activity_alarms.publisher_name_prefix" in text
    assert "activity_alarms" not in render(loaded({"audit": {"users": ["anna"]}}, alarms))["iam_roles.tf"]


GUARDED = (
    "  iam_groups: {groups: {leads: {administrator: true}}%s}\n"
    "  iam_users:\n    existing_groups: [readers]\n    users:\n"
    "      anna: {owner: x, review_date: '2027-03-31', groups: [developers]}\n"
    "      carl: {owner: x, review_date: '2027-03-31', groups: [leads, readers]}"
)


def test_a_guardrail_that_would_keep_somebody_out_is_told_of() -> None:
    """Its deny beats the trust policy: without this the role would be there, and nobody get in."""
    read = {"roles": {"x": {**READ, "users": ["anna"], "path": "/people/"}}, "audit": {"users": ["anna"]}}
    said = refused(read, GUARDED % "")
    assert [line.partition(":")[0] for line in said] == [
        "components.iam_roles.roles.x.users[0]",
        "components.iam_roles.audit.users[0]",
    ]
    assert "the user is in developers, whose guardrail denies assuming roles that are not listed" in said[0]
    assert "arn:aws:iam::ACCOUNT:role/people/x under iam_groups.assumable_roles" in said[0]
    assert "arn:aws:iam::ACCOUNT:role/security-audit under" in said[1]
    own = "arn:aws:iam::123456789012:role"
    listed = f", assumable_roles: ['{own}/people/*', '{own}/security-audit']"
    assert loaded(read, GUARDED % listed)
    # Administrators carry no guardrail, nor do groups that are not ours.
    assert loaded({"audit": {"users": ["carl"]}}, GUARDED % "")
