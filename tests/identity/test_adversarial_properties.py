"""What must not matter does not on the nasty rows either: order, threads, batches, repeats,
names of keys, company."""

from __future__ import annotations

import random

import pytest

from .graph_project import partition
from .identity_project import IdentityProject
from .test_adversarial import CORPUS, read, record_key
from .test_metamorphic import strangers
from .worlds import Record

Customers = dict[str, str]
pytestmark = pytest.mark.skipif(
    not CORPUS.exists(), reason="the adversarial corpus is not there (set CDP_SHARED_DIR)"
)


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> IdentityProject:
    return IdentityProject(tmp_path_factory.mktemp("adversarial_properties"))


@pytest.fixture(scope="module")
def records() -> list[Record]:
    """Of both corpora, loaded over a month."""
    newest = {}
    for row in sorted(read("customers.csv"), key=lambda row: row["updated_at"]):
        newest[record_key(row)] = {**row, "loaded_at": row["created_at"]}
    chance = random.Random(1)
    for row in read("collapse.csv"):
        loaded_at = f"2024-01-{chance.randrange(1, 29):02d} 00:00:00"
        newest[record_key(row)] = {**row, "loaded_at": loaded_at}
    return [{**row, "record_key": key} for key, row in newest.items()]


@pytest.fixture(scope="module")
def customers(project: IdentityProject, records) -> Customers:
    return project.resolve(records)


def test_order_threads_strangers_and_blocked_values_change_no_id(
    project, records, customers
) -> None:
    shuffled = random.Random(2).sample([*records, *strangers()], len(records) + 40)
    found = project.resolve(shuffled, threads=4)
    assert {key: found[key] for key in customers} == customers


def test_batches_in_any_order_a_second_run_and_a_rebuild_change_no_id(
    project, records, customers
) -> None:
    """Late batches and an empty one among them."""
    project.lose_tables()
    arriving = random.Random(3).sample(records, len(records))
    for share in (0.5, 0.5, 1):
        found = project.resolve(arriving[: round(len(arriving) * share)], remembers=True)
    assert found == customers
    contents = project.contents()
    assert project.resolve(records, remembers=True) == customers
    assert project.contents() == contents
    project.lose_tables(but=("customer_id_registry", "customer_id_assignments"))
    assert project.resolve(records, remembers=True, threads=4) == customers


@pytest.mark.slow
def test_other_names_of_keys_give_the_same_people(project, records) -> None:
    """Of the named; where one without a name may go to either of two, its key may decide."""
    named = [row for row in records if row.get("first_name")]
    before = project.resolve(named)
    names = [row["record_key"] for row in named]
    shuffled = random.Random(4).sample(names, len(names))
    new = dict(zip(names, (f"new-{name}" for name in shuffled), strict=True))
    after = project.resolve([{**row, "record_key": new[row["record_key"]]} for row in named])
    assert partition({key: after[new[key]] for key in names}) == partition(before)
