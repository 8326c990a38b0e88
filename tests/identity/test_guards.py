"""What the guards do to whole customers: who stays, who leaves, who keeps the id. All stories go
through the models together."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass

import pytest

from orchestration.identity.decisions import decide
from orchestration.identity.explain import explain_apart
from orchestration.warehouse import Warehouse

from .identity_project import IdentityProject
from .worlds import Record

LIMIT = {"identity_max_records_per_customer": 5}
BY = {"author": "Noor", "reason": "asked them"}


def record(source: str, story: str, day: int, **more: str) -> Record:
    """A record of the one person of a story, unless it says more."""
    person = {"first_name": "Ana", "last_name": f"Ruiz{story}", "loaded_at": f"2024-01-{day:02d}"}
    return {"record_key": f"{source}:{story}", **person, **more}


def boxes(sources: str, story: str, day: int) -> list[Record]:
    """Records that share a mailbox, one per letter."""
    return [record(letter, story, day, email=f"{story}@post.example") for letter in sources]


def of_two_sexes() -> list[Record]:
    """Twins, and an initial that fits both: with one by the mailbox, with the other by a card."""
    louis = {"first_name": "Louis", "gender": "m", "email": "louis@post.example"}
    louise = {"first_name": "Louise", "gender": "f", "loyalty_id": "LL77"}
    short = {"first_name": "L.", "email": "louis@post.example", "loyalty_id": "LL77"}
    return [
        record(source, "twins", 1, **{"last_name": "Weill", **more})
        for source, more in (("b", louis), ("c", louise), ("d", short))
    ]


def step_records(step: int) -> list[Record]:
    """What the sources hold at a step."""
    later = boxes("aefg", "grown", 2)
    return [
        *boxes("bchi", "grown", 1),
        *([], later, later, later[:1])[step],
        *boxes("bcdefghijkl", "planted", 1),
        *boxes("bcdef", "parted", 1),
        *of_two_sexes(),
    ]


@dataclass
class Told:
    """What the models say after a step."""

    customers: dict[str, str]
    rejected: list[tuple]
    reasons: set[str]


def keys(sources: str, story: str) -> list[str]:
    return [f"{source}:{story}" for source in sources]


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> IdentityProject:
    return IdentityProject(tmp_path_factory.mktemp("guards"))


@pytest.fixture(scope="module")
def told(project: IdentityProject) -> list[Told]:
    """Every step of every story."""
    result = []
    for step in range(4):
        # Ids and links must outlive a build of everything but the memory.
        if step == 2:
            project.lose_tables(but=("customer_id_registry", "customer_id_assignments"))
        customers = project.resolve(step_records(step), remembers=True, variables=LIMIT)
        rejected = project.query("from identity.identity_rejected_links order by all")
        reasons = {row[0] for row in project.query("from identity.identity_review_queue")}
        result.append(Told(customers, rejected, reasons))
        if step == 0:
            with project.environment(), Warehouse.open() as warehouse:
                decide(warehouse, "different", "c:parted", other_record_key="b:parted", **BY)
    return result


def test_no_customer_exceeds_the_limit(told) -> None:
    for step in told:
        assert max(Counter(step.customers.values()).values()) <= 5
        assert "too_many_records" in step.reasons
    assert len({told[0].customers[key] for key in keys("bcdefghijkl", "planted")}) > 2


def test_who_was_one_customer_keeps_the_id_and_nothing_new_joins(told) -> None:
    former = {told[0].customers[key] for key in keys("bchi", "grown")}
    assert len(former) == 1
    for step in told[1:3]:
        assert {step.customers[key] for key in keys("bchi", "grown")} == former
        new = {step.customers[key] for key in keys("aefg", "grown")}
        assert len(new) == 4
        assert not new & former
    # Small enough again, it is a customer like others.
    assert {told[3].customers[key] for key in keys("abchi", "grown")} == former


def test_what_was_rejected_stays_rejected_with_rule_and_value(told) -> None:
    assert told[1].customers == told[2].customers
    assert told[1].rejected == told[2].rejected
    grown = [row for row in told[1].rejected if row[0].endswith("grown")]
    assert {(row[4], row[6]) for row in grown} == {("email", "too_many_records")}
    assert {len(row[5]) for row in grown} == {64}


def test_whom_somebody_parts_leaves_alone(told) -> None:
    """The others stay with the record that came first."""
    assert len({told[0].customers[key] for key in keys("bcdef", "parted")}) == 1
    rest = {told[1].customers[key] for key in keys("bdef", "parted")}
    assert rest == {told[0].customers["b:parted"]}
    assert told[1].customers["c:parted"] not in rest


def test_an_initial_does_not_join_twins_of_two_sexes(told) -> None:
    assert told[0].customers["b:twins"] != told[0].customers["c:twins"]


def explained(project: IdentityProject, one: str, other: str) -> list[tuple]:
    """Kind, rule and reason of what keeps two records apart, nearest evidence first."""
    with project.environment(), Warehouse.open() as warehouse:
        found = explain_apart(warehouse, one, other).reasons
    rule = ("link_rule", "identifier_type", "decision")
    why = ("refusal_rule", "reason")
    return [
        (f["kind"], *(next((f[n] for n in names if n in f), None) for names in (rule, why)))
        for f in found
    ]


def test_the_guard_and_the_nearest_evidence_are_told(project: IdentityProject, told) -> None:
    """Also where it leads by way of other customers, or another record of theirs holds it."""
    twins = explained(project, "c:twins", "b:twins")
    assert twins == [("rejected_link", "email", "sexes_contradict")]
    parted = explained(project, "d:parted", "c:parted")
    assert parted[0] == ("decision", "different", "asked them")
    assert ("rejected_link", "email", "decided_apart") in parted
    planted = explained(project, "d:planted", "e:planted")
    assert planted == [("rejected_link", "email", "too_many_records")] * 2


def test_every_record_in_company_is_linked(project: IdentityProject, told) -> None:
    """Also where the record that its star was tied to is new, or was parted from it."""
    project.invoke(
        "test",
        *("--select", "assert_every_record_is_linked", "assert_no_cluster_exceeds_its_limit"),
        *("--vars", str(LIMIT)),
    )
