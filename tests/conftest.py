"""Fixtures for every test: the shared material, dbt in this process, a private PostgreSQL."""

import json
import os
from collections.abc import Iterator
from contextlib import redirect_stdout
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from xdist.remote import Producer
from xdist.scheduler import LoadScopeScheduling

from tests.fixtures import demo_project
from tests.fixtures.environment import environment
from tests.fixtures.postgres import server as postgres_server
from tests.fixtures.quick_dbt import make_quick
from tests.fixtures.shared_manifest import shared_manifest, write_manifest
from tests.fixtures.temporary_files import move_temporary_files

ROOT = Path(__file__).resolve().parents[1]

os.environ["DO_NOT_TRACK"] = "1"
move_temporary_files()
make_quick()

# Who shares a warehouse that takes minutes, or a project whose parsing takes 10 s.
SHARING = {
    "demo": ("tests/demo/", "tests/ui/", "tests/engines/test_postgres_equals_duckdb.py"),
    "profiles": ("tests/profiles/",),
}
# Longest first: what takes minutes and is begun last leaves the other worker idle.
LONG = (
    *SHARING["demo"],
    *SHARING["profiles"],
    "tests/privacy/",
    "tests/identity/test_incremental_components.py",
    "tests/identity/test_adversarial_properties.py",
    "tests/sync/test_kills.py",
    "tests/identity/",
    "tests/sync/test_races.py",
    "tests/marts/",
    "tests/sync/",
    "tests/conventions/",
    "tests/normalization/",
)


class FilesTogether(LoadScopeScheduling):
    """Tests of a file stay on one worker, and so do files that share: what they look at is built
    once. (xdist 3.8 does nothing for groups of its own with pytest 9.2, which keeps the id of a
    test elsewhere.)"""

    def _split_scope(self, nodeid: str) -> str:
        groups = (name for name, paths in SHARING.items() if nodeid.startswith(paths))
        return next(groups, nodeid.split("::")[0])


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Producer) -> FilesTogether:
    config.option.loadscopereorder = False  # files of many tests are not those that take long
    return FilesTogether(config, log)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Long files first."""

    def place(item: pytest.Item) -> int:
        return next((n for n, path in enumerate(LONG) if item.nodeid.startswith(path)), len(LONG))

    items.sort(key=place)


@pytest.fixture(scope="session")
def shared_dir() -> Path:
    """Folder of the shared test material; skips the test where it is absent."""
    path = Path(os.environ.get("CDP_SHARED_DIR", ROOT.parent / "shared"))
    if not (path / "data").is_dir():
        pytest.skip(f"no shared test data in {path} (set CDP_SHARED_DIR)")
    return path


class Dbt:
    """Runs dbt in this process with its files in a temporary folder.

    A dbt start costs seconds, so one object serves the whole session.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.manifests: dict[str, Any] = {}

    def invoke(self, *args: str, env: dict[str, str] | None = None):
        """Result of a dbt call on this project; fails the test when the call fails."""
        from dbt.cli.main import dbtRunner

        env = {"CDP_DUCKDB_PATH": str(self.folder / "cdp.duckdb")} | (env or {})
        target = env.get("CDP_TARGET", "duckdb")
        paths = ["--target-path", str(self.folder / target), "--log-path", str(self.folder)]
        paths += ["--project-dir", str(ROOT), "--profiles-dir", str(ROOT)]
        # Names of relations begin with that of the database.
        is_shared = env.get("CDP_POSTGRES_DATABASE", "cdp") == "cdp"
        if is_shared and target not in self.manifests:
            self.manifests[target] = shared_manifest(target)
        printed = StringIO()
        with environment(env), redirect_stdout(printed):
            # Artifacts would cost 2 to 3 s a call.
            command = ["--quiet", "--no-write-json", *args, *paths]
            result = dbtRunner(self.manifests[target] if is_shared else None).invoke(command)
        if not result.success:
            pytest.fail(f"dbt {args[0]} failed: {result.exception}\n{printed.getvalue()[-3000:]}")
        return result

    def compile(self, template: str, env: dict[str, str] | None = None) -> str:
        """SQL of a Jinja template."""
        result = self.invoke("compile", "--no-introspect", "--inline", template, env=env)
        return result.result.results[0].node.compiled_code


@pytest.fixture(scope="session")
def dbt(tmp_path_factory: pytest.TempPathFactory) -> Dbt:
    """dbt on this project."""
    return Dbt(tmp_path_factory.mktemp("dbt"))


@pytest.fixture(scope="session")
def postgres() -> Iterator[dict[str, str]]:
    """Environment of a fresh PostgreSQL for this session, as `profiles.yml` reads it."""
    with postgres_server() as environment:
        yield environment


@pytest.fixture(scope="session")
def small_demo(tmp_path_factory: pytest.TempPathFactory) -> demo_project.DemoProject:
    """The demo on DuckDB: landed, built with all dbt data tests, and fitted."""
    project = demo_project.on_duckdb(tmp_path_factory.mktemp("small_demo"))
    persons, seed = str(demo_project.PERSONS), str(demo_project.SEED)
    project.cdp("demo-data", "--out", str(project.data), "--persons", persons, "--seed", seed)
    demo_project.build(project, project.data / "raw")
    return project


@pytest.fixture(scope="session")
def small_demo_on_postgres(
    small_demo: demo_project.DemoProject,
    postgres: dict[str, str],
    tmp_path_factory: pytest.TempPathFactory,
) -> demo_project.DemoProject:
    """The same raw files on PostgreSQL. What data tests say of the rows they say on DuckDB, whose
    rows these must be."""
    folder = tmp_path_factory.mktemp("small_demo_on_postgres")
    paths = {"DBT_TARGET_PATH": str(folder / "target"), "DBT_LOG_PATH": str(folder / "logs")}
    project = demo_project.DemoProject(folder, {**small_demo.env, **postgres, **paths})
    write_manifest("postgres", folder / "target/manifest.json")
    demo_project.build(project, small_demo.data / "raw", tested=False)
    return project


@pytest.fixture(scope="session")
def manifest(dbt: Dbt) -> dict[str, Any]:
    """dbt's manifest of this project, which is written where ``dbt`` writes, too."""
    path = dbt.folder / "duckdb" / "manifest.json"
    write_manifest("duckdb", path)
    return json.loads(path.read_text())
