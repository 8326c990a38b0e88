"""Web tracking: page views and identify calls of cookies, with bots and shared computers."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from orchestration.demo import noise, text, tracking
from orchestration.demo.catalog import Catalog
from orchestration.demo.persons import Persons
from orchestration.demo.settings import Settings
from orchestration.demo.shop import Shop, campaigns_at, with_duplicates
from orchestration.demo.tables import Block

PAGE_VIEWS_PER_PERSON = 10
PAGES_PER_VISIT = 3.2
COOKIES_PER_BLOCK = 4_000_000
HITS_PER_BLOCK = 100_000_000
LONGEST_CHAIN = 100
EVENTS = ("page_view", "product_view", "add_to_cart", "search", "checkout")
COOKIE, HIT, CALL = 51, 52, 53


@dataclass
class Cookies:
    """Cookies of the persons of a block: those of person p are first[p] .. first[p]+count[p]-1,
    in the order in which they replaced one another."""

    first: np.ndarray
    count: np.ndarray
    person: np.ndarray

    def at(self, persons: Persons, settings: Settings, person: np.ndarray, time: np.ndarray):
        """The cookie in use at a time: each lasts an equal part of the person's time with us."""
        begin = persons.acquired[person] - text.DAY
        part = (time - begin) / np.maximum(settings.end - begin, 1)
        return self.first[person] + np.clip(
            (part * self.count[person]).astype(np.int64), 0, self.count[person] - 1
        )


@dataclass
class Visits:
    """Sessions: the person, the browser's cookie and what it is about."""

    person: np.ndarray
    cookie: np.ndarray
    start: np.ndarray
    pages: np.ndarray
    order: np.ndarray  # index of the shop order placed, -1 none
    campaign: np.ndarray
    is_logged_in: np.ndarray


def cookie_ids(block: int, cookies: np.ndarray, missing=None):
    pattern = "########-####-####"
    return text.hex_key(block * COOKIES_PER_BLOCK + cookies, COOKIE, pattern, missing)


def write_web(
    out: Block, settings: Settings, persons: Persons, catalog: Catalog, shop: Shop
) -> Cookies:
    """Write web.page_views and web.identifies of a block."""
    rng = settings.rng("web", out.number)
    cookies, is_chain = _cookies(rng, persons)
    visits = _visits(rng, settings, persons, catalog, shop, cookies)
    bots = 1 + len(persons) // 5000
    used = _write_hits(out, settings, persons, catalog, shop, cookies, visits, bots)
    called = _write_calls(out, settings, persons, shop, cookies, is_chain)
    seen = np.unique(np.concatenate([used, called]))
    seen = seen[seen < len(cookies.person)]
    out.is_truth(text.join("web:", cookie_ids(out.number, seen)), persons.ids(cookies.person[seen]))
    strangers = len(cookies.person) + np.arange(bots + 1)
    ids = cookie_ids(out.number, strangers)
    nobody = text.numbered("nobody-web-", out.number * 100_000 + np.arange(bots + 1), 9)
    out.is_truth(text.join("web:", ids), nobody)
    out.planted("bot", "web", "page_views", ids[:bots], "one cookie, no contactable person")
    out.planted("kiosk in a store", "web", "identifies", ids[bots:], "joins no two persons")
    return cookies


