from collections.abc import Iterator
from pathlib import Path

import pytest

from orchestration.warehouse import Warehouse
from tests.fixtures.landing_project import LandingProject
from tests.fixtures.postgres import postgres_server


@pytest.fixture(scope="session")
def postgres_port() -> Iterator[int]:
    with postgres_server() as port:
        yield port


@pytest.fixture
def duckdb(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> LandingProject:
    """A project on DuckDB, with a source ``feed`` of one table."""
    monkeypatch.setenv("CDP_DUCKDB_PATH", str(tmp_path / "cdp.duckdb"))
    monkeypatch.setenv("CDP_DUCKDB_TEMP", str(tmp_path / "spill"))
    return _with_feed(LandingProject.make(tmp_path))


@pytest.fixture(params=["duckdb", pytest.param("postgres", marks=pytest.mark.postgres)])
def project(
    request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> LandingProject:
    """The same project on each engine; on Postgres in a database of its own."""
    if request.param == "duckdb":
        return request.getfixturevalue("duckdb")
    monkeypatch.setenv("CDP_POSTGRES_PORT", str(request.getfixturevalue("postgres_port")))
    monkeypatch.setenv("CDP_POSTGRES_USER", "postgres")
    monkeypatch.setenv("CDP_POSTGRES_DATABASE", "postgres")
    project = _with_feed(LandingProject.make(tmp_path, "postgres"))
    name = f"t{abs(hash(str(tmp_path)))}"
    with Warehouse.open("postgres", tmp_path) as warehouse:
        warehouse.execute(f"create database {name}")
    monkeypatch.setenv("CDP_POSTGRES_DATABASE", name)
    return project


def _with_feed(project: LandingProject) -> LandingProject:
    project.declare("feed", rows={"id": "bigint!", "email": "string", "amount": "decimal(18,2)"})
    return project
