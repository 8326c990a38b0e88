"""The value marts on both engines: SQL against scipy, CDNOW from orders to values."""

import datetime as dt
from decimal import Decimal
from pathlib import Path

import duckdb
import numpy as np
import pyarrow as pa
import pytest

from orchestration.lifetime_value import fit_into_warehouse, scoring
from orchestration.warehouse import compose

BG_NBD = {"r": 0.2426, "alpha": 4.4136, "a": 0.7929, "b": 2.4259}
MBG_NBD = {"r": 0.5248, "alpha": 6.1831, "a": 0.8914, "b": 1.6140 + 1}
LATER_AS_OF = "1998-01-01"


@pytest.fixture(scope="module")
def orders(project, cdnow: Path) -> None:
    """Every CDNOW purchase as an order, one of them sent back at the rate of another year, and a
    prospect."""
    with duckdb.connect() as connection:
        rows = connection.sql(f"""
            select
                'shop:' || row_number() over (order by customer_id, date, qty, amount)
                    as order_id,
                customer_id, 'sale' as order_type, null::varchar as original_order_id,
                'completed' as status, date as order_date,
                date >= date '1997-10-01' as is_future, 'shop' as channel, 'USD' as currency,
                amount::decimal(18, 4) as net_amount, net_amount as net_amount_reporting,
                1::decimal(18, 8) as reporting_rate
            from '{cdnow}'
        """).to_arrow_table()
    returned = rows.slice(1, 1).to_pylist()[0]
    returned |= {
        "order_id": "shop:return-1",
        "order_type": "return",
        "original_order_id": returned["order_id"],
        "net_amount": -returned["net_amount"],
        "net_amount_reporting": -returned["net_amount_reporting"] * Decimal("0.99"),
        "reporting_rate": Decimal("0.99"),
    }
    returns = pa.Table.from_pylist([returned], schema=rows.schema)
    customers = [*rows["customer_id"].unique().to_pylist(), "nobody-yet"]
    project.fill("standins.orders", pa.concat_tables([rows, returns]))
    project.fill("standins.customers", pa.table({"customer_id": customers}))


@pytest.fixture(scope="module")
def built(project, orders) -> None:
    """All marts with the default parameters; runs their data tests too, and their unit tests on
    PostgreSQL: those of DuckDB run on the demo."""
    unit_tests = ("--exclude-resource-type", "unit_test")
    project.dbt("build", *(unit_tests if project.target == "duckdb" else ()))


@pytest.fixture(scope="module")
def fitted(project, built):
    """The fit of the business date, and the marts scored with it."""
    outcome = fit_into_warehouse(project.target, project.path)
    project.dbt("build", "--select", "int_marts__clv_parameters_current+")
    return outcome


def test_a_first_build_scores_with_the_defaults(project, built):
    [row] = project.fetch("""
        select count(*) as scores, sum(case when is_default_parameters then 1 end) as defaults,
            avg(expected_spend_reporting) as spend
        from marts.customer_lifetime_value
    """)
    [buyers] = project.fetch(
        "select count(*) as n from marts.customer_orders_summary where order_count > 0"
    )
    assert row["scores"] == row["defaults"] == buyers["n"]
    assert 20 < row["spend"] < 50  # of this shop, whatever the seed's shop sold


def test_of_what_came_back_whole_nothing_was_kept(project, built):
    """At the rate of the day it came back, a hundredth of it would be left."""
    [row] = project.fetch("""
        select
            s.mean_repeat_amount * s.repeat_count as kept,
            (
                select sum(o.net_amount) from standins.orders as o
                where o.customer_id = s.customer_id and o.order_date > s.first_order_date
                    and o.order_type = 'sale' and not o.is_future
                    and o.order_id != returned.original_order_id
            ) as bought_besides
        from standins.orders as returned
        inner join marts.customer_orders_summary as s on returned.customer_id = s.customer_id
        where returned.order_id = 'shop:return-1'
    """)
    assert row["kept"] == pytest.approx(float(row["bought_besides"]), abs=1e-9)


def test_the_fit_is_kept_and_used(project, fitted):
    assert fitted.purchase_model == "mbg_nbd"
    assert fitted.as_of == dt.date(1997, 9, 30)
    assert fitted.metadata()["mbg_nbd_customers"] == len(scores(project))
    rows = project.fetch("select model, is_selected, as_of from state.clv_parameters order by 1")
    assert [(row["model"], row["is_selected"]) for row in rows] == [
        ("bg_nbd", False),
        ("gamma_gamma", True),
        ("mbg_nbd", True),
    ]
    [current] = project.fetch("select * from marts.int_marts__clv_parameters_current")
    mbg_nbd = fitted.rows[1]
    assert not current["is_default_purchase"]
    assert not current["is_default_spend"]
    # Free orders do not count here, so the fit is near the published one, not on it.
    assert {n: current[n] for n in ["r", "alpha", "a", "b"]} == pytest.approx(
        {"r": mbg_nbd.r, "alpha": mbg_nbd.alpha, "a": mbg_nbd.a, "b": mbg_nbd.b}, rel=1e-12
    )
    assert current["alpha"] == pytest.approx(6.183, rel=0.05)


