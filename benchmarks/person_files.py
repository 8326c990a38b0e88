"""Reads labelled person files: the records without their labels, and the labels by themselves.

Rows are shuffled and keyed by their place after it, ``<file>:<row>``, so that neither a key nor
the order says who belongs together. Columns that nobody asked for are not even read. How a file
writes numbers, dates and nothing is put right here and told; people's values are the models'.
"""

from __future__ import annotations

import csv
import gzip
import re
import shlex
import shutil
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from benchmarks.person_columns import (
    Mapping,
    PersonFileError,
    find_columns,
    guess_mapping,
    mapping_text,
    split_outside_quotes,
    unquoted,
)
from benchmarks.person_dates import DateOrder, read_dates
from benchmarks.person_values import as_text, as_whole, is_cut, is_nothing, rewritten
from orchestration.landing.csv_file import DELIMITERS
from orchestration.landing.encodings import detect_encoding
from orchestration.landing.report import Refused

CHUNK_ROWS = 50_000


@dataclass
class Reading:
    """What was found in a file and what was done about it; by canonical column: how many values
    were words for ``nothing``, and keys (and labels) whose last digits were ``cut`` off."""

    file: str
    encoding: str
    mapping: Mapping
    unused: list[str]
    rows: int
    nothing: dict[str, int]
    cut: dict[str, int]
    dates: DateOrder | None = None
    short_rows: int = 0
    damaged_lines: int = 0

    def as_dict(self) -> dict[str, Any]:
        """For JSON."""
        return {**asdict(self), "map": mapping_text(self.mapping)}

    def lines(self) -> list[str]:
        """For a terminal."""
        unused = ", ".join(self.unused[:20]) + (" ..." if len(self.unused) > 20 else "")
        told = [f"{self.file}: {self.rows:,} records, {self.encoding}"]
        told += [f"  --map {shlex.quote(mapping_text(self.mapping))}"]
        told += [f"  not used: {unused}"] * bool(unused)
        told += [f"  birth_date: {self.dates.text}"] if self.dates else []
        empty = ", ".join(f"{name} {number:,}" for name, number in self.nothing.items() if number)
        told += [f"  words for nothing, taken as empty: {empty}"] * bool(empty)
        return told

    def warnings(self) -> list[str]:
        """What may have cost values."""
        told = [
            f"{number:,} values of {name} have lost their last digits to an exponent, and are left"
            " out: they would make one key of many"
            for name, number in self.cut.items()
            if number
        ]
        if self.dates and self.dates.is_mixed:
            told.append(f"birth_date has both orders, {self.dates.text}")
        if self.short_rows:
            told.append(
                f"rows that end early: {self.short_rows:,}; what they lack is taken as empty"
            )
        if self.damaged_lines:
            told.append(f"lines with bytes that are no {self.encoding}: {self.damaged_lines:,}")
        return [f"{self.file}: {text}" for text in told]


@dataclass(frozen=True)
class LabelledPeople:
    """``records``: record_key and the canonical columns, text; ``truth``: record_key, person_id
    (null where the label is empty). Both in the same, random order. ``readings``: by file."""

    records: pa.Table
    truth: pa.Table
    readings: tuple[Reading, ...]


