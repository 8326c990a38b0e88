"""The profile and segment models on stand-ins, on each engine."""

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.fixtures.postgres import own_database
from tests.fixtures.profile_project import ProfileProject, create_stand_ins, write_project


@pytest.fixture(scope="session")
def seeded(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The project on DuckDB with empty stand-ins and its seeds, and parsed, which takes 10 s."""
    path = tmp_path_factory.mktemp("seeded")
    write_project(path)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("CDP_DUCKDB_PATH", "cdp.duckdb")
        project = ProfileProject(path, "duckdb")
        create_stand_ins(project)
        project.dbt("seed")
    return path


@pytest.fixture(
    scope="module",
    params=["duckdb", pytest.param("postgres", marks=[pytest.mark.postgres, pytest.mark.slow])],
)
def project(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[ProfileProject]:
    """The project with empty stand-ins and its seeds."""
    path = tmp_path_factory.mktemp("profiles") / "project"
    project = ProfileProject(path, request.param)
    with pytest.MonkeyPatch.context() as patch:
        # Counts from the project: dbt would parse a copy anew for another value.
        patch.setenv("CDP_DUCKDB_PATH", "cdp.duckdb")
        if request.param == "postgres":
            server = request.getfixturevalue("postgres")
            for name, value in own_database(server, "profiles").items():
                patch.setenv(name, value)
            path.mkdir()
            write_project(path)
            create_stand_ins(project)
            project.dbt("seed")
        else:
            shutil.copytree(request.getfixturevalue("seeded"), path, symlinks=True)
        yield project
