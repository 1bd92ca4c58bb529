"""A setting of the region's documents: asked of stubs, since moto lacks it."""

from __future__ import annotations

import pytest

from toolkit.aws.inventory import Inventory

from .conftest import Stubbed, creates, read_existing

pytestmark = pytest.mark.usefixtures("aws")

SHARING = "arn:aws:ssm:eu-central-1:123456789012:servicesetting/ssm/documents/console/public-sharing-permission"


@pytest.mark.parametrize(
    ("value", "status", "planned", "differences"),
    [
        ("Enable", "Default", "Disable", None),
        ("Enable", "Customized", "Disable", ('setting_value: "Enable" → "Disable"',)),
        ("Disable", "Customized", "Disable", None),
        ("Disable", "Customized", "Enable", ('setting_value: "Disable" → "Enable"',)),
    ],
)
def test_a_setting_of_the_region_s_documents(
    value: str, status: str, planned: str, differences: tuple[str, ...] | None
):
    plan = creates("aws_ssm_service_setting", setting_id=SHARING, setting_value=planned)
    (create,) = plan.changes
    answer = {"ServiceSetting": {"SettingValue": value, "Status": status}}
    found = read_existing(plan, Inventory(Stubbed("ssm", ("get_service_setting", answer))))
    assert [(e.import_id, e.differences(create)) for e in found.values()] == (
        [] if differences is None else [(SHARING, differences)]
    )
