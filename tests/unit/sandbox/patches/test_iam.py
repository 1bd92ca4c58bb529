"""What AWS does and moto does not: IAM."""

from __future__ import annotations

import csv
import json
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import boto3
import pytest
from botocore.exceptions import ClientError

from toolkit.sandbox.patches import iam

REGION = "eu-central-1"
ALLOWS = json.dumps(
    {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "s3:ListAllMyBuckets", "Resource": "*"}]}
)


def users_without_service_credentials_have_none() -> bool:
    client = boto3.client("iam")
    client.create_user(UserName="anna")
    return bool(client.list_service_specific_credentials(UserName="anna")["ServiceSpecificCredentials"] == [])


def the_credential_report_has_root() -> bool:
    client = boto3.client("iam")
    client.create_user(UserName="anna")
    while client.generate_credential_report()["State"] != "COMPLETE":
        time.sleep(0)
    answer = client.get_credential_report()
    root, *users = csv.DictReader(answer["Content"].decode().splitlines())
    return (
        (root["user"], root["arn"]) == ("<root_account>", "arn:aws:iam::123456789012:root")
        and (root["password_last_used"], root["access_key_2_active"]) == ("no_information", "false")
        and ([user["user"] for user in users], None not in root.values()) == (["anna"], True)
    )


def the_credential_report_is_new() -> bool:
    client = boto3.client("iam")
    while client.generate_credential_report()["State"] != "COMPLETE":
        time.sleep(0)
    return bool(datetime.now(UTC) - client.get_credential_report()["GeneratedTime"] < timedelta(hours=4))


def unique(call: str, parameter: str, **request: str) -> Callable[[], bool]:
    """Whether a second one whose name differs by case only is refused, and one of another name is not."""

    def case() -> bool:
        create = getattr(boto3.client("iam", REGION), call)
        create(**{parameter: "MyResource"}, **request)
        try:
            create(**{parameter: "myresource"}, **request)
        except ClientError as e:
            create(**{parameter: "other"}, **request)
            return e.response["Error"]["Code"] == "EntityAlreadyExists"
        return False

    return case


def users_are_renamed_to_no_name_of_another_case() -> bool:
    iam = boto3.client("iam", REGION)
    iam.create_user(UserName="ann")
    iam.update_user(UserName="ann", NewUserName="ann", NewPath="/people/")
    try:
        iam.update_user(UserName="ann", NewUserName="Ann")
    except ClientError as e:
        iam.update_user(UserName="ann", NewUserName="ben")
        return [user["UserName"] for user in iam.list_users()["Users"]] == ["ben"] and (
            e.response["Error"]["Code"] == "EntityAlreadyExists"
        )
    return False


def tag(key: str, value: str = "x") -> dict[str, str]:
    return {"Key": key, "Value": value}


def users_are_not_made_with_a_tag_twice() -> bool:
    iam = boto3.client("iam", REGION)
    try:
        iam.create_user(UserName="ann", Tags=[tag("Owner"), tag("owner")])
    except ClientError as e:
        iam.create_user(UserName="ann", Tags=[tag("Owner"), tag("Team")])
        return e.response["Error"]["Code"] == "InvalidInput"
    return False


def a_tag_of_another_case_replaces_the_first() -> bool:
    iam = boto3.client("iam", REGION)
    iam.create_user(UserName="ann", Tags=[tag("Owner", "a")])
    iam.tag_user(UserName="ann", Tags=[tag("owner", "b"), tag("Team")])
    return iam.list_user_tags(UserName="ann")["Tags"] == [tag("owner", "b"), tag("Team")]


def the_audiences_of_a_provider_change() -> bool:
    iam = boto3.client("iam", REGION)
    arn = iam.create_open_id_connect_provider(Url="https://token.example.com", ClientIDList=["one", "two"])[
        "OpenIDConnectProviderArn"
    ]
    for audience in ("three", "three"):
        iam.add_client_id_to_open_id_connect_provider(OpenIDConnectProviderArn=arn, ClientID=audience)
    for audience in ("one", "four"):
        iam.remove_client_id_from_open_id_connect_provider(OpenIDConnectProviderArn=arn, ClientID=audience)
    return sorted(iam.get_open_id_connect_provider(OpenIDConnectProviderArn=arn)["ClientIDList"]) == ["three", "two"]


def a_role_keeps_its_description() -> bool:
    client = boto3.client("iam")
    client.create_role(RoleName="ops", AssumeRolePolicyDocument=ALLOWS, Description="Operations")
    client.update_role(RoleName="ops", MaxSessionDuration=7200)
    role = client.get_role(RoleName="ops")["Role"]
    kept = (role.get("Description"), role["MaxSessionDuration"]) == ("Operations", 7200)
    client.update_role(RoleName="ops", Description="")
    return kept and not client.get_role(RoleName="ops")["Role"].get("Description")


def users_have_boundaries() -> bool:
    client = boto3.client("iam")
    one, other = (f"arn:aws:iam::aws:policy/{name}" for name in ("ReadOnlyAccess", "PowerUserAccess"))

    def boundaries() -> list[object]:
        details = client.get_account_authorization_details(Filter=["User"])["UserDetailList"]
        told = [client.get_user(UserName="anna")["User"], *details]
        return [user.get("PermissionsBoundary", {}).get("PermissionsBoundaryArn") for user in told]

    client.create_user(UserName="anna", PermissionsBoundary=one)
    found = [boundaries()]
    if found != [[one, one]]:
        return False
    client.put_user_permissions_boundary(UserName="anna", PermissionsBoundary=other)
    found.append(boundaries())
    client.delete_user_permissions_boundary(UserName="anna")
    found.append(boundaries())
    return found == [[one, one], [other, other], [None, None]]


CASES: dict[str, Callable[[], bool]] = {
    "iam-oidc-client-add": the_audiences_of_a_provider_change,
    "iam-oidc-client-remove": the_audiences_of_a_provider_change,
    "iam-service-specific-credentials": users_without_service_credentials_have_none,
    "iam-report-root": the_credential_report_has_root,
    "iam-report-time": the_credential_report_is_new,
    "iam-unique-group": unique("create_group", "GroupName"),
    "iam-unique-user": unique("create_user", "UserName"),
    "iam-unique-policy": unique("create_policy", "PolicyName", PolicyDocument=ALLOWS),
    "iam-unique-role": unique("create_role", "RoleName", AssumeRolePolicyDocument=ALLOWS),
    "iam-update-role": a_role_keeps_its_description,
    "iam-user-boundary-create": users_have_boundaries,
    "iam-user-boundary-put": users_have_boundaries,
    "iam-user-boundary-delete": users_have_boundaries,
    "iam-user-tags-create": users_are_not_made_with_a_tag_twice,
    "iam-user-tags-change": a_tag_of_another_case_replaces_the_first,
    "iam-unique-rename": users_are_renamed_to_no_name_of_another_case,
}


@pytest.mark.parametrize("name", CASES)
def test_moto_needs_the_patch(name: str, check: Callable[..., None]) -> None:
    check(iam.PATCHES, CASES, name)
