"""EC2 instances, in each state that a check tells from another."""

from __future__ import annotations

from typing import Any

from toolkit.audit.checks.instances import Instances
from toolkit.findings import Status
from toolkit.resources.reading import Live

from .conftest import HOME, Case, Flip, live

PASS, FAIL, NOT_APPLICABLE = Status.PASS, Status.FAIL, Status.NOT_APPLICABLE
PROFILE = "arn:aws:iam::123456789012:instance-profile/app"
ROLE, METADATA = "ec2_instance_profile_attached", "ec2_instance_imdsv2_enabled"


def instance(**values: Any) -> Live:
    return live({"state": "running", "profile": PROFILE, "tokens": "required", "endpoint": "enabled", **values}, "i-1")


def _case(check: str, expected: Status, *instances: Live, flips: tuple[Flip, ...] = ()) -> Case:
    return Case(check, expected, {Instances(HOME): instances}, flips)


CASES = (
    _case(ROLE, PASS, instance(), flips=(Flip("profile", None, FAIL), Flip("state", "terminated", NOT_APPLICABLE))),
    _case(ROLE, FAIL, instance(), instance(profile=None), flips=(Flip("profile", PROFILE, PASS, at=1),)),
    _case(ROLE, FAIL, instance(state="stopped", profile=None), flips=(Flip("profile", PROFILE, PASS),)),
    _case(ROLE, NOT_APPLICABLE, instance(state="shutting-down", profile=None), flips=(Flip("state", "running", FAIL),)),
    _case(ROLE, NOT_APPLICABLE),
    _case(METADATA, PASS, instance(), flips=(Flip("tokens", "optional", FAIL),)),
    _case(
        METADATA,
        PASS,
        instance(tokens="optional", endpoint="disabled"),
        flips=(Flip("endpoint", "enabled", FAIL), Flip("state", "terminated", NOT_APPLICABLE)),
    ),
    _case(METADATA, FAIL, instance(), instance(tokens="optional"), flips=(Flip("tokens", "required", PASS, at=1),)),
    # What AWS leaves out is no proof.
    _case(METADATA, FAIL, instance(tokens=None, endpoint=None)),
    _case(METADATA, NOT_APPLICABLE, instance(state="terminated", tokens="optional")),
    _case(METADATA, NOT_APPLICABLE),
)
