"""Consent: decisions per purpose and channel, by e-mail, phone or customer key."""

from __future__ import annotations

import numpy as np

from orchestration.demo import keys, noise, text
from orchestration.demo.email import Mailing
from orchestration.demo.persons import Persons
from orchestration.demo.pos import Tills
from orchestration.demo.settings import Settings
from orchestration.demo.shop import Shop, with_duplicates
from orchestration.demo.tables import Block

PURPOSES = ("marketing", "ads_user_data", "ads_personalisation", "profiling", "sale_or_share")
CHANNELS = ("email", "sms", "ads", "phone", "all")
STATUSES = ("granted", "denied", "withdrawn", "opted_out")
SUBJECTS = ("email", "phone", "shop_customer_id", "loyalty_id")
CONSENTS_PER_BLOCK = 10_000_000


class Decisions:
    """Rows of decisions, collected group by group."""

    def __init__(self) -> None:
        self.columns: dict[str, list] = {}

    def add(self, subject, value, purpose, channel, status, captured, by, delay=0) -> None:
        """Add one decision per value; scalars hold for all rows."""
        rows = len(value)
        given = {
            "subject": subject, "purpose": purpose, "channel": channel, "status": status,
            "captured": captured, "by": by, "delay": delay,
        }  # fmt: skip
        for name, values in given.items():
            self.columns.setdefault(name, []).append(np.broadcast_to(values, rows))
        self.columns.setdefault("value", []).append(text.plain(value))


def write_consent(
    out: Block, settings: Settings, persons: Persons, shop: Shop, tills: Tills, mailing: Mailing
) -> None:
    """Write consent.consent_events of a block."""
    rng = settings.rng("consent", out.number)
    decisions = Decisions()
    _newsletter(rng, decisions, mailing, settings)
    _banner(rng, decisions, persons, shop)
    _cards(rng, decisions, settings, persons, tills)
    _write(out, settings, rng, decisions)


def _newsletter(rng, decisions: Decisions, mailing: Mailing, settings) -> None:
    """Sign-up, and the withdrawal that an unsubscription is."""
    email = mailing.email
    decisions.add(0, email, 0, 0, 0, mailing.created, 0)
    left = np.flatnonzero(mailing.left >= 0)
    decisions.add(0, text.take(email, left), 0, 0, 2, mailing.left[left] + 5 * text.MICROSECONDS, 1)
    # A paper form signed before the withdrawal and typed in after it: grants nothing.
    late = left[rng.random(len(left)) < 0.1]
    captured = (mailing.created[late] + mailing.left[late]) // 2
    wait = mailing.left[late] - captured + 20 * text.DAY
    decisions.add(0, text.take(email, late), 0, 0, 0, captured, 3, wait)


def _banner(rng, decisions: Decisions, persons: Persons, shop: Shop) -> None:
    """Advertising signals from the cookie banner of the shop."""
    rows = np.flatnonzero((shop.account >= 0) & (rng.random(len(persons)) < 0.6))
    time = shop.account_created[rows]
    grants = rng.random(len(rows)) < 0.62
    only_one = rng.random(len(rows)) < 0.08
    value = shop.account_ids(rows)
    decisions.add(2, value, 1, 2, np.where(grants, 0, 1), time, 2)
    decisions.add(2, value, 2, 2, np.where(grants & ~only_one, 0, 1), time, 2)
    later = np.flatnonzero(grants & (rng.random(len(rows)) < 0.05))
    decisions.add(2, text.take(value, later), 2, 2, 2, time[later] + 40 * text.DAY, 2)
    sale = np.flatnonzero(rng.random(len(rows)) < 0.01)
    decisions.add(2, text.take(value, sale), 4, 4, 3, time[sale] + 3 * text.DAY, 2)
    profiling = np.flatnonzero(rng.random(len(rows)) < 0.2)
    email = persons.emails_at(rows[profiling], time[profiling])
    decisions.add(0, email, 3, 4, rng.integers(0, 2, len(profiling)), time[profiling], 2)


def _cards(rng, decisions: Decisions, settings, persons: Persons, tills: Tills) -> None:
    """The form of the loyalty card: text messages by number, everything else by card."""
    rows = np.flatnonzero((tills.member >= 0) & (rng.random(len(persons)) < 0.5))
    time = tills.joined[rows]
    phone = keys.e164(persons.country[rows], persons.mobiles_at(rows, time))
    status = np.where(rng.random(len(rows)) < 0.55, 0, 1)
    decisions.add(1, phone, 0, 1, status, time, 3, rng.integers(0, 15, len(rows)) * text.DAY)
    some = np.flatnonzero(rng.random(len(rows)) < 0.3)
    card = tills.member_ids(rows[some])
    decisions.add(3, card, 0, 0, rng.integers(0, 2, len(some)), time[some], 3, text.DAY)


