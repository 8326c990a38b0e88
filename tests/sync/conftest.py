"""A laboratory: stand-in tables, the compiled models of this project on them, the engine and
a fake HubSpot.

dbt compiles once. A test that needs a rebuild executes the compiled SQL, which takes
milliseconds; `test_models.py` runs dbt itself.
"""

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from orchestration.destinations.base import Limits
from orchestration.destinations.hubspot import HubSpot
from orchestration.sync.http import BearerToken, HttpClient, Policy
from orchestration.sync.run import SyncRun, run_sync
from orchestration.sync.spec import load_manifest, load_sync
from orchestration.warehouse import Warehouse, dbt
from tests.fakes.hubspot import FakeHubSpot
from tests.fixtures.activation_project import make_project, stand_in_statements

SYNC = "sync_hubspot__contacts"
PLANNED = "int_activation__hubspot_contacts_planned"
QUICK = Policy(tries=4, first_wait=0.0, max_wait=0.0, exchange_deadline=5.0)


class Lab:
    """One warehouse and one portal."""

    def __init__(self, project: Path, hub: FakeHubSpot) -> None:
        self.project = project
        self.hub = hub
        self.waits: list[float] = []
        self._manifest = load_manifest(project)

    def execute(self, *statements: str) -> None:
        with Warehouse.open(project_dir=self.project) as warehouse:
            for statement in statements:
                warehouse.execute(statement)

    def fetch(self, sql: str) -> list[dict]:
        with Warehouse.open(project_dir=self.project) as warehouse:
            return warehouse.fetch(sql)

    def add_customers(self, count: int, prefix: str = "c", segment: str = "champions") -> None:
        """Customers ``c0001`` and on, in the segment, with consent to e-mail."""
        key = f"'{prefix}' || lpad(cast(i as varchar), 4, '0')"
        rows = f"from range(1, {count + 1}) as numbers(i)"
        self.execute(
            f"insert into standin.customers select {key}, {key} || '@example.com', 'Ana', 'Ruiz',"
            f" '+3460000' || lpad(cast(i as varchar), 4, '0'), 'Madrid', 'ES' {rows}",
            f"insert into standin.segment_members select '{segment}', {key} {rows}",
            f"insert into standin.customer_consents"
            f" select {key}, 'marketing', 'email', true, false {rows}",
        )

    def build(self) -> None:
        """What `dbt run` does to the three tables between customers and engine."""
        statements = []
        for name in (SYNC, PLANNED, "sync_plan"):
            sql = self._manifest["nodes"][f"model.cdp.{name}"]["compiled_code"]
            statements.append(f"create or replace table activation.{name} as {sql}")
        self.execute(*statements)

    def hubspot(self, policy: Policy = QUICK) -> HubSpot:
        spec = load_sync(self._manifest, SYNC)
        limits = Limits(batch_rows=100, rates=((1000, 1),))
        http = HttpClient(
            self.hub.url, BearerToken(self.hub.token), limits, policy, self.waits.append
        )
        return HubSpot(spec, http)

    def sync(self, build: bool = True, **options) -> SyncRun:
        """Build, then run; the calls of this run alone are in ``hub.calls``."""
        if build:
            self.build()
        self.hub.calls.clear()
        options.setdefault("destination", self.hubspot())
        return run_sync(SYNC, project_dir=self.project, **options)

    def state(self) -> list:
        return [
            self.fetch(f"select * from state.{table} order by all")
            for table in ("sync_ledger", "sync_runs")
        ]


@pytest.fixture(scope="session")
def compiled_project(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The project, built once on empty tables."""
    project = make_project(tmp_path_factory.mktemp("activation") / "project")
    with Warehouse.open(project_dir=project) as warehouse:
        for statement in stand_in_statements():
            warehouse.execute(statement)
    outcome = dbt(["build"], project_dir=project)
    assert outcome.success, outcome.statuses
    return project


@pytest.fixture
def hub() -> Iterator[FakeHubSpot]:
    with FakeHubSpot() as portal:
        yield portal


@pytest.fixture
def lab(compiled_project: Path, tmp_path: Path, hub: FakeHubSpot) -> Lab:
    project = tmp_path / "project"
    shutil.copytree(compiled_project, project)
    return Lab(project, hub)
