"""Files of changes: what is in them, what they are called."""

import csv
import gzip
import io
import re
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest
from hypothesis import given
from hypothesis import strategies as st

from orchestration.destinations import destination_class
from orchestration.destinations._file_drop import FileDrop, csv_line, safe_cell
from orchestration.destinations.base import Outcome
from orchestration.warehouse import ROOT
from tests.destinations.file_rows import COLUMNS, gone, row, spec

OWN = ["cdp_operation", "cdp_idempotency_key", "cdp_version"]


class Shelf(FileDrop):
    """A folder in memory."""

    name = "files"

    def __init__(self, *arguments: Any) -> None:
        super().__init__(*arguments)
        self.files: dict[str, bytes] = {}

    @classmethod
    def from_environment(cls, spec):
        return cls(spec)

    def put(self, name: str, content: bytes) -> None:
        self.files[name] = content


def shelf(mode: str = "mirror", on_leave: dict[str, str] | None = None, **options: str) -> Shelf:
    declared = spec(options, mode, on_leave=on_leave or {})
    Shelf.check(declared)
    return Shelf(declared)


def lines(content: bytes) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(content.decode(), newline="")))


def test_spreadsheets_run_no_cell_of_the_file(shared_dir: Path) -> None:
    path = shared_dir / "data" / "adversarial" / "export_cells.csv"
    with path.open(encoding="utf-8", newline="") as file:
        cases = list(csv.DictReader(file))
    assert len(cases) == 11
    for case in cases:
        # The file adds explanations after the cell it wants.
        wanted = re.split(r" \(| in text", case["safe_cell"])[0]
        assert safe_cell(case["raw"]) == wanted, case["case_id"]
        [cells] = csv.reader(io.StringIO(csv_line([case["raw"]]), newline=""))
        assert cells == [wanted]


def test_cells_may_be_raw_where_no_spreadsheet_opens_the_file() -> None:
    drop = shelf(cells="raw")
    drop.upsert([row("a", name="+1")])
    [content] = drop.files.values()
    assert lines(content)[0]["name"] == "+1"


def test_a_batch_is_a_file_with_operations_and_keys() -> None:
    drop = shelf(prefix="in/cdp")
    outcomes = drop.upsert([row("a"), row("b", version=4, name=None, email="")])
    assert outcomes == [Outcome.delivered("a"), Outcome.delivered("b")]
    [(name, content)] = drop.files.items()
    assert name.startswith("in/cdp/sync_files__customers/upsert-")
    assert name.endswith(".csv")
    first, second = lines(content)
    assert list(first) == OWN + COLUMNS
    assert (first["cdp_operation"], first["name"], first["cdp_version"]) == ("upsert", "Ana", "0")
    assert second["cdp_version"] == "4"
    assert first["cdp_idempotency_key"] == row("a").idempotency_key(drop._spec)
    # Null is nothing, empty is a text.
    assert content.decode().splitlines()[2].endswith('"b","",')


def test_removals_say_which_and_hold_no_values() -> None:
    drop = shelf()
    drop.remove([gone("a"), gone("b", "erasure")])
    [(name, content)] = drop.files.items()
    assert "/remove-" in name
    first, second = lines(content)
    assert [first["cdp_operation"], second["cdp_operation"]] == ["remove", "erase"]
    assert (first["customer_id"], first["email"], first["name"]) == ("a", "", "")


def test_who_leaves_is_written_what_was_declared() -> None:
    drop = shelf("audience", on_leave={"name": "nobody"})
    drop.remove([gone("a", "consent")])
    [content] = drop.files.values()
    assert lines(content)[0]["name"] == "nobody"


@pytest.mark.parametrize("options", [{}, {"format": "parquet"}, {"compression": "gzip"}])
def test_the_same_rows_are_the_same_file_and_others_another(options: dict[str, str]) -> None:
    drop = shelf(**options)
    drop.upsert([row("a"), row("b")])
    [content] = drop.files.values()
    drop.upsert([row("a"), row("b")])
    assert list(drop.files.values()) == [content]
    drop.upsert([row("a"), row("b", version=1)])
    assert len(drop.files) == 2, "delivered in between: a change back is a change"
    drop.remove([gone("a")])
    assert len(drop.files) == 3


