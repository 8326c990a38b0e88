"""The e-mail tool: subscribers, campaigns, sends and what happened to each mail."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from orchestration.demo import keys, noise, text
from orchestration.demo.catalog import Catalog
from orchestration.demo.noise import Habits
from orchestration.demo.persons import Persons
from orchestration.demo.pools import LANGUAGES
from orchestration.demo.settings import Settings, scattered
from orchestration.demo.shop import KEYS, with_duplicates
from orchestration.demo.tables import Block

SENDS_PER_SUBSCRIBER = 9.0
MAILS_PER_BLOCK = 10_000_000


@dataclass
class Mailing:
    """Subscribers, for the consent module: indices of persons and times (-1: never left)."""

    person: np.ndarray
    created: np.ndarray
    left: np.ndarray
    email: object


def subscriber_ids(numbers: np.ndarray):
    return text.numbered("S", numbers, 10)


def write_email(out: Block, settings: Settings, persons: Persons, catalog: Catalog) -> Mailing:
    """Write email.subscribers and the event tables of a block (and campaigns in the first)."""
    rng = settings.rng("email", out.number)
    if out.number == 0:
        _write_campaigns(out, settings, catalog)
    rows = np.flatnonzero(persons.member_of["email"])
    n = len(rows)
    number = scattered(persons.number[rows], settings.seed, 41, KEYS)
    created = persons.acquired[rows] + (rng.random(n) * 20 * text.DAY).astype(np.int64)
    created = noise.in_period(settings, created)
    # Lists keep the address of the sign-up; only who has an account is followed.
    keeps_old = rng.random(n) < 0.5
    asked = np.where(keeps_old, created, settings.end)
    address = persons.emails_at(rows, asked)
    out.is_truth(text.join("email:", subscriber_ids(number)), persons.ids(rows))
    leaves = rng.random(n) < 0.12
    left = created + (rng.random(n) * (settings.end - created)).astype(np.int64)
    left = np.where(
        leaves & (left > created + text.DAY) & (left < settings.end - 2 * text.DAY), left, -1
    )
    first = noise.names("first", persons.first_name[rows], Habits(missing=0.7).draw(rng, n))
    spelled = keys.spell_emails(rng, address, typo=0.001)
    record = np.concatenate([np.arange(n), np.flatnonzero(left >= 0)])
    is_first = np.arange(len(record)) < n
    moment = np.where(is_first, created[record], left[record])
    loaded = noise.loads(rng, settings, moment)
    is_older = is_first & (left[record] >= 0)
    loaded = np.where(is_older, np.minimum(loaded, left[record] - text.HOUR), loaded)
    columns = {
        "subscriber_id": subscriber_ids(number[record]),
        "email": text.take(spelled, record),
        "first_name": text.take(first, record),
        "language": text.dictionary(LANGUAGES, persons.country[rows[record]]),
        "status": text.dictionary(("subscribed", "unsubscribed"), ~is_first),
        "created_at": text.timestamps(created[record]),
        "updated_at": text.timestamps(moment),
        "loaded_at": loaded,
    }
    out.write("email", "subscribers", columns, with_duplicates(rng, loaded, 0.004))
    _write_mails(out, settings, catalog, number, created, left)
    return Mailing(rows, created, left, spelled)


def _write_campaigns(out: Block, settings: Settings, catalog: Catalog) -> None:
    starts = catalog.email_starts
    number = np.arange(len(starts)) + 1
    updated = starts - text.DAY
    columns = {
        "campaign_id": text.numbered("N", number, 4),
        "name": text.join("Newsletter ", text.numbers(number)),
        "subject": text.dictionary(
            ("New this week", "Only until Sunday", "Für Sie ausgesucht", "Nos idées déco"),
            number % 4,
        ),
        "utm_campaign": text.dictionary(catalog.email_tags, number - 1),
        "started_at": text.timestamps(starts),
        "updated_at": text.timestamps(updated),
        "loaded_at": np.maximum(updated, settings.start) + text.HOUR,
    }
    out.write("email", "campaigns", columns)


def _write_mails(out, settings, catalog, number, created, left) -> None:
    rng = settings.rng("mails", out.number)
    n = len(number)
    campaigns = len(catalog.email_starts)
    first = np.searchsorted(catalog.email_starts, created)
    last = np.where(left >= 0, np.searchsorted(catalog.email_starts, left, side="right"), campaigns)
    room = np.maximum(last - first, 0)
    # Everybody gets the same share of the campaigns that ran while they were on the list.
    mean_room = max(1.0, room.mean()) if n else 1.0
    count = np.minimum(rng.poisson(SENDS_PER_SUBSCRIBER * room / mean_room), room)
    subscriber = np.repeat(np.arange(n), count)
    campaign = first[subscriber] + (rng.random(len(subscriber)) * room[subscriber]).astype(int)
    # Whoever left got a last mail to leave from.
    leavers = np.flatnonzero((left >= 0) & (room > 0))
    pair = np.unique(
        np.concatenate([subscriber * campaigns + campaign, leavers * campaigns + last[leavers] - 1])
    )
    subscriber, campaign = pair // campaigns, pair % campaigns
    sends = len(pair)
    sent = catalog.email_starts[campaign] + rng.integers(0, 4 * 3600, sends) * text.MICROSECONDS
    key = out.number * MAILS_PER_BLOCK + np.arange(sends)
    columns = {
        "send_id": text.hex_key(key, 41),
        "campaign_id": text.numbered("N", campaign + 1, 4),
        "subscriber_id": subscriber_ids(number[subscriber]),
        "sent_at": text.timestamps(sent),
        "loaded_at": noise.loads(rng, settings, sent),
    }
    order = with_duplicates(rng, columns["loaded_at"], 0.002)
    out.write("email", "sends", columns, order)

    def event(table: str, rows: np.ndarray, time: np.ndarray, stream: int, **more) -> None:
        """One row for each mail (index into the sends) and time."""
        keep = time < settings.end - text.MINUTE
        rows, time = rows[keep], time[keep]
        loaded = noise.loads(rng, settings, time)
        columns = {
            "event_id": text.hex_key(out.number * MAILS_PER_BLOCK + np.arange(len(rows)), stream),
            "send_id": text.hex_key(key[rows], 41),
            "campaign_id": text.numbered("N", campaign[rows] + 1, 4),
            "subscriber_id": subscriber_ids(number[subscriber[rows]]),
            "event_at": text.timestamps(time),
            **{name: make(rows) for name, make in more.items()},
            "loaded_at": loaded,
        }
        out.write("email", table, columns, with_duplicates(rng, loaded, 0.004))

    def after(rows: np.ndarray, hours: float) -> np.ndarray:
        return (
            sent[rows]
            + (rng.exponential(hours, len(rows)) * text.HOUR).astype(np.int64)
            + (3 * text.MICROSECONDS)
        )

    eager = rng.beta(1.3, 2.6, n)[subscriber]
    bounced = np.flatnonzero(rng.random(sends) < 0.012)
    opened = np.flatnonzero(rng.random(sends) < eager)
    twice = opened[rng.random(len(opened)) < 0.25]
    clicked = opened[rng.random(len(opened)) < 0.2]
    opens = np.sort(np.concatenate([opened, twice]))
    event("opens", opens, after(opens, 9), 42)
    event(
        "clicks", clicked, after(clicked, 10), 43, url=lambda rows: _links(catalog, campaign[rows])
    )
    event(
        "bounces", bounced, sent[bounced] + 5 * text.MICROSECONDS, 44,
        bounce_type=lambda rows: text.dictionary(
            ("soft", "hard"), (rng.random(len(rows)) < 0.3).astype(int)
        ),
    )  # fmt: skip
    goodbye = np.searchsorted(pair, leavers * campaigns + last[leavers] - 1)
    event("unsubscribes", goodbye, np.maximum(left[leavers], sent[goodbye] + text.MINUTE), 45)


def _links(catalog: Catalog, campaign: np.ndarray):
    links = [
        f"https://www.boutique.example/?utm_source=newsletter&utm_medium=email&utm_campaign={tag}"
        for tag in catalog.email_tags
    ]
    return text.dictionary(links, campaign)
