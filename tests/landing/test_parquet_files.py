"""Parquet files: typed columns, damage, and 2 million rows in bounded memory."""

import os
import subprocess
import sys
from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from tests.fixtures.landing_project import ROOT, LandingProject

AT = datetime(2025, 1, 2, 3, 4, 5, 600_000, tzinfo=UTC)


def put(project: LandingProject, columns: dict[str, pa.Array], name: str = "rows") -> Path:
    path = project.put(f"feed/{name}.parquet", b"")
    pq.write_table(pa.table(columns), path)
    return path


def land_columns(project: LandingProject, columns: dict[str, pa.Array], **declared: str):
    project.declare("feed", rows=declared or dict.fromkeys(columns, "string"))
    put(project, columns)
    [file] = project.land(landed_at=AT).files
    return file


def test_typed_columns_become_iso_text(project: LandingProject) -> None:
    columns = {
        "floating_id": pa.array([1.0, 2.5, None]),
        "whole": pa.array([1, 2, None], pa.int32()),
        "money": pa.array([Decimal("1.50"), Decimal("-2.00"), None]),
        "flag": pa.array([True, False, None]),
        "born": pa.array([date(1985, 12, 31), date(1, 1, 1), None]),
        "zoned": pa.array([AT, AT.replace(microsecond=0), None], pa.timestamp("ns", "Asia/Tokyo")),
        "plain": pa.array([AT.replace(tzinfo=None), None, None], pa.timestamp("ms")),
        "words": pa.array(["a", "", None]).dictionary_encode(),
        "binary": pa.array([b"\xc3\xa9", b"x", None], pa.binary()),
        "nothing": pa.nulls(3),
    }
    file = land_columns(project, columns)
    assert file.rows_loaded == 3
    rows = project.fetch("select * from raw_feed.rows order by floating_id nulls last")
    assert [list(row.values())[:-1] for row in rows] == [
        ["1", "1", "1.50", "true", "1985-12-31", "2025-01-02T03:04:05.6Z",
         "2025-01-02T03:04:05.6", "a", "é", None],
        ["2.5", "2", "-2.00", "false", "0001-01-01", "2025-01-02T03:04:05Z", None, "", "x", None],
        [None] * 10,
    ]  # fmt: skip
    assert "floating_id" in file.reason


def test_text_is_cast_to_what_is_declared(project: LandingProject) -> None:
    columns = {
        "id": pa.array(["1", "0x10", "+7", "1_0", "99999999999999999999", None]),
        "money": pa.array(["1.5", "1", "-.25", "1", "1", "0.005"]),
        "seen_at": pa.array(["2024-05-01T12:00:00+02:00", "", "2024-05-01", "", "", ""]),
    }
    file = land_columns(project, columns, id="bigint", money="decimal(18,2)", seen_at="timestamp")
    assert (file.rows_loaded, file.rows_quarantined) == (2, 4)
    rows = project.fetch("select id, money, seen_at from raw_feed.rows order by id")
    ten = datetime(2024, 5, 1, 10, tzinfo=UTC).replace(tzinfo=None)
    assert rows == [
        {"id": 1, "money": Decimal("1.50"), "seen_at": ten},
        {"id": 7, "money": Decimal("-0.25"), "seen_at": ten.replace(hour=0)},
    ]
    rejections = project.fetch(
        "select line_number, reason, raw_text from state.landing_rejections order by 1"
    )
    assert [(row["line_number"], row["reason"]) for row in rejections] == [
        (2, "id: not a bigint"),
        (4, "id: not a bigint"),
        (5, "id: not a bigint"),
        (6, "money: not a decimal(18,2)"),
    ]
    assert rejections[0]["raw_text"] == '{"id": "0x10", "money": "1", "seen_at": ""}'


def test_required_and_unstorable_text_is_quarantined(project: LandingProject) -> None:
    bad = pa.Array.from_buffers(
        pa.string(), 3, pa.array([b"ok", b"\xff", b"a\x00"], pa.binary()).buffers()
    )
    file = land_columns(
        project, {"id": pa.array(["1", "2", "3"]), "note": bad}, id="string!", note="string"
    )
    assert (file.rows_loaded, file.rows_quarantined) == (1, 2)
    project.put("feed/rows.parquet", b"")
    file = land_columns(
        project,
        {"id": pa.array(["1", " ", None]), "note": pa.nulls(3)},
        id="string!",
        note="string",
    )
    assert (file.rows_loaded, file.rows_quarantined) == (1, 2)
    assert "id: required, but empty (2)" in file.reason


