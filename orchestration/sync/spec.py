"""The declaration of a sync: ``meta.sync`` of its exposure, read from dbt's manifest.

Unknown keys are refused, and so is a sync whose model does not take its rows from the macro
``sync_rows``, which is where consent and suppression are, and one whose plan is not in the union
of plans: a run would find nothing to do, and carry out no withdrawal either.
"""

import hashlib
import json
from collections.abc import Collection, Mapping
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from orchestration.warehouse import ROOT, dbt, read_manifest
from orchestration.warehouse_dbt import manifest_path

PERMISSION_MACRO = "macro.cdp.sync_rows"
PLAN_MACRO = "macro.cdp.plan_sync"
UNION_OF_PLANS = "model.cdp.sync_plan"

Purpose = Literal["marketing", "ads_user_data", "ads_personalisation", "sale_or_share", "profiling"]
Channel = Literal["email", "sms", "phone", "post", "ads", "all"]

Mode = Literal[
    "upsert",  # write rows that are new or changed; who leaves, stays there
    "update_only",  # the same, for records that are there already
    "create_only",  # write a row once, never again
    "mirror",  # upsert, and take away what we wrote and no longer have
    "audience",  # members in, members out
    "append",  # events: each once, never changed nor taken away
    "archive",  # the rows of the model are to be put away there
    "delete",  # the rows of the model are to be deleted there
]


class InvalidSync(ValueError):
    """The declaration of a sync is wrong; says what, without values of rows."""


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Guards(_Strict):
    """When a run is held before its first call. Erasures and withdrawals never are."""

    max_removed_rows: int = Field(100, ge=0)
    max_removed_share: float = Field(0.05, ge=0, le=1)
    """People who merely left: at most the larger of the two, of what is held."""
    max_changed_share: float = Field(1.0, ge=0, le=1)
    """Rows already held whose content changed. 1: no limit."""
    max_source_age_hours: int | None = Field(None, ge=1)
    """Since each source of the model was last landed. None: no limit."""


class SyncSpec(_Strict):
    """One sync. ``columns`` are the mapped columns by the contract of its model."""

    sync_name: str
    destination: str = Field(pattern="^[a-z0-9_]+$")
    """A module of ``orchestration/destinations``."""
    object: str
    mode: Mode
    key: str
    person: str | None = None
    """Column with the customer's id; by default the key is one."""
    match_on: str | None = None
    purpose: Purpose | Annotated[list[Purpose], Field(min_length=1)]
    """Of several all must be granted. Of none everybody would be."""
    channel: Channel
    identity_tier: Literal["exact", "similar"]
    """The weakest link that may join the records of a person in this sync."""
    on_leave: dict[str, str] = {}
    """Mode audience of an endpoint that holds records: what is written when a person leaves."""
    on_erasure: Literal["delete", "leave"] = "delete"
    clear_nulls: list[str] = []
    """Columns whose null empties the field at the destination; others' nulls are skipped."""
    options: dict[str, str] = {}
    """What only this destination knows: ids of lists, audiences, templates. No secrets."""
    schedule: str | None = None
    """Cron expression, which Dagster reads; none: with the daily job."""
    stale_after_hours: int | None = Field(None, ge=1)
    """Without a run for so long it is stale, which people are told. None: ``alert_stale_hours``
    of ``dbt_project.yml``."""
    guards: Guards = Guards()
    columns: list[str]

    @model_validator(mode="after")
    def _columns_exist(self) -> "SyncSpec":
        named = {"key": [self.key], "match_on": [self.match_on] if self.match_on else []}
        named |= {"person": [self.person] if self.person else []}
        named |= {"on_leave": list(self.on_leave), "clear_nulls": self.clear_nulls}
        for setting, columns in named.items():
            if missing := [column for column in columns if column not in self.columns]:
                raise ValueError(f"{setting}: no column {', '.join(missing)} in the model")
        return self

    @property
    def purposes(self) -> set[str]:
        """What a person must have said yes to."""
        return {self.purpose} if isinstance(self.purpose, str) else set(self.purpose)

    @property
    def config_hash(self) -> str:
        """Which declaration a run used."""
        return hashlib.sha256(self.model_dump_json().encode()).hexdigest()[:16]

    def place_hash(self, beside: Collection[str] = ()) -> str:
        """Where rows go, as far as the declaration says: another list holds nothing of ours.
        ``beside``: options that do not say where."""
        place = self.model_dump(mode="json", include={"destination", "object", "options"})
        place["options"] = {k: v for k, v in self.options.items() if k not in beside}
        return hashlib.sha256(json.dumps(place, sort_keys=True).encode()).hexdigest()[:16]

    def mapping_hash(self, content: Collection[str] = ()) -> str:
        """Which columns are sent, and the key, which hashes of rows leave out: another one of
        either, and every row differs from what is held. ``content``: options that say what is
        written of a row, which no hash of a row tells; after a dot they have a hash of theirs."""
        names = [self.key, *sorted(self.columns)]
        found = hashlib.sha256("\n".join(names).encode()).hexdigest()[:16]
        if written := {k: v for k, v in self.options.items() if k in content}:
            text = json.dumps(written, sort_keys=True)
            found += "." + hashlib.sha256(text.encode()).hexdigest()[:16]
        return found


