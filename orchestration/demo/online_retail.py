"""Orders of a real company instead of invented ones.

Reads a Parquet file shaped like UCI's Online Retail II (columns invoice_no, stock_code,
description, quantity, invoice_ts, unit_price, customer_id, country; pounds sterling) and writes
it as the shop's raw tables. Every line of the file is in exactly one row:

- invoice not starting with C: a row of `shop.order_lines`, in the order of that number, whatever
  the sign of quantity and price: write-offs, postage, fees and bad debt (invoices starting with
  A) stay lines;
- invoice starting with C, negative quantity: a row of `shop.returns`, `return_id` = invoice-line
  number, quantity and `refund_amount` positive;
- invoice starting with C, positive quantity: a row of `shop.order_lines`, in an order of that
  number: a charge, no refund.

So sum(line_amount) - sum(refund_amount) is the sum of quantity x unit_price of the file, to the
last of its three decimals. `total_amount` of an order is the sum of its lines, `discount_amount`
is 0, tax and shipping are unknown (postage is a line). An order without customer id is a guest
order without e-mail: nobody's. The clock of the file is taken as UTC.

The file does not say which invoice a credit takes back, only whose it is. A return refers to the
customer's latest earlier line of the same article, else (manual credits, articles bought before
the file begins) to the customer's latest earlier order, without a line; without either, or
without a customer, `order_id` is empty. The reference carries the customer, no amount.

`shop.customers` has a row for each customer id; the person behind it, and what the other systems
know, are invented, in the period of the file. `truth/orders_expected.parquet` holds what the
warehouse must add up to.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import date
from decimal import Decimal
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from orchestration.demo import keys, noise, text
from orchestration.demo.catalog import PRICE_FACTORS, Catalog
from orchestration.demo.persons import Persons, country_codes
from orchestration.demo.settings import Settings
from orchestration.demo.shop import Shop, campaigns_at, write_customers
from orchestration.demo.tables import Block

CURRENCY = "GBP"
COUNTRY_NAMES = {
    "United Kingdom": "GB", "EIRE": "IE", "Germany": "DE", "France": "FR", "Netherlands": "NL",
    "Spain": "ES", "Switzerland": "CH", "Portugal": "PT", "Belgium": "BE", "Channel Islands": "JE",
    "Sweden": "SE", "Italy": "IT", "Australia": "AU", "Cyprus": "CY", "Austria": "AT",
    "Greece": "GR", "United Arab Emirates": "AE", "Denmark": "DK", "Norway": "NO",
    "Finland": "FI", "USA": "US", "Japan": "JP", "Poland": "PL", "Malta": "MT",
    "Lithuania": "LT", "Singapore": "SG", "RSA": "ZA", "Bahrain": "BH", "Canada": "CA",
    "Thailand": "TH", "Hong Kong": "HK", "Israel": "IL", "Iceland": "IS", "Korea": "KR",
    "Brazil": "BR", "Bermuda": "BM", "Nigeria": "NG", "Lebanon": "LB",
}  # fmt: skip
COLUMNS = (
    "invoice_no", "stock_code", "description", "quantity", "invoice_ts", "unit_price",
    "customer_id", "country",
)  # fmt: skip
# Articles begin with five digits or DCGS; everything else is postage, a fee, a manual entry.
ARTICLE = r"^(\d{5}|DCGS|PADS|SP1002)"


class UnusableOrders(ValueError):
    """The file is not one of orders, or has what the demo cannot take."""


@dataclass(frozen=True)
class RealOrders:
    """Lines of the file. Invoices, articles and customers are numbered in the order of their
    keys; money is integer thousandths of a pound, times are microseconds."""

    invoices: pa.Array
    articles: pa.Array
    article_names: pa.Array
    is_article: np.ndarray
    customers: np.ndarray  # the customer ids
    countries: np.ndarray  # per customer: index into country_codes()
    invoice: np.ndarray
    position: np.ndarray  # of the line in its invoice, from 0
    article: np.ndarray
    quantity: np.ndarray
    price: np.ndarray
    time: np.ndarray  # of the invoice: its first line
    customer: np.ndarray  # index into customers, -1 none
    is_return: np.ndarray

    @property
    def amount(self) -> np.ndarray:
        return self.quantity * self.price

    def period(self) -> tuple[date, date]:
        """First day of the file, and the day after its last."""
        first, last = self.time.min() // text.DAY, self.time.max() // text.DAY + 1
        return tuple(np.array([first, last]).astype("datetime64[D]").tolist())

    def first_seen(self) -> np.ndarray:
        """Time of each customer's first line."""
        first = np.full(len(self.customers), np.iinfo(np.int64).max)
        known = self.customer >= 0
        np.minimum.at(first, self.customer[known], self.time[known])
        return first


