"""Fixtures of these tests."""

from collections.abc import Iterator

import pytest

from tests.fakes.google import FakeGoogle


@pytest.fixture
def ads() -> Iterator[FakeGoogle]:
    with FakeGoogle() as account:
        account.tokens.append("token")
        yield account
        assert account.contract_violations == []
