"""Klaviyo: declarations, limits and any text."""

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from orchestration.destinations.base import (
    Row,
)
from orchestration.destinations.klaviyo import Klaviyo
from orchestration.sync.spec import SyncSpec
from tests.destinations.klaviyo.case import MEMBERS, PROFILES, audience, klaviyo
from tests.destinations.rows import deliver, leaver
from tests.fakes import openapi
from tests.fakes.klaviyo import FakeKlaviyo

# -- declarations and texts


@pytest.mark.parametrize(
    ("wrong", "word"),
    [
        ({"mode": "append"}, "append"),
        ({"mode": "update_only"}, "update_only"),
        ({"mode": "audience"}, "on_leave"),
        ({"mode": "mirror", "columns": ["cdp_customer_id", "email"]}, "mirror"),
        ({"match_on": "city"}, "match_on"),
        ({"columns": [*PROFILES, "external_id"]}, "external_id"),
        ({"options": {"lst_id": "L1"}}, "lst_id"),
        ({"object": "lists", "mode": "audience", "columns": MEMBERS}, "list_id"),
        ({"object": "lists", "mode": "audience", "options": {"list_id": "L1"}}, "first_name"),
        ({"object": "subscriptions", "mode": "upsert"}, "upsert"),
        (
            {
                "object": "subscriptions",
                "mode": "audience",
                "columns": MEMBERS,
                "options": {"list_id": "L1"},
                "channel": "post",
            },
            "channel",
        ),
        (
            {
                "object": "subscriptions",
                "mode": "audience",
                "columns": [*MEMBERS, "consented_at"],
                "options": {"list_id": "L1"},
            },
            "historical_import",
        ),
    ],
)
def test_what_klaviyo_cannot_do_is_refused_before_any_call(
    account: FakeKlaviyo, wrong: dict[str, Any], word: str
) -> None:
    with pytest.raises(ValueError, match=word):
        klaviyo(account, **wrong)


def test_the_key_comes_from_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    spec = klaviyo_spec()
    monkeypatch.delenv("KLAVIYO_API_KEY", raising=False)
    with pytest.raises(LookupError, match="KLAVIYO_API_KEY"):
        Klaviyo.from_environment(spec)
    monkeypatch.setenv("KLAVIYO_API_KEY", "pk_fake")
    assert Klaviyo.from_environment(spec).calls == 0


def klaviyo_spec() -> SyncSpec:
    with FakeKlaviyo() as fake:
        return klaviyo(fake)._spec


@settings(max_examples=40, deadline=None)
@given(
    rows=st.lists(
        st.fixed_dictionaries(
            {name: st.none() | st.text(max_size=50) for name in PROFILES[1:]}
            | {"segment": st.none() | st.text(max_size=50) | st.just("'\"\x00😀" * 2500)}
        ),
        min_size=1,
        max_size=5,
    ),
    clears=st.sets(st.sampled_from(PROFILES[1:])),
    keys=st.lists(st.text(min_size=1, max_size=40), min_size=5, max_size=5, unique=True),
)
def test_no_text_breaks_the_contract(rows: list[dict], clears: set[str], keys: list[str]) -> None:
    """An account of its own each time: the limiter of one would make this a minute."""
    with FakeKlaviyo(openapi.load("klaviyo/stable.json")) as account:
        destination = klaviyo(account, clear_nulls=sorted(clears))
        sent = [Row(key, "upsert", "new", values) for key, values in zip(keys, rows, strict=False)]
        outcomes = deliver(destination, sent)
        assert outcomes.keys() == {row.key for row in sent}
        deliver(audience(account), [leaver(row.key) for row in sent])
        assert account.contract_violations == []
