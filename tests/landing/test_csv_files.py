"""CSV files: nothing is lost, nothing is guessed."""

import csv
import io
import os
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from orchestration.landing import Refused
from orchestration.landing.csv_file import CsvFile
from orchestration.landing.declared import Column, Table
from tests.fixtures.landing_project import LandingProject

SHARED = Path(os.environ.get("CDP_SHARED_DIR", Path(__file__).resolve().parents[3] / "shared"))
TABLE = Table("feed", "rows", "raw_feed", (Column("id", "string"), Column("note", "string")))
HEADER = "id,note\n"


def read(path: Path) -> tuple[list[list[str | None]], list[tuple[int, str, str]]]:
    """Rows, and (line, reason, text) of what is none."""
    rows, rejected = [], []
    for chunk in CsvFile(path, TABLE).chunks():
        rows += [list(row.values()) for row in chunk.batch.to_pylist()]
        rejected += [(r.line_number, r.reason, r.raw_text) for r in chunk.rejected]
    return rows, rejected


def test_quotes_newlines_and_delimiters_within_fields(tmp_path: Path) -> None:
    path = tmp_path / "rows.csv"
    path.write_text(HEADER + '1,"a\nb"\r\n2,"c, ""d"""\n\n3,O"Brien\n', newline="")
    rows, rejected = read(path)
    assert rows == [["1", "a\nb"], ["2", 'c, "d"'], ["3", 'O"Brien']]
    assert not rejected


def test_an_unclosed_quote_costs_its_line_only(tmp_path: Path) -> None:
    path = tmp_path / "rows.csv"
    good = [f"{n},x{n}\n" for n in range(1000)]
    path.write_text(HEADER + "".join(good[:500]) + 'bad,"open\n' + "".join(good[500:]))
    rows, rejected = read(path)
    assert len(rows) == 1000
    assert [(line, text) for line, _, text in rejected] == [(502, 'bad,"open\n')]


def test_a_quote_that_meets_a_later_one_loses_no_row(tmp_path: Path) -> None:
    path = tmp_path / "rows.csv"
    path.write_text(HEADER + '1,"open\n2,two\n3,"three"\n')
    rows, rejected = read(path)
    assert rows == [["2", "two"], ["3", "three"]]
    assert [line for line, _, _ in rejected] == [2]


def test_damaged_bytes_cost_their_rows_and_are_kept(tmp_path: Path) -> None:
    path = tmp_path / "rows.csv"
    path.write_bytes(b"id,note\n1,\xc3\xa9t\xc3\xa9\n2,a\xff\xfeb\n3,\xe9\n4,a\x00b\n")
    rows, rejected = read(path)
    assert rows == [["1", "été"]]
    assert [text for _, _, text in rejected] == ["2,a\\xff\\xfeb\n", "3,\\xe9\n", "4,a\\x00b\n"]


def test_a_file_without_a_header_does_not_tell_its_first_row(tmp_path: Path) -> None:
    path = tmp_path / "rows.csv"
    path.write_text("1,canary@example.fr\n2,b\n")
    with pytest.raises(Refused) as refusal:
        CsvFile(path, TABLE)
    assert "canary" not in str(refusal.value)
    path.write_text("id,canary@example.fr\n")
    with pytest.raises(Refused) as refusal:
        CsvFile(path, TABLE)
    assert "canary" not in str(refusal.value)


def test_a_large_field_is_a_field(tmp_path: Path) -> None:
    path = tmp_path / "rows.csv"
    path.write_text(HEADER + f'1,"{"x" * 500_000}"\n')
    rows, rejected = read(path)
    assert len(rows[0][1]) == 500_000
    assert not rejected


# Newlines, commas and quotes twice, to have more of them.
lines = st.text(st.sampled_from('ab,,;""\n\n\r\té\x00\udcff'), max_size=80)


@settings(max_examples=400, deadline=None)
@given(body=lines)
def test_every_character_of_a_file_is_accounted_for(
    tmp_path_factory: pytest.TempPathFactory, body: str
) -> None:
    path = tmp_path_factory.getbasetemp() / "property.csv"
    path.write_bytes((HEADER + body).encode("utf-8", "surrogateescape"))
    try:
        file = CsvFile(path, TABLE)
    except Refused:
        return
    texts = []
    for _, row, text, reason in file._records():
        texts.append(text)
        assert reason or len(row) == 2
    stream = io.StringIO(body, newline="")
    whole = "".join(line for line in stream if line.strip("\r\n"))
    blank = str.maketrans("", "", "\r\n")
    assert "".join(texts).translate(blank) == whole.translate(blank)


@pytest.mark.parametrize("name", ["customers", "orders", "events", "consents"])
def test_hostile_text_lands_as_it_is(duckdb: LandingProject, name: str) -> None:
    path = SHARED / f"data/adversarial/{name}.csv"
    if not path.exists():
        pytest.skip(f"no adversarial rows at {path} (set CDP_SHARED_DIR)")
    with path.open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    columns = [column for column in rows[0] if column != "loaded_at"]
    duckdb.declare("feed", rows=dict.fromkeys(columns, "string"))
    file = duckdb.land_one("feed/rows.csv", path.read_bytes())
    assert (file.rows_read, file.rows_loaded) == (len(rows), len(rows))
    landed = duckdb.fetch("select * from raw_feed.rows")

    def content(row: dict) -> tuple:
        return tuple(row[column] or None for column in columns)

    key = columns.index("case_id")
    assert sorted(map(content, landed), key=lambda row: row[key]) == sorted(
        map(content, rows), key=lambda row: row[key]
    )
