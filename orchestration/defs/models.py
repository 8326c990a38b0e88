"""All dbt models as assets; their tests are asset checks."""

import json
import os
import sys
from collections.abc import Iterator
from pathlib import Path

import dagster as dg
from dagster_dbt import DbtCliResource, dbt_assets

from orchestration.defs.project import POOL, manifest, project, translator

AS_OF_TAG = "cdp/as_of"
"""Run tag with the business date; the schedule sets it, a rebuild of a past day too."""

# Dagster builds in parts, around the fit: a test runs once all its tables are there, not in
# the first part that has one of them.
os.environ.setdefault("DBT_INDIRECT_SELECTION", "buildable")

# The dbt of this Python's environment, whether or not somebody has activated it.
_beside_python = Path(sys.executable).with_name("dbt")
dbt_cli = DbtCliResource(
    project_dir=project(), dbt_executable=_beside_python if _beside_python.exists() else "dbt"
)


def build_arguments(as_of: str | None) -> list[str]:
    """Arguments of the production build: unit tests belong to the tests of the project."""
    arguments = ["build", "--exclude-resource-type", "unit_test"]
    return [*arguments, "--vars", json.dumps({"as_of": as_of})] if as_of else arguments


@dbt_assets(
    manifest=manifest(),
    project=project(),
    dagster_dbt_translator=translator,
    pool=POOL,
    name="warehouse",
)
def warehouse(context: dg.AssetExecutionContext, dbt: DbtCliResource) -> Iterator:
    """``dbt build``. Dagster cuts it in two around the statistical fit."""
    as_of = context.run.tags.get(AS_OF_TAG) or os.environ.get("CDP_AS_OF")
    yield from dbt.cli(build_arguments(as_of), context=context).stream()