@pytest.mark.parametrize(
    ("columns", "named"),
    [
        ({"id": pa.array([1])}, "missing: note"),
        ({"id": pa.array([1]), "noté": pa.array(["x"])}, "missing: note; not declared: noté"),
        ({"id": pa.array([1]), "note": pa.array([{"a": 1}])}, "note: is struct"),
        ({"id": pa.array([[1]]), "note": pa.array(["x"])}, "id: is list"),
        ({"id": pa.array([date(2024, 1, 1)]), "note": pa.array(["x"])}, "id: is date32"),
    ],
)
def test_another_schema_is_refused(duckdb: LandingProject, columns: dict, named: str) -> None:
    file = land_columns(duckdb, columns, id="bigint", note="string")
    assert file.verdict == "refused"
    assert named in file.reason


@pytest.mark.parametrize("damage", ["cut off", "not parquet", "a page is overwritten", "empty"])
def test_a_damaged_file_is_refused_whole(duckdb: LandingProject, damage: str) -> None:
    duckdb.declare("feed", rows={"id": "string"})
    path = put(duckdb, {"id": pa.array([f"id-{n}" for n in range(200_000)])})
    content = bytearray(path.read_bytes())
    if damage == "cut off":
        content = content[:-1000]
    elif damage == "not parquet":
        content = b"id\n1\n"
    elif damage == "empty":
        content = b""
    else:
        content[len(content) // 2 : len(content) // 2 + 4000] = b"\xff" * 4000
    path.write_bytes(content)
    [file] = duckdb.land().files
    assert file.verdict == "refused"
    assert duckdb.count("raw_feed.rows") == 0


def test_a_file_that_grows_while_it_is_read_is_refused(duckdb, monkeypatch) -> None:
    from orchestration.landing import land as module_function
    from orchestration.landing import parquet_file

    assert module_function
    path = put(duckdb, {"id": pa.array([1]), "email": pa.array(["a"]), "amount": pa.array([1])})
    chunks = parquet_file.ParquetFile.chunks

    def slow(self):
        yield from chunks(self)
        path.write_bytes(path.read_bytes() + b"more")

    monkeypatch.setattr(parquet_file.ParquetFile, "chunks", slow)
    [file] = duckdb.land().files
    assert (file.verdict, duckdb.count("raw_feed.rows")) == ("refused", 0)


LAND_AND_MEASURE = """
import resource, sys
from pathlib import Path
from orchestration.landing import land
project = Path(sys.argv[1])
for raw in sys.argv[2:]:
    report = land(project / raw, "duckdb", project_dir=project)
    assert not report.total("rows_quarantined"), report
    print(report.total("rows_loaded"), resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024)
"""


@pytest.mark.slow
def test_memory_does_not_grow_with_the_file(duckdb: LandingProject) -> None:
    """One process lands 100 MB of text, then 500 MB: its peak grows by less than half of the
    400 MB between them."""
    duckdb.declare("feed", rows={"id": "bigint", "note": "string"})
    sizes = {"small": 200_000, "large": 1_000_000}
    schema = pa.schema([("id", pa.int64()), ("note", pa.string())])
    for number, (folder, rows) in enumerate(sizes.items()):
        (duckdb.path / folder / "feed").mkdir(parents=True)
        path = duckdb.path / folder / "feed/rows.parquet"
        with pq.ParquetWriter(path, schema, compression="zstd") as writer:
            for start in range(0, rows, 50_000):
                ids = [10_000_000 * number + row for row in range(start, start + 50_000)]
                notes = pa.array([f"{n:0500d}" for n in ids])
                writer.write_table(pa.table([pa.array(ids), notes], schema=schema))
    done = subprocess.run(
        [sys.executable, "-c", LAND_AND_MEASURE, str(duckdb.path), *sizes],
        cwd=ROOT,
        env={**os.environ, "CDP_MEMORY_LIMIT": "300MB"},
        capture_output=True,
        text=True,
        timeout=300,
    )
    assert done.returncode == 0, done.stderr[-2000:]
    (small, before), (large, after) = [map(int, line.split()) for line in done.stdout.splitlines()]
    assert [small, large] == list(sizes.values())
    assert after - before < 200
