"""Three people ask to be erased: after the next build no table knows them, nor when all sources
send them again."""

from collections.abc import Iterator
from pathlib import Path

import duckdb
import pytest

from tests.fixtures import demo_project

pytestmark = pytest.mark.slow

# Bought at a till and in the shop, wrote to support, have a browser: they are in most tables.
WHO = """
select customers.customer_id, min(customers.email)
from profiles.customers as customers
inner join identity.customer_identities as identities using (customer_id)
where
    customers.email is not null
    and customers.customer_id not in (select customer_id from profiles.customer_suppressions)
group by customers.customer_id
order by count(distinct split_part(identities.record_key, ':', 1)) desc, customers.customer_id
limit 3
"""
ASK = """
insert into raw_privacy.privacy_requests
    (request_id, request_type, subject_type, subject_value, requested_at, is_verified, loaded_at)
values (?, 'erasure', 'email', ?, '2025-12-01T08:00:00Z', 'true', timestamp '2025-12-01 09:00:00')
"""
LANDED = """
insert into state.landings (run_id, source_name, table_name, rows_loaded, rows_quarantined)
values ('asks', 'privacy', 'privacy_requests', 3, 0)
"""
TEXTS = """
select table_schema, table_name, column_name
from information_schema.columns
inner join information_schema.tables using (table_catalog, table_schema, table_name)
where data_type = 'VARCHAR' and table_type = 'BASE TABLE' and table_catalog = 'cdp'
order by all
"""
# Of an order that is sent again there are two versions, both of nobody.
VERSIONS = {
    "conformed.int_conformed__pos_receipts",
    "conformed.int_conformed__shop_orders",
    "conformed.quarantined_rows",
    "conformed.record_orders",
    "conformed.source_reconciliation",
}


def named(warehouse: duckdb.DuckDBPyConnection) -> Iterator[str]:
    """Columns that hold an identifier or id of the three, as it is or an address within a text."""
    for schema, table, column in warehouse.execute(TEXTS).fetchall():
        found = warehouse.execute(
            f"""select 1 from "{schema}"."{table}" as held, identifiers
            where lower(held."{column}") = lower(identifiers.value)
                or (identifiers.is_address and contains(lower(held."{column}"), identifiers.value))
            limit 1"""
        ).fetchall()
        if found:
            yield f"{schema}.{table}.{column}"


@pytest.fixture(scope="module")
def asked(small_demo, tmp_path_factory) -> demo_project.DemoProject:
    """The demo in which three ask, and a copy of its raw tables of before."""
    project = demo_project.copied(small_demo, tmp_path_factory.mktemp("erasure"))
    with duckdb.connect(project.env["CDP_DUCKDB_PATH"]) as warehouse:
        for number, (_, email) in enumerate(warehouse.execute(WHO).fetchall()):
            warehouse.execute(ASK, [f"asks-{number}", email])
        warehouse.execute(LANDED)
    project.dbt("run", "--select", "stg_privacy__privacy_requests+")
    return project


def test_no_table_knows_the_erased(asked: demo_project.DemoProject, tmp_path: Path) -> None:
    file = asked.env["CDP_DUCKDB_PATH"]
    before = tmp_path / "before.duckdb"
    with duckdb.connect(file) as warehouse:
        warehouse.execute(f"attach '{before}' as before")
        warehouse.execute("copy from database cdp to before")
        warehouse.execute(
            """create table before.identifiers as
            select distinct identifier_value as value, identifier_type in ('email', 'phone')
                as is_address
            from cdp.rights.erasure_identifiers
            union all
            select customer_id, false from cdp.rights.erasure_requests"""
        )

    def known() -> list[str]:
        with duckdb.connect(file, read_only=True) as warehouse:
            warehouse.execute(f"attach '{before}' as before (read_only)")
            warehouse.execute("create temp table identifiers as from before.identifiers")
            return list(named(warehouse))

    assert len(known()) > 60
    asked.cdp("erase", "--yes")
    asked.dbt("build", "--exclude-resource-type", "unit_test")
    assert known() == []
    without = asked.contents()

    with duckdb.connect(file) as warehouse:
        warehouse.execute(f"attach '{before}' as before (read_only)")
        tables = warehouse.execute(
            "select schema_name, table_name from duckdb_tables()"
            " where database_name = 'before' and schema_name like 'raw%'"
        ).fetchall()
        for schema, table in tables:
            name = f'"{schema}"."{table}"'
            warehouse.execute(
                f"insert into cdp.{name}"
                f" (select * from before.{name} except all select * from cdp.{name})"
            )
    assert known() != []
    asked.dbt("run")
    assert known() == []
    again = asked.contents()
    assert {name for name in without if again[name] != without[name]} <= VERSIONS
