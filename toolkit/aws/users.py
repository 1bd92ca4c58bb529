"""Facts about IAM users and their groups: who gets in, how, and what policies deny. Reads only.

Direct calls where staleness would matter; the credential report, which AWS renews at most every four hours (IAM User
Guide, "Generate credential reports"), only for the age of passwords, where an old answer errs on the safe side.
"""

from __future__ import annotations

import csv
import io
import json
import time
from datetime import UTC, datetime
from typing import Any

from toolkit.aws.facts import asked, side_by_side
from toolkit.aws.session import ClientFactory
from toolkit.errors import ToolkitError
from toolkit.plan.denials import HeldPolicies
from toolkit.plan.lockout import UserFact
from toolkit.plan.managed_policies import is_administrator


def read_users(clients: ClientFactory, *, with_password_age: bool) -> tuple[UserFact, ...]:
    """Every IAM user of the account.

    Args:
        clients: Reach the account.
        with_password_age: Whether ages of passwords are wanted, which costs a credential report.

    Raises:
        ToolkitError: A fact could not be read; none is guessed.
    """
    iam = clients.client("iam")
    users, administrators, arns, boundaries = asked("iam:GetAccountAuthorizationDetails", lambda: _details(iam))
    ages = asked("iam:GetCredentialReport", lambda: _password_ages(iam)) if with_password_age else {}

    def one(name: str) -> UserFact:
        return UserFact(
            name=name,
            arn=arns[name],
            groups=users[name],
            console_password=_has_password(iam, name),
            mfa_devices=sum(
                len(p["MFADevices"]) for p in iam.get_paginator("list_mfa_devices").paginate(UserName=name)
            ),
            active_keys=sum(
                key["Status"] == "Active"
                for page in iam.get_paginator("list_access_keys").paginate(UserName=name)
                for key in page["AccessKeyMetadata"]
            ),
            administrator=name in administrators,
            administrator_groups=administrators.get(name, frozenset()),
            password_age_days=ages.get(name),
            boundary=boundaries.get(name),
        )

    return asked("iam:ListMFADevices", lambda: side_by_side(one, sorted(users)))


def read_group_policies(clients: ClientFactory) -> HeldPolicies:
    """The policies of every group, with the text of those that are inline or the account's own.

    Raises:
        ToolkitError: They could not be read.
    """
    iam = clients.client("iam")
    filters = {"Filter": ["Group", "LocalManagedPolicy"]}
    pages = asked(
        "iam:GetAccountAuthorizationDetails",
        lambda: list(iam.get_paginator("get_account_authorization_details").paginate(**filters)),
    )
    groups = [group for page in pages for group in page["GroupDetailList"]]
    # botocore has parsed the documents already.
    return HeldPolicies(
        inline={
            g["GroupName"]: {p["PolicyName"]: json.dumps(p["PolicyDocument"]) for p in g.get("GroupPolicyList", ())}
            for g in groups
        },
        attached={g["GroupName"]: frozenset(p["PolicyArn"] for p in g["AttachedManagedPolicies"]) for g in groups},
        documents={
            policy["Arn"]: json.dumps(version["Document"])
            for page in pages
            for policy in page.get("Policies", ())
            for version in policy["PolicyVersionList"]
            if version["IsDefaultVersion"]
        },
    )


def _details(
    iam: Any,
) -> tuple[dict[str, frozenset[str]], dict[str, frozenset[str]], dict[str, str], dict[str, str]]:
    """User → groups; users whom AdministratorAccess reaches → the groups that do it (none: directly); user → ARN;
    user → ARN of the permissions boundary, of those who have one.
    """
    arns: dict[str, str] = {}
    boundaries: dict[str, str] = {}
    groups_of: dict[str, frozenset[str]] = {}
    directly: set[str] = set()
    administrator_groups: set[str] = set()

    def administers(entry: dict[str, Any]) -> bool:
        return any(is_administrator(p["PolicyArn"]) for p in entry["AttachedManagedPolicies"])

    pages = list(iam.get_paginator("get_account_authorization_details").paginate(Filter=["User", "Group"]))
    for page in pages:
        for group in page["GroupDetailList"]:
            if administers(group):
                administrator_groups.add(group["GroupName"])
        for user in page["UserDetailList"]:
            arns[user["UserName"]] = user["Arn"]
            if boundary := user.get("PermissionsBoundary", {}).get("PermissionsBoundaryArn"):
                boundaries[user["UserName"]] = boundary
            groups_of[user["UserName"]] = frozenset(user.get("GroupList", ()))
            if administers(user):
                directly.add(user["UserName"])
    through = {name: by for name, groups in groups_of.items() if (by := groups & administrator_groups)}
    return groups_of, through | dict.fromkeys(directly, frozenset()), arns, boundaries


def _has_password(iam: Any, name: str) -> bool:
    try:
        iam.get_login_profile(UserName=name)
    except iam.exceptions.NoSuchEntityException:
        return False
    return True


def _password_ages(iam: Any) -> dict[str, int]:
    """User → age of the password in days; users whose age the report does not tell are left out."""
    deadline = time.monotonic() + 60
    while iam.generate_credential_report()["State"] != "COMPLETE":
        if time.monotonic() > deadline:
            raise ToolkitError("AWS did not finish the credential report in a minute", hint="plan again")
        time.sleep(1)
    report = iam.get_credential_report()["Content"].decode()
    ages = {}
    for row in csv.DictReader(io.StringIO(report)):
        try:
            changed = datetime.fromisoformat(row["password_last_changed"])
        except ValueError:  # "N/A", "not_supported", "no_information"
            continue
        ages[row["user"]] = (datetime.now(UTC) - changed.astimezone(UTC)).days
    return ages
