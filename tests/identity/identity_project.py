"""The identity models on person records given as rows, for tests."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import pyarrow as pa

from benchmarks.identity_warehouse import RECORD_COLUMNS, ROOT, IdentityWarehouse
from tests.fixtures.shared_manifest import shared_manifest

SHARED = Path(os.environ.get("CDP_SHARED_DIR", ROOT.parent / "shared"))
# For a test that asks who is who and nothing else.
CUSTOMERS = ("path:models/identity,+customer_identities", "customer_id_assignments")


class IdentityProject(IdentityWarehouse):
    """One warehouse file; ``resolve`` may be called again and again."""

    def __init__(self, *arguments: Any, **options: Any) -> None:
        if not self.parsed:
            self.parsed.append(shared_manifest())
        super().__init__(*arguments, **options)
        for node in self.manifest.nodes.values():
            # Descriptions in the warehouse took an eighth of a run, and nobody looks at them.
            node.config.persist_docs = {}

    def load(self, records: list[dict[str, str | None]]) -> None:
        """Replace the conformed tables by these raw records (see ``RECORD_COLUMNS``)."""
        columns = {
            name: pa.array([row.get(name) for row in records], pa.string())
            for name in RECORD_COLUMNS
        }
        self.load_table(pa.table(columns))

    def customers(self) -> dict[str, str]:
        """record_key -> customer_id."""
        table = self.customer_table()
        return dict(zip(*(table[name].to_pylist() for name in table.column_names), strict=True))

    def erase(self, customer_id: str) -> tuple[set[str], set[str]]:
        """Take a customer out of all that identity remembers, as `cdp erase` does. Returns
        the keys of its records, which the test takes out of its sources, and the ids that these
        can have issued."""
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
