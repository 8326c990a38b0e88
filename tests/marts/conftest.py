"""A small dbt project around the value marts, so that they can be driven with any orders.

It holds the marts' own files as they are, and stand-ins for the models they read: views of
tables that a test fills.
"""

import os
import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import duckdb
import pytest
import yaml

ROOT = Path(__file__).resolve().parents[2]
SHARED = Path(os.environ.get("CDP_SHARED_DIR", ROOT.parent / "shared"))
AS_OF = "1997-09-30"

MODELS = [
    "customer_orders_summary",
    "clv_histogram",
    "clv_spend_histogram",
    "int_marts__clv_parameters_current",
    "int_marts__clv_expectations",
    "customer_lifetime_value",
    "rfm_scores",
    "time_spine_daily",
]
SEEDS = ["clv_default_parameters", "rfm_cells"]
SINGULAR_TESTS = [
    "assert_every_buyer_has_a_lifetime_value",
    "assert_every_rfm_cell_has_one_segment",
    "assert_equal_values_have_equal_rfm_scores",
    "assert_lifetime_value_has_one_row_of_parameters",
    "assert_lifetime_values_are_coherent",
]
STATE = "models/staging/state/_state_clv_parameters__sources.yml"
STANDINS = {
    "customers": "customer_id varchar",
    "orders": """
        order_id varchar, customer_id varchar, order_type varchar, original_order_id varchar,
        status varchar, order_date date, is_future boolean, channel varchar, currency varchar,
        net_amount_reporting decimal(18, 2)
    """,
    "segment_members": "segment_name varchar, customer_id varchar",
    "histories": """
        history_id bigint, repeat_count bigint, recency_weeks double precision,
        age_weeks double precision, horizon_weeks double precision, r double precision,
        alpha double precision, a double precision, b double precision
    """,
}
SCORED_HISTORIES = """
select
    *,
    {{ bgnbd_expected_purchases(
        'repeat_count', 'age_weeks', 'horizon_weeks', 'r', 'alpha', 'a', 'b', terms=64
    ) }} as purchases_64,
    {{ bgnbd_expected_purchases(
        'repeat_count', 'age_weeks', 'horizon_weeks', 'r', 'alpha', 'a', 'b', terms=128
    ) }} as purchases_128,
    {{ bgnbd_probability_alive(
        'repeat_count', 'recency_weeks', 'age_weeks', 'r', 'alpha', 'a', 'b'
    ) }} as p_alive,
    {{ bgnbd_probability_no_purchase(
        '0.5', 'repeat_count', 'age_weeks', 'horizon_weeks', 'r', 'alpha'
    ) }} as p_no_purchase

from {{ ref('histories') }}
"""


@dataclass(frozen=True)
class DbtProject:
    """A project on disk and its DuckDB file."""

    path: Path
    database: Path

    def dbt(self, *args: str, as_of: str = AS_OF, **variables: object) -> None:
        """Run a dbt command; fails the test with dbt's messages where it fails."""
        from dbt.cli.main import dbtRunner

        variables = {"as_of": as_of, **variables}
        here = Path.cwd()
        try:
            os.chdir(self.path)
            done = dbtRunner().invoke(
                ["--quiet", *args, "--vars", yaml.safe_dump(variables), "--target", "duckdb"]
            )
        finally:
            os.chdir(here)
            _release_duckdb()
        failed = [
            f"{result.node.name}: {result.message}"
            for result in getattr(done.result, "results", None) or []
            if str(result.status) in {"error", "fail"}
        ]
        assert done.success, done.exception or failed

    def connect(self) -> duckdb.DuckDBPyConnection:
        """The warehouse, between two dbt commands."""
        return duckdb.connect(str(self.database))


@pytest.fixture(scope="session")
def cdnow() -> Path:
    """The CDNOW sample of the papers: customer_id, date, qty, amount."""
    path = SHARED / "data/analytics/cdnow_sample.parquet"
    if not path.exists():
        pytest.skip(f"no CDNOW sample at {path} (set CDP_SHARED_DIR)")
    return path


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Iterator[DbtProject]:
    """The project with empty stand-ins."""
    path = tmp_path_factory.mktemp("project")
    database = path / "cdp.duckdb"
    write_project(path)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("DO_NOT_TRACK", "1")
        patch.setenv("CDP_DUCKDB_PATH", str(database))
        patch.setenv("CDP_DUCKDB_TEMP", str(path / "spill"))
        with duckdb.connect(str(database)) as connection:
            for statement in standin_tables():
                connection.execute(statement)
        yield DbtProject(path, database)


def standin_tables() -> list[str]:
    """Statements that make the state table and the tables behind the stand-ins."""
    [state] = yaml.safe_load((ROOT / STATE).read_text())["sources"][0]["tables"]
    columns = ", ".join(
        f"{column['name']} {column['data_type'].replace('string', 'varchar')}"
        for column in state["columns"]
    )
    return [
        "create schema if not exists state",
        f"create table state.clv_parameters ({columns})",
        "create schema if not exists standins",
        *(f"create table standins.{name} ({columns})" for name, columns in STANDINS.items()),
    ]


def write_project(path: Path) -> None:
    """The marts' own files and the stand-ins, as a dbt project in ``path``."""
    settings = yaml.safe_load((ROOT / "dbt_project.yml").read_text())
    # The rest of the project is not here, so neither are its hooks.
    settings.pop("on-run-start", None)
    settings.pop("on-run-end", None)
    (path / "dbt_project.yml").write_text(yaml.safe_dump(settings))
    shutil.copy(ROOT / "profiles.yml", path)
    (path / "macros").symlink_to(ROOT / "macros")
    files = [
        "models/_groups.yml",
        "models/marts/_semantic_models.yml",
        STATE,
        "tests/generic/unique_combination_of_columns.sql",
        *(f"models/marts/{name}.{end}" for name in MODELS for end in ("sql", "yml")),
        *(f"seeds/{name}.{end}" for name in SEEDS for end in ("csv", "yml")),
        *(f"tests/singular/{name}.sql" for name in SINGULAR_TESTS),
    ]
    for file in files:
        (path / file).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(ROOT / file, path / file)
    standins = path / "models/standins"
    standins.mkdir()
    for name in STANDINS:
        (standins / f"{name}.sql").write_text(f"select * from standins.{name}\n")
    (standins / "scored_histories.sql").write_text(SCORED_HISTORIES)


def _release_duckdb() -> None:
    from dbt.adapters.duckdb.connections import DuckDBConnectionManager

    environment = DuckDBConnectionManager._ENV
    if environment is not None:
        environment.close()
        DuckDBConnectionManager._ENV = None
