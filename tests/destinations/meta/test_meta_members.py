"""Meta: who is in an audience and who is not, and the calls that say so."""

import traceback
from typing import Any

import pytest

from orchestration.destinations import destination_class
from orchestration.destinations.base import Matched, Refused, Row, Stopped, Unanswered
from orchestration.destinations.meta import Meta
from tests.destinations.meta.case import COLUMNS, DELIVERED, audience, by_key, leaver, row, sha
from tests.fakes.meta import FakeMeta
from tests.fakes.server import Fault


def changed(given: Row, *sent: str, **values: str | None) -> Row:
    return Row(
        given.key, "upsert", "changed", dict(given.values) | values, sent_identifiers=tuple(sent)
    )


def member(key: str) -> set[str]:
    """As the fake holds a person of an e-mail and an id."""
    return {f"EXTERN_ID={key}", f"EMAIL={sha(f'{key}@example.com')}"}


def test_the_module_is_found_by_its_name() -> None:
    assert destination_class("meta") is Meta


def test_a_line_holds_all_keys_in_one_order(ads: FakeMeta) -> None:
    person = row("7", phone="06 12 34 56 78", country="FR", fn="José", ln="O'Neil", ct="Le Mans")
    assert by_key(audience(ads).upsert([person, row("8")])) == {"7": DELIVERED, "8": DELIVERED}
    assert ads.schema == ["EXTERN_ID", "EMAIL", "PHONE", "LN", "FN", "CT", "ZIP", "COUNTRY"]
    [(_, cells), (_, other)] = ads.lines
    assert cells == {
        "EXTERN_ID": "7",
        "EMAIL": sha("7@example.com"),
        "PHONE": sha("33612345678"),
        "LN": sha("oneil"),
        "FN": sha("josé"),
        "CT": sha("lemans"),
        "COUNTRY": sha("fr"),
    }
    assert set(other) == {"EXTERN_ID", "EMAIL"}


def test_columns_in_another_order_make_the_same_line(ads: FakeMeta) -> None:
    audience(ads).upsert([row("a")])
    audience(ads, columns=COLUMNS[::-1]).upsert([row("b")])
    assert ads.audience == member("a") | member("b")


def test_a_changed_email_takes_the_old_one_out_first(ads: FakeMeta) -> None:
    destination = audience(ads)
    before = row("a", phone="+33612345678")
    destination.upsert([before])
    now = changed(before, *destination.identifiers(before), email="new@example.com")
    assert by_key(destination.upsert([now])) == {"a": DELIVERED}
    assert ads.audience == {
        "EXTERN_ID=a",
        f"EMAIL={sha('new@example.com')}",
        f"PHONE={sha('33612345678')}",
    }
    assert [call.method for call in ads.calls] == ["POST", "DELETE", "POST"]
    assert ("DELETE", {"EMAIL": sha("a@example.com")}) in ads.lines


def test_a_moved_person_leaves_no_old_address(ads: FakeMeta) -> None:
    destination = audience(ads)
    before = row("a", fn="Dana", ln="Smith", zip="75001")
    destination.upsert([before])
    now = changed(before, *destination.identifiers(before), zip="69001")
    destination.upsert([now])
    assert len(ads.audience) == 3
    assert not any(sha("75001") in name for name in ads.audience)
    assert destination.remove([leaver("a", *destination.identifiers(now))])
    assert ads.audience == set()


def test_a_changed_row_is_in_doubt_where_taking_the_old_one_out_is(ads: FakeMeta) -> None:
    ads.faults.append(Fault(200, body=b"{}"))
    rows = [changed(row("a"), f"EMAIL={sha('old')}"), row("b")]
    assert by_key(audience(ads).upsert(rows)) == {"a": ("unknown", "NO_COUNTS"), "b": DELIVERED}


def test_a_row_whose_identifiers_stay_is_one_call(ads: FakeMeta) -> None:
    destination = audience(ads)
    person = row("a")
    destination.upsert([changed(person, *destination.identifiers(person))])
    assert (ads.calls_of("POST"), ads.calls_of("DELETE")) == (1, 0)


@pytest.mark.parametrize("reason", ["left", "consent", "erasure"])
@pytest.mark.parametrize("mode", ["audience", "mirror"])
def test_removal_needs_nothing_but_the_ledger(ads: FakeMeta, mode: str, reason: str) -> None:
    destination = audience(ads, mode=mode)
    person = row("a", phone="+33612345678", fn="Dana", ln="Smith", zip="75001")
    destination.upsert([person, row("b")])
    gone = leaver("a", *destination.identifiers(person), reason=reason)
    assert by_key(destination.remove([gone])) == {"a": DELIVERED}
    assert ads.audience == member("b")


def test_who_is_not_there_is_removed_without_an_error(ads: FakeMeta) -> None:
    outcomes = audience(ads).remove([leaver("a", f"EMAIL={sha('x')}"), leaver("b")])
    assert by_key(outcomes) == {"a": DELIVERED, "b": DELIVERED}
    assert by_key(audience(ads).remove([leaver("b")])) == {"b": DELIVERED}
    assert ads.calls_of("DELETE") == 1


