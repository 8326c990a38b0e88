"""The copy of the public marts that BI tools read.

DuckDB lets one process write and shuts every reader out meanwhile, so the build file stays
private. ``publish`` writes a second DuckDB file, in a storage version that drivers of the
1.x line read, and one Parquet file per table, beside the current ones, and then swaps both
in. Whoever has the old file open goes on reading it; nobody sees half of a publication.

On engines with concurrent readers (Postgres, Spark, cloud warehouses) BI reads the marts
themselves, and ``publish`` has nothing to do.
"""

import os
import shutil
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from orchestration.warehouse import Relation, Warehouse, compose

STORAGE_VERSION = "v1.2.0"
"""DuckDB storage that every driver since early 2025 reads; 2.x writes a newer one."""

PUBLISHED_FOLDERS = {"marts", "profiles", "segments"}
"""Their public models are published unless they say no; those of other folders if they say so."""


@dataclass(frozen=True)
class Publication:
    """What was written: the folder and rows by table."""

    folder: Path
    tables: dict[str, int] = field(default_factory=dict)


def published_models(manifest: dict[str, Any]) -> list[dict[str, Any]]:
    """Public models of the published folders, less those with ``meta.publish: false``, and models
    elsewhere with ``meta.publish: true``, ordered by name. Nodes as in dbt's manifest."""

    def wanted(node: dict[str, Any]) -> bool:
        return (
            node["resource_type"] == "model"
            and "__" not in node["name"]
            and node["config"]["materialized"] != "ephemeral"
            and node["config"]["meta"].get("publish", node["fqn"][1] in PUBLISHED_FOLDERS)
        )

    return sorted(filter(wanted, manifest["nodes"].values()), key=lambda node: node["name"])


def published_columns(node: dict[str, Any]) -> list[str]:
    """Columns of a model that BI may read: all but direct personal data (``meta.pii``)."""
    return [
        column["name"]
        for column in node["columns"].values()
        if column.get("config", {}).get("meta", column.get("meta", {})).get("pii") != "direct"
    ]


def publish(folder: Path, manifest: dict[str, Any], target: str | None = None) -> Publication:
    """Write and swap in ``<folder>/cdp.duckdb`` and ``<folder>/parquet/<table>.parquet``."""
    folder = Path(folder)
    folder.mkdir(parents=True, exist_ok=True)
    with Warehouse.open(target) as warehouse:
        if warehouse.target_type != "duckdb":
            return Publication(folder)
        database = folder / f".cdp.{os.getpid()}.duckdb"
        parquet = folder / f"parquet.{_next_number(folder)}"
        _remove(database, parquet)
        parquet.mkdir()
        try:
            tables = dict(_copy(warehouse, published_models(manifest), database, parquet))
        except BaseException:
            _remove(database, parquet)
            raise
    os.replace(database, folder / "cdp.duckdb")
    _swap_link(folder / "parquet", parquet)
    return Publication(folder, tables)


def _copy(
    warehouse: Warehouse, nodes: list[dict[str, Any]], database: Path, parquet: Path
) -> Iterator[tuple[str, int]]:
    attach = f"attach '{_literal(database)}' as publication (storage_version '{STORAGE_VERSION}')"
    warehouse.execute(attach)
    try:
        for node in nodes:
            name = node["name"]
            source = warehouse.relation(name)
            target = Relation("main", name, "publication")
            create = "create table {t} as select {c} from {r}"
            warehouse.execute(compose(create, t=target, c=published_columns(node), r=source))
            file = _literal(parquet / f"{name}.parquet")
            warehouse.execute(compose("copy {t} to", t=target) + f" '{file}' (format parquet)")
            count = compose("select count(*) as rows_written from {t}", t=target)
            [answer] = warehouse.fetch(count)
            yield name, answer["rows_written"]
    finally:
        warehouse.execute("detach publication")


def _literal(path: Path) -> str:
    return str(path.resolve()).replace("'", "''")


def _next_number(folder: Path) -> int:
    numbers = [
        int(path.suffix[1:]) for path in folder.glob("parquet.*") if path.suffix[1:].isdigit()
    ]
    return max(numbers, default=0) + 1


def _swap_link(link: Path, folder: Path) -> None:
    """Point ``link`` at ``folder`` in one step. The folder before the last one goes: a reader
    that has just resolved the link still finds its files."""
    fresh = link.with_name(f".{link.name}.{os.getpid()}")
    fresh.unlink(missing_ok=True)
    fresh.symlink_to(folder.name)
    os.replace(fresh, link)
    for old in sorted(link.parent.glob("parquet.*"), key=lambda p: int(p.suffix[1:]))[:-2]:
        shutil.rmtree(old)


def _remove(database: Path, parquet: Path) -> None:
    database.unlink(missing_ok=True)
    database.with_suffix(".duckdb.wal").unlink(missing_ok=True)
    shutil.rmtree(parquet, ignore_errors=True)
