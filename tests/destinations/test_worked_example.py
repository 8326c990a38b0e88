"""`docs/add-a-destination.md` is code that works: its blocks are extracted, its tests are run, and
a sync goes through its module to its fake."""

import importlib
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

import orchestration.destinations
import tests.fakes
from orchestration.sync.run import SyncRun, run_sync
from orchestration.warehouse import ROOT, Warehouse, dbt
from tests.fixtures.activation_project import make_project, stand_in_statements

DOCUMENT = ROOT / "docs" / "add-a-destination.md"
SYNC = "sync_lanterna__people"
PLANNED = "int_activation__lanterna_people_planned"
BLOCK = re.compile(r'^```\w+ title="([^"]+)"\n(.*?)^```$', re.MULTILINE | re.DOTALL)
PACKAGES = {"orchestration/destinations": orchestration.destinations, "tests/fakes": tests.fakes}

# For the document's own tests, in a process of their own.
CONFTEST = """
import orchestration.destinations, tests.fakes
orchestration.destinations.__path__.append({destinations!r})
tests.fakes.__path__.append({fakes!r})
"""


@pytest.fixture(scope="module")
def blocks() -> dict[str, str]:
    """The document's files by path."""
    found = BLOCK.findall(DOCUMENT.read_text(encoding="utf-8"))
    assert len({path for path, _ in found}) == len(found) == 6
    return dict(found)


@pytest.fixture(scope="module")
def folder(blocks: dict[str, str], tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Its files, in folders as it says."""
    folder = tmp_path_factory.mktemp("lanterna")
    for path, text in blocks.items():
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        (folder / path).write_text(text, encoding="utf-8")
    return folder


@pytest.fixture(scope="module")
def installed(folder: Path) -> Iterator[None]:
    """As if the modules were where the document puts them."""
    with pytest.MonkeyPatch.context() as patch:
        for path, package in PACKAGES.items():
            patch.setattr(package, "__path__", [*package.__path__, str(folder / path)])
        yield
    for name in ("orchestration.destinations.lanterna", "tests.fakes.lanterna"):
        sys.modules.pop(name, None)
    for package in PACKAGES.values():
        vars(package).pop("lanterna", None)


@pytest.fixture(scope="module")
def project(folder: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The activation models, built on empty tables, to which the document's sync comes later: all
    that builds it is the document's own command."""
    project = make_project(tmp_path_factory.mktemp("project") / "project")
    models = project / "models" / "activation"
    with Warehouse.open(project_dir=project) as warehouse:
        for statement in stand_in_statements():
            warehouse.execute(statement)
    build(project, ["build"])
    for path in (folder / "models" / "activation").iterdir():
        (models / path.name).write_text(path.read_text())
    other = "int_activation__hubspot_contacts_planned"
    copied = (models / f"{other}.yml").read_text()
    (models / f"{PLANNED}.yml").write_text(copied.replace(other, PLANNED))
    settings = project / "dbt_project.yml"
    settings.write_text(settings.read_text().replace(f"[{other}]", f"[{other}, {PLANNED}]"))
    return project


def build(project: Path, command: list[str]) -> None:
    """Without unit tests, which run elsewhere."""
    outcome = dbt([*command, "--exclude-resource-type", "unit_test"], project_dir=project)
    assert outcome.success, outcome.statuses


def execute(project: Path, *statements: str) -> None:
    with Warehouse.open(project_dir=project) as warehouse:
        for statement in statements:
            warehouse.execute(statement)


def build_and_sync(project: Path) -> SyncRun:
    [command] = re.findall(r"^dbt (build .*)$", DOCUMENT.read_text(encoding="utf-8"), re.MULTILINE)
    build(project, command.split())
    return run_sync(SYNC, project_dir=project)


def test_its_own_tests_pass(folder: Path) -> None:
    paths = {"destinations": "orchestration/destinations", "fakes": "tests/fakes"}
    text = CONFTEST.format(**{name: str(folder / path) for name, path in paths.items()})
    tests_folder = folder / "tests" / "destinations"
    (tests_folder / "conftest.py").write_text(text)
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "--rootdir"]
    done = subprocess.run(
        [*command, str(folder), str(tests_folder / "test_lanterna.py")],
        cwd=folder,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout[-3000:]
    assert "9 passed" in done.stdout


def test_its_code_is_as_clean_as_the_project(blocks: dict[str, str]) -> None:
    for path, text in blocks.items():
        # Ruff takes a module that is not there for somebody else's, and sorts it so.
        checks = (["check", "--ignore", "I001"], ["format", "--check"])
        for verb in checks if path.endswith(".py") else ():
            command = [sys.executable, "-m", "ruff", *verb, "--no-cache", "--stdin-filename", path]
            done = subprocess.run(
                [*command, "-"], cwd=ROOT, input=text, capture_output=True, text=True, check=False
            )
            assert done.returncode == 0, f"{path}\n{done.stdout}{done.stderr}"


def test_a_sync_goes_through_its_module_to_its_fake(installed, project, monkeypatch) -> None:
    fake_type = importlib.import_module("tests.fakes.lanterna").FakeLanterna
    with fake_type() as fake:
        monkeypatch.setenv("LANTERNA_BASE_URL", fake.url)
        monkeypatch.setenv("LANTERNA_TOKEN", fake.token)
        keys = "'c' || lpad(cast(i as varchar), 3, '0')"
        numbers = "from range(1, 121) as numbers(i)"
        execute(
            project,
            f"insert into standin.customers select {keys}, {keys} || '@example.com', 'Ana',"
            f" 'Ruiz', null, null, null {numbers}",
            f"insert into standin.segment_members select 'champions', {keys} {numbers}",
            "insert into standin.customer_consents"
            f" select {keys}, 'marketing', 'email', true, false {numbers}",
        )
        run = build_and_sync(project)
        assert (run.status, run.rows_delivered, run.calls_made) == ("succeeded", 120, 3)
        assert fake.people["c007"]["email"] == "c007@example.com"

        execute(
            project,
            "update standin.customers set email = 'new@example.com' where customer_id = 'c007'",
            "update standin.customers set email = 'nobody' where customer_id = 'c008'",
            "update standin.customer_consents set is_granted = false where customer_id = 'c009'",
            "delete from standin.segment_members where customer_id = 'c010'",
        )
        run = build_and_sync(project)
        assert (run.rows_delivered, run.rows_removed, run.rows_rejected) == (1, 2, 1)
        assert run.rejections == {"INVALID_EMAIL": 1}
        assert fake.people["c007"]["email"] == "new@example.com"
        assert not {"c009", "c010"} & set(fake.people)
        assert len(fake.people) == 118
        assert fake.contract_violations == []
