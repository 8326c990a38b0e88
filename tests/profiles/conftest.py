"""The profile and segment models on stand-ins, on each engine."""

from collections.abc import Iterator

import pytest

from tests.fixtures.postgres import own_database
from tests.fixtures.profile_project import ProfileProject, create_stand_ins, write_project


@pytest.fixture(
    scope="module",
    params=["duckdb", pytest.param("postgres", marks=[pytest.mark.postgres, pytest.mark.slow])],
)
def project(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[ProfileProject]:
    """The project with empty stand-ins and its seeds."""
    path = tmp_path_factory.mktemp("project")
    write_project(path)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("CDP_DUCKDB_PATH", str(path / "cdp.duckdb"))
        if request.param == "postgres":
            server = request.getfixturevalue("postgres")
            for name, value in own_database(server, "profiles").items():
                patch.setenv(name, value)
        project = ProfileProject(path, request.param)
        create_stand_ins(project)
        project.dbt("seed")
        yield project
