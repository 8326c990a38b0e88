"""Writes the file of a DuckDB warehouse anew.

What was deleted, and every table that a build made anew, is in the free space of the file until
something else is written over it. An erased person's address can be read there with any editor.
"""

import os
import shutil
from pathlib import Path

from orchestration.warehouse import ROOT, Warehouse
from orchestration.warehouse_errors import WarehouseError

_PATH = "select database_name as name, path from duckdb_databases() where not internal limit 2"
_TABLES = "select schema_name, table_name from duckdb_tables() where database_name = ? order by all"


class NothingToCompact(WarehouseError):
    """The warehouse is no file of DuckDB."""


def compact(target: str | None = None, *, project_dir: Path = ROOT) -> tuple[int, int]:
    """Exchange the file for one with what is in it now; its size in bytes before and after.

    The file is locked from before the first byte is read until the new one has its name, so no
    other process can write into the old one. Raises ``NothingToCompact`` for another engine."""
    with Warehouse.open(target, project_dir) as warehouse:
        if warehouse.target_type != "duckdb":
            raise NothingToCompact(
                "only DuckDB's file is written anew; on a server it is its own vacuum that"
                " overwrites what was deleted (PostgreSQL: `vacuum full`)"
            )
        warehouse.execute("checkpoint")  # a log beside the file belongs to the old one
        [held] = warehouse.fetch(_PATH)
        path = Path(held["path"])
        fresh = path.with_name(f"{path.name}.fresh")
        fresh.unlink(missing_ok=True)
        before = path.stat().st_size
        try:
            _copy(warehouse, held["name"], fresh)
            shutil.copystat(path, fresh)
            os.replace(fresh, path)
        finally:
            for left in (fresh, fresh.with_name(f"{fresh.name}.wal")):
                left.unlink(missing_ok=True)
    return before, path.stat().st_size


def _copy(warehouse: Warehouse, database: str, fresh: Path) -> None:
    warehouse.execute(f"attach '{_quoted(fresh)}' as fresh")
    warehouse.execute(f"copy from database {warehouse.quote(database)} to fresh")
    if _counted(warehouse, database) != _counted(warehouse, "fresh"):
        raise WarehouseError("the copy of the file is not complete; nothing was changed")
    warehouse.execute("detach fresh")


def _counted(warehouse: Warehouse, database: str) -> dict[tuple[str, str], int]:
    """Rows by schema and table."""
    counts = {}
    for schema, table in warehouse.tuples(_TABLES, [database]):
        name = ".".join(map(warehouse.quote, (database, schema, table)))
        [(counts[schema, table],)] = warehouse.tuples(f"select count(*) from {name}")
    return counts


def _quoted(path: Path) -> str:
    return str(path).replace("'", "''")
