"""The laboratory (`lab.py`), fresh for every test."""

import shutil
from collections.abc import Iterator
from functools import partial
from pathlib import Path

import pytest

from orchestration.warehouse import Warehouse, dbt
from tests.fakes.hubspot import FakeHubSpot
from tests.fakes.job_desk import JobDesk
from tests.fixtures.activation_project import make_project, stand_in_statements
from tests.sync.invariants import hold, settle
from tests.sync.killing import Nursery
from tests.sync.lab import QUICK, SYNC, DeskLab, Lab
from tests.sync.terminal import FUNCTIONS, Terminal

__all__ = ["QUICK", "SYNC", "DeskLab", "Lab"]


@pytest.fixture(scope="session")
def compiled_project(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The project, built once on empty tables."""
    project = make_project(tmp_path_factory.mktemp("activation") / "project")
    with Warehouse.open(project_dir=project) as warehouse:
        for statement in stand_in_statements():
            warehouse.execute(statement)
    # Unit tests are run on the demo.
    outcome = dbt(["build", "--exclude-resource-type", "unit_test"], project_dir=project)
    assert outcome.success, outcome.statuses
    return project


@pytest.fixture(scope="session")
def nursery() -> Iterator[Nursery]:
    with Nursery() as process:
        yield process


@pytest.fixture
def hub() -> Iterator[FakeHubSpot]:
    with FakeHubSpot() as portal:
        yield portal


@pytest.fixture
def desk_lab(compiled_project: Path, tmp_path: Path) -> Iterator[DeskLab]:
    project = tmp_path / "project"
    shutil.copytree(compiled_project, project)
    with JobDesk() as desk:
        yield DeskLab(project, desk)


@pytest.fixture
def lab(compiled_project: Path, tmp_path: Path, hub: FakeHubSpot) -> Lab:
    project = tmp_path / "project"
    shutil.copytree(compiled_project, project)
    return Lab(project, hub)


@pytest.fixture
def invariants_hold(lab: Lab, caplog: pytest.LogCaptureFixture) -> Iterator[None]:
    """After the test its fault ends, and what must always hold is looked at."""
    caplog.set_level("DEBUG")
    yield
    settle(lab)
    hold(lab, caplog.text)


@pytest.fixture
def terminal(lab: Lab, monkeypatch: pytest.MonkeyPatch) -> Terminal:
    for module, names in FUNCTIONS.items():
        for name in names:
            here = partial(getattr(module, name), project_dir=lab.project)
            monkeypatch.setattr(module, name, here)
    monkeypatch.setenv("HUBSPOT_BASE_URL", lab.hub.url)
    monkeypatch.setenv("HUBSPOT_TOKEN", lab.hub.token)
    monkeypatch.setenv("COLUMNS", "200")
    return Terminal(lab)
