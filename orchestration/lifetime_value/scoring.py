"""The closed forms that SQL scores with, in numpy and scipy.

Nothing here runs in production scoring: the marts compute the same quantities in SQL.
These are the reference the SQL is tested against, and what a fit uses to find out
whether the SQL's series is accurate enough for its parameters.

`b` is the shifted one everywhere: b for BG/NBD, b + 1 for MBG/NBD (see `likelihoods`).
"""

import numpy as np
from scipy.special import hyp2f1

from orchestration.lifetime_value.likelihoods import Array


def probability_alive(
    repeat_count: Array,
    recency_weeks: Array,
    age_weeks: Array,
    *,
    r: float,
    alpha: float,
    a: float,
    b: float,
    drops_out_at_first: bool,
) -> Array:
    """P(alive) at the business date; 1 for every one-time buyer under BG/NBD."""
    odds_at = np.maximum(b + repeat_count - 1.0, np.finfo(float).tiny)
    log_ratio = np.log((alpha + age_weeks) / (alpha + recency_weeks))
    exponent = np.clip((r + repeat_count) * log_ratio, -300.0, 300.0)
    alive = 1.0 / (1.0 + a / odds_at * np.exp(exponent))
    return alive if drops_out_at_first else np.where(repeat_count == 0, 1.0, alive)


def expected_purchases_if_alive(
    repeat_count: Array,
    age_weeks: Array,
    horizon_weeks: Array | float,
    *,
    r: float,
    alpha: float,
    a: float,
    b: float,
) -> Array:
    """E[Y(t)] / P(alive) with scipy's 2F1, in the direct form (no transformation)."""
    a = 1.0 + 1e-9 if abs(a - 1.0) < 1e-9 else a
    span = alpha + age_weeks + horizon_weeks
    c = a + b + repeat_count - 1.0
    ratio = (alpha + age_weeks) / span
    series = hyp2f1(r + repeat_count, b + repeat_count, c, horizon_weeks / span)
    return c / (a - 1.0) * (1.0 - ratio ** (r + repeat_count) * series)


def expected_purchases_by_series(
    repeat_count: Array,
    age_weeks: Array,
    horizon_weeks: Array | float,
    *,
    r: float,
    alpha: float,
    a: float,
    b: float,
    terms: int,
) -> Array:
    """E[Y(t)] / P(alive) as the SQL computes it: Euler's form, a truncated series."""
    a = 1.0 + 1e-9 if abs(a - 1.0) < 1e-9 else a
    z = horizon_weeks / (alpha + age_weeks + horizon_weeks)
    first, second, c = a + b - 1.0 - r, a - 1.0, a + b + repeat_count - 1.0
    series = np.ones_like(c)
    for j in reversed(range(terms)):
        series = 1.0 + (first + j) * (second + j) / ((j + 1.0) * (c + j)) * z * series
    return c / (a - 1.0) * (1.0 - (1.0 - z) ** (a - 1.0) * series)


def probability_of_no_purchase(
    repeat_count: Array,
    age_weeks: Array,
    horizon_weeks: float,
    p_alive: Array,
    *,
    r: float,
    alpha: float,
) -> Array:
    """P(no purchase within the horizon): exact, as dropout only follows a purchase."""
    ratio = (alpha + age_weeks) / (alpha + age_weeks + horizon_weeks)
    return 1.0 - p_alive * (1.0 - ratio ** (r + repeat_count))


def expected_spend(
    repeat_count: Array, mean_amount: Array, *, p: float, q: float, gamma: float
) -> Array:
    """Expected amount of a future purchase day, shrunk towards the base's mean."""
    return p * (gamma + repeat_count * mean_amount) / (p * repeat_count + q - 1.0)
