"""The door to the database, on each engine."""

import json
import os
import subprocess
import sys
import threading
from pathlib import Path

import pyarrow as pa
import pytest

from orchestration.warehouse import (
    UnknownRelation,
    Warehouse,
    WarehouseBusy,
    WarehouseError,
    compose,
    dbt,
    read_manifest,
)
from tests.fixtures.landing_project import LandingProject

CANARY = "canary-7f3a@example.fr"
ROWS = pa.table({"id": [1, 2, 3], "note": ["a", "", None], "amount": [1.5, None, 2.0]})
CONNECT = "import duckdb, sys; duckdb.connect(sys.argv[1]).execute('select 1')"
HOLD = "import duckdb, sys; held = duckdb.connect(sys.argv[1]); print(flush=True); sys.stdin.read()"


def test_bulk_load_and_small_answers(project: LandingProject) -> None:
    with project.open() as warehouse:
        assert not warehouse.exists("scratch.rows")
        assert warehouse.load("scratch.rows", ROWS) == 3
        assert warehouse.columns("scratch.rows") == ["id", "note", "amount"]
        warehouse.load("scratch.rows", ROWS.select(["id"]).slice(0, 1))
        rows = warehouse.fetch("select note from scratch.rows where id > ? order by id", [1])
        assert rows == [{"note": ""}, {"note": None}]
        assert warehouse.load("scratch.rows", ROWS.slice(0, 2), mode="replace") == 2
        assert warehouse.fetch("select count(*) as n from scratch.rows") == [{"n": 2}]
        assert warehouse.load("scratch.rows", ROWS.slice(0, 0), mode="replace") == 0
        assert warehouse.fetch("select * from scratch.rows") == []
        with pytest.raises(WarehouseError, match="no column more"):
            warehouse.load("scratch.rows", pa.table({"more": [1]}))


def test_rows_are_appended_by_name_to_a_table_that_is_there(project: LandingProject) -> None:
    def twice(warehouse: Warehouse) -> None:
        with warehouse.transaction():
            warehouse.append("scratch.rows", ROWS)
            warehouse.append("scratch.rows", pa.table({"more": [1]}))

    with project.open() as warehouse:
        with pytest.raises(WarehouseError):
            warehouse.append("scratch.rows", ROWS)
        warehouse.load("scratch.rows", ROWS)
        warehouse.append("scratch.rows", pa.table({"note": ["d"], "id": [4]}))
        warehouse.append("scratch.rows", ROWS.slice(0, 0))
        with pytest.raises(WarehouseError):
            twice(warehouse)
        rows = warehouse.fetch("select id, note, amount from scratch.rows where id > 2 order by id")
        assert [tuple(row.values()) for row in rows] == [(3, None, 2.0), (4, "d", None)]


def mode(path: Path) -> int:
    return path.stat().st_mode & 0o777


def test_a_new_warehouse_is_its_owners_alone(
    duckdb: LandingProject, monkeypatch: pytest.MonkeyPatch
) -> None:
    data = duckdb.path / "data"
    monkeypatch.setenv("CDP_DUCKDB_PATH", str(data / "warehouse/cdp.duckdb"))
    before = os.umask(0o022)
    try:
        with duckdb.open():
            pass
    finally:
        os.umask(before)
    file = data / "warehouse/cdp.duckdb"
    assert (mode(file), mode(file.parent)) == (0o600, 0o700)
    assert mode(data) == 0o755, "the published copy lies there, too"


def test_a_warehouse_that_is_there_stays_as_its_owner_has_it(duckdb: LandingProject) -> None:
    with duckdb.open():
        pass
    file, folder = duckdb.path / "cdp.duckdb", mode(duckdb.path)
    file.chmod(0o640)
    with duckdb.open():
        pass
    assert (mode(file), mode(duckdb.path)) == (0o640, folder)


