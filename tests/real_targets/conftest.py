"""Tests against real systems that are not made by us. They install what they need and take
minutes, so they run only when asked for: ``make test-real``."""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.real_targets.tryton import Tryton, running

HERE = Path(__file__).parent


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if HERE not in item.path.parents:
            continue
        item.add_marker(pytest.mark.real_targets)
        if os.environ.get("CDP_REAL_TARGETS") != "1":
            item.add_marker(pytest.mark.skip(reason="real systems: run with make test-real"))


@pytest.fixture(scope="session")
def crm(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Tryton]:
    """A Tryton of this session."""
    with running(tmp_path_factory.mktemp("tryton")) as found:
        yield found
