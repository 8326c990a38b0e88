"""Consent over the corpus of nasty decisions, and against an oracle over random ones."""

import csv
import random
from datetime import datetime, timedelta

import pytest

from tests.fixtures.profile_project import ProfileProject

MODELS = "contact_consents customer_consents customer_suppressions google_ads_audience"
AS_OF = datetime.fromisoformat("2026-01-01")
NEW_YEAR = datetime.fromisoformat("2025-01-01")
LONG_AGO = datetime.fromisoformat("1970-01-01")
SEEDS = range(4)
"""Orders in which the same rows are stored."""

PERSONS = {
    "consent.g@example.fr": "g",
    "anon-gpc": "g",
    "merged.1@example.fr": "merged",
    "merged.2@example.fr": "merged",
}
"""Which subjects of the corpus are one person; the others are one each."""


def normalised(row: dict[str, str]) -> dict:
    """A row of the corpus as the conformed layer hands it on."""
    types = {"anonymous_id": "cookie_id"}
    value = row["subject_value"].strip().lower()
    if row["subject_type"] == "phone":
        value = "+33" + value.replace(" ", "")[1:]
    captured = datetime.fromisoformat(row["captured_at"].replace("Z", ""))
    received = datetime.fromisoformat(row["received_at"].replace("Z", ""))
    known = {"granted", "denied", "withdrawn", "opted_out"}
    return {
        "consent_event_id": row["case_id"],
        "identifier_type": types.get(row["subject_type"], row["subject_type"]),
        "identifier_value": value,
        "purpose": row["purpose"],
        "channel": row["channel"],
        "status": row["status"] if row["status"] in known else "unknown",
        "captured_at": captured,
        "received_at": received,
        "has_bad_time": captured > received + timedelta(days=1),
        "loaded_at": received,
    }


def upstream(events: list[dict]) -> dict[str, list[dict]]:
    """What the rest of the warehouse knows about the subjects of the decisions."""
    subjects = {(e["identifier_type"], e["identifier_value"]) for e in events}
    junk = {("email", "test@test.com")}
    held = [
        {"customer_id": PERSONS.get(v, v), "identifier_type": t, "identifier_value": v}
        for t, v in subjects - junk
    ]
    customers = {row["customer_id"] for row in held}
    return {
        "consent_events": events,
        "customer_identifiers": held,
        "customer_identities": [
            {"record_key": f"crm:{c}", "customer_id": c, "is_anonymous": False} for c in customers
        ],
        "customer_records": [
            {"record_key": f"crm:{c}", "source_name": "crm", "is_anonymous": False}
            for c in customers
        ],
        "identifier_rules": [{"identifier_type": "cookie_id", "is_anonymous": True}],
        "int_identity__identifiers_validated": [
            {
                "record_key": f"crm:{PERSONS.get(v, v)}",
                "identifier_type": t,
                "identifier_value": v,
                "is_anonymous_record": t == "cookie_id",
                "rejection_reason": "junk" if (t, v) in junk else None,
            }
            for t, v in subjects
        ],
    }


@pytest.fixture(scope="module", params=SEEDS)
def corpus(request, project: ProfileProject, shared_dir) -> ProfileProject:
    """The corpus, built, its rows stored in one of several orders."""
    path = shared_dir / "data/adversarial/consents.csv"
    events = [normalised(row) for row in csv.DictReader(path.open(encoding="utf-8"))]
    random.Random(request.param).shuffle(events)
    project.fill(**upstream(events))
    project.dbt("run", "--select", *(f"+{m}" for m in MODELS.split()))
    return project


def states(project: ProfileProject, table: str, key: str) -> dict[tuple, tuple]:
    rows = project.fetch(f"select * from profiles.{table}")
    return {
        (r[key], r["purpose"], r["channel"]): (r["is_granted"], r["not_granted_reason"])
        for r in rows
    }


