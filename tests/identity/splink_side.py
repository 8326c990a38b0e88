"""Splink on the forms of a warehouse, for comparison with our own weights."""

from __future__ import annotations

import logging
from dataclasses import dataclass

import duckdb

from benchmarks.identity_warehouse import IdentityWarehouse
from orchestration.identity.fuzzy_model import Chances, Comparisons, Weights, splink_settings

WEIGHED = """
{%- set paired -%}
(select left_form_id, right_form_id from given_pairs)
{%- endset -%}
with weighed as ({{ weigh_forms(paired, ref('int_identity__forms_described')) }}),
added as ({{ add_up_weights('weighed') }})
select * from added
"""
PAIRED = "select left_form_id, right_form_id from identity.int_identity__forms_paired"
ALL_PAIRS = """
select l.form_id as left_form_id, r.form_id as right_form_id
from identity.int_identity__forms_described as l
inner join identity.int_identity__forms_described as r on l.form_id < r.form_id
"""


@dataclass(frozen=True)
class BothSides:
    """Tables of a connection. ``ours``: pairs weighed by the SQL of the models, with levels;
    ``splinks``: what ``linker.inference.predict`` says of the same pairs; ``odds``: one row, the
    odds of the models in bits, the prior on both sides."""

    connection: duckdb.DuckDBPyConnection

    def fetch(self, sql: str) -> list[tuple]:
        """Rows of a query on the three tables."""
        return self.connection.execute(sql).fetchall()


def measured_weights(connection: duckdb.DuckDBPyConnection) -> Weights:
    """Those of the seed, as the models have made them true for the data."""
    rows = connection.execute(
        "select comparison, level, m, u, u_household from identity.int_identity__weights_measured"
    ).fetchall()
    return {(name, level): Chances(*chances) for name, level, *chances in rows}


def weigh_both(warehouse: IdentityWarehouse, comparisons: Comparisons, pairs: str) -> BothSides:
    """The pairs that a query yields, by our models and by Splink."""
    from splink import DuckDBAPI, Linker

    compiled = warehouse.invoke("compile", "--inline", WEIGHED).result.results[0].node
    connection = duckdb.connect(str(warehouse.database))
    connection.execute("set enable_progress_bar = false")
    connection.execute(f"create temp table given_pairs as {pairs}")
    connection.execute(f"create temp table ours as {compiled.compiled_code}")
    connection.execute("create temp table odds as from identity.int_identity__match_odds_estimated")
    # Each form lists the pairs it is of; exploded, that is exactly the pairs to predict.
    forms = connection.sql(
        """
        select forms.*, partners.pair_ids
        from identity.int_identity__forms_described as forms
        left join (
            select form_id, list(pair_id) as pair_ids
            from (
                select left_form_id as form_id, rowid as pair_id from given_pairs
                union all
                select right_form_id, rowid from given_pairs
            )
            group by form_id
        ) as partners using (form_id)
        """
    ).to_arrow_table()
    match_odds = connection.execute("select match_odds from odds").fetchall()[0][0]
    prior = 2**match_odds / (1 + 2**match_odds)
    settings = splink_settings(comparisons, measured_weights(connection), prior, [])
    settings["blocking_rules_to_generate_predictions"] = [
        {
            "blocking_rule": "l.pair_ids = r.pair_ids",
            "sql_dialect": "duckdb",
            "arrays_to_explode": ["pair_ids"],
        }
    ]
    api = DuckDBAPI()
    linker = Linker(api.register(forms), settings, log_level=logging.ERROR)
    predicted = linker.inference.predict().as_duckdbpyrelation().to_arrow_table()
    connection.register("predicted", predicted)
    connection.execute("create temp table splinks as from predicted")
    connection.unregister("predicted")
    return BothSides(connection)
