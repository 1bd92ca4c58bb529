"""Access tests of environment.yaml: what holds, what fails, and with which words."""

from __future__ import annotations

import pytest

from tests.unit.access.worlds import TRAIL, allow, deny, group, held, user, world
from toolkit.environment import load_text
from toolkit.environment.load import EnvironmentFileError
from toolkit.errors import RefusedError
from toolkit.workflows.access import Subject
from toolkit.workflows.access_tests import require_access

START = 'account_id: "123456789012"\nregions: {home: eu-central-1}\ncomponents: {}\naccess_tests:\n'
MFA = {"Bool": {"aws:MultiFactorAuthPresent": "true"}}
WORLD = world(
    group(held(allow("*"), deny("cloudtrail:*"), name="power")),
    group(held(allow("*", Condition=MFA), name="admin"), name="administrators"),
    user(name="anna"),
    places={"trail": (TRAIL,)},
)


def ran(*lines: str) -> int:
    text = START + "".join(f"  - {line}\n" for line in lines)
    environment = load_text(text, name="prod", shown_as="environments/prod/environment.yaml")
    return require_access(Subject(WORLD, environment, "environments/prod/environment.yaml"))


def test_what_holds() -> None:
    assert (
        ran(
            "{who: developers, cannot: cloudtrail:StopLogging}",
            "{who: [developers, anna], cannot: [cloudtrail:StopLogging, cloudtrail:DeleteTrail], on: trail}",
            "{who: group:developers, can: ec2:RunInstances}",
            "{who: administrators, can: iam:CreateUser, when: {aws:MultiFactorAuthPresent: true}}",
            "{who: administrators, cannot: iam:CreateUser, when: {aws:MultiFactorAuthPresent: false}}",
        )
        == 8
    )


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        (
            "{who: developers, can: cloudtrail:StopLogging}",
            "yaml:5: group:developers cloudtrail:StopLogging: expected allowed, is denied: "
            "identity-based policy power, statement 2",
        ),
        (
            "{who: developers, cannot: iam:CreateUser}",
            "yaml:5: group:developers iam:CreateUser: expected denied, is allowed: "
            "identity-based policy power, statement 1",
        ),
        (
            "{who: administrators, can: iam:CreateUser}",
            "yaml:5: group:administrators iam:CreateUser: expected allowed, is depends (if "
            "Bool aws:MultiFactorAuthPresent 'true'): identity-based policy admin, statement 1",
        ),
        ("{who: anna, can: iam:CreateUser}", "expected allowed, is denied: no identity-based policy allows it"),
        (
            "{who: developer, cannot: iam:CreateUser}",
            "no principal 'developer' in a test; did you mean developers?",
        ),
        ("{who: anna, cannot: s3:DeleteBucket, on: log bucket}", "a test has no 'log bucket'; expected an ARN"),
        ("{who: anna, cannot: iam:CreateUser, when: {s3:prefix: a}}", "cannot have the condition key 's3:prefix'"),
        (
            "{who: anna, cannot: iam:CreateUser, when: {aws:MultiFactorAuthPresent: maybe}}",
            "yaml:5: a request cannot have aws:MultiFactorAuthPresent with the value 'maybe'; expected true or false, "
            "such as true",
        ),
        (
            "{who: anna, cannot: iam:CreateUser, when: {aws:SourceIp: 203.0.113.0/24}}",
            "yaml:5: a request cannot have aws:SourceIp with the value '203.0.113.0/24'; expected one IP address",
        ),
    ],
)
def test_what_fails_says_line_answer_and_statement(line: str, expected: str) -> None:
    with pytest.raises(RefusedError) as error:
        ran(line)
    assert expected in (error.value.detail or "")
    assert error.value.problem == "1 access test failed, by a test"


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("{who: anna, cannot: cloudtrail:StopLoging}", "did you mean cloudtrail:StopLogging?"),
        ("{who: anna}", "expected one of `can` and `cannot`"),
        ("{who: anna, can: iam:CreateUser, cannot: iam:CreateUser}", "expected one of `can` and `cannot`"),
        ("{whom: anna, can: iam:CreateUser}", "whom"),
        ("{who: [], can: iam:CreateUser}", "access_tests[0].who"),
    ],
)
def test_a_wrong_test_is_refused_with_its_place(line: str, expected: str) -> None:
    with pytest.raises(EnvironmentFileError) as error:
        ran(line)
    assert expected in str(error.value) + str(error.value.detail)
    assert ":5" in str(error.value) + str(error.value.detail)
