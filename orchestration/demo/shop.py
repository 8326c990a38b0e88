"""The web shop: accounts, orders (with guests), lines and returns."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pyarrow as pa

from orchestration.demo import keys, noise, text
from orchestration.demo.catalog import CURRENCY_CODES, Catalog
from orchestration.demo.persons import Persons
from orchestration.demo.purchases import Lines, Purchases, make_lines
from orchestration.demo.settings import Settings, scattered
from orchestration.demo.tables import Block

KEYS = 9_999_999_967  # prime: keys of ten digits
MOST_GUEST_ORDERS = 8
ORDERS_PER_BLOCK = 2_000_000

BAD_ORDERS = (
    ("total_amount", "NaN"),
    ("total_amount", "abc"),
    ("total_amount", "1.234,56"),
    ("total_amount", "1e400"),
    ("currency", "XXX"),
    ("ordered_at", "2024-02-30 10:00:00"),
    ("ordered_at", "yesterday"),
    ("status", "frobnicated"),
)


@dataclass
class Shop:
    """What other systems know of the shop. `account` is per person (-1: none)."""

    account: np.ndarray
    account_created: np.ndarray
    order_person: np.ndarray
    order_time: np.ndarray
    order_id: pa.Array
    order_campaign: np.ndarray  # index into catalog.tags, -1 none
    is_guest: np.ndarray
    line_order: np.ndarray
    line_product: np.ndarray  # index into the catalog, -1 for what is no article
    key_width: int = 10

    def ids(self, accounts: np.ndarray) -> pa.Array:
        """Account numbers as text; negative ones are null."""
        return text.numbered("", np.maximum(accounts, 0), self.key_width, accounts < 0)

    def account_ids(self, persons: np.ndarray) -> pa.Array:
        """Account of each person, null where there is none."""
        return self.ids(self.account[persons])

    def first_products(self, orders: np.ndarray) -> np.ndarray:
        """Product of the first line of each order; -1 for no order or no article."""
        if not len(self.line_order):
            return np.full(len(orders), -1)
        line = np.searchsorted(self.line_order, np.maximum(orders, 0))
        return np.where(orders >= 0, self.line_product[line], -1)

    def latest_orders(self, persons: np.ndarray) -> np.ndarray:
        """Index of the last order of each person, -1 none (orders are sorted by person)."""
        if not len(self.order_person):
            return np.full(len(persons), -1)
        last = np.maximum(np.searchsorted(self.order_person, persons, side="right") - 1, 0)
        return np.where(self.order_person[last] == persons, last, -1)

    def order_ids(self, orders: np.ndarray) -> pa.Array:
        """Keys of orders; null for -1."""
        if not len(self.order_id):
            return text.plain(text.constant(None, len(orders)))
        return text.blank(text.take(self.order_id, np.maximum(orders, 0)), orders < 0)


def write_shop(
    out: Block, settings: Settings, persons: Persons, catalog: Catalog, purchases: Purchases
) -> Shop:
    """Write shop.customers, orders, order_lines and returns of a block."""
    rng = settings.rng("shop", out.number)
    at = np.flatnonzero(~purchases.is_store)
    person, time = purchases.person[at], purchases.time[at]
    # Nobody types their address for ever.
    orders = np.bincount(person, minlength=len(persons))
    has_account = persons.member_of["shop"] | (orders > MOST_GUEST_ORDERS)
    first_order = np.full(len(persons), settings.end, dtype=np.int64)
    np.minimum.at(first_order, person, time)
    created = np.minimum(first_order - 5 * text.MINUTE, settings.end)
    never = first_order == settings.end
    created = np.where(never, persons.acquired, created)
    account = np.where(has_account, scattered(persons.number * 2, settings.seed, 11, KEYS), -1)

    n = len(person)
    is_guest = ~has_account[person] | (rng.random(n) < 0.035)
    number = out.number * ORDERS_PER_BLOCK + np.arange(n)
    order_id = text.numbered("", scattered(number, settings.seed, 12, KEYS), 10)
    campaign = campaigns_at(rng, settings, catalog, time, share=0.45)
    shop = Shop(
        account, created, person, time, order_id, campaign, is_guest,
        np.empty(0, np.int64), np.empty(0, np.int64),
    )  # fmt: skip
    write_customers(out, settings, persons, shop)
    lines = _write_orders(out, settings, persons, catalog, shop, purchases.value[at], rng)
    shop.line_order, shop.line_product = lines.basket, lines.product
    return shop


def campaigns_at(rng, settings: Settings, catalog: Catalog, time: np.ndarray, share: float):
    """A campaign that ran at each time (index into catalog.tags), for a share of the rows."""
    emails = len(catalog.email_tags)
    latest = np.searchsorted(catalog.email_starts, time, side="right") - 1
    position = np.searchsorted(catalog.ad_starts[::3], time, side="right") - 1
    ad = emails + np.maximum(position, 0) * 3 + rng.integers(0, 3, len(time))
    pick = rng.random(len(time))
    chosen = np.where(pick < share * 0.4, latest, np.where(pick < share, ad, -1))
    return np.where(time < settings.start, -1, chosen)


def write_customers(
    out: Block, settings: Settings, persons: Persons, shop: Shop, twice: float = 0.02
) -> None:
    """Accounts: one row per version; a changed address leaves the older version behind.

    Args:
        twice: share of persons with a second account.
    """
    rng = settings.rng("accounts", out.number)
    rows = np.flatnonzero(shop.account >= 0)
    number = shop.account[rows]
    made = shop.account_created[rows]
    # A few open a second account later, usually because the first password is forgotten.
    again = rng.random(len(rows)) < twice
    second = np.minimum(made[again] + 60 * text.DAY, settings.end - 2 * text.DAY)
    later = scattered(persons.number[rows[again]] * 2 + 1, settings.seed, 11, KEYS)
    rows = np.concatenate([rows, rows[again]])
    number = np.concatenate([number, later])
    made = np.concatenate([made, np.maximum(second, made[again])])
    out.is_truth(text.join("shop:", shop.ids(number)), persons.ids(rows))

    first, last = noise.person_names(rng, persons, rows)
    address = noise.addresses(rng, persons, rows, missing=0.05)
    changed = persons.email_changed[rows]
    # The log-in is the current address, but a few leave the old one in a second account.
    keeps_old = rng.random(len(rows)) < 0.02
    updated = made + (rng.random(len(rows)) * (settings.end - made)).astype(np.int64)
    updated = np.where((changed > made) & ~keeps_old, changed + text.HOUR, updated)
    has_update = ((changed > made) & ~keeps_old) | (rng.random(len(rows)) < 0.2)
    has_update &= (updated > made + text.DAY) & (updated < settings.end - 2 * text.DAY)

    record = np.concatenate([np.arange(len(rows)), np.flatnonzero(has_update)])
    moment = np.concatenate([made, updated[has_update]])
    person = rows[record]
    asked = np.where(keeps_old[record], made[record], moment)
    email = keys.spell_emails(rng, persons.emails_at(person, asked), typo=0.001)
    phone = keys.person_phones(rng, persons, person, moment, missing=0.15)
    loaded = noise.loads(rng, settings, moment)
    is_first = np.arange(len(record)) < len(rows)
    superseded = np.where(is_first & has_update[record], updated[record], settings.end)
    loaded = np.where(is_first, np.minimum(loaded, superseded - text.HOUR), loaded)
    columns = {
        "customer_id": shop.ids(number[record]),
        "email": email,
        "first_name": text.take(first, record),
        "last_name": text.take(last, record),
        "phone": phone,
        "street": text.take(address.street, record),
        "postcode": text.take(address.postcode, record),
        "city": text.take(address.city, record),
        "country": text.take(address.country, record),
        "language": text.take(address.language, record),
        "created_at": text.timestamps(made[record]),
        "updated_at": text.timestamps(moment),
        "loaded_at": loaded,
    }
    out.write("shop", "customers", columns, with_duplicates(rng, loaded, 0.004))


def with_duplicates(rng: np.random.Generator, loaded: np.ndarray, share: float) -> np.ndarray:
    """Row order by load time, with a share of the rows twice."""
    rows = np.arange(len(loaded))
    rows = np.concatenate([rows, rows[rng.random(len(rows)) < share]])
    return rows[np.argsort(loaded[rows], kind="stable")]


def currencies(rng: np.random.Generator, country: np.ndarray) -> np.ndarray:
    """Index into CURRENCY_CODES: the country's own, sometimes francs or dollars."""
    own = np.where(country == 1, 1, 0)
    pick = rng.random(len(country))
    return np.where(pick < 0.01, 2, np.where((pick < 0.025) & (country != 1), 3, own))


