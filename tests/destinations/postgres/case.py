"""The table, its client and rows of these tests."""

from contextlib import closing
from typing import Any

import psycopg2

from orchestration.destinations.base import Outcome, Row
from orchestration.destinations.postgres import Postgres
from orchestration.sync.spec import SyncSpec

COLUMNS = ["id", "email", "points"]


TABLE = """
    drop table if exists public.members, public.events cascade;
    create table public.members (
        id varchar(12) primary key, email text not null check (email like '%@%'),
        points integer, is_member boolean, other text default 'theirs'
    );
    create table public.events (id text, email text, points integer, event_key text unique)
"""


class Table:
    """The other side, seen by itself."""

    def __init__(self, dsn: str) -> None:
        self.dsn = dsn

    def run(self, statement: str) -> list[tuple]:
        with closing(psycopg2.connect(self.dsn)) as connection:
            connection.autocommit = True
            with connection.cursor() as cursor:
                cursor.execute(statement)
                return cursor.fetchall() if cursor.description else []

    def rows(self, columns: str = "id, points") -> list[tuple]:
        return self.run(f"select {columns} from public.members order by id")


def spec(mode: str = "mirror", options: dict[str, str] | None = None, **changes: Any) -> SyncSpec:
    name = "events" if mode == "append" else "members"
    given = {
        "sync_name": "sync_postgres__members",
        "destination": "postgres",
        "object": "events" if mode == "append" else "records",
        "mode": mode,
        "key": "id",
        "purpose": "marketing",
        "channel": "email",
        "identity_tier": "exact",
        "columns": COLUMNS,
        "options": {"table": f"public.{name}"} | (options or {}),
    }
    return SyncSpec(**(given | changes))


def pg(table: Table, mode: str = "mirror", options: Any = None, **changes: Any) -> Postgres:
    declared = spec(mode, options, **changes)
    Postgres.check(declared)
    return Postgres(declared, table.dsn, sleep=lambda seconds: None)


def row(
    key: str, points: str | None = "7", email: str | None = "a@example.com", **more: Any
) -> Row:
    values = {"id": key, "email": email, "points": points}
    return Row(key, "upsert", "new", values, row_hash="h", **more)


def told(outcomes: list[Outcome]) -> dict[str, tuple[str, str | None]]:
    return {outcome.key: (outcome.status, outcome.error_code) for outcome in outcomes}


DELIVERED = ("delivered", None)