def test_an_identifier_of_a_dropped_column_can_still_be_taken_away(ads: FakeMeta) -> None:
    destination = audience(ads)
    person = row("a", phone="+33612345678")
    destination.upsert([person])
    ads.schema = ["EXTERN_ID", "EMAIL"]  # as of a new audience
    fewer = audience(ads, columns=["extern_id", "email"])
    assert by_key(fewer.remove([leaver("a", *destination.identifiers(person))])) == {"a": DELIVERED}
    assert ads.audience == set()


def test_a_lost_email_takes_the_person_out(ads: FakeMeta) -> None:
    destination = audience(ads)
    before = row("a")
    destination.upsert([before])
    now = changed(before, *destination.identifiers(before), email=None)
    assert by_key(destination.upsert([now])) == {"a": ("rejected", "NO_IDENTIFIER")}
    assert ads.audience == set()


def test_a_hashed_column_is_refused_and_takes_nobody_out(ads: FakeMeta) -> None:
    destination = audience(ads)
    before = row("a")
    destination.upsert([before])
    now = changed(before, *destination.identifiers(before), email=sha("a@example.com"))
    assert by_key(destination.upsert([now, row("b")])) == {
        "a": ("rejected", "PREHASHED_VALUE"),
        "b": DELIVERED,
    }
    assert destination.identifiers(now) == ()
    assert ads.audience == member("a") | member("b")


def test_a_removal_of_many_identifiers_stays_within_a_call(ads: FakeMeta) -> None:
    destination = audience(ads, options={"audience_id": ads.audience_id, "chunk_size": "2"})
    assert destination.limits.batch_rows == 2
    sent = [f"EMAIL={sha(str(number))}" for number in range(5)]
    ads.audience = set(sent)
    assert by_key(destination.remove([leaver("a", *sent[:3]), leaver("b", *sent[3:])])) == {
        "a": DELIVERED,
        "b": DELIVERED,
    }
    assert (ads.audience, ads.calls_of("DELETE")) == (set(), 3)


def test_ten_thousand_lines_are_one_call(ads: FakeMeta) -> None:
    destination = audience(ads)
    assert destination.limits.batch_rows == 10_000
    rows = [row(str(number)) for number in range(10_000)]
    assert {outcome.status for outcome in destination.upsert(rows)} == {"delivered"}
    assert (len(ads.audience), ads.calls_of("POST")) == (20_000, 1)


def test_a_repeated_upload_changes_nothing(ads: FakeMeta) -> None:
    ads.faults.append(Fault(hangs_up=True, applies=True))
    for _ in range(2):
        assert by_key(audience(ads).upsert([row("a")])) == {"a": DELIVERED}
    assert ads.audience == member("a")
    assert ads.calls_of("POST") == 3


def test_invalid_entries_are_found_by_smaller_batches(ads: FakeMeta) -> None:
    ads.invalid.add(sha("b@example.com"))
    destination = audience(ads)
    with pytest.raises(Refused) as caught:
        destination.upsert([row("a"), row("b")])
    assert caught.value.code == "INVALID_ENTRIES"
    assert by_key(destination.upsert([row("a")])) == {"a": DELIVERED}
    assert caught.value.matched == (Matched("upsert", 2, 1),)
    with pytest.raises(Refused) as caught:
        destination.upsert([row("b")])
    assert caught.value.matched == (Matched("upsert", 1, 1),)
    assert ads.audience == member("a")


def test_lines_received_are_told_by_action(ads: FakeMeta) -> None:
    destination = audience(ads)
    rows = [changed(row("a"), f"EMAIL={sha('x')}", f"PHONE={sha('y')}"), row("b"), row("c")]
    assert destination.upsert(rows).matched == (Matched("remove", 2, 0), Matched("upsert", 3, 0))
    gone = leaver("b", *destination.identifiers(rows[1]))
    # Its e-mail and its id.
    assert destination.remove([gone]).matched == (Matched("remove", 2, 0),)


def test_a_call_that_received_nothing_is_in_doubt(ads: FakeMeta) -> None:
    ads.takes_nothing = True
    assert by_key(audience(ads).upsert([row("a")])) == {"a": ("unknown", "NOTHING_RECEIVED")}
    gone = leaver("a", f"EMAIL={sha('x')}")
    assert by_key(audience(ads).remove([gone])) == {"a": ("unknown", "NOTHING_RECEIVED")}


@pytest.mark.parametrize("body", [b"[]", b"{}", b'"x"', b'{"num_received": "many"}'])
def test_an_answer_of_strange_shape_is_no_success(ads: FakeMeta, body: bytes) -> None:
    ads.faults.append(Fault(200, body=body))
    outcomes = audience(ads).upsert([row("a")])
    assert (by_key(outcomes), outcomes.matched) == ({"a": ("unknown", "NO_COUNTS")}, ())


