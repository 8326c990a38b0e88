"""CSV files, guarded before an engine sees them.

An engine's reader in its automatic mode drops ragged rows, takes a renamed column for the
declared one and swallows lines after a stray quote, all without a word. So records are cut
here, strictly, and every line of the file ends up as a row or as a rejection.
"""

import csv
from collections import deque
from collections.abc import Iterator
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc

from orchestration.landing.chunks import CHUNK_ROWS, Chunk, match_columns, printable
from orchestration.landing.declared import LOADED_AT, Table
from orchestration.landing.encodings import detect_encoding
from orchestration.landing.report import Refused, Rejection

DELIMITERS = (",", ";", "\t", "|")
# A record beyond these is a quote that was never closed, not a record.
MAX_RECORD_LINES = 10_000
MAX_RECORD_CHARACTERS = 16 * 1024 * 1024

csv.field_size_limit(MAX_RECORD_CHARACTERS)  # the module's own limit, 128 KiB, cuts JSON


class CsvFile:
    """A CSV file whose header matches. Raises ``Refused`` where it does not."""

    def __init__(self, path: Path, table: Table) -> None:
        self._path = path
        self._table = table
        self._encoding, self.warnings = detect_encoding(path, table.csv.encoding)
        header = self._first_line()
        self._delimiter = table.csv.delimiter or _delimiter(header, table)
        self._header = _names(header, self._delimiter)
        self.warnings += match_columns(self._header, table)
        if not table.csv.delimiter and self._delimiter != ",":
            self.warnings.append(f"delimiter is {_spelled(self._delimiter)}, not a comma")
        self.has_loaded_at = LOADED_AT in self._header

    def chunks(self) -> Iterator[Chunk]:
        names = [name for name in self._header if self._table.column(name)]
        places = [self._header.index(name) for name in names]
        schema = pa.schema([(name, pa.string()) for name in names])
        rows: list[list[str]] = []
        lines: list[int] = []
        texts: list[str] = []
        rejected: list[Rejection] = []

        def chunk() -> Chunk:
            columns = list(zip(*rows, strict=True)) or [()] * len(self._header)
            arrays = [_null_if_empty(pa.array(columns[place], pa.string())) for place in places]
            batch = pa.RecordBatch.from_arrays(arrays, schema=schema)
            return Chunk(batch, lines, texts, rejected)

        for line, row, text, reason in self._records():
            if reason:
                rejected.append(Rejection(line, reason, printable(text)))
            else:
                rows.append(row)
                lines.append(line)
                texts.append(text)
            if len(rows) + len(rejected) == CHUNK_ROWS:
                yield chunk()
                rows, lines, texts, rejected = [], [], [], []
        yield chunk()

    def _records(self) -> Iterator[tuple[int, list[str], str, str | None]]:
        """First line, fields, text as read, and why it is no row (None: it is one)."""
        with self._open() as stream:
            lines = _Lines(stream)
            reader = csv.reader(lines, delimiter=self._delimiter, strict=True)
            next(reader)  # the header
            while True:
                start = lines.begin()
                try:
                    row = next(reader)
                except StopIteration:
                    break
                except (csv.Error, _RecordTooLong):
                    # Only this line is lost: the next one may be a record again.
                    text = lines.keep_first()
                    yield start, [], text, "quote that is not closed, or text after one"
                    continue
                except UnicodeDecodeError:
                    raise Refused(f"line {lines.number + 1}: not {self._encoding}") from None
                if row:  # a blank line is no row
                    text = lines.text()
                    yield start, row, text, self._reason(row, text)
        if lines.ended_without_newline:
            self.warnings.append("no newline at the end: the file may be cut off")
        if lines.number == 1:
            self.warnings.append("a header and no rows")

    def _reason(self, row: list[str], text: str) -> str | None:
        if len(row) != len(self._header):
            cut = "" if text.endswith(("\n", "\r")) else ", cut off"
            return f"{len(row)} fields, not {len(self._header)}{cut}"
        if "\x00" in text:
            return "NUL byte"
        if not text.isascii() and not _is_unicode(text):
            return f"bytes that are not {self._encoding.removesuffix('-sig').upper()}"
        if row[0].strip() == self._header[0] and [f.strip() for f in row] == self._header:
            return "the header once more"
        return None

    def _first_line(self) -> str:
        try:
            with self._open() as stream:
                header = stream.readline(MAX_RECORD_CHARACTERS)
        except UnicodeError:
            raise Refused(f"not {self._encoding}") from None
        if not header.strip():
            raise Refused("empty file" if not header else "no header: the first line is blank")
        return header

    def _open(self):
        errors = "surrogateescape" if self._encoding.startswith("utf-8") else "strict"
        return self._path.open(encoding=self._encoding, errors=errors, newline="")


class _RecordTooLong(Exception):
    pass


class _Lines:
    """The physical lines of a file for ``csv.reader``. Knows which ones the record at hand
    is made of, and can give them back."""

    def __init__(self, stream: Iterator[str]) -> None:
        self._stream = stream
        self._returned: deque[str] = deque()
        self._taken: list[str] = []
        self._characters = 0
        self.number = 0
        self.ended_without_newline = False

    def __iter__(self) -> "_Lines":
        return self

    def __next__(self) -> str:
        if self._returned:
            line = self._returned.popleft()
        else:
            line = next(self._stream)
            self.ended_without_newline = not line.endswith(("\n", "\r"))
        self.number += 1
        self._taken.append(line)
        self._characters += len(line)
        if len(self._taken) > MAX_RECORD_LINES or self._characters > MAX_RECORD_CHARACTERS:
            raise _RecordTooLong
        return line

    def begin(self) -> int:
        """Begin a record; its line number."""
        self._taken = []
        self._characters = 0
        return self.number + 1

    def text(self) -> str:
        return "".join(self._taken)

    def keep_first(self) -> str:
        """Give all but the record's first line back, and return that."""
        first, *others = self._taken
        self._returned.extendleft(reversed(others))
        self.number -= len(others)
        return first


def _delimiter(header: str, table: Table) -> str:
    """The one that makes most declared names out of the header."""

    def matches(delimiter: str) -> int:
        return sum(table.column(name) is not None for name in _names(header, delimiter))

    return max(DELIMITERS, key=matches)


def _names(header: str, delimiter: str) -> list[str]:
    try:
        [names] = csv.reader([header], delimiter=delimiter, strict=True)
    except (csv.Error, ValueError):
        return []
    return [name.strip() for name in names]


def _null_if_empty(array: pa.StringArray) -> pa.StringArray:
    return pc.if_else(pc.equal(array, ""), None, array)


def _is_unicode(text: str) -> bool:
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True


def _spelled(delimiter: str) -> str:
    return {"\t": "a tab", ";": "a semicolon", "|": "a bar"}[delimiter]
