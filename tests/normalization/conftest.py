"""Macros as functions: each is rendered by dbt once, then run on rows of text on each engine."""

import csv
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import duckdb
import psycopg2
import pyarrow as pa
import pytest
from psycopg2.extras import execute_values

csv.field_size_limit(10**8)

# Calls over the text columns x, y and z of a table t.
TIMES = ", ".join(f"'cast(t.{column} as timestamp)'" for column in "xyz")
EXPRESSIONS = {
    "clean_text": "clean_text('t.x')",
    "null_if_placeholder": "null_if_placeholder('t.x')",
    "strip_accents": "strip_accents('t.x')",
    "lower_text": "lower_text('t.x')",
    "fold_width": "fold_width('t.x')",
    "normalize_name": "normalize_name('t.x')",
    "name_key": "name_key('t.x')",
    "normalize_email": "normalize_email('t.x')",
    "email_local_part": "email_local_part(normalize_email('t.x'))",
    "email_domain": "email_domain(normalize_email('t.x'))",
    "domain_to_ascii": "domain_to_ascii('t.x')",
    "normalize_phone": "normalize_phone('t.x', 't.y')",
    "normalize_phone_home": "normalize_phone('t.x')",
    "normalize_birth_date": "normalize_birth_date('t.x')",
    "normalize_birth_date_in_1850": "normalize_birth_date('t.x', \"cast('1850-06-01' as date)\")",
    "normalize_timestamp": "normalize_timestamp('t.x')",
    "null_if_epoch": "null_if_epoch('cast(t.x as timestamp)')",
    "local_to_utc": "local_to_utc('t.x', 't.y')",
    "to_utc": "to_utc('cast(t.x as timestamp)', 't.y')",
    "from_utc": "from_utc('cast(t.x as timestamp)', 't.y')",
    "event_time": f"event_time({TIMES})",
    "has_bad_time": f"has_bad_time({TIMES})",
    "normalize_money": "normalize_money('t.x')",
    "normalize_money_thousandths": "normalize_money('t.x', scale=3)",
    "normalize_money_fr": "normalize_money('t.x', number_format='fr')",
    "normalize_money_us": "normalize_money('t.x', number_format='us')",
    "normalize_currency": "normalize_currency('t.x')",
    "normalize_country": "normalize_country('t.x')",
    "normalize_language": "normalize_language('t.x')",
    "normalize_gender": "normalize_gender('t.x')",
    "normalize_boolean": "normalize_boolean('t.x')",
    "normalize_status": "normalize_status('t.x')",
    "normalize_postcode": "normalize_postcode('t.x', 't.y')",
    "clean_url": "clean_url('t.x')",
    "scrub_text": "scrub_text('t.x')",
    "is_valid_json": "is_valid_json('t.x')",
    "record_key": "record_key('crm', 't.x')",
    "record_key_of_odd_source": "record_key('a:b%', 't.x')",
    "record_key_of": "record_key('t.y', 't.x', source_is_expression=true)",
    "sha256_hex": "sha256_hex('t.x')",
    "md5_hex": "md5_hex('t.x')",
}
SEPARATOR = "\n@@@\n"


class Engine:
    """A database that runs the macros; `sql` holds their text by the names of EXPRESSIONS."""

    def __init__(self, name: str, sql: dict[str, str], execute: Callable) -> None:
        self.name, self.sql, self._execute = name, sql, execute

    def run(self, name: str, rows: Sequence[str | tuple | None]) -> list:
        """Values of a macro for texts, or for tuples of the columns x, y, z, in their order."""
        tuples = [row if isinstance(row, tuple) else (row,) for row in rows]
        padded = [(index, *row, *[None] * (3 - len(row))) for index, row in enumerate(tuples)]
        return self._execute(f"select {self.sql[name]} from texts as t order by t.i", padded)

    def value(self, name: str, *columns: str | None):
        """Value of a macro for one row."""
        return self.run(name, [columns])[0]


def _render(dbt, env: dict[str, str] | None) -> dict[str, str]:
    template = SEPARATOR.join("{{ " + call + " }}" for call in EXPRESSIONS.values())
    return dict(zip(EXPRESSIONS, dbt.compile(template, env=env).split(SEPARATOR), strict=True))


@pytest.fixture(scope="session")
def on_duckdb(dbt) -> Engine:
    """The macros on DuckDB."""
    connection = duckdb.connect()
    connection.execute("set TimeZone = 'UTC'")

    def execute(sql: str, rows: list[tuple]) -> list:
        columns = zip(*rows, strict=True) if rows else ((), (), (), ())
        types = [pa.int64(), pa.string(), pa.string(), pa.string()]
        arrays = [pa.array(c, t) for c, t in zip(columns, types, strict=True)]
        connection.register("texts", pa.table(arrays, names=["i", "x", "y", "z"]))
        return [row[0] for row in connection.execute(sql).fetchall()]

    return Engine("duckdb", _render(dbt, None), execute)


@pytest.fixture(scope="session")
def on_postgres(dbt, postgres: dict[str, str]) -> Iterator[Engine]:
    """The macros on PostgreSQL."""
    connection = psycopg2.connect(
        host=postgres["CDP_POSTGRES_HOST"],
        port=postgres["CDP_POSTGRES_PORT"],
        user=postgres["CDP_POSTGRES_USER"],
        dbname=postgres["CDP_POSTGRES_DATABASE"],
        options="-c timezone=Asia/Tokyo",
    )
    connection.autocommit = True
    cursor = connection.cursor()
    cursor.execute("create temp table texts (i int, x text, y text, z text)")

    def execute(sql: str, rows: list[tuple]) -> list:
        cursor.execute("truncate texts")
        execute_values(cursor, "insert into texts values %s", rows)
        cursor.execute(sql)
        return [row[0] for row in cursor.fetchall()]

    yield Engine("postgres", _render(dbt, postgres), execute)
    connection.close()


@pytest.fixture(scope="session", params=["duckdb", "postgres"])
def engine(request: pytest.FixtureRequest) -> Engine:
    """Each engine in turn."""
    return request.getfixturevalue(f"on_{request.param}")


@pytest.fixture(scope="session")
def corpus(shared_dir: Path) -> Callable[[str], list[dict[str, str]]]:
    """Rows of a file of the adversarial corpus, all columns as text."""

    def read(name: str) -> list[dict[str, str]]:
        with (shared_dir / "data" / "adversarial" / name).open(
            newline="", encoding="utf-8"
        ) as file:
            return list(csv.DictReader(file))

    return read
