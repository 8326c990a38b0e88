"""The HTTP policy by itself."""

import threading
import time
import traceback
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime

import pytest

from orchestration.destinations.base import CallError, Limits, Stopped, Unanswered
from orchestration.sync import http
from orchestration.sync.http import (
    BearerToken,
    HttpClient,
    Policy,
    RenewedToken,
    retry_after_seconds,
)
from tests.fakes.hubspot import FakeHubSpot
from tests.fakes.server import Answer, Fault, Request

WIDE = Limits(100, ((1000, 1),))
NOW = datetime(2026, 1, 1, tzinfo=UTC)
PATH = "/crm/v3/objects/contacts/batch/upsert"
PAYLOAD = {"inputs": [{"id": "a@example.com", "idProperty": "email", "properties": {}}]}


@pytest.mark.parametrize(
    ("header", "seconds"),
    [
        ("2", 2),
        ("0.5", 0.5),
        ("-3", 0),
        ("Thu, 01 Jan 2026 00:00:30 GMT", 30),
        ("Thursday, 01-Jan-26 00:00:30 GMT", 30),
        ("Thu Jan  1 00:00:30 2026", 30),
        ("Thu, 01 Jan 2026 00:00:30 -0000", 30),
        ("Thu, 01 Jan 2026 00:00:30", 30),
        ("Thu, 01 Jan 2026 01:00:30 +0100", 30),
        ("Wed, 31 Dec 2025 23:00:00 GMT", 0),
        ("Wed Dec 31 23:00:00 2025", 0),
        ("Thu, 32 Jan 2026 00:00:30 GMT", None),
        ("Thu, 01 Jan 10000 00:00:30 GMT", None),
        ("Thu, 01 Jan 99999999999999999999 00:00:30 GMT", None),
        ("Thu, 01 Jan 2026 00:00:30 +99999999999999999999", None),
        ("soon", None),
        ("nan", None),
        ("", None),
        (None, None),
    ],
)
def test_retry_after_in_all_its_forms(header: str | None, seconds: float | None) -> None:
    assert retry_after_seconds(header, NOW) == seconds


@pytest.mark.parametrize(
    "url", ["http://api.example.com", "ftp://api.example.com", "https://user:pw@api.example.com"]
)
def test_an_address_must_be_https_without_credentials(url: str) -> None:
    with pytest.raises(ValueError, match="address"):
        HttpClient(url, BearerToken("t"), WIDE)


def test_clients_of_one_account_share_its_allowance(
    hub: FakeHubSpot, monkeypatch: pytest.MonkeyPatch
) -> None:
    # An earlier test's endpoint may have had this port, and wider limits.
    monkeypatch.setattr(http, "_allowances", {})
    clients = [
        HttpClient(hub.url, BearerToken(hub.token), Limits(100, ((5, 1),))) for _ in range(2)
    ]
    started = time.monotonic()
    for number in range(11):
        clients[number % 2].post(PATH, PAYLOAD)
    assert time.monotonic() - started > 1.9


def test_a_closed_port_is_unanswered_and_says_nothing_of_the_address() -> None:
    client = HttpClient(
        "http://127.0.0.1:9", BearerToken("t"), WIDE, Policy(tries=2, first_wait=0, max_wait=0)
    )
    with pytest.raises(Unanswered) as caught:
        client.post(PATH, PAYLOAD)
    assert (str(caught.value), client.calls) == ("NO_CONNECTION", 2)
    assert caught.value.__context__ is None


def test_the_deadline_of_a_call_counts_waits_too(hub: FakeHubSpot) -> None:
    hub.faults.extend([Fault(429, {"Retry-After": "30"})] * 5)
    policy = Policy(call_deadline=20)
    waits: list[float] = []

    async def note(seconds: float) -> None:
        waits.append(seconds)

    client = HttpClient(hub.url, BearerToken(hub.token), WIDE, policy, note)
    with pytest.raises(Unanswered):
        client.post(PATH, PAYLOAD)
    assert waits == []


def test_what_one_answer_asks_for_is_not_asked_by_the_next(hub: FakeHubSpot) -> None:
    """Both come over one connection."""
    hub.faults.extend([Fault(429, {"Retry-After": "7"}), Fault(503)])
    waits: list[float] = []

    async def note(seconds: float) -> None:
        waits.append(seconds)

    policy = Policy(first_wait=0, max_wait=0)
    client = HttpClient(hub.url, BearerToken(hub.token), WIDE, policy, note)
    assert client.post(PATH, PAYLOAD).status == 200
    assert waits == [7, 0]


