"""The house rules of the dbt project, checked on its manifest."""

import re
from collections.abc import Iterator
from typing import Any

import pytest

from orchestration.warehouse import ROOT

MAX_SQL_LINES = 150
MAX_PYTHON_LINES = 400
MAX_YAML_LINES = 600
PYTHON = ("orchestration", "tests", "benchmarks")
CONTRACTED = {"marts", "segments", "activation"}
NAMES = {
    "staging": re.compile(r"^stg_[a-z]+__[a-z0-9_]+$"),
    "conformed": re.compile(r"^(int_conformed__)?[a-z][a-z0-9_]*$"),
    "identity": re.compile(r"^(int_identity__)?[a-z][a-z0-9_]*$"),
    "profiles": re.compile(r"^(int_profiles__)?[a-z][a-z0-9_]*$"),
    "rights": re.compile(r"^(int_rights__)?[a-z][a-z0-9_]*$"),
    "marts": re.compile(r"^(int_marts__)?[a-z][a-z0-9_]*$"),
    "segments": re.compile(r"^(int_segments__)?[a-z][a-z0-9_]*$"),
    "activation": re.compile(r"^(int_activation__|sync_)?[a-z][a-z0-9_]*$"),
}
ORDER = [
    "staging",
    "conformed",
    "identity",
    "profiles",
    "marts",
    "segments",
    "activation",
    "rights",
]


@pytest.fixture(scope="session")
def models(manifest: dict[str, Any]) -> list[dict[str, Any]]:
    return [node for node in manifest["nodes"].values() if node["resource_type"] == "model"]


def _tests_of(manifest: dict[str, Any], unique_id: str) -> Iterator[dict[str, Any]]:
    for child in manifest["child_map"][unique_id]:
        if child.startswith("test."):
            yield manifest["nodes"][child]


def test_models_are_named_after_their_layer(models):
    wrong = [n["name"] for n in models if not NAMES[n["fqn"][1]].match(n["name"])]
    assert not wrong


def test_every_model_and_column_is_described(models):
    wrong = [n["name"] for n in models if not n["description"].strip()]
    wrong += [
        f"{n['name']}.{c['name']}"
        for n in models
        for c in n["columns"].values()
        if not c["description"].strip()
    ]
    assert not wrong


def test_every_model_has_a_yaml_of_its_own_beside_it(models):
    wrong = [
        n["name"]
        for n in models
        if not (ROOT / n["original_file_path"]).with_suffix(".yml").exists()
    ]
    assert not wrong


def test_public_folders_enforce_contracts(models):
    wrong = [
        n["name"]
        for n in models
        if n["fqn"][1] in CONTRACTED and not n["config"]["contract"]["enforced"]
    ]
    assert not wrong


def test_only_staging_and_state_read_sources(models, manifest):
    wrong = [
        (n["name"], source)
        for n in models
        for source in n["depends_on"]["nodes"]
        if source.startswith("source.")
        and n["fqn"][1] != "staging"
        and manifest["sources"][source]["source_name"] != "state"
    ]
    assert not wrong


def test_staging_models_do_not_build_on_models(models):
    wrong = [
        n["name"]
        for n in models
        if n["fqn"][1] == "staging"
        and any(d.startswith("model.") for d in n["depends_on"]["nodes"])
    ]
    assert not wrong


def test_public_tables_have_a_tested_key(models, manifest):
    def has_key(node: dict[str, Any]) -> bool:
        names = {
            test["test_metadata"]["name"]
            for test in _tests_of(manifest, node["unique_id"])
            if test.get("test_metadata")
        }
        return bool(names & {"unique", "unique_combination_of_columns"})

    wrong = [
        n["name"]
        for n in models
        if n["fqn"][1] in {"profiles", "marts", "segments"} | {"activation"}
        and "__" not in n["name"]
        and not has_key(n)
    ]
    assert not wrong


def test_macros_are_described_with_their_arguments(manifest):
    ours = [m for m in manifest["macros"].values() if m["package_name"] == "cdp"]
    public = [
        m
        for m in ours
        if not re.match(
            r"^(default|duckdb|postgres|spark|snowflake|bigquery|databricks|test|"
            r"materialization)_",
            m["name"],
        )
    ]
    assert not [m["name"] for m in public if not m["description"].strip()]


def test_names_of_unit_tests_fit_into_postgresql(manifest):
    """dbt names a relation after each unit test, and PostgreSQL takes 63 characters."""
    wrong = [test["name"] for test in manifest["unit_tests"].values() if len(test["name"]) > 63]
    assert not wrong


