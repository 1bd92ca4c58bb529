"""Whether AWS Config still records IAM's users, groups, roles and policies when one of its recorders stops doing so.

In: a plan. Out: an answer. Pure. Their configuration is the same in every region, and each recorder that includes them
makes, and bills, a copy of each item: AWS's documentation says to record them in one region only, and that regions
since February 2022 cannot record them at all.
https://docs.aws.amazon.com/config/latest/APIReference/API_RecordingGroup.html
https://docs.aws.amazon.com/config/latest/developerguide/select-resources.html#select-resources-all
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from toolkit.addresses import Address, value_at
from toolkit.aws_lists import aws_list
from toolkit.plan.model import Action, Change, Plan
from toolkit.plan.strengths import recorded_less_often
from toolkit.resources.base import Stronger
from toolkit.resources.registry import RESOURCES

_RECORDER = "aws_config_configuration_recorder"
_STATUS = "aws_config_configuration_recorder_status"
_INCLUDED = "recording_group[0].include_global_resource_types"
_TYPES = tuple(f"AWS::IAM::{name}" for name in ("Group", "Policy", "Role", "User"))
(_OVERRIDES,) = (s for s in RESOURCES[_RECORDER].strengths if s.stronger is Stronger.RECORDED)


def recorded_elsewhere(change: Change, before: Mapping[str, Any], path: str, plan: Plan) -> bool:
    """Whether what gets weaker is that a recorder leaves out IAM's types, which another one of the plan records.

    The other one has to record them at least as often: daily, only the last state of a day is recorded
    (https://docs.aws.amazon.com/config/latest/APIReference/API_RecordingMode.html). A recorder that the plan leaves
    alone is not seen: then the answer is no.

    Args:
        change: Of any resource.
        before: What is there before it.
        path: Of the attribute that gets weaker.
        plan: The plan that the change is in.
    """
    if change.type != _RECORDER or path != _INCLUDED:
        return False
    unable = aws_list("config_regions_without_iam").items
    stopped = {
        Address.parse(other.address).modules
        for other in plan.changes
        if other.type == _STATUS and (other.action is Action.DELETE or other.after.get("is_enabled") is not True)
    }
    return any(
        other.type == _RECORDER
        and other.address != change.address
        and other.action is not Action.DELETE
        and other.region not in unable
        and value_at(other.after, "recording_group[0].all_supported") is True
        and value_at(other.after, _INCLUDED) is True
        and Address.parse(other.address).modules not in stopped
        and not any(recorded_less_often(_OVERRIDES, before, other.after, _TYPES))
        for other in plan.changes
    )
