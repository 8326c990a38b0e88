"""Sets a ledger aside that cannot be trusted any more.

The entries are kept in tables of other names. Every sync then has lost its ledger, which the
guard ``ledger_lost`` says; after the next build a run with ``--rebaseline`` sends everything
once more, which is harmless, and removes nobody, because nobody is known to be held.
"""

from pathlib import Path

from orchestration.sync.lease import JOBS, LEDGER
from orchestration.sync.ledger import IDENTIFIERS
from orchestration.warehouse import ROOT, Relation, Warehouse, compose


def repair(target: str | None = None, *, project_dir: Path = ROOT) -> list[str]:
    """Set the ledger, its jobs and identifiers aside, and return their new names."""
    kept = []
    with Warehouse.open(target, project_dir) as warehouse, warehouse.transaction():
        for name in (LEDGER, JOBS, IDENTIFIERS):
            relation = warehouse.relation(name)
            columns = warehouse.columns(relation)
            if not columns:
                continue
            aside = _free_name(warehouse, relation)
            # A copy, as views of the plan hang on the table itself.
            warehouse.execute(compose("create table {a} as select * from {r}", a=aside, r=relation))
            warehouse.execute(compose("delete from {r}", r=relation))
            kept.append(f"{aside.schema}.{aside.identifier}")
        folded = warehouse.relation("sync_ledger_folded")
        if warehouse.exists(folded):
            warehouse.execute(compose("delete from {r}", r=folded))
    return kept


def _free_name(warehouse: Warehouse, relation: Relation) -> Relation:
    number = 1
    while True:
        name = f"{relation.identifier}_set_aside_{number}"
        aside = Relation(relation.schema, name, relation.database)
        if not warehouse.exists(aside):
            return aside
        number += 1