def _write_orders(out, settings, persons, catalog, shop: Shop, value, rng) -> Lines:
    n = len(shop.order_person)
    person, time = shop.order_person, shop.order_time
    currency = currencies(rng, persons.country[person])
    lines = make_lines(rng, catalog, value, currency, discounted=0.15)
    total = lines.total(lines.amount, n)
    discount = lines.total(lines.discount, n)
    is_cancelled = rng.random(n) < 0.03
    is_returned = _write_returns(out, settings, catalog, shop, lines, currency, is_cancelled)
    returned_lines = lines.total(is_returned.astype(np.int64), n)
    is_refunded = returned_lines == np.bincount(lines.basket, minlength=n)
    is_recent = time > settings.end - 3 * text.DAY
    status = np.where(is_cancelled, 3, np.where(is_refunded, 4, np.where(is_recent, 0, 2)))
    status = np.where((status == 2) & (rng.random(n) < 0.1), 1, status)

    # The first state of an order was loaded before its last one.
    settled = np.minimum(time + rng.integers(1, 6, n) * text.DAY, settings.end - text.HOUR)
    has_older = (status > 0) & (settled > time + text.DAY) & (rng.random(n) < 0.25)
    older = np.flatnonzero(has_older)
    record = np.concatenate([np.arange(n), older])
    is_older = np.arange(len(record)) >= n
    updated = np.where(is_older | ~has_older[record], time[record], settled[record])
    loaded = noise.loads(rng, settings, updated)
    loaded = np.where(is_older, np.minimum(loaded, settled[record] - text.HOUR), loaded)
    shown = np.where(is_older, 0, status[record])
    typed = keys.spell_emails(rng, persons.emails_at(person, time), typo=0.001)
    typed = text.blank(typed, ~shop.is_guest & (rng.random(n) < 0.3))
    shop_customer = shop.account_ids(person)
    tax = total - np.round(total / 1.2).astype(np.int64)
    shipping = np.where(total >= 5000, 0, 490)
    words = ("pending", "paid", "shipped", "cancelled", "refunded")
    tags = [*catalog.tags, *(tag.title() for tag in catalog.tags)]
    spelled = np.where(rng.random(n) < 0.05, len(catalog.tags), 0)
    columns = {
        "order_id": shop.order_id,
        "customer_id": text.blank(shop_customer, shop.is_guest),
        "email": typed,
        "ordered_at": text.timestamps(time),
        "currency": text.dictionary(CURRENCY_CODES, currency),
        "total_amount": text.money(total),
        "discount_amount": text.money(discount),
        "tax_amount": text.money(tax),
        "shipping_amount": text.money(shipping),
        "utm_campaign": text.dictionary(
            tags, shop.order_campaign + spelled, shop.order_campaign < 0
        ),
    }
    columns = {name: text.take(text.plain(column), record) for name, column in columns.items()}
    columns |= {
        "status": text.dictionary(words, shown),
        "updated_at": text.timestamps(updated),
        "loaded_at": loaded,
    }
    spoil_rows(
        out, rng, "shop", "orders", "order_id", columns, BAD_ORDERS, np.flatnonzero(~has_older)
    )
    out.write("shop", "orders", columns, with_duplicates(rng, loaded, 0.004))

    guests = np.flatnonzero(shop.is_guest)
    out.is_truth(
        text.join("shop:guest-", text.take(shop.order_id, guests)), persons.ids(person[guests])
    )
    line_id = text.join(
        text.take(shop.order_id, lines.basket), "-", text.numbers(lines.position + 1)
    )
    line_loaded = noise.loads(rng, settings, time, late=0.01)[lines.basket]
    order_lines = {
        "order_line_id": line_id,
        "order_id": text.take(shop.order_id, lines.basket),
        "product_id": text.dictionary(catalog.product_ids, lines.product),
        "quantity": text.numbers(lines.quantity),
        "unit_price": text.money(lines.unit_price),
        "discount_amount": text.money(lines.discount),
        "line_amount": text.money(lines.amount),
        "loaded_at": line_loaded,
    }
    out.write("shop", "order_lines", order_lines, with_duplicates(rng, line_loaded, 0.002))
    return lines


