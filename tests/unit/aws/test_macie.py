"""Macie that is on, and where it exports to: asked of stubs, since moto lacks these calls."""

from __future__ import annotations

import pytest

from toolkit.aws.inventory import Inventory
from toolkit.errors import ToolkitError

from .conftest import Stubbed, creates, read_existing

pytestmark = pytest.mark.usefixtures("aws")


@pytest.mark.parametrize(
    ("code", "text", "there"),
    [
        ("AccessDeniedException", "Macie is not enabled.", True),
        ("AccessDeniedException", "User: x is not authorized to perform: macie2:GetMacieSession", False),
    ],
)
def test_macie_that_is_off_is_told_from_a_missing_right(code: str, text: str, there: bool):
    stubbed = Stubbed("macie2")
    stubbed.stubber.add_client_error("get_macie_session", code, text)
    if there:
        assert read_existing(creates("aws_macie2_account"), Inventory(stubbed)) == {}
    else:
        with pytest.raises(ToolkitError):
            read_existing(creates("aws_macie2_account"), Inventory(stubbed))


def test_macie_that_is_on_collides():
    (found,) = read_existing(
        creates("aws_macie2_account"), Inventory(Stubbed("macie2", ("get_macie_session", {})))
    ).values()
    assert (found.overwritten, found.import_id) == (False, "123456789012")


def test_another_export_of_macies_results_is_overwritten():
    key = "arn:aws:kms:eu-central-1:123456789012:key/1234abcd-12ab-34cd-56ef-1234567890ab"
    kind = "aws_macie2_classification_export_configuration"
    answer = {"configuration": {"s3Destination": {"bucketName": "theirs", "kmsKeyArn": key}}}
    plan = creates(kind, s3_destination=[{"bucket_name": "ours", "key_prefix": None, "kms_key_arn": key}])
    stubbed = Stubbed("macie2", ("get_classification_export_configuration", answer))
    (found,) = read_existing(plan, Inventory(stubbed)).values()
    assert (found.overwritten, found.values["s3_destination"][0]["bucket_name"]) == (True, "theirs")
    assert read_existing(plan, Inventory(Stubbed("macie2", ("get_classification_export_configuration", {})))) == {}
    off = Stubbed("macie2")
    call = "get_classification_export_configuration"
    off.stubber.add_client_error(call, "AccessDeniedException", "Macie is not enabled")
    assert read_existing(plan, Inventory(off)) == {}
