"""How well records became customers, against the truth that only the demo has."""

from dataclasses import dataclass
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from orchestration.warehouse import Warehouse, compose


@dataclass(frozen=True)
class Accuracy:
    """Pairwise: of the pairs of records put together, how many belong together (precision);
    of those that belong together, how many were put together (recall)."""

    records: int
    persons: int
    customers: int
    true_pairs: int
    found_pairs: int
    right_pairs: int
    largest_cluster: int
    persons_in_worst_cluster: int

    @property
    def precision(self) -> float:
        return self.right_pairs / self.found_pairs if self.found_pairs else 1.0

    @property
    def recall(self) -> float:
        return self.right_pairs / self.true_pairs if self.true_pairs else 1.0


def score(truth: pa.Table, found: pa.Table) -> Accuracy:
    """Compare ``truth`` (record_key, person_id) with ``found`` (record_key, customer_id).
    Records in only one of the tables are left out. O(records)."""
    both = truth.join(found, "record_key", join_type="inner")
    by_person = both.group_by("person_id").aggregate([([], "count_all")])["count_all"]
    by_customer = both.group_by("customer_id").aggregate([([], "count_all")])["count_all"]
    cells = both.group_by(["person_id", "customer_id"]).aggregate([([], "count_all")])
    mixed = cells.group_by("customer_id").aggregate([([], "count_all")])["count_all"]
    return Accuracy(
        records=both.num_rows,
        persons=len(by_person),
        customers=len(by_customer),
        true_pairs=_pairs(by_person),
        found_pairs=_pairs(by_customer),
        right_pairs=_pairs(cells["count_all"]),
        largest_cluster=pc.max(by_customer).as_py() or 0,
        persons_in_worst_cluster=pc.max(mixed).as_py() or 0,
    )


def _pairs(sizes: pa.ChunkedArray) -> int:
    pairs = pc.divide(pc.multiply(sizes, pc.subtract(sizes, 1)), 2)
    return pc.sum(pairs).as_py() or 0


def identity_accuracy(
    truth_dir: Path, target: str | None = None, anonymous: bool = False
) -> Accuracy:
    """Score ``customer_identities`` of the warehouse: known records, or cookies and devices
    together with them."""
    truth = pq.read_table(Path(truth_dir) / "record_truth.parquet")
    with Warehouse.open(target) as warehouse:
        sql = "select record_key, customer_id from {r}"
        if not anonymous:
            sql += " where not is_anonymous"
        rows = warehouse.stream(
            compose(sql, r=warehouse.relation("customer_identities")), batch=100_000
        )
        keys: list[str] = []
        customers: list[str] = []
        for batch in rows:
            keys.extend(row[0] for row in batch)
            customers.extend(row[1] for row in batch)
    found = pa.table({"record_key": keys, "customer_id": customers})
    return score(truth.select(["record_key", "person_id"]), found)
