"""Fixtures of these tests."""

from collections.abc import Iterator

import pytest

from tests.fakes.hubspot import FakeHubSpot


@pytest.fixture(autouse=True)
def keeps_the_contract(hub: FakeHubSpot) -> Iterator[None]:
    yield
    assert hub.contract_violations == []