def test_corpus_of_decisions_by_contact(corpus: ProfileProject):
    got = states(corpus, "contact_consents", "identifier_value")
    marketing = {
        "consent.a@example.fr": (False, "refused"),
        "consent.b@example.fr": (True, None),
        "consent.c@example.fr": (False, "refused"),
        "consent.d@example.fr": (False, "unknown_status"),
        "consent.e@example.fr": (False, "unknown_status"),
        "consent.f@example.fr": (False, "refused"),
        "merged.1@example.fr": (True, None),
        "merged.2@example.fr": (False, "refused"),
        "consent.h@example.fr": (False, "lapsed"),
        "test@test.com": (False, "identifier_rejected"),
    }
    emailable = {v: s for (v, p, c), s in got.items() if (p, c) == ("marketing", "email")}
    assert emailable == marketing
    assert got["+33639980050", "marketing", "sms"] == (True, None)
    assert got["anon-gpc", "sale_or_share", "ads"] == (False, "refused")
    assert sum(granted for granted, _ in got.values()) == 4


def test_corpus_of_decisions_by_customer(corpus: ProfileProject):
    got = states(corpus, "customer_consents", "customer_id")
    granted = {key for key, (is_granted, _) in got.items() if is_granted}
    assert granted == {
        ("consent.b@example.fr", "marketing", "email"),
        ("consent.b@example.fr", "ads_user_data", "ads"),
        ("+33639980050", "marketing", "sms"),
    }
    # The opt-out came from a browser, the person is g.
    assert got["g", "sale_or_share", "all"] == (False, "refused")
    assert got["merged", "marketing", "email"] == (False, "refused")


def test_one_of_two_google_signals_uploads_nobody(corpus: ProfileProject):
    relation = corpus.fetch(
        "select table_schema as s from information_schema.tables"
        " where table_name = 'google_ads_audience'"
    )[0]["s"]
    assert corpus.fetch(f"select * from {relation}.google_ads_audience") == []


STATUSES = ["granted"] * 3 + ["withdrawn", "denied", "opted_out", "unknown", "Granted", "yes", None]


def random_events(rng: random.Random, contacts: int) -> list[dict]:
    """Up to six decisions a contact at few times, so that ties are common."""
    events = []
    for contact in range(contacts):
        for _ in range(rng.randint(1, 6)):
            bad = rng.random() < 0.15
            day = NEW_YEAR + timedelta(days=rng.randint(0, 3))
            late = AS_OF + timedelta(days=rng.randint(0, 1))
            received = NEW_YEAR + timedelta(days=rng.randint(2, 5))
            captured = late if rng.random() < 0.05 else day
            events.append(
                {
                    "consent_event_id": f"e{len(events):06}",
                    "identifier_type": "email",
                    "identifier_value": f"{contact}@example.com",
                    "purpose": "marketing",
                    "channel": "email",
                    "status": rng.choice(STATUSES),
                    "captured_at": AS_OF.replace(year=2999) if bad else captured,
                    "received_at": received if bad else max(captured, received),
                    "has_bad_time": bad,
                    "loaded_at": received,
                }
            )
    return events


def oracle(events: list[dict]) -> tuple[bool, bool]:
    """Whether it is granted and whether it is refused, written without regard to the SQL."""

    def decided(event):
        return event["received_at"] if event["has_bad_time"] else event["captured_at"]

    grants, refusals, others = [], [], []
    for event in events:
        if event["status"] == "granted":
            if not event["has_bad_time"] and event["captured_at"] < AS_OF:
                grants.append(decided(event))
        elif event["status"] in ("withdrawn", "denied", "opted_out"):
            refusals.append(decided(event))
        else:
            others.append(decided(event))
    newest = max(grants, default=LONG_AGO)
    granted = bool(grants) and all(at < newest for at in refusals + others)
    return granted, any(at >= newest for at in refusals)


def test_random_decisions_end_as_the_oracle_says(project: ProfileProject):
    events = random_events(random.Random(20260101), contacts=1500)
    project.fill(**upstream(events))
    project.dbt("run", "--select", "+contact_consents")
    by_contact: dict[str, list[dict]] = {}
    for event in events:
        by_contact.setdefault(event["identifier_value"], []).append(event)
    expected = {contact: oracle(decisions) for contact, decisions in by_contact.items()}
    got = {
        row["identifier_value"]: (row["is_granted"], row["is_refused"])
        for row in project.fetch("select * from profiles.contact_consents")
    }
    assert {c: (got[c], e) for c, e in expected.items() if got[c] != e} == {}
    assert 200 < sum(granted for granted, _ in got.values()) < 1000