def scores(project):
    return project.fetch("""
        select s.*, o.repeat_count, o.recency_weeks, o.age_weeks, o.mean_repeat_amount
        from marts.customer_lifetime_value as s
        inner join marts.customer_orders_summary as o on s.customer_id = o.customer_id
        order by s.customer_id
    """)


def test_scores_equal_scipy(project, fitted):
    rows = scores(project)
    column = lambda name: np.array([float(row[name] or 0) for row in rows])  # noqa: E731
    mbg, spend = fitted.rows[1], fitted.rows[2]
    shape = {"r": mbg.r, "alpha": mbg.alpha, "a": mbg.a, "b": mbg.b + 1}
    x, t_x, age = column("repeat_count"), column("recency_weeks"), column("age_weeks")
    alive = scoring.probability_alive(x, t_x, age, drops_out_at_first=True, **shape)
    amount = scoring.expected_spend(
        x, column("mean_repeat_amount"), p=spend.p, q=spend.q, gamma=spend.gamma
    )

    def purchases(days):
        return alive * scoring.expected_purchases_if_alive(x, age, days / 7, **shape)

    ends = np.array([0 * x, *(purchases(month * 365 / 12) for month in range(1, 13))])
    discounts = 1.1 ** (-np.arange(1, 13) / 12)
    value = amount * (np.diff(ends, axis=0) * discounts[:, None]).sum(axis=0)

    assert column("p_alive") == pytest.approx(alive, rel=1e-12)
    for days in (30, 90, 365):
        assert column(f"expected_purchases_{days}d") == pytest.approx(purchases(days), rel=1e-9)
    for days in (90, 365):
        nothing = scoring.probability_of_no_purchase(
            x, age, days / 7, alive, r=mbg.r, alpha=mbg.alpha
        )
        assert column(f"p_no_purchase_{days}d") == pytest.approx(nothing, rel=1e-10)
    assert column("expected_spend_reporting") == pytest.approx(amount, abs=0.00501)
    assert column("clv_12m") == pytest.approx(value, abs=0.00501)


def test_margin_and_discount_are_vars(project, fitted):
    [before] = project.fetch("select sum(clv_12m) as total from marts.customer_lifetime_value")
    project.dbt(
        "run",
        "--select",
        "int_marts__clv_expectations+",
        clv_margin_rate=0.25,
        clv_discount_rate=0.0,
    )
    [after] = project.fetch("""
        select sum(clv_12m) as total,
            sum(expected_purchases_365d * expected_spend_reporting) * 0.25 as undiscounted
        from marts.customer_lifetime_value
    """)
    project.dbt("run", "--select", "int_marts__clv_expectations+")
    assert float(after["total"]) == pytest.approx(float(after["undiscounted"]), rel=1e-3)
    assert 1.02 < float(after["total"]) / (float(before["total"]) * 0.25) < 1.1


def test_one_time_buyers_share_one_frequency_score(project, built):
    rows = project.fetch("""
        select distinct frequency_score from marts.rfm_scores where order_day_count = 1
    """)
    assert rows == [{"frequency_score": 1}]
    [row] = project.fetch("""
        select count(*) as n from marts.rfm_scores
        where rfm_segment = 'Prospects' and customer_id = 'nobody-yet'
    """)
    assert row["n"] == 1


def test_a_second_fit_replaces_and_another_day_adds(project, fitted):
    before = project.fetch("select * from state.clv_parameters order by model")
    assert fit_into_warehouse(project.target, project.path) == fitted
    assert project.fetch("select * from state.clv_parameters order by model") == before

    with project.open() as warehouse:
        warehouse.execute("update standins.orders set is_future = order_date >= '1998-01-01'")
    project.dbt("run", "--select", "customer_orders_summary+", as_of=LATER_AS_OF)
    fit_into_warehouse(project.target, project.path)
    project.dbt("run", "--select", "int_marts__clv_parameters_current", as_of=LATER_AS_OF)
    [newest] = project.fetch("select * from marts.int_marts__clv_parameters_current")
    assert newest["purchase_fitted_on"] == dt.date(1998, 1, 1)

    # The earlier day, rebuilt, must not know what was fitted later.
    with project.open() as warehouse:
        warehouse.execute("update standins.orders set is_future = order_date >= '1997-10-01'")
    project.dbt("run", "--select", "customer_orders_summary+")
    [earlier] = project.fetch("select * from marts.int_marts__clv_parameters_current")
    assert earlier["purchase_fitted_on"] == dt.date(1997, 9, 30)


# -- the formulas in SQL


