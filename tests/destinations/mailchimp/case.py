"""The account, its client and rows of these tests."""

from typing import Any

from orchestration.destinations.base import Limits, Row
from orchestration.destinations.mailchimp import Mailchimp, member_id
from orchestration.sync.http import BasicLogin, HttpClient, Policy
from orchestration.sync.spec import SyncSpec
from tests.fakes.mailchimp import FakeMailchimp

COLUMNS = ["customer_id", "email", "fname", "segment"]


def spec_of(**settings: Any) -> SyncSpec:
    return SyncSpec(
        **{
            "sync_name": "sync_mailchimp__members",
            "destination": "mailchimp",
            "object": "members",
            "mode": "audience",
            "key": "customer_id",
            "match_on": "email",
            "purpose": "marketing",
            "channel": "email",
            "identity_tier": "exact",
            "options": {"list_id": FakeMailchimp.list_id},
            "columns": COLUMNS,
        }
        | settings
    )


def mailchimp(account: FakeMailchimp, **settings: Any) -> Mailchimp:
    settings["options"] = {"list_id": account.list_id} | settings.get("options", {})
    spec = spec_of(**settings)
    Mailchimp.check(spec)
    policy = Policy(tries=2, first_wait=0, max_wait=0)
    limits = Limits(500, ((1000, 1),))
    url = f"{account.url}/3.0"
    return Mailchimp(spec, HttpClient(url, BasicLogin("cdp", account.key), limits, policy))


def row(key: str, *sent: str, remote_id: str | None = None, **values: str | None) -> Row:
    """``sent``: hashes of addresses that the row had."""
    mapped = {"customer_id": key, "email": f"{key}@example.com", "segment": "champions"}
    return Row(key, "upsert", "new", mapped | values, remote_id, sent_identifiers=sent)


def known_member(account: FakeMailchimp, email: str = "a@example.com") -> tuple[str, str]:
    """Hash and contact id of a member."""
    member = account.add(email)
    return member, account.contacts[member]


def hashed(key: str) -> str:
    return member_id(f"{key}@example.com")
