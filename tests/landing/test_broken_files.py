"""Every broken file gets the one verdict that loses nothing."""

import os
import shutil
from pathlib import Path

import pytest

from orchestration.landing import Verdict
from tests.fixtures.landing_project import LandingProject

SHARED = Path(os.environ.get("CDP_SHARED_DIR", Path(__file__).resolve().parents[3] / "shared"))
FOLDER = SHARED / "data/adversarial/broken_files"

# file: verdict, rows loaded, rows quarantined, what the reason names
EXPECTED = {
    "bom_crlf": ("loaded", 1, 0, ""),
    "dup_header": ("refused", 0, 0, "twice: email"),
    "empty": ("refused", 0, 0, "empty"),
    "extra_column": ("loaded_with_warnings", 1, 0, "new_col"),
    "header_only": ("loaded_with_warnings", 0, 0, "no rows"),
    "header_twice": ("partly_quarantined", 2, 1, "header once more"),
    "invalid_utf8": ("refused", 0, 0, "not UTF-8"),
    "latin1": ("refused", 0, 0, "Windows-1252"),
    "missing_column": ("refused", 0, 0, "missing: amount"),
    "nul_byte": ("refused", 0, 0, "NUL"),
    "ragged": ("partly_quarantined", 1, 2, "2 fields, not 3"),
    "renamed_column": ("refused", 0, 0, "missing: email; not declared: e_mail"),
    "reordered": ("loaded", 1, 0, ""),
    "semicolon_fr": ("refused", 0, 0, "amount: not a decimal(18,2)"),
    "truncated_last_line": ("partly_quarantined", 1, 1, "cut off"),
    "type_change": ("refused", 0, 0, "id: not a bigint"),
    "unclosed_quote": ("partly_quarantined", 1, 1, "not closed"),
    "utf16": ("loaded_with_warnings", 1, 0, "UTF-16"),
}


@pytest.fixture
def broken(project: LandingProject) -> LandingProject:
    if not FOLDER.exists():
        pytest.skip(f"no broken files at {FOLDER} (set CDP_SHARED_DIR)")
    columns = {"id": "bigint!", "email": "string", "amount": "decimal(18,2)"}
    names = sorted(path.stem for path in FOLDER.glob("*.csv"))
    project.declare("feed", **dict.fromkeys(names, columns))
    (project.path / "raw/feed").mkdir()
    for path in FOLDER.glob("*.csv"):
        shutil.copyfile(path, project.path / "raw/feed" / path.name)
    return project


def test_each_broken_file_gets_its_verdict(broken: LandingProject) -> None:
    report = broken.land()
    assert {file.table_name for file in report.files} == set(EXPECTED)
    for file in report.files:
        verdict, loaded, quarantined, named = EXPECTED[file.table_name]
        found = (file.verdict.value, file.rows_loaded, file.rows_quarantined)
        assert found == (verdict, loaded, quarantined), file.table_name
        assert named in (file.reason or ""), file.table_name
        assert file.rows_read == file.rows_loaded + file.rows_quarantined
        assert broken.count(f"raw_feed.{file.table_name}") == loaded
    assert broken.count("state.landing_rejections") == report.total("rows_quarantined") == 5
    assert not report.ok


def test_a_second_landing_changes_nothing(broken: LandingProject) -> None:
    broken.land()
    landings = broken.fetch("select * from state.landings order by file_name")
    again = broken.land()
    assert {file.verdict for file in again.files} == {Verdict.REFUSED, Verdict.ALREADY_LANDED}
    assert broken.fetch("select * from state.landings order by file_name") == landings
    assert broken.count("state.landing_rejections") == 5
    assert broken.count("raw_feed.header_twice") == 2


def test_a_french_file_lands_once_its_format_is_declared(broken: LandingProject) -> None:
    columns = {"id": "bigint!", "email": "string", "amount": "decimal(18,2)"}
    broken.declare("feed", semicolon_fr={**columns, "_meta": {"csv": {"decimal": ","}}})
    [file] = [file for file in broken.land().files if file.table_name == "semicolon_fr"]
    assert file.verdict == "loaded_with_warnings"
    [row] = broken.fetch("select cast(amount as varchar) as amount from raw_feed.semicolon_fr")
    assert row["amount"] == "1234.56"


def test_a_latin_file_lands_once_its_encoding_is_declared(broken: LandingProject) -> None:
    columns = {"id": "bigint!", "email": "string", "amount": "decimal(18,2)"}
    broken.declare("feed", latin1={**columns, "_meta": {"csv": {"encoding": "windows-1252"}}})
    broken.land()
    assert broken.fetch("select email from raw_feed.latin1") == [{"email": "élodie@example.fr"}]
