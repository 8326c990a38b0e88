"""Landing as a whole: once, whole files, accounted for, replayable."""

import logging
import random
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path

import pytest

from orchestration.landing import Verdict, land
from orchestration.warehouse import Warehouse, WarehouseError
from tests.fixtures.landing_project import ROOT, LandingProject

HEADER = "id,email,amount,loaded_at\n"


def day(number: int) -> str:
    return f"2025-01-{number:02d}T08:00:00Z"


def moment(number: int) -> datetime:
    return datetime(2025, 1, number, tzinfo=UTC)


def content(*days: int, start: int = 1) -> str:
    rows = (f"{start + n},p{start + n}@example.fr,1.5,{day(d)}\n" for n, d in enumerate(days))
    return HEADER + "".join(rows)


def landed(project: LandingProject) -> list[dict]:
    return project.fetch("select id, email, amount, loaded_at from raw_feed.rows order by id")


def test_a_table_may_be_a_file_or_a_folder_of_files(project: LandingProject) -> None:
    at = datetime(2025, 1, 1, 8, tzinfo=UTC).replace(tzinfo=None)
    project.put("feed/rows/a.csv", content(1, 2))
    project.put("feed/rows/b.csv", content(3, start=3))
    report = project.land(run_id="r1")
    assert [file.verdict for file in report.files] == [Verdict.LOADED] * 2
    assert report.by_table() == {("feed", "rows"): (3, 3, 0)}
    assert [row["id"] for row in landed(project)] == [1, 2, 3]
    assert landed(project)[0]["loaded_at"] == at
    assert project.fetch("select distinct run_id from state.landings") == [{"run_id": "r1"}]


def test_the_order_of_files_and_their_copies_change_nothing(tmp_path_factory, monkeypatch) -> None:
    results = []
    files = [content(n, n + 1, start=10 * n) for n in range(1, 6)]
    for seed in range(3):
        path = tmp_path_factory.mktemp("order")
        monkeypatch.setenv("CDP_DUCKDB_PATH", str(path / "cdp.duckdb"))
        project = LandingProject.make(path)
        project.declare("feed", rows={"id": "bigint", "email": "string", "amount": "string"})
        shuffled = random.Random(seed).sample(files * 2, len(files) * 2)
        for n, file in enumerate(shuffled):
            project.put(f"feed/rows/{n}.csv", file)
            if n % 3 == seed:
                project.land()
        project.land()
        results.append(landed(project))
    assert results[0] == results[1] == results[2]
    assert len(results[0]) == 10


def test_rows_that_repeat_stay(duckdb: LandingProject) -> None:
    row = f"1,a@example.fr,1.5,{day(1)}\n"
    file = duckdb.land_one("feed/rows.csv", HEADER + row * 3)
    assert (file.rows_loaded, file.rows_deduplicated) == (3, 0)


def test_what_nobody_declared_is_told(duckdb: LandingProject) -> None:
    duckdb.put("feed/rows.csv", content(1))
    for name in ["feed/extra.csv", "other/rows.csv", "loose.csv", "feed/rows.xlsx", "feed/.keep"]:
        duckdb.put(name, "x")
    report = duckdb.land()
    assert len(report.files) == 1
    assert [item.file_name for item in report.unknown] == [
        "feed/extra.csv",
        "feed/rows.xlsx",
        "loose.csv",
        "other/",
    ]
    assert report.as_table().row_count == 5
    with pytest.raises(ValueError, match="nobody"):
        duckdb.land(sources=["nobody"])


def test_sources_can_be_chosen(duckdb: LandingProject) -> None:
    duckdb.declare("other", things={"id": "string"})
    duckdb.put("feed/rows.csv", content(1))
    duckdb.put("other/things.csv", "id\n1\n")
    assert [file.source_name for file in duckdb.land(sources=["other"]).files] == ["other"]


def test_a_file_without_loaded_at_gets_the_landings(project: LandingProject) -> None:
    at = datetime(2025, 3, 1, 12, tzinfo=UTC)
    project.land_one("feed/rows.csv", "id,email,amount\n1,,\n", landed_at=at)
    [row] = landed(project)
    assert row == {"id": 1, "email": None, "amount": None, "loaded_at": at.replace(tzinfo=None)}


def test_windows_add_up_to_the_whole(project: LandingProject) -> None:
    rows = content(1, 2, 3, 4, 5) + "x,bad,1.5,2025-01-02T08:00:00Z\n9,no time,1.5,\nragged\n"
    project.put("feed/rows.csv", rows + "6,at midnight,1.5,2025-01-02T00:00:00Z\n")
    taken = []
    for begin, end in [(None, 2), (2, 4), (2, 4), (3, 6), (None, None), (1, 3)]:
        report = project.land(
            loaded_at_from=begin and moment(begin), loaded_at_until=end and moment(end)
        )
        [file] = report.files
        counts = (file.rows_loaded, file.rows_quarantined, file.rows_deduplicated)
        assert file.rows_read == sum(counts)
        taken.append(counts)
    # Rows that are in no window, the one without a time and the ragged one, come with the first.
    known = (0, 0, 0)
    assert taken == [(1, 2, 0), (3, 1, 0), known, (2, 0, 1), (0, 0, 7), known]
    assert [row["id"] for row in landed(project)] == [1, 2, 3, 4, 5, 6]
    assert project.count("state.landing_rejections") == 3
    assert project.count("state.landings") == 4  # (2, 4) again and (1, 3) were known


