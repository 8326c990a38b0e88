"""A small dbt project around the value marts, so that they can be driven with any orders.

It holds the marts' own files as they are, and stand-ins for the models they read: views of
tables that a test fills.
"""

import shutil
from collections.abc import Iterator
from contextlib import AbstractContextManager
from pathlib import Path

import pyarrow as pa
import pytest
import yaml

from orchestration.warehouse import Warehouse
from tests.fixtures.dated_project import DatedProject
from tests.fixtures.postgres import own_database

ROOT = Path(__file__).resolve().parents[2]
AS_OF = "1997-09-30"

MODELS = [
    "int_marts__purchases",
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
    "customers": "customer_id text",
    "orders": """
        order_id text, customer_id text, order_type text, original_order_id text,
        status text, order_date date, is_future boolean, channel text, currency text,
        net_amount decimal(18, 4), net_amount_reporting decimal(18, 4),
        reporting_rate decimal(18, 8)
    """,
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


class MartsProject(DatedProject):
    """A dbt project on disk and the warehouse behind it."""

    today = AS_OF

    def fill(self, table: str, rows: pa.Table) -> None:
        """Exchange the rows of a table."""
        with self.open() as warehouse:
            warehouse.load(table, rows, mode="replace")

    def open(self) -> AbstractContextManager[Warehouse]:
        """The door to the warehouse, between two dbt commands."""
        return Warehouse.open(self.target, self.path)


@pytest.fixture(scope="session")
def cdnow(shared_dir: Path) -> Path:
    """The CDNOW sample of the papers: customer_id, date, qty, amount."""
    return shared_dir / "data/analytics/cdnow_sample.parquet"


@pytest.fixture(
    scope="module", params=["duckdb", pytest.param("postgres", marks=pytest.mark.postgres)]
)
def project(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[MartsProject]:
    """The project with empty stand-ins, on each engine."""
    path = tmp_path_factory.mktemp("project")
    write_project(path)
    with pytest.MonkeyPatch.context() as patch:
        patch.delenv("DBT_TARGET_PATH", raising=False)
        patch.setenv("CDP_DUCKDB_PATH", str(path / "cdp.duckdb"))
        if request.param == "postgres":
            server = own_database(request.getfixturevalue("postgres"), "value_marts")
            for name, value in server.items():
                patch.setenv(name, value)
        project = MartsProject(path, request.param)
        with project.open() as warehouse:
            for statement in standin_tables():
                warehouse.execute(statement)
        yield project


def standin_tables() -> list[str]:
    """Statements that make the state table and the tables behind the stand-ins."""
    [state] = yaml.safe_load((ROOT / STATE).read_text())["sources"][0]["tables"]
    columns = ", ".join(
        f"{column['name']} {column['data_type'].replace('string', 'text')}"
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
