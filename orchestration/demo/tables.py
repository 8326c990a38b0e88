"""The shape of the raw tables, read from the declared sources, and writing them as Parquet."""

from __future__ import annotations

import shutil
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import yaml

from orchestration.demo import text
from orchestration.demo.text import Column
from orchestration.private_files import make_private_folder

STAGING = Path(__file__).resolve().parents[2] / "models" / "staging"


@cache
def declared_keys() -> dict[tuple[str, str], tuple[str, ...]]:
    """Key columns of every declared raw table."""
    return {name: tuple(table["config"]["meta"]["key"]) for name, table in _declared()}


@cache
def declared_columns() -> dict[tuple[str, str], tuple[str, ...]]:
    """Columns of every declared raw table, in order: {(source, table): names}."""
    return {
        name: tuple(column["name"] for column in table["columns"]) for name, table in _declared()
    }


@cache
def _declared() -> tuple[tuple[tuple[str, str], dict], ...]:
    return tuple(
        ((source["name"], table["name"]), table)
        for path in sorted(STAGING.glob("*/_*__sources.yml"))
        for source in yaml.safe_load(path.read_text(encoding="utf-8"))["sources"]
        # The tables in which the product keeps its own state are no raw data.
        if source["name"] != "state"
        for table in source["tables"]
    )


def schema_of(source: str, table: str) -> pa.Schema:
    """Arrow schema of a raw table: text, but `loaded_at` a timestamp in microseconds."""
    return pa.schema(
        (name, pa.timestamp("us") if name == "loaded_at" else pa.string())
        for name in declared_columns()[source, table]
    )


@dataclass
class Block:
    """What one block of persons wrote: row counts, truth and planted problems."""

    out: Path
    number: int
    total: int
    rows: dict[str, int] = field(default_factory=dict)
    truth: list[pa.Table] = field(default_factory=list)
    problems: list[pa.Table] = field(default_factory=list)

    def write(self, source: str, table: str, columns: dict[str, Column], order=None) -> None:
        """Write a raw table (or this block's part of it).

        Args:
            source, table: as declared in the sources' YAML.
            columns: one column per declared name; `loaded_at` is int64 microseconds.
            order: optional row order (indices), duplicates allowed.

        Raises:
            ValueError: when the names are not exactly the declared ones.
        """
        schema = schema_of(source, table)
        if set(columns) != set(schema.names):
            wrong = sorted(set(columns) ^ set(schema.names))
            raise ValueError(f"{source}.{table}: columns differ from the declared ones: {wrong}")
        arrays = []
        for name in schema.names:
            column = columns[name]
            if name == "loaded_at":
                column = pa.array(np.asarray(column, dtype=np.int64)).cast(pa.timestamp("us"))
            arrays.append(column)
        data = pa.Table.from_arrays(arrays, names=schema.names)
        if order is not None:
            self._plant_duplicates(source, table, data, order)
            data = data.take(pa.array(order))
        make_private_folder(self.out / "raw")
        folder = self.out / "raw" / source
        if self.total == 1:
            path = folder / f"{table}.parquet"
        else:
            path = folder / table / f"part-{self.number:05d}.parquet"
        path.parent.mkdir(parents=True, exist_ok=True)
        # Without the Arrow schema a reader sees plain text, not our dictionaries.
        pq.write_table(data, path, compression="zstd", store_schema=False)
        key = f"{source}.{table}"
        self.rows[key] = self.rows.get(key, 0) + data.num_rows

    def _plant_duplicates(self, source: str, table: str, data: pa.Table, order) -> None:
        twice = np.flatnonzero(np.bincount(order, minlength=data.num_rows) > 1)
        rows = data.select(declared_keys()[source, table]).take(pa.array(twice))
        key = text.join(*(_text(column) for column in rows.columns), separator="|")
        self.planted("row twice", source, table, key, "loaded once")

    def is_truth(self, record_keys: Column, persons: Column) -> None:
        """Remember whose record each key is."""
        names = ["record_key", "person_id"]
        self.truth.append(pa.Table.from_arrays([_text(record_keys), _text(persons)], names=names))

    def planted(self, problem: str, source: str, table: str, keys: Column, expected: str) -> None:
        """Remember rows that were spoiled on purpose and what they must result in."""
        rows = len(keys)
        if rows == 0:
            return
        self.problems.append(
            pa.table(
                {
                    "problem": pa.array([problem] * rows),
                    "source": pa.array([source] * rows),
                    "table": pa.array([table] * rows),
                    "native_id": _text(keys),
                    "expected": pa.array([expected] * rows),
                }
            )
        )


def _text(column: Column) -> pa.Array:
    if isinstance(column, pa.ChunkedArray):
        column = column.combine_chunks()
    return column.cast(pa.string())


def clear(out: Path) -> None:
    """Remove what an earlier run wrote for the declared tables, and nothing else."""
    for source, table in declared_columns():
        (out / "raw" / source / f"{table}.parquet").unlink(missing_ok=True)
        shutil.rmtree(out / "raw" / source / table, ignore_errors=True)
    shutil.rmtree(out / "truth", ignore_errors=True)
