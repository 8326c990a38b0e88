"""Salesforce: modes, declarations and any text."""

from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from orchestration.destinations._salesforce import csv_line, read_csv
from orchestration.destinations.base import (
    Job,
    Row,
)
from orchestration.destinations.salesforce import Salesforce
from tests.destinations.rows import deliver, leaver, settle, statuses
from tests.destinations.salesforce.case import COLUMNS, row, salesforce
from tests.fakes.salesforce import KEY, FakeSalesforce

# -- modes


def test_update_only_touches_who_is_there(org: FakeSalesforce) -> None:
    org.add(**{KEY: "a", "LastName": "Old"})
    by_email = org.add(LastName="Old", Email="B@example.com")
    org.add(LastName="Twin", Email="c@example.com")
    org.add(LastName="Twin", Email="c@example.com")
    org.add(**{KEY: "other", "LastName": "Old", "Email": "d@example.com"})
    rows = [row(key) for key in "abcde"]
    outcomes = deliver(salesforce(org, mode="update_only", match_on="Email"), rows)
    assert statuses(outcomes) == {
        "a": ("delivered", None),
        "b": ("delivered", None),
        "c": ("rejected", "SEVERAL_RECORDS"),
        "d": ("rejected", "RECORD_OF_ANOTHER_KEY"),
        "e": ("rejected", "NOT_THERE"),
    }
    assert outcomes["b"].remote_id == by_email
    assert org.of("b")["LastName"] == "Name of b"
    assert len(org.records) == 5


def test_update_only_by_the_key_alone(org: FakeSalesforce) -> None:
    org.add(**{KEY: "a", "LastName": "Old"})
    outcomes = deliver(salesforce(org, mode="update_only"), [row("a"), row("b")])
    assert statuses(outcomes) == {"a": ("delivered", None), "b": ("rejected", "NOT_THERE")}


def test_create_only_takes_a_record_that_is_there_for_delivered(org: FakeSalesforce) -> None:
    org.add(**{KEY: "a", "LastName": "Old"})
    org.refusing = {"c": "DUPLICATE_VALUE:duplicate value found: Email duplicates value on r:--"}
    outcomes = deliver(salesforce(org, mode="create_only"), [row(key) for key in "abc"])
    assert statuses(outcomes) == {
        "a": ("delivered", None),
        "b": ("delivered", None),
        "c": ("rejected", "DUPLICATE_VALUE"),
    }
    assert org.of("a")["LastName"] == "Old"


def test_a_key_that_is_taken_is_no_success_of_an_upsert(org: FakeSalesforce) -> None:
    """Another job made the record in between: our values are not there."""
    org.refusing = {"a": f"DUPLICATE_VALUE:duplicate value found: {KEY} duplicates value on r:--"}
    outcomes = deliver(salesforce(org), [row("a")])
    assert statuses(outcomes) == {"a": ("rejected", "DUPLICATE_VALUE")}


def test_leaving_by_mode(org: FakeSalesforce) -> None:
    for mode in ("audience", "mirror", "upsert", "delete"):
        org.add(**{KEY: mode, "LastName": "x", "CDP_Segment__c": "champions"})
        on_leave = {"CDP_Segment__c": ""} if mode in ("audience", "upsert") else {}
        destination = salesforce(org, mode=mode, on_leave=on_leave)
        assert statuses(deliver(destination, [leaver(mode)])) == {mode: ("delivered", None)}
    assert org.of("audience") == {KEY: "audience", "LastName": "x"}
    assert org.of("upsert") == {KEY: "upsert", "LastName": "x"}
    assert org.of("mirror") is None
    assert org.of("delete") is None
    assert len(org.bin) == 2


@pytest.mark.parametrize("mode", ["upsert", "update_only", "create_only"])
def test_without_on_leave_a_withdrawal_is_not_told_as_done(org: FakeSalesforce, mode: str) -> None:
    org.add(**{KEY: "a", "LastName": "x"})
    outcomes = deliver(salesforce(org, mode=mode), [leaver("a", "consent"), leaver("b", "consent")])
    assert statuses(outcomes) == {
        "a": ("rejected", "NO_REMOVAL_DECLARED"),
        "b": ("delivered", None),  # nothing of it is there
    }
    assert org.jobs == {}


