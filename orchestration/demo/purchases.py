"""When people buy, where, and for how much: a BG/NBD process with Gamma-Gamma spending.

Each buyer buys first when acquired, then at a Poisson rate drawn from a gamma distribution, and
after every repeat purchase drops out for good with a probability drawn from a beta
distribution. The parameters below are what a fit should find again (weeks, euros).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from orchestration.demo import text
from orchestration.demo.catalog import Catalog, unit_prices
from orchestration.demo.persons import Persons
from orchestration.demo.settings import Settings

WEEK = 7 * text.DAY
RATE_SHAPE, RATE_SCALE = 0.85, 11.0  # r, alpha
DROPOUT = (0.8, 3.2)  # a, b
SPEND = (6.0, 3.7, 27.0)  # p, q, gamma


@dataclass
class Purchases:
    """Sorted by person and time. `value` is the intended basket in euro cents."""

    person: np.ndarray
    time: np.ndarray
    is_store: np.ndarray
    value: np.ndarray


def make_purchases(settings: Settings, block: int, persons: Persons) -> Purchases:
    """All purchases of the buyers of a block."""
    rng = settings.rng("purchase", block)
    rows = len(persons)
    room = (settings.end - text.DAY - persons.acquired).clip(0)
    is_buyer = persons.buys_in > 0
    rate = rng.gamma(RATE_SHAPE, 1 / RATE_SCALE, rows)
    repeats = rng.poisson(rate * room / WEEK) * is_buyer
    lasts = rng.geometric(np.clip(rng.beta(*DROPOUT, rows), 1e-6, 1))

    person = np.repeat(np.arange(rows), repeats)
    offset = (rng.random(len(person)) * room[person]).astype(np.int64)
    order = np.lexsort((offset, person))
    person, offset = person[order], offset[order]
    ends = np.cumsum(repeats)
    rank = np.arange(len(person)) - (ends - repeats)[person]
    kept = rank < lasts[person]
    person = np.concatenate([np.flatnonzero(is_buyer), person[kept]])
    time = persons.acquired[person]
    time[np.count_nonzero(is_buyer) :] += offset[kept]
    order = np.lexsort((time, person))
    person, time = person[order], time[order]

    buys_in = persons.buys_in[person]
    is_store = np.where(buys_in == 3, rng.random(len(person)) < 0.5, buys_in == 2)
    hour = np.where(
        is_store, rng.uniform(9, 19, len(person)), rng.normal(16.5, 4, len(person)) % 24
    )
    time = time // text.DAY * text.DAY + (hour * text.HOUR).astype(np.int64)
    shape, spend_shape, spend_scale = SPEND
    level = rng.gamma(spend_shape, 1 / spend_scale, rows)
    value = rng.gamma(shape, 1 / level[person])
    return Purchases(person, time, is_store, np.maximum(100 * value, 150).astype(np.int64))


@dataclass
class Lines:
    """Lines of baskets, sorted by basket. Money is integer cents of the basket's currency."""

    basket: np.ndarray
    position: np.ndarray
    product: np.ndarray
    quantity: np.ndarray
    unit_price: np.ndarray
    discount: np.ndarray

    @property
    def amount(self) -> np.ndarray:
        return self.quantity * self.unit_price - self.discount

    def total(self, values: np.ndarray, baskets: int) -> np.ndarray:
        """Exact sums by basket."""
        result = np.zeros(baskets, dtype=np.int64)
        np.add.at(result, self.basket, values)
        return result


def make_lines(
    rng, catalog: Catalog, value: np.ndarray, currency: np.ndarray, discounted: float
) -> Lines:
    """Fill baskets with products whose prices come near the intended value."""
    baskets = len(value)
    count = np.minimum(1 + rng.poisson(1.1, baskets), 8)
    basket = np.repeat(np.arange(baskets), count)
    position = np.arange(len(basket)) - (np.cumsum(count) - count)[basket]
    weight = rng.gamma(2.0, 1.0, len(basket))
    share = weight / np.bincount(basket, weights=weight, minlength=baskets)[basket]
    target = value[basket] * share
    product = np.searchsorted(catalog.price, target) - 1
    product = product + np.round(rng.normal(0, 8, len(basket))).astype(np.int64)
    product = np.clip(product, 0, len(catalog.price) - 1)
    quantity = np.clip(np.round(target / catalog.price[product]), 1, 12).astype(np.int64)
    unit_price = unit_prices(catalog, product, currency[basket])
    percent = np.where(rng.random(baskets) < discounted, rng.choice((10, 20), baskets), 0)[basket]
    discount = quantity * unit_price * percent // 100
    return Lines(basket, position, product, quantity, unit_price, discount)