def _cookies(rng, persons: Persons) -> tuple[Cookies, np.ndarray]:
    rows = len(persons)
    browses = rng.random(rows) < np.where(persons.member_of["shop"], 0.92, 0.55)
    count = np.where(browses, 1 + rng.poisson(0.6, rows), 0)
    # Browsers that forget the cookie at each visit; the log-in tells where the chain belongs.
    accounts = np.flatnonzero(persons.member_of["shop"])
    chains = rng.choice(accounts, max(1, rows // 2000), replace=False)
    is_chain = np.zeros(rows, dtype=bool)
    is_chain[chains] = True
    lengths = rng.integers(20, LONGEST_CHAIN + 1, len(chains))
    lengths[0] = LONGEST_CHAIN
    count[chains] = lengths
    return (
        Cookies(np.cumsum(count) - count, count, np.repeat(np.arange(rows), count)),
        is_chain,
    )


def _visits(rng, settings, persons, catalog, shop: Shop, cookies: Cookies) -> Visits:
    bought = np.flatnonzero(cookies.count[shop.order_person] > 0)
    buyer = shop.order_person[bought]
    pages = 2 + rng.poisson(1.6, len(bought))
    browsers = np.flatnonzero(cookies.count > 0)
    left = max(0.3, PAGE_VIEWS_PER_PERSON * len(persons) - pages.sum())
    mean = left / PAGES_PER_VISIT / max(1, len(browsers))
    often = rng.poisson(mean * rng.gamma(1.2, 1 / 1.2, len(browsers)))
    person = np.repeat(browsers, often)
    room = settings.end - text.DAY - persons.acquired[person]
    start = persons.acquired[person] + (rng.random(len(person)) * room).astype(np.int64)
    start = start // text.DAY * text.DAY + (
        rng.normal(16.5, 4.5, len(start)) % 24 * text.HOUR
    ).astype(np.int64)
    person = np.concatenate([buyer, person])
    start = np.concatenate([shop.order_time[bought] - 8 * text.MINUTE, start])
    browse_pages = 1 + rng.poisson(PAGES_PER_VISIT - 1, len(start) - len(bought))
    visits = len(person)
    order = np.concatenate([bought, np.full(visits - len(bought), -1)])
    campaign = campaigns_at(rng, settings, catalog, start, share=0.4)
    campaign[: len(bought)] = shop.order_campaign[bought]
    has_account = shop.account[person] >= 0
    is_logged_in = has_account & (rng.random(visits) < np.where(order >= 0, 0.85, 0.25))
    is_logged_in &= shop.account_created[person] <= start + 10 * text.MINUTE
    is_logged_in[: len(bought)] &= ~shop.is_guest[bought]
    cookie = cookies.at(persons, settings, person, start)
    # The family computer: partners use the browser of the other one.
    head = persons.head[person]
    is_shared = (persons.position[person] == 1) & (cookies.count[head] > 0)
    is_shared &= (persons.number[person] % 16 == 3) & (rng.random(visits) < 0.6)
    cookie = np.where(is_shared, cookies.at(persons, settings, head, start), cookie)
    return Visits(
        person, cookie, start, np.concatenate([pages, browse_pages]), order, campaign, is_logged_in
    )


def _write_hits(out, settings, persons, catalog, shop, cookies, visits: Visits, bots: int):
    rng = settings.rng("hits", out.number)
    visit = np.repeat(np.arange(len(visits.person)), visits.pages)
    page = np.arange(len(visit)) - (np.cumsum(visits.pages) - visits.pages)[visit]
    is_last = page == visits.pages[visit] - 1
    order = visits.order[visit]
    time = visits.start[visit] + (page * 47 + rng.integers(0, 40, len(visit))) * text.MICROSECONDS
    event = rng.choice(4, len(visit), p=(0.5, 0.37, 0.07, 0.06))
    event = np.where(is_last & (order >= 0), 4, event)
    product = (len(catalog.price) * rng.random(len(visit)) ** 1.5).astype(np.int64)
    bought = shop.first_products(visits.order)[visit]
    product = np.where(bought >= 0, bought, product)
    product = np.where((event == 1) | (event == 2), product, -1)
    campaign = np.where(page == 0, visits.campaign[visit], -1)
    cookie = visits.cookie[visit]
    account = np.where(visits.is_logged_in, shop.account[visits.person], -1)[visit]

    size = rng.integers(300, 900, bots)
    robot = np.repeat(np.arange(bots), size)
    begin = settings.start + (rng.random(bots) * settings.span * 0.95).astype(np.int64)
    at = (
        begin[robot] + (np.arange(len(robot)) - (np.cumsum(size) - size)[robot]) * text.MICROSECONDS
    )
    humans = len(time)
    time = np.concatenate([time, at])
    event = np.concatenate([event, np.ones(len(robot), dtype=np.int64)])
    product = np.concatenate([product, np.arange(len(robot)) % len(catalog.price)])
    campaign = np.concatenate([campaign, np.full(len(robot), -1)])
    cookie = np.concatenate([cookie, len(cookies.person) + robot])
    account = np.concatenate([account, np.full(len(robot), -1)])
    is_bot = np.arange(len(time)) >= humans
    keep = time < settings.end - text.MINUTE
    time, event, product, campaign, cookie, account, is_bot = (
        values[keep] for values in (time, event, product, campaign, cookie, account, is_bot)
    )
    clock = tracking.clocks(rng, settings, time, cookie, COOKIE)
    rows = len(time)
    key = out.number * HITS_PER_BLOCK + np.arange(rows)
    has_no_id = rng.random(rows) < 0.005
    address = rng.integers(0, len(tracking.ADDRESSES), len(cookies.person) + bots + 1)[cookie]
    agent = rng.integers(0, tracking.PEOPLE_AGENTS, len(cookies.person) + bots + 1)[cookie]
    agent = np.where(is_bot, tracking.PEOPLE_AGENTS + cookie % 2, agent)
    properties, is_broken = tracking.properties(rng, rows)
    urls, has_secret = tracking.urls(rng, catalog, event, product, campaign)
    loaded = noise.loads(rng, settings, clock.received, late=0.015)
    columns = {
        "event_id": text.hex_key(key, HIT, missing=has_no_id),
        "anonymous_id": cookie_ids(out.number, cookie),
        "user_id": shop.ids(account),
        "event_name": text.dictionary(EVENTS, event),
        "event_at": text.iso(clock.event),
        "sent_at": text.iso(clock.sent, rng.random(rows) < 0.05),
        "received_at": text.iso(clock.received),
        "url": urls,
        "referrer": tracking.referrers(rng, catalog, campaign),
        "product_id": text.dictionary(catalog.product_ids, product),
        **tracking.campaign_columns(rng, catalog, campaign),
        "ip": text.dictionary(tracking.ADDRESSES, address),
        "user_agent": text.dictionary(tracking.AGENTS, agent),
        "properties": properties,
        "loaded_at": loaded,
    }
    ids = columns["event_id"]
    nameless = text.take(columns["anonymous_id"], np.flatnonzero(has_no_id))
    out.planted("hit without an id", "web", "page_views", nameless, "event keyed by its content")
    for problem, hit, expected in (
        ("properties are no JSON", is_broken & ~has_no_id, "event kept, properties null"),
        ("e-mail in the address", has_secret & ~has_no_id, "query string removed"),
        ("clock of the browser is wrong", clock.is_skewed & ~has_no_id, "corrected or flagged"),
    ):
        out.planted(problem, "web", "page_views", text.take(ids, np.flatnonzero(hit)), expected)
    out.write("web", "page_views", columns, with_duplicates(rng, loaded, 0.008))
    return np.unique(cookie)


def _write_calls(out, settings, persons, shop: Shop, cookies: Cookies, is_chain):
    rng = settings.rng("calls", out.number)
    cookie = np.arange(len(cookies.person))
    person = cookies.person
    rank = cookie - cookies.first[person]
    has_account = shop.account[person] >= 0
    gives_email = persons.member_of["email"][person] | persons.member_of["crm"][person]
    pick = rng.random(len(cookie))
    logs_in = has_account & (pick < 0.6)
    types = ~logs_in & gives_email & (pick > 0.7)
    follows = (rank > 0) & ((rng.random(len(cookie)) < 0.45) | is_chain[person])
    logs_in |= is_chain[person] & (rank == cookies.count[person] // 2)
    begin = persons.acquired[person]
    part = (rank + 0.1 + 0.8 * rng.random(len(cookie))) / cookies.count[person]
    time = begin + (part * (settings.end - text.HOUR - begin)).astype(np.int64)

    # Households with one computer: the partner logs in on the same cookie.
    partner = np.flatnonzero((persons.position == 1) & (persons.number % 16 == 3))
    partner = partner[
        (shop.account[partner] >= 0)
        & (shop.account[persons.head[partner]] >= 0)
        & (cookies.count[persons.head[partner]] > 0)
    ]
    shared = cookies.first[persons.head[partner]]
    kiosk_users = np.flatnonzero(shop.account >= 0)[:400:10]
    kiosk = np.full(len(kiosk_users), len(cookies.person) + 1 + len(persons) // 5000)

    # (cookie, person, is a log-in, tells the e-mail, time or none for "some time in between")
    groups = [
        (cookie[logs_in], person[logs_in], True, rng.random(logs_in.sum()) < 0.4, time[logs_in]),
        (cookie[types], person[types], False, np.ones(types.sum(), dtype=bool), time[types]),
        (shared, persons.head[partner], True, np.zeros(len(partner), dtype=bool), None),
        (shared, partner, True, np.zeros(len(partner), dtype=bool), None),
        (kiosk, kiosk_users, True, np.zeros(len(kiosk), dtype=bool), None),
    ]
    cookies_of = np.concatenate([group[0] for group in groups])
    persons_of = np.concatenate([group[1] for group in groups])
    is_login = np.concatenate([np.full(len(group[0]), group[2]) for group in groups])
    has_email = np.concatenate([group[3] for group in groups])
    times = np.concatenate(
        [
            group[4]
            if group[4] is not None
            else persons.acquired[group[1]] + (settings.end - persons.acquired[group[1]]) // 2
            for group in groups
        ]
    )
    links = np.flatnonzero(follows)
    previous = np.concatenate([np.full(len(cookies_of), -1), links - 1])
    cookies_of = np.concatenate([cookies_of, links])
    persons_of = np.concatenate([persons_of, person[links]])
    is_login = np.concatenate([is_login, np.zeros(len(links), dtype=bool)])
    has_email = np.concatenate([has_email, np.zeros(len(links), dtype=bool)])
    times = np.minimum(np.concatenate([times, time[links]]), settings.end - text.DAY)

    rows = len(cookies_of)
    received = times + rng.integers(0, 3, rows) * text.MICROSECONDS
    email = text.blank(persons.emails_at(persons_of, times), ~has_email)
    loaded = noise.loads(rng, settings, received, late=0.015)
    columns = {
        "event_id": text.hex_key(out.number * HITS_PER_BLOCK + np.arange(rows), CALL),
        "anonymous_id": cookie_ids(out.number, cookies_of),
        "previous_anonymous_id": cookie_ids(out.number, np.maximum(previous, 0), previous < 0),
        "user_id": text.blank(shop.account_ids(persons_of), ~is_login),
        "email": email,
        "event_at": text.iso(times),
        "received_at": text.iso(received),
        "loaded_at": loaded,
    }
    out.planted(
        "two log-ins on one cookie", "web", "identifies",
        cookie_ids(out.number, np.unique(shared)), "joins no two persons",
    )  # fmt: skip
    out.write("web", "identifies", columns, with_duplicates(rng, loaded, 0.004))
    return np.unique(np.concatenate([cookies_of, np.maximum(previous, 0)]))
