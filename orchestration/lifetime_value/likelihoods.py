"""Log-likelihoods of the purchase and spend models, with their gradients.

Sources: BG/NBD from Fader, Hardie, Lee (2005), "Counting your customers the easy way";
MBG/NBD from Batislam, Denizel, Filiztekin (2007); Gamma-Gamma from Fader, Hardie (2013).
BG/NBD lets a customer drop out only right after a repeat purchase, MBG/NBD after the
first one too.

Shapes: all inputs are one-dimensional arrays of equal length, one entry per distinct
history, with the number of customers who share it as the weight. Times are in weeks.
"""

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray
from scipy.special import betaln, digamma, gammaln

Array = NDArray[np.float64]


@dataclass(frozen=True)
class PurchaseHistories:
    """Distinct (x, t_x, T) of a customer base.

    Attributes:
        repeat_count: x, purchase days after the first one.
        recency_weeks: t_x, from the first to the last purchase day; 0 where x is 0.
        age_weeks: T, from the first purchase day to the business date.
        customer_count: customers who share the history.
    """

    repeat_count: Array
    recency_weeks: Array
    age_weeks: Array
    customer_count: Array

    @cached_property
    def distinct_repeats(self) -> tuple[Array, NDArray[np.intp]]:
        """Distinct x and where each history finds its own.

        Gamma functions depend on the history through x alone, and a base of a million
        customers has a few hundred distinct x: looking them up makes the fit several
        times faster.
        """
        values, positions = np.unique(self.repeat_count, return_inverse=True)
        return values, positions


@dataclass(frozen=True)
class RepeatSpends:
    """Distinct (x, m) of the customers with x > 0 and m > 0.

    Attributes:
        repeat_count: x, purchase days after the first one.
        mean_amount: m, mean amount of those days, in the reporting currency.
        customer_count: customers who share both.
    """

    repeat_count: Array
    mean_amount: Array
    customer_count: Array


def purchase_log_likelihood(
    parameters: Array, histories: PurchaseHistories, *, drops_out_at_first: bool
) -> tuple[float, Array]:
    """Sum of the log-likelihood over all customers, and its gradient.

    Args:
        parameters: r, alpha, a, b, all positive.
        histories: the customer base.
        drops_out_at_first: False for BG/NBD, True for MBG/NBD.
    """
    r, alpha, a, b = parameters
    x_values, at = histories.distinct_repeats
    weights = histories.customer_count
    # MBG/NBD has one more chance to drop out: b + 1 stands where BG/NBD has b.
    shifted = b + 1.0 if drops_out_at_first else b

    log_age = np.log(alpha + histories.age_weeks)
    log_last = np.log(alpha + histories.recency_weeks)
    shape = r + histories.repeat_count
    with np.errstate(divide="ignore", invalid="ignore"):
        log_odds = np.log(a) - np.log(shifted + x_values - 1.0)
    if not drops_out_at_first:
        log_odds = np.where(x_values > 0, log_odds, -np.inf)
    log_alive = -shape * log_age
    log_gone = log_odds[at] - shape * log_last
    log_mixture = np.logaddexp(log_alive, log_gone)
    gone = np.exp(log_gone - log_mixture)

    by_x = (
        gammaln(r + x_values)
        - gammaln(r)
        + r * np.log(alpha)
        + betaln(a, shifted + x_values)
        - betaln(a, b)
    )
    total = float(np.dot(weights, by_x[at] + log_mixture))

    customers_by_x = np.bincount(at, weights=weights, minlength=len(x_values))
    gone_by_x = np.bincount(at, weights=weights * gone, minlength=len(x_values))
    mean_log = log_age + gone * (log_last - log_age)
    mean_inverse = (1.0 - gone) / (alpha + histories.age_weeks) + gone / (
        alpha + histories.recency_weeks
    )
    customers = weights.sum()
    psi_total = digamma(a + shifted + x_values)
    safe_odds = np.maximum(shifted + x_values - 1.0, np.finfo(float).tiny)
    gradient = np.array(
        [
            np.dot(customers_by_x, digamma(r + x_values) - digamma(r) + np.log(alpha))
            - np.dot(weights, mean_log),
            customers * r / alpha - np.dot(weights, shape * mean_inverse),
            np.dot(customers_by_x, digamma(a + b) - psi_total) + gone_by_x.sum() / a,
            np.dot(
                customers_by_x,
                digamma(shifted + x_values) - psi_total - digamma(b) + digamma(a + b),
            )
            - np.dot(gone_by_x, np.where(gone_by_x > 0, 1.0 / safe_odds, 0.0)),
        ]
    )
    return total, gradient


def spend_log_likelihood(parameters: Array, spends: RepeatSpends) -> tuple[float, Array]:
    """Sum of the Gamma-Gamma log-likelihood over all customers, and its gradient.

    Args:
        parameters: p, q, gamma, all positive.
        spends: the customers with a repeat purchase.
    """
    p, q, gamma = parameters
    x, m, weights = spends.repeat_count, spends.mean_amount, spends.customer_count
    x_values, at = np.unique(x, return_inverse=True)
    log_total = np.log(gamma + x * m)
    log_m = np.log(m)
    by_x = (
        gammaln(p * x_values + q)
        - gammaln(p * x_values)
        - gammaln(q)
        + q * np.log(gamma)
        + p * x_values * np.log(x_values)
    )
    each = by_x[at] + (p * x - 1.0) * log_m - (p * x + q) * log_total
    psi_sum = digamma(p * x_values + q)
    gradient = np.array(
        [
            np.dot(
                weights,
                x * ((psi_sum - digamma(p * x_values) + np.log(x_values))[at] + log_m - log_total),
            ),
            np.dot(weights, psi_sum[at] - digamma(q) + np.log(gamma) - log_total),
            np.dot(weights, q / gamma - (p * x + q) / (gamma + x * m)),
        ]
    )
    return float(np.dot(weights, each)), gradient
