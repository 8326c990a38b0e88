"""Splink's own documented models of the labelled sets, for comparison.

The models are those of Splink 5's documentation: for fake_1000 its quick start and its example of
measuring accuracy, for febrl3 and febrl4 the examples named after them. febrl4's (the detailed
model) weighs rare names and slips in more columns than febrl3's, so it is tried on both sets.
Clusters are connected components at a match probability of 0.95; random sampling is seeded. Splink
is an extra: ``pip install 'cdp[fuzzy]'``.
"""

from __future__ import annotations

import logging
import time
from functools import partial
from typing import TYPE_CHECKING, Any

import duckdb
import pyarrow.parquet as pq

from benchmarks.clustering import peak_mb

if TYPE_CHECKING:
    from splink import Linker

THRESHOLD = 0.95
SAMPLED_PAIRS = 1e6
SEED = 1


def run_splink(folder: str, name: str, results: Any) -> None:
    """Train a model on ``people.parquet`` of the folder (record_key, source_dataset and the raw
    columns), predict and cluster into its ``customers.parquet`` (record_key, customer_id); puts
    (seconds from the registered table on, peak MB of the process)."""
    from splink import Linker
    from splink.backends.duckdb import DuckDBAPI

    build, train = MODELS[name]
    connection = duckdb.connect()
    connection.execute("set threads = 2")
    connection.execute("set enable_progress_bar = false")
    connection.register("all_people", pq.read_table(f"{folder}/people.parquet"))
    sources = connection.execute(
        "select distinct source_dataset from all_people order by 1"
    ).fetchall()
    database = DuckDBAPI(connection=connection)
    tables = []
    for (source,) in sources:
        relation = connection.sql(f"select * from all_people where source_dataset = '{source}'")
        tables.append(database.register(relation, dataset_display_name=source))
    started = time.perf_counter()
    linker = Linker(tables if len(tables) > 1 else tables[0], build(), logging.ERROR)
    train(linker)
    pairs = linker.inference.predict(threshold_match_probability=0.2)
    clusters = linker.clustering.cluster_pairwise_predictions_at_threshold(pairs, THRESHOLD)
    seconds = time.perf_counter() - started
    connection.execute(
        f"copy (select record_key, cluster_id as customer_id from {clusters.physical_name})"
        f" to '{folder}/customers.parquet' (format parquet)"
    )
    results.put((seconds, peak_mb()))


def _settings(link_type: str, comparisons: list, blocking: list):
    from splink import SettingsCreator

    return SettingsCreator(
        link_type=link_type,
        unique_id_column_name="record_key",
        comparisons=comparisons,
        blocking_rules_to_generate_predictions=blocking,
    )


def _quick_start():
    import splink.comparison_library as cl
    from splink import block_on

    return _settings(
        "dedupe_only",
        [cl.NameComparison("first_name"), cl.JaroAtThresholds("surname"), *_birth_city_email()],
        [block_on("first_name", "dob"), block_on("surname")],
    )


def _fake_1000():
    import splink.comparison_library as cl
    from splink import block_on

    return _settings(
        "dedupe_only",
        [cl.ForenameSurnameComparison("first_name", "surname"), *_birth_city_email()],
        [block_on(column) for column in ("first_name", "surname", "dob", "email")],
    )


def _birth_city_email() -> list:
    import splink.comparison_library as cl

    return [
        cl.DateOfBirthComparison("dob", input_is_string=True),
        cl.ExactMatch("city").configure(term_frequency_adjustments=True),
        cl.EmailComparison("email"),
    ]


def _train_quick_start(linker: Linker) -> None:
    from splink import block_on

    training = linker.training
    training.estimate_probability_two_random_records_match(
        [block_on("first_name", "surname")], recall=0.7
    )
    training.estimate_u_using_random_sampling(max_pairs=SAMPLED_PAIRS, seed=SEED)
    training.estimate_parameters_using_expectation_maximisation(block_on("first_name", "surname"))
    training.estimate_parameters_using_expectation_maximisation(block_on("email"))


