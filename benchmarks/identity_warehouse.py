"""Runs the project's own identity models on person records, in a DuckDB file of their own.

The conformed tables are written directly (``customer_records``, ``record_identifiers``,
``visitor_log_ins``); raw values go through the project's own normalisation macros, so a run starts
from what a source system would send. Tests and benchmarks share this.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from contextlib import AbstractContextManager, redirect_stdout
from io import StringIO
from pathlib import Path
from typing import Any, ClassVar

import duckdb
import pyarrow as pa
from dbt.cli.main import dbtRunner

from tests.fixtures.environment import environment

ROOT = Path(__file__).resolve().parents[1]

PERSON_COLUMNS = (
    "first_name", "last_name", "full_name", "birth_date", "gender", "email", "phone", "street",
    "postcode", "city", "country", "language", "company_name", "company_domain",
)  # fmt: skip
"""What a record says of a person."""
IDENTIFIERS = {
    "email": ("email", "email_raw"),
    "phone": ("phone", "phone_raw"),
    **{
        name: (name, name)
        for name in (
            "loyalty_id", "national_id", "crm_contact_id", "shop_customer_id",
            "support_requester_id", "email_subscriber_id", "survey_respondent_id",
            "cookie_id", "device_id",
        )
    },
}  # fmt: skip
"""By type: the columns of the normalised table with its value and its raw value."""
CANONICAL_COLUMNS = tuple(dict.fromkeys((*PERSON_COLUMNS, *IDENTIFIERS)))
RECORD_COLUMNS = (
    "record_key", "is_anonymous", "loaded_at", "previous_cookie_id", *CANONICAL_COLUMNS
)  # fmt: skip
"""Of a raw record, all text: record_key is ``<source>:<id>``, is_anonymous 'true' for a cookie or
a device, loaded_at ISO. A column that is left out is null."""

NORMALISED = """
select
    record_key,
    split_part(record_key, ':', 1) as source_name,
    coalesce(is_anonymous = 'true', false) as is_anonymous,
    {{ normalize_name('first_name') }} as first_name,
    {{ normalize_name('last_name') }} as last_name,
    {{ normalize_name('full_name') }} as full_name,
    {{ normalize_email('email') }} as email,
    email as email_raw,
    {{ normalize_phone('phone', 'country') }} as phone,
    phone as phone_raw,
    {{ normalize_birth_date('birth_date') }} as birth_date,
    {{ normalize_gender('gender') }} as gender,
    {{ clean_text('street') }} as street,
    {{ normalize_postcode('postcode', 'country') }} as postcode,
    {{ clean_text('city') }} as city,
    {{ normalize_country('country') }} as country,
    {{ normalize_language('language') }} as language,
    {{ null_if_placeholder('company_name') }} as company_name,
    lower({{ clean_text('company_domain') }}) as company_domain,
    {{ null_if_placeholder('loyalty_id') }} as loyalty_id,
    {{ null_if_placeholder('national_id') }} as national_id,
    {{ null_if_placeholder('device_id') }} as device_id,
    crm_contact_id,
    shop_customer_id,
    support_requester_id,
    email_subscriber_id,
    survey_respondent_id,
    cookie_id,
    previous_cookie_id,
    cast(coalesce(loaded_at, '2024-01-01') as timestamp) as loaded_at
from raw_records
"""
RECORDS = """
create or replace table conformed.customer_records as
select
    record_key, source_name, source_name || '.records' as source_table,
    substring(record_key, length(source_name) + 2) as native_id, is_anonymous, first_name,
    last_name, full_name, email, email_raw, cast(null as boolean) as is_email_verified, phone,
    phone_raw, birth_date, gender, street, postcode, city, country, language, company_name,
    company_domain, cast(null as varchar) as loyalty_tier,
    cast(null as timestamp) as created_at, cast(null as timestamp) as updated_at, loaded_at,
    cast(1 as bigint) as version_count
from normalised
"""
OBSERVED = " union all ".join(
    f"select record_key, source_name, loaded_at, '{kind}' as identifier_type,"
    f" {value} as identifier_value, {raw} as raw_value from normalised"
    for kind, value, raw in (
        *((kind, *columns) for kind, columns in IDENTIFIERS.items()),
        ("cookie_id", "previous_cookie_id", "previous_cookie_id"),
    )
)
RECORD_IDENTIFIERS = f"""
create or replace table conformed.record_identifiers as
select distinct
    record_key, identifier_type, identifier_value, raw_value, loaded_at as observed_at,
    source_name, loaded_at
from ({OBSERVED})
where coalesce(identifier_value, raw_value) is not null
"""
LOG_INS = """
create or replace table conformed.visitor_log_ins as
select record_key, identifier_type, identifier_value, loaded_at as logged_in_at
from conformed.record_identifiers
where record_key in (select record_key from normalised where is_anonymous)
    and identifier_type in ('shop_customer_id', 'email') and identifier_value is not null
