"""One plan on every engine, whatever the order of columns and rows and the session's zone."""

import re
from pathlib import Path
from typing import Any

import pytest
import yaml

from orchestration.sync.plan import Plan
from orchestration.sync.spec import load_manifest, load_sync
from orchestration.warehouse import Warehouse, dbt
from tests.fixtures.activation_project import make_project, stand_in_statements
from tests.fixtures.environment import environment
from tests.fixtures.postgres import own_database
from tests.sync.lab import PLANNED, SYNC

CITIES = [
    "Ana",
    "",
    None,
    "é",
    "e\u0301",
    "李",
    "🤦🏼",
    "a=1:b;",
    'o\'hara \\ "q"',
    " x ",
    "1:a2:bc",
]


def literal(value: str | None) -> str:
    return "null" if value is None else "'" + value.replace("'", "''") + "'"


def fill(warehouse: Warehouse, backwards: bool) -> None:
    """Customers with awkward cities, with consent; some held, refused, in doubt or gone."""
    people = [(f"c{number:03}", CITIES[number % len(CITIES)]) for number in range(60)]
    for key, city in reversed(people) if backwards else people:
        row = f"'{key}', '{key}@example.com', 'Ana', 'Ruiz', null, {literal(city)}, 'ES'"
        warehouse.execute(f"insert into standin.customers values ({row})")
        warehouse.execute(f"insert into standin.segment_members values ('champions', '{key}')")
        consent = f"'{key}', 'marketing', 'email', true, false"
        warehouse.execute(f"insert into standin.customer_consents values ({consent})")
    warehouse.execute(
        "insert into standin.customer_consents values ('gone2', 'marketing', 'email', false, true)"
    )
    warehouse.execute("insert into standin.customer_suppressions values ('gone1', 'erasure')")
    entries = [(key, "upsert", "intent", "old") for key in ("c001", "c002", "c003", "c004")]
    entries += [("c001", "upsert", "delivered", "old"), ("c002", "upsert", "rejected", "old")]
    for key in ("gone1", "gone2", "gone3"):
        entries += [(key, "upsert", "intent", "old"), (key, "upsert", "delivered", "old")]
    entries += [("c004", "upsert", "delivered", "old"), ("c004", "upsert", "drifted", "old")]
    for number, (key, action, status, row_hash) in enumerate(entries, start=1):
        record = f"'{key}'" if status == "delivered" else "null"
        warehouse.execute(
            "insert into state.sync_ledger (sync_name, entry_number, row_key, action, status,"
            " row_hash, field_hashes, remote_id, attempt, run_id) values"
            f" ('{SYNC}', {number}, '{key}', '{action}', '{status}', '{row_hash}',"
            f" {literal('a' * 60 if status == 'intent' else None)}, {record}, 1, 'r1')"
        )


def reverse_columns(project: Path) -> None:
    """The same sync, its columns the other way round in the query and in the contract."""
    path = project / "models/activation" / f"{SYNC}.yml"
    declared = yaml.safe_load(path.read_text())
    columns = declared["models"][0]["columns"]
    columns.reverse()
    path.write_text(yaml.safe_dump(declared, allow_unicode=True))
    path = path.with_suffix(".sql")
    names = ", ".join(column["name"] for column in columns)
    path.write_text(
        re.sub(r"select \* from mapped", f"select {names} from mapped", path.read_text())
    )


def planned(project: Path, target: str, backwards: bool = False) -> tuple[Any, ...]:
    """Plan, digest, sample and counts after two folds, on a target."""
    with Warehouse.open(target, project) as warehouse:
        for statement in stand_in_statements():
            warehouse.execute(statement)
    # The unit tests too, each rule on this engine; on DuckDB the demo runs them.
    unit_tests = ["--exclude-resource-type", "unit_test"] if target == "duckdb" else []
    outcome = dbt(["build", *unit_tests], target, project)
    failed = {name: s for name, s in outcome.statuses.items() if s not in ("success", "pass")}
    assert outcome.success, failed
    with Warehouse.open(target, project) as warehouse:
        fill(warehouse, backwards)
    outcome = dbt(["run"], target, project)
    assert outcome.success, outcome.statuses
    with Warehouse.open(target, project) as warehouse:
        spec = load_sync(load_manifest(project), SYNC)
        rows = warehouse.fetch(f"select * from activation.{PLANNED} order by row_key")
        held = warehouse.fetch(
            "select * from activation.sync_ledger_current order by sync_name, row_key"
        )
        health = warehouse.fetch("select * from activation.sync_health")
        rejected = warehouse.fetch("select * from activation.sync_rejections order by row_key")
        plan = Plan(warehouse, spec)
        return rows, held, health, rejected, plan.digest(), plan.counts()


@pytest.fixture(scope="module")
def on_duckdb(tmp_path_factory: pytest.TempPathFactory) -> tuple[Any, ...]:
    project = make_project(tmp_path_factory.mktemp("engines") / "project")
    return planned(project, "duckdb")


def test_the_plan_has_something_of_everything(on_duckdb: tuple[Any, ...]) -> None:
    reasons = {(row["action"], row["reason"]) for row in on_duckdb[0]}
    assert reasons >= {("remove", "erasure"), ("remove", "consent"), ("remove", "left")}
    assert reasons >= {("upsert", "new"), ("upsert", "changed"), ("retry", "uncertain")}
    assert ("upsert", "drifted") in reasons


def test_order_of_columns_and_rows_and_zone_change_nothing(
    on_duckdb: tuple[Any, ...], tmp_path: Path
) -> None:
    project = make_project(tmp_path / "project")
    reverse_columns(project)
    profile = project / "profiles.yml"
    profile.write_text(profile.read_text().replace("TimeZone: UTC", "TimeZone: Asia/Tokyo"))
    assert planned(project, "duckdb", backwards=True) == on_duckdb


@pytest.mark.postgres
def test_postgres_plans_alike(
    on_duckdb: tuple[Any, ...], tmp_path: Path, postgres: dict[str, str]
) -> None:
    database = own_database(postgres, "plans")
    with environment(database):
        project = make_project(tmp_path / "project")
        reverse_columns(project)
        with Warehouse.open("postgres", project) as warehouse:
            warehouse.execute("alter database plans set timezone to 'America/New_York'")
        assert planned(project, "postgres", backwards=True) == on_duckdb