def load_manifest(project_dir: Path = ROOT) -> dict[str, Any]:
    """dbt's manifest; made when there is none. Raises ``InvalidSync``."""
    path = manifest_path(project_dir)
    manifest = read_manifest(path)
    if manifest is None and dbt(["parse"], project_dir=project_dir).success:
        manifest = read_manifest(path)
    if manifest is None:
        raise InvalidSync("dbt cannot parse the project; `dbt parse` says why")
    return manifest


def load_syncs(manifest: dict[str, Any]) -> dict[str, SyncSpec]:
    """All syncs of the project by name. Raises ``InvalidSync`` at the first that is wrong."""
    return {name: load_sync(manifest, name) for name in sync_names(manifest)}


def sync_names(manifest: Mapping[str, Any]) -> list[str]:
    """Exposures with ``meta.sync``, right or wrong."""
    exposures = manifest["exposures"].values()
    return sorted(e["name"] for e in exposures if "sync" in e.get("config", {}).get("meta", {}))


def load_sync(manifest: dict[str, Any], sync_name: str) -> SyncSpec:
    """One sync. Raises ``InvalidSync``."""
    found = [e for e in manifest["exposures"].values() if e["name"] == sync_name]
    stated = found[0].get("config", {}).get("meta", {}) if found else {}
    if "sync" not in stated:
        raise InvalidSync(f"{sync_name}: no exposure of that name has meta.sync")
    meta = stated["sync"]
    if not isinstance(meta, dict) or not meta:
        raise InvalidSync(f"{sync_name}: meta.sync must be a mapping of settings")
    model = manifest["nodes"].get(f"model.{found[0]['package_name']}.{sync_name}")
    if model is None or model["unique_id"] not in found[0]["depends_on"]["nodes"]:
        raise InvalidSync(f"{sync_name}: the exposure must depend on the model of its name")
    if PERMISSION_MACRO not in model["depends_on"]["macros"]:
        raise InvalidSync(f"{sync_name}: the model must select from sync_rows()")
    if not model["config"]["contract"]["enforced"]:
        raise InvalidSync(f"{sync_name}: the contract of the model must be enforced")
    types = {name: column["data_type"] for name, column in model["columns"].items()}
    if odd := [name for name, kind in types.items() if kind not in ("string", "text", "varchar")]:
        raise InvalidSync(f"{sync_name}: mapped columns must be text: {', '.join(odd)}")
    try:
        spec = SyncSpec(sync_name=sync_name, columns=list(types), **meta)
    except (ValidationError, TypeError) as error:
        raise InvalidSync(f"{sync_name}: {_explained(error)}") from None
    _check_planned(manifest, model["unique_id"])
    return spec


def _check_planned(manifest: Mapping[str, Any], model: str) -> None:
    """Raises ``InvalidSync`` where no plan of a sync is among the plans that the engine reads."""
    parents = manifest["parent_map"]
    if any(model in parents.get(plan, ()) for plan in parents.get(UNION_OF_PLANS, ())):
        return
    sync_name = model.split(".")[-1]
    plans = sorted(
        node["name"]
        for node in manifest["nodes"].values()
        if PLAN_MACRO in node["depends_on"].get("macros", ())
        and model in node["depends_on"].get("nodes", ())
    )
    usual = f"int_activation__{sync_name.removeprefix('sync_').replace('__', '_')}_planned"
    line = f"add the line `- {plans[0] if plans else usual}` to vars.planned_syncs"
    if not plans:
        line = f"write the model {usual}, {{{{ plan_sync('{sync_name}') }}}}, and {line}"
    raise InvalidSync(f"{sync_name}: its plan is not in sync_plan; {line} in dbt_project.yml")


def edited_since_read(sync_name: str, *, project_dir: Path = ROOT) -> list[str]:
    """Files of a sync, YAML and SQL, that say something else than what dbt read last, which is
    what is used. Raises ``InvalidSync`` as ``load_manifest``."""
    manifest = load_manifest(project_dir)
    read_at = manifest_path(project_dir).stat().st_mtime_ns
    declared = [*manifest["exposures"].values(), *manifest["nodes"].values()]
    files = {
        node["original_file_path"]: node.get("checksum", {}).get("checksum")
        for node in declared
        if node["name"] == sync_name
    }
    return [name for name in sorted(files) if _is_edited(project_dir / name, files[name], read_at)]


def _is_edited(file: Path, checksum: str | None, read_at: int) -> bool:
    """Of YAML the manifest has no checksum, so that its time has to do."""
    if not file.exists() or file.stat().st_mtime_ns <= read_at:
        return False
    text = file.read_bytes().decode(errors="replace").strip()  # as dbt does
    return checksum is None or hashlib.sha256(text.encode()).hexdigest() != checksum


def ancestors(manifest: Mapping[str, Any], node: str) -> set[str]:
    """Unique ids of what a node is made of, itself included."""
    found: set[str] = set()
    waiting = [node]
    while waiting:
        name = waiting.pop()
        if name not in found:
            found.add(name)
            waiting.extend(manifest["parent_map"].get(name, ()))
    return found


def _explained(error: Exception) -> str:
    if not isinstance(error, ValidationError):
        return "meta.sync states sync_name or columns, which are not settings"
    found = [(".".join(map(str, e["loc"])) or "sync", e["msg"]) for e in error.errors()]
    return "; ".join(f"{place}: {told.removeprefix('Value error, ')}" for place, told in found)
