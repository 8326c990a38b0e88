"""Fixtures of these tests."""

from collections.abc import Iterator

import pytest

from tests.fakes.salesforce import FakeSalesforce


@pytest.fixture
def org() -> Iterator[FakeSalesforce]:
    with FakeSalesforce() as fake:
        yield fake
        assert fake.contract_violations == []
