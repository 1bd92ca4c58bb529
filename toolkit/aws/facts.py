"""What an account has, asked of AWS through boto3 and answered as frozen facts. Reads only.

A fact that cannot be read is an error, never an absence: `None` and empty mean that AWS said so.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import TypeVar

from toolkit.aws.session import ClientFactory
from toolkit.errors import ToolkitError

S = TypeVar("S")
T = TypeVar("T")

_AT_ONCE = 8


@dataclass(frozen=True)
class PasswordPolicyFact:
    """The account's password policy (IAM GetAccountPasswordPolicy)."""

    minimum_length: int
    reuse_prevention: int | None
    max_age_days: int | None


@dataclass(frozen=True)
class GroupFact:
    """An IAM group with the names of the managed policies attached to it."""

    name: str
    policies: tuple[str, ...]


@dataclass(frozen=True)
class TrailFact:
    """A trail whose home is the asked region."""

    name: str
    multi_region: bool
    logging: bool
    validated: bool
    encrypted: bool
    bucket: str


@dataclass(frozen=True)
class RecorderFact:
    """A region's configuration recorder."""

    name: str
    recording: bool
    global_types: bool
    rules: int


@dataclass(frozen=True)
class DetectorFact:
    """A region's GuardDuty detector."""

    id: str
    enabled: bool
    frequency: str


class AccountFacts:
    """Reads facts of one account."""

    def __init__(self, clients: ClientFactory) -> None:
        self._clients = clients

    def password_policy(self) -> PasswordPolicyFact | None:
        """The password policy; None where the account has none."""
        iam = self._clients.client("iam")

        def ask() -> PasswordPolicyFact | None:
            try:
                found = iam.get_account_password_policy()["PasswordPolicy"]
            except iam.exceptions.NoSuchEntityException:
                return None
            return PasswordPolicyFact(
                found["MinimumPasswordLength"], found.get("PasswordReusePrevention"), found.get("MaxPasswordAge")
            )

        return asked("iam:GetAccountPasswordPolicy", ask)

    def groups(self) -> tuple[GroupFact, ...]:
        """Every IAM group."""
        iam = self._clients.client("iam")

        def ask() -> tuple[GroupFact, ...]:
            names = [g["GroupName"] for page in iam.get_paginator("list_groups").paginate() for g in page["Groups"]]
            attached = iam.get_paginator("list_attached_group_policies")
            return tuple(
                GroupFact(
                    name,
                    tuple(
                        sorted(
                            p["PolicyName"]
                            for page in attached.paginate(GroupName=name)
                            for p in page["AttachedPolicies"]
                        )
                    ),
                )
                for name in sorted(names)
            )

        return asked("iam:ListGroups", ask)

    def trails(self, region: str) -> tuple[TrailFact, ...]:
        """Trails whose home is `region`."""
        client = self._clients.client("cloudtrail", region)

        def ask() -> tuple[TrailFact, ...]:
            found = client.describe_trails(includeShadowTrails=False)["trailList"]
            return tuple(
                TrailFact(
                    name=t["Name"],
                    multi_region=t["IsMultiRegionTrail"],
                    logging=client.get_trail_status(Name=t["TrailARN"])["IsLogging"],
                    validated=t.get("LogFileValidationEnabled", False),
                    encrypted=bool(t.get("KmsKeyId")),
                    bucket=t["S3BucketName"],
                )
                for t in found
                if t["HomeRegion"] == region
            )

        return asked("cloudtrail:DescribeTrails", ask)

    def recorders(self, region: str) -> tuple[RecorderFact, ...]:
        """Configuration recorders of `region` (AWS allows one)."""
        client = self._clients.client("config", region)

        def ask() -> tuple[RecorderFact, ...]:
            status = {
                s["name"]: s["recording"]
                for s in client.describe_configuration_recorder_status()["ConfigurationRecordersStatus"]
            }
            rules = sum(len(page["ConfigRules"]) for page in client.get_paginator("describe_config_rules").paginate())
            return tuple(
                RecorderFact(
                    name=r["name"],
                    recording=status.get(r["name"], False),
                    global_types=r.get("recordingGroup", {}).get("includeGlobalResourceTypes", False),
                    rules=rules,
                )
                for r in client.describe_configuration_recorders()["ConfigurationRecorders"]
            )

        return asked("config:DescribeConfigurationRecorders", ask)

    def detectors(self, region: str) -> tuple[DetectorFact, ...]:
        """GuardDuty detectors of `region` (AWS allows one)."""
        client = self._clients.client("guardduty", region)

        def ask() -> tuple[DetectorFact, ...]:
            found = []
            for identifier in client.list_detectors()["DetectorIds"]:
                detector = client.get_detector(DetectorId=identifier)
                found.append(
                    DetectorFact(
                        identifier,
                        detector["Status"] == "ENABLED",
                        detector.get("FindingPublishingFrequency", ""),
                    )
                )
            return tuple(found)

        return asked("guardduty:ListDetectors", ask)


def side_by_side(ask: Callable[[S], T], about: Iterable[S]) -> tuple[T, ...]:
    """The answers in the order of the questions, eight of which wait for AWS at a time; the first error ends it."""
    with ThreadPoolExecutor(_AT_ONCE) as pool:
        return tuple(pool.map(ask, about))


def asked(call: str, ask: Callable[[], T]) -> T:
    """What `ask` answers; AWS's refusal or silence becomes a ToolkitError that names the call."""
    import botocore.exceptions
    import botocore.parsers

    try:
        return ask()
    except (
        botocore.exceptions.BotoCoreError,
        botocore.exceptions.ClientError,
        # An answer that is none of AWS's: a proxy's page, or a call that the embedded AWS lacks.
        botocore.parsers.ResponseParserError,
    ) as e:
        raise ToolkitError(f"{call} could not be asked: {e}", hint="check the permissions of the credentials") from e