def _train_fake_1000(linker: Linker) -> None:
    from splink import block_on

    training = linker.training
    training.estimate_probability_two_random_records_match(
        [
            "l.first_name = r.first_name and levenshtein(l.dob, r.dob) <= 1",
            "l.surname = r.surname and levenshtein(l.dob, r.dob) <= 1",
            "l.first_name = r.first_name and levenshtein(l.surname, r.surname) <= 2",
            block_on("email"),
        ],
        recall=0.7,
    )
    training.estimate_u_using_random_sampling(max_pairs=SAMPLED_PAIRS, seed=SEED)
    for columns in (["dob"], ["email"], ["first_name", "surname"]):
        training.estimate_parameters_using_expectation_maximisation(
            block_on(*columns), estimate_without_term_frequencies=True
        )


SWAPPED_NAMES = "l.given_name = r.surname and l.surname = r.given_name"


def _febrl3():
    import splink.comparison_library as cl
    from splink import block_on

    keys = ("soc_sec_id", "given_name", "surname", "date_of_birth", "postcode")
    return _settings(
        "dedupe_only",
        [
            cl.NameComparison("given_name"),
            cl.NameComparison("surname"),
            cl.DateOfBirthComparison(
                "date_of_birth", input_is_string=True, datetime_format="%Y%m%d"
            ),
            cl.DamerauLevenshteinAtThresholds("soc_sec_id", [2]),
            cl.ExactMatch("street_number").configure(term_frequency_adjustments=True),
            cl.ExactMatch("postcode").configure(term_frequency_adjustments=True),
        ],
        [block_on(key) for key in keys],
    )


def _train_febrl3(linker: Linker) -> None:
    from splink import block_on

    training = linker.training
    training.estimate_probability_two_random_records_match(
        [
            block_on("soc_sec_id"),
            block_on("given_name", "surname", "date_of_birth"),
            f"{SWAPPED_NAMES} and l.date_of_birth = r.date_of_birth",
        ],
        recall=0.9,
    )
    training.estimate_u_using_random_sampling(max_pairs=SAMPLED_PAIRS, seed=SEED)
    training.estimate_parameters_using_expectation_maximisation(block_on("date_of_birth"))
    training.estimate_parameters_using_expectation_maximisation(block_on("postcode"))


def _febrl4(link_type: str = "link_only"):
    import splink.comparison_library as cl
    from splink import block_on

    def rare(comparison):
        return comparison.configure(term_frequency_adjustments=True)

    return _settings(
        link_type,
        [
            rare(cl.NameComparison("given_name")),
            rare(cl.NameComparison("surname")),
            cl.DateOfBirthComparison(
                "date_of_birth",
                input_is_string=True,
                datetime_format="%Y%m%d",
                invalid_dates_as_null=True,
            ),
            cl.DamerauLevenshteinAtThresholds("soc_sec_id", [1, 2]),
            rare(cl.ExactMatch("street_number")),
            rare(cl.DamerauLevenshteinAtThresholds("postcode", [1, 2])),
        ],
        [
            block_on("given_name", "surname"),
            SWAPPED_NAMES,
            block_on("date_of_birth"),
            block_on("soc_sec_id"),
            block_on("state", "address_1"),
            block_on("street_number", "address_1"),
            block_on("postcode"),
        ],
    )


def _train_febrl4(linker: Linker) -> None:
    from splink import block_on

    training = linker.training
    training.estimate_probability_two_random_records_match(
        [block_on("soc_sec_id"), block_on("given_name", "surname", "date_of_birth")], recall=0.8
    )
    training.estimate_u_using_random_sampling(max_pairs=SAMPLED_PAIRS, seed=SEED)
    for column in ("date_of_birth", "postcode"):
        training.estimate_parameters_using_expectation_maximisation(
            block_on(column), estimate_without_term_frequencies=True
        )


MODELS = {
    "quick start": (_quick_start, _train_quick_start),
    "fake_1000 example": (_fake_1000, _train_fake_1000),
    "febrl3 example": (_febrl3, _train_febrl3),
    "febrl4 example": (_febrl4, _train_febrl4),
    "febrl4 example, within a file": (partial(_febrl4, "dedupe_only"), _train_febrl4),
}
"""By name: how the settings are made, and how they are trained."""
