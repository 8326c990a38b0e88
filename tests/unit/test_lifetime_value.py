"""The fit reproduces the papers, and a base that supports none is told apart."""

from datetime import date

import duckdb
import numpy as np
import pytest
from scipy.optimize import approx_fprime

from orchestration.lifetime_value import fit, scoring
from orchestration.lifetime_value.likelihoods import (
    PurchaseHistories,
    RepeatSpends,
    purchase_log_likelihood,
    spend_log_likelihood,
)
from orchestration.lifetime_value.parameters import ARROW_SCHEMA, to_arrow

AS_OF = date(1997, 9, 30)

# One row per customer, by the definitions of the papers: days / 7, the calibration ends on
# 1997-09-30, 39 weeks follow.
CUSTOMERS = """
with days as (
    select customer_id, date as day, sum(amount) as amount from '{sample}' group by all
),
dated as (select *, min(day) over (partition by customer_id) as first_day from days)
select
    count(*) filter (day <= date '{as_of}') - 1 as repeat_count,
    (max(day) filter (day <= date '{as_of}') - min(first_day)) / 7.0::double as recency_weeks,
    (date '{as_of}' - min(first_day)) / 7.0::double as age_weeks,
    avg(amount) filter (day > first_day and day <= date '{as_of}') as mean_repeat_amount,
    count(*) filter (day > date '{as_of}') as later_purchases
from dated group by customer_id
"""


@pytest.fixture(scope="module")
def customers(shared_dir):
    """Arrays by column, one entry per CDNOW customer."""
    sample = shared_dir / "data/analytics/cdnow_sample.parquet"
    with duckdb.connect() as connection:
        return connection.execute(CUSTOMERS.format(sample=sample, as_of=AS_OF)).fetchnumpy()


@pytest.fixture(scope="module")
def cdnow_fit(customers):
    """The fitted rows by model."""
    histogram = [
        {"repeat_count": x, "recency_weeks": t_x, "age_weeks": age, "customer_count": 1}
        for x, t_x, age in zip(
            customers["repeat_count"],
            customers["recency_weeks"],
            customers["age_weeks"],
            strict=True,
        )
    ]
    spends = [
        {"repeat_count": x, "mean_repeat_amount": m, "customer_count": 1}
        for x, m in zip(
            customers["repeat_count"], np.ma.filled(customers["mean_repeat_amount"], 0), strict=True
        )
        if x > 0 and m > 0
    ]
    return {row.model: row for row in fit(histogram, spends, AS_OF)}


PUBLISHED = {
    "bg_nbd": ({"r": 0.2426, "alpha": 4.4136, "a": 0.7929, "b": 2.4259}, -9582.429, 2357),
    "mbg_nbd": ({"r": 0.5248, "alpha": 6.1831, "a": 0.8914, "b": 1.6140}, -9582.136, 2357),
    "gamma_gamma": ({"p": 6.2495, "q": 3.7442, "gamma": 15.4437}, -4055.918, 946),
}


@pytest.mark.parametrize("model", PUBLISHED)
def test_published_parameters_are_reproduced(cdnow_fit, model):
    expected, log_likelihood, customer_count = PUBLISHED[model]
    row = cdnow_fit[model]
    assert {name: getattr(row, name) for name in expected} == pytest.approx(expected, rel=2e-4)
    assert row.log_likelihood == pytest.approx(log_likelihood, abs=1e-3)
    assert row.customer_count == customer_count
    assert row.is_converged
    assert not row.is_at_bounds
    assert row.rejection_reason is None


def test_the_likelier_purchase_model_is_selected(cdnow_fit):
    assert [model for model, row in cdnow_fit.items() if row.is_selected] == [
        "mbg_nbd",
        "gamma_gamma",
    ]


def test_independence_of_spend_and_frequency_is_reported(cdnow_fit):
    assert cdnow_fit["gamma_gamma"].spend_correlation == pytest.approx(0.114, abs=5e-4)


def expected_later_purchases(row, customers, weeks=39.0):
    shifted = row.b + 1 if row.model == "mbg_nbd" else row.b
    x, t_x, age = (customers[n] for n in ("repeat_count", "recency_weeks", "age_weeks"))
    shape = {"r": row.r, "alpha": row.alpha, "a": row.a, "b": shifted}
    alive = scoring.probability_alive(
        x, t_x, age, drops_out_at_first=row.model == "mbg_nbd", **shape
    )
    return alive * scoring.expected_purchases_if_alive(x, age, weeks, **shape)


