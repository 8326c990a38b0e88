"""Runs the identity models on person records given as rows, in a DuckDB file of their own.

The conformed tables are written directly (``customer_records``, ``record_identifiers``); raw
values go through the project's own normalisation macros, so a test starts from what a source
system would send.
"""

from __future__ import annotations

import json
import os
from contextlib import contextmanager
from pathlib import Path
from typing import Any, ClassVar

import duckdb
import pyarrow as pa
from dbt.cli.main import dbtRunner

ROOT = Path(__file__).resolve().parents[2]
SHARED = Path(os.environ.get("CDP_SHARED_DIR", ROOT.parent / "shared"))
RECORD_COLUMNS = (
    "record_key", "first_name", "last_name", "full_name", "email", "phone", "birth_date",
    "gender", "street", "postcode", "city", "country", "company_name", "loyalty_id",
    "shop_customer_id", "cookie_id", "device_id", "previous_cookie_id", "is_anonymous", "loaded_at",
)  # fmt: skip
"""Of a raw record, all text; is_anonymous is 'true' for a cookie or device, loaded_at ISO."""

NORMALISED = """
select
    record_key,
    coalesce(is_anonymous = 'true', false) as is_anonymous,
    {{ normalize_name('first_name') }} as first_name,
    {{ normalize_name('last_name') }} as last_name,
    {{ normalize_name('full_name') }} as full_name,
    {{ normalize_email('email') }} as email,
    email as email_raw,
    {{ normalize_phone('phone', "'FR'") }} as phone,
    phone as phone_raw,
    {{ normalize_birth_date('birth_date') }} as birth_date,
    gender,
    {{ null_if_placeholder('street') }} as street,
    {{ normalize_postcode('postcode', 'country') }} as postcode,
    {{ normalize_name('city') }} as city,
    country,
    {{ null_if_placeholder('company_name') }} as company_name,
    {{ null_if_placeholder('loyalty_id') }} as loyalty_id,
    {{ null_if_placeholder('device_id') }} as device_id,
    shop_customer_id,
    cookie_id,
    previous_cookie_id,
    cast(coalesce(loaded_at, '2024-01-01') as timestamp) as loaded_at
from raw_records
"""
IDENTIFIERS = """
create or replace table conformed.record_identifiers as
select distinct
    record_key, identifier_type, identifier_value, raw_value,
    loaded_at as observed_at, split_part(record_key, ':', 1) as source_name, loaded_at
from (
    select record_key, loaded_at, 'email' as identifier_type, email as identifier_value,
        email_raw as raw_value from normalised
    union all select record_key, loaded_at, 'phone', phone, phone_raw from normalised
    union all select record_key, loaded_at, 'loyalty_id', loyalty_id, loyalty_id from normalised
    union all select record_key, loaded_at, 'device_id', device_id, device_id from normalised
    union all select record_key, loaded_at, 'cookie_id', cookie_id, cookie_id from normalised
    union all select record_key, loaded_at, 'cookie_id', previous_cookie_id, previous_cookie_id
        from normalised
    union all select record_key, loaded_at, 'shop_customer_id', shop_customer_id, shop_customer_id
        from normalised
)
where coalesce(identifier_value, raw_value) is not null
"""
LOG_INS = """
create or replace table conformed.visitor_log_ins as
select record_key, identifier_type, identifier_value, loaded_at as logged_in_at
from conformed.record_identifiers
where record_key in (select record_key from normalised where is_anonymous)
    and identifier_type in ('shop_customer_id', 'email') and identifier_value is not null
"""
RECORDS = """
create or replace table conformed.customer_records as
select
    record_key, split_part(record_key, ':', 1) as source_name, is_anonymous, first_name,
    last_name, full_name, email, phone, birth_date, gender, street, postcode, city, country,
    company_name, cast(null as varchar) as company_domain, loaded_at
from normalised
"""


