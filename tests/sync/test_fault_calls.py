"""Calls that must not be made, or not so: credentials, redirects, certificates, tokens, order."""

import shutil
import ssl
import subprocess
from pathlib import Path

import pytest

from orchestration.destinations.base import Limits, Outcome, Row
from orchestration.sync.delivery import Patience
from orchestration.sync.http import Policy, RenewedToken
from orchestration.sync.spec import SyncSpec
from tests.fakes.hubspot import FakeHubSpot
from tests.fakes.server import Fault
from tests.sync.invariants import plays
from tests.sync.lab import Lab

pytestmark = pytest.mark.usefixtures("invariants_hold")


@pytest.mark.parametrize("status", [401, 403])
@plays("DF14")
def test_bad_credentials_stop_at_once(lab: Lab, status: int) -> None:
    lab.add_customers(250)
    lab.hub.faults.append(Fault(status))
    run = lab.sync()
    assert (run.status, run.error_code) == ("failed", f"HTTP_{status}")
    assert (run.calls_made, run.rows_rejected, run.rows_unsent) == (1, 0, 150)
    assert lab.sync().rows_delivered == 250


@plays("DF19")
@pytest.mark.parametrize("status", [302, 307])
def test_a_redirect_is_not_followed(lab: Lab, status: int) -> None:
    lab.add_customers(3)
    with FakeHubSpot() as elsewhere:
        lab.hub.faults.append(Fault(status, {"Location": elsewhere.url + "/collect"}))
        run = lab.sync()
        assert elsewhere.calls == []
    assert (run.error_code, run.calls_made) == ("REDIRECT_REFUSED", 1)
    assert len(lab.hub.calls) == 1


def test_a_mistake_in_a_destination_costs_no_other_batch_its_outcome(
    lab: Lab, monkeypatch: pytest.MonkeyPatch
) -> None:
    lab.add_customers(250)
    endpoint = lab.endpoint()
    upsert = endpoint.upsert

    def mistaken(rows: list[Row]) -> list[Outcome]:
        if rows[0].key == "c0101":
            raise KeyError(rows[0].values["lastname"])
        return upsert(rows)

    monkeypatch.setattr(endpoint, "upsert", mistaken)
    run = lab.sync(destination=endpoint)
    assert (run.status, run.error_code) == ("partial", "DESTINATION_FAULT")
    assert (run.rows_delivered, run.rows_unknown, run.rows_unsent) in (
        (150, 100, 0),
        (100, 100, 50),
    )
    assert len(lab.hub.contacts) == run.rows_delivered
    assert lab.sync().rows_delivered == 250 - run.rows_delivered


def test_removals_survive_faults_too(lab: Lab) -> None:
    lab.add_customers(30)
    lab.sync()
    lab.execute("delete from standin.segment_members where customer_id <= 'c0020'")
    lab.hub.faults.extend([Fault(applies=True, hangs_up=True)] * 4)
    assert lab.sync().rows_unknown == 20
    run = lab.sync()
    assert (run.status, run.rows_removed) == ("succeeded", 20)


def test_the_deadline_of_a_run_leaves_the_rest_for_the_next(lab: Lab) -> None:
    lab.add_customers(250)
    run = lab.sync(patience=Patience(run_deadline=0.0))
    assert (run.status, run.error_code, run.rows_unsent) == ("failed", "RUN_DEADLINE", 250)
    assert lab.sync().rows_delivered == 250


@plays("DF01")
def test_a_storm_of_429_is_sat_out(lab: Lab) -> None:
    lab.add_customers(250)
    lab.hub.faults.extend([Fault(429, {"Retry-After": "2"})] * 5)
    run = lab.sync(destination=lab.hubspot(Policy(first_wait=0, max_wait=0)))
    assert (run.status, run.rows_delivered, run.calls_made) == ("succeeded", 250, 5 + 3)
    assert len(lab.waits) == 5
    assert all(2 <= wait <= 3 for wait in lab.waits)


