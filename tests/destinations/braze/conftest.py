"""Fixtures of these tests."""

from collections.abc import Iterator

import pytest

from tests.fakes.braze import FakeBraze


@pytest.fixture
def workspace() -> Iterator[FakeBraze]:
    with FakeBraze() as server:
        yield server
        assert server.contract_violations == []
