"""AWS Config's recorder and its deliveries, in each state that a check tells from another."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from toolkit.audit.checks.config import Deliveries, RecorderStatus
from toolkit.audit.facts import Every
from toolkit.findings import Status
from toolkit.resources.reading import Live

from .conftest import HOME, SCOPE, Case, Flip, live

PASS, FAIL, UNKNOWN = Status.PASS, Status.FAIL, Status.UNKNOWN
RECORDS, ROLE = "config_recorder_all_regions_enabled", "config_recorder_using_aws_service_role"
RECORDER, CHANNEL, ROLES = RecorderStatus(HOME), Deliveries(HOME), Every("aws_config_configuration_recorder", HOME)


def recorder(**values: Any) -> Live:
    return live({"recording": True, "status": "success", "error": None, "service": None, **values})


def channel(**statuses: str | None) -> Live:
    every = {kind: statuses.get(kind, "success") for kind in ("history", "snapshot", "stream")}
    return live({kind: {"status": one, "error": "AccessDenied"} for kind, one in every.items()})


def _case(expected: Status, recorders: tuple[Live, ...], channels: tuple[Live, ...], *flips: Flip) -> Case:
    return Case(RECORDS, expected, {RECORDER: recorders, CHANNEL: channels}, flips)


def _role(arn: str) -> Live:
    return live({"role_arn": f"arn:aws:iam::{SCOPE.account_id}:role/{arn}"})


OWN = "aws-service-role/config.amazonaws.com/AWSServiceRoleForConfig"

CASES = (
    _case(
        PASS,
        (recorder(),),
        (channel(),),
        Flip("recording", False, FAIL, RECORDER),
        Flip("status", "failure", FAIL, RECORDER),
        Flip("status", "another", UNKNOWN, RECORDER),
        Flip("service", "securityhub.amazonaws.com", FAIL, RECORDER),
        Flip("history.status", "failure", FAIL, CHANNEL),
        Flip("snapshot.status", "failure", FAIL, CHANNEL),
        Flip("stream.status", "failure", FAIL, CHANNEL),
        Flip("stream.status", "another", UNKNOWN, CHANNEL),
    ),
    # Nothing was recorded or delivered so far, or the channel does not take snapshots.
    _case(PASS, (recorder(status=None),), (channel(history=None, snapshot="notapplicable", stream="pending"),)),
    _case(FAIL, (), (channel(),)),
    _case(FAIL, (recorder(),), ()),
    _case(
        FAIL,
        (recorder(status="failure", error="NoSuchBucket"),),
        (channel(),),
        Flip("status", "success", PASS, RECORDER),
    ),
    *(
        _case(
            FAIL,
            (recorder(),),
            (channel(**{kind: "failure"}),),
            Flip(f"{kind}.status", "success", PASS, CHANNEL),
        )
        for kind in ("history", "snapshot", "stream")
    ),
    _case(UNKNOWN, (recorder(),), (channel(stream="another"),)),
    Case(RECORDS, PASS, {RECORDER: (recorder(),)}, (Flip("recording", False, FAIL),), replace(SCOPE, simulated=True)),
    Case(ROLE, PASS, {ROLES: (_role(OWN),)}, (Flip("role_arn", "arn:aws:iam::123456789012:role/config", FAIL),)),
    Case(ROLE, FAIL, {ROLES: (_role("config"),)}),
    Case(ROLE, Status.NOT_APPLICABLE, {ROLES: ()}),
)
DISPLAY = {
    RECORDS: (
        "RecorderStatus.error",
        "Deliveries.history.error",
        "Deliveries.snapshot.error",
        "Deliveries.stream.error",
    ),
}
