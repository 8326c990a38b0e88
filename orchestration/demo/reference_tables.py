"""Tables of the whole company, written once: products, ads, postcodes; and what a vendor sells
about e-mail hashes."""

from __future__ import annotations

import duckdb
import numpy as np
import pyarrow as pa

from orchestration.demo import text
from orchestration.demo.catalog import BRANDS, CATEGORIES, Catalog
from orchestration.demo.persons import Persons, places
from orchestration.demo.pools import COUNTRIES
from orchestration.demo.settings import Settings
from orchestration.demo.tables import Block


def write_products(out: Block, settings: Settings, catalog: Catalog) -> None:
    """shop.products: two versions of some, after a new price list."""
    rng = settings.rng("products")
    n = len(catalog.price)
    changed = np.flatnonzero(rng.random(n) < 0.15)
    row = np.concatenate([np.arange(n), changed])
    is_old = (np.arange(len(row)) < n) & np.isin(row, changed)
    price = np.where(is_old, (catalog.price[row] * 0.93).astype(np.int64), catalog.price[row])
    updated = settings.start + np.where(
        np.arange(len(row)) < n, text.HOUR, settings.span // 2 // text.DAY * text.DAY
    )
    names = [*catalog.product_names, *(f" {name.upper()}" for name in catalog.product_names)]
    sloppy = np.where(rng.random(len(row)) < 0.03, n, 0)
    columns = {
        "product_id": text.dictionary(catalog.product_ids, row),
        "name": text.dictionary(names, row + sloppy),
        "category": text.dictionary(CATEGORIES, catalog.product_category[row]),
        "brand": text.dictionary(BRANDS, catalog.product_brand[row]),
        "price": text.money(price),
        "currency": text.constant("EUR", len(row)),
        "updated_at": text.timestamps(updated),
        "loaded_at": updated + 2 * text.HOUR,
    }
    out.write("shop", "products", columns)


def write_ads(out: Block, settings: Settings, catalog: Catalog) -> None:
    """ads.campaigns and ads.campaign_costs."""
    rng = settings.rng("ads")
    n = len(catalog.ad_tags)
    number = np.arange(n)
    ids = [str(23_840_000_000 + 7_919 * i) for i in range(n)]
    # A campaign is entered a week before it starts, but not before the books open.
    updated = np.maximum(catalog.ad_starts - 7 * text.DAY, settings.start)
    columns = {
        "campaign_id": text.dictionary(ids, number),
        "platform": text.dictionary(catalog.ad_platforms, number),
        "name": text.dictionary([tag.replace("_", " ").title() for tag in catalog.ad_tags], number),
        "utm_campaign": text.dictionary(catalog.ad_tags, number),
        "started_at": text.timestamps(catalog.ad_starts),
        "updated_at": text.timestamps(updated),
        "loaded_at": updated + text.HOUR,
    }
    out.write("ads", "campaigns", columns)

    days = (catalog.ad_ends - catalog.ad_starts) // text.DAY
    campaign = np.repeat(number, days)
    day = catalog.ad_starts[campaign] // text.DAY + (
        np.arange(len(campaign)) - (np.cumsum(days) - days)[campaign]
    )
    size = settings.persons / 20_000
    spend = np.maximum(1, rng.gamma(3, 900 * size, len(day))).astype(np.int64)
    clicks = (spend / rng.uniform(25, 90, len(day))).astype(np.int64)
    # Platforms correct their figures for a few days: the first report stays as an older version.
    first = np.flatnonzero(rng.random(len(day)) < 0.3)
    row = np.concatenate([np.arange(len(day)), first])
    is_early = np.arange(len(row)) >= len(day)
    reported = (day[row] + np.where(is_early, 1, 4)) * text.DAY + 4 * text.HOUR
    loaded = np.minimum(reported, settings.end - np.where(is_early, 2, 1) * text.HOUR)
    shown = np.where(is_early, spend[row] * 95 // 100, spend[row])
    columns = {
        "cost_date": text.dates(day[row]),
        "campaign_id": text.dictionary(ids, campaign[row]),
        "platform": text.dictionary(catalog.ad_platforms, campaign[row]),
        "impressions": text.numbers(clicks[row] * 70),
        "clicks": text.numbers(clicks[row]),
        "spend": text.money(shown),
        "currency": text.dictionary(("EUR", "USD"), (campaign[row] % 3 == 2).astype(int)),
        "loaded_at": loaded,
    }
    out.write("ads", "campaign_costs", columns, np.argsort(loaded, kind="stable"))


def write_postcodes(out: Block, settings: Settings) -> None:
    """enrichment.postcodes: nearly all places of the customers, and some nobody lives in."""
    rng = settings.rng("postcode")
    known = [place for place in places() if rng.random() < 0.96]
    empty = [(0, f"{code:05d}", "") for code in range(1_000, 96_000, 1_000)]
    taken = {(country, postcode) for country, postcode, _ in known}
    known += [place for place in empty if place[:2] not in taken]
    n = len(known)
    columns = {
        "country": text.dictionary(COUNTRIES, np.array([place[0] for place in known])),
        "postcode": pa.array([place[1] for place in known]),
        "income_band": text.dictionary(("low", "middle", "high"), rng.integers(0, 3, n)),
        "urbanity": text.dictionary(("urban", "suburban", "rural"), rng.integers(0, 3, n)),
        "median_age": text.numbers(rng.integers(31, 55, n)),
        "loaded_at": np.full(n, settings.start + text.DAY),
    }
    out.write("enrichment", "postcodes", columns)


STAGES = ("student", "young_family", "family", "empty_nest", "senior")
INTERESTS = ("garden;cooking", "travel", "design;art", "children;toys", "sport", "cooking;wine")


def write_person_enrichment(out: Block, settings: Settings, persons: Persons) -> None:
    """enrichment.persons: a vendor's data by hash of the e-mail, for one person in four."""
    rng = settings.rng("vendor", out.number)
    rows = np.flatnonzero(rng.random(len(persons)) < 0.25)
    n = len(rows)
    table = pa.table({"email": text.take(persons.email, rows)})
    with duckdb.connect(config={"threads": 1}) as connection:
        connection.register("mailboxes", table)
        query = "select sha256(email) as hash from mailboxes"
        hashes = connection.sql(query).to_arrow_table()
    age = (settings.end // text.DAY - persons.birth_day[rows]) / 365.25
    loaded = settings.start + rng.integers(1, 20, n) * (settings.span // 21 // text.DAY) * text.DAY
    columns = {
        "email_sha256": hashes["hash"].combine_chunks(),
        "life_stage": text.dictionary(STAGES, np.searchsorted([25, 35, 52, 67], age)),
        "interests": text.dictionary(INTERESTS, rng.integers(0, 6, n), rng.random(n) < 0.1),
        "is_home_owner": text.dictionary(("true", "false"), rng.random(n) < 0.5),
        "loaded_at": loaded,
    }
    order = np.argsort(loaded, kind="stable")
    out.write("enrichment", "persons", columns, order)
