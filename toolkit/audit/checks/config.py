"""AWS Config: whether its recorder records, and whether what it records is delivered."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any

from toolkit.audit.facts import Every, Fact
from toolkit.audit.model import Answers, Check, Outcome, Remedy, Scope
from toolkit.findings import Severity, Status
from toolkit.plan.facts import Source
from toolkit.resources.price import Price
from toolkit.resources.reading import Live
from toolkit.resources.registry import RESOURCES

_RECORDER = "aws_config_configuration_recorder"
_OWN_ROLE = ":role/aws-service-role/config.amazonaws.com/AWSServiceRoleForConfig"
_FAILS, _WELL = "failure", ("success", "pending", "notapplicable")


@dataclass(frozen=True)
class RecorderStatus(Fact):
    """What the recorder of a region last did.

    https://docs.aws.amazon.com/config/latest/APIReference/API_ConfigurationRecorderStatus.html
    """

    region: str

    named = "the status of the configuration recorder in {region}"
    calls = ("config:DescribeConfigurationRecorderStatus",)

    def read(self, source: Source) -> tuple[Live, ...]:
        """The recorder that an account can have, and those that services have."""
        answer = source.call("config", "describe_configuration_recorder_status", self.region) or {}
        return tuple(
            Live(
                {"name": one["name"]},
                {
                    "recording": one["recording"],
                    "status": _word(one.get("lastStatus")),
                    "error": one.get("lastErrorMessage") or one.get("lastErrorCode"),
                    "service": one.get("servicePrincipal"),
                },
                f"the recorder {one['name']!r}",
                one["name"],
                arn=one.get("arn"),
                region=self.region,
                type="aws_config_configuration_recorder_status",
            )
            for one in answer["ConfigurationRecordersStatus"]
        )


@dataclass(frozen=True)
class Deliveries(Fact):
    """How the last deliveries of a region's delivery channel ended.

    https://docs.aws.amazon.com/config/latest/APIReference/API_DeliveryChannelStatus.html
    """

    region: str

    named = "the status of the delivery channel in {region}"
    calls = ("config:DescribeDeliveryChannelStatus",)

    def read(self, source: Source) -> tuple[Live, ...]:
        """A `Live` per channel, of which a region has one."""
        answer = source.call("config", "describe_delivery_channel_status", self.region) or {}
        return tuple(
            Live(
                {"name": one["name"]},
                {
                    "history": _delivery(one.get("configHistoryDeliveryInfo", {})),
                    "snapshot": _delivery(one.get("configSnapshotDeliveryInfo", {})),
                    "stream": _delivery(one.get("configStreamDeliveryInfo", {})),
                },
                f"the delivery channel {one['name']!r}",
                one["name"],
                region=self.region,
                type="aws_config_delivery_channel",
            )
            for one in answer["DeliveryChannelsStatus"]
        )


def _delivery(info: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "status": _word(info.get("lastStatus")),
        "error": info.get("lastErrorMessage") or info.get("lastErrorCode"),
    }


def _word(status: str | None) -> str | None:
    """AWS writes Success or SUCCESS, NotApplicable or Not_Applicable; None: nothing happened so far."""
    return None if status is None else status.replace("_", "").lower()


def _needs(scope: Scope) -> Iterator[Fact]:
    yield RecorderStatus(scope.region)
    if not scope.simulated:
        yield Deliveries(scope.region)


def _judge(scope: Scope, answers: Answers) -> Iterator[Outcome]:
    recorders = [one for one in answers[RecorderStatus(scope.region)] if one.values["service"] is None]
    if not recorders:
        yield Outcome(Status.FAIL, "there is no configuration recorder")
        return
    for recorder in recorders:
        if not recorder.values["recording"]:
            yield Outcome(Status.FAIL, f"{recorder.called} is stopped", recorder)
        else:
            yield _said(recorder, recorder.values, "records", "recording")
    if scope.simulated:
        yield Outcome(Status.NOT_APPLICABLE, "the embedded AWS delivers nothing")
        return
    channels = answers[Deliveries(scope.region)]
    if not channels:
        yield Outcome(Status.FAIL, "there is no delivery channel: nothing that is recorded is delivered")
    for channel in channels:
        for kind in ("history", "snapshot", "stream"):
            said = _said(channel, channel.values[kind], f"delivers ({kind})", f"the last delivery ({kind})")
            yield replace(said, part=kind)


def _said(one: Live, told: Mapping[str, Any], well: str, what: str) -> Outcome:
    status = told["status"]
    if status == _FAILS:
        return Outcome(Status.FAIL, f"{one.called}: {what} failed: {told['error'] or 'AWS gives no reason'}", one)
    if status is not None and status not in _WELL:
        return Outcome(Status.UNKNOWN, f"{one.called}: AWS says {status!r} of {what}, which is not documented", one)
    return Outcome(Status.PASS, f"{one.called} {well}", one)


def _role_needs(scope: Scope) -> Iterator[Every]:
    yield Every(_RECORDER, scope.region)


def _role(scope: Scope, answers: Answers) -> Iterator[Outcome]:
    for recorder in answers[Every(_RECORDER, scope.region)]:
        if str(recorder.values["role_arn"]).endswith(_OWN_ROLE):
            yield Outcome(Status.PASS, f"{recorder.called} uses the service-linked role", recorder)
        else:
            yield Outcome(Status.FAIL, f"{recorder.called} uses {recorder.values['role_arn']}", recorder)


_PRICE = RESOURCES[_RECORDER].price
_COST = f". Cost in US dollars: {_PRICE.what}: {_PRICE.basis}" if isinstance(_PRICE, Price) else ""

CHECKS = (
    Check(
        "config_recorder_all_regions_enabled",
        "AWS Config records in each region, and delivers what it records.",
        Severity.MEDIUM,
        "config",
        _needs,
        _judge,
        Remedy(
            "set `components.config` in environment.yaml; if it is there, look at the policies of the bucket, the key "
            f"and the topic of the delivery channel{_COST}",
            "config",
        ),
        why="Without a record of configurations, it cannot be shown what a resource was like before a change. A "
        "recorder whose deliveries fail looks as if it worked.",
        regional=True,
        source="https://docs.aws.amazon.com/config/latest/APIReference/API_ConfigurationRecorderStatus.html",
    ),
    Check(
        "config_recorder_using_aws_service_role",
        "AWS Config uses its service-linked role.",
        Severity.MEDIUM,
        "config",
        _role_needs,
        _role,
        Remedy("set `components.config` in environment.yaml: its recorder uses the service-linked role", "config"),
        why="A role of your own lacks permissions for new resource types, so they are recorded without their details.",
        regional=True,
        source="https://docs.aws.amazon.com/config/latest/developerguide/using-service-linked-roles.html",
    ),
)
