from collections.abc import Iterator

import pytest

from tests.fakes.hubspot import FakeHubSpot


@pytest.fixture
def hub() -> Iterator[FakeHubSpot]:
    with FakeHubSpot() as portal:
        yield portal
