"""A laboratory: stand-in tables, the compiled models of this project on them, the engine and
a fake endpoint.

dbt compiles once. A test that needs a rebuild executes the compiled SQL, which takes
milliseconds; `test_models.py` runs dbt itself.
"""

from pathlib import Path

from orchestration.destinations.base import Destination, Limits
from orchestration.destinations.hubspot import HubSpot
from orchestration.sync.http import BearerToken, Credentials, HttpClient, Policy
from orchestration.sync.run import SyncRun, run_sync
from orchestration.sync.spec import load_manifest, load_sync
from tests.fakes.hubspot import FakeHubSpot
from tests.fakes.job_desk import DeskClient, JobDesk
from tests.fakes.row_desk import RowClient, RowDesk
from tests.fixtures.open_warehouse import opened

SYNC = "sync_hubspot__contacts"
PLANNED = "int_activation__hubspot_contacts_planned"
WIDE = Limits(batch_rows=100, rates=((1000, 1),))
QUICK = Policy(tries=4, first_wait=0.0, max_wait=0.0, exchange_deadline=5.0)


class Lab:
    """One warehouse and one portal."""

    target: str | None = None
    """Of ``profiles.yml``; None: DuckDB."""
    mode: str = "audience"
    batch_rows: int = WIDE.batch_rows

    def __init__(self, project: Path, hub: FakeHubSpot) -> None:
        self.project = project
        self.hub = hub
        self.waits: list[float] = []
        self.runs: list[SyncRun] = []
        self.raised: list[Exception] = []
        """What runs came to."""
        self._manifest = load_manifest(project)

    def execute(self, *statements: str) -> None:
        with opened(self.target, self.project) as warehouse:
            for statement in statements:
                warehouse.execute(statement)

    def fetch(self, sql: str) -> list[dict]:
        with opened(self.target, self.project) as warehouse:
            return warehouse.fetch(sql)

    def add_customers(self, count: int, prefix: str = "c", segment: str = "champions") -> None:
        """Customers ``c0001`` and on, in the segment, with consent to e-mail."""
        key = f"'{prefix}' || lpad(cast(i as varchar), 4, '0')"
        rows = f"from generate_series(1, {count}) as numbers(i)"
        self.execute(
            f"insert into standin.customers select {key}, {key} || '@example.com', 'Ana', 'Ruiz',"
            f" '+3460000' || lpad(cast(i as varchar), 4, '0'), 'Madrid', 'ES' {rows}",
            f"insert into standin.segment_members select '{segment}', {key} {rows}",
            f"insert into standin.customer_consents"
            f" select {key}, 'marketing', 'email', true, false {rows}",
        )

    def build(self, *before: str) -> None:
        """What `dbt run` does to the three tables between customers and engine, after other
        statements."""
        statements = list(before)
        for name in (SYNC, PLANNED, "sync_plan"):
            node = self._manifest["nodes"][f"model.cdp.{name}"]
            sql, columns = node["compiled_code"], ", ".join(node["columns"])
            if self.target == "postgres":  # where the views on it would be lost
                statements += [
                    f"delete from activation.{name}",
                    f"insert into activation.{name} ({columns}) select {columns} from ({sql}) as m",
                ]
            else:
                statements.append(f"create or replace table activation.{name} as {sql}")
        self.execute(*statements)

    def endpoint(self, policy: Policy = QUICK) -> Destination:
        """A new client of the endpoint."""
        return self.hubspot(policy)

    def hubspot(
        self, policy: Policy = QUICK, url: str | None = None, auth: Credentials | None = None
    ) -> HubSpot:
        """``url`` and ``auth`` in place of the right ones."""
        auth = auth or BearerToken(self.hub.token)
        http = HttpClient(url or self.hub.url, auth, WIDE, policy, self._note_wait)
        return HubSpot(load_sync(self._manifest, SYNC), http)

    async def _note_wait(self, seconds: float) -> None:
        self.waits.append(seconds)

    def end_faults(self) -> None:
        """From now on the endpoint works."""
        self.hub.faults.clear()
        self.hub.poison.clear()
        self.hub.on_applied = None

    def sync(self, build: bool = True, **options) -> SyncRun:
        """Build, then run; the calls of this run alone are in ``hub.calls``."""
        if build:
            self.build()
        self.hub.calls.clear()
        options.setdefault("destination", self.endpoint())
        try:
            run = run_sync(SYNC, self.target, project_dir=self.project, **options)
        except Exception as error:
            self.raised.append(error)
            raise
        self.runs.append(run)
        return run

    def state(self) -> list:
        return [
            self.fetch(f"select * from state.{table} order by all")
            for table in ("sync_ledger", "sync_runs")
        ]


class DeskLab(Lab):
    """A lab whose endpoint works on jobs."""

    hub: JobDesk

    def endpoint(self, policy: Policy = QUICK) -> DeskClient:
        return DeskClient(self.hub.url, self.hub.token, policy)

    def end_faults(self) -> None:
        super().end_faults()
        self.hub.endings.clear()
        for work in self.hub.jobs.values():
            work.ending = "done" if work.ending == "stuck" else work.ending

    def end_orphans(self) -> None:
        """Jobs whose submission nobody lived to write down come to their end over there."""
        known = {row["job_id"] for row in self.fetch("select job_id from state.sync_jobs")}
        for job_id, work in self.hub.jobs.items():
            if job_id not in known and work.state == "running":
                self.hub.end(work)


class RowLab(Lab):
    """A lab whose endpoint takes a row a request: one thread has several under way."""

    hub: RowDesk
    batch_rows = 1

    def endpoint(self, policy: Policy = QUICK) -> RowClient:
        spec, hub = load_sync(self._manifest, SYNC), self.hub
        return RowClient(spec, hub.url, hub.token, policy, pause=self._note_wait)


def customer_keys(lab: Lab) -> list[str]:
    return sorted(contact["cdp_customer_id"] for contact in lab.hub.contacts.values())


def statuses(lab: Lab) -> dict[str, int]:
    sql = "select status, count(*) as n from activation.sync_outcomes group by status"
    return {row["status"]: row["n"] for row in lab.fetch(sql)}