class IdentityProject:
    """One warehouse file; ``resolve`` may be called again and again."""

    parsed: ClassVar[tuple[Any, str] | None] = None
    """Manifest and the SQL that normalises, made once per process: 12 s of each start."""

    def __init__(self, folder: Path) -> None:
        self.database = folder / "warehouse.duckdb"
        self.target = folder / "target"
        if IdentityProject.parsed is None:
            manifest = self.invoke("parse").result
            compiled = self.invoke("compile", "--inline", NORMALISED).result.results[0].node
            IdentityProject.parsed = manifest, compiled.compiled_code
        self.manifest, self.normalise = IdentityProject.parsed
        self.invoke("seed", "--select", "path:seeds/identity")

    @contextmanager
    def environment(self):
        """The environment that points the project at this file."""
        values = {
            "CDP_TARGET": "duckdb",
            "CDP_DUCKDB_PATH": str(self.database),
            "CDP_THREADS": "1",
            "DO_NOT_TRACK": "1",
        }
        before = {name: os.environ.get(name) for name in values}
        os.environ.update(values)
        try:
            yield
        finally:
            for name, value in before.items():
                os.environ.pop(name) if value is None else os.environ.update({name: value})

    def invoke(self, *arguments: str):
        """Run dbt on the repository's project with this warehouse file; fails when dbt does."""
        where = ["--project-dir", str(ROOT), "--profiles-dir", str(ROOT)]
        where += ["--target-path", str(self.target)]
        # compile --inline adds a node to the manifest it is given, so it gets its own.
        kept = None if arguments[0] in ("parse", "compile") else self.manifest
        with self.environment():
            outcome = dbtRunner(manifest=kept).invoke(
                ["--quiet", "--no-write-json", *arguments, *where]
            )
        if not outcome.success:
            problems = outcome.result.results if outcome.result else [outcome.exception]
            raise AssertionError([getattr(item, "message", item) for item in problems])
        return outcome

    def query(self, sql: str) -> list[tuple]:
        """Rows of a query on the warehouse."""
        with duckdb.connect(str(self.database)) as connection:
            return connection.execute(sql).fetchall()

    def load(self, records: list[dict[str, str | None]]) -> None:
        """Replace the conformed tables by these raw records (see ``RECORD_COLUMNS``)."""
        columns = {
            name: pa.array([row.get(name) for row in records], pa.string())
            for name in RECORD_COLUMNS
        }
        with duckdb.connect(str(self.database)) as connection:
            connection.register("raw_records", pa.table(columns))
            connection.execute("create schema if not exists conformed")
            connection.execute(f"create or replace temp table normalised as {self.normalise}")
            connection.execute(RECORDS)
            connection.execute(IDENTIFIERS)
            connection.execute(LOG_INS)

    def run(self, variables: dict | None = None, threads: int = 1) -> None:
        """Build the identity models from the conformed tables."""
        given = ["--vars", json.dumps(variables or {}), "--threads", str(threads)]
        self.invoke("run", "--select", "path:models/identity", *given)

    def customers(self) -> dict[str, str]:
        """record_key -> customer_id."""
        return dict(self.query("select record_key, customer_id from identity.customer_identities"))

    def forget(self) -> None:
        """Drop what identity remembers: ids are a function of the records again."""
        for table in ("customer_id_registry", "customer_id_assignments"):
            self.query(f"drop table if exists identity.{table}")

    def erase(self, customer_id: str) -> tuple[set[str], set[str]]:
        """Take a customer out of all that identity remembers. Returns the keys of its records,
        which the test takes out of its sources, and the ids that these can have issued."""
        records = (
            "select record_key from identity.customer_identities"
            f" where customer_id = '{customer_id}'"
        )
        keys = {key for (key,) in self.query(records)}
        hashes = (
            "select record_hash from identity.customer_id_registry"
            f" where customer_id = '{customer_id}'"
        )
        ids = {issued for (issued,) in self.query(hashes)}
        self.query(f"delete from identity.customer_id_assignments where record_hash in ({hashes})")
        self.query(f"delete from identity.customer_id_registry where customer_id = '{customer_id}'")
        self.query(
            "delete from state.identity_decisions"
            f" where record_key in ({records}) or other_record_key in ({records})"
        )
        return keys, ids

    def contents(self) -> dict[str, tuple]:
        """Rows and a checksum of them by table, without the state of the materialization."""
        names = self.query(
            "select table_name from information_schema.tables where table_schema = 'identity'"
            " and table_name not like '%!_!_nodes' escape '!'"
            " and table_name not like '%!_!_edges' escape '!'"
            " and table_name not like '%!_!_labels' escape '!'"
            " and table_name not like '%!_!_state' escape '!'"
        )
        return {
            name: self.query(f'select count(*), sum(hash(t)) from identity."{name}" as t')[0]
            for (name,) in names
        }

    def lose_tables(self, but: tuple[str, ...] = ()) -> None:
        """Drop every table and view of identity but these."""
        found = self.query(
            "select table_name, table_type from information_schema.tables"
            " where table_schema = 'identity'"
        )
        for name, kind in found:
            if name not in but:
                self.query(
                    f'drop {"view" if kind == "VIEW" else "table"} identity."{name}" cascade'
                )

    def resolve(
        self,
        records: list[dict[str, str | None]],
        remembers: bool = False,
        threads: int = 1,
        variables: dict | None = None,
    ) -> dict[str, str]:
        """Load, run and return record_key -> customer_id; from empty unless it remembers."""
        if not remembers:
            self.forget()
        self.load(records)
        self.run(variables, threads)
        found = self.customers()
        assert set(found) == {row["record_key"] for row in records}
        return found