@pytest.fixture(scope="module")
def formulas(project):
    """The macros as a view of the stand-in `histories`."""
    project.dbt("run", "--select", "+scored_histories")
    return project


def scored(project, histories: dict[str, np.ndarray]) -> dict[str, np.ndarray]:
    """What the macros make of histories, in their order."""
    size = len(histories["repeat_count"])
    table = {"history_id": np.arange(size)}
    table |= {name: np.broadcast_to(values, size) for name, values in histories.items()}
    table["repeat_count"] = table["repeat_count"].astype(np.int64)
    project.fill("standins.histories", pa.table(table))
    with project.open() as warehouse:
        relation = warehouse.relation("scored_histories")
        rows = warehouse.fetch(compose("select * from {r} order by history_id", r=relation))
    return {name: np.array([row[name] for row in rows], dtype=float) for name in rows[0]}


def random_histories(size: int) -> dict[str, np.ndarray]:
    """Customers of 0 to 730 days under a year's horizon: z up to 0.92."""
    generator = np.random.default_rng(17)
    age = generator.integers(0, 731, size) / 7.0
    repeats = np.minimum(generator.negative_binomial(0.4, 0.2, size), 148) * (age > 0)
    recency = np.where(repeats > 0, age * generator.random(size), 0.0)
    return {
        "repeat_count": repeats,
        "recency_weeks": recency,
        "age_weeks": age,
        "horizon_weeks": np.array(365 / 7),
    }


@pytest.mark.parametrize("shape", [BG_NBD, MBG_NBD], ids=["bg_nbd", "mbg_nbd"])
def test_the_series_in_sql_equals_scipy(formulas, shape):
    histories = random_histories(5000)
    x, age = histories["repeat_count"], histories["age_weeks"]
    z = histories["horizon_weeks"] / (shape["alpha"] + age + histories["horizon_weeks"])
    assert 0.89 < z.max() < 0.925
    sql = scored(formulas, histories | {n: np.array(v) for n, v in shape.items()})
    exact = scoring.expected_purchases_if_alive(x, age, 365 / 7, **shape)

    assert (np.abs(sql["purchases_64"] / exact - 1)).max() <= 5e-4
    assert sql["purchases_64"].sum() == pytest.approx(exact.sum(), rel=1e-5)
    assert (np.abs(sql["purchases_128"] / exact - 1)).max() <= 1e-6
    bought = x > 0
    alive = scoring.probability_alive(
        x, histories["recency_weeks"], age, drops_out_at_first=True, **shape
    )
    assert sql["p_alive"][bought] == pytest.approx(alive[bought], rel=1e-11)
    nothing = scoring.probability_of_no_purchase(
        x, age, 365 / 7, np.array(0.5), r=shape["r"], alpha=shape["alpha"]
    )
    assert sql["p_no_purchase"] == pytest.approx(nothing, rel=1e-11)


def test_published_expectations_by_frequency_in_sql(formulas, cdnow):
    with duckdb.connect() as connection:
        histories = connection.execute(f"""
            with days as (
                select distinct customer_id, date as day from '{cdnow}'
                where date <= date '1997-09-30'
            )
            select count(*) - 1 as repeat_count, (max(day) - min(day)) / 7.0::double
                as recency_weeks, (date '1997-09-30' - min(day)) / 7.0::double as age_weeks
            from days group by customer_id
        """).fetchnumpy()
    x = histories["repeat_count"]
    histories |= {"horizon_weeks": np.array(39.0)}
    sql = scored(formulas, histories | {n: np.array(v) for n, v in BG_NBD.items()})
    expected = np.where(x == 0, 1.0, sql["p_alive"]) * sql["purchases_64"]
    assert [expected[np.minimum(x, 7) == count].mean() for count in range(8)] == pytest.approx(
        [0.2251, 0.5231, 1.0441, 1.5203, 2.1639, 2.6539, 3.5041, 6.1574], abs=5e-4
    )


def test_extreme_histories_break_no_engine(formulas):
    """PostgreSQL raises where a power overflows or underflows."""
    sql = scored(
        formulas,
        {
            "repeat_count": np.array([0, 1, 5000, 5000, 20000, 300]),
            "recency_weeks": np.array([0.0, 0.1, 1.0, 2500.0, 0.1, 40.0]),
            "age_weeks": np.array([0.0, 5000.0, 5000.0, 2500.0, 5000.0, 5000.0]),
            "horizon_weeks": np.array(365 / 7),
            **{name: np.array(value) for name, value in MBG_NBD.items()},
        },
    )
    for name in ("purchases_64", "p_alive", "p_no_purchase"):
        assert np.isfinite(sql[name]).all()
    assert ((sql["p_alive"] >= 0) & (sql["p_alive"] <= 1)).all()
    assert ((sql["p_no_purchase"] >= 0) & (sql["p_no_purchase"] <= 1)).all()
    assert (sql["purchases_64"] >= 0).all()
