"""The tills: loyalty members, receipts in store-local time, and their lines."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pyarrow as pa

from orchestration.demo import catalog as shelves
from orchestration.demo import keys, noise, text
from orchestration.demo.catalog import Catalog
from orchestration.demo.persons import Persons, places
from orchestration.demo.purchases import Purchases, make_lines
from orchestration.demo.settings import Settings, scattered
from orchestration.demo.shop import KEYS, ORDERS_PER_BLOCK, spoil_rows, with_duplicates
from orchestration.demo.tables import Block

TIERS = ("bronze", "silver", "gold")
WITHOUT_CARD = 0.40
BAD_RECEIPTS = (
    ("total_amount", "NaN"),
    ("total_amount", "12,3,4"),
    ("currency", "XXX"),
    ("issued_at", "2025-02-30 12:00:00"),
    ("type", "frobnicated"),
)


@dataclass
class Tills:
    """What other systems know of the stores. `member` is per person (-1: none)."""

    member: np.ndarray
    joined: np.ndarray

    def member_ids(self, persons: np.ndarray) -> pa.Array:
        return member_ids(np.maximum(self.member[persons], 0), self.member[persons] < 0)


def member_ids(numbers: np.ndarray, missing: np.ndarray | None = None) -> pa.Array:
    return text.numbered("290", numbers, 10, missing)


def write_pos(
    out: Block, settings: Settings, persons: Persons, catalog: Catalog, purchases: Purchases
) -> Tills:
    """Write pos.members, receipts and receipt_lines of a block."""
    at = np.flatnonzero(purchases.is_store)
    first = np.full(len(persons), settings.end, dtype=np.int64)
    np.minimum.at(first, purchases.person[at], purchases.time[at])
    joined = np.where(first == settings.end, persons.acquired, first)
    number = scattered(persons.number, settings.seed, 31, KEYS)
    member = np.where(persons.member_of["pos"], number, -1)
    rng = settings.rng("stores", out.number)
    home = shelves.stores_of(persons.country, rng.random(len(persons)))
    tills = Tills(member, joined)
    _write_members(out, settings, persons, tills, home)
    _write_receipts(out, settings, persons, catalog, purchases, at, tills, home)
    return tills


def store_phones(rng: np.random.Generator, store: np.ndarray) -> pa.Array:
    """The line of the store itself, typed where a customer gave none."""
    country = np.array(shelves.STORE_COUNTRY)[store % 10]
    number = 20_000_000 + store * 1_000_003
    return keys.spell_phones(rng, country, number, np.ones(len(store), dtype=bool), 0.1)


def _write_members(out: Block, settings: Settings, persons: Persons, tills: Tills, home) -> None:
    rng = settings.rng("members", out.number)
    rows = np.flatnonzero(persons.member_of["pos"])
    n = len(rows)
    joined = tills.joined[rows]
    out.is_truth(text.join("pos:", tills.member_ids(rows)), persons.ids(rows))
    first, last = noise.person_names(rng, persons, rows, noise.TILL)
    birth, is_bad_birth = noise.birth_dates(rng, persons, rows, missing=0.3)
    gender = noise.genders(rng, persons, rows)
    address = noise.addresses(rng, persons, rows, missing=0.3)

    leans = persons.leans_on_phone[rows]
    # Who is not in the CRM gave the till the address of former times.
    is_bridge = (persons.email_changed[rows] >= 0) & ~persons.member_of["crm"][rows]
    email = keys.spell_emails(rng, persons.emails_at(rows, np.where(is_bridge, 0, joined)))
    # One address for a couple: the till knows both under it.
    partner = persons.head[rows]
    borrows = (persons.position[rows] == 1) & (rng.random(n) < 0.006)
    email = text.where(borrows, persons.email.take(pa.array(partner)), email)
    no_email = persons.gives_no_email[rows] | ((rng.random(n) < 0.04) & ~leans)
    email = text.blank(email, no_email & ~borrows)
    email, is_junk = keys.junk_emails(rng, email, 0.008, leans)
    email, _ = keys.null_words(rng, email, 0.006, leans)
    phone = keys.person_phones(rng, persons, rows, joined, missing=0.0, landline=0.12)
    phone = text.blank(phone, (rng.random(n) < 0.2) & ~no_email & ~leans)
    # Cashiers type the number of the store to get on; in one store nearly always.
    is_store_phone = (rng.random(n) < 0.06) & ~no_email & ~leans
    is_busy = (rng.random(n) < 0.8) & (persons.country[rows] == 0)
    busy = np.where(is_busy, 0, home[rows])
    phone = text.where(is_store_phone, store_phones(rng, busy), phone)
    phone, is_junk_phone = keys.junk_phones(rng, phone, 0.005, leans | no_email)

    updated = joined + (rng.random(n) * (settings.end - joined)).astype(np.int64)
    has_update = (rng.random(n) < 0.5) & (updated > joined + text.DAY)
    has_update &= updated < settings.end - 2 * text.DAY
    record = np.concatenate([np.arange(n), np.flatnonzero(has_update)])
    is_first = np.arange(len(record)) < n
    moment = np.where(is_first, joined[record], updated[record])
    points = np.where(is_first, 0, rng.integers(0, 3000, len(record)))
    loaded = noise.loads(rng, settings, moment, every=text.DAY)
    is_older = is_first & has_update[record]
    loaded = np.where(is_older, np.minimum(loaded, updated[record] - text.HOUR), loaded)
    ids = tills.member_ids(rows)
    for problem, hit, expected in (
        ("junk e-mail", is_junk, "e-mail rejected as identifier"),
        ("junk phone", is_junk_phone, "phone rejected as identifier"),
        ("phone of the store", is_store_phone, "phone rejected as identifier"),
        ("e-mail of the partner", borrows, "two persons, one household"),
        ("impossible birth date", is_bad_birth, "birth date is null"),
    ):
        out.planted(problem, "pos", "members", text.take(ids, np.flatnonzero(hit)), expected)
    known = places()
    columns = {
        "member_id": tills.member_ids(rows[record]),
        "first_name": text.take(first, record),
        "last_name": text.take(last, record),
        "email": text.take(email, record),
        "phone": text.take(phone, record),
        "birth_date": text.take(birth, record),
        "gender": text.take(gender, record),
        "postcode": text.dictionary([p for _, p, _ in known], persons.place[rows[record]]),
        "city": text.take(address.city, record),
        "country": text.take(address.country, record),
        "tier": text.dictionary(TIERS, np.searchsorted([1000, 2200], points)),
        "points": text.numbers(points),
        "home_store_id": text.dictionary(shelves.store_ids(), home[rows[record]]),
        "joined_at": text.timestamps(joined[record]),
        "updated_at": text.timestamps(moment),
        "loaded_at": loaded,
    }
    out.write("pos", "members", columns, with_duplicates(rng, loaded, 0.004))


def _write_receipts(out, settings, persons, catalog, purchases, at, tills: Tills, home) -> None:
    rng = settings.rng("receipts", out.number)
    person, time, value = purchases.person[at], purchases.time[at], purchases.value[at]
    shows_card = (tills.member[person] >= 0) & (rng.random(len(person)) < 0.9)
    no_card = np.count_nonzero(~shows_card)
    extra = max(0, int((WITHOUT_CARD * len(person) - no_card) / (1 - WITHOUT_CARD)))
    # Strangers at the till: bought like the others, known to nobody.
    like = rng.integers(0, max(1, len(person)), extra if len(person) else 0)
    person = np.concatenate([person, person[like]])
    value = np.concatenate([value, value[like]])
    random_days = rng.integers(0, settings.span // text.DAY - 1, len(like)) * text.DAY
    time = np.concatenate([time, settings.start + random_days + time[like] % text.DAY])
    shows_card = np.concatenate([shows_card, np.zeros(len(like), dtype=bool)])
    n = len(person)
    away = shelves.stores_of(persons.country[person], rng.random(n))
    store = np.where(rng.random(n) < 0.85, home[person], away)
    currency = np.where(np.array(shelves.STORE_COUNTRY)[store % 10] == 1, 1, 0)
    lines = make_lines(rng, catalog, value, currency, discounted=0.12)

    # A refund is a receipt of its own with the lines of the first.
    back = time + (rng.uniform(1, 20, n) * text.DAY // text.DAY * text.DAY).astype(np.int64)
    refunded = np.flatnonzero((rng.random(n) < 0.04) & (back < settings.end - text.DAY))
    source = np.concatenate([np.arange(n), refunded])
    is_refund = np.arange(len(source)) >= n
    issued = np.where(is_refund, back[source], time[source])
    till = rng.integers(1, 6, len(source))
    # Tills of odd stores print refunds as negative amounts, the others as positive ones.
    sign = np.where(is_refund & (store[source] % 2 == 1), -1, 1)
    number = out.number * ORDERS_PER_BLOCK + np.arange(len(source))
    serial = scattered(number, settings.seed, 32, KEYS)
    receipt_id = text.numbered("T", serial, 10)
    total = lines.total(lines.amount, n)[source] * sign
    discount = lines.total(lines.discount, n)[source]
    is_summer = shelves.summer_time(issued)
    is_british = np.array(shelves.STORE_COUNTRY)[store[source] % 10] == 1
    local = issued + (is_summer + (~is_british).astype(np.int64)) * text.HOUR
    loaded = noise.loads(rng, settings, issued, every=text.DAY, late=0.03)
    member = text.blank(tills.member_ids(person[source]), ~shows_card[source])
    is_ghost = rng.random(len(source)) < 0.001
    member = text.where(is_ghost, text.numbered("999", serial, 10), member)
    columns = {
        "receipt_id": receipt_id,
        "store_id": text.dictionary(shelves.store_ids(), store[source]),
        "till_id": text.numbered("K", till, 2),
        "member_id": member,
        "issued_at": text.timestamps(local),
        "type": text.dictionary(("sale", "refund"), is_refund),
        "refund_of": text.blank(text.take(receipt_id, source), ~is_refund),
        "currency": text.dictionary(shelves.CURRENCY_CODES, currency[source]),
        "total_amount": text.money(total),
        "discount_amount": text.money(discount),
        "loaded_at": loaded,
    }
    out.planted(
        "card of no member", "pos", "receipts",
        text.take(receipt_id, np.flatnonzero(is_ghost)), "order of nobody known",
    )  # fmt: skip
    spoil_rows(out, rng, "pos", "receipts", "receipt_id", columns, BAD_RECEIPTS, np.arange(n))
    out.write("pos", "receipts", columns, with_duplicates(rng, loaded, 0.004))

    first = np.searchsorted(lines.basket, np.arange(n))
    count = np.bincount(lines.basket, minlength=n)[source]
    receipt = np.repeat(np.arange(len(source)), count)
    position = np.arange(len(receipt)) - (np.cumsum(count) - count)[receipt]
    line = first[source][receipt] + position
    line_ids = text.join(text.take(receipt_id, receipt), "/", text.numbers(position + 1))
    line_loaded = loaded[receipt]
    columns = {
        "receipt_line_id": line_ids,
        "receipt_id": text.take(receipt_id, receipt),
        "product_id": text.dictionary(catalog.product_ids, lines.product[line]),
        "quantity": text.numbers(lines.quantity[line] * sign[receipt]),
        "unit_price": text.money(lines.unit_price[line]),
        "line_amount": text.money(lines.amount[line] * sign[receipt]),
        "loaded_at": line_loaded,
    }
    out.write("pos", "receipt_lines", columns, with_duplicates(rng, line_loaded, 0.002))