def test_requests_over_one_connection_are_each_as_they_were_asked_for(hub: FakeHubSpot) -> None:
    seen: list[tuple[str, str, str | None, bytes]] = []
    answer = hub.answer

    def note(request: Request) -> Answer:
        headers = request.headers
        seen.append((request.method, request.path, headers.get("x-key"), request.body))
        return answer(request)

    hub.answer = note
    client = HttpClient(hub.url, BearerToken(hub.token), WIDE)
    asked = [
        ("POST", "/a", "1", b"x"),
        ("PUT", "/a", "1", b"x"),
        ("PUT", "/b", "1", b"x"),
        ("PUT", "/b", "2", b"x"),
        ("PUT", "/b", "2", b"longer"),
        ("PUT", "/b", "2", b""),
        ("DELETE", "/b", "2", None),
        ("POST", "/b", "2", None),
        ("GET", "/b", None, None),
        ("DELETE", "/b", "2", b"why"),
        ("DELETE", "/b", "2", None),
    ]
    for method, path, key, body in asked:
        headers = {"X-Key": key} if key else {}
        client.request(method, path, data=body, headers=headers, statuses=set())
    assert seen == [(method, path, key, body or b"") for method, path, key, body in asked]
    assert hub.connections == 1


def test_an_address_without_end_is_one_row_s_trouble(hub: FakeHubSpot) -> None:
    client = HttpClient(hub.url, BearerToken(hub.token), WIDE, Policy(tries=1))
    with pytest.raises(Unanswered) as caught:
        client.post("/" + "a" * 9_000_000, PAYLOAD)
    assert (caught.value.may_have_acted, caught.value.__context__) == (False, None)
    assert client.post(PATH, PAYLOAD).status == 200


def test_what_must_not_be_repeated_gets_a_connection_of_its_own(hub: FakeHubSpot) -> None:
    client = HttpClient(hub.url, BearerToken(hub.token), WIDE)
    made = []
    for is_repeatable in (True, True, False, False, True):
        client.request("POST", PATH, PAYLOAD, repeatable=is_repeatable)
        made.append(hub.connections)
    assert made == [1, 1, 2, 3, 3]


def test_a_request_that_cannot_be_written_is_refused_each_time(hub: FakeHubSpot) -> None:
    client = HttpClient(hub.url, BearerToken(hub.token), WIDE)
    for _ in range(2):
        with pytest.raises(Stopped, match="BAD_REQUEST_TEXT"):
            client.request("POST", PATH, PAYLOAD, headers={"X-Key": "a\r\nX-More: b"})
    assert client.post(PATH, PAYLOAD).status == 200
    assert len(hub.calls) == 1


def test_a_netrc_does_not_replace_the_token(
    hub: FakeHubSpot, tmp_path, monkeypatch: pytest.MonkeyPatch
) -> None:
    netrc = tmp_path / "netrc"
    netrc.write_text("machine 127.0.0.1 login someone password else\n")
    monkeypatch.setenv("NETRC", str(netrc))
    assert HttpClient(hub.url, BearerToken(hub.token), WIDE).post(PATH, PAYLOAD).status == 200


def test_bad_credentials_stop(hub: FakeHubSpot) -> None:
    with pytest.raises(Stopped) as caught:
        HttpClient(hub.url, BearerToken("wrong"), WIDE).post(PATH, PAYLOAD)
    assert (caught.value.code, caught.value.error_class) == ("HTTP_401", "auth")


