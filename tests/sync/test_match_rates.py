"""What audiences count of our records, from their answers to the table that people read."""

import shutil
from collections.abc import Iterator
from dataclasses import replace
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from orchestration.destinations.base import Destination
from orchestration.sync.delivery import Patience
from orchestration.sync.ledger import Ledger
from orchestration.sync.run import SyncRun, run_sync
from orchestration.warehouse import Warehouse, WarehouseError, dbt
from tests.destinations.google import case as google
from tests.destinations.meta import case as meta
from tests.fakes.google import FakeGoogle, Verdict
from tests.fakes.meta import FakeMeta
from tests.fixtures.activation_project import make_project, remove_the_sync, stand_in_statements
from tests.sync.lab import PLANNED

PURPOSES = ("ads_user_data", "ads_personalisation")
COLUMNS = {
    "google": {
        "customer_id": "customer_id",
        "email_address": "email",
        "ad_user_data": "'granted'",
        "ad_personalization": "'granted'",
    },
    "meta": {"extern_id": "customer_id", "email": "email"},
}
OPTIONS = {"google": google.OPTIONS, "meta": {"audience_id": "23850000000000001"}}
EXPOSURE = """
models:
  - name: {sync}
    columns: [{columns}]
exposures:
  - name: {sync}
    type: application
    owner: {{name: team}}
    depends_on: [ref('{sync}'), ref('sync_plan')]
    config:
      meta:
        sync: {{destination: {vendor}, object: audience, mode: audience, key: {key},
               purpose: [{purposes}], channel: ads, identity_tier: exact, options: {options}}}
"""


class AdsLab:
    """One warehouse with a sync to each of two fake audiences."""

    def __init__(self, project: Path) -> None:
        self.project = project

    def execute(self, *statements: str) -> None:
        with Warehouse.open(project_dir=self.project) as warehouse:
            for statement in statements:
                warehouse.execute(statement)

    def fetch(self, sql: str) -> list[dict[str, Any]]:
        with Warehouse.open(project_dir=self.project) as warehouse:
            return warehouse.fetch(sql)

    def build(self) -> None:
        outcome = dbt(["run", "--select", "path:models/activation"], project_dir=self.project)
        assert outcome.success, outcome.statuses

    def sync(self, destination: Destination, **options: Any) -> SyncRun:
        """Send the plan as it was built."""
        name = f"sync_{destination.name}__audience"
        return run_sync(name, project_dir=self.project, destination=destination, **options)

    def rates(self, run: SyncRun) -> dict[str, Any] | None:
        """The row of ``sync_match_rates`` about a run."""
        found = self.fetch(
            f"select * from activation.sync_match_rates where run_id = '{run.run_id}'"
        )
        return found[0] if found else None


@pytest.fixture(scope="module")
def ads_project(tmp_path_factory: pytest.TempPathFactory) -> Path:
    project = make_project(tmp_path_factory.mktemp("match_rates") / "project")
    models = remove_the_sync(project)
    planned = []
    for vendor, columns in COLUMNS.items():
        sync, plan = f"sync_{vendor}__audience", f"int_activation__{vendor}_planned"
        mapped = ", ".join(f"{expression} as {name}" for name, expression in columns.items())
        rows = f"{{{{ sync_rows('{sync}', segment='champions') }}}}"
        customers = "{{ ref('customers') }}"
        (models / f"{sync}.sql").write_text(
            f"select {mapped} from {customers} where customer_id in ({rows})\n"
        )
        (models / f"{sync}.yml").write_text(
            EXPOSURE.format(
                sync=sync,
                vendor=vendor,
                key=next(iter(columns)),
                columns=", ".join(f"{{name: {name}, data_type: string}}" for name in columns),
                purposes=", ".join(PURPOSES),
                options=OPTIONS[vendor],
            )
        )
        (models / f"{plan}.sql").write_text(
            f"{{{{ config(contract={{'enforced': false}}) }}}}\n{{{{ plan_sync('{sync}') }}}}\n"
        )
        planned.append(plan)
    settings = project / "dbt_project.yml"
    settings.write_text(settings.read_text().replace(f"[{PLANNED}]", f"[{', '.join(planned)}]"))
    lab = AdsLab(project)
    keys = "from (select 'c' || lpad(cast(i as varchar), 2, '0') as k from range(1, 26) as t(i))"
    lab.execute(
        *stand_in_statements(),
        f"insert into standin.customers select k, k || '@example.com', 'Ana', 'Ruiz', null,"
        f" 'Madrid', 'ES' {keys}",
        f"insert into standin.segment_members select 'champions', k {keys}",
        *(
            f"insert into standin.customer_consents select k, '{purpose}', 'ads', true, false"
            f" {keys}"
            for purpose in PURPOSES
        ),
    )
    outcome = dbt(["run"], project_dir=project)
    assert outcome.success, outcome.statuses
    return project


