"""``tell``: one look at the states, and a message to each channel that does not know yet."""

import logging
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from orchestration.alerts.channels import Channel, DeliveryFailed, channels_from_environment
from orchestration.alerts.states import Change, Memory, State, changes, read_states
from orchestration.sync.spec import InvalidSync, load_manifest, load_sync, sync_names
from orchestration.warehouse import ROOT, Warehouse

logger = logging.getLogger(__name__)


@dataclass
class Report:
    """What was found and told."""

    states: list[State]
    told: dict[str, list[Change]] = field(default_factory=dict)
    """By channel; none where there was nothing new."""
    failed: dict[str, str] = field(default_factory=dict)
    """Channels that could not be reached, with a code; they are told next time."""


def tell(
    target: str | None = None,
    *,
    project_dir: Path = ROOT,
    channels: Sequence[Channel] | None = None,
) -> Report:
    """Tell each channel what has changed since it was told last. ``channels`` replace those
    that the environment configures. A channel that fails hinders no other; raises only
    ``WarehouseError`` and ``InvalidSync`` (dbt cannot parse)."""
    manifest = load_manifest(project_dir)
    failed: dict[str, str] = {}
    if channels is None:
        channels, failed = channels_from_environment()
    with Warehouse.open(target, project_dir) as warehouse:
        report = Report(_states(warehouse, manifest), failed=failed)
        memory = Memory(warehouse, manifest)
        for channel in channels:
            news = changes(report.states, memory.told(channel.name))
            if not news:
                continue
            if code := _failure(channel, news):
                report.failed[channel.name] = code
                continue
            # Sent first: killed in between, a message comes twice and none is lost.
            memory.remember(channel.name, news)
            report.told[channel.name] = news
    for name, code in report.failed.items():
        logger.warning("alerts: %s was not reached: %s", name, code)
    return report


def _failure(channel: Channel, news: Sequence[Change]) -> str | None:
    """Sends; the code of what went wrong. A defect of a channel is its own, too: of it the type
    is told, as the message may be what the other side answered."""
    try:
        channel.send(news)
    except DeliveryFailed as failure:
        return failure.code
    except Exception as error:
        return type(error).__name__.upper()
    return None


def _states(warehouse: Warehouse, manifest: dict[str, Any]) -> list[State]:
    """A sync whose declaration is wrong does not run, so the tables do not know."""
    states = {state.subject: state for state in read_states(warehouse)}
    for name in sync_names(manifest):
        try:
            load_sync(manifest, name)
        except InvalidSync:
            states[name] = State(name, "failing", "INVALID_DECLARATION")
    return [states[subject] for subject in sorted(states)]
