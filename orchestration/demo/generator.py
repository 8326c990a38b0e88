"""One run: blocks of persons, each writing its part of every table, then the truth."""

from __future__ import annotations

import os
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, field
from datetime import date
from multiprocessing import get_context
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from orchestration.demo import tables
from orchestration.demo.app import write_app
from orchestration.demo.catalog import make_catalog
from orchestration.demo.consent import write_consent, write_privacy
from orchestration.demo.crm import write_crm
from orchestration.demo.email import write_email
from orchestration.demo.online_retail import (
    RealOrders,
    UnusableOrders,
    expected,
    read_orders,
    real_catalog,
    write_real_shop,
)
from orchestration.demo.persons import make_persons
from orchestration.demo.pos import write_pos
from orchestration.demo.purchases import make_purchases
from orchestration.demo.reference_tables import (
    write_ads,
    write_person_enrichment,
    write_postcodes,
    write_products,
)
from orchestration.demo.settings import BLOCK, Settings
from orchestration.demo.shop import write_shop
from orchestration.demo.support import write_support
from orchestration.demo.survey import write_survey
from orchestration.demo.tables import Block
from orchestration.demo.web import write_web

Progress = Callable[[int, int], None]


@dataclass
class Summary:
    """What a run wrote.

    Attributes:
        out: the folder.
        persons: people behind the records.
        rows: rows per `<source>.<table>`.
        problems: planted problems per kind.
    """

    out: Path
    persons: int
    rows: dict[str, int] = field(default_factory=dict)
    problems: dict[str, int] = field(default_factory=dict)

    @property
    def events(self) -> int:
        """Web, app and e-mail events."""
        tables_of_events = (
            "web.page_views", "app.events", "email.sends", "email.opens", "email.clicks",
            "email.bounces", "email.unsubscribes",
        )  # fmt: skip
        return sum(self.rows.get(name, 0) for name in tables_of_events)


def generate(
    out: Path | str,
    persons: int = 20_000,
    seed: int = 42,
    as_of: date | None = None,
    orders: Path | str | None = None,
    progress: Progress | None = None,
    workers: int | None = None,
    block_size: int = BLOCK,
) -> Summary:
    """Write the raw tables of the demo retailer and the truth behind them.

    Args:
        out: folder; `raw/` and `truth/` are made in it, an earlier run's tables are replaced.
        persons: people behind the records. Every table grows in proportion. Real orders bring
            their own: one person per customer.
        seed: the same seed gives the same bytes.
        as_of: the day after the last one (default 2026-01-01, with real orders the day after
            their last); the data begin two years before, or with the real orders.
        orders: Parquet file of real orders for the shop (see `online_retail`).
        progress: called with (blocks done, blocks) after each block.
        workers: processes; default one per core, at most one per block.
        block_size: persons made at a time. It bounds the memory of a process (about 250 MB for
            50,000) and is part of what decides the bytes.

    Raises:
        ValueError: when `persons` is below 500 (too few for the planted problems), `as_of` is
            not after the last real order, or the real orders have too many customers.
    """
    if persons < 500:
        raise ValueError("persons must be at least 500")
    out = Path(out)
    real = read_orders(orders) if orders else None
    settings = _settings(persons, seed, as_of, real, block_size)
    tables.clear(out)
    summary = Summary(out, settings.persons)
    truth, problems = [], []
    for done, block in enumerate(_blocks(out, settings, workers, real), start=1):
        for name, rows in block.rows.items():
            summary.rows[name] = summary.rows.get(name, 0) + rows
        truth += block.truth
        problems += block.problems
        if progress:
            progress(done, settings.blocks)
    _write_truth(out, truth, problems, summary)
    if real:
        pq.write_table(expected(real), out / "truth" / "orders_expected.parquet")
    return summary


def _settings(
    persons: int, seed: int, as_of: date | None, real: RealOrders | None, block_size: int
) -> Settings:
    if real is None:
        last = as_of or date(2026, 1, 1)
        return Settings.of(
            persons, seed, date(last.year - 2, last.month, min(last.day, 28)), last, block_size
        )
    first, last = real.period()
    if as_of and as_of < last:
        raise ValueError(f"as_of {as_of} is before the last of the real orders")
    if len(real.customers) > BLOCK:
        raise UnusableOrders(f"real orders of more than {BLOCK} customers are not supported")
    return Settings.of(len(real.customers), seed, first, as_of or last)


def _blocks(out: Path, settings: Settings, workers: int | None, real: RealOrders | None):
    """Results of all blocks, in order."""
    numbers = range(settings.blocks)
    workers = min(workers or os.cpu_count() or 1, settings.blocks)
    if workers == 1:
        for number in numbers:
            yield _make_block(out, settings, number, real)
        return
    with ProcessPoolExecutor(workers, mp_context=get_context("spawn")) as pool:
        jobs = [pool.submit(_make_block, out, settings, number, real) for number in numbers]
        for job in jobs:
            yield job.result()


def _make_block(out: Path, settings: Settings, number: int, real: RealOrders | None) -> Block:
    block = Block(out, number, settings.blocks)
    catalog = make_catalog(settings)
    if real:
        catalog = real_catalog(catalog, real)
        people = make_persons(settings, number, real.countries, real.first_seen())
        shop = write_real_shop(block, settings, people, catalog, real)
        purchases = make_purchases(settings, number, people)
    else:
        people = make_persons(settings, number)
        purchases = make_purchases(settings, number, people)
        shop = write_shop(block, settings, people, catalog, purchases)
    if number == 0:
        if not real:
            write_products(block, settings, catalog)
        write_ads(block, settings, catalog)
        write_postcodes(block, settings)
    for trap, hit in people.traps.items():
        rows = np.flatnonzero(hit & (shop.account >= 0))
        block.planted(trap, "shop", "customers", shop.account_ids(rows), "one person of their own")
    tills = write_pos(block, settings, people, catalog, purchases)
    write_crm(block, settings, people)
    write_web(block, settings, people, catalog, shop)
    write_app(block, settings, people, catalog, shop)
    mailing = write_email(block, settings, people, catalog)
    write_support(block, settings, people, shop)
    write_survey(block, settings, people, catalog, shop)
    write_consent(block, settings, people, shop, tills, mailing)
    write_privacy(block, settings, people, shop)
    write_person_enrichment(block, settings, people)
    return block


def _write_truth(out: Path, truth: list, problems: list, summary: Summary) -> None:
    folder = out / "truth"
    folder.mkdir(parents=True, exist_ok=True)
    records = pa.concat_tables(truth).sort_by("record_key")
    pq.write_table(records, folder / "record_truth.parquet", compression="zstd")
    planted = pa.concat_tables(problems).sort_by(
        [("source", "ascending"), ("table", "ascending"), ("problem", "ascending"),
         ("native_id", "ascending")]
    )  # fmt: skip
    pq.write_table(planted, folder / "planted_problems.parquet", compression="zstd")
    counts = planted.group_by("problem").aggregate([([], "count_all")]).to_pylist()
    summary.problems = {row["problem"]: row["count_all"] for row in counts}
