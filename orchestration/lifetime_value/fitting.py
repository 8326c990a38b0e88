"""Maximum-likelihood fit of the lifetime-value models with scipy.

The fit works on distinct histories weighted by their customers, which the warehouse
counts, so its cost grows with the variety of a base and not with its size. It searches
over the logarithms of the parameters and starts from more than one point.

A base that cannot support a fit (too small, nobody repeats) is no error: the rows come
back with a `rejection_reason`, and scoring keeps older or default parameters.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import date

import numpy as np
from scipy.optimize import minimize

from orchestration.lifetime_value import scoring
from orchestration.lifetime_value.likelihoods import (
    Array,
    PurchaseHistories,
    RepeatSpends,
    purchase_log_likelihood,
    spend_log_likelihood,
)
from orchestration.lifetime_value.parameters import (
    BG_NBD,
    GAMMA_GAMMA,
    MBG_NBD,
    ParametersRow,
)

# Four parameters from fewer customers than this say more about chance than about the
# business: at 500, r of a CDNOW-like base is known to about 15 %.
MIN_CUSTOMERS = 500
MIN_REPEAT_CUSTOMERS = 50
# Terms of the mart's series (var clv_series_terms) and the error that it may make.
SERIES_TERMS = 64
MAX_SERIES_ERROR = 0.01
LONGEST_HORIZON_WEEKS = 365 / 7.0
# The reference is the same series, long: scipy's 2F1 overflows from x = 500 or so.
_REFERENCE_TERMS = 1024

_LOG_BOUND = 12.0
_PURCHASE_STARTS = ((0.0, 0.0, 0.0, 0.0), (-1.0, 1.0, -1.0, 1.0))
# Amounts are scaled to mean 1 before the fit, so one start serves every currency.
_SPEND_STARTS = ((1.0, 1.0, 0.0), (1.0, 1.0, 1.0))

Row = Mapping[str, object]
LogLikelihood = Callable[[Array], tuple[float, Array]]


def fit(
    histogram: Iterable[Row],
    spend_histogram: Iterable[Row],
    as_of: date,
    *,
    min_customers: int = MIN_CUSTOMERS,
    min_repeat_customers: int = MIN_REPEAT_CUSTOMERS,
    series_terms: int = SERIES_TERMS,
) -> list[ParametersRow]:
    """Fit BG/NBD, MBG/NBD and Gamma-Gamma; select the likelier purchase model.

    Args:
        histogram: repeat_count, recency_weeks, age_weeks, customer_count.
        spend_histogram: repeat_count (> 0), mean_repeat_amount (> 0), customer_count.
        as_of: business date of both; only written into the rows.
        min_customers: smallest base worth a fit.
        min_repeat_customers: fewest customers with a second purchase day.
        series_terms: terms of the series that the mart will score with.

    Returns:
        One row per model: bg_nbd, mbg_nbd, gamma_gamma. At most one purchase model is
        selected, and gamma_gamma where it is usable.
    """
    histories = PurchaseHistories(
        *_columns(histogram, "repeat_count", "recency_weeks", "age_weeks", "customer_count")
    )
    spends = RepeatSpends(
        *_columns(spend_histogram, "repeat_count", "mean_repeat_amount", "customer_count")
    )
    purchase_rows = [
        _fit_purchases(model, as_of, histories, min_customers, min_repeat_customers, series_terms)
        for model in (BG_NBD, MBG_NBD)
    ]
    spend_row = _fit_spend(as_of, spends, min_repeat_customers)
    usable = [row for row in purchase_rows if row.is_usable]
    likeliest = max(usable, key=lambda row: row.log_likelihood, default=None)
    return [
        *(replace(row, is_selected=row is likeliest) for row in purchase_rows),
        replace(spend_row, is_selected=spend_row.is_usable),
    ]


def _columns(rows: Iterable[Row], *names: str) -> list[Array]:
    rows = rows if isinstance(rows, Sequence) else list(rows)
    return [np.array([row[name] for row in rows], dtype=np.float64) for name in names]


def _fit_purchases(
    model: str,
    as_of: date,
    histories: PurchaseHistories,
    min_customers: int,
    min_repeat_customers: int,
    series_terms: int,
) -> ParametersRow:
    customers = int(histories.customer_count.sum())
    row = ParametersRow(model=model, as_of=as_of, customer_count=customers)
    reason = _why_not_fit(histories, min_customers, min_repeat_customers)
    if reason:
        return replace(row, rejection_reason=reason)

    drops_out_at_first = model == MBG_NBD
    optimum = _maximise(
        lambda parameters: purchase_log_likelihood(
            parameters, histories, drops_out_at_first=drops_out_at_first
        ),
        _PURCHASE_STARTS,
        customers,
    )
    if optimum is None:
        return replace(row, rejection_reason="not_converged")
    (r, alpha, a, b), log_likelihood, is_converged, is_at_bounds = optimum
    shifted = b + 1.0 if drops_out_at_first else b
    error = _series_error(histories, r, alpha, a, shifted, series_terms)
    if not is_converged:
        reason = "not_converged"
    elif not error <= MAX_SERIES_ERROR:
        reason = "series_too_short"
    return replace(
        row,
        r=r,
        alpha=alpha,
        a=a,
        b=b,
        log_likelihood=log_likelihood,
        is_converged=is_converged,
        is_at_bounds=is_at_bounds,
        series_error=error if np.isfinite(error) else None,
        rejection_reason=reason,
    )


def _why_not_fit(
    histories: PurchaseHistories, min_customers: int, min_repeat_customers: int
) -> str | None:
    x, t_x, age = histories.repeat_count, histories.recency_weeks, histories.age_weeks
    weights = histories.customer_count
    if weights.sum() < min_customers:
        return "too_few_customers"
    if not np.isfinite(np.concatenate([x, t_x, age, weights])).all():
        return "invalid_history"
    if (x < 0).any() or (t_x < 0).any() or (t_x > age).any() or (weights < 0).any():
        return "invalid_history"
    if ((x == 0) & (t_x > 0)).any() or ((x > 0) & (t_x == 0)).any():
        return "invalid_history"
    if weights[x > 0].sum() < min_repeat_customers:
        return "too_few_repeat_customers"
    return None


def _fit_spend(as_of: date, spends: RepeatSpends, min_repeat_customers: int) -> ParametersRow:
    weights, x, m = spends.customer_count, spends.repeat_count, spends.mean_amount
    customers = int(weights.sum())
    row = ParametersRow(model=GAMMA_GAMMA, as_of=as_of, customer_count=customers)
    if customers < min_repeat_customers:
        return replace(row, rejection_reason="too_few_repeat_customers")
    if not (np.isfinite(m) & (m > 0) & (x > 0) & (weights > 0)).all():
        return replace(row, rejection_reason="invalid_spend")
    if np.ptp(m) <= 1e-9 * m.max():
        return replace(row, rejection_reason="equal_spend")

    scale = float(np.average(m, weights=weights))
    scaled = replace(spends, mean_amount=m / scale)
    optimum = _maximise(
        lambda parameters: spend_log_likelihood(parameters, scaled),
        _SPEND_STARTS,
        customers,
    )
    if optimum is None:
        return replace(row, rejection_reason="not_converged")
    (p, q, gamma), log_likelihood, is_converged, is_at_bounds = optimum
    reason = None if is_converged else "not_converged"
    # The mean p * gamma / (q - 1) of the base exists only for q > 1.
    if reason is None and q <= 1.0 + 1e-6:
        reason = "infinite_mean_spend"
    return replace(
        row,
        p=p,
        q=q,
        gamma=gamma * scale,
        log_likelihood=log_likelihood - customers * float(np.log(scale)),
        is_converged=is_converged,
        is_at_bounds=is_at_bounds,
        spend_correlation=_correlation(x, m, weights),
        rejection_reason=reason,
    )


def _maximise(
    log_likelihood: LogLikelihood,
    starts: Sequence[Sequence[float]],
    customers: int,
) -> tuple[list[float], float, bool, bool] | None:
    """Best of the starts: parameters, log-likelihood, converged, at bounds."""

    def objective(logs: Array) -> tuple[float, Array]:
        parameters = np.exp(logs)
        value, gradient = log_likelihood(parameters)
        if not np.isfinite(value) or not np.isfinite(gradient).all():
            return np.inf, np.zeros_like(logs)
        # Per customer, so that the tolerances mean the same on every base.
        return -value / customers, -gradient * parameters / customers

    best = None
    for start in starts:
        result = minimize(
            objective,
            np.array(start),
            jac=True,
            method="L-BFGS-B",
            bounds=[(-_LOG_BOUND, _LOG_BOUND)] * len(start),
            options={"maxiter": 1000, "ftol": 1e-13, "gtol": 1e-7},
        )
        if np.isfinite(result.fun) and (best is None or result.fun < best.fun):
            best = result
    if best is None:
        return None
    # A line search that can gain nothing more ends "abnormally" at the optimum.
    gradient = np.asarray(best.jac)
    inner = np.abs(best.x) < _LOG_BOUND - 1e-6
    is_converged = bool(best.success or np.abs(gradient[inner]).max(initial=0.0) < 1e-4)
    parameters = [float(value) for value in np.exp(best.x)]
    return parameters, float(-best.fun * customers), is_converged, not bool(inner.all())


def _series_error(
    histories: PurchaseHistories, r: float, alpha: float, a: float, b: float, terms: int
) -> float:
    """Worst relative error of the mart's series, one year ahead, on these histories."""
    pairs = np.column_stack([histories.repeat_count, histories.age_weeks])
    x, age = np.unique(pairs, axis=0).T
    shape = {"r": r, "alpha": alpha, "a": a, "b": b}
    with np.errstate(all="ignore"):
        series, exact = (
            scoring.expected_purchases_by_series(
                x, age, LONGEST_HORIZON_WEEKS, terms=count, **shape
            )
            for count in (terms, _REFERENCE_TERMS)
        )
        error = np.abs(series - exact) / np.maximum(np.abs(exact), 1e-12)
    return float(error.max(initial=0.0)) if np.isfinite(error).all() else float("inf")


def _correlation(x: Array, m: Array, weights: Array) -> float | None:
    covariance = np.cov(x, m, aweights=weights)
    spread = np.sqrt(covariance[0, 0] * covariance[1, 1])
    return float(covariance[0, 1] / spread) if spread > 0 else None
