"""EC2 instances: whether they have a role, and which versions of the metadata service they answer."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from toolkit.audit.facts import Fact
from toolkit.audit.model import Answers, Check, Outcome, Remedy, Scope
from toolkit.findings import Severity, Status
from toolkit.plan.facts import Source
from toolkit.resources.reading import Live

_GUIDE = "https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/"
_GONE = ("shutting-down", "terminated")
"""States in which an instance never runs again."""


@dataclass(frozen=True)
class Instances(Fact):
    """Every EC2 instance of a region.

    https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_Instance.html
    """

    region: str

    named = "every EC2 instance in {region}"
    calls = ("ec2:DescribeInstances",)

    def read(self, source: Source) -> tuple[Live, ...]:
        """The instances, with `state`, `profile`, and `tokens` and `endpoint` of the metadata service."""
        reservations = source.pages("ec2", "describe_instances", "Reservations", self.region)
        return tuple(
            Live(
                {"id": one["InstanceId"]},
                {
                    "state": one["State"]["Name"],
                    "profile": one.get("IamInstanceProfile", {}).get("Arn"),
                    "tokens": one.get("MetadataOptions", {}).get("HttpTokens"),
                    "endpoint": one.get("MetadataOptions", {}).get("HttpEndpoint"),
                },
                f"the instance {one['InstanceId']}",
                one["InstanceId"],
                type="aws_instance",
                region=self.region,
            )
            for reservation in reservations
            for one in reservation["Instances"]
        )


def _needs(scope: Scope) -> Iterator[Fact]:
    yield Instances(scope.region)


def _there(scope: Scope, answers: Answers) -> list[Live]:
    return [one for one in answers[Instances(scope.region)] if one.values["state"] not in _GONE]


def _roles(scope: Scope, answers: Answers) -> Iterator[Outcome]:
    instances = _there(scope, answers)
    without = [one for one in instances if not one.values["profile"]]
    yield from (Outcome(Status.FAIL, f"{one.called} has no instance profile", one) for one in without)
    if instances and not without:
        yield Outcome(Status.PASS, f"all {len(instances):,} instances have an instance profile")


def _metadata(scope: Scope, answers: Answers) -> Iterator[Outcome]:
    instances = _there(scope, answers)
    older = [one for one in instances if one.values["tokens"] != "required" and one.values["endpoint"] != "disabled"]
    yield from (Outcome(Status.FAIL, f"{one.called} answers IMDSv1 requests", one) for one in older)
    if instances and not older:
        yield Outcome(Status.PASS, f"none of {len(instances):,} instances answers IMDSv1 requests")


CHECKS = (
    Check(
        "ec2_instance_profile_attached",
        "Each EC2 instance has an instance profile.",
        Severity.MEDIUM,
        "ec2",
        _needs,
        _roles,
        Remedy("attach an instance profile whose role allows what the instance needs, even if that is nothing yet"),
        why="Software on an instance without a role needs access keys, which stay valid until they are deleted.",
        regional=True,
        source=f"{_GUIDE}iam-roles-for-amazon-ec2.html",
    ),
    Check(
        "ec2_instance_imdsv2_enabled",
        "Each EC2 instance answers IMDSv2 requests only.",
        Severity.HIGH,
        "ec2",
        _needs,
        _metadata,
        Remedy(
            "run `aws ec2 modify-instance-metadata-options --http-tokens required`; for new instances set "
            "`components.account_defaults` in environment.yaml",
            "account_defaults",
        ),
        why="With IMDSv1, a server-side request forgery is enough to steal the credentials of an instance.",
        regional=True,
        source=f"{_GUIDE}configuring-instance-metadata-service.html",
    ),
)
