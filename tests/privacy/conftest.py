"""The raw tables of all sources and what requests are carried out on, with tables in the place of
models, on each engine."""

import shutil
from collections.abc import Iterator
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import yaml

from orchestration.warehouse import Warehouse, dbt
from tests.fixtures.open_warehouse import opened
from tests.fixtures.postgres import own_database

ROOT = Path(__file__).resolve().parents[2]

TABLES = {
    "rights.erasure_requests": "request_id text, customer_id text, requested_at timestamp,"
    " due_on date, waits_for text, destination_row_count bigint, status text",
    "rights.erasure_identifiers": "request_id text, customer_id text, identifier_type text,"
    " identifier_value text",
    "rights.access_requests": "request_id text, customer_id text, requested_at timestamp,"
    " due_on date, status text, answered_at timestamp",
    "rights.access_identifiers": "request_id text, customer_id text, identifier_type text,"
    " identifier_value text",
    "rights.access_recipients": "request_id text, sync_name text, row_count bigint,"
    " held_row_count bigint, last_sent_at timestamp",
    "identity.customer_identities": "record_key text, customer_id text",
    "identity.customer_id_redirects": "customer_id text, current_customer_id text, status text",
    "identity.customer_id_registry": "record_hash text, customer_id text",
    "identity.customer_id_assignments": "record_hash text, customer_id text",
    "profiles.customers": "customer_id text, first_name text, birth_date date,"
    " net_revenue decimal(18, 2)",
}


# Of somebody's own: no key, a name that wants quotes, names that our SQL uses.
LETTERS = """
sources:
  - name: post
    schema: raw_post
    tables:
      - name: letters
        columns:
          - name: Sent To
            data_type: string
            config: {meta: {pii: direct, identifies: email}}
          - {name: loaded_at, data_type: timestamp}
      - name: gifts
        config: {meta: {on_erasure: anonymise}}
        columns:
          - name: known_by
            data_type: string
            config: {meta: {pii: direct, identifies: email}}
          - name: raw_row
            data_type: string
            config: {meta: {pii: indirect}}
          - {name: loaded_at, data_type: timestamp}
"""


@dataclass(frozen=True)
class RawProject:
    """Tables by hand, macros and hooks of this project."""

    path: Path
    target: str

    def insert(self, table: str, columns: str, *rows: tuple[Any, ...]) -> None:
        """Rows of text and numbers; all columns that are not named are null."""
        marks = ", ".join("?" * len(rows[0]))
        with self.opened() as warehouse:
            for row in rows:
                warehouse.execute(f"insert into {table} ({columns}) values ({marks})", row)

    def opened(self) -> AbstractContextManager[Warehouse]:
        """For several statements: see ``open_warehouse``."""
        return opened(self.target, self.path)

    def execute(self, *statements: str) -> None:
        with self.opened() as warehouse:
            for statement in statements:
                warehouse.execute(statement)

    def build(self) -> None:
        """What precedes every build, and a build of nothing."""
        done = dbt(["run", "--select", "nothing"], self.target, self.path)
        assert done.success, done.exception

    def fetch(self, sql: str) -> list[dict[str, Any]]:
        with self.opened() as warehouse:
            return warehouse.fetch(sql)

    def column(self, column: str, table: str) -> list[Any]:
        """A column, sorted."""
        found = self.fetch(f"select {column} as c from {table} order by {column}")
        return [row["c"] for row in found]


def write_project(path: Path) -> None:
    """The sources' own files and a model for each table."""
    settings = yaml.safe_load((ROOT / "dbt_project.yml").read_text())
    settings.pop("on-run-end")
    (path / "dbt_project.yml").write_text(yaml.safe_dump(settings))
    shutil.copy(ROOT / "profiles.yml", path)
    (path / "macros").symlink_to(ROOT / "macros")
    for declared in ROOT.glob("models/staging/*/_*__sources.yml"):
        target = path / declared.relative_to(ROOT)
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(declared, target)
    (path / "models/staging/letters.yml").write_text(LETTERS)
    shutil.copytree(ROOT / "tests/generic", path / "tests/generic")
    models = path / "models"
    shutil.copy(ROOT / "models/_groups.yml", models)
    (models / "nothing.sql").write_text("select 1 as one")
    for table, columns in TABLES.items():
        schema, name = table.split(".")
        (models / schema).mkdir(exist_ok=True)
        (models / schema / f"{name}.sql").write_text("select 1 as one")
        names = [{"name": column.split()[0]} for column in columns.replace("8, 2", "").split(",")]
        declared = {"models": [{"name": name, "columns": names}]}
        (models / schema / f"{name}.yml").write_text(yaml.safe_dump(declared))


@pytest.fixture(
    scope="module", params=["duckdb", pytest.param("postgres", marks=pytest.mark.postgres)]
)
def emptied(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[RawProject]:
    path = tmp_path_factory.mktemp("privacy") / "project"
    path.mkdir()
    write_project(path)
    project = RawProject(path, request.param)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("CDP_DUCKDB_PATH", "cdp.duckdb")
        if request.param == "postgres":
            server = request.getfixturevalue("postgres")
            for name, value in own_database(server, "privacy").items():
                patch.setenv(name, value)
        project.build()
        schemas = sorted({table.split(".")[0] for table in TABLES})
        project.execute(
            *(f"create schema {schema}" for schema in schemas),
            *(f"create table {table} ({columns})" for table, columns in TABLES.items()),
        )
        yield project
