"""A real CRM through the generic HTTP destination: JSON-RPC, with errors in answers of 200."""

from typing import Any

import pytest

from orchestration.destinations.base import Outcome, Row, Stopped, Unanswered
from orchestration.destinations.http import Http
from orchestration.sync.http import Policy
from orchestration.sync.spec import SyncSpec
from tests.fakes.lossy_proxy import LossyProxy
from tests.fakes.server import Fault
from tests.real_targets.tryton import Tryton

OPTIONS = {
    "url_env": "CDP_HTTP_TRYTON_URL",
    "auth": "basic",
    "auth_user_env": "CDP_HTTP_TRYTON_USER",
    "auth_env": "CDP_HTTP_TRYTON_PASSWORD",
    "body": """{"id": 1, "method": "model.party.party.create", "params": [[{
        "code": "${code}", "name": "${name}", "contact_mechanisms":
        [["create", [{"type": "email", "value": "${email}"}]]]}], {}]}""",
    "update_method": "POST",
    "update_path": "",
    "update_body": """{"id": 1, "method": "model.party.party.write", "params":
        [["${cdp_remote_id | number}"], {"name": "${name}"}, {}]}""",
    "remove_method": "POST",
    "remove_path": "",
    "remove_body": """{"id": 1, "method": "model.party.party.delete", "params":
        [["${cdp_remote_id | number}"], {}]}""",
    "lookup_method": "POST",
    "lookup_path": "",
    "lookup_body": """{"id": 1, "method": "model.party.party.search", "params":
        [[["code", "=", "${cdp_key}"]], 0, 1, null, {}]}""",
    "lookup_id_path": "result.0",
    "lookup_when": "uncertain",
    "remote_id_path": "result.0",
    "error_field": "error",
    "error_code_path": "error.0",
    "connections": "4",
}


@pytest.fixture
def environment(crm: Tryton, monkeypatch: pytest.MonkeyPatch) -> pytest.MonkeyPatch:
    if ids := [party["id"] for party in crm.parties()]:
        crm.call("delete", ids)
    monkeypatch.setenv("CDP_WEBHOOK_ALLOWED_HOSTS", "127.0.0.1")
    monkeypatch.setenv("CDP_HTTP_TRYTON_URL", f"{crm.url}/crm/rpc/")
    monkeypatch.setenv("CDP_HTTP_TRYTON_USER", "admin")
    monkeypatch.setenv("CDP_HTTP_TRYTON_PASSWORD", crm.password)
    return monkeypatch


def http(**changes: str) -> Http:
    spec = SyncSpec(
        sync_name="sync_tryton__parties",
        destination="http",
        object="records",
        mode="mirror",
        key="code",
        purpose="marketing",
        channel="email",
        identity_tier="exact",
        columns=["code", "name", "email"],
        options=OPTIONS | changes,
    )
    Http.check(spec)
    return Http.from_environment(spec, Policy(tries=3, first_wait=0.1, max_wait=1))


def row(code: str, remote_id: str | None = None, name: str = "Zoë 🎉", **more: Any) -> Row:
    values = {"code": code, "name": name, "email": f"{code}@example.com"}
    return Row(code, "upsert", "new", values, remote_id, row_hash="h", **more)


def gone(code: str, remote_id: str | None, **more: Any) -> Row:
    return Row(code, "remove", "left", {}, remote_id, **more)


def told(outcomes: list[Outcome]) -> dict[str, tuple[str, str | None]]:
    return {outcome.key: (outcome.status, outcome.error_code) for outcome in outcomes}


DELIVERED = ("delivered", None)


def test_parties_come_change_and_go(crm: Tryton, environment: Any) -> None:
    destination = http()
    codes = [f"C{number:02}" for number in range(8)]
    made = destination.upsert([row(code) for code in codes])
    assert told(made) == dict.fromkeys(codes, DELIVERED)
    parties = crm.parties()
    assert [(p["code"], p["name"], p["email"]) for p in parties] == [
        (code, "Zoë 🎉", f"{code}@example.com") for code in codes
    ]
    ids = {outcome.key: outcome.remote_id for outcome in made}
    assert ids == {party["code"]: str(party["id"]) for party in parties}

    changed = destination.upsert([row(code, ids[code], name="Eva") for code in codes[:3]])
    assert told(changed) == dict.fromkeys(codes[:3], DELIVERED)
    assert [party["name"] for party in crm.parties()] == ["Eva"] * 3 + ["Zoë 🎉"] * 5

    left = destination.remove([gone(code, ids[code]) for code in codes[:6]])
    assert told(left) == dict.fromkeys(codes[:6], DELIVERED)
    assert [party["code"] for party in crm.parties()] == codes[6:]
    assert destination.calls == 8 + 3 + 6


def test_a_lost_answer_makes_no_second_party(crm: Tryton, environment: Any) -> None:
    with LossyProxy(crm.url) as proxy:
        environment.setenv("CDP_HTTP_TRYTON_URL", f"{proxy.url}/crm/rpc/")
        destination = http()
        proxy.faults.append(Fault(applies=True, hangs_up=True))
        with pytest.raises(Unanswered):
            destination.upsert([row("C1")])
        [party] = crm.parties()
        # What the next run sends: the row is in doubt, so it is looked up and written into.
        [outcome] = destination.upsert([row("C1", name="Eva", is_uncertain=True)])
        assert (outcome.status, outcome.remote_id) == ("delivered", str(party["id"]))
        assert [(p["id"], p["name"]) for p in crm.parties()] == [(party["id"], "Eva")]

        proxy.faults.append(Fault(applies=True, hangs_up=True))
        removed = destination.remove([gone("C1", None, is_uncertain=True)])
        assert told(removed) == {"C1": DELIVERED}
        assert crm.parties() == []


def test_an_error_within_an_answer_of_200_is_that_rows(crm: Tryton, environment: Any) -> None:
    crm.call("create", [{"code": "TAKEN", "name": "Somebody"}])
    destination = http()
    outcomes = destination.upsert([row("C1"), row("TAKEN")])
    assert told(outcomes) == {"C1": DELIVERED, "TAKEN": ("rejected", "USERERROR")}
    assert [party["name"] for party in crm.parties("TAKEN")] == ["Somebody"]
    # With a look before each create, the party that was there is written into.
    assert told(http(lookup_when="always").upsert([row("TAKEN")])) == {"TAKEN": DELIVERED}
    assert len(crm.parties()) == 2
    unknown = OPTIONS["body"].replace('"name"', '"no_such_field"')
    [outcome] = http(body=unknown).upsert([row("C2")])
    assert outcome.status == "rejected"


def test_a_wrong_password_stops(crm: Tryton, environment: Any) -> None:
    environment.setenv("CDP_HTTP_TRYTON_PASSWORD", "wrong")
    with pytest.raises(Stopped) as caught:
        http().upsert([row("C1")])
    assert (caught.value.code, caught.value.error_class) == ("HTTP_401", "auth")