def parse_mapping(text: str, canonical: Sequence[str]) -> Mapping:
    """The mapping that ``first_name=given_name,street=number+street`` says; names in double quotes
    may have commas and the like. Raises ``PersonFileError`` for an unknown or repeated canonical
    column and for a malformed part."""
    mapping: Mapping = {}
    for part in filter(None, (part.strip() for part in split_outside_quotes(text, ","))):
        name, *rest = split_outside_quotes(part, "=", most=1)
        name = name.strip()
        parts = tuple(
            unquoted(column) for each in rest for column in split_outside_quotes(each, "+")
        )
        if not parts or not all(parts):
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
    paths: Sequence[Path],
    mappings: Sequence[Mapping | None],
    truth: str,
    seed: int,
    canonical: Sequence[str] = (),
    keys: Sequence[str] = (),
    orders: Sequence[str | None] = (),
) -> LabelledPeople:
    """Records and labels of the files, shuffled together; ``mappings`` and ``orders`` (of dates,
    none where the values say) are one per file; for None the ``canonical`` columns are guessed.
    ``keys`` are those by which records are the same.

    The source in a record_key is ``people`` for one file, ``people_1`` and so on for several.
    Raises ``PersonFileError`` for a column that a file lacks, for the truth among the mapped
    columns, for labels that are all empty, and for a file that cannot be read.
    """
    tables, labels, readings = [], [], []
    orders = orders or [None] * len(paths)
    for number, (path, mapping, order) in enumerate(
        zip(paths, mappings, orders, strict=True), start=1
    ):
        with opened(path) as file:
            mapping = mapping or guess_mapping(file.header, truth, canonical)
            if not mapping:
                raise PersonFileError(
                    f"{path.name}: no column's name says what it is; tell by --map. Its columns"
                    f" are {', '.join(file.header)}"
                )
            columns, unused = _columns(file, mapping, truth)
        reading = Reading(path.name, file.encoding, mapping, unused, columns.num_rows, {}, {})
        reading.short_rows, reading.damaged_lines = file.short_rows, file.damaged_lines
        source = "people" if len(paths) == 1 else f"people_{number}"
        filled = {name: _filled(name, columns, reading, keys) for name in mapping}
        if "birth_date" in filled:
            filled["birth_date"], reading.dates = read_dates(filled["birth_date"], order)
        names = {"source": pa.repeat(pa.scalar(source), columns.num_rows)}
        tables.append(pa.table({**names, **filled}))
        labelled, _ = _without_nothing(columns[truth], "")
        labelled, reading.cut[truth] = _without_cut(labelled)
        labels.append(labelled)
        readings.append(reading)
    records = pa.concat_tables(tables, promote_options="default")
    shuffled = pa.array(np.random.default_rng(seed).permutation(records.num_rows))
    records = records.take(shuffled)
    rows = pc.cast(pa.array(np.arange(records.num_rows)), pa.string())
    keyed = pc.binary_join_element_wise(records["source"].combine_chunks(), rows, ":")
    people = pa.chunked_array([chunk for label in labels for chunk in label.chunks], pa.string())
    if people.null_count == len(people):
        raise PersonFileError(f"'{truth}' is empty in all records: there is nothing to score")
    return LabelledPeople(
        records.drop_columns(["source"]).add_column(0, "record_key", keyed),
        pa.table({"record_key": keyed, "person_id": people.take(shuffled)}),
        tuple(readings),
    )


def _columns(file: CsvFile | ParquetFile, mapping: Mapping, truth: str) -> tuple[pa.Table, list]:
    """The wanted columns of a file, as it spells their names in the mapping, and the names of the
    others."""
    wanted = list(dict.fromkeys([*(c for parts in mapping.values() for c in parts), truth]))
    places = find_columns(file.name, file.header, wanted)
    if any(places[column] == places[truth] for parts in mapping.values() for column in parts):
        raise PersonFileError(f"'{truth}' is the truth: it must not be mapped")
    read = file.read(sorted(set(places.values())))
    table = pa.table({name: rewritten(read[place], as_whole)[0] for name, place in places.items()})
    used = set(places.values())
    return table, [name for place, name in enumerate(file.header) if place not in used]


def _filled(name: str, columns: pa.Table, reading: Reading, keys: Sequence[str]) -> pa.ChunkedArray:
    """A canonical column: the file's joined by a space, words for nothing left out; null where
    all are."""
    parts = [_without_nothing(columns[part], name) for part in reading.mapping[name]]
    reading.nothing[name] = sum(number for _, number in parts)
    joined = parts[0][0]
    # Arrow's own join that leaves nulls out loses rows in which all are null.
    for part, _ in parts[1:]:
        both = pc.binary_join_element_wise(joined, part, " ")
        joined = pc.coalesce(both, joined, part)
    if name in keys:
        joined, reading.cut[name] = _without_cut(joined)
    return joined


def _without_nothing(column: pa.ChunkedArray, name: str) -> tuple[pa.ChunkedArray, int]:
    return rewritten(column, lambda value: None if is_nothing(value, name) else value)


def _without_cut(column: pa.ChunkedArray) -> tuple[pa.ChunkedArray, int]:
    """Without numbers that many people have in common since their last digits are gone."""
    return rewritten(column, lambda value: None if is_cut(value) else value)


@contextmanager
def opened(path: Path) -> Iterator[CsvFile | ParquetFile]:
    """A CSV file, gzipped or not, or a Parquet file. Raises ``PersonFileError`` for what goes wrong
    while it is open."""
    if not path.is_file():
        raise PersonFileError(f"{path}: no such file")
    try:
        with path.open("rb") as stream, tempfile.TemporaryDirectory() as folder:
            start, plain = stream.read(4), path
            if start.startswith(b"\x1f\x8b"):
                plain = Path(folder) / path.stem
                with gzip.open(path) as packed, plain.open("wb") as out:
                    shutil.copyfileobj(packed, out)
            yield (ParquetFile if start == b"PAR1" else CsvFile)(plain, path.name)
    except (Refused, pa.ArrowException, UnicodeError, csv.Error, OSError, EOFError) as problem:
        raise PersonFileError(f"{path.name}: {problem}") from problem