@pytest.mark.parametrize("tokens", [["old", "new"], ["old", "older"]])
def test_calls_that_are_refused_together_wait_for_one_new_token(
    hub: FakeHubSpot, tokens: list[str]
) -> None:
    """Both hear of the old one before either asks for another."""
    hub.token = "new"
    both = threading.Barrier(2)
    fetched = iter(tokens)

    class Together(RenewedToken):
        def headers(self) -> dict[str, str]:
            shown = super().headers()
            if shown == {"Authorization": "Bearer old"}:
                both.wait(timeout=10)
            return shown

        def renew(self, refused: str = "") -> bool:
            is_renewed = super().renew(refused)
            if refused == "Bearer old":
                both.wait(timeout=10)
            return is_renewed

    auth = Together("account", lambda: next(fetched))
    client = HttpClient(hub.url, auth, WIDE)
    with ThreadPoolExecutor(2) as pool:
        calls = [pool.submit(client.post, PATH, PAYLOAD) for _ in range(2)]
    if tokens[-1] == "new":
        assert [call.result().status for call in calls] == [200, 200]
    else:
        assert [str(call.exception()) for call in calls] == ["HTTP_401"] * 2
        with pytest.raises(Stopped):
            client.post(PATH, PAYLOAD)
    assert client.calls == (4 if tokens[-1] == "new" else 4 + 1)
    assert next(fetched, None) is None, "fetched once more"


@pytest.mark.parametrize("repeatable", [True, False])
def test_no_request_is_sent_again_unasked(hub: FakeHubSpot, repeatable: bool) -> None:
    """libcurl does, where a kept connection dies without an answer."""
    client = HttpClient(hub.url, BearerToken(hub.token), WIDE, Policy(tries=1))
    client.post(PATH, PAYLOAD)
    hub.faults.append(Fault(applies=True, hangs_up=True))
    with pytest.raises(Unanswered, match="CONNECTION_LOST"):
        client.request("POST", PATH, PAYLOAD, repeatable=repeatable)
    assert client.calls == len(hub.calls) == 2


def test_what_may_have_acted_is_tried_again_only_where_that_is_harmless(hub: FakeHubSpot) -> None:
    policy = Policy(tries=3, first_wait=0, max_wait=0)
    client = HttpClient(hub.url, BearerToken(hub.token), WIDE, policy)
    hub.faults.append(Fault(hangs_up=True))
    with pytest.raises(Unanswered):
        client.request("POST", PATH, PAYLOAD, repeatable=False)
    assert client.calls == 1
    hub.faults.append(Fault(hangs_up=True))
    assert client.post(PATH, PAYLOAD).status == 200
    nobody = HttpClient("http://127.0.0.1:9", BearerToken("t"), WIDE, policy)
    with pytest.raises(Unanswered, match="NO_CONNECTION"):
        nobody.request("POST", PATH, PAYLOAD, repeatable=False)
    assert nobody.calls == 3


@pytest.mark.parametrize(
    ("faults", "may_have_acted"),
    [
        ([Fault(401)], False),
        ([Fault(403)], False),
        ([Fault(429)] * 3, False),
        ([Fault(429, {"Retry-After": "3600"})], False),
        ([Fault(503)] * 3, True),
        ([Fault(hangs_up=True)] * 3, True),
        ([Fault(307, {"Location": "/elsewhere"})], True),
        # The first try may have.
        ([Fault(503), Fault(429), Fault(429)], True),
        ([Fault(hangs_up=True), Fault(401)], True),
    ],
)
def test_a_failed_call_says_whether_it_may_have_acted(
    hub: FakeHubSpot, faults: list[Fault], may_have_acted: bool
) -> None:
    client = HttpClient(
        hub.url, BearerToken(hub.token), WIDE, Policy(tries=3, first_wait=0, max_wait=0)
    )
    hub.faults.extend(faults)
    with pytest.raises(CallError) as caught:
        client.post(PATH, PAYLOAD)
    assert caught.value.may_have_acted is may_have_acted


def test_where_nobody_listens_nothing_has_acted() -> None:
    policy = Policy(tries=2, first_wait=0, max_wait=0)
    with pytest.raises(Unanswered) as caught:
        HttpClient("http://127.0.0.1:9", BearerToken("t"), WIDE, policy).post(PATH, PAYLOAD)
    assert not caught.value.may_have_acted


@pytest.mark.parametrize(
    ("fault", "least"),
    [
        (Fault(423), 2),
        (Fault(423, {"Retry-After": "5"}), 5),
        (Fault(477, {"Retry-After": "60"}), 60),
        (Fault(477), 0),
        (Fault(408), 0),
        (Fault(425), 0),
    ],
)
def test_what_is_locked_or_moves_is_asked_again(
    hub: FakeHubSpot, fault: Fault, least: float
) -> None:
    waits: list[float] = []

    async def note(seconds: float) -> None:
        waits.append(seconds)

    client = HttpClient(
        hub.url, BearerToken(hub.token), WIDE, Policy(first_wait=0, max_wait=0), note
    )
    hub.faults.append(fault)
    assert client.post(PATH, PAYLOAD).status == 200
    assert waits == [least]


