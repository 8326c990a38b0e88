"""Fixtures of these tests."""

from collections.abc import Iterator

import pytest

from tests.fakes.meta import FakeMeta


@pytest.fixture
def ads() -> Iterator[FakeMeta]:
    with FakeMeta() as account:
        yield account
        assert account.contract_violations == []