def read_orders(path: Path | str) -> RealOrders:
    """Read the file.

    Raises:
        UnusableOrders: when it is no Parquet file of these columns, has no rows, or a price has
            more than three decimals: nothing is rounded silently.
    """
    try:
        table = pq.read_table(path, columns=list(COLUMNS))
    except (pa.ArrowException, OSError):
        wanted = ", ".join(COLUMNS)
        raise UnusableOrders(f"{path} is no Parquet file with columns {wanted}") from None
    if not table.num_rows:
        raise UnusableOrders(f"{path} has no rows")
    price = table["unit_price"].to_numpy() * 1000
    if np.abs(price - np.round(price)).max() > 1e-4:
        raise UnusableOrders("a unit_price has more than three decimals")
    invoices, invoice = _numbered(table["invoice_no"])
    articles, article = _numbered(table["stock_code"])
    order = np.argsort(invoice, kind="stable")
    counts = np.bincount(invoice)
    position = np.empty(len(invoice), dtype=np.int64)
    position[order] = np.arange(len(order)) - np.repeat(np.cumsum(counts) - counts, counts)
    line_time = table["invoice_ts"].to_numpy().astype("datetime64[us]").astype(np.int64)
    first = np.full(len(invoices), np.iinfo(np.int64).max)
    np.minimum.at(first, invoice, line_time)

    customer_id = table["customer_id"].fill_null(-1).to_numpy()
    customers, customer = np.unique(customer_id, return_inverse=True)
    if customers[0] == -1:
        customers, customer = customers[1:], customer - 1
    quantity = table["quantity"].to_numpy()
    is_credit = pc.starts_with(table["invoice_no"], "C").to_numpy()
    names = _most_frequent(article, table["description"], len(articles))
    return RealOrders(
        invoices=invoices,
        articles=articles,
        article_names=names,
        is_article=pc.match_substring_regex(articles, ARTICLE).to_numpy(zero_copy_only=False),
        customers=customers.astype(np.int64),
        countries=_countries(customer, table["country"], len(customers)),
        invoice=invoice,
        position=position,
        article=article,
        quantity=quantity,
        price=np.round(price).astype(np.int64),
        time=first[invoice],
        customer=customer,
        is_return=is_credit & (quantity < 0),
    )


def _numbered(column: pa.ChunkedArray) -> tuple[pa.Array, np.ndarray]:
    """Distinct values in order, and the number of each row's value."""
    values = pc.unique(column)
    values = values.take(pc.sort_indices(values))
    return values, pc.index_in(column, values).to_numpy().astype(np.int64)


