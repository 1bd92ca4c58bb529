"""What Inspector scans already: asked of moto."""

from __future__ import annotations

import pytest

from toolkit.aws.inventory import Inventory
from toolkit.aws.session import AwsSession

from .conftest import client, creates, read_existing

pytestmark = pytest.mark.usefixtures("aws")


def test_inspector_tells_what_it_scans(clients: AwsSession):
    client("inspector2").enable(accountIds=["123456789012"], resourceTypes=["EC2", "LAMBDA_CODE"])
    (found,) = read_existing(creates("aws_inspector2_enabler"), Inventory(clients)).values()
    assert found.values == {"resource_types": ["EC2", "LAMBDA_CODE"]}
