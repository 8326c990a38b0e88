"""Learns the weights of the fuzzy tier from records without labels, with Splink.

How often strangers agree (u) is counted on random pairs, one form of each customer, so that
nobody is a stranger to himself. How often one person's records agree (m) is estimated by
expectation maximisation on pairs that share a birth date, a name, an address; each leaves out
the comparisons that it shares, and a comparison gets the mean of those that do not.

What the data cannot teach keeps the weights it had: too few pairs, an estimation that has not
settled or found hardly anybody, a comparison by which equal would speak against one person.
"""

import logging
from collections import defaultdict
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import Any

import duckdb
import pyarrow as pa
import pyarrow.compute as pc

from orchestration.identity.fuzzy_model import (
    OTHER,
    Comparisons,
    Weights,
    columns_compared,
    splink_settings,
)
from orchestration.warehouse import Warehouse, compose

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
MIN_MATCHES = 50
"""Nor does one in which fewer are thought one person, or about a comparison that fewer allow."""
MAX_MOVE = 0.02
"""An estimation whose last round moved a probability by more has not settled."""
MAX_PAIRS = 5_000_000
"""More are sampled, for u and for m."""
SEED = 1
FLOORS = {"m": 0.002, "u": 0.00001}
"""No level is impossible, however clean the data: a weight beyond these says more about the size
of the sample than about people."""


class NoForms(LookupError):
    """The warehouse has nothing to learn from; the text says what to do."""


def read_forms(warehouse: Warehouse, comparisons: Comparisons) -> pa.Table:
    """What is compared of the forms, with form_id and customer_id. Raises ``NoForms`` where the
    fuzzy tier was not built or has found nobody."""
    forms = warehouse.relation("int_identity__forms_described")
    customers = warehouse.relation("customer_identities")
    hint = "set the variable identity_fuzzy to true and build first"
    if not (warehouse.exists(forms) and warehouse.exists(customers)):
        raise NoForms(f"the fuzzy tier is not built; {hint}")
    columns = columns_compared(comparisons)
    sql = compose(
        "select forms.form_id, customers.customer_id, {c} from {f} as forms"
        " inner join {i} as customers on forms.record_key = customers.record_key"
        " order by forms.form_id",
        c=columns,
        f=forms,
        i=customers,
    )
    text = [(name, pa.string()) for name in ("customer_id", *columns)]
    schema = pa.schema([("form_id", pa.int64()), *text])
    batches = [
        pa.record_batch(
            [
                pa.array(values, field.type)
                for values, field in zip(zip(*rows, strict=True), schema, strict=True)
            ],
            schema,
        )
        for rows in warehouse.stream(sql)
    ]
    if not batches:
        raise NoForms(f"the tables of the fuzzy tier are empty; {hint}")
    return pa.Table.from_batches(batches, schema)


def train(forms: pa.Table, comparisons: Comparisons, weights: Weights) -> Weights:
    """Weights learned from ``forms``; what the data cannot teach keeps its own, and so does
    ``u_household``: no data says who lives together.

    Args:
        forms: form_id, customer_id and the columns that the comparisons read.
        weights: where the estimation starts.

    Raises:
        ImportError: without the extra ``fuzzy``.
    """
    with _quiet():
        weights = _with_u(forms, comparisons, weights)
        learned: dict[str, list[dict[str, float]]] = defaultdict(list)
        for block in BLOCKS:
            for name, by_level in _learn_m(forms, comparisons, weights, block):
                learned[name].append(by_level)
    means = {
        (name, level): sum(found[level] for found in several) / len(several)
        for name, several in learned.items()
        for level in several[0]
    }
    return _with(weights, "m", means)


def normalised(weights: Weights) -> Weights:
    """Every level at its floor at least; m and u of every comparison add up to 1."""
    for chance in FLOORS:
        found = {key: getattr(chances, chance) for key, chances in weights.items()}
        weights = _with(weights, chance, found)
    return weights


def comparisons_with_other_m(before: Weights, after: Weights) -> set[str]:
    """Comparisons of which ``after`` was taught how often one person's records agree."""
    return {name for (name, level), was in before.items() if after[name, level].m != was.m}


def changes(before: Weights, after: Weights) -> Iterator[tuple[str, str, str, str]]:
    """For a table: comparison, level, m and u, each as it was and as it is where it differs."""
    for (name, level), was in before.items():
        now = after[name, level]
        yield name, level, _change(was.m, now.m), _change(was.u, now.u)


def _change(was: float, now: float) -> str:
    before, after = f"{was:.4g}", f"{now:.4g}"
    return before if before == after else f"{before} -> {after}"


def _with_u(forms: pa.Table, comparisons: Comparisons, weights: Weights) -> Weights:
    """The weights with the u of strangers."""
    strangers = _one_form_per_customer(forms)
    # A thousand customers show which comparisons have pairs at all.
    counts = _count_pairs(strangers.slice(0, 1000), comparisons, "true")
    enough = _enough(counts, MIN_PAIRS)
    if not enough:
        return weights
    linker = _linker(strangers, comparisons, weights, without="u_probability")
    linker.training.estimate_u_using_random_sampling(
        max_pairs=MAX_PAIRS, seed=SEED, min_count_per_level=None
    )
    seen = {
        (comparison["output_column_name"], level["label_for_charts"]): level.get("u_probability")
        for comparison in linker.misc.save_model_to_json()["comparisons"]
        for level in comparison["comparison_levels"]
    }
    pairs = min(strangers.num_rows * (strangers.num_rows - 1) / 2, MAX_PAIRS) / counts.pairs
    found = {
        key: _seen(seen[key], chances.u, pairs * counts.compared[key[0]])
        for key, chances in weights.items()
        if key[0] in enough
    }
    return _with(weights, "u", found)