@pytest.mark.parametrize("mode", ["audience", "mirror"])
@pytest.mark.parametrize("hard", ["true", "false"])
def test_erasures_among_others(org: FakeSalesforce, mode: str, hard: str) -> None:
    for key in "abc":
        org.add(**{KEY: key, "LastName": "x", "CDP_Segment__c": "champions"})
    on_leave = {"CDP_Segment__c": ""} if mode == "audience" else {}
    options = {"hard_delete": hard}
    destination = salesforce(org, mode=mode, on_leave=on_leave, options=options)
    org.locked = {"c"}
    rows = [leaver("a", "erasure"), leaver("b"), leaver("c"), leaver("d", "erasure")]
    job = destination.remove(rows)
    bare = [Row(key, "remove", "resumed") for key in "abc"]
    outcomes = settle(salesforce(org, mode=mode, on_leave=on_leave), Job(job.job_id), bare)
    assert statuses(outcomes) == {
        "a": ("delivered", None),
        "b": ("delivered", None),
        "c": ("unknown", "UNABLE_TO_LOCK_ROW"),
    }
    assert org.of("a") is None
    assert org.of("c")["CDP_Segment__c"] == "champions"
    in_bin = {("mirror", "true"): 1, ("mirror", "false"): 2, ("audience", "false"): 1}
    assert len(org.bin) == in_bin.get((mode, hard), 0)


def test_erasure_may_be_left_to_others(org: FakeSalesforce) -> None:
    org.add(**{KEY: "a", "LastName": "x", "CDP_Segment__c": "champions"})
    destination = salesforce(
        org, mode="audience", on_leave={"CDP_Segment__c": ""}, on_erasure="leave"
    )
    deliver(destination, [leaver("a", "erasure")])
    assert org.of("a") == {KEY: "a", "LastName": "x"}


def test_a_deletion_that_was_refused_is_said(org: FakeSalesforce) -> None:
    org.add(**{KEY: "a", "LastName": "x"})
    org.refusing = {"a": "DELETE_FAILED:Your attempt to delete failed: case 1:--"}
    outcomes = deliver(salesforce(org, mode="mirror"), [leaver("a")])
    assert statuses(outcomes) == {"a": ("rejected", "DELETE_FAILED")}


def test_a_deletion_job_that_failed_is_repeated_for_who_is_still_there(
    org: FakeSalesforce,
) -> None:
    for key in "ab":
        org.add(**{KEY: key, "LastName": "x"})
    org.fails_after = 1
    rows = [leaver("a"), leaver("b")]
    outcomes = deliver(salesforce(org, mode="mirror"), rows)
    assert sorted(o.status for o in outcomes.values()) == ["delivered", "unknown"]


@pytest.mark.parametrize("reason", ["left", "consent", "erasure", "listed"])
@pytest.mark.parametrize("mode", ["audience", "mirror", "delete"])
def test_taking_away_who_is_not_there_is_no_error(
    org: FakeSalesforce, mode: str, reason: str
) -> None:
    on_leave = {"CDP_Segment__c": ""} if mode == "audience" else {}
    outcomes = salesforce(org, mode=mode, on_leave=on_leave).remove([leaver("a", reason)])
    assert [outcome.status for outcome in outcomes] == ["delivered"]
    assert org.jobs == {}


def test_keys_are_looked_up_two_hundred_at_a_time(org: FakeSalesforce) -> None:
    salesforce(org, mode="mirror").remove([leaver(f"c{number}") for number in range(401)])
    assert sum(call.path.endswith("/query") for call in org.calls) == 3


def test_long_keys_are_looked_up_in_fewer(org: FakeSalesforce) -> None:
    salesforce(org, mode="mirror").remove([leaver(f"{number:0>255}") for number in range(30)])
    assert sum(call.path.endswith("/query") for call in org.calls) == 2


@pytest.mark.parametrize("key", ["o'brien", "\\", "') OR Id != ('", "a\nb", "Ünï"])
def test_a_key_of_any_text_is_looked_up(org: FakeSalesforce, key: str) -> None:
    org.add(**{KEY: key, "LastName": "x"})
    org.add(**{KEY: "other", "LastName": "x"})
    deliver(salesforce(org, mode="mirror"), [leaver(key)])
    assert [record[KEY] for record in org.records.values()] == ["other"]


def test_what_is_held_can_be_read_back(org: FakeSalesforce) -> None:
    destination, rows = salesforce(org), [row("a", FirstName="Ana")]
    deliver(destination, rows)
    held = destination.read([*rows, row("b")])
    assert held == {"a": rows[0].values | {"CDP_Segment__c": None}}


READ = ["CDP_Points__c", "CDP_Seen__c", "CDP_Is_VIP__c"]


@pytest.mark.parametrize(
    ("points", "seen", "is_vip"),
    [
        ("120", "2024-01-01T10:00:00Z", "true"),
        ("120.50", "2024-01-01T12:00:00+02:00", "false"),
        ("-0", "2024-01-01T10:00:00.123Z", None),
        ("123456789012345678", "2024-01-01T10:00:00.000+0000", None),
        ("1e3", None, None),
    ],
)
def test_what_salesforce_spells_in_another_way_is_read_as_it_was_given(
    org: FakeSalesforce, points: str, seen: str | None, is_vip: str | None
) -> None:
    destination = salesforce(org, columns=[*COLUMNS, *READ])
    given = row("a", **dict(zip(READ, (points, seen, is_vip), strict=True)))
    deliver(destination, [given])
    read = destination.read([given])["a"]
    assert [read[name] for name in READ] == [points, seen, is_vip]


