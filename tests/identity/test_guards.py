"""What the guards do to whole customers: who stays, who leaves, who keeps the id. All stories go
through the models together."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from datetime import timedelta

import pytest

from orchestration.identity.decisions import decide
from orchestration.identity.explain import explain_apart
from orchestration.warehouse import Warehouse

from .identity_project import CUSTOMERS, IdentityProject
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


def parted() -> list[Record]:
    """Of one mailbox and name. Two birth dates are suspicious, but no reason against a mailbox."""
    born = {"b:parted": "1980-05-17", "e:parted": "1991-11-03"}
    rows = boxes("bcdef", "parted", 1)
    return [{**row, "birth_date": born.get(row["record_key"], "")} for row in rows]


def step_records(step: int) -> list[Record]:
    """What the sources hold at a step."""
    later = boxes("aefg", "grown", 2)
    return [
        *boxes("bchi", "grown", 1),
        *([], later, later, later[:1])[step],
        *boxes("bcdefghijkl", "planted", 1),
        *parted(),
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
    """Also where it leads by way of other customers, or another record of theirs holds it. The
    guard is what stands between the two, not what else is wrong with all that were drafted."""
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


MARIE = {"first_name": "Marie", "birth_date": "1980-05-17"}
JEANNE = {"first_name": "Jeanne", "birth_date": "1991-11-03"}
MONA = {**JEANNE, "first_name": "Mona"}
JADE = {"first_name": "Jade", "birth_date": "1960-01-22"}


def person(letter: str, story: str, day: int, count: int = 5, **more: str) -> list[Record]:
    """Records of one person, who has a mailbox."""
    box = {"email": f"{letter}.{story}@post.example", **more}
    return [record(f"{letter}{number}", story, day, **box) for number in range(1, count + 1)]


def phone(number: int) -> dict[str, str]:
    return {"phone": f"+3360000{number:04d}"}


def decided_records() -> list[Record]:
    """Two customers in each story, whom somebody will say to be one."""
    two = [
        two_of
        for story in ("same", "third", "undone", "parted", "early", "order", "passer")
        for two_of in (person("a", story, 1, **MARIE), person("b", story, 2, **JEANNE))
    ]
    # Whoever is later leaves, also where that is the first by name.
    two += [person("a", "late", 2, **MARIE), person("b", "late", 1, **JEANNE)]
    records = [row for rows in two for row in rows]
    by_key = {row["record_key"]: row for row in records}
    # Somebody else, whom an initial ties to Jeanne.
    by_key["b1:third"] |= phone(1)
    short = {"first_name": "J.", **phone(1), "loyalty_id": "CT10"}
    records += [
        record("c", "third", 3, **JADE, loyalty_id="CT10"),
        record("d", "third", 3, **short),
    ]
    # What somebody decides about is an order by a guest.
    by_key["a1:order"] |= {"first_name": "", "last_name": "", "birth_date": ""}
    # An initial that fits both, by a telephone of the one and a telephone of the other.
    for number in range(1, 6):
        by_key[f"b{number}:passer"] |= MONA
    by_key["a1:passer"] |= phone(2)
    by_key["b1:passer"] |= phone(3)
    records += person("c", "passer", 3, 2, first_name="M.")
    records[-2] |= phone(2)
    records[-1] |= phone(3)
    # a and c share a mailbox, and each is said to be somebody whom nothing ties to it.
    box = {"email": "quarrel@post.example"}
    records += [
        record(letter, "quarrel", 1, **(box if letter in "ac" else {})) for letter in "abcd"
    ]
    # Two that were told apart are tied by a third decision between their mailboxes.
    for letter, box in (("a", 1), ("c", 1), ("d", 2), ("b", 2), ("e", 3), ("f", 4)):
        records.append(record(letter, "chain", 1, email=f"chain{box}@post.example"))
    for letter in "ab":
        records += person(letter, "large", 1, 7)
        for number, row in enumerate(person(letter, "cards", 1, 6)):
            records.append({**row, "loyalty_id": f"{letter}{number}0{number}7"})
    return records


def browser(story: str, number: int, before: int | None = None, **more: str) -> Record:
    """A browser with its cookie, and the one before."""
    cookie = {"cookie_id": f"{story}-{number}"}
    if before is not None:
        cookie["previous_cookie_id"] = f"{story}-{before}"
    key = {"record_key": f"web:{story}-{number:02d}", "is_anonymous": "true"}
    return {**key, **cookie, "loaded_at": f"2024-02-{number + 1:02d}", **more}


def browsers() -> list[Record]:
    """A kiosk with a cookie for each visit, which somebody logged in on, and a customer who is a
    stranger to each browser anew."""
    kiosk = [browser("kiosk", number, number - 1) for number in range(14)]
    kiosk[3]["shop_customer_id"] = "K1"
    many = [browser("many", number, shop_customer_id="M1") for number in range(14)]
    accounts = [
        record("shop", story, 1, shop_customer_id=account)
        for story, account in (("kiosk", "K1"), ("many", "M1"))
    ]
    return [*kiosk, *many, *accounts]


def say(project: IdentityProject, decision: str, one: str, other: str) -> None:
    with project.environment(), Warehouse.open() as warehouse:
        decide(warehouse, decision, one, other_record_key=other, **BY)


@dataclass
class Decided:
    """Sizes of the customers of each story before and after somebody decided, with the records
    that are alone, and what is to be looked at again."""

    before: dict[str, list[int]]
    after: dict[str, list[int]]
    alone: set[str]
    reviewed: set[tuple[str, str]]
    customers: dict[str, str]
    browsers_reviewed: set[tuple]


def sizes(customers: dict[str, str]) -> dict[str, list[int]]:
    found = Counter((key.split(":")[1], customer) for key, customer in customers.items())
    return {
        story: sorted(count for (of, _), count in found.items() if of == story)
        for story, _ in found
    }


@pytest.fixture(scope="module")
def decided(tmp_path_factory: pytest.TempPathFactory) -> Decided:
    """Two records of each story are said to be one; in some something else is said after that."""
    select = (
        *CUSTOMERS,
        *(f"int_identity__{what}_for_review" for what in ("decisions", "browsers")),
    )
    limit = {"identity_max_records_per_customer": 13}
    folder = tmp_path_factory.mktemp("decided")
    project = IdentityProject(folder, variables=limit, select=select)
    before = project.resolve([*decided_records(), *browsers()])
    for story in sizes(before):
        if f"a1:{story}" in before:
            say(project, "same", f"a1:{story}", f"b1:{story}")
    say(project, "different", "a1:undone", "b1:undone")
    say(project, "different", "a2:parted", "b2:parted")
    say(project, "different", "a2:early", "b1:early")
    say(project, "different", "a2:late", "b2:late")
    for one, other in ("ae", "bf", "cd"):
        say(project, "same", f"{one}:chain", f"{other}:chain")
    say(project, "different", "a:chain", "b:chain")
    say(project, "same", "a:quarrel", "b:quarrel")
    say(project, "same", "c:quarrel", "d:quarrel")
    say(project, "different", "b:quarrel", "c:quarrel")
    after = project.resolve([*decided_records(), *browsers()])
    number = Counter(after.values())
    reviewed = project.query(
        "select d.record_key, r.reason from identity.int_identity__decisions_for_review as r"
        " inner join identity.int_identity__decisions_listed as d using (decision_number)"
    )
    project.invoke("test", "--select", "assert_no_cluster_exceeds_its_limit")
    alone = {key for key, customer in after.items() if number[customer] == 1}
    held = project.query("from identity.int_identity__browsers_for_review")
    return Decided(sizes(before), sizes(after), alone, set(reviewed), after, set(held))


def test_who_are_said_to_be_one_are_one_however_they_contradict(decided) -> None:
    """Both customers, not the two records; also where one of these says nothing of anybody."""
    assert decided.before["same"] == decided.before["order"] == [5, 5]
    assert decided.after["same"] == decided.after["order"] == [10]


def test_somebody_else_does_not_come_in_by_that(decided) -> None:
    assert decided.before["third"] == [2, 5, 5]
    assert decided.after["third"] == [2, 10]


def test_what_fits_both_joins_when_they_are_one(decided) -> None:
    assert decided.before["passer"] == [2, 5, 5]
    assert decided.after["passer"] == [12]


def test_the_newest_word_about_two_records_counts(decided) -> None:
    assert decided.after["undone"] == [5, 5]


def test_who_is_parted_from_one_of_them_leaves_alone(decided) -> None:
    assert decided.after["parted"] == [1, 9]
    assert "b2:parted" in decided.alone
    assert decided.after["late"] == [1, 9]
    assert "a2:late" in decided.alone


def test_the_one_about_whom_nothing_else_was_decided_leaves(decided) -> None:
    """Though it came first: the other one was said to be one with somebody."""
    assert decided.after["early"] == [1, 9]
    assert "a2:early" in decided.alone


def test_decisions_that_cannot_all_be_true_join_nobody(decided) -> None:
    assert decided.before["chain"] == decided.after["chain"] == [1, 1, 2, 2]
    assert ("a:chain", "decisions_contradict") in decided.reviewed


def test_people_have_their_word_before_what_evidence_would_join(decided) -> None:
    """Who is told from one of two that are one is told from both."""
    assert decided.before["quarrel"] == [1, 1, 2]
    assert decided.after["quarrel"] == [2, 2]


def test_a_limit_of_values_is_broken_by_people_and_seen(decided) -> None:
    assert decided.before["cards"] == [6, 6]
    assert decided.after["cards"] == [12]
    assert ("a1:cards", "decision_breaks_rule") in decided.reviewed


def test_nobody_makes_a_customer_larger_than_the_build_allows(decided) -> None:
    assert decided.before["large"] == decided.after["large"] == [7, 7]
    assert ("a1:large", "decisions_contradict") in decided.reviewed


def test_a_browser_over_a_limit_is_nobody_s_and_seen(decided) -> None:
    """Also one that would be within it, of a customer who has as many as one may have."""
    found = decided.customers
    [kiosk] = {found[f"web:kiosk-{number:02d}"] for number in range(14)}
    assert kiosk != found["shop:kiosk"]
    own = [found[f"web:many-{number:02d}"] == found["shop:many"] for number in range(14)]
    assert own == [True] * 12 + [False] * 2
    late = {("too_many_records", found[f"web:many-{n}"], found["shop:many"], 1) for n in (12, 13)}
    assert decided.browsers_reviewed == {
        ("too_many_records", kiosk, found["shop:kiosk"], 14),
        *late,
    }


def test_a_date_that_alarms_passes_once_it_is_accepted(project: IdentityProject, told) -> None:
    project.query("update identity.identity_health set is_alarming = true")
    test = ("test", "--select", "assert_identity_has_not_collapsed")
    [(as_of,)] = project.query("select max(as_of) from identity.identity_health")
    day_before = {"identity_accepted_through": str(as_of - timedelta(days=1))}
    with pytest.raises(AssertionError):
        project.invoke(*test, variables=day_before)
    project.invoke(*test, variables={"identity_accepted_through": str(as_of)})
