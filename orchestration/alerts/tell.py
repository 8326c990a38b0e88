"""``tell``: one look at the states, and a message to each channel that does not know yet."""

import logging
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from orchestration.alerts.channels import Channel, DeliveryFailed, channels_from_environment
from orchestration.alerts.states import Change, Memory, State, changes, read_states
from orchestration.sync.spec import load_manifest
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
        report = Report(read_states(warehouse), failed=failed)
        memory = Memory(warehouse, manifest)
        for channel in channels:
            news = changes(report.states, memory.told(channel.name))
            if not news:
                continue
            try:
                channel.send(news)
            except DeliveryFailed as failure:
                report.failed[channel.name] = failure.code
                continue
            # Sent first: killed in between, a message comes twice and none is lost.
            memory.remember(channel.name, news)
            report.told[channel.name] = news
    for name, code in report.failed.items():
        logger.warning("alerts: %s was not reached: %s", name, code)
    return report
