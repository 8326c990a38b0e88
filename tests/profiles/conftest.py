"""The profile and segment models on stand-ins, on each engine."""

from collections.abc import Iterator

import psycopg2
import pytest

from tests.fixtures.profile_project import ProfileProject, create_stand_ins, write_project

DATABASE = "profiles"
"""Of its own: other tests build the same schemas in theirs."""


@pytest.fixture(
    scope="module", params=["duckdb", pytest.param("postgres", marks=pytest.mark.postgres)]
)
def project(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[ProfileProject]:
    """The project with empty stand-ins and its seeds."""
    path = tmp_path_factory.mktemp("project")
    write_project(path)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("CDP_DUCKDB_PATH", str(path / "cdp.duckdb"))
        patch.setenv("CDP_DUCKDB_TEMP", str(path / "spill"))
        if request.param == "postgres":
            server = request.getfixturevalue("postgres")
            for name, value in (server | {"CDP_POSTGRES_DATABASE": DATABASE}).items():
                patch.setenv(name, value)
            recreate_database(server)
        project = ProfileProject(path, request.param)
        create_stand_ins(project)
        project.dbt("seed")
        yield project


def recreate_database(server: dict[str, str]) -> None:
    """An empty database on the session's server."""
    connection = psycopg2.connect(
        host=server["CDP_POSTGRES_HOST"],
        port=server["CDP_POSTGRES_PORT"],
        user=server["CDP_POSTGRES_USER"],
        dbname=server["CDP_POSTGRES_DATABASE"],
    )
    connection.autocommit = True
    with connection.cursor() as cursor:
        cursor.execute(f"drop database if exists {DATABASE}")
        cursor.execute(f"create database {DATABASE}")
    connection.close()
