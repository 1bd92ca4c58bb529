"""AWS Systems Manager."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from toolkit.regions import partition_of
from toolkit.resources.base import (
    IDENTITY,
    ResourceType,
    Strength,
    Stronger,
)
from toolkit.resources.price import Free
from toolkit.resources.reading import Account, Live, OnCreate, Reading, found_for

_SHARING = "servicesetting/ssm/documents/console/public-sharing-permission"


def _settings(account: Account, region: str) -> Iterator[Live]:
    """Systems Manager lists no settings: this is the one that modules make."""
    arn = f"arn:{partition_of(region)}:ssm:{region}:{account.account_id}:{_SHARING}"
    yield from found_for(account, region, _find_setting, [{"setting_id": arn}])


def _find_setting(account: Account, region: str, planned: Mapping[str, Any]) -> Live | None:
    """GetServiceSetting tells a value of AWS's own by its status; one that differs from it has status Customized."""
    setting = planned["setting_id"]
    answer = account.call("ssm", "get_service_setting", region, absent=("ServiceSettingNotFound",), SettingId=setting)
    if answer is None:
        return None
    found = answer["ServiceSetting"]
    values = {"setting_value": found["SettingValue"]}
    called = f"a setting for public sharing of SSM documents in {region}"
    own = found.get("Status") == "Default"
    return Live({"setting_id": setting}, values, called, setting, arn=found.get("ARN"), by_default=own)


TYPES = (
    ResourceType(
        "aws_ssm_service_setting",
        price=Free(
            "the modules set only whether SSM documents can be shared with everyone",
            "https://aws.amazon.com/systems-manager/pricing/",
            "2026-11-28",
        ),
        key=("setting_id",),
        reading=Reading(
            _settings, OnCreate.OVERWRITES, finds=_find_setting, quiet=True, actions=("ssm:GetServiceSetting",)
        ),
        # Modules make one setting only, .../ssm/documents/console/public-sharing-permission: whether documents can be
        # shared with everyone. https://docs.aws.amazon.com/systems-manager/latest/APIReference/API_UpdateServiceSetting.html
        strengths=(Strength("setting_value", Stronger.ORDER, order=("Enable", "Disable")),),
        no_weaker_side={IDENTITY: "setting_id"},
    ),
)