def spoil_rows(out, rng, source, table, key, columns, kinds, candidates) -> None:
    """Overwrite one value in a few rows, at least one of each kind, and remember them.

    Args:
        columns: changed in place.
        kinds: (column, bad text or None).
        candidates: rows that may be spoiled.
    """
    if len(candidates) < 4 * len(kinds):
        return
    count = max(len(kinds), len(candidates) // 1000)
    rows = np.sort(rng.choice(candidates, count, replace=False))
    kind = np.arange(count) % len(kinds)
    total = len(columns["loaded_at"])
    for index, (name, bad) in enumerate(kinds):
        hit = np.zeros(total, dtype=bool)
        hit[rows[kind == index]] = True
        column = text.plain(columns[name])
        columns[name] = text.blank(column, hit) if bad is None else text.where(hit, bad, column)
        chosen = text.take(columns[key], rows[kind == index])
        out.planted(f"{name} is {bad!r}", source, table, chosen, "quarantined")


REASONS = ("too small", "damaged", "changed my mind", "wrong item", "late")


def _write_returns(out, settings, catalog, shop, lines: Lines, currency, is_cancelled):
    """Returned lines of a block; gives which lines came back in full."""
    rng = settings.rng("returns", out.number)
    n = len(lines.basket)
    time = shop.order_time[lines.basket]
    returned_at = time + (rng.uniform(3, 25, n) * text.DAY).astype(np.int64)
    whole = rng.random(len(shop.order_time)) < 0.02
    hit = (rng.random(n) < 0.05) | whole[lines.basket]
    hit &= ~is_cancelled[lines.basket] & (returned_at < settings.end - text.HOUR)
    is_part = (rng.random(n) < 0.3) & (lines.quantity > 1) & ~whole[lines.basket]
    quantity = np.where(is_part, 1, lines.quantity)
    refund = lines.amount * quantity // lines.quantity
    rows = np.flatnonzero(hit)
    order_id = text.take(shop.order_id, lines.basket[rows])
    line_id = text.join(order_id, "-", text.numbers(lines.position[rows] + 1))
    number = out.number * ORDERS_PER_BLOCK + np.arange(len(rows))
    return_id = text.numbered("R", scattered(number, settings.seed, 13, KEYS), 10)
    is_orphan = rng.random(len(rows)) < 0.004
    loaded = noise.loads(rng, settings, returned_at[rows])
    columns = {
        "return_id": return_id,
        "order_id": text.blank(order_id, is_orphan),
        "order_line_id": text.blank(line_id, is_orphan),
        "product_id": text.dictionary(catalog.product_ids, lines.product[rows]),
        "quantity": text.numbers(quantity[rows]),
        "refund_amount": text.money(refund[rows]),
        "currency": text.dictionary(CURRENCY_CODES, currency[lines.basket[rows]]),
        "reason": text.dictionary(REASONS, rng.integers(-1, len(REASONS), len(rows))),
        "returned_at": text.timestamps(returned_at[rows]),
        "loaded_at": loaded,
    }
    orphans = text.take(return_id, np.flatnonzero(is_orphan))
    out.planted(
        "return without its order", "shop", "returns", orphans, "counted, known customer: nobody"
    )
    out.write("shop", "returns", columns, with_duplicates(rng, loaded, 0.004))
    return hit & ~is_part
