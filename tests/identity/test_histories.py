"""Any history of the sources, of decisions and of erasures ends where a build from empty starts."""

from __future__ import annotations

import random
from collections import defaultdict

import pytest

from orchestration.identity.decisions import decide, withdraw
from orchestration.warehouse import Warehouse

from .graph_project import partition
from .identity_project import IdentityProject
from .worlds import World, all_records, make_worlds, world_of

pytestmark = pytest.mark.slow

BY = {"author": "Noor", "reason": "asked them"}
STEPS = 5
Customers = dict[str, str]


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> IdentityProject:
    return IdentityProject(tmp_path_factory.mktemp("histories"))


def decide_something(project: IdentityProject, worlds: list[World], step: int) -> None:
    """Link or separate a few pairs and withdraw what was decided two steps ago."""
    with project.environment(), Warehouse.open() as warehouse:
        for world in worlds:
            if pair := world.pair_to_decide():
                said = world.chance.choice(("same", "same", "different"))
                decide(warehouse, said, pair[0], other_record_key=pair[1], **BY)
        if step == 2:
            # Those about somebody who was erased are gone, and some were about the same.
            left = warehouse.fetch(
                "select min(d.decision_number) as n from state.identity_decisions as d"
                " left join state.identity_decisions as n"
                " on d.decision_number < n.decision_number"
                " and d.record_key in (n.record_key, n.other_record_key)"
                " and d.other_record_key in (n.record_key, n.other_record_key)"
                " where n.decision_number is null"
            )
            withdraw(warehouse, left[0]["n"], **BY)


def erase_somebody(project: IdentityProject, worlds: list[World], found: Customers) -> set[str]:
    """In some worlds a customer asks to be forgotten: all ids that it ever had."""
    erased = set()
    for world in worlds:
        if world.records and world.chance.random() < 0.1:
            customer = found[world.chance.choice(sorted(world.records))]
            keys, ids = project.erase(customer)
            for key in keys:
                del world.records[key]
            world.has_lost = True
            erased |= ids
    return erased


def groups(customers: Customers) -> dict[str, frozenset[str]]:
    """Records by customer."""
    members = defaultdict(set)
    for key, customer in customers.items():
        members[customer].add(key)
    return {customer: frozenset(keys) for customer, keys in members.items()}


def redirects(project: IdentityProject) -> dict[str, str | None]:
    sql = "select customer_id, current_customer_id from identity.customer_id_redirects"
    return dict(project.query(sql))


@pytest.fixture(scope="module")
def history(project: IdentityProject) -> tuple[list[World], Customers]:
    """All worlds go their way, a build after each step. Whoever keeps their records keeps their
    id, and every id that was ever issued leads to one customer or to nobody."""
    worlds = make_worlds(150, seed=1)
    before: dict[str, frozenset[str]] = {}
    issued: set[str] = set()
    erased: set[str] = set()
    for step in range(STEPS):
        for world in worlds:
            world.step(step)
        found = project.resolve(all_records(worlds), remembers=True)
        now = groups(found)
        alone = [c for c, keys in before.items() if keys in now.values() and now.get(c) != keys]
        assert alone == []
        issued |= set(now)
        leads = redirects(project)
        # Of the erased nothing is known, unless the log of others still names them: then nobody.
        assert issued - erased <= set(leads) <= issued
        assert {leads[customer] for customer in erased & set(leads)} <= {*now, None}
        assert {leads[customer] for customer in now} == set(now)
        assert set(leads.values()) <= {*now, None}
        before = now
        if step < STEPS - 1:
            decide_something(project, worlds, step)
            erased |= erase_somebody(project, worlds, found)
    assert len(erased) > 30
    assert 100 < len(before) < len(found) - 80
    return worlds, found


def test_a_second_run_writes_nothing(project: IdentityProject, history) -> None:
    log = "select count(*), max(run_number) from identity.customer_id_assignments"
    written = project.query(log)
    worlds, found = history
    assert project.resolve(all_records(worlds), remembers=True) == found
    assert project.query(log) == written


def test_a_build_of_all_but_the_memory_gives_every_id(project: IdentityProject, history) -> None:
    worlds, found = history
    project.lose_tables(but=("customer_id_registry", "customer_id_assignments"))
    assert project.resolve(all_records(worlds), remembers=True) == found


@pytest.fixture(scope="module")
def rebuilt(project: IdentityProject, history) -> Customers:
    """The same sources and decisions in a warehouse without any memory."""
    project.lose_tables()
    return project.resolve(all_records(history[0]))


def test_a_build_from_empty_gives_the_same_customers(history, rebuilt: Customers) -> None:
    """And the same ids wherever no record was ever lost."""
    worlds, found = history
    assert partition(rebuilt) == partition(found)
    whole = {world.name for world in worlds if not world.has_lost}
    assert len(whole) > 50
    changed = {key for key in found if world_of(key) in whole and found[key] != rebuilt[key]}
    assert changed == set()


def test_any_split_in_any_order_ends_the_same(
    project: IdentityProject, history, rebuilt: Customers
) -> None:
    """Batches of records at random, late ones and an empty one among them, with four threads."""
    project.lose_tables()
    records = all_records(history[0])
    random.Random(3).shuffle(records)
    for share in (0, 0.4, 0.7, 1):
        arrived = records[: round(len(records) * share)]
        found = project.resolve(arrived, remembers=True, threads=4)
    assert found == rebuilt