@plays("DF04")
def test_waits_grow_and_every_try_says_the_same(lab: Lab, monkeypatch) -> None:
    lab.add_customers(3)
    bodies: list[bytes] = []
    names_of = lab.hub.keys
    monkeypatch.setattr(
        lab.hub, "keys", lambda request: bodies.append(request.body) or names_of(request)
    )
    lab.hub.faults.extend([Fault(500), Fault(503), Fault(500), Fault(502), Fault(504)])
    run = lab.sync(destination=lab.hubspot(Policy(first_wait=0.5)))
    assert (run.status, run.calls_made) == ("succeeded", 6)
    assert len(set(bodies)) == 1
    assert all(wait <= 0.5 * 2**number for number, wait in enumerate(lab.waits))
    assert len(set(lab.waits)) == 5  # jittered
    assert max(lab.waits) > 0.5


@plays("DF04")
def test_a_key_of_repetition_is_the_contents_and_not_the_attempts() -> None:
    first = Row("c1", "upsert", "new", {"city": "Lyon"}, row_hash="h1", attempt=1, version=7)
    again = Row("c1", "upsert", "uncertain", is_uncertain=True, row_hash="h1", attempt=2, version=7)
    newer = Row("c1", "upsert", "changed", row_hash="h2", attempt=1, version=7)
    later = Row("c1", "upsert", "changed", row_hash="h1", attempt=1, version=9)
    upsert = SyncSpec.model_construct(sync_name="s", mode="upsert")
    keys = [row.idempotency_key(upsert) for row in (first, again, newer, later)]
    assert keys[0] == keys[1]
    assert len(set(keys)) == 3


def test_who_is_erased_is_not_taken_for_who_has_left() -> None:
    """An endpoint that knows the key of the leaving would not act on the erasure."""
    left, erased = (Row("c1", "remove", reason, version=7) for reason in ("left", "erasure"))
    for mode in ("upsert", "append"):
        spec = SyncSpec.model_construct(sync_name="s", mode=mode)
        assert left.idempotency_key(spec) != erased.idempotency_key(spec)


def test_an_event_has_one_key_whatever_its_columns_say_since() -> None:
    append = SyncSpec.model_construct(sync_name="s", mode="append")
    first = Row("e1", "upsert", "new", {"city": "Lyon"}, row_hash="h1")
    again = Row("e1", "upsert", "uncertain", {"city": "Nice"}, row_hash="h2", version=7, attempt=2)
    assert first.idempotency_key(append) == again.idempotency_key(append)
    other = Row("e2", "upsert", "new", {"city": "Lyon"}, row_hash="h1")
    of_another_sync = SyncSpec.model_construct(sync_name="t", mode="append")
    keys = [other.idempotency_key(append), first.idempotency_key(of_another_sync)]
    assert len({first.idempotency_key(append), *keys}) == 3


@plays("DF13")
def test_after_a_late_old_batch_the_newest_is_there(lab: Lab) -> None:
    """The old call's end was never known: it arrived, all of it or half."""
    lab.add_customers(120)
    lab.sync()
    lab.execute("update standin.customers set city = 'Old'")
    lab.hub.faults.extend([Fault(applies=True, hangs_up=True)] * 4)
    lab.sync()
    lab.execute("update standin.customers set city = 'New'")
    run = lab.sync()
    assert (run.status, run.rows_delivered) == ("succeeded", 120)
    assert {contact["city"] for contact in lab.hub.contacts.values()} == {"New"}


@plays("DF14")
@pytest.mark.parametrize(("tokens", "calls"), [(["old", "new"], 2), (["old", "older"], 2)])
def test_an_expired_token_is_renewed_once(lab: Lab, tokens: list[str], calls: int) -> None:
    lab.add_customers(250)
    lab.build()
    lab.hub.token = "new"
    fetched: list[str] = []

    def fetch() -> str:
        fetched.append(tokens[len(fetched)])
        return fetched[-1]

    auth = RenewedToken("account", fetch)
    run = lab.sync(build=False, destination=lab.hubspot(auth=auth))
    assert fetched == tokens
    if tokens[-1] == "new":
        assert (run.status, run.calls_made) == ("succeeded", 3 + 1)
    else:
        assert (run.error_code, run.calls_made, run.rows_unsent) == ("HTTP_401", calls, 150)
        assert lab.hub.contacts == {}