def test_parquet_holds_values_as_they_are() -> None:
    drop = shelf(format="parquet", compression="zstd")
    drop.upsert([row("a", name="=1"), row("b", name=None)])
    [(name, content)] = drop.files.items()
    assert name.endswith(".parquet")
    table = pq.read_table(io.BytesIO(content))
    assert table.column_names == OWN + COLUMNS
    assert table["name"].to_pylist() == ["=1", None]


def test_gzip_is_said_by_the_name() -> None:
    drop = shelf(compression="gzip")
    drop.upsert([row("a")])
    [(name, content)] = drop.files.items()
    assert name.endswith(".csv.gz")
    assert lines(gzip.decompress(content))[0]["customer_id"] == "a"


def test_events_are_repeatable_where_the_receiver_drops_what_it_knows() -> None:
    drop = shelf("append", dedupes="true")
    drop.upsert([row("a")])
    drop.upsert([replace(row("a", name="Eva", version=4), row_hash="other"), row("b")])
    keys = [[line[OWN[1]] for line in lines(content)] for content in drop.files.values()]
    assert keys[0] == keys[1][:1], "the receiver has seen it, whatever it says by now"
    assert len({*keys[0], *keys[1]}) == 2
    assert not shelf("append").appends_are_repeatable
    assert shelf("append", dedupes="true").appends_are_repeatable


def test_half_a_character_is_refused_by_itself() -> None:
    drop = shelf()
    outcomes = drop.upsert([row("a"), row("b", name="\ud83c")])
    assert outcomes == [Outcome.delivered("a"), Outcome.rejected("b", "NOT_UNICODE")]
    [content] = drop.files.values()
    assert [line["customer_id"] for line in lines(content)] == ["a"]


CELLS = st.one_of(
    st.none(), st.text(), st.sampled_from(['"', "\r\n", "a,b", "\x00", "x" * 10_000, "🎉"])
)


@given(cells=st.lists(st.tuples(CELLS, CELLS), min_size=1, max_size=5))
def test_any_text_comes_back_and_weighs_no_less_than_its_bytes(cells) -> None:
    drop = shelf()
    rows = [row(f"k{n}", email=email, name=name) for n, (email, name) in enumerate(cells)]
    drop.upsert(rows)
    [content] = drop.files.values()
    for line, (email, name) in zip(lines(content), cells, strict=True):
        assert line["email"] == safe_cell(email or "")
        assert line["name"] == safe_cell(name or "")
    assert len(content) <= sum(map(drop.weight, rows)) + 100, "a line of names"


@pytest.mark.parametrize(
    ("options", "word"),
    [
        ({"prefix": "../other"}, "prefix"),
        ({"prefix": "/etc"}, "prefix"),
        ({"prefix": "a//b"}, "prefix"),
        ({"prefix": "a/.ssh"}, "prefix"),
        ({"format": "xlsx"}, "format"),
        ({"compression": "snappy"}, "compression"),
        ({"file_rows": "0"}, "file_rows"),
        ({"secret": "x"}, "secret"),
    ],
)
def test_a_declaration_with_a_mistake_is_refused(options: dict[str, str], word: str) -> None:
    with pytest.raises(ValueError, match=word):
        Shelf.check(spec(options))


@pytest.mark.parametrize("name", ["http", "postgres", "s3", "sftp"])
def test_destinations_are_found_by_name_without_their_clients(name: str) -> None:
    assert destination_class(name).name == name
    wanted = f"import sys; import orchestration.destinations.{name};"
    code = f"{wanted} assert not {{'boto3', 'botocore', 'paramiko'}} & set(sys.modules)"
    subprocess.run([sys.executable, "-c", code], check=True, cwd=ROOT)


def test_columns_of_our_own_are_not_the_models() -> None:
    with pytest.raises(ValueError, match="cdp_version"):
        Shelf.check(spec({}, columns=["customer_id", "cdp_version"]))
    with pytest.raises(ValueError, match="mode 'archive'"):
        Shelf.check(spec({}, "archive"))
