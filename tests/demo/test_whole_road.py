"""The whole road on the demo retailer: what must hold between its ends."""

import duckdb
import pytest

from orchestration.demo.accuracy import identity_accuracy
from tests.fixtures import demo_project


def rows(project: demo_project.DemoProject, sql: str) -> list[tuple]:
    with duckdb.connect(project.env["CDP_DUCKDB_PATH"], read_only=True) as warehouse:
        return warehouse.execute(sql).fetchall()


def test_dbt_unit_tests_pass(small_demo):
    # dbt reads the columns of what a model refers to from the warehouse: so after a build.
    small_demo.dbt("test", "--select", "test_type:unit")


def test_records_become_the_right_customers(small_demo):
    with small_demo.environment():
        accuracy = identity_accuracy(small_demo.data / "truth")
    assert accuracy.precision >= 0.995
    assert accuracy.recall >= 0.95


def test_every_row_read_is_accounted_for(small_demo):
    [(tables, lost, quarantined, duplicates)] = rows(
        small_demo,
        """select count(*), sum(abs(lost_rows)), sum(quarantined_rows), sum(deduplicated_rows)
        from conformed.source_reconciliation""",
    )
    assert tables > 25
    assert lost == 0
    assert quarantined > 0, "the demo plants rows to be refused"
    assert duplicates > 0, "the demo plants duplicates"


def test_planted_amounts_are_quarantined_with_a_reason(small_demo):
    reasons = dict(
        rows(
            small_demo,
            "select quarantine_reason, count(*) from conformed.quarantined_rows group by 1",
        )
    )
    assert reasons["total_amount is no finite amount in range"] > 0
    assert reasons["ordered_at is no date"] > 0
    assert reasons["currency is unknown"] > 0


def test_the_fit_replaced_the_default_parameters(small_demo):
    selected = rows(small_demo, "select model from state.clv_parameters where is_selected")
    assert len(selected) == 2, "one purchase model and the spend model"


def daily_run(project: demo_project.DemoProject, raw: str, *exclude: str) -> None:
    """Land, build what does not wait for the fit, fit, build the rest: as the daily job does."""
    scored = "source:state.clv_parameters+"
    project.cdp("land", raw)
    project.dbt("run", "--exclude", scored, *exclude)
    project.cdp("fit")
    project.dbt("run", "--select", scored)


def differences(before: dict[str, tuple], after: dict[str, tuple]) -> list[str]:
    assert len(before) > 100, "tables of all layers"
    return [table for table in before | after if before.get(table) != after.get(table)]


@pytest.fixture(scope="module")
def halves(small_demo, tmp_path_factory) -> demo_project.DemoProject:
    """The first year built, then the rest on top of it."""
    halves = demo_project.on_duckdb(tmp_path_factory.mktemp("halves"))
    raw = str(small_demo.data / "raw")
    halves.cdp("land", raw, "--until", "2025-01-01")
    halves.dbt("seed")
    halves.dbt("run")
    daily_run(halves, raw)
    return halves


@pytest.fixture(scope="module")
def halves_contents(halves) -> dict[str, tuple]:
    return halves.contents()


# What tells the runs themselves: two runs have more to tell than one.
HISTORY = {
    "identity.customer_id_assignments",
    "identity.customer_id_changes",
    "identity.customer_id_redirects",
    "identity.identity_health",
    "identity.int_identity__health_counted",
    "identity.int_identity__id_moves_counted",
}


@pytest.mark.slow
def test_two_halves_by_load_time_equal_one_run(small_demo, halves_contents):
    different = differences(small_demo.contents(), halves_contents)
    assert not set(different) - HISTORY


@pytest.mark.slow
def test_ids_of_the_first_half_lead_to_customers_of_the_second(halves):
    [(issued, lost)] = rows(
        halves,
        """select count(*), count(*) filter (where current_customer_id is null)
        from identity.customer_id_redirects where status != 'current'""",
    )
    assert issued > 0, "some customers of the first half turned out to be one"
    assert lost == 0


@pytest.mark.slow
def test_a_run_without_new_data_changes_no_row(small_demo, halves, halves_contents):
    # A view has no rows to keep: the comparison computes it anew, made again or not.
    daily_run(halves, str(small_demo.data / "raw"), "config.materialized:view")
    assert not differences(halves_contents, halves.contents())
