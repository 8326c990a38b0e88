"""Learns the weights of the fuzzy tier from records without labels, with Splink.

How often strangers agree (u) is counted on random pairs, one form of each customer, so that
nobody is a stranger to himself. How often one person's records agree (m) is estimated by
expectation maximisation on pairs that share a birth date, a name, an address; each leaves out
the comparisons that it shares, and a comparison gets the mean of those that do not.
"""

import logging
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pyarrow as pa

from orchestration.identity.fuzzy_model import Comparisons, Weights, splink_settings

BLOCKS = (
    "l.birth_date = r.birth_date",
    "l.first_name = r.first_name and l.last_name = r.last_name",
    "l.email = r.email",
    "l.phone = r.phone",
    "l.national_id = r.national_id",
    "l.street = r.street and l.last_name = r.last_name",
)
"""What the pairs to learn m from share: enough to be one person often, and each something else."""
MIN_PAIRS = 200
"""A block with fewer pairs teaches nothing."""
RANDOM_PAIRS = 5_000_000
SEED = 1
FLOORS = {"m": 0.002, "u": 0.00001}
"""No level is impossible, however clean the data: a weight beyond these says more about the size
of the sample than about people."""


def train(forms: pa.Table, comparisons: Comparisons, weights: Weights) -> Weights:
    """Weights learned from ``forms``; what the data cannot teach keeps its own, and so does
    ``u_household``: no data says who lives together.

    Args:
        forms: rows of ``int_identity__forms_described`` with the column ``customer_id``.
        weights: where the estimation starts.

    Raises:
        ImportError: without the extra ``fuzzy``.
    """
    logging.getLogger("splink").setLevel(logging.ERROR)
    weights = _with_u(forms, comparisons, weights)
    learned: dict[tuple[str, str], list[float]] = defaultdict(list)
    for block in BLOCKS:
        for (name, level), m in _with_m(forms, comparisons, weights, block):
            learned[name, level].append(m)
    means = {key: sum(values) / len(values) for key, values in learned.items()}
    return _normalised(
        {key: replace(chances, m=means.get(key, chances.m)) for key, chances in weights.items()}
    )


def _linker(forms: pa.Table, comparisons: Comparisons, weights: Weights) -> Any:
    from splink import DuckDBAPI, Linker

    settings = splink_settings(comparisons, weights, 1 / forms.num_rows, list(BLOCKS))
    return Linker(DuckDBAPI().register(forms), settings, log_level=logging.ERROR)


def _with_u(forms: pa.Table, comparisons: Comparisons, weights: Weights) -> Weights:
    """The weights with the u of strangers; a comparison that no pair allows keeps its own."""
    linker = _linker(_one_form_per_customer(forms), comparisons, weights)
    linker.training.estimate_u_using_random_sampling(
        max_pairs=RANDOM_PAIRS, seed=SEED, min_count_per_level=None
    )
    counted = {key: u for key, _, u in _chances_of(linker) if u is not None}
    return _normalised(
        {key: replace(chances, u=counted.get(key, chances.u)) for key, chances in weights.items()}
    )


def _with_m(
    forms: pa.Table, comparisons: Comparisons, weights: Weights, block: str
) -> Iterator[tuple[tuple[str, str], float]]:
    """Of every level of the comparisons that the block leaves free, its m."""
    if _count_pairs(forms, block) < MIN_PAIRS:
        return
    linker = _linker(forms, comparisons, weights)
    linker.training.estimate_parameters_using_expectation_maximisation(block)
    found = {key: m for key, m, _ in _chances_of(linker)}
    for name, comparison in comparisons.items():
        keys = [(name, level["level"]) for level in comparison["levels"]] + [(name, "other")]
        if any(found.get(key, weights[key].m) != weights[key].m for key in keys):
            yield from ((key, found.get(key) or 0.0) for key in keys)


def _chances_of(linker: Any) -> Iterator[tuple[tuple[str, str], float | None, float | None]]:
    for comparison in linker.misc.save_model_to_json()["comparisons"]:
        for level in comparison["comparison_levels"]:
            if not level.get("is_null_level"):
                key = (comparison["output_column_name"], level["label_for_charts"])
                yield key, level.get("m_probability"), level.get("u_probability")


def _one_form_per_customer(forms: pa.Table) -> pa.Table:
    first = forms.group_by("customer_id").aggregate([("form_id", "min")])["form_id_min"]
    return forms.filter(pa.compute.is_in(forms["form_id"], value_set=first.combine_chunks()))


def _count_pairs(forms: pa.Table, block: str) -> int:
    import duckdb

    with duckdb.connect() as connection:
        connection.register("forms", forms)
        sql = f"select count(*) from forms as l join forms as r on l.form_id < r.form_id and {block}"
        return connection.execute(sql).fetchall()[0][0]


def _normalised(weights: Weights) -> Weights:
    """Every level at its floor at least; the levels of a comparison add up to 1."""
    floored = {
        key: replace(w, m=max(w.m, FLOORS["m"]), u=max(w.u, FLOORS["u"]))
        for key, w in weights.items()
    }
    totals: dict[str, list[float]] = defaultdict(lambda: [0.0, 0.0])
    for (name, _), w in floored.items():
        totals[name][0] += w.m
        totals[name][1] += w.u
    return {
        key: replace(w, m=w.m / totals[key[0]][0], u=w.u / totals[key[0]][1])
        for key, w in floored.items()
    }