def test_holdout_by_frequency_is_as_published(cdnow_fit, customers):
    x = np.minimum(customers["repeat_count"], 7)
    bg, mbg = (
        expected_later_purchases(cdnow_fit[model], customers) for model in ("bg_nbd", "mbg_nbd")
    )
    by_x = lambda values: [values[x == count].mean() for count in range(8)]  # noqa: E731
    assert by_x(customers["later_purchases"]) == pytest.approx(
        [0.2367, 0.6970, 1.3925, 1.5600, 2.5323, 2.9474, 3.8621, 6.3594], abs=5e-5
    )
    assert by_x(bg) == pytest.approx(
        [0.2251, 0.5231, 1.0441, 1.5203, 2.1639, 2.6539, 3.5041, 6.1574], abs=5e-4
    )
    assert by_x(mbg) == pytest.approx(
        [0.1852, 0.5514, 1.0490, 1.4929, 2.1043, 2.5636, 3.3608, 5.8486], abs=5e-4
    )


def test_holdout_error_beats_the_naive_forecast(cdnow_fit, customers):
    selected = expected_later_purchases(cdnow_fit["mbg_nbd"], customers)
    naive = customers["repeat_count"] * 39 / customers["age_weeks"]
    actual = customers["later_purchases"]
    rmse = lambda values: np.sqrt(np.mean((values - actual) ** 2))  # noqa: E731
    assert rmse(selected) <= 1.61 < rmse(naive)
    assert np.abs(selected - actual).mean() <= 0.79 < np.abs(naive - actual).mean()


def test_the_two_forms_of_the_expectation_are_equal(cdnow_fit):
    row = cdnow_fit["bg_nbd"]
    shape = {"r": row.r, "alpha": row.alpha, "a": row.a, "b": row.b}
    x, age = np.array([0.0, 1.0, 7.0, 40.0]), np.array([0.0, 3.0, 20.0, 38.9])
    direct = scoring.expected_purchases_if_alive(x, age, 52.0, **shape)
    series = scoring.expected_purchases_by_series(x, age, 52.0, terms=1024, **shape)
    assert series == pytest.approx(direct, rel=1e-11)


def test_a_textbook_customer(cdnow_fit):
    row = cdnow_fit["bg_nbd"]
    one = {
        "repeat_count": np.array([2.0]),
        "recency_weeks": np.array([30.43]),
        "age_weeks": np.array([38.86]),
    }
    assert expected_later_purchases(row, one) == pytest.approx([1.226], abs=1e-3)


# -- the search


@pytest.fixture(scope="module")
def simulated():
    """Histories of 3,000 customers who really behave as BG/NBD says."""
    generator = np.random.default_rng(7)
    return histogram_of(*simulate(generator, 3000, r=0.6, alpha=5.0, a=0.9, b=2.5))


def simulate(generator, customers, *, r, alpha, a, b, scale=1.0):
    """x, t_x, T of customers who buy at a gamma rate and drop out after a repeat."""
    rates = generator.gamma(r, 1 / alpha, customers)
    dropouts = generator.beta(a, b, customers)
    ages = generator.integers(7, 700, customers) / 7.0
    histories = []
    for rate, dropout, age in zip(rates, dropouts, ages, strict=True):
        x, last, clock = 0, 0.0, generator.exponential(1 / rate)
        while clock < age:
            x, last = x + 1, clock
            if generator.random() < dropout:
                break
            clock += generator.exponential(1 / rate)
        histories.append((x, last * scale, age * scale))
    return np.array(histories).T


def histogram_of(x, t_x, age):
    return [
        {"repeat_count": a, "recency_weeks": b, "age_weeks": c, "customer_count": 1}
        for a, b, c in zip(x, t_x, age, strict=True)
    ]


def spends_of(amounts, x=2):
    return [{"repeat_count": x, "mean_repeat_amount": m, "customer_count": 1} for m in amounts]


def test_gradients_are_those_of_the_likelihoods(simulated):
    columns = [np.array([row[name] for row in simulated]) for name in simulated[0]]
    histories = PurchaseHistories(*columns)
    spends = RepeatSpends(np.array([1.0, 2.0, 5.0]), np.array([3.0, 8.0, 1.5]), np.ones(3))
    for parameters in ([0.5, 4.0, 0.8, 2.0], [1.5, 1.0, 1.2, 0.7]):
        for drops in (False, True):
            value = lambda p, drops=drops: purchase_log_likelihood(  # noqa: E731
                p, histories, drops_out_at_first=drops
            )
            numeric = approx_fprime(np.array(parameters), lambda p, v=value: v(p)[0], 1e-7)
            assert value(np.array(parameters))[1] == pytest.approx(numeric, rel=1e-3, abs=0.05)
    numeric = approx_fprime(
        np.array([6.0, 4.0, 15.0]), lambda p: spend_log_likelihood(p, spends)[0], 1e-7
    )
    analytic = spend_log_likelihood(np.array([6.0, 4.0, 15.0]), spends)[1]
    assert analytic == pytest.approx(numeric, rel=1e-4, abs=1e-6)


