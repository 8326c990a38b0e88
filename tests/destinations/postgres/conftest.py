"""Fixtures of these tests."""

import pytest

from tests.destinations.postgres.case import TABLE, Table
from tests.fixtures.postgres import own_database


@pytest.fixture(scope="module")
def dsn(postgres: dict[str, str]) -> str:
    found = own_database(postgres, "destination")
    return (
        f"host={found['CDP_POSTGRES_HOST']} port={found['CDP_POSTGRES_PORT']}"
        f" user={found['CDP_POSTGRES_USER']} dbname={found['CDP_POSTGRES_DATABASE']}"
    )


@pytest.fixture
def table(dsn: str) -> Table:
    found = Table(dsn)
    found.run(TABLE)
    return found
