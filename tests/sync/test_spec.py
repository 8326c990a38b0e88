"""What a declaration must say, and what refuses to run."""

import copy
import csv
from collections.abc import Callable
from pathlib import Path
from typing import Any, get_args

import pytest

from orchestration.destinations import destination_class
from orchestration.destinations.hubspot import HubSpot
from orchestration.sync.run import run_sync
from orchestration.sync.spec import InvalidSync, Purpose, load_manifest, load_sync, load_syncs
from orchestration.warehouse import ROOT
from tests.sync.lab import PLANNED, SYNC, Lab

Change = Callable[[dict[str, Any]], None]


@pytest.fixture(scope="session")
def manifest(compiled_project) -> dict[str, Any]:
    return load_manifest(compiled_project)


def changed(manifest: dict[str, Any], change: Change) -> dict[str, Any]:
    changed = copy.deepcopy(manifest)
    change(changed["exposures"][f"exposure.cdp.{SYNC}"]["config"]["meta"]["sync"])
    return changed


def test_the_shipped_sync_is_valid(manifest: dict[str, Any]) -> None:
    spec = load_syncs(manifest)[SYNC]
    assert (spec.destination, spec.mode, spec.purpose) == ("hubspot", "audience", "marketing")
    assert "email" in spec.columns
    HubSpot.check(spec)


@pytest.mark.parametrize(
    "setting", ["destination", "object", "mode", "key", "purpose", "channel", "identity_tier"]
)
def test_a_setting_left_out_is_refused(manifest: dict[str, Any], setting: str) -> None:
    with pytest.raises(InvalidSync, match=setting):
        load_sync(changed(manifest, lambda sync: sync.pop(setting)), SYNC)


@pytest.mark.parametrize(
    ("change", "word"),
    [
        ({"colour": "red"}, "colour"),
        ({"purpose": "fun"}, "purpose"),
        ({"purpose": []}, "purpose.*at least 1 item"),
        ({"channel": "pigeon"}, "channel"),
        ({"mode": "wipe"}, "mode"),
        ({"key": "id"}, "no column id"),
        ({"match_on": "mail"}, "no column mail"),
        ({"on_leave": {"segment": ""}}, "no column segment"),
        ({"clear_nulls": ["town"]}, "no column town"),
        ({"guards": {"max_removed_share": 5}}, "max_removed_share"),
        ({"guards": {"max_rows": 5}}, "max_rows"),
        ({"columns": ["email"]}, "not settings"),
        ({"destination": "Hub Spot"}, "destination"),
    ],
)
def test_a_wrong_setting_is_refused(manifest: dict[str, Any], change: dict, word: str) -> None:
    with pytest.raises(InvalidSync, match=word):
        load_sync(changed(manifest, lambda sync: sync.update(change)), SYNC)


def test_a_model_that_does_not_filter_by_consent_is_refused(manifest: dict[str, Any]) -> None:
    unfiltered = copy.deepcopy(manifest)
    unfiltered["nodes"][f"model.cdp.{SYNC}"]["depends_on"]["macros"].remove("macro.cdp.sync_rows")
    with pytest.raises(InvalidSync, match="sync_rows"):
        load_sync(unfiltered, SYNC)


def unplanned(manifest: dict[str, Any]) -> dict[str, Any]:
    """The plan is there, and not in vars.planned_syncs."""
    edited = copy.deepcopy(manifest)
    edited["parent_map"]["model.cdp.sync_plan"].remove(f"model.cdp.{PLANNED}")
    return edited


def test_a_sync_whose_plan_is_not_in_the_union_is_refused(manifest: dict[str, Any]) -> None:
    line = f"{SYNC}: .*add the line `- {PLANNED}` to vars.planned_syncs in dbt_project.yml"
    with pytest.raises(InvalidSync, match=line):
        load_sync(unplanned(manifest), SYNC)


def test_a_sync_without_a_plan_is_refused(manifest: dict[str, Any]) -> None:
    edited = unplanned(manifest)
    del edited["nodes"][f"model.cdp.{PLANNED}"]
    line = f"write the model {PLANNED}, .*plan_sync.*add the line `- {PLANNED}`"
    with pytest.raises(InvalidSync, match=line):
        load_sync(edited, SYNC)