def test_too_many_bad_rows_refuse_the_file(duckdb: LandingProject) -> None:
    def bad(count: int) -> str:
        return HEADER + "".join(f"{'x' if n < count else n},a,1.5,{day(1)}\n" for n in range(100))

    assert duckdb.land_one("feed/rows/a.csv", bad(30)).verdict == "partly_quarantined"
    refused = duckdb.land_one("feed/rows/b.csv", bad(31))
    assert refused.verdict == "refused"
    assert refused.reason == "31 of 100 rows are bad: id: not a bigint (31)"
    assert duckdb.land(quarantine_limit=0.5).files[1].rows_loaded == 69
    assert duckdb.count("raw_feed.rows") == 70 + 69


def test_a_refused_file_lands_after_its_repair(duckdb: LandingProject) -> None:
    assert duckdb.land_one("feed/rows.csv", "id,email\n1,a\n").verdict == "refused"
    file = duckdb.land_one("feed/rows.csv", content(1))
    assert file.verdict == Verdict.LOADED
    file = duckdb.land_one("feed/rows.csv", content(1, 2))
    assert file.verdict == Verdict.LOADED_WITH_WARNINGS
    assert "other content" in file.reason


def test_a_column_declared_later_is_added(project: LandingProject) -> None:
    project.land_one("feed/rows/a.csv", content(1))
    project.declare("feed", rows={"id": "bigint!", "email": "string", "tier": "string"})
    project.land_one("feed/rows/b.csv", "tier,id,email\ngold,7,x\n")
    rows = project.fetch("select id, tier from raw_feed.rows order by id")
    assert rows == [{"id": 1, "tier": None}, {"id": 7, "tier": "gold"}]


@pytest.mark.parametrize("table", ["landings", "landing_rejections"])
def test_a_failure_half_way_leaves_nothing_of_the_file(
    project: LandingProject, monkeypatch: pytest.MonkeyPatch, table: str
) -> None:
    project.put("feed/rows/a.csv", content(1))
    project.land()
    project.put("feed/rows/b.csv", content(2, 3, 4, start=2) + f"x,bad,1.5,{day(1)}\n")
    load = Warehouse.load

    def fail(self, relation, batches, mode="append"):
        if relation.identifier == table:
            raise WarehouseError("the lights went out")
        return load(self, relation, batches, mode)

    with monkeypatch.context() as patch:
        patch.setattr(Warehouse, "load", fail)
        with pytest.raises(WarehouseError):
            project.land()
    assert [row["id"] for row in landed(project)] == [1]
    assert project.count("state.landings") == 1
    assert project.count("state.landing_rejections") == 0
    project.land()
    assert [row["id"] for row in landed(project)] == [1, 2, 3, 4]


LAND_AND_DIE = """
import os, sys
from pathlib import Path
from orchestration.landing import land
from orchestration.landing.ledger import Ledger
Ledger.record = lambda *_: os._exit(9)  # all rows are written, the commit is not
project = Path(sys.argv[1])
land(project / "raw", sys.argv[2], project_dir=project)
"""


def test_a_killed_landing_leaves_nothing_of_the_file(project: LandingProject) -> None:
    project.put("feed/rows.csv", content(*range(1, 29)))
    command = [sys.executable, "-c", LAND_AND_DIE, str(project.path), project.target]
    assert subprocess.run(command, cwd=ROOT, timeout=120).returncode == 9
    with project.open() as warehouse:
        assert warehouse.fetch("select * from raw_feed.rows") == []
        assert warehouse.fetch("select * from state.landings") == []
    assert project.land().total("rows_loaded") == 28


CANARY = "canary-7f3a@example.fr"


def test_values_stay_out_of_reports_errors_and_logs(
    project: LandingProject, caplog: pytest.LogCaptureFixture, capfd: pytest.CaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    project.declare(
        "feed", rows={"id": "bigint!", "born": "date", "at": "timestamp", "n": "string"}
    )
    good = "".join(f"{n},2020-01-01,{day(1)},x\n" for n in range(20))
    bad = f'{CANARY},,,\n1,{CANARY},,\n1,,{CANARY},\n{CANARY}\n1,,,{CANARY}\x00\n1,,,"{CANARY}\n'
    report = project.land(), project.land_one("feed/rows.csv", "id,born,at,n\n" + good + bad)
    told = repr(report) + caplog.text + "".join(capfd.readouterr())
    assert report[1].rows_quarantined == 6
    assert CANARY not in told
    assert CANARY not in repr(project.fetch("select * from state.landings"))
    kept = project.fetch("select raw_text from state.landing_rejections")
    assert sum(CANARY in row["raw_text"] for row in kept) == 6
    assert CANARY not in repr(project.fetch("select reason from state.landing_rejections"))


def test_no_folder_and_odd_declarations(duckdb: LandingProject) -> None:
    from orchestration.landing import DeclarationError

    with pytest.raises(FileNotFoundError):
        land(Path("/nowhere/at/all"), project_dir=duckdb.path)
    duckdb.declare("feed", rows={'id"; drop table x; --': "string"})
    with pytest.raises(DeclarationError):
        duckdb.land()
    duckdb.declare("feed", rows={"id": "varchar(3)"})
    with pytest.raises(DeclarationError):
        duckdb.land()