def _most_frequent(group: np.ndarray, words: pa.ChunkedArray, groups: int) -> pa.Array:
    """The most frequent non-null word of each group, ties by alphabet."""
    distinct, code = _numbered(words.fill_null(""))
    pair, count = np.unique(group * len(distinct) + code, return_counts=True)
    empty = pc.equal(distinct, "").to_numpy(zero_copy_only=False)
    count = np.where(empty[pair % len(distinct)], 0, count)
    order = np.lexsort((pair, -count, pair // len(distinct)))
    first = np.searchsorted(pair[order] // len(distinct), np.arange(groups))
    best = distinct.take(pa.array(pair[order][first] % len(distinct)))
    return pc.if_else(pc.equal(best, ""), pa.scalar(None, pa.string()), best)


def _countries(customer: np.ndarray, names: pa.ChunkedArray, customers: int) -> np.ndarray:
    known = np.flatnonzero(customer >= 0)
    name = _most_frequent(customer[known], names.take(pa.array(known)), customers)
    codes = list(country_codes())
    return np.array(
        [codes.index(COUNTRY_NAMES.get(text_name, "")) for text_name in name.to_pylist()]
    )


def real_catalog(catalog: Catalog, orders: RealOrders) -> Catalog:
    """The shelves of the real shop, for tills, web and app: articles by their usual price."""
    at = np.flatnonzero(orders.is_article[orders.article] & (orders.price > 0))
    by_price = at[np.lexsort((orders.price[at], orders.article[at]))]
    article = orders.article[by_price]
    first = np.flatnonzero(np.r_[True, article[1:] != article[:-1]])
    count = np.diff(np.r_[first, len(article)])
    price = orders.price[by_price[first + count // 2]]
    order = np.lexsort((article[first], price))
    chosen = article[first][order]
    euro_cents = np.round(price[order] / 10 / PRICE_FACTORS[1]).astype(np.int64)
    names = orders.article_names.take(pa.array(chosen)).to_pylist()
    return replace(
        catalog,
        product_ids=tuple(orders.articles.take(pa.array(chosen)).to_pylist()),
        product_names=tuple(name or "" for name in names),
        product_category=np.zeros(len(chosen), dtype=np.int64),
        product_brand=np.zeros(len(chosen), dtype=np.int64),
        price=np.maximum(euro_cents, 1),
    )


def write_real_shop(
    out: Block, settings: Settings, persons: Persons, catalog: Catalog, orders: RealOrders
) -> Shop:
    """Write the shop's tables; gives what the other systems know of the shop."""
    rng = settings.rng("real")
    sales = np.flatnonzero(~orders.is_return)
    sales = sales[np.lexsort((orders.position[sales], orders.invoice[sales]))]
    order, first, line_order = np.unique(
        orders.invoice[sales], return_index=True, return_inverse=True
    )
    total = np.zeros(len(order), dtype=np.int64)
    np.add.at(total, line_order, orders.amount[sales])
    time, customer = orders.time[sales][first], orders.customer[sales][first]
    campaign = campaigns_at(rng, settings, catalog, time, share=0.45)
    campaign = np.where(customer >= 0, campaign, -1)

    # Orders of known customers, sorted by person, for the other systems.
    known = np.flatnonzero(customer >= 0)
    known = known[np.lexsort((time[known], customer[known]))]
    rank = np.full(len(order), len(known))
    rank[known] = np.arange(len(known))
    by_rank = np.argsort(rank[line_order], kind="stable")
    by_rank = by_rank[rank[line_order[by_rank]] < len(known)]
    shelf = pc.index_in(orders.articles, pa.array(catalog.product_ids)).fill_null(-1).to_numpy()
    shop = Shop(
        account=orders.customers,
        account_created=np.maximum(orders.first_seen() - 5 * text.MINUTE, settings.start),
        order_person=customer[known],
        order_time=time[known],
        order_id=orders.invoices.take(pa.array(order[known])),
        order_campaign=campaign[known],
        is_guest=np.zeros(len(known), dtype=bool),
        line_order=rank[line_order[by_rank]],
        line_product=shelf[orders.article[sales[by_rank]]],
        key_width=len(str(orders.customers.max())),
    )
    write_customers(out, settings, persons, shop, twice=0)
    loaded = noise.loads(rng, settings, time)
    emails = keys.spell_emails(rng, persons.emails_at(np.maximum(customer, 0), time), typo=0)
    columns = {
        "order_id": orders.invoices.take(pa.array(order)),
        "customer_id": shop.ids(np.where(customer >= 0, orders.customers[customer], -1)),
        "email": text.blank(emails, (customer < 0) | (rng.random(len(order)) < 0.3)),
        "ordered_at": text.timestamps(time),
        "status": text.constant("paid", len(order)),
        "currency": text.constant(CURRENCY, len(order)),
        "total_amount": text.decimals(total),
        "discount_amount": text.constant("0", len(order)),
        "tax_amount": text.constant(None, len(order)),
        "shipping_amount": text.constant(None, len(order)),
        "utm_campaign": text.dictionary(catalog.tags, campaign),
        "updated_at": text.timestamps(time),
        "loaded_at": loaded,
    }
    out.write("shop", "orders", columns, np.argsort(loaded, kind="stable"))
    order_lines = {
        "order_line_id": _line_ids(orders, sales),
        "order_id": orders.invoices.take(pa.array(orders.invoice[sales])),
        "product_id": orders.articles.take(pa.array(orders.article[sales])),
        "quantity": text.numbers(orders.quantity[sales]),
        "unit_price": text.decimals(orders.price[sales]),
        "discount_amount": text.constant("0", len(sales)),
        "line_amount": text.decimals(orders.amount[sales]),
        "loaded_at": loaded[line_order],
    }
    out.write("shop", "order_lines", order_lines, np.argsort(loaded[line_order], kind="stable"))
    _write_returns(out, settings, orders, sales, rng)
    _write_products(out, settings, orders)
    return shop


def _line_ids(orders: RealOrders, rows: np.ndarray) -> pa.Array:
    invoice = orders.invoices.take(pa.array(orders.invoice[rows]))
    return text.join(invoice, "-", text.numbers(orders.position[rows] + 1))


def _latest(rows_key, rows_time, keys_of, times_of) -> np.ndarray:
    """For each row the position of the latest earlier entry with the same key, -1 none.
    Entries are sorted by key and time."""
    span = np.int64(2) ** 31
    rows = rows_key * span + rows_time // text.MICROSECONDS
    entries = keys_of * span + times_of // text.MICROSECONDS
    at = np.searchsorted(entries, rows, side="right") - 1
    same = (at >= 0) & (keys_of[np.maximum(at, 0)] == rows_key)
    return np.where(same, at, -1)


def _write_returns(out: Block, settings, orders: RealOrders, sales, rng) -> None:
    rows = np.flatnonzero(orders.is_return)
    rows = rows[np.lexsort((orders.position[rows], orders.invoice[rows]))]
    mine = sales[(orders.customer[sales] >= 0) & (orders.quantity[sales] > 0)]
    width = len(orders.articles)

    def pair(at):
        return orders.customer[at] * width + orders.article[at]

    by_article = mine[np.lexsort((orders.invoice[mine], orders.time[mine], pair(mine)))]
    by_customer = mine[np.lexsort((orders.invoice[mine], orders.time[mine], orders.customer[mine]))]
    line = _latest(pair(rows), orders.time[rows], pair(by_article), orders.time[by_article])
    last = _latest(
        orders.customer[rows], orders.time[rows],
        orders.customer[by_customer], orders.time[by_customer],
    )  # fmt: skip
    nobody = orders.customer[rows] < 0
    line, last = np.where(nobody, -1, line), np.where(nobody, -1, last)
    source = np.where(line >= 0, by_article[line], np.where(last >= 0, by_customer[last], -1))
    order_id = orders.invoices.take(pa.array(orders.invoice[np.maximum(source, 0)]))
    loaded = noise.loads(rng, settings, orders.time[rows])
    columns = {
        "return_id": _line_ids(orders, rows),
        "order_id": text.blank(order_id, source < 0),
        "order_line_id": text.blank(_line_ids(orders, np.maximum(source, 0)), line < 0),
        "product_id": orders.articles.take(pa.array(orders.article[rows])),
        "quantity": text.numbers(-orders.quantity[rows]),
        "refund_amount": text.decimals(-orders.amount[rows]),
        "currency": text.constant(CURRENCY, len(rows)),
        "reason": text.constant(None, len(rows)),
        "returned_at": text.timestamps(orders.time[rows]),
        "loaded_at": loaded,
    }
    out.write("shop", "returns", columns, np.argsort(loaded, kind="stable"))


def _write_products(out: Block, settings: Settings, orders: RealOrders) -> None:
    """One row per stock code, with its last price above zero."""
    n = len(orders.articles)
    by_time = np.lexsort((orders.price, orders.time))
    by_time = by_time[orders.price[by_time] > 0]
    price = np.zeros(n, dtype=np.int64)
    price[orders.article[by_time]] = orders.price[by_time]
    seen = np.full(n, np.iinfo(np.int64).max)
    np.minimum.at(seen, orders.article, orders.time)
    seen = np.maximum(seen // text.DAY * text.DAY, settings.start)
    columns = {
        "product_id": orders.articles,
        "name": orders.article_names,
        "category": text.dictionary(("Service", "Article"), orders.is_article.astype(int)),
        "brand": text.constant(None, n),
        "price": text.blank(text.decimals(price), price == 0),
        "currency": text.constant(CURRENCY, n),
        "updated_at": text.timestamps(seen),
        "loaded_at": seen + text.HOUR,
    }
    out.write("shop", "products", columns)


def expected(orders: RealOrders) -> pa.Table:
    """What the warehouse must add up to, one row per currency; amounts are exact decimals."""
    exact = pa.decimal128(18, 3)

    def pounds(thousandths: np.ndarray) -> pa.Array:
        return pa.array([Decimal(int(thousandths.sum())).scaleb(-3)], exact)

    sale, known = ~orders.is_return, orders.customer >= 0
    return pa.table(
        {
            "currency": [CURRENCY],
            "line_count": [len(orders.invoice)],
            "order_count": [len(np.unique(orders.invoice[sale]))],
            "order_line_count": [int(sale.sum())],
            "return_count": [int((~sale).sum())],
            "customer_count": [len(orders.customers)],
            "order_lines_amount": pounds(orders.amount[sale]),
            "refunds_amount": pounds(-orders.amount[~sale]),
            "net_amount": pounds(orders.amount),
            "net_amount_of_customers": pounds(orders.amount[known]),
            "net_amount_of_nobody": pounds(orders.amount[~known]),
        }
    )
