"""The dbt project as Dagster sees it, and what all stages share."""

import json
import os
from functools import cache
from pathlib import Path
from typing import Any

import dagster as dg
from dagster_dbt import DagsterDbtTranslator, DbtProject

from orchestration.warehouse import ROOT

POOL = "warehouse"
"""Steps that open the warehouse run one at a time: DuckDB lets one process in."""

TARGET = os.environ.get("CDP_TARGET")


def data_dir() -> Path:
    """Folder of raw files, warehouse and publications (``CDP_DATA_DIR``, default ``data``)."""
    return Path(os.environ.get("CDP_DATA_DIR", ROOT / "data"))


@cache
def project() -> DbtProject:
    """The dbt project with a manifest; parsed here where nobody has done so before."""
    # The DuckDB adapter opens its file to parse, and does not make the folder for it.
    (ROOT / "data" / "warehouse").mkdir(parents=True, exist_ok=True)
    dbt_project = DbtProject(
        project_dir=ROOT, profiles_dir=ROOT, target=TARGET, target_path=Path("target")
    )
    dbt_project.prepare_if_dev()
    if not dbt_project.manifest_path.exists():
        dbt_project.preparer.prepare(dbt_project)
    return dbt_project


class Translator(DagsterDbtTranslator):
    """Groups assets by folder; raw tables by the word raw."""

    def get_group_name(self, dbt_resource_props: dict[str, Any]) -> str | None:
        if dbt_resource_props["resource_type"] == "model":
            return dbt_resource_props["fqn"][1]
        if dbt_resource_props["resource_type"] == "seed":
            return "seeds"
        return super().get_group_name(dbt_resource_props)


translator = Translator()


def model_key(name: str) -> dg.AssetKey:
    """Asset key of a dbt model, which is its schema and name."""
    for node in manifest()["nodes"].values():
        if node["name"] == name and node["resource_type"] == "model":
            return translator.get_asset_key(node)
    raise KeyError(f"no model {name} in the dbt project")


@cache
def manifest() -> dict[str, Any]:
    """dbt's manifest as a dict."""
    return json.loads(project().manifest_path.read_text())