@pytest.fixture
def ads_lab(ads_project: Path, tmp_path: Path) -> AdsLab:
    shutil.copytree(ads_project, tmp_path / "project")
    return AdsLab(tmp_path / "project")


@pytest.fixture
def google_ads() -> Iterator[FakeGoogle]:
    with FakeGoogle() as account:
        account.tokens.append("token")
        yield account
        assert account.contract_violations == []


@pytest.fixture
def meta_ads() -> Iterator[FakeMeta]:
    with FakeMeta() as account:
        yield account
        assert account.contract_violations == []


def of_meta(ads: FakeMeta, chunk_size: int) -> Destination:
    options = {"audience_id": ads.audience_id, "chunk_size": str(chunk_size)}
    return meta.audience(ads, columns=["extern_id", "email"], options=options)


def of_google(ads: FakeGoogle, batch_rows: int) -> Destination:
    destination = google.audience(ads)
    destination.limits = replace(destination.limits, batch_rows=batch_rows)
    return destination


@pytest.mark.parametrize("chunk_size", [10, 10_000])
def test_records_received_are_the_rows_sent_however_often_a_batch_is_halved(
    ads_lab: AdsLab, meta_ads: FakeMeta, chunk_size: int
) -> None:
    meta_ads.invalid |= {meta.sha(f"c{n:02}@example.com") for n in (3, 4, 21)}
    run = ads_lab.sync(of_meta(meta_ads, chunk_size))
    assert (run.rows_sent, run.rows_rejected) == (25, 3)
    assert run.calls_made > 3
    rates = ads_lab.rates(run)
    assert (rates["records_uploaded"], rates["records_invalid"]) == (25, 3)
    assert rates["invalid_share"] == Decimal("0.12")
    # Meta tells neither.
    assert (rates["match_rate_low"], rates["identifiers_uploaded"]) == (None, None)


def test_counts_stay_right_where_halving_is_given_up(ads_lab: AdsLab, meta_ads: FakeMeta) -> None:
    meta_ads.invalid |= {meta.sha(f"c{n:02}@example.com") for n in range(1, 26, 2)}
    hasty = Patience(calls_per_refused_batch=5)
    run = ads_lab.sync(of_meta(meta_ads, 10_000), patience=hasty)
    assert run.rows_unknown > 0
    rates = ads_lab.rates(run)
    assert (rates["records_uploaded"], rates["records_invalid"]) == (run.rows_sent, 13)


def test_what_is_taken_out_is_counted_apart(ads_lab: AdsLab, meta_ads: FakeMeta) -> None:
    ads_lab.sync(of_meta(meta_ads, 10))
    ads_lab.execute(
        "update standin.customers set email = 'new@example.com' where customer_id = 'c01'",
        "delete from standin.segment_members where customer_id in ('c02', 'c03')",
    )
    ads_lab.build()
    run = ads_lab.sync(of_meta(meta_ads, 10))
    assert (run.status, run.rows_delivered, run.rows_removed) == ("succeeded", 1, 2)
    rates = ads_lab.rates(run)
    # The old address of the one; address and id of both others, a line each.
    assert (rates["records_uploaded"], rates["records_removed"]) == (1, 5)