def test_awkward_values_survive_the_bulk_load(project: LandingProject) -> None:
    values = [
        'a,b"c',
        "line\nline\r\n",
        "\\N",
        "\\.",
        "é張😀",
        "",
        None,
        "'; drop table x; --",
        "%s ?",
    ]
    table = pa.table({"id": range(len(values)), "value": values})
    with project.open() as warehouse:
        warehouse.load("scratch.texts", table)
        rows = warehouse.fetch("select value from scratch.texts order by id")
        assert [row["value"] for row in rows] == values
        [row] = warehouse.fetch("select id from scratch.texts where value = ?", ["%s ?"])
        assert row["id"] == 8


def test_a_generator_that_fails_loads_nothing(project: LandingProject) -> None:
    def batches():
        yield ROWS.to_batches()[0]
        raise KeyError("mine")

    with project.open() as warehouse:
        warehouse.load("scratch.rows", ROWS)
        with pytest.raises(KeyError, match="mine"):
            warehouse.load("scratch.rows", batches(), mode="replace")
        assert warehouse.fetch("select count(*) as n from scratch.rows") == [{"n": 3}]
        assert warehouse.load("scratch.rows", iter(())) == 0


def test_a_transaction_is_all_or_nothing(project: LandingProject) -> None:
    def half_way(warehouse: Warehouse) -> None:
        with warehouse.transaction():
            warehouse.execute("delete from scratch.rows")
            with warehouse.transaction():
                warehouse.execute("select * from scratch.nothing")

    with project.open() as warehouse:
        warehouse.load("scratch.rows", ROWS)
        with pytest.raises(WarehouseError):
            half_way(warehouse)
        with warehouse.transaction():
            warehouse.lock("scratch.rows")
            warehouse.execute("delete from scratch.rows where id = ?", [1])
        assert warehouse.fetch("select count(*) as n from scratch.rows") == [{"n": 2}]
        with warehouse.transaction(), pytest.raises(WarehouseError, match="transaction"):
            warehouse.stream("select 1")


def test_a_stream_is_a_snapshot(project: LandingProject) -> None:
    with project.open() as warehouse:
        warehouse.load("scratch.rows", pa.table({"id": range(2_500)}))
        stream = warehouse.stream("select id from scratch.rows order by id", batch=1_000)
        assert stream.columns == ["id"]
        other = warehouse.stream("select id from scratch.rows where id < ?", [0])
        sizes = []
        for batch in stream:
            with warehouse.transaction():
                warehouse.execute("delete from scratch.rows where id >= ?", [batch[0][0]])
            sizes.append(len(batch))
        assert sizes == [1_000, 1_000, 500]
        assert other.columns == ["id"]
        assert list(other) == []


def test_errors_hold_no_values(project: LandingProject) -> None:
    with project.open() as warehouse:
        warehouse.create("scratch.typed", [("id", "bigint"), ("born", "date")])
        warehouse.execute("create unique index one on scratch.typed (id)")
        warehouse.execute("insert into scratch.typed (id) values (?)", [4242424242])
        failures = [
            ("insert into scratch.typed (id) values (?)", [CANARY]),
            ("insert into scratch.typed (id) values (?)", [4242424242]),
            (f"select cast('{CANARY}' as date)", None),
            (f"select {CANARY.split('-')[0]} from scratch.typed where x = '{CANARY}'", None),
        ]
        for sql, params in failures:
            with pytest.raises(WarehouseError) as caught:
                warehouse.execute(sql, params)
            error = caught.value
            assert CANARY not in repr(error)
            assert "4242424242" not in repr(error)
            assert error.__cause__ is None
            assert error.__context__ is None
        with pytest.raises(WarehouseError) as caught:
            warehouse.load("scratch.typed", pa.table({"born": [CANARY]}))
        assert CANARY not in repr(caught.value)


def test_a_hostile_name_is_only_a_name(project: LandingProject) -> None:
    name = 'x"; drop table scratch.rows; --'
    with project.open() as warehouse:
        warehouse.load("scratch.rows", ROWS)
        warehouse.load("scratch.odd", pa.table({name: [1]}))
        assert warehouse.fetch(compose("select {c} from scratch.odd", c=name)) == [{name: 1}]
        assert warehouse.exists("scratch.rows")


