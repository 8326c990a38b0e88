"""What web and app tracking share: clocks, addresses, pages, campaigns, properties."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pyarrow as pa

from orchestration.demo import text
from orchestration.demo.catalog import Catalog
from orchestration.demo.settings import Settings

SITE = "https://www.boutique.example"
# Documentation addresses (RFC 5737, RFC 3849) and a few that are no address.
ADDRESSES = (
    *(f"192.0.2.{i}" for i in range(1, 255)),
    *(f"198.51.100.{i}" for i in range(1, 255)),
    *(f"203.0.113.{i}" for i in range(1, 255)),
    *(f"2001:db8::{i:x}" for i in range(1, 100)),
    "999.1.1.1",
    "unknown",
)
AGENTS = (
    "Mozilla/5.0 (Windows NT 10.0; Win64; x64) Chrome/126.0 Safari/537.36",
    "Mozilla/5.0 (Macintosh; Intel Mac OS X 14_5) Version/17.5 Safari/605.1.15",
    "Mozilla/5.0 (iPhone; CPU iPhone OS 17_5 like Mac OS X) Mobile/15E148 Safari/604.1",
    "Mozilla/5.0 (Linux; Android 14; Pixel 8) Chrome/126.0 Mobile Safari/537.36",
    "Mozilla/5.0 (X11; Linux x86_64; rv:127.0) Gecko/20100101 Firefox/127.0",
    "Mozilla/5.0 (compatible; ExampleBot/2.1; +https://bot.example)",
    "python-requests/2.32",
)
PEOPLE_AGENTS = 5
BROKEN_PROPERTIES = ('{"v":', "undefined", "{'list': 1}", '{"a":NaN,}', "[object Object]")
PROPERTIES = (
    "{}",
    '{"list": "home"}',
    '{"list": "search", "position": 3}',
    '{"list": "category", "position": 12}',
    '{"experiment": "checkout_b", "variant": 1}',
    '{"currency": "EUR", "consent": {"analytics": true}}',
)
PAGES = ("/", "/search?q=lampe", "/cart", "/checkout", "/stores", "/sale", "/help/returns")


@dataclass
class Clocks:
    """Times of an event as three clocks saw it, microseconds."""

    event: np.ndarray
    sent: np.ndarray
    received: np.ndarray
    is_skewed: np.ndarray


def clocks(rng, settings: Settings, time: np.ndarray, sender: np.ndarray, stream: int) -> Clocks:
    """What the clocks of sender and collector show; some senders' clocks are wrong, some send
    long after the event."""
    rows = len(time)
    is_offline = rng.random(rows) < 0.01
    wait = np.where(is_offline, rng.exponential(3 * text.HOUR, rows), rng.random(rows) * 2e6)
    sent = np.minimum(time + wait.astype(np.int64), settings.end - text.MINUTE)
    sent = np.maximum(sent, time)
    received = sent + (rng.random(rows) * 1.5e6).astype(np.int64)
    fate = text.mixed(sender, stream + 100) % np.uint64(1000)
    shift = np.zeros(rows, dtype=np.int64)
    for below, amount in (
        (4, -400 * text.DAY),
        (8, 2 * text.DAY),
        (16, 3 * text.HOUR),
        (24, -7 * text.HOUR),
        (25, 3000 * text.DAY),
    ):
        shift = np.where((shift == 0) & (fate < below), amount, shift)
    return Clocks(time + shift, sent + shift, received, shift != 0)


def properties(rng, rows: int) -> tuple[pa.Array, np.ndarray]:
    """JSON text, a few unparseable; second result: where."""
    broken = rng.random(rows) < 0.0007
    code = rng.integers(0, len(PROPERTIES), rows)
    code = np.where(broken, len(PROPERTIES) + rng.integers(0, len(BROKEN_PROPERTIES), rows), code)
    return text.dictionary((*PROPERTIES, *BROKEN_PROPERTIES), code), broken


def _sources(catalog: Catalog) -> tuple[list[str], list[str]]:
    emails = len(catalog.email_tags)
    sources = ["newsletter"] * emails + list(catalog.ad_platforms)
    mediums = ["email"] * emails + [
        "cpc" if platform == "google" else "paid_social" for platform in catalog.ad_platforms
    ]
    return sources, mediums


def urls(rng, catalog: Catalog, event, product, campaign) -> tuple[pa.Array, np.ndarray]:
    """Page addresses with campaign tags; a few leak an e-mail address (second result: where)."""
    rows = len(event)
    page = np.where(event == 3, 1, np.where(event == 4, 3, rng.choice((0, 2, 4, 5, 6), rows)))
    base = np.where(product >= 0, len(PAGES) + product, page)
    secret = rng.random(rows) < 0.0006
    tags = len(catalog.tags) + 1
    code = (base * tags + campaign + 1) * 2 + secret
    distinct, inverse = np.unique(code, return_inverse=True)
    leak, rest = distinct % 2 == 1, distinct // 2
    path = text.dictionary([*PAGES, *(f"/p/{key}" for key in catalog.product_ids)], rest // tags)
    sources, mediums = _sources(catalog)
    query = [""] + [
        f"utm_source={source}&utm_medium={medium}&utm_campaign={tag}"
        for source, medium, tag in zip(sources, mediums, catalog.tags, strict=True)
    ]
    query = text.dictionary(query, rest % tags)
    # Page addresses that already have a question mark take the tags with an ampersand.
    mark = np.where(rest % tags == 0, 0, np.where(rest // tags == 1, 2, 1))
    texts = text.join(
        SITE, path, text.dictionary(["", "?", "&"], mark), query,
        text.dictionary(["", "&email=jo.doe%40mail.example"], leak.astype(int)),
    )  # fmt: skip
    return text.dictionary(texts, inverse), secret


def referrers(rng, catalog: Catalog, campaign: np.ndarray) -> pa.Array:
    """Where the visitor came from: a platform, a search engine, our own pages, or unknown."""
    known = ("https://search.example/", f"{SITE}/", f"{SITE}/sale", "https://blog.example/deco")
    platforms = [f"https://www.{name}.example/" for name in ("google", "meta", "tiktok")]
    emails = len(catalog.email_tags)
    code = rng.integers(0, len(known), len(campaign))
    is_ad = campaign >= emails
    code = np.where(is_ad, len(known) + (campaign - emails) % 3, code)
    code = np.where((campaign >= 0) & ~is_ad, -1, code)
    return text.dictionary([*known, *platforms], code)


def campaign_columns(rng, catalog: Catalog, campaign: np.ndarray) -> dict[str, pa.Array]:
    """utm_source, utm_medium and utm_campaign; some spell the tag with capitals."""
    sources, mediums = _sources(catalog)
    tags = [*catalog.tags, *(tag.title() for tag in catalog.tags)]
    spelled = np.where(rng.random(len(campaign)) < 0.05, len(catalog.tags), 0)
    return {
        "utm_source": text.dictionary(sources, campaign),
        "utm_medium": text.dictionary(mediums, campaign),
        "utm_campaign": text.dictionary(tags, campaign + spelled, campaign < 0),
    }
