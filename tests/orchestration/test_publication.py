"""The published copy is swapped in whole while readers go on reading."""

import duckdb
import pytest

from orchestration import publication
from orchestration.publication import publish, published_columns, published_models


def _node(name: str, columns: dict[str, dict], folder: str = "marts", meta: dict | None = None):
    return {
        "name": name,
        "resource_type": "model",
        "fqn": ["cdp", folder, name],
        "config": {"materialized": "table", "meta": meta or {}},
        "columns": {
            column: {"name": column, "config": {"meta": column_meta}}
            for column, column_meta in columns.items()
        },
    }


@pytest.fixture
def manifest():
    return {
        "nodes": {
            "model.cdp.sizes": _node("sizes", {"id": {}, "email": {"pii": "direct"}, "n": {}}),
            "model.cdp.int_marts__steps": _node("int_marts__steps", {"id": {}}),
            "model.cdp.hidden": _node("hidden", {"id": {}}, meta={"publish": False}),
            "model.cdp.stg": _node("stg", {"id": {}}, folder="staging"),
        }
    }


@pytest.fixture
def warehouse_file(tmp_path, monkeypatch):
    path = tmp_path / "build.duckdb"
    monkeypatch.setenv("CDP_DUCKDB_PATH", str(path))
    _write(path, 1)
    monkeypatch.setattr(
        "orchestration.warehouse.Warehouse.relation",
        lambda self, name: __import__("orchestration.warehouse").warehouse.Relation(
            "main", name, "build"
        ),
    )
    return path


def _write(path, n):
    with duckdb.connect(str(path)) as connection:
        connection.execute(
            f"create or replace table sizes as select 'a' as id, 'x@example.com' as email, {n} as n"
        )


def test_internal_hidden_and_staging_models_are_not_published(manifest):
    assert [node["name"] for node in published_models(manifest)] == ["sizes"]


def test_direct_personal_data_is_not_published(manifest):
    assert published_columns(manifest["nodes"]["model.cdp.sizes"]) == ["id", "n"]


def test_a_reader_of_the_old_copy_is_not_disturbed(tmp_path, manifest, warehouse_file):
    folder = tmp_path / "published"
    publish(folder, manifest)
    reader = duckdb.connect(str(folder / "cdp.duckdb"), read_only=True)
    old_parquet = (folder / "parquet").resolve() / "sizes.parquet"

    _write(warehouse_file, 2)
    publish(folder, manifest)

    assert reader.execute("select n from sizes").fetchall() == [(1,)]
    reader.close()
    assert old_parquet.exists()
    with duckdb.connect(str(folder / "cdp.duckdb"), read_only=True) as fresh:
        assert fresh.execute("select n from sizes").fetchall() == [(2,)]
    new = folder / "parquet" / "sizes.parquet"
    assert duckdb.sql(f"select n from '{new}'").fetchall() == [(2,)]


def test_a_failed_publication_leaves_the_last_one(tmp_path, manifest, warehouse_file, monkeypatch):
    folder = tmp_path / "published"
    publish(folder, manifest)
    monkeypatch.setattr(publication, "published_columns", lambda node: ["no_such_column"])
    with pytest.raises(Exception, match="column"):
        publish(folder, manifest)
    with duckdb.connect(str(folder / "cdp.duckdb"), read_only=True) as reader:
        assert reader.execute("select n from sizes").fetchall() == [(1,)]
    assert sorted(path.name for path in folder.iterdir()) == ["cdp.duckdb", "parquet", "parquet.1"]