def test_relations_by_their_dbt_names(project: LandingProject) -> None:
    models = project.path / "models/marts"
    models.mkdir()
    (models / "customers.sql").write_text(
        "{{ config(schema='marts', alias='people') }} select 1 as id"
    )
    with project.open() as warehouse:
        assert warehouse.relation("feed.rows").schema == "raw_feed"
        assert warehouse.relation("customers").identifier == "people"
        (models / "orders.sql").write_text("select 1 as id")  # newer than the manifest
        assert warehouse.relation("orders").identifier == "orders"
        with pytest.raises(UnknownRelation, match="nobody"):
            warehouse.relation("nobody")
    assert dbt(["run"], project.target, project.path).success
    with project.open() as warehouse:
        sql = compose("select * from {r}", r=warehouse.relation("customers"))
        assert warehouse.fetch(sql) == [{"id": 1}]


def test_a_manifest_that_dbt_is_writing_is_waited_for(tmp_path: Path) -> None:
    path, whole = tmp_path / "manifest.json", json.dumps({"nodes": {"a": "é" * 50}})
    assert read_manifest(path) is None
    path.write_text(whole[:40])
    later = threading.Timer(0.3, path.write_text, [whole])
    later.start()
    assert read_manifest(path) == json.loads(whole)
    later.join()


def test_a_manifest_that_was_cut_off_is_made_again(
    duckdb: LandingProject, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("orchestration.warehouse_dbt.WRITING_SECONDS", 0.1)
    with duckdb.open() as warehouse:
        warehouse.relation("feed.rows")
    manifest = duckdb.path / "target/manifest.json"
    manifest.write_bytes(manifest.read_bytes()[:1000])
    with duckdb.open() as warehouse:
        assert warehouse.relation("feed.rows").schema == "raw_feed"


def test_other_processes_get_the_file_afterwards(duckdb: LandingProject) -> None:
    file = str(duckdb.path / "cdp.duckdb")
    with duckdb.open() as outer:
        outer.load("scratch.rows", ROWS)
        stream = outer.stream("select * from scratch.rows")
        assert dbt(["parse"], project_dir=duckdb.path).success
        with duckdb.open() as inner:
            assert inner.exists("scratch.rows")
        assert outer.exists("scratch.rows")
        assert len(next(iter(stream))) == 3
        assert subprocess.run([sys.executable, "-c", CONNECT, file], capture_output=True).returncode
    subprocess.run([sys.executable, "-c", CONNECT, file], check=True)
    assert dbt(["run-operation", "nothing"], project_dir=duckdb.path).success is False
    subprocess.run([sys.executable, "-c", CONNECT, file], check=True)


def test_a_file_in_use_says_so(duckdb: LandingProject) -> None:
    command = [sys.executable, "-c", HOLD, str(duckdb.path / "cdp.duckdb")]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as holder:
        holder.stdout.readline()
        with pytest.raises(WarehouseBusy, match="PID"), duckdb.open():
            pass
        holder.stdin.close()
    with duckdb.open() as warehouse:
        assert warehouse.fetch("select 1 as one") == [{"one": 1}]


def test_paths_of_the_profile_count_from_the_project(tmp_path: Path, monkeypatch) -> None:
    for name in ("CDP_DUCKDB_PATH", "CDP_TARGET"):
        monkeypatch.delenv(name, raising=False)
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    for name in ("one", "two"):
        (tmp_path / name).mkdir()
        project = LandingProject.make(tmp_path / name)
        monkeypatch.chdir(elsewhere)
        with Warehouse.open(project_dir=project.path) as warehouse:
            assert not warehouse.exists("scratch.rows")
            warehouse.load("scratch.rows", ROWS)
        assert (project.path / "data/warehouse/cdp.duckdb").exists()
    assert list(elsewhere.iterdir()) == []
