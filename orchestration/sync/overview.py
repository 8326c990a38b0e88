"""All syncs of the project, with what is declared of each and how it is."""

from pathlib import Path
from typing import Any

from orchestration.alerts.states import read_states
from orchestration.sync.spec import InvalidSync, load_manifest, load_sync, sync_names
from orchestration.warehouse import ROOT, Warehouse, compose

_DECLARED = ("destination", "object", "mode", "schedule")


def overview(
    target: str | None = None, sync_name: str | None = None, *, project_dir: Path = ROOT
) -> list[dict[str, Any]]:
    """A row per declared sync, or of the one that is named: its declaration, ``state`` as of
    ``alert_states`` (never_ran where there is none) and the columns of ``sync_health`` once that
    is built. Of one that is declared wrong, ``state`` is invalid and ``problem`` says why; the
    one that is named raises ``InvalidSync``."""
    manifest = load_manifest(project_dir)
    specs, problems = {}, []
    for name in [sync_name] if sync_name else sync_names(manifest):
        try:
            specs[name] = load_sync(manifest, name)
        except InvalidSync as invalid:
            if sync_name:
                raise
            problems.append({"sync_name": name, "state": "invalid", "problem": str(invalid)})
    with Warehouse.open(target, project_dir) as warehouse:
        states = {state.subject: state.state for state in read_states(warehouse)}
        health = warehouse.relation("sync_health")
        rows = (
            warehouse.fetch(compose("select * from {health}", health=health))
            if warehouse.exists(health)
            else []
        )
    known = {row["sync_name"]: row for row in rows}
    told = [
        {
            "sync_name": name,
            **{setting: getattr(spec, setting) for setting in _DECLARED},
            "state": states.get(name, "never_ran"),
            **known.get(name, {}),
        }
        for name, spec in specs.items()
    ]
    return sorted(told + problems, key=lambda sync: sync["sync_name"])