def test_counting_equal_histories_together_changes_nothing(simulated):
    coarse = [row | {"age_weeks": 50.0 + round(row["age_weeks"] / 10) * 10} for row in simulated]
    coarse = [row | {"recency_weeks": float(row["repeat_count"] > 0)} for row in coarse]
    counted = {}
    for row in coarse:
        key = (row["repeat_count"], row["recency_weeks"], row["age_weeks"])
        counted[key] = counted.get(key, 0) + 1
    compressed = [
        {"repeat_count": x, "recency_weeks": t, "age_weeks": age, "customer_count": n}
        for (x, t, age), n in counted.items()
    ]
    assert len(compressed) < len(coarse) / 2
    for one, other in zip(fit(coarse, [], AS_OF), fit(compressed, [], AS_OF), strict=True):
        assert one.customer_count == other.customer_count
        if one.log_likelihood is not None:
            assert one.log_likelihood == pytest.approx(other.log_likelihood, rel=1e-9)


def test_the_unit_of_money_scales_gamma_alone():
    amounts = np.random.default_rng(3).gamma(2.0, 20.0, 400)
    cents, euros, rupiah = (
        fit([], spends_of(amounts * scale), AS_OF)[2] for scale in (100, 1, 17_000)
    )
    assert euros.is_selected
    for other, scale in ((cents, 100), (rupiah, 17_000)):
        assert (other.p, other.q) == pytest.approx((euros.p, euros.q), rel=1e-3)
        assert other.gamma == pytest.approx(euros.gamma * scale, rel=1e-3)


# -- bases that support no fit


def reasons(histogram, spends, **limits):
    rows = fit(histogram, spends, AS_OF, **limits)
    assert [row.model for row in rows] == ["bg_nbd", "mbg_nbd", "gamma_gamma"]
    assert all(row.is_selected is (row.rejection_reason is None) for row in rows[2:])
    assert not any(row.is_selected and row.rejection_reason for row in rows)
    assert to_arrow(rows).schema == ARROW_SCHEMA
    return [row.rejection_reason for row in rows]


def test_an_empty_or_small_base_is_not_fitted(simulated):
    assert reasons([], []) == ["too_few_customers", "too_few_customers", "too_few_repeat_customers"]
    assert reasons(simulated[:499], [])[:2] == ["too_few_customers"] * 2
    assert reasons(simulated[:500], [])[:2] == [None, None]


def test_a_base_where_nobody_repeats_is_not_fitted():
    ones = histogram_of(np.zeros(800), np.zeros(800), np.linspace(1, 60, 800))
    assert reasons(ones, [])[:2] == ["too_few_repeat_customers"] * 2


@pytest.mark.parametrize(
    "broken",
    [
        {"repeat_count": -1.0},
        {"repeat_count": 1.0, "recency_weeks": 9.0, "age_weeks": 8.0},
        {"repeat_count": 0.0, "recency_weeks": 1.0},
        {"repeat_count": 2.0, "recency_weeks": 0.0},
        {"age_weeks": float("nan")},
    ],
)
def test_impossible_histories_are_named_and_not_fitted(simulated, broken):
    assert reasons([*simulated, simulated[0] | broken], [])[:2] == ["invalid_history"] * 2


def test_spends_that_tell_nothing_are_not_fitted():
    assert reasons([], spends_of([20.0] * 100))[2] == "equal_spend"
    assert reasons([], spends_of([20.0, -1.0] * 100))[2] == "invalid_spend"
    # So heavy a tail that the mean is infinite: q falls to 1 and below.
    tail = np.exp(np.random.default_rng(1).standard_cauchy(500).clip(-30, 30))
    assert reasons([], spends_of(tail))[2] is not None


def test_a_base_where_nobody_drops_out_still_gives_usable_rows():
    generator = np.random.default_rng(5)
    rates, ages = generator.gamma(2.0, 0.1, 2000), generator.integers(30, 300, 2000) / 7.0
    x = generator.poisson(rates * ages)
    last = np.where(x > 0, ages * generator.random(2000) ** (1 / np.maximum(x, 1)), 0.0)
    rows = fit(histogram_of(x, last, ages), [], AS_OF)
    selected = next(row for row in rows if row.is_selected)
    shifted = selected.b + (selected.model == "mbg_nbd")
    expected = scoring.expected_purchases_by_series(
        x,
        ages,
        10.0,
        r=selected.r,
        alpha=selected.alpha,
        a=selected.a,
        b=shifted,
        terms=64,
    )
    assert np.isfinite(expected).all()
    assert expected.mean() == pytest.approx(2.0, rel=0.1)


def test_a_series_too_short_for_the_parameters_is_refused():
    # A shop visited every other day, with a customer of today: z is next to 1.
    generator = np.random.default_rng(11)
    x, t_x, age = simulate(generator, 1500, r=0.6, alpha=5.0, a=0.9, b=2.5, scale=0.02)
    assert reasons(histogram_of(x, t_x, age), [])[:2] == ["series_too_short"] * 2
