from collections.abc import Iterator

import pytest

from orchestration.demo.fake_hubspot import FakeHubSpot


@pytest.fixture
def hub() -> Iterator[FakeHubSpot]:
    with FakeHubSpot() as portal:
        yield portal
