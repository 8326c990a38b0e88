"""Call centre and help desk: requesters, tickets, calls with the notes of agents."""

from __future__ import annotations

import numpy as np

from orchestration.demo import keys, noise, text
from orchestration.demo.persons import Persons
from orchestration.demo.phrases import NOTES, SUBJECTS
from orchestration.demo.pools import LANGUAGES
from orchestration.demo.settings import Settings, scattered
from orchestration.demo.shop import KEYS, Shop, with_duplicates
from orchestration.demo.tables import Block

TICKETS_PER_BLOCK = 1_000_000
CALL_CENTRE = "+33180000100"


def requester_ids(numbers: np.ndarray):
    return text.numbered("Q", numbers, 10)


def write_support(out: Block, settings: Settings, persons: Persons, shop: Shop) -> None:
    """Write support.requesters, tickets and calls of a block."""
    rng = settings.rng("support", out.number)
    rows = np.flatnonzero(persons.member_of["support"])
    n = len(rows)
    number = scattered(persons.number[rows], settings.seed, 71, KEYS)
    room = settings.end - text.DAY - persons.acquired[rows]
    created = persons.acquired[rows] + (rng.random(n) * room).astype(np.int64)
    out.is_truth(text.join("support:", requester_ids(number)), persons.ids(rows))
    email = keys.spell_emails(rng, persons.emails_at(rows, created))
    leans = persons.leans_on_phone[rows]
    no_email = persons.gives_no_email[rows] | (rng.random(n) < 0.12)
    email, is_junk = keys.junk_emails(rng, text.blank(email, no_email), 0.004, leans)
    # No country beside it, so the switch shows numbers in their international form.
    abroad = np.where(persons.country[rows] == 0, 0.7, 1.0)
    phone = keys.person_phones(rng, persons, rows, created, 0.0, 0.05, international=abroad)
    phone = text.blank(phone, ~no_email & (rng.random(n) < 0.35) & ~leans)
    is_centre = (rng.random(n) < 0.02) & ~no_email & ~leans
    phone = text.where(is_centre, CALL_CENTRE, phone)
    ids = requester_ids(number)
    out.planted(
        "junk e-mail", "support", "requesters",
        text.take(ids, np.flatnonzero(is_junk)), "e-mail rejected as identifier",
    )  # fmt: skip
    out.planted(
        "phone of the call centre", "support", "requesters",
        text.take(ids, np.flatnonzero(is_centre)), "phone rejected as identifier",
    )  # fmt: skip
    loaded = noise.loads(rng, settings, created, every=text.DAY)
    columns = {
        "requester_id": ids,
        "name": text.blank(noise.full_names(rng, persons, rows), rng.random(n) < 0.04),
        "email": email,
        "phone": phone,
        "language": text.dictionary(LANGUAGES, persons.country[rows]),
        "created_at": text.timestamps(created),
        "updated_at": text.timestamps(created),
        "loaded_at": loaded,
    }
    out.write("support", "requesters", columns, with_duplicates(rng, loaded, 0.004))
    _write_tickets(out, settings, persons, shop, rows, number, created)


