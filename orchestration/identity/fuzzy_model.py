"""The model of the fuzzy tier in Splink's terms: the same comparisons, levels and weights as the
SQL of ``macros/identity/form_comparisons.sql``, which is where they are written down.

Used to train the seed ``identity_weights`` and to prove that our scores are Splink's.
"""

import csv
import json
import os
import re
from collections.abc import Mapping
from contextlib import redirect_stdout
from dataclasses import dataclass
from io import StringIO
from pathlib import Path
from typing import Any

from orchestration.warehouse import ROOT, WarehouseError, dbt

WEIGHTS_FILE = ROOT / "seeds" / "identity" / "identity_weights.csv"
OTHER = "other"
_INLINE = "{{ tojson(form_comparisons()) }}"
_SIDE = re.compile(r"\b([lr])\.([a-z_]+)")


@dataclass(frozen=True)
class Chances:
    """Of one level: how often pairs of one person reach it (``m``), pairs of two strangers
    (``u``), and pairs of two members of a household (``u_household``). Probabilities; those of
    a comparison add up to 1."""

    m: float
    u: float
    u_household: float


Weights = dict[tuple[str, str], Chances]
"""By comparison and level, ``other`` included."""
Comparisons = Mapping[str, Mapping[str, Any]]
"""What the macro ``form_comparisons`` returns."""


def read_comparisons() -> Comparisons:
    """The comparisons, with conditions in DuckDB's SQL (which Splink runs on). Raises
    ``WarehouseError``."""
    before = os.environ.get("CDP_DUCKDB_PATH")
    os.environ["CDP_DUCKDB_PATH"] = ":memory:"  # the macro needs no table, and no lock
    try:
        with redirect_stdout(StringIO()):  # dbt prints what it compiles
            outcome = dbt(["compile", "--inline", _INLINE], target="duckdb")
    finally:
        os.environ.pop("CDP_DUCKDB_PATH")
        if before is not None:
            os.environ["CDP_DUCKDB_PATH"] = before
    if not outcome.success:
        raise WarehouseError("dbt cannot compile form_comparisons; `dbt parse` says why")
    return json.loads(outcome.result.results[0].node.compiled_code)


def read_weights(path: Path = WEIGHTS_FILE) -> Weights:
    """The seed. Raises ``KeyError`` or ``ValueError`` where it is not of its columns."""
    with path.open(encoding="utf-8", newline="") as file:
        return {
            (row["comparison"], row["level"]): Chances(
                float(row["m"]), float(row["u"]), float(row["u_household"])
            )
            for row in csv.DictReader(file)
        }


def write_weights(weights: Weights, path: Path = WEIGHTS_FILE) -> None:
    """Write the seed, four significant digits: more would be noise."""
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(["comparison", "level", "m", "u", "u_household"])
        for (comparison, level), chances in weights.items():
            numbers = (chances.m, chances.u, chances.u_household)
            writer.writerow([comparison, level, *(f"{number:.4g}" for number in numbers)])


def columns_compared(comparisons: Comparisons) -> list[str]:
    """The columns of ``int_identity__forms_described`` that any condition or term reads."""
    conditions = [
        text
        for comparison in comparisons.values()
        for text in (comparison["missing"], *(each["condition"] for each in comparison["levels"]))
    ]
    terms = [level["term"] for comparison in comparisons.values() for level in comparison["levels"]]
    read = [column for text in conditions for _, column in _SIDE.findall(text)]
    return list(dict.fromkeys([*read, *filter(None, terms)]))


def splink_settings(
    comparisons: Comparisons, weights: Weights, prior: float, blocking_rules: list[str]
) -> dict[str, Any]:
    """Settings for ``splink.Linker`` on rows of ``int_identity__forms_described``.

    Args:
        prior: probability that two forms drawn at random are one person.
        blocking_rules: conditions on ``l`` and ``r``; pairs that meet any are scored.
    """
    return {
        "link_type": "dedupe_only",
        "unique_id_column_name": "form_id",
        "probability_two_random_records_match": prior,
        "blocking_rules_to_generate_predictions": [
            {"blocking_rule": rule, "sql_dialect": "duckdb"} for rule in blocking_rules
        ],
        "retain_intermediate_calculation_columns": True,
        # The m of a level that clean data never shows falls tenfold in each iteration; Splink
        # refuses the smallest doubles.
        "max_iterations": 10,
        "em_convergence": 0.001,
        "comparisons": [
            {
                "output_column_name": name,
                "comparison_levels": [
                    {
                        "sql_condition": _suffixed(comparison["missing"]),
                        "label_for_charts": "missing",
                        "is_null_level": True,
                    },
                    *(_splink_level(name, level, weights) for level in comparison["levels"]),
                    {
                        "sql_condition": "ELSE",
                        "label_for_charts": OTHER,
                        "m_probability": weights[name, OTHER].m,
                        "u_probability": weights[name, OTHER].u,
                    },
                ],
            }
            for name, comparison in comparisons.items()
        ],
    }


def _splink_level(name: str, level: Mapping[str, Any], weights: Weights) -> dict[str, Any]:
    chances = weights[name, level["level"]]
    spelled = {
        "sql_condition": _suffixed(level["condition"]),
        "label_for_charts": level["level"],
        "m_probability": chances.m,
        "u_probability": chances.u,
    }
    if level["term"]:
        # Splink otherwise looks for the level whose condition is an equality, and takes its u.
        spelled |= {
            "tf_adjustment_column": level["term"],
            "tf_adjustment_weight": 1.0,
            "disable_tf_exact_match_detection": True,
        }
    return spelled


def _suffixed(condition: str) -> str:
    """``l.city`` as Splink names it: ``"city_l"``."""
    return _SIDE.sub(r'"\2_\1"', condition)