def test_counts_of_a_job_are_of_the_run_that_saw_its_end(
    ads_lab: AdsLab, google_ads: FakeGoogle
) -> None:
    google_ads.polls = 1
    run = ads_lab.sync(of_google(google_ads, 10_000))
    assert (run.status, ads_lab.rates(run)) == ("pending", None)
    run = ads_lab.sync(of_google(google_ads, 10_000))
    assert (run.status, run.rows_resumed) == ("succeeded", 25)
    rates = ads_lab.rates(run)
    assert (rates["records_uploaded"], rates["identifiers_uploaded"]) == (25, 25)
    assert (rates["records_invalid"], rates["invalid_share"]) == (0, 0)
    assert (rates["match_rate_low"], rates["match_rate_high"]) == (Decimal("0.51"), Decimal("0.61"))


def test_ranges_are_weighted_by_the_records_they_are_about(
    ads_lab: AdsLab, google_ads: FakeGoogle
) -> None:
    google_ads.verdicts += [
        Verdict(match_rate="MATCH_RATE_RANGE_91_TO_100"),
        Verdict(match_rate="MATCH_RATE_RANGE_NOT_ELIGIBLE"),
        Verdict("PARTIAL_SUCCESS", {"NO_CONSENT": 2}, "MATCH_RATE_RANGE_LESS_THAN_20"),
    ]
    destination = of_google(google_ads, 10)
    # One after the other, so that the verdicts are of 10, 10 and 5.
    destination.limits = replace(destination.limits, connections=1)
    run = ads_lab.sync(destination)
    rates = ads_lab.rates(run)
    assert (rates["records_uploaded"], rates["records_invalid"]) == (run.rows_sent, 2)
    assert rates["records_rated"] == 15
    low, high = Decimal("0.91") * 10 / 15, (10 + Decimal("0.2") * 5) / 15
    assert rates["match_rate_low"] == round(low, 4)
    assert rates["match_rate_high"] == round(high, 4)


def test_outcomes_and_counts_are_written_together_or_not_at_all(
    ads_lab: AdsLab, meta_ads: FakeMeta, monkeypatch: pytest.MonkeyPatch
) -> None:
    append = Warehouse.append

    def fail(self: Warehouse, relation: Any, rows: Any) -> None:
        if "sync_matches" in str(relation):
            raise WarehouseError("disk full")
        append(self, relation, rows)

    monkeypatch.setattr(Warehouse, "append", fail)
    with pytest.raises(WarehouseError):
        ads_lab.sync(of_meta(meta_ads, 10_000))
    monkeypatch.undo()
    statuses = ads_lab.fetch("select distinct status from state.sync_ledger")
    assert [row["status"] for row in statuses] == ["intent"]
    run = ads_lab.sync(of_meta(meta_ads, 10_000))
    assert (run.status, ads_lab.rates(run)["records_uploaded"]) == ("succeeded", 25)


def test_a_job_whose_outcomes_are_known_is_not_counted_again(
    ads_lab: AdsLab, google_ads: FakeGoogle, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: Any) -> None:
        raise WarehouseError("killed")

    monkeypatch.setattr(Ledger, "settle_job", fail)
    with pytest.raises(WarehouseError):
        ads_lab.sync(of_google(google_ads, 10_000))
    monkeypatch.undo()
    run = ads_lab.sync(of_google(google_ads, 10_000))
    assert (run.status, ads_lab.rates(run)) == ("succeeded", None)
    sent = ads_lab.fetch("select sum(records_received) as n from state.sync_matches")
    assert sent[0]["n"] == 25
