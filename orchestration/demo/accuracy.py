"""How well records became customers, against a truth that only test data has."""

from dataclasses import dataclass
from pathlib import Path

import duckdb
import pyarrow as pa
import pyarrow.parquet as pq

from orchestration.warehouse import Warehouse, compose

_COUNTED = """
with
cells as (
    select person_id, customer_id, count(*) as size
    from truth inner join found using (record_key)
    where person_id is not null
    group by all
),
persons as (select person_id, sum(size) as size, count(*) as parts from cells group by all),
customers as (select customer_id, sum(size) as size, count(*) as parts from cells group by all),
compared as (
    select
        cells.size,
        persons.size as person_size,
        customers.size as customer_size,
        persons.parts = 1 and customers.parts = 1 as is_exact
    from cells
    inner join persons using (person_id)
    inner join customers using (customer_id)
)
select
    (select sum(size) from persons),
    (select count(*) from persons),
    (select count(*) from customers),
    (select sum(size * (size - 1) // 2) from persons),
    (select sum(size * (size - 1) // 2) from customers),
    (select sum(size * (size - 1) // 2) from cells),
    (select count(*) from compared where is_exact),
    (select sum(size * size / customer_size) from compared),
    (select sum(size * size / person_size) from compared),
    (select max(size) from customers),
    (select max(parts) from customers)
"""


@dataclass(frozen=True)
class Rates:
    """Of what was found, how much is right (precision); of what is true, how much was found
    (recall). Both between 0 and 1."""

    precision: float
    recall: float

    @property
    def f1(self) -> float:
        """Harmonic mean of the two."""
        total = self.precision + self.recall
        return 2 * self.precision * self.recall / total if total else 0.0


@dataclass(frozen=True)
class Accuracy:
    """Counts of records, people, customers and pairs of records, and what follows from them."""

    records: int
    persons: int
    customers: int
    true_pairs: int
    found_pairs: int
    right_pairs: int
    exact_customers: int
    """Customers that hold all records of one person and no other."""
    bcubed: Rates
    """Mean over the records of the share of the customer that is the record's person
    (precision), and of the person that is in the record's customer (recall)."""
    largest_cluster: int
    persons_in_worst_cluster: int

    @property
    def pairs(self) -> Rates:
        """Over pairs of records in one customer; of no pairs all are right."""
        return Rates(
            _share(self.right_pairs, self.found_pairs), _share(self.right_pairs, self.true_pairs)
        )

    @property
    def clusters(self) -> Rates:
        """Over customers that are exactly one person."""
        return Rates(
            _share(self.exact_customers, self.customers), _share(self.exact_customers, self.persons)
        )

    @property
    def precision(self) -> float:
        """Of the pairs of records put together, how many belong together."""
        return self.pairs.precision

    @property
    def recall(self) -> float:
        """Of the pairs of records that belong together, how many were put together."""
        return self.pairs.recall


def score(truth: pa.Table, found: pa.Table) -> Accuracy:
    """Compare ``truth`` (record_key, person_id) with ``found`` (record_key, customer_id), one row
    per record each. Records in only one of the tables, or of an unknown person, are left out.
    Sizes of groups are counted, pairs are never listed: O(records)."""
    with duckdb.connect() as connection:
        connection.register("truth", truth)
        connection.register("found", found)
        counts = [value or 0 for value in connection.execute(_COUNTED).fetchall()[0]]
    *whole, exact, precision, recall, largest, mixed = counts
    bcubed = Rates(_share(precision, whole[0]), _share(recall, whole[0]))
    return Accuracy(*map(int, whole), exact, bcubed, int(largest), mixed)


def _share(part: float, whole: float) -> float:
    return part / whole if whole else 1.0


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