@pytest.mark.parametrize(
    ("name", "held", "value", "read"),
    [
        ("CDP_Points__c", "120", "121", "120.0"),
        ("CDP_Points__c", "120", "many", "120.0"),
        ("CDP_Points__c", "120", "NaN", "120.0"),
        ("CDP_Points__c", "120", None, "120.0"),
        ("CDP_Points__c", "1", "sNaN", "1.0"),
        ("CDP_Seen__c", "2024-01-01T10:00:00Z", "2024-01-01T10:00:01Z", None),
        ("CDP_Seen__c", "2024-01-01T10:00:00Z", "2024-01-01T10:00:00", None),
        ("CDP_Seen__c", "2024-01-01T10:00:00Z", "noon", None),
        ("CDP_Is_VIP__c", "true", "1", "true"),
        ("CDP_Segment__c", "007", "7", "007"),
    ],
)
def test_another_value_is_read_as_it_is(
    org: FakeSalesforce, name: str, held: str, value: str | None, read: str | None
) -> None:
    destination = salesforce(org, columns=[*COLUMNS, *READ])
    deliver(destination, [row("a", **{name: held})])
    found = destination.read([row("a", **{name: value})])["a"][name]
    assert found == (read or "2024-01-01T10:00:00.000+0000")


# -- declarations and texts


@pytest.mark.parametrize(
    ("wrong", "word"),
    [
        ({"mode": "append"}, "append"),
        ({"mode": "archive", "object": "Visit__c"}, "archive"),
        ({"object": "contacts"}, "contacts"),
        ({"object": "Visit__c; DROP"}, "Visit__c"),
        ({"columns": [*COLUMNS, "first name"]}, "first name"),
        ({"columns": [*COLUMNS, "Id"]}, "Id"),
        ({"columns": [*COLUMNS, "Account.Key__c"]}, "Account.Key__c"),
        ({"match_on": "Email"}, "match_on"),
        ({"mode": "audience"}, "on_leave"),
        ({"clear_nulls": [KEY]}, KEY),
        ({"options": {"hard": "true"}}, "hard"),
    ],
)
def test_what_salesforce_cannot_do_is_refused_before_any_call(
    org: FakeSalesforce, wrong: dict[str, Any], word: str
) -> None:
    with pytest.raises(ValueError, match=word):
        salesforce(org, **wrong)


def test_objects_of_ones_own_are_as_good(org: FakeSalesforce) -> None:
    org.sobject = "Visit__c"
    outcomes = deliver(salesforce(org, object="Visit__c"), [row("a")])
    assert statuses(outcomes) == {"a": ("delivered", None)}


def test_the_organisation_comes_from_the_environment(
    org: FakeSalesforce, monkeypatch: pytest.MonkeyPatch
) -> None:
    spec = salesforce(org)._spec
    names = {"INSTANCE_URL": org.url, "CLIENT_ID": "client", "CLIENT_SECRET": "secret"}
    for name, value in names.items():
        monkeypatch.delenv(f"SALESFORCE_{name}", raising=False)
        with pytest.raises(LookupError, match=f"SALESFORCE_{name}"):
            Salesforce.from_environment(spec)
        monkeypatch.setenv(f"SALESFORCE_{name}", value)
    destination = Salesforce.from_environment(spec)
    assert statuses(deliver(destination, [row("a")])) == {"a": ("delivered", None)}
    assert destination.calls == len(org.calls) - 1  # the token's is nobody's


@given(cells=st.lists(st.text(), min_size=2, max_size=4))
def test_what_is_written_is_read(cells: list[str]) -> None:
    names = [f"n{number}" for number in range(len(cells))]
    [read] = read_csv(csv_line(names) + csv_line(cells))
    assert list(read.values()) == cells


@settings(
    max_examples=30, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(
    rows=st.dictionaries(
        st.text(min_size=1, max_size=40).filter(lambda key: key != "#N/A"),
        st.fixed_dictionaries(
            {name: st.none() | st.text(max_size=50) for name in COLUMNS[1:]}
            | {"FirstName": st.just("'\"\x00😀" * 2500) | st.none()}
        ),
        min_size=1,
        max_size=5,
    ),
    clears=st.sets(st.sampled_from(COLUMNS[1:])),
)
def test_no_text_breaks_the_contract(
    org: FakeSalesforce, rows: dict[str, dict], clears: set[str]
) -> None:
    destination = salesforce(org, clear_nulls=sorted(clears))
    sent = [Row(key, "upsert", "new", {KEY: key} | values) for key, values in rows.items()]
    outcomes = deliver(destination, sent)
    named = {key for key, values in rows.items() if values["LastName"] not in (None, "", "#N/A")}
    delivered = {key for key, outcome in outcomes.items() if outcome.status == "delivered"}
    assert named <= delivered
    deliver(salesforce(org, mode="mirror"), [leaver(key) for key in rows])
    assert org.contract_violations == []
