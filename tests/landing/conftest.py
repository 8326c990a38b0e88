from pathlib import Path

import pytest

from tests.fixtures.landing_project import LandingProject
from tests.fixtures.postgres import own_database


@pytest.fixture
def duckdb(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> LandingProject:
    """A project on DuckDB, with a source ``feed`` of one table."""
    monkeypatch.setenv("CDP_DUCKDB_PATH", str(tmp_path / "cdp.duckdb"))
    return _with_feed(LandingProject.make(tmp_path))


@pytest.fixture(params=["duckdb", pytest.param("postgres", marks=pytest.mark.postgres)])
def project(
    request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> LandingProject:
    """The same project on each engine; on Postgres in a database of its own."""
    if request.param == "duckdb":
        return request.getfixturevalue("duckdb")
    server = request.getfixturevalue("postgres")
    for name, value in own_database(server, "landing").items():
        monkeypatch.setenv(name, value)
    return _with_feed(LandingProject.make(tmp_path, "postgres"))


def _with_feed(project: LandingProject) -> LandingProject:
    project.declare("feed", rows={"id": "bigint!", "email": "string", "amount": "decimal(18,2)"})
    return project
