"""Real orders: every line of the file is accounted for, to the last decimal."""

from __future__ import annotations

import os
from decimal import Decimal
from pathlib import Path

import duckdb
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from orchestration.demo import generate
from orchestration.demo.online_retail import read_orders

SHARED = Path(os.environ.get("CDP_SHARED_DIR", Path(__file__).resolve().parents[3] / "shared"))
ORDERS = SHARED / "data" / "analytics" / "online_retail_ii_2009_2010.parquet"
needs_file = pytest.mark.skipif(not ORDERS.exists(), reason=f"no real orders at {ORDERS}")


@pytest.fixture(scope="module")
def real(tmp_path_factory) -> Path:
    out = tmp_path_factory.mktemp("real")
    generate(out, orders=ORDERS)
    return out


def one(query: str) -> tuple:
    return duckdb.sql(query).fetchall()[0]


@needs_file
def test_lines_less_refunds_are_the_sum_of_the_file(real):
    count, raw = one(
        f"""select count(*), sum(quantity * cast(unit_price as decimal(18, 3)))
        from '{ORDERS}'"""
    )
    lines, sold = one(
        f"""select count(*), sum(cast(line_amount as decimal(18, 3)))
        from '{real}/raw/shop/order_lines.parquet'"""
    )
    returns, refunded, smallest = one(
        f"""select count(*), sum(cast(refund_amount as decimal(18, 3))),
            min(cast(refund_amount as decimal(18, 3)))
        from '{real}/raw/shop/returns.parquet'"""
    )
    assert lines + returns == count
    assert sold - refunded == raw == Decimal("9539484.634")
    assert smallest > 0
    expected = pq.read_table(real / "truth" / "orders_expected.parquet").to_pylist()
    assert [(row["currency"], row["net_amount"]) for row in expected] == [("GBP", raw)]


@needs_file
def test_an_order_is_the_sum_of_its_lines(real):
    assert one(
        f"""
        with lines as (
            select order_id, sum(cast(line_amount as decimal(18, 3))) as total
            from '{real}/raw/shop/order_lines.parquet' group by order_id
        )
        select count(*) from lines
        full join '{real}/raw/shop/orders.parquet' as orders on lines.order_id = orders.order_id
        where total is distinct from cast(total_amount as decimal(18, 3))
        """
    ) == (0,)


@needs_file
def test_returns_belong_to_the_customer_of_the_credit(real):
    assert one(
        f"""
        with credits as (
            select distinct invoice_no, customer_id from '{ORDERS}' where invoice_no like 'C%'
        )
        select count(*) from '{real}/raw/shop/returns.parquet' as returns
        inner join '{real}/raw/shop/orders.parquet' as orders
            on returns.order_id = orders.order_id
        inner join credits on credits.invoice_no = split_part(return_id, '-', 1)
        where cast(orders.customer_id as int) is distinct from credits.customer_id
            or orders.ordered_at > returns.returned_at
        """
    ) == (0,)


@needs_file
def test_every_customer_of_the_file_has_an_account_and_nobody_else(real):
    assert one(
        f"""
        select count(*) from (
            select distinct customer_id from '{real}/raw/shop/customers.parquet'
        ) as accounts
        full join (
            select distinct cast(customer_id as text) as customer_id from '{ORDERS}'
            where customer_id is not null
        ) as customers on accounts.customer_id = customers.customer_id
        where accounts.customer_id is null or customers.customer_id is null
        """
    ) == (0,)


@needs_file
def test_an_as_of_before_the_last_order_is_refused(tmp_path):
    from datetime import date

    with pytest.raises(ValueError, match="before the last"):
        generate(tmp_path, orders=ORDERS, as_of=date(2010, 6, 1))


def test_prices_are_never_rounded(tmp_path):
    path = tmp_path / "orders.parquet"
    pq.write_table(
        pa.table(
            {
                "invoice_no": ["1"],
                "stock_code": ["12345"],
                "description": ["x"],
                "quantity": [1],
                "invoice_ts": pa.array([0], pa.timestamp("us")),
                "unit_price": [0.1234],
                "customer_id": pa.array([1], pa.int32()),
                "country": ["France"],
            }
        ),
        path,
    )
    with pytest.raises(ValueError, match="three decimals"):
        read_orders(path)
