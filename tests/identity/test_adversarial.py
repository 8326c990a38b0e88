"""The corpus of nasty person records: strangers stay apart, one person is one customer."""

from __future__ import annotations

import csv
import subprocess
import sys
from pathlib import Path

import pytest

from .identity_project import SHARED, IdentityProject

CORPUS = SHARED / "data" / "adversarial"
pytestmark = pytest.mark.skipif(
    not CORPUS.exists(), reason="the adversarial corpus is not there (set CDP_SHARED_DIR)"
)


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> IdentityProject:
    return IdentityProject(tmp_path_factory.mktemp("adversarial"))


def read(name: str) -> list[dict[str, str]]:
    with open(CORPUS / name, newline="", encoding="utf-8") as file:
        return [{key: value or None for key, value in row.items()} for row in csv.DictReader(file)]


def record_key(row: dict[str, str]) -> str:
    """Source and id, unambiguous whatever they hold."""
    source = row["source_system"].replace("%", "%25").replace(":", "%3A")
    return f"{source}:{row.get('source_customer_id') or row['record_id']}"


def score(kind: str, found: dict[str, str], column: str, folder: Path) -> str:
    """Output of the corpus' own scorer; fails when it does."""
    path = folder / "resolved.csv"
    with open(path, "w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file)
        writer.writerow([column, "person_id"])
        writer.writerows(found.items())
    command = [sys.executable, str(CORPUS / "score.py"), kind, str(path)]
    outcome = subprocess.run(command, capture_output=True, text=True, check=False)
    print(outcome.stdout)
    assert outcome.returncode == 0, outcome.stdout + outcome.stderr
    return outcome.stdout


def test_customers(project: IdentityProject, tmp_path: Path) -> None:
    rows = read("customers.csv")
    # The newest row of a source key, as the conformed layer keeps it.
    newest = {}
    for row in sorted(rows, key=lambda row: row["updated_at"]):
        newest[record_key(row)] = row
    found = project.resolve([{**row, "record_key": key} for key, row in newest.items()])
    persons = {row["case_id"]: found[record_key(row)] for row in rows}
    assert "assertions 114/114" in score("customers", persons, "case_id", tmp_path)


def test_collapse(project: IdentityProject, tmp_path: Path) -> None:
    rows = read("collapse.csv")
    found = project.resolve([{**row, "record_key": record_key(row)} for row in rows])
    persons = {row["record_id"]: found[record_key(row)] for row in rows}
    score("collapse", persons, "record_id", tmp_path)