class ParquetFile:
    """``header``, and columns as text."""

    encoding = "Parquet"
    short_rows = damaged_lines = 0

    def __init__(self, path: Path, name: str) -> None:
        self.path = path
        self.name = name
        self.names = pq.read_schema(path).names
        self.header = [name.strip() for name in self.names]

    def read(self, places: Sequence[int]) -> dict[int, pa.ChunkedArray]:
        """Columns by place, cleaned."""
        # By name, not place: a nested column would count as several.
        table = pq.ParquetFile(self.path).read(columns=[self.names[place] for place in places])
        return {place: _clean(as_text(table[self.names[place]])) for place in places}


class CsvFile:
    """``header``, and columns as text; any of ``DELIMITERS``, UTF-8, UTF-16, Windows-1252."""

    def __init__(self, path: Path, name: str) -> None:
        self.path = path
        self.name = name
        self.short_rows = 0
        self.encoding, self.damaged_lines = text_encoding(path)
        with self._stream() as stream:
            first = next((line for line in stream if line.strip()), "")
            self.delimiter = max(DELIMITERS, key=re.sub(r'"[^"]*"', "", first).count)
        with self._stream() as stream:
            self.header = [n.strip("\ufeff \t\r\n") for n in next(self._rows(stream), [])]

    def _stream(self):
        errors = "replace" if self.damaged_lines else "strict"
        return self.path.open(encoding=self.encoding, errors=errors, newline="")

    def _rows(self, stream: Any) -> Iterator[list[str]]:
        """The rows that are not blank lines; ``line`` is the last one's number."""
        # Some files separate by a comma and a space; the space must not hide a quote.
        reader = csv.reader(stream, delimiter=self.delimiter, skipinitialspace=True, strict=True)
        try:
            for row in reader:
                self.line = reader.line_num
                if row:
                    yield row
        except csv.Error as problem:
            raise PersonFileError(f"{self.name}, line {reader.line_num}: {problem}") from problem

    def read(self, places: Sequence[int]) -> dict[int, pa.ChunkedArray]:
        """Columns by place, cleaned."""
        with self._stream() as stream:
            batches = list(self._batches(self._rows(stream), places))
        schema = pa.schema([(str(place), pa.string()) for place in places])
        table = pa.Table.from_batches(batches, schema)
        return {place: _clean(table[str(place)]) for place in places}

    def _batches(
        self, rows: Iterator[list[str]], places: Sequence[int]
    ) -> Iterator[pa.RecordBatch]:
        columns: list[list[str]] = [[] for _ in places]

        def batch() -> pa.RecordBatch:
            arrays = [pa.array(column, pa.string()) for column in columns]
            return pa.RecordBatch.from_arrays(arrays, names=[str(place) for place in places])

        width = len(next(rows))
        for row in rows:
            if any(field.strip() for field in row[width:]):
                raise PersonFileError(
                    f"{self.name}, line {self.line}: {len(row)} fields, not {width}"
                )
            if len(row) < width:
                self.short_rows += 1
                row += [""] * (width - len(row))
            for column, place in zip(columns, places, strict=True):
                column.append(row[place])
            if len(columns[0]) == CHUNK_ROWS:
                yield batch()
                columns = [[] for _ in places]
        yield batch()


def text_encoding(path: Path) -> tuple[str, int]:
    """Python's name of a text file's encoding, and how many lines are not in it. Raises
    ``Refused`` for an empty file."""
    try:
        encoding, _ = detect_encoding(path, "utf-8")
    except Refused:
        if not path.stat().st_size:
            raise
        return "windows-1252", 0
    if encoding != "utf-8-sig":
        return encoding, 0
    with path.open("rb") as stream:
        lines = [line for line in stream if not line.isascii()]
    utf_8, western = (sum(not _is_in(line, each) for line in lines) for each in
                      ("utf-8", "windows-1252"))  # fmt: skip
    # A UTF-8 file with some damage has more letters that are right.
    return (encoding, utf_8) if utf_8 <= len(lines) / 2 else ("windows-1252", western)


def _is_in(line: bytes, encoding: str) -> bool:
    try:
        line.decode(encoding)
    except UnicodeDecodeError:
        return False
    return True


def _clean(column: pa.ChunkedArray) -> pa.ChunkedArray:
    trimmed = pc.utf8_trim_whitespace(column)
    return pc.if_else(pc.equal(trimmed, ""), pa.scalar(None, pa.string()), trimmed)
