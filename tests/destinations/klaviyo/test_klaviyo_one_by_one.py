"""Klaviyo: what takes a call a row goes in batches that are soon done, and ends with an endpoint
that is down."""

import pytest

from orchestration.destinations.base import Row
from orchestration.destinations.klaviyo import Klaviyo
from tests.destinations.klaviyo.case import audience, calls_to, klaviyo, members, row
from tests.destinations.rows import deliver, leaver, statuses
from tests.fakes.klaviyo import FakeKlaviyo
from tests.fakes.server import Fault

ONE, ERASE = "/api/profile-import", "/api/data-privacy-deletion-jobs"
GONE = {"first_name": None}


def most(destination: Klaviyo, rows: list[Row]) -> int:
    """Rows that go together."""
    limits = destination.limits
    return min(limits.batch_rows, limits.batch_bytes // max(map(destination.weight, rows)))


def test_a_dead_endpoint_gets_one_call_of_a_batch(account: FakeKlaviyo) -> None:
    """With its retries, of which there are two here."""
    account.faults += [Fault(503, path=ONE)] * 100
    rows = [row("a", first_name="Ana"), *(row(f"c{n}", **GONE) for n in range(20))]
    outcomes = deliver(klaviyo(account, clear_nulls=["first_name"]), rows)
    assert statuses(outcomes) == dict.fromkeys([r.key for r in rows], ("unknown", "HTTP_503"))
    assert len(account.calls) == 2


def test_what_was_done_before_the_endpoint_went_down_is_known(account: FakeKlaviyo) -> None:
    rows = [row("a"), row("b"), row("c")]
    deliver(klaviyo(account), rows)
    destination = klaviyo(account, clear_nulls=["first_name"])
    account.on_applied = lambda call: account.faults.extend([Fault(503, path=ONE)] * 2)
    emptied = deliver(destination, [row(key, **GONE) for key in "abc"])
    assert [outcome.status for outcome in emptied.values()] == ["delivered", "unknown", "unknown"]
    account.faults.clear()
    account.on_applied = lambda call: account.faults.extend(
        [Fault(503, path=ERASE)] * 2 * (ERASE in call.path)
    )
    erased = deliver(destination, [leaver(key, "erasure") for key in "abc"])
    assert [outcome.status for outcome in erased.values()] == ["delivered", "unknown", "unknown"]
    assert calls_to(account, ERASE) == 1 + 2


def test_erasures_go_by_half_a_minute(account: FakeKlaviyo) -> None:
    """48 a minute: ten thousand in a batch would be three hours without a commit."""
    gone = [leaver(f"c{number}", "erasure") for number in range(60)]
    for destination in (klaviyo(account), audience(account), members(account)):
        assert most(destination, gone) == 25
    listed = [leaver(f"c{number}", "listed") for number in range(60)]
    assert most(klaviyo(account, mode="delete"), listed) == 25
    assert most(klaviyo(account, on_erasure="leave"), gone) >= 1000


def test_rows_that_are_emptied_or_made_one_by_one_do_too(account: FakeKlaviyo) -> None:
    emptied = [row(f"c{number}", **GONE) for number in range(600)]
    assert most(klaviyo(account, clear_nulls=["first_name"]), emptied) == 250
    assert most(klaviyo(account), emptied) >= 1000
    unset = [row(f"c{number}", segment=None) for number in range(600)]
    assert most(klaviyo(account, clear_nulls=["segment"]), unset) >= 1000
    left = [leaver(f"c{number}") for number in range(600)]
    on_leave = {"first_name": ""}
    assert most(klaviyo(account, mode="audience", on_leave=on_leave), left) == 250
    assert most(audience(account), left) >= 1000


@pytest.mark.parametrize("object_name", ["lists", "subscriptions"])
def test_members_that_may_have_to_be_made_do_too(account: FakeKlaviyo, object_name: str) -> None:
    destination = members(account, object_name)
    assert most(destination, [row(f"c{number}") for number in range(600)]) == 250
    known = [row(f"c{number}", f"01{number}") for number in range(600)]
    assert most(destination, known) >= 1000
    assert most(destination, [leaver(f"c{number}") for number in range(600)]) >= 1000
