"""What the retailer sells, where, and with which campaigns: the same for every block."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from orchestration.demo import text
from orchestration.demo.settings import Settings

CATEGORIES = (
    "Kitchen", "Table", "Textiles", "Lamps", "Garden", "Office", "Bathroom", "Decoration",
    "Toys", "Bags", "Candles", "Furniture",
)  # fmt: skip
BRANDS = ("Lumière", "Nordhus", "Casa Sol", "Oakwell", "Maison Blanche", "Werkraum", "Own brand")
ADJECTIVES = ("Blue", "Small", "Oak", "Linen", "Round", "Vintage", "Steel", "Striped", "Large")
NOUNS = {
    "Kitchen": ("Saucepan", "Knife", "Teapot"), "Table": ("Plate", "Glass", "Carafe"),
    "Textiles": ("Cushion", "Blanket", "Curtain"), "Lamps": ("Desk Lamp", "Lantern", "Shade"),
    "Garden": ("Planter", "Bench", "Hose"), "Office": ("Notebook", "Tray", "Clock"),
    "Bathroom": ("Towel", "Mirror", "Mat"), "Decoration": ("Vase", "Frame", "Garland"),
    "Toys": ("Puzzle", "Train", "Doll"), "Bags": ("Tote", "Rucksack", "Purse"),
    "Candles": ("Candle", "Diffuser", "Holder"), "Furniture": ("Chair", "Shelf", "Stool"),
}  # fmt: skip
# Units of the currency for one euro, as the price list has them; not a market rate.
CURRENCY_CODES = ("EUR", "GBP", "USD", "CHF")
PRICE_FACTORS = np.array([1.0, 0.87, 1.10, 0.98])
STORE_COUNTRY = (0, 0, 0, 0, 1, 1, 2, 2, 3, 3)
STORES = 60


@dataclass(frozen=True)
class Catalog:
    """Products sorted by price, and campaigns. Money is in euro cents."""

    product_ids: tuple[str, ...]
    product_names: tuple[str, ...]
    product_category: np.ndarray
    product_brand: np.ndarray
    price: np.ndarray
    email_tags: tuple[str, ...]
    email_starts: np.ndarray
    ad_tags: tuple[str, ...]
    ad_platforms: tuple[str, ...]
    ad_starts: np.ndarray
    ad_ends: np.ndarray

    @property
    def tags(self) -> tuple[str, ...]:
        """All campaign tags: e-mail, then ads."""
        return (*self.email_tags, *self.ad_tags)


SEASONS = (
    "winter_sale", "spring_home", "summer_garden", "summer_sale", "back_to_school", "black_friday",
)  # fmt: skip
PLATFORMS = ("google", "meta", "tiktok")


def make_catalog(settings: Settings, products: int = 600) -> Catalog:
    """Products and campaigns of the period."""
    rng = settings.rng("catalog")
    price = np.sort(np.exp(rng.normal(np.log(22), 0.95, products)))
    price = np.clip(np.round(price * 2) / 2 - 0.05, 0.95, 890)
    category = rng.integers(0, len(CATEGORIES), products)
    number = rng.permutation(products)
    noun = rng.integers(0, 3, products)
    adjective = rng.integers(0, len(ADJECTIVES), products)
    names = tuple(
        f"{ADJECTIVES[a]} {NOUNS[CATEGORIES[c]][n]}"
        for a, c, n in zip(adjective, category, noun, strict=True)
    )
    weeks = max(4, int(settings.span // (7 * text.DAY)) - 1)
    email_starts = settings.start + (np.arange(weeks) * 7 + 3) * text.DAY + 9 * text.HOUR
    email_tags = tuple(f"newsletter_{week + 1:03d}" for week in range(weeks))
    length = settings.span // 12 // text.DAY * text.DAY
    ad_tags, platforms, starts = [], [], []
    for index in range(12):
        for platform in PLATFORMS:
            year = 1970 + int((settings.start + index * length) / text.DAY / 365.2425)
            ad_tags.append(f"{SEASONS[index % 6]}_{year}_{platform}")
            platforms.append(platform)
            starts.append(settings.start + index * length)
    ad_starts = np.array(starts)
    return Catalog(
        product_ids=tuple(f"SKU{1000 + n:05d}" for n in number),
        product_names=names,
        product_category=category,
        product_brand=rng.integers(0, len(BRANDS), products),
        price=np.round(price * 100).astype(np.int64),
        email_tags=email_tags,
        email_starts=email_starts,
        ad_tags=tuple(ad_tags),
        ad_platforms=tuple(platforms),
        ad_starts=ad_starts,
        ad_ends=np.minimum(ad_starts + 45 * text.DAY, settings.end),
    )


def store_ids() -> tuple[str, ...]:
    """Stores, named after their country: `FR01`, `GB05`, ..."""
    codes = ("FR", "GB", "DE", "ES")
    return tuple(f"{codes[STORE_COUNTRY[i % 10]]}{i + 1:02d}" for i in range(STORES))


def stores_of(country: np.ndarray, pick: np.ndarray) -> np.ndarray:
    """A store of the person's country; `pick` is uniform in 0..1."""
    countries = np.array([STORE_COUNTRY[i % 10] for i in range(STORES)])
    lists = [np.flatnonzero(countries == code) for code in range(4)]
    store = np.zeros(len(country), dtype=np.int64)
    for code, members in enumerate(lists):
        at = country == code
        # The first stores are the busy ones.
        store[at] = members[(pick[at] ** 2 * len(members)).astype(np.int64)]
    return store


def unit_prices(catalog: Catalog, product: np.ndarray, currency: np.ndarray) -> np.ndarray:
    """Cents of the currency for one piece."""
    return np.round(catalog.price[product] * PRICE_FACTORS[currency]).astype(np.int64)


def summer_time(times: np.ndarray) -> np.ndarray:
    """Whether the European Union's summer time is in force at these UTC microseconds (last
    Sunday of March to last Sunday of October, 01:00 UTC)."""
    years = np.arange(1970, 2100)
    bounds = []
    for month in (4, 11):
        first = (years - 1970).astype("datetime64[Y]") + np.timedelta64(month - 1, "M")
        last = (first.astype("datetime64[M]").astype("datetime64[D]") - 1).astype(np.int64)
        sunday = last - (last + 4) % 7  # 1970-01-01 was a Thursday
        bounds.append(sunday * text.DAY + text.HOUR)
    year = times.astype("datetime64[us]").astype("datetime64[Y]").astype(np.int64)
    return (times >= bounds[0][year]) & (times < bounds[1][year])
