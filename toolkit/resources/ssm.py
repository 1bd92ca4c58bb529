"""AWS Systems Manager."""

from __future__ import annotations

from toolkit.resources.base import IDENTITY, ResourceType, Strength, Stronger

TYPES = (
    ResourceType(
        "aws_ssm_service_setting",
        # Modules make one setting only, .../ssm/documents/console/public-sharing-permission: whether documents can be
        # shared with everyone. https://docs.aws.amazon.com/systems-manager/latest/APIReference/API_UpdateServiceSetting.html
        strengths=(Strength("setting_value", Stronger.ORDER, order=("Enable", "Disable")),),
        no_weaker_side={IDENTITY: "setting_id"},
    ),
)
