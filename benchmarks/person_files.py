"""Reads labelled person files: the records without their labels, and the labels by themselves.

Rows are shuffled and keyed by their place after it, ``<file>:<row>``, so that neither a key nor
the order says who belongs together. Columns that nobody asked for are not even read.
"""

from __future__ import annotations

import csv
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from orchestration.landing.csv_file import DELIMITERS
from orchestration.landing.encodings import detect_encoding
from orchestration.landing.report import Refused

CHUNK_ROWS = 50_000
Mapping = dict[str, tuple[str, ...]]
"""By canonical column: the columns of the file whose values, joined by a space, fill it."""


class PersonFileError(ValueError):
    """A file or a mapping that cannot be used; the text says why."""


@dataclass(frozen=True)
class LabelledPeople:
    """``records``: record_key and the canonical columns, text; ``truth``: record_key, person_id
    (null where the label is empty). Both in the same, random order."""

    records: pa.Table
    truth: pa.Table


def parse_mapping(text: str, canonical: Sequence[str]) -> Mapping:
    """The mapping that ``first_name=given_name,street=number+street`` says. Raises
    ``PersonFileError`` for an unknown or repeated canonical column and for a malformed part."""
    mapping: Mapping = {}
    for part in filter(None, (part.strip() for part in text.split(","))):
        name, equals, columns = (piece.strip() for piece in part.partition("="))
        parts = tuple(column.strip() for column in columns.split("+"))
        if not equals or not all(parts):
            raise PersonFileError(f"'{part}' is not canonical_column=column or =column+column")
        if name not in canonical:
            raise PersonFileError(
                f"'{name}' is no canonical column; they are {', '.join(canonical)}"
            )
        if name in mapping:
            raise PersonFileError(f"'{name}' is mapped twice; join columns as {name}=one+other")
        mapping[name] = parts
    if not mapping:
        raise PersonFileError("nothing is mapped")
    return mapping


def read_people(
    paths: Sequence[Path], mappings: Sequence[Mapping], truth: str, seed: int
) -> LabelledPeople:
    """Records and labels of the files, shuffled together; ``mappings`` is one per file.

    The source in a record_key is ``people`` for one file, ``people_1`` and so on for several.
    Raises ``PersonFileError`` for a column that a file lacks, for the truth among the mapped
    columns, and for a file that cannot be read.
    """
    tables, labels = [], []
    for number, (path, mapping) in enumerate(zip(paths, mappings, strict=True), start=1):
        if any(truth in columns for columns in mapping.values()):
            raise PersonFileError(f"'{truth}' is the truth: it must not be mapped")
        wanted = list(dict.fromkeys([*(c for parts in mapping.values() for c in parts), truth]))
        columns = read_columns(path, wanted)
        source = "people" if len(paths) == 1 else f"people_{number}"
        names = {"source": pa.repeat(pa.scalar(source), columns.num_rows)}
        filled = {name: _joined(columns, parts) for name, parts in mapping.items()}
        tables.append(pa.table({**names, **filled}))
        labels.append(columns[truth])
    records = pa.concat_tables(tables, promote_options="default")
    order = pa.array(np.random.default_rng(seed).permutation(records.num_rows))
    records = records.take(order)
    rows = pc.cast(pa.array(np.arange(records.num_rows)), pa.string())
    keys = pc.binary_join_element_wise(records["source"].combine_chunks(), rows, ":")
    people = pa.chunked_array([chunk for label in labels for chunk in label.chunks], pa.string())
    return LabelledPeople(
        records.drop_columns(["source"]).add_column(0, "record_key", keys),
        pa.table({"record_key": keys, "person_id": people.take(order)}),
    )


def _joined(columns: pa.Table, names: tuple[str, ...]) -> pa.ChunkedArray:
    """The columns joined by a space, empty ones left out; null where all are."""
    if len(names) == 1:
        return columns[names[0]]
    # Arrow's own join that leaves nulls out loses rows in which all are null.
    joined = columns[names[0]]
    for name in names[1:]:
        both = pc.binary_join_element_wise(joined, columns[name], " ")
        joined = pc.coalesce(both, joined, columns[name])
    return joined


def read_columns(path: Path, wanted: Sequence[str]) -> pa.Table:
    """Columns of a CSV or Parquet file as text, header and values without the white space around
    them, null where nothing is left. Raises ``PersonFileError``."""
    if not path.is_file():
        raise PersonFileError(f"{path}: no such file")
    try:
        read = _read_parquet if path.suffix.lower() in (".parquet", ".pq") else _read_csv
        table = read(path, wanted)
    except (Refused, pa.ArrowException, UnicodeDecodeError, csv.Error) as problem:
        raise PersonFileError(f"{path.name}: {problem}") from problem
    return pa.table({name: _clean(table[name]) for name in wanted})


def _clean(column: pa.ChunkedArray) -> pa.ChunkedArray:
    trimmed = pc.utf8_trim_whitespace(column)
    return pc.if_else(pc.equal(trimmed, ""), pa.scalar(None, pa.string()), trimmed)


def _places(path: Path, header: Sequence[str], wanted: Sequence[str]) -> list[int]:
    """Where the wanted columns are in the header. Raises ``PersonFileError``."""
    absent = [name for name in wanted if name not in header]
    if absent:
        raise PersonFileError(
            f"{path.name} has no column {', '.join(map(repr, absent))};"
            f" its columns are {', '.join(header)}"
        )
    twice = [name for name in wanted if header.count(name) > 1]
    if twice:
        raise PersonFileError(f"{path.name} has two columns {', '.join(map(repr, twice))}")
    return [header.index(name) for name in wanted]


def _read_parquet(path: Path, wanted: Sequence[str]) -> pa.Table:
    names = pq.read_schema(path).names
    header = [name.strip() for name in names]
    places = _places(path, header, wanted)
    # By name, not place: a nested column would count as several.
    table = pq.read_table(path, columns=[names[place] for place in places])
    return pa.table({name: table[names[place]].cast(pa.string())
                     for name, place in zip(wanted, places, strict=True)})  # fmt: skip


def _read_csv(path: Path, wanted: Sequence[str]) -> pa.Table:
    batches = list(_csv_batches(path, wanted))
    return pa.Table.from_batches(batches, pa.schema([(name, pa.string()) for name in wanted]))


def _csv_batches(path: Path, wanted: Sequence[str]) -> Iterator[pa.RecordBatch]:
    encoding, _ = detect_encoding(path, "utf-8")
    with path.open(encoding=encoding, newline="") as stream:
        first = stream.readline()
        stream.seek(0)
        delimiter = max(DELIMITERS, key=first.count)
        # Some files separate by a comma and a space; the space must not hide a quote.
        reader = csv.reader(stream, delimiter=delimiter, skipinitialspace=True, strict=True)
        header = [name.strip() for name in next(reader)]
        places = _places(path, header, wanted)
        columns: list[list[str]] = [[] for _ in places]

        def batch() -> pa.RecordBatch:
            return pa.RecordBatch.from_arrays(
                [pa.array(column, pa.string()) for column in columns], names=list(wanted)
            )

        for row in reader:
            if not row:  # a blank line is no record
                continue
            if len(row) != len(header):
                raise PersonFileError(
                    f"{path.name}, line {reader.line_num}: {len(row)} fields, not {len(header)}"
                )
            for column, place in zip(columns, places, strict=True):
                column.append(row[place])
            if len(columns[0]) == CHUNK_ROWS:
                yield batch()
                columns = [[] for _ in places]
        yield batch()
