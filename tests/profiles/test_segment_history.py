"""The membership history, driven day by day and compared with one written down in Python."""

import random
from datetime import date, timedelta

import pytest

from tests.fixtures.profile_project import ProfileProject

FIRST = date(2026, 1, 1)
PEOPLE = [f"p{n:02}" for n in range(30)]
SEGMENTS = {"segments": ["champions", "cart_abandoners"]}
MODELS = ["segment_members", "segment_sizes", "segment_member_history"]


class History:
    """One project, built on nobody, whose segments' tables the test fills itself."""

    def __init__(self, project: ProfileProject) -> None:
        self.project = project
        project.execute(
            "delete from segments.segment_member_history",
            "delete from segments.segment_sizes",
            "delete from segments.int_segments__customers_eligible",
            *(
                "insert into segments.int_segments__customers_eligible (customer_id)"
                f" values ('{person}')"
                for person in PEOPLE
            ),
        )

    def run(self, day: date, members: dict[str, set[str]], *flags: str) -> set[tuple]:
        """Run a business date on these members; give the whole history."""
        statements = []
        for segment in SEGMENTS["segments"]:
            statements.append(f"delete from segments.{segment}")
            statements += [
                f"insert into segments.{segment} values ('{person}')"
                for person in sorted(members.get(segment, ()))
            ]
        self.project.execute(*statements)
        self.project.dbt("run", "--select", *MODELS, *flags, as_of=day.isoformat(), **SEGMENTS)
        return self.intervals()

    def intervals(self) -> set[tuple]:
        rows = self.project.fetch("select * from segments.segment_member_history")
        found = [
            (r["segment_name"], r["customer_id"], r["entered_on"], r["exited_on"]) for r in rows
        ]
        assert len(found) == len(set(found))
        return set(found)


@pytest.fixture(scope="module")
def built(project: ProfileProject) -> ProfileProject:
    project.fill()
    project.dbt("run", "--select", "+segment_member_history", **SEGMENTS)
    return project


@pytest.fixture
def history(built: ProfileProject) -> History:
    return History(built)


def expected(days: dict[date, dict[str, set[str]]]) -> set[tuple]:
    """The intervals that these memberships make."""
    intervals = set()
    for segment in SEGMENTS["segments"]:
        for person in PEOPLE:
            entered = None
            for day, members in sorted(days.items()):
                is_member = person in members.get(segment, ())
                if is_member and entered is None:
                    entered = day
                elif not is_member and entered is not None:
                    intervals.add((segment, person, entered, day))
                    entered = None
            if entered is not None:
                intervals.add((segment, person, entered, None))
    return intervals


def test_random_days_with_repeats_halves_and_full_refreshes(history: History):
    rng = random.Random(11)
    days: dict[date, dict[str, set[str]]] = {}
    day = FIRST
    for _ in range(5):
        # Days without a run are not guessed.
        day += timedelta(days=rng.randint(1, 3))
        members = {s: {p for p in PEOPLE if rng.random() < 0.5} for s in SEGMENTS["segments"]}
        half = {s: {p for p in people if rng.random() < 0.5} for s, people in members.items()}
        wrong = {s: {p for p in PEOPLE if rng.random() < 0.3} for s in SEGMENTS["segments"]}
        for earlier in rng.sample([half, wrong, members], k=rng.randint(0, 2)):
            history.run(day, earlier)
        days[day] = members
        flags = ["--full-refresh"] if rng.random() < 0.4 else []
        assert history.run(day, members, *flags) == expected(days)
    # Again, and an older date on other data: nothing changes.
    before = history.intervals()
    assert history.run(day, days[day]) == before
    assert history.run(day - timedelta(days=1), {"champions": set(PEOPLE)}) == before
    assert history.run(day, days[day]) == before


def test_members_who_may_be_in_no_segment_leave(history: History):
    history.run(FIRST, {"champions": {"p00", "p01"}})
    history.project.execute(
        "delete from segments.int_segments__customers_eligible where customer_id = 'p00'"
    )
    day = FIRST + timedelta(days=1)
    assert history.run(day, {"champions": {"p00", "p01"}}) == {
        ("champions", "p00", FIRST, day),
        ("champions", "p01", FIRST, None),
    }


def test_erased_customers_leave_no_trace(history: History):
    history.run(FIRST, {"champions": {"p00", "p01"}})
    history.run(FIRST + timedelta(days=1), {"champions": {"p01"}})
    history.project.execute(
        "insert into profiles.customer_suppressions (customer_id, reason) values ('p00', 'erasure')"
    )
    day = FIRST + timedelta(days=2)
    assert history.run(day, {"champions": {"p01"}}) == {("champions", "p01", FIRST, None)}
    history.project.execute("delete from profiles.customer_suppressions")


def test_erased_customers_leave_no_trace_under_the_id_of_before_a_merge(history: History):
    history.run(FIRST, {"champions": {"p00", "p01", "p02"}})
    history.project.execute(
        "insert into standin.customer_id_redirects values"
        " ('p00', 'p00', 'current'), ('p01', 'p00', 'merged'), ('p02', 'p02', 'current')",
        "insert into profiles.customer_suppressions (customer_id, reason)"
        " values ('p00', 'erasure'), ('p02', 'objection')",
    )
    day = FIRST + timedelta(days=1)
    assert history.run(day, {}) == {("champions", "p02", FIRST, day)}
    history.project.execute(
        "delete from standin.customer_id_redirects", "delete from profiles.customer_suppressions"
    )


def test_sizes_keep_every_day(history: History):
    history.run(FIRST, {"champions": {"p00", "p01"}})
    history.run(FIRST + timedelta(days=1), {"champions": {"p01"}}, "--full-refresh")
    history.run(FIRST + timedelta(days=1), {"champions": {"p01", "p02", "p03"}})
    rows = history.project.fetch("select * from segments.segment_sizes")
    assert {(r["segment_name"], r["as_of"], r["member_count"]) for r in rows} == {
        ("champions", FIRST, 2),
        ("cart_abandoners", FIRST, 0),
        ("champions", FIRST + timedelta(days=1), 3),
        ("cart_abandoners", FIRST + timedelta(days=1), 0),
    }