def test_the_plan_of_another_sync_is_not_its_own(manifest: dict[str, Any]) -> None:
    edited = copy.deepcopy(manifest)
    edited["parent_map"][f"model.cdp.{PLANNED}"].remove(f"model.cdp.{SYNC}")
    with pytest.raises(InvalidSync, match="planned_syncs"):
        load_sync(edited, SYNC)


@pytest.mark.parametrize("stated", [[], ["destination"], {}, None, "hubspot"])
def test_a_declaration_that_is_no_mapping_is_told(manifest: dict[str, Any], stated: Any) -> None:
    edited = copy.deepcopy(manifest)
    edited["exposures"][f"exposure.cdp.{SYNC}"]["config"]["meta"]["sync"] = stated
    with pytest.raises(InvalidSync, match=f"{SYNC}: meta.sync must be a mapping of settings"):
        load_sync(edited, SYNC)


def test_a_column_that_is_not_text_is_refused(manifest: dict[str, Any]) -> None:
    retyped = copy.deepcopy(manifest)
    retyped["nodes"][f"model.cdp.{SYNC}"]["columns"]["city"]["data_type"] = "bigint"
    with pytest.raises(InvalidSync, match="city"):
        load_sync(retyped, SYNC)


def test_a_manifest_that_is_broken_and_cannot_be_made_again_is_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("orchestration.warehouse_dbt.WRITING_SECONDS", 0.1)
    (tmp_path / "target").mkdir()
    (tmp_path / "target" / "manifest.json").write_text('{"nodes": {')
    with pytest.raises(InvalidSync, match="dbt parse"):
        load_manifest(tmp_path)


def test_the_manifest_is_where_dbt_writes_it(tmp_path: Path, monkeypatch) -> None:
    for folder, variable in (("target", None), ("elsewhere", "elsewhere"), ("target", "")):
        path = tmp_path / folder / "manifest.json"
        path.parent.mkdir(exist_ok=True)
        path.write_text(f'{{"of": "{variable}"}}')
        with monkeypatch.context() as patch:
            patch.delenv("DBT_TARGET_PATH", raising=False)
            if variable is not None:
                patch.setenv("DBT_TARGET_PATH", variable)
            assert load_manifest(tmp_path) == {"of": str(variable)}
    monkeypatch.setenv("DBT_TARGET_PATH", str(tmp_path / "elsewhere"))
    assert load_manifest(Path("/nowhere")) == {"of": "elsewhere"}


def test_an_unknown_sync_and_an_unknown_destination_are_named(manifest: dict[str, Any]) -> None:
    with pytest.raises(InvalidSync, match="no exposure"):
        load_sync(manifest, "sync_nowhere__things")
    with pytest.raises(LookupError, match="hubspot"):
        destination_class("nowhere")


@pytest.mark.parametrize(
    "change", [{"object": "deals"}, {"match_on": "phone"}, {"on_leave": {}}, {"mode": "append"}]
)
def test_what_hubspot_cannot_do_is_refused(manifest: dict[str, Any], change: dict) -> None:
    spec = load_sync(changed(manifest, lambda sync: sync.update(change)), SYNC)
    with pytest.raises(ValueError, match=r"hubspot|HubSpot"):
        HubSpot.check(spec)


def test_a_missing_token_stops_before_anything_is_written(
    lab: Lab, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("HUBSPOT_TOKEN", raising=False)
    lab.add_customers(3)
    lab.build()
    with pytest.raises(LookupError, match="HUBSPOT_TOKEN"):
        run_sync(SYNC, project_dir=lab.project)
    assert lab.state() == [[], []]


def test_the_environment_configures_hubspot(lab: Lab, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HUBSPOT_TOKEN", lab.hub.token)
    monkeypatch.setenv("HUBSPOT_BASE_URL", lab.hub.url)
    monkeypatch.setenv("HUBSPOT_API_VERSION", "2026-09")
    lab.add_customers(3)
    lab.build()
    assert run_sync(SYNC, project_dir=lab.project).rows_delivered == 3
    assert lab.hub.calls[0].path == "/crm/objects/2026-09/contacts/batch/upsert"


def test_a_sync_may_have_the_purposes_that_a_refusal_of_everything_refuses() -> None:
    with (ROOT / "seeds" / "consent_purposes.csv").open() as file:
        assert {row["purpose"] for row in csv.DictReader(file)} == set(get_args(Purpose))
