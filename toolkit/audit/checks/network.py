"""VPCs: their default security groups and flow logs."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from toolkit.audit.facts import Every, Fact
from toolkit.audit.model import Answers, Check, Outcome, Remedy, Scope
from toolkit.findings import Severity, Status
from toolkit.plan.facts import Source
from toolkit.resources.reading import Live


@dataclass(frozen=True)
class FlowLogs(Fact):
    """Every flow log of a VPC in a region, and whether it delivers.

    https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_FlowLog.html
    """

    region: str

    named = "every flow log in {region}"
    calls = ("ec2:DescribeFlowLogs",)

    def read(self, source: Source) -> tuple[Live, ...]:
        """The flow logs; those of subnets and of network interfaces record part of a VPC's traffic."""
        found = source.pages("ec2", "describe_flow_logs", "FlowLogs", self.region)
        return tuple(
            Live(
                {"id": one["FlowLogId"]},
                {
                    "vpc_id": one["ResourceId"],
                    "traffic_type": one.get("TrafficType"),
                    "status": one["FlowLogStatus"],
                    "delivery": one.get("DeliverLogsStatus"),
                    "error": one.get("DeliverLogsErrorMessage"),
                },
                f"the flow log {one['FlowLogId']}",
                one["FlowLogId"],
                type="aws_flow_log",
                region=self.region,
            )
            for one in found
            if one["ResourceId"].startswith("vpc-")
        )


def _groups_needs(scope: Scope) -> Iterator[Every]:
    yield Every("aws_default_security_group", scope.region)


def _groups(scope: Scope, answers: Answers) -> Iterator[Outcome]:
    for group in answers[Every("aws_default_security_group", scope.region)]:
        rules = [*(f"in: {one}" for one in group.values["ingress"]), *(f"out: {one}" for one in group.values["egress"])]
        vpc = group.key["vpc_id"]
        if rules:
            said = f"the default security group of {vpc} allows {'; '.join(rules)}"
            yield Outcome(Status.FAIL, said, group, facts=tuple(rules))
        else:
            yield Outcome(Status.PASS, f"the default security group of {vpc} has no rules", group)


def _flow_needs(scope: Scope) -> Iterator[Fact]:
    yield from (Every("aws_vpc", scope.region), FlowLogs(scope.region))


def _flow(scope: Scope, answers: Answers) -> Iterator[Outcome]:
    by_vpc: dict[str, list[Live]] = {}
    for log in answers[FlowLogs(scope.region)]:
        by_vpc.setdefault(log.values["vpc_id"], []).append(log)
    for vpc in answers[Every("aws_vpc", scope.region)]:
        if vpc.values["owner_id"] != scope.account_id:
            # Participants can make flow logs of their own network interfaces alone, not of a shared subnet or VPC:
            # https://docs.aws.amazon.com/vpc/latest/userguide/vpc-share-limitations.html
            reason = f"account {vpc.values['owner_id']} shares {vpc.called}: audit that account"
            yield Outcome(Status.NOT_APPLICABLE, reason, vpc)
            continue
        said = [(log, _lacking(log)) for log in by_vpc.get(vpc.key["id"], ())]
        whole = next((log for log, problem in said if problem is None), None)
        if whole is not None:
            yield Outcome(Status.PASS, f"{whole.called} records traffic of {vpc.called}", vpc)
        elif silent := [log for log, problem in said if problem == _SILENT]:
            yield Outcome(Status.UNKNOWN, f"{silent[0].called} of {vpc.called} {_SILENT}", vpc)
        elif said:
            problems = "; ".join(f"{log.called} {problem}" for log, problem in said)
            yield Outcome(Status.FAIL, f"{vpc.called}: {problems}", vpc)
        else:
            yield Outcome(Status.FAIL, f"{vpc.called} has no flow log", vpc)


_SILENT = "is active, and AWS does not say whether it delivers"
"""DeliverLogsStatus is not in every answer (API_FlowLog: "Required: No"); without it, nothing is known to arrive."""


def _lacking(log: Live) -> str | None:
    """Why it does not record rejected traffic, or is not known to; None: it does."""
    has = log.values
    if has["status"] != "ACTIVE":
        return f"has the status {has['status']}"
    if has["traffic_type"] not in ("ALL", "REJECT"):
        return "does not record rejected traffic"
    if has["delivery"] == "FAILED":
        return f"cannot deliver ({has['error']})"
    return None if has["delivery"] == "SUCCESS" else _SILENT


CHECKS = (
    Check(
        "ec2_securitygroup_default_restrict_traffic",
        "The default security group of each VPC has no rules.",
        Severity.HIGH,
        "ec2",
        _groups_needs,
        _groups,
        Remedy(
            "give resources a security group of their own, then remove the rules of the default one; for default VPCs "
            "set `components.account_defaults.closed_default_security_group_regions` in environment.yaml",
            "account_defaults",
            "closed_default_security_group_regions",
        ),
        why="A resource that is created without a security group gets the default one, with all that it allows.",
        regional=True,
        source="https://docs.aws.amazon.com/vpc/latest/userguide/default-security-group.html",
    ),
    Check(
        "vpc_flow_logs_enabled",
        "A flow log records the rejected traffic of each VPC.",
        Severity.MEDIUM,
        "ec2",
        _flow_needs,
        _flow,
        Remedy(
            "create a flow log of the VPC with the traffic type REJECT or ALL; for default VPCs set "
            "`components.account_defaults.default_vpc_flow_logs` in environment.yaml",
            "account_defaults",
            "default_vpc_flow_logs",
        ),
        why="Without flow logs no record shows which addresses a resource exchanged traffic with.",
        regional=True,
        source="https://docs.aws.amazon.com/vpc/latest/userguide/flow-logs.html",
    ),
)
