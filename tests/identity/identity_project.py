"""The identity models on person records given as rows, for tests."""

from __future__ import annotations

import os
from pathlib import Path

import pyarrow as pa

from benchmarks.identity_warehouse import RECORD_COLUMNS, ROOT, IdentityWarehouse

SHARED = Path(os.environ.get("CDP_SHARED_DIR", ROOT.parent / "shared"))


class IdentityProject(IdentityWarehouse):
    """One warehouse file; ``resolve`` may be called again and again."""

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
    ) -> dict[str, str]:
        """Load, run and return record_key -> customer_id; from empty unless it remembers."""
        if not remembers:
            self.forget()
        self.load(records)
        self.run(threads=threads)
        found = self.customers()
        assert set(found) == {row["record_key"] for row in records}
        return found
