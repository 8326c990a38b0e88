"""The corpus of nasty person records: strangers stay apart, one person is one customer."""

from __future__ import annotations

import csv
import re
import subprocess
import sys
from collections import Counter
from itertools import combinations
from pathlib import Path

import pytest

from .graph_project import partition
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


@pytest.fixture(scope="module")
def collapse(project: IdentityProject) -> tuple[list[dict[str, str]], dict[str, str]]:
    """The rows whose shared and placeholder values collapse a naive join, and their customers."""
    rows = read("collapse.csv")
    found = project.resolve([{**row, "record_key": record_key(row)} for row in rows])
    return rows, {row["record_id"]: found[record_key(row)] for row in rows}


def test_collapse(collapse, tmp_path: Path) -> None:
    _, persons = collapse
    score("collapse", persons, "record_id", tmp_path)


def test_households(project: IdentityProject, collapse) -> None:
    """People of a household share its mailbox or telephone and a last name. Its id is the truth's
    before the underscore; everybody else lives alone."""
    rows, persons = collapse
    households = dict(
        project.query("select customer_id, household_id from identity.customer_households")
    )
    lives_in = {
        persons[row["record_id"]]: row["true_person_id"].split("_")[0]
        for row in rows
        if row["true_person_id"].startswith("TH")
    }
    together = {
        pair for pair in combinations(sorted(lives_in), 2) if len({lives_in[c] for c in pair}) == 1
    }
    found = {pair for pair in together if len({households[c] for c in pair}) == 1}
    assert len(set(lives_in.values())) == 150
    assert len(found) / len(together) >= 0.95
    sizes = Counter(households.values())
    strangers = [c for c in households if c not in lives_in and sizes[households[c]] > 1]
    print(f"households: recall {len(found) / len(together):.4f}, {len(strangers)} strangers in one")
    assert len(strangers) / len(lives_in) < 0.05


def test_collapse_with_likeness(project: IdentityProject, collapse, tmp_path: Path) -> None:
    """Records that are only alike are found too, and still nobody is joined with a stranger."""
    rows, proven = collapse
    project.forget()
    project.load([{**row, "record_key": record_key(row)} for row in rows])
    project.run({"identity_fuzzy": True})
    found = project.customers()
    persons = {row["record_id"]: found[record_key(row)] for row in rows}
    told = score("collapse", persons, "record_id", tmp_path)
    figures = dict(re.findall(r"'(\w+)': ([0-9.]+)", told))
    assert float(figures["precision"]) >= 0.999
    assert float(figures["recall"]) >= 0.9
    assert int(figures["most_persons_in_one"]) <= 2
    assert len(set(persons.values())) < len(set(proven.values()))


def test_shared_values_give_themselves_away(project: IdentityProject, collapse, tmp_path) -> None:
    """Without the list of junk: nobody has listed the store's telephone before it is there."""
    rows, _ = collapse
    project.query("delete from seeds.junk_identifiers")
    found = project.resolve([{**row, "record_key": record_key(row)} for row in rows])
    truth = {record_key(row): row["true_person_id"] for row in rows}
    pairs = [pair for members in partition(found) for pair in combinations(sorted(members), 2)]
    right = sum(truth[one] == truth[other] for one, other in pairs)
    assert len(pairs) > 1000
    assert right / len(pairs) >= 0.99
