"""The walk of docs/your-own-data.md, followed to the letter in a copy of the project."""

import re
import shutil
from pathlib import Path

import pytest

from orchestration.landing import land
from orchestration.warehouse import Warehouse, compose, dbt
from tests.fixtures.landing_project import ROOT
from tests.fixtures.postgres import own_database

PAGE = ROOT / "docs/your-own-data.md"
_BLOCK = re.compile(r'^```(\w+) title="([^"]+)"\n(.*?)^```$', re.DOTALL | re.MULTILINE)
_PARTS = ["models", "macros", "seeds", "tests/generic", "tests/singular", "snapshots", "analyses"]


def blocks() -> list[tuple[str, str, str]]:
    """Language, file and content of each titled block of the page."""
    return _BLOCK.findall(PAGE.read_text(encoding="utf-8"))


def insert(path: Path, diff: str) -> None:
    """Put a block's one ``+`` line after the line it shows."""
    before, added = diff.splitlines()
    assert before.startswith(" ")
    assert added.startswith("+")
    text = path.read_text(encoding="utf-8")
    assert text.count(f"\n{before[1:]}\n") == 1, f"{before} is not once in {path.name}"
    path.write_text(text.replace(f"\n{before[1:]}\n", f"\n{before[1:]}\n{added[1:]}\n"))


@pytest.fixture
def copy(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The project with the walk's files, and without the raw data of anybody."""
    monkeypatch.setenv("CDP_DUCKDB_PATH", str(tmp_path / "cdp.duckdb"))
    for part in _PARTS:
        if (ROOT / part).exists():
            shutil.copytree(ROOT / part, tmp_path / part)
    for file in ("dbt_project.yml", "profiles.yml"):
        shutil.copy(ROOT / file, tmp_path)
    for language, name, content in blocks():
        path = tmp_path / name
        if language == "diff":
            insert(path, content)
        else:
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(content, encoding="utf-8")
    return tmp_path


def test_the_page_shows_every_file_of_the_walk() -> None:
    assert len(blocks()) == 8


@pytest.mark.slow
@pytest.mark.parametrize("engine", ["duckdb", pytest.param("postgres", marks=pytest.mark.postgres)])
def test_an_eleventh_source_reaches_the_customers(
    copy: Path, engine: str, request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch
) -> None:
    """In a warehouse where nothing was built before, and with the page's own command: a unit test
    that fails there skips all that is downstream, for ever."""
    if engine == "postgres":
        server = own_database(request.getfixturevalue("postgres"), "own_data")
        for name, value in server.items():
            monkeypatch.setenv(name, value)
    report = land(copy / "data/raw", project_dir=copy)
    assert [file.verdict.value for file in report.files] == ["loaded"]
    assert "\ncdp land data/raw\ndbt build\n" in PAGE.read_text(encoding="utf-8")
    outcome = dbt(["build"], project_dir=copy)
    bad = {"error", "fail", "runtime error"}
    failed = {
        result.node.name: result.message for result in outcome.result or [] if result.status in bad
    }
    assert outcome.success, failed or outcome.exception
    with Warehouse.open(project_dir=copy) as warehouse:
        sql = "select record_key, full_name, email, phone, country from {r} order by record_key"
        records = warehouse.fetch(compose(sql, r=warehouse.relation("customer_records")))
        sql = "select email, phone from {r} order by email"
        customers = warehouse.fetch(compose(sql, r=warehouse.relation("customers")))
    assert [record["record_key"] for record in records] == ["marketplace:B-1", "marketplace:B-2"]
    assert customers == [
        {"email": "ann.lee@example.com", "phone": "+442079460018"},
        {"email": "zoe.martin@example.fr", "phone": "+33639980041"},
    ]