def test_an_account_that_moves_for_hours_ends_the_run(hub: FakeHubSpot) -> None:
    hub.faults.append(Fault(477, {"Retry-After": "86400"}))
    with pytest.raises(Stopped, match="RETRY_AFTER_TOO_LONG") as caught:
        HttpClient(hub.url, BearerToken(hub.token), WIDE).post(PATH, PAYLOAD)
    assert caught.value.error_class == "transient"


@pytest.mark.parametrize("status", [423, 477])
def test_an_event_is_not_sent_again_after_a_lock(hub: FakeHubSpot, status: int) -> None:
    client = HttpClient(hub.url, BearerToken(hub.token), WIDE)
    hub.faults.append(Fault(status))
    with pytest.raises(Unanswered, match=f"HTTP_{status}") as caught:
        client.request("POST", PATH, PAYLOAD, repeatable=False)
    assert (client.calls, caught.value.may_have_acted) == (1, True)


@pytest.mark.parametrize(
    ("status", "body", "code", "error_class"),
    [
        (403, b'{"error": "slow down, dana@example.com"}', "THROTTLED", "transient"),
        (403, b'{"error": "no permission, dana@example.com"}', "HTTP_403", "auth"),
        (403, b"<html>slow down</html>", "HTTP_403", "auth"),
        (401, b'{"error": "slow down"}', "HTTP_401", "auth"),
    ],
)
def test_a_403_may_be_a_throttle_and_its_body_stays_out(
    hub: FakeHubSpot, status: int, body: bytes, code: str, error_class: str
) -> None:
    hub.faults.append(Fault(status, body=body))
    client = HttpClient(
        hub.url, BearerToken(hub.token), WIDE, is_throttle=lambda said: "slow" in str(said)
    )
    with pytest.raises(Stopped) as caught:
        client.post(PATH, PAYLOAD)
    assert (caught.value.code, caught.value.error_class) == (code, error_class)
    assert not caught.value.may_have_acted
    assert "dana" not in "".join(traceback.format_exception(caught.value))
    assert client.calls == 1


@pytest.mark.parametrize("status", [500, 501, 505, 511, 520, 529, 530, 599])
def test_what_a_server_says_of_itself_is_no_refusal(hub: FakeHubSpot, status: int) -> None:
    policy = Policy(tries=2, first_wait=0, max_wait=0)
    client = HttpClient(hub.url, BearerToken(hub.token), WIDE, policy)
    hub.faults.append(Fault(status))
    assert client.post(PATH, PAYLOAD).status == 200
    assert client.calls == 2


def test_json_too_deep_to_be_read_is_no_answer(hub: FakeHubSpot) -> None:
    hub.faults.append(Fault(status=200, body=b"[" * 200_000))
    client = HttpClient(hub.url, BearerToken(hub.token), WIDE, Policy(tries=1))
    with pytest.raises(Unanswered, match="UNREADABLE_ANSWER"):
        client.post(PATH, PAYLOAD)


def test_a_connection_is_kept(hub: FakeHubSpot) -> None:
    client = HttpClient(hub.url, BearerToken(hub.token), WIDE)
    for _ in range(3):
        client.post(PATH, PAYLOAD)
    assert (hub.connections, len(hub.calls)) == (1, 3)


def test_a_secret_cannot_bring_a_header_of_its_own(hub: FakeHubSpot) -> None:
    for token in (f"{hub.token}\r\nX-Other: 1", f"{hub.token}\n", "t\0", "t\u20ac"):
        with pytest.raises(Stopped, match="BAD_REQUEST_TEXT"):
            HttpClient(hub.url, BearerToken(token), WIDE).post(PATH, PAYLOAD)
    assert hub.connections == 0


def test_an_answer_without_end_is_cut_off(hub: FakeHubSpot) -> None:
    hub.faults.append(Fault(status=200, body=b"x" * 1001))
    client = HttpClient(hub.url, BearerToken(hub.token), WIDE, Policy(tries=1), longest_answer=1000)
    with pytest.raises(Unanswered, match="ANSWER_TOO_LONG"):
        client.post(PATH, PAYLOAD)
