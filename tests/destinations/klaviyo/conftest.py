"""Fixtures of these tests."""

from collections.abc import Iterator

import pytest

from tests.fakes import openapi
from tests.fakes.klaviyo import FakeKlaviyo


@pytest.fixture
def account() -> Iterator[FakeKlaviyo]:
    """With the vendor's description where it is at hand; by its own rules alone elsewhere."""
    with FakeKlaviyo(openapi.load("klaviyo/stable.json")) as fake:
        yield fake
        assert fake.contract_violations == []
