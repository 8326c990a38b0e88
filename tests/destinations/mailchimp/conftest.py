"""Fixtures of these tests."""

from collections.abc import Iterator

import pytest

from tests.fakes.mailchimp import FakeMailchimp


@pytest.fixture
def account() -> Iterator[FakeMailchimp]:
    with FakeMailchimp() as server:
        yield server
        assert server.contract_violations == []
