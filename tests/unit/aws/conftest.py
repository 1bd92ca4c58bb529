from __future__ import annotations

from collections.abc import Iterator

import pytest
from moto import mock_aws


@pytest.fixture
def aws() -> Iterator[None]:
    """An empty account in this very process, for tests that ask moto."""
    with mock_aws():
        yield
