"""The administrator and the policies of Firewall Manager: asked of stubs, since moto lacks them."""

from __future__ import annotations

import pytest

from toolkit.aws.inventory import Inventory
from toolkit.errors import ToolkitError

from .conftest import Stubbed, creates, read_existing

pytestmark = pytest.mark.usefixtures("aws")


def test_firewall_manager_has_one_administrator_and_names_its_policies_once():
    plan = creates("aws_fms_admin_account")
    (found,) = read_existing(
        plan, Inventory(Stubbed("fms", ("get_admin_account", {"AdminAccount": "111122223333"})))
    ).values()
    assert (found.overwritten, found.import_id) == (False, "111122223333")
    assert read_existing(plan, Inventory(Stubbed("fms", ("get_admin_account", {})))) == {}
    policy = "12345678-1234-1234-1234-123456789012"
    answer = {
        "PolicyList": [{"PolicyName": "theirs", "PolicyId": "x" * 36}, {"PolicyName": "mine", "PolicyId": policy}]
    }
    plan = creates("aws_fms_policy", name="mine")
    (found,) = read_existing(plan, Inventory(Stubbed("fms", ("list_policies", answer)))).values()
    assert (found.overwritten, found.import_id) == (False, policy)
    assert read_existing(plan, Inventory(Stubbed("fms", ("list_policies", {"PolicyList": []})))) == {}


@pytest.mark.parametrize(
    ("kind", "call"), [("aws_fms_admin_account", "get_admin_account"), ("aws_fms_policy", "list_policies")]
)
def test_firewall_manager_without_an_administrator_is_told_from_a_missing_right(kind: str, call: str):
    nobody = Stubbed("fms")
    text = "Account 123456789012 is not currently delegated by AWS FM"
    nobody.stubber.add_client_error(call, "AccessDeniedException", text)
    assert read_existing(creates(kind, name="mine"), Inventory(nobody)) == {}
    refused = Stubbed("fms")
    refused.stubber.add_client_error(call, "AccessDeniedException", "User: x is not authorized to perform: fms:Get")
    with pytest.raises(ToolkitError):
        read_existing(creates(kind, name="mine"), Inventory(refused))