def _write(out: Block, settings: Settings, rng, decisions: Decisions) -> None:
    merged = {
        name: np.concatenate(values)
        for name, values in decisions.columns.items()
        if name != "value"
    }
    value = text.pa.concat_arrays(decisions.columns["value"])
    rows = len(value)
    captured = np.clip(merged["captured"], settings.start, settings.end - 2 * text.HOUR)
    received = np.minimum(captured + merged["delay"] + text.MICROSECONDS, settings.end - text.HOUR)
    is_email = merged["subject"] == 0
    value = text.where(is_email, keys.spell_emails(rng, value, typo=0), value)
    consent_id = text.hex_key(out.number * CONSENTS_PER_BLOCK + np.arange(rows), 91)
    status = text.dictionary(
        (*STATUSES, *(word.upper() for word in STATUSES), "maybe"),
        merged["status"] + np.where(rng.random(rows) < 0.02, 4, 0),
    )
    is_unclear = rng.random(rows) < 0.001
    status = text.where(is_unclear, "maybe", status)
    from_future = (rng.random(rows) < 0.0007) & ~is_unclear
    shown = np.where(from_future, settings.end + 700 * text.DAY, captured)
    for problem, hit, expected in (
        ("status is no status", is_unclear, "unknown: grants nothing"),
        ("decided in the future", from_future, "flagged bad time"),
    ):
        out.planted(
            problem, "consent", "consent_events",
            text.take(consent_id, np.flatnonzero(hit)), expected,
        )  # fmt: skip
    loaded = noise.loads(rng, settings, received, late=0.01)
    columns = {
        "consent_id": consent_id,
        "subject_type": text.dictionary(SUBJECTS, merged["subject"]),
        "subject_value": value,
        "purpose": text.dictionary(
            (*PURPOSES, *(word.title() for word in PURPOSES)),
            merged["purpose"] + np.where(rng.random(rows) < 0.01, len(PURPOSES), 0),
        ),
        "channel": text.dictionary(CHANNELS, merged["channel"]),
        "status": status,
        "lawful_basis": text.dictionary(
            ("consent", "legitimate_interest"), rng.random(rows) < 0.03
        ),
        "captured_at": text.iso(shown),
        "received_at": text.iso(received),
        "collected_by": text.dictionary(("web", "email", "banner", "pos"), merged["by"]),
        "proof": text.dictionary(
            ("form v3", "unsubscribe link", "banner v7", "paper form 2"), merged["by"]
        ),
        "loaded_at": loaded,
    }
    out.write("consent", "consent_events", columns, with_duplicates(rng, loaded, 0.003))


def write_privacy(out: Block, settings: Settings, persons: Persons, shop: Shop) -> None:
    """Write privacy.privacy_requests of a block: one in 700 persons, and hostile ones."""
    rng = settings.rng("privacy", out.number)
    rows = np.sort(rng.choice(len(persons), max(4, len(persons) // 700), replace=False))
    n = len(rows)
    by_account = (shop.account[rows] >= 0) & (rng.random(n) < 0.3)
    by_phone = ~by_account & (rng.random(n) < 0.1)
    begin = persons.acquired[rows]
    time = begin + (rng.random(n) * (settings.end - text.DAY - begin)).astype(np.int64)
    email = keys.spell_emails(rng, persons.emails_at(rows, time), typo=0)
    phone = keys.e164(persons.country[rows], persons.mobiles_at(rows, time))
    value = text.where(by_account, shop.account_ids(rows), text.where(by_phone, phone, email))
    kinds = (
        "erasure", "access", "rectification", "restriction", "objection", "opt_out_sale",
    )  # fmt: skip
    kind = rng.choice(6, n, p=(0.5, 0.2, 0.05, 0.05, 0.1, 0.1))
    hostile = ("test@test.com", "", "%", "x' or '1'='1", "unknown@nowhere.example")
    extra = len(hostile) if out.number == 0 else 0
    bad = settings.start + settings.span // 2 + np.arange(extra) * text.DAY
    time = np.concatenate([time, bad])
    subject = np.where(by_account, 2, np.where(by_phone, 1, 0))
    request = text.numbered("D", out.number * 1_000_000 + np.arange(n + extra), 8)
    out.planted(
        "request for nobody", "privacy", "privacy_requests", request[n:],
        "erases nobody: blocked, empty or unknown subject",
    )  # fmt: skip
    loaded = noise.loads(rng, settings, time)
    columns = {
        "request_id": request,
        "request_type": text.dictionary(kinds, np.concatenate([kind, np.zeros(extra, int)])),
        "subject_type": text.dictionary(SUBJECTS, np.concatenate([subject, np.zeros(extra, int)])),
        "subject_value": text.pa.concat_arrays(
            [text.plain(value), text.pa.array(hostile[:extra], text.pa.string())]
        ),
        "requested_at": text.iso(time),
        "is_verified": text.dictionary(("true", "false"), rng.random(n + extra) < 0.1),
        "loaded_at": loaded,
    }
    out.write("privacy", "privacy_requests", columns, with_duplicates(rng, loaded, 0.02))