def _learn_m(
    forms: pa.Table, comparisons: Comparisons, weights: Weights, block: str
) -> Iterator[tuple[str, dict[str, float]]]:
    """Of every comparison that the block leaves free and teaches something of, m by level."""
    counts = _count_pairs(forms, comparisons, block)
    enough = _enough(counts, MIN_MATCHES)
    if counts.pairs < MIN_PAIRS or not enough:
        return
    linker = _linker(forms, comparisons, weights)
    session = linker.training.estimate_parameters_using_expectation_maximisation(
        block, max_pairs=MAX_PAIRS if counts.pairs > MAX_PAIRS else None
    )
    model = session.core_model_settings
    share = model.probability_two_random_records_match
    if share * counts.pairs < MIN_MATCHES or _last_move(session, enough) > MAX_MOVE:
        return
    found = {
        name: {
            level: _seen(each.m_probability, weights[name, level].m, share * counts.compared[name])
            for each in comparison.comparison_levels
            if not each.is_null_level and (level := each.label_for_charts)
        }
        for comparison in model.comparisons
        if (name := comparison.output_column_name) in enough
    }
    best = {name: comparisons[name]["levels"][0]["level"] for name in found}
    if any(found[name][best[name]] < weights[name, best[name]].u for name in found):
        return  # these pairs agree less than strangers: they have something else in common
    for name, levels in found.items():
        if _tells(levels, name, best[name], weights):
            yield name, levels


def _tells(levels: dict[str, float], name: str, best: str, weights: Weights) -> bool:
    """Whether the best level speaks for one person, and the worst one against."""
    total = sum(levels.values())
    speaks_for = levels[best] / total > weights[name, best].u
    return speaks_for and levels[OTHER] / total < weights[name, OTHER].u


def _last_move(session: Any, names: set[str]) -> float:
    """By how much the last round moved the m of any level of the comparisons."""
    before, after = session._core_model_settings_history[-2:]
    return max(
        (
            abs(was.m_probability - level.m_probability)
            for old, new in zip(before.comparisons, after.comparisons, strict=True)
            if new.output_column_name in names
            for was, level in zip(old.comparison_levels, new.comparison_levels, strict=True)
            if not level.is_null_level
        ),
        default=0.0,
    )


def _linker(
    forms: pa.Table, comparisons: Comparisons, weights: Weights, without: str | None = None
) -> Any:
    """``without`` a probability, the model has it of none but the levels that were seen."""
    from splink import DuckDBAPI, Linker

    prior = 1 / max(forms.num_rows, 2)
    settings = splink_settings(comparisons, weights, prior, list(BLOCKS))
    for comparison in settings["comparisons"]:
        for level in comparison["comparison_levels"]:
            level.pop(without, None)
    api = DuckDBAPI(connection=_memory())
    return Linker(api.register(forms), settings, log_level=logging.ERROR)


@contextmanager
def _quiet() -> Iterator[None]:
    """Splink tells of every level that it has not seen; here the caller's table tells."""
    logger = logging.getLogger("splink")
    before = logger.level
    logger.setLevel(logging.ERROR)
    try:
        yield
    finally:
        logger.setLevel(before)


def _seen(found: float | None, before: float, pairs: float) -> float:
    """A level that no pair has reached is not impossible, but rarer than one in all of them."""
    return max(found or 0.0, min(before, 1 / pairs))


def _one_form_per_customer(forms: pa.Table) -> pa.Table:
    first = forms.group_by("customer_id").aggregate([("form_id", "min")])["form_id_min"]
    return forms.filter(pc.is_in(forms["form_id"], value_set=first.combine_chunks()))


@dataclass(frozen=True)
class _Pairs:
    """How many pairs there are, and of how many each comparison compares something."""

    pairs: int
    compared: Mapping[str, int]


def _memory() -> duckdb.DuckDBPyConnection:
    """A DuckDB of its own, without a bar over the caller's table."""
    connection = duckdb.connect()
    connection.execute("set enable_progress_bar = false")
    return connection


def _count_pairs(forms: pa.Table, comparisons: Comparisons, block: str) -> _Pairs:
    counted = ", ".join(
        f"count(*) filter (where ({comparison['missing']}) is not true)"
        for comparison in comparisons.values()
    )
    with _memory() as connection:
        connection.register("forms", forms)
        row = connection.execute(
            f"select count(*), {counted} from forms as l inner join forms as r"
            f" on l.form_id < r.form_id and {block}"
        ).fetchall()[0]
    return _Pairs(row[0], dict(zip(comparisons, row[1:], strict=True)))


def _enough(counts: _Pairs, least: int) -> set[str]:
    return {name for name, count in counts.compared.items() if count >= least}


def _with(weights: Weights, chance: str, found: dict[tuple[str, str], float]) -> Weights:
    """The weights with what was found of ``chance`` (m or u). In the comparisons it is of, every
    level is at its floor at least and they add up to 1; the others stay as they are."""
    changed = {name for name, _ in found}
    floored = {
        key: max(found.get(key, getattr(chances, chance)), FLOORS[chance])
        for key, chances in weights.items()
        if key[0] in changed
    }
    totals: dict[str, float] = defaultdict(float)
    for (name, _), value in floored.items():
        totals[name] += value
    return {
        key: replace(chances, **{chance: floored[key] / totals[key[0]]})
        if key in floored
        else chances
        for key, chances in weights.items()
    }