@plays("DF14")
def test_a_token_that_expires_under_several_calls_is_renewed_once_for_all(lab: Lab) -> None:
    lab.add_customers(250)
    lab.build()
    fetched: list[str] = []

    def fetch() -> str:
        fetched.append(lab.hub.token)
        return lab.hub.token

    def expire(call) -> None:
        lab.hub.token = "next"
        lab.hub.on_applied = None

    lab.hub.latency = 0.05
    lab.hub.on_applied = expire
    destination = lab.hubspot(auth=RenewedToken("account", fetch))
    destination.limits = Limits(batch_rows=10, rates=((1000, 1),), connections=8)
    run = lab.sync(build=False, destination=destination)
    assert (run.status, run.rows_delivered) == ("succeeded", 250)
    assert fetched == ["fake-token", "next"]
    assert 25 < run.calls_made <= 25 + 8
    lab.hub.latency = 0.0


@plays("DF15")
def test_a_sync_that_is_forbidden_does_not_stop_another(
    lab: Lab, compiled_project: Path, tmp_path: Path
) -> None:
    lab.add_customers(3)
    lab.hub.faults.append(Fault(403))
    assert lab.sync().error_code == "HTTP_403"
    with FakeHubSpot() as portal:
        other = Lab(shutil.copytree(compiled_project, tmp_path / "other"), portal)
        other.add_customers(3)
        assert other.sync().rows_delivered == 3


@plays("DF17")
def test_who_is_there_already_is_taken_over_as_he_is(lab: Lab) -> None:
    lab.hub.add(email="C0001@example.com", city="Paris", lastname="Colleague")
    lab.add_customers(3)
    run = lab.sync()
    assert (run.status, len(lab.hub.contacts)) == ("succeeded", 3)
    assert lab.hub.by_email("c0001@example.com")["lastname"] == "Ruiz"


@plays("DF17")
def test_who_left_and_returns_with_another_address_is_the_same_contact(lab: Lab) -> None:
    lab.add_customers(3)
    lab.sync()
    lab.execute("delete from standin.segment_members where customer_id = 'c0002'")
    lab.sync()
    lab.execute(
        "insert into standin.segment_members values ('champions', 'c0002')",
        "update standin.customers set email = 'n@example.com' where customer_id = 'c0002'",
    )
    run = lab.sync()
    assert (run.status, len(lab.hub.contacts)) == ("succeeded", 3)


@plays("DF18")
def test_a_batch_too_large_is_halved(lab: Lab) -> None:
    lab.add_customers(100)
    lab.hub.max_body_bytes = 9_000
    run = lab.sync()
    assert (run.status, run.rows_delivered) == ("succeeded", 100)
    assert {len(call.keys) for call in lab.hub.calls if call.status == 200} == {25}
    assert run.calls_made == 1 + 2 + 4


@plays("DF20")
def test_a_bad_certificate_is_refused(lab: Lab, tmp_path: Path) -> None:
    if not shutil.which("openssl"):
        pytest.skip("no openssl program to make a certificate with")
    key, certificate = tmp_path / "key.pem", tmp_path / "certificate.pem"
    command = ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "1"]
    command += ["-subj", "/CN=localhost", "-keyout", str(key), "-out", str(certificate)]
    subprocess.run(command, check=True, capture_output=True)
    lab.add_customers(3)
    with FakeHubSpot() as impostor:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(certificate, key)
        plain = impostor._server.socket
        impostor._server.socket = context.wrap_socket(plain, server_side=True)
        run = lab.sync(destination=lab.hubspot(url=impostor.url.replace("http:", "https:")))
        assert impostor.calls == []
    assert (run.status, run.error_code, run.calls_made) == ("failed", "BAD_CERTIFICATE", 1)


@plays("DF21")
def test_a_name_that_does_not_resolve_is_tried_and_given_up(lab: Lab) -> None:
    lab.add_customers(3)
    run = lab.sync(destination=lab.hubspot(url="https://portal.invalid"))
    assert (run.ok, run.rows_unknown, run.calls_made) == (False, 3, 4)
    assert lab.hub.contacts == {}
