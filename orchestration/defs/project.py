"""The dbt project as Dagster sees it, and what all stages share."""

import json
import os
from functools import cache
from pathlib import Path
from typing import Any

import dagster as dg
from dagster_dbt import DagsterDbtTranslator, DagsterDbtTranslatorSettings, DbtProject

from orchestration.private_files import make_private_folder
from orchestration.warehouse import ROOT, WarehouseError, dbt

POOL = "warehouse"
"""Steps that open the warehouse run one at a time: DuckDB lets one process in."""

TARGET = os.environ.get("CDP_TARGET")


def data_dir() -> Path:
    """Folder of raw files, warehouse and publications (``CDP_DATA_DIR``, default ``data``)."""
    return Path(os.environ.get("CDP_DATA_DIR", ROOT / "data"))


@cache
def project() -> DbtProject:
    """The dbt project with a manifest that is as new as its files. Raises ``WarehouseError``."""
    dbt_project = DbtProject(
        project_dir=ROOT, profiles_dir=ROOT, target=TARGET, target_path=Path("target")
    )
    if _is_stale(dbt_project.manifest_path):
        # The DuckDB adapter opens its file to parse, and does not make the folder for it.
        make_private_folder(ROOT / "data" / "warehouse")
        outcome = dbt(["parse", "--target-path", str(ROOT / "target")], target=TARGET)
        if not outcome.success:
            raise WarehouseError("dbt cannot parse the project; `dbt parse` says why")
    return dbt_project


def _is_stale(manifest_path: Path) -> bool:
    """Every step is a process that loads the definitions: it must not parse for nothing."""
    if not manifest_path.exists():
        return True
    made_at = manifest_path.stat().st_mtime
    files = [ROOT / "dbt_project.yml"]
    for folder in ("models", "macros", "seeds", "tests/generic", "tests/singular"):
        files.extend(path for path in (ROOT / folder).rglob("*") if path.is_file())
    return any(path.stat().st_mtime > made_at for path in files)


class Translator(DagsterDbtTranslator):
    """Groups assets by folder; raw tables by the word raw."""

    def get_group_name(self, dbt_resource_props: dict[str, Any]) -> str | None:
        if dbt_resource_props["resource_type"] == "model":
            return dbt_resource_props["fqn"][1]
        if dbt_resource_props["resource_type"] == "seed":
            return "seeds"
        return super().get_group_name(dbt_resource_props)


translator = Translator(DagsterDbtTranslatorSettings(enable_source_tests_as_checks=True))


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