def test_unit_tests_run_before_their_model_was_built(manifest):
    """For what a model holds already dbt takes the columns from its table, unless it is SQL. In a
    new warehouse there is none: the test fails, and all that is downstream is skipped, for ever."""
    wrong = [
        test["name"]
        for test in manifest["unit_tests"].values()
        for given in test["given"]
        if given["input"] == "this" and given["format"] != "sql"
    ]
    assert not wrong


def test_the_yaml_of_a_plan_can_be_copied(manifest):
    """docs/add-a-destination.md says so; unit tests in it would be about the other destination."""
    plans = [
        node["patch_path"].removeprefix("cdp://")
        for node in manifest["nodes"].values()
        if node["name"].endswith("_planned") and node["name"].startswith("int_activation__")
    ]
    assert plans
    assert not [path for path in plans if "unit_tests:" in (ROOT / path).read_text("utf-8")]


@pytest.mark.parametrize(
    ("pattern", "limit"),
    [
        *((f"{area}/**/*.sql", MAX_SQL_LINES) for area in ("models", "macros", "tests")),
        *(
            (f"{area}/**/*.py", MAX_PYTHON_LINES)
            for area in ("orchestration", "tests", "benchmarks")
        ),
        *((f"{area}/**/*.yml", MAX_YAML_LINES) for area in ("models", "macros")),
    ],
)
def test_a_file_fits_on_a_screen_or_two(pattern, limit):
    long = {
        str(path.relative_to(ROOT)): lines
        for path in ROOT.glob(pattern)
        if (lines := len(path.read_text(encoding="utf-8").splitlines())) > limit
    }
    assert not long


def test_no_model_reads_the_clock(models):
    clock = re.compile(r"current_timestamp|current_date|now\(\)|getdate\(|today\(\)", re.IGNORECASE)
    wrong = [n["name"] for n in models if clock.search(n["raw_code"])]
    assert not wrong


def test_layers_depend_one_way(models, manifest):
    """A model builds on its own layer or an earlier one; marts and segments may read each
    other's public tables, and so may profiles read marts' facts."""
    rank = {layer: number for number, layer in enumerate(ORDER)}
    rank["segments"] = rank["marts"] = rank["profiles"]
    wrong = [
        (n["name"], d)
        for n in models
        for d in n["depends_on"]["nodes"]
        if d.startswith("model.") and rank[manifest["nodes"][d]["fqn"][1]] > rank[n["fqn"][1]]
    ]
    assert not wrong


def test_raw_tables_about_people_say_whose_a_row_is(manifest):
    """Else an erasure would pass them by."""

    def metas(table: dict[str, Any]) -> list[dict[str, Any]]:
        return [column["config"]["meta"] for column in table["columns"].values()]

    wrong = [
        table["unique_id"]
        for table in manifest["sources"].values()
        if table["source_name"] != "state"
        and any("pii" in meta for meta in metas(table))
        and not any("record_of" in meta or "identifies" in meta for meta in metas(table))
    ]
    wrong += [
        (table["unique_id"], name)
        for table in manifest["sources"].values()
        for name, column in table["columns"].items()
        if re.search(r"(^|_)(email|phone)(_sha256)?$", name)
        and "identifies" not in column["config"]["meta"]
    ]
    assert not wrong


def test_whose_a_row_is_names_columns_of_the_table(manifest):
    wrong = [
        (table["unique_id"], action)
        for table in manifest["sources"].values()
        if (action := table["config"]["meta"].get("on_erasure", "delete"))
        not in ("delete", "anonymise")
    ]
    for table in manifest["sources"].values():
        named = [*table["config"]["meta"].get("begins", [])]
        for column in table["columns"].values():
            meta = column["config"]["meta"]
            identifies = meta.get("identifies")
            named += [meta.get("unless")]
            named += [identifies["type_in"]] if isinstance(identifies, dict) else []
            if "part_of" in meta:
                whole = f"source.cdp.{table['source_name']}.{meta['part_of']}"
                found = manifest["sources"].get(whole, {"columns": {}, "config": {"meta": {}}})
                is_somebodys = any(
                    {"record_of", "identifies"} & other["config"]["meta"].keys()
                    for other in found["columns"].values()
                )
                wrong += [] if is_somebodys and found["config"]["meta"].get("key") else [whole]
        wrong += [
            (table["unique_id"], name) for name in named if name and name not in table["columns"]
        ]
    assert not wrong