@pytest.mark.parametrize(
    ("error", "kind", "code", "error_class"),
    [
        ({"code": 190}, Stopped, "TOKEN_INVALID", "auth"),
        ({"code": 190, "error_subcode": 463}, Stopped, "TOKEN_INVALID", "auth"),
        ({"code": 200}, Stopped, "PERMISSION_MISSING", "auth"),
        ({"code": 294}, Stopped, "PERMISSION_MISSING", "auth"),
        ({"code": 17}, Stopped, "THROTTLED", "transient"),
        ({"code": 613}, Stopped, "THROTTLED", "transient"),
        ({"code": 80003, "is_transient": True}, Stopped, "THROTTLED", "transient"),
        ({"code": 368}, Stopped, "ACTION_BLOCKED", "systemic"),
        ({"code": 2650}, Stopped, "AUDIENCE_UPDATE_FAILED", "systemic"),
        ({"code": 100, "error_subcode": 1713230}, Stopped, "AUDIENCE_BLOCKED", "systemic"),
        ({"code": 100, "error_subcode": 33}, Stopped, "AUDIENCE_OUT_OF_REACH", "systemic"),
        ({"code": 100, "error_subcode": 34}, Refused, "META_100", None),
        ({"code": 2635}, Stopped, "VERSION_SWITCHED_OFF", "systemic"),
        ({"code": 2655}, Stopped, "TERMS_NOT_ACCEPTED", "systemic"),
        ({"code": 2663}, Stopped, "TERMS_NOT_ACCEPTED", "systemic"),
        ({"code": 200, "error_subcode": 1870034}, Stopped, "TERMS_NOT_ACCEPTED", "systemic"),
        ({"code": 200, "error_subcode": 1870047}, Stopped, "AUDIENCE_TOO_SMALL", "systemic"),
        ({"code": 4, "status": 403}, Stopped, "THROTTLED", "transient"),
        ({"code": 80003, "status": 403}, Stopped, "THROTTLED", "transient"),
        ({"code": 200, "status": 403}, Stopped, "HTTP_403", "auth"),
        ({"code": "4", "status": 403}, Stopped, "HTTP_403", "auth"),
        ({"code": [4], "status": 403}, Stopped, "HTTP_403", "auth"),
        ({"code": 2, "is_transient": True}, Unanswered, "SERVICE_UNAVAILABLE", None),
        ({"code": 1}, Unanswered, "UNKNOWN_ERROR", None),
        ({"code": 9999, "is_transient": True}, Unanswered, "SERVICE_UNAVAILABLE", None),
        ({"code": 100}, Refused, "META_100", None),
        ({"code": "dana@example.com"}, Refused, "HTTP_400", None),
        ({"code": [190]}, Refused, "HTTP_400", None),
        ({"code": 123456}, Refused, "UNSPECIFIED", None),
    ],
)
def test_errors_are_told_apart_by_their_number(
    ads: FakeMeta, error: dict[str, Any], kind: type, code: str, error_class: str | None
) -> None:
    for act in (
        lambda destination: destination.upsert([row("a")]),
        lambda destination: destination.remove([leaver("a", f"EMAIL={sha('x')}")]),
    ):
        ads.refusals.append(error)
        with pytest.raises(kind) as caught:
            act(audience(ads))
        assert caught.value.code == code
        assert getattr(caught.value, "error_class", None) == error_class
        assert "dana@" not in "".join(traceback.format_exception(caught.value))
    assert ads.audience == set()


def test_what_is_no_rows_fault_ends_the_run_at_the_first_call(ads: FakeMeta) -> None:
    elsewhere = audience(ads, options={"audience_id": "23850000000000002"})
    with pytest.raises(Stopped, match="AUDIENCE_OUT_OF_REACH"):
        elsewhere.upsert([row(str(number)) for number in range(1000)])
    ads.has_accepted_terms = False
    with pytest.raises(Stopped, match="TERMS_NOT_ACCEPTED"):
        audience(ads).remove([leaver("a", f"EMAIL={sha('x')}", reason="consent")])
    ads.gone_versions.add("v25.0")
    with pytest.raises(Stopped, match="VERSION_SWITCHED_OFF"):
        audience(ads).upsert([row("a")])
    assert len(ads.calls) == 3


def test_statuses_of_http_count_as_everywhere(ads: FakeMeta) -> None:
    for status, error_class in ((401, "auth"), (403, "auth")):
        ads.faults.append(Fault(status))
        with pytest.raises(Stopped) as caught:
            audience(ads).upsert([row("a")])
        assert caught.value.error_class == error_class
    ads.faults += [Fault(500), Fault(500)]
    with pytest.raises(Unanswered):
        audience(ads).upsert([row("a")])
    ads.faults.append(Fault(400, body=b"<html>"))
    with pytest.raises(Refused):
        audience(ads).upsert([row("a")])
    ads.faults.append(Fault(404, body=b"{}"))
    with pytest.raises(Stopped, match="NOT_FOUND"):
        audience(ads).upsert([row("a")])