"""


class IdentityWarehouse:
    """One warehouse file in a folder; ``load_table`` and ``run`` may be called again and again.

    ``variables`` are dbt's, for everything that is done here; ``database`` is a file that has the
    conformed tables already (with none a new one is made), ``threads`` dbt's, ``select`` what
    ``run`` builds. After ``run``, ``model_seconds`` is the time from the start of the first model
    to the end of the last one. After ``load_table``, ``lost`` has by given column how many values
    there were, and how many of them the normalisers made null.
    Raises ``AssertionError`` with dbt's messages whenever dbt fails.
    """

    parsed: ClassVar[list[Any]] = []
    """The manifest, made once per process (12 s): no variable changes what refers to what."""

    def __init__(
        self,
        folder: Path,
        variables: dict[str, Any] | None = None,
        database: Path | None = None,
        threads: int = 1,
        select: tuple[str, ...] = ("path:models/identity",),
    ) -> None:
        self.folder = folder
        self.database = database or folder / "cdp.duckdb"
        self.variables = variables or {}
        self.threads = threads
        self.select = select
        self.model_seconds = 0.0
        self.lost: dict[str, tuple[int, int]] = {}
        self.manifest = None
        if not self.parsed:
            self.parsed.append(self.invoke("parse").result)
        [self.manifest] = self.parsed
        compiled = self.invoke("compile", "--inline", NORMALISED).result.results[0].node
        self.normalise = compiled.compiled_code
        self.invoke("seed", "--select", "path:seeds/identity")

    def environment(self) -> AbstractContextManager[None]:
        """The environment that points the project at this file."""
        values = {
            "CDP_TARGET": "duckdb",
            "CDP_DUCKDB_PATH": str(self.database),
            "CDP_THREADS": str(self.threads),
            "DO_NOT_TRACK": "1",
        }
        return environment(values)

    def invoke(self, *arguments: str, variables: dict[str, Any] | None = None):
        """dbt's outcome of a command on the repository's project with this warehouse file."""
        where = ["--project-dir", str(ROOT), "--profiles-dir", str(ROOT)]
        where += ["--target-path", str(self.folder / "target")]
        where += ["--log-path", str(self.folder / "logs")]
        where += ["--vars", json.dumps({**self.variables, **(variables or {})})]
        # compile prints the SQL, however quiet.
        with self.environment(), redirect_stdout(StringIO()):
            outcome = dbtRunner(manifest=self.manifest).invoke(
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

    def load_table(self, records: pa.Table) -> None:
        """Replace the conformed tables by these raw records: columns of ``RECORD_COLUMNS``, one
        row per record_key. Raises ``ValueError`` for a column that is none of them."""
        unknown = set(records.column_names) - set(RECORD_COLUMNS)
        if unknown:
            raise ValueError(f"not a column of a raw record: {', '.join(sorted(unknown))}")
        columns = ", ".join(
            name if name in records.column_names else f"cast(null as varchar) as {name}"
            for name in RECORD_COLUMNS
        )
        with duckdb.connect(str(self.database)) as connection:
            connection.execute("set enable_progress_bar = false")
            connection.execute("set preserve_insertion_order = false")
            connection.register("given", records)
            connection.execute(f"create temp view raw_records as select {columns} from given")
            connection.execute("create schema if not exists conformed")
            connection.execute(f"create temp table normalised as {self.normalise}")
            self.lost = self._lost(connection, records.column_names)
            connection.execute(RECORDS)
            connection.execute(RECORD_IDENTIFIERS)
            connection.execute(LOG_INS)

    @staticmethod
    def _lost(connection: Any, given: Sequence[str]) -> dict[str, tuple[int, int]]:
        columns = [name for name in CANONICAL_COLUMNS if name in given]
        if not columns:
            return {}
        counted = ", ".join(f"count({name})" for name in columns)
        before, after = (
            connection.execute(f"select {counted} from {table}").fetchone()
            for table in ("raw_records", "normalised")
        )
        return {n: (b, b - a) for n, b, a in zip(columns, before, after, strict=True)}

    def run(self, variables: dict[str, Any] | None = None, threads: int | None = None) -> None:
        """Build the identity models from the conformed tables."""
        outcome = self.invoke(
            "run",
            "--select",
            *self.select,
            "--threads",
            str(threads or self.threads),
            variables=variables,
        )
        timings = [timing for result in outcome.result.results for timing in result.timing]
        started = min(timing.started_at for timing in timings)
        completed = max(timing.completed_at for timing in timings)
        self.model_seconds = (completed - started).total_seconds()

    def customer_table(self) -> pa.Table:
        """record_key, customer_id of all records."""
        with duckdb.connect(str(self.database)) as connection:
            return connection.sql(
                "select record_key, customer_id from identity.customer_identities"
            ).to_arrow_table()

    def forget(self) -> None:
        """Drop what identity remembers: ids are a function of the records again."""
        for table in ("customer_id_registry", "customer_id_assignments"):
            self.query(f"drop table if exists identity.{table}")
