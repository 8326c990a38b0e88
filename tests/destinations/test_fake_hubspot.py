"""The fake is strict: a connector that passes it must pass the vendor's documented rules."""

from typing import Any

import pytest
import requests

from tests.fakes.hubspot import FakeHubSpot


def post(hub: FakeHubSpot, inputs: Any, verb: str = "upsert", token: str | None = None) -> int:
    return requests.post(
        f"{hub.url}/crm/v3/objects/contacts/batch/{verb}",
        json={"inputs": inputs},
        headers={"Authorization": f"Bearer {token or hub.token}"},
        timeout=10,
    ).status_code


def contact(number: int = 1, **changes: Any) -> dict[str, Any]:
    email = f"c{number}@example.com"
    return {"id": email, "idProperty": "email", "properties": {"city": "Paris"}} | changes


def test_a_hundred_pass_and_one_more_does_not(hub: FakeHubSpot) -> None:
    assert post(hub, [contact(number) for number in range(100)]) == 200
    assert post(hub, [contact(number) for number in range(101)]) == 400
    assert len(hub.contacts) == 100


@pytest.mark.parametrize(
    "item",
    [
        contact(id=None),
        contact(id=""),
        contact(idProperty=None),
        contact(idProperty="city"),
        contact(properties={"city": 1}),
        contact(properties={"city": None}),
        contact(properties={"cdp_unknown": "x"}),
        "text",
    ],
)
def test_what_the_contract_forbids_is_refused(hub: FakeHubSpot, item: Any) -> None:
    assert post(hub, [item]) == 400
    assert hub.contacts == {}


def test_refusals_touch_nothing_and_are_counted(hub: FakeHubSpot) -> None:
    assert post(hub, [contact()], token="wrong") == 401
    assert post(hub, []) == 400
    assert post(hub, [contact(), contact()]) == 400
    assert post(hub, [contact()], verb="explode") == 404
    hub.poison.add("p@example.com")
    poison = contact(2, properties={"email": "p@example.com"})
    assert post(hub, [contact(), poison]) == 409
    assert [call.status for call in hub.calls] == [401, 400, 400, 404, 409]
    assert hub.contacts == {}


def test_an_email_in_use_is_a_conflict_of_that_row(hub: FakeHubSpot) -> None:
    hub.add(email="c1@example.com")
    other = hub.add(email="c2@example.com")
    properties = {"email": "c1@example.com"}
    assert post(hub, [{"id": other, "properties": properties}], verb="update") == 207
    assert hub.contacts[other]["email"] == "c2@example.com"