def _write_tickets(out, settings, persons, shop, rows, number, created) -> None:
    rng = settings.rng("tickets", out.number)
    count = 1 + rng.poisson(0.4, len(rows))
    at = np.repeat(np.arange(len(rows)), count)
    n = len(at)
    country = persons.country[rows[at]]
    room = settings.end - text.HOUR - created[at]
    opened = created[at] + np.minimum(rng.exponential(20 * text.DAY, n), room * 0.9).astype(int)
    is_first = np.concatenate([[True], at[1:] != at[:-1]]) if n else np.zeros(0, dtype=bool)
    opened = np.where(is_first, created[at], opened)
    closed = opened + (rng.exponential(3, n) * text.DAY).astype(np.int64) + text.HOUR
    is_open = (closed > settings.end - text.HOUR) | (rng.random(n) < 0.03)
    order = shop.latest_orders(rows[at])
    order = np.where(rng.random(n) < 0.6, order, -1)
    ticket_id = text.numbered(
        "", scattered(out.number * TICKETS_PER_BLOCK + np.arange(n), settings.seed, 72, KEYS), 10
    )
    record = np.concatenate([np.arange(n), np.flatnonzero(~is_open)])
    is_opening = np.arange(len(record)) < n
    shows_open = is_opening | is_open[record]
    updated = np.where(shows_open, opened[record], closed[record])
    loaded = noise.loads(rng, settings, updated)
    older = is_opening & ~is_open[record]
    loaded = np.where(older, np.minimum(loaded, closed[record] - text.MINUTE), loaded)
    status = np.where(shows_open, rng.integers(0, 2, len(record)), rng.integers(2, 4, len(record)))
    subjects = [subject for language in SUBJECTS for subject in language]
    topic = rng.integers(0, len(SUBJECTS[0]), n)
    channel = rng.choice(4, n, p=(0.35, 0.2, 0.35, 0.1))
    columns = {
        "ticket_id": text.take(ticket_id, record),
        "requester_id": requester_ids(number[at][record]),
        "order_id": shop.order_ids(order[record]),
        "subject": text.dictionary(subjects, (country * len(SUBJECTS[0]) + topic)[record]),
        "channel": text.dictionary(("email", "chat", "phone", "form"), channel[record]),
        "priority": text.dictionary(
            ("low", "normal", "high", "urgent"),
            rng.choice(4, n, p=(0.2, 0.6, 0.15, 0.05))[record],
        ),
        "status": text.dictionary(("open", "pending", "solved", "closed"), status),
        "opened_at": text.timestamps(opened[record]),
        "closed_at": text.timestamps(closed[record], missing=shows_open),
        "updated_at": text.timestamps(updated),
        "loaded_at": loaded,
    }
    out.write("support", "tickets", columns, with_duplicates(rng, loaded, 0.004))
    calls = np.flatnonzero(channel == 2)
    _write_calls(out, settings, persons, rows[at[calls]], number[at[calls]], opened[calls],
                 text.take(ticket_id, calls))  # fmt: skip


def _write_calls(out, settings, persons, person, number, time, ticket) -> None:
    rng = settings.rng("phone", out.number)
    n = len(person)
    country = persons.country[person]
    shown = keys.person_phones(rng, persons, person, time, 0.1, 0.1, international=1.0)
    notes = [note for language in NOTES for note in language]
    note = text.dictionary(notes, country * len(NOTES[0]) + rng.integers(0, len(NOTES[0]), n))
    # Agents write contact data into the note.
    leak = rng.random(n)
    mobile = keys.e164(country, persons.mobiles_at(person, time))
    email = persons.emails_at(person, time)
    note = text.where(leak < 0.08, text.join(note, " Tel. ", mobile), note)
    note = text.where(leak > 0.92, text.join(note, " Mail: ", email), note)
    started = time + 2 * text.MINUTE
    loaded = noise.loads(rng, settings, started)
    call_id = text.numbered(
        "P", scattered(out.number * TICKETS_PER_BLOCK + np.arange(n), settings.seed, 73, KEYS), 10
    )
    has_secret = np.flatnonzero((leak < 0.08) | (leak > 0.92))
    out.planted(
        "contact data in an agent's note", "support", "calls", text.take(call_id, has_secret),
        "text scrubbed before any mart",
    )  # fmt: skip
    columns = {
        "call_id": call_id,
        "requester_id": text.blank(requester_ids(number), rng.random(n) < 0.1),
        "ticket_id": ticket,
        "direction": text.dictionary(("inbound", "outbound"), rng.random(n) < 0.15),
        "caller_phone": shown,
        "agent_note": text.blank(note, rng.random(n) < 0.1),
        "started_at": text.timestamps(started),
        "duration_seconds": text.numbers(rng.gamma(2, 150, n).astype(np.int64)),
        "outcome": text.dictionary(
            ("answered", "missed", "voicemail"), rng.choice(3, n, p=(0.85, 0.1, 0.05))
        ),
        "loaded_at": loaded,
    }
    out.write("support", "calls", columns, with_duplicates(rng, loaded, 0.004))
