"""The mobile app: events keyed by device, with the shop account while logged in."""

from __future__ import annotations

import numpy as np

from orchestration.demo import noise, text, tracking
from orchestration.demo.catalog import Catalog
from orchestration.demo.persons import Persons
from orchestration.demo.settings import Settings
from orchestration.demo.shop import Shop, with_duplicates
from orchestration.demo.tables import Block

VISITS_PER_USER = 4.2
EVENTS_PER_VISIT = 4.0
DEVICES_PER_BLOCK = 1_000_000
EVENTS_PER_BLOCK = 100_000_000
EVENTS = ("app_open", "screen_view", "product_view", "add_to_cart", "push_open")
SCREENS = ("home", "search", "category", "product", "basket", "profile", "loyalty_card")
DEVICE, EVENT = 61, 62


def device_ids(block: int, devices: np.ndarray):
    return text.hex_key(block * DEVICES_PER_BLOCK + devices, DEVICE, "########-########")


def write_app(
    out: Block, settings: Settings, persons: Persons, catalog: Catalog, shop: Shop
) -> None:
    """Write app.events of a block."""
    rng = settings.rng("app", out.number)
    users = np.flatnonzero(persons.member_of["app"])
    devices = 1 + (rng.random(len(users)) < 0.14)
    first_device = np.cumsum(devices) - devices
    visits = 1 + rng.poisson((VISITS_PER_USER - 1) * rng.gamma(1.5, 1 / 1.5, len(users)))
    user = np.repeat(np.arange(len(users)), visits)
    begin = np.minimum(shop.account_created[users], settings.end - 5 * text.DAY)[user]
    part = rng.random(len(user))
    start = begin + (part * (settings.end - text.DAY - begin)).astype(np.int64)
    device = first_device[user] + (part * devices[user]).astype(np.int64)
    is_logged_in = rng.random(len(user)) < 0.65
    # Everybody logs in once on each device: the first visit seen there.
    _, first_visit = np.unique(device, return_index=True)
    is_logged_in[first_visit] = True
    sold = np.flatnonzero((rng.random(len(users)) < 0.004) & (devices == 2))

    pages = 1 + rng.poisson(EVENTS_PER_VISIT - 1, len(user))
    visit = np.repeat(np.arange(len(user)), pages)
    page = np.arange(len(visit)) - (np.cumsum(pages) - pages)[visit]
    time = start[visit] + (page * 21 + rng.integers(0, 15, len(visit))) * text.MICROSECONDS
    event = np.where(
        page == 0,
        np.where(rng.random(len(visit)) < 0.15, 4, 0),
        rng.choice((1, 2, 3), len(visit), p=(0.5, 0.42, 0.08)),
    )
    product = np.where(
        (event == 2) | (event == 3),
        (len(catalog.price) * rng.random(len(visit)) ** 1.5).astype(np.int64),
        -1,
    )
    screen = np.where(product >= 0, 3, rng.integers(0, len(SCREENS), len(visit)))
    account = np.where(is_logged_in, shop.account[users[user]], -1)[visit]
    sender = device[visit]
    clock = tracking.clocks(rng, settings, time, sender, DEVICE)
    rows = len(visit)
    properties, is_broken = tracking.properties(rng, rows)
    loaded = noise.loads(rng, settings, clock.received, late=0.03)
    key = out.number * EVENTS_PER_BLOCK + np.arange(rows)
    columns = {
        "event_id": text.hex_key(key, EVENT),
        "device_id": device_ids(out.number, sender),
        "user_id": shop.ids(account),
        "event_name": text.dictionary(EVENTS, event),
        "screen": text.dictionary(SCREENS, screen),
        "product_id": text.dictionary(catalog.product_ids, product),
        "event_at": text.iso(clock.event),
        "sent_at": text.iso(clock.sent, rng.random(rows) < 0.03),
        "received_at": text.iso(clock.received),
        "properties": properties,
        "loaded_at": loaded,
    }
    broken = text.take(columns["event_id"], np.flatnonzero(is_broken))
    out.planted("properties are no JSON", "app", "events", broken, "event kept, properties null")
    # A phone that was sold: the next owner logs in on the same device.
    if len(sold) > 1:
        buyer = np.roll(sold, 1)
        _resell(columns, shop, users, first_device[sold], sender, buyer, rng, out)
    out.write("app", "events", columns, with_duplicates(rng, loaded, 0.01))
    owner = np.repeat(users, devices)
    seen = np.unique(sender)
    out.is_truth(text.join("app:", device_ids(out.number, seen)), persons.ids(owner[seen]))


def _resell(columns, shop: Shop, users, device, sender, buyer, rng, out: Block) -> None:
    """Give the last event of each sold device to the log-in of its buyer."""
    last = np.searchsorted(np.sort(sender), device, side="right") - 1
    rows = np.argsort(sender, kind="stable")[last]
    hit = np.zeros(len(sender), dtype=bool)
    hit[rows] = True
    account = np.zeros(len(sender), dtype=np.int64)
    account[rows] = shop.account[users[buyer]]
    columns["user_id"] = text.where(hit, shop.ids(account), columns["user_id"])
    out.planted(
        "device with two log-ins", "app", "events", device_ids(out.number, np.unique(device)),
        "joins no two persons",
    )  # fmt: skip
