"""What a sync of Klaviyo may declare, and how its rows become profiles."""

from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from typing import Any

from orchestration.destinations._klaviyo import ATTRIBUTES, IDENTIFIERS, LOCATION
from orchestration.sync.spec import SyncSpec

CHANNELS = {"email": "email", "sms": "phone_number"}
"""Channel of a subscription and the identifier it needs."""
OPTIONS = {"list_id", "historical_import", "resubscribe"}


def profile_of(
    values: Mapping[str, str | None],
    external_id: str | None = None,
    profile_id: str | None = None,
) -> dict:
    """A profile resource. Null empties: properties by name, attributes as null."""
    attributes: dict[str, Any] = {"external_id": external_id} if external_id else {}
    location: dict[str, str | None] = {}
    properties: dict[str, str] = {}
    emptied = []
    for name, value in values.items():
        if name in ATTRIBUTES:
            attributes[name] = value
        elif name in LOCATION:
            location[name] = value
        elif value is None:
            emptied.append(name)
        else:
            properties[name] = value
    attributes |= {"location": location} if location else {}
    attributes |= {"properties": properties} if properties else {}
    profile: dict[str, Any] = {"type": "profile", "attributes": attributes}
    profile |= {"id": profile_id} if profile_id else {}
    profile |= {"meta": {"patch_properties": {"unset": emptied}}} if emptied else {}
    return profile


def empties_attribute(profile: dict) -> bool:
    attributes = profile["attributes"]
    return None in attributes.values() or None in attributes.get("location", {}).values()


def carries(profile: dict, identifiers: Mapping[str, str | None]) -> bool:
    there = profile.get("attributes") or {}
    return all(
        str(there.get(name) or "").casefold() == str(value).casefold()
        for name, value in identifiers.items()
    )


def custom_columns(spec: SyncSpec) -> list[str]:
    return [c for c in spec.columns if c not in ATTRIBUTES | LOCATION | {spec.key}]


def problems(spec: SyncSpec) -> Iterator[str]:
    if spec.match_on not in (None, *IDENTIFIERS):
        yield "match_on: Klaviyo finds profiles by email or phone_number, and by the key"
    if "external_id" in spec.columns and spec.key != "external_id":
        yield "external_id: the key is written there; name the key so or leave it out"
    if unknown := sorted(set(spec.options) - OPTIONS):
        yield f"options: Klaviyo knows no {', '.join(unknown)}"
    if spec.object == "profiles":
        if spec.mode == "audience" and not spec.on_leave:
            yield "on_leave: what Klaviyo is to hold of who left must be said"
        if spec.mode == "mirror" and not custom_columns(spec):
            yield "mode mirror: there is no property of ours to take back"
        return
    if not spec.options.get("list_id"):
        yield f"options: {spec.object} need a list_id"
    allowed = {spec.key, spec.person, *IDENTIFIERS}
    if spec.object == "subscriptions":
        allowed |= {"consented_at"}
        identifier = CHANNELS.get(spec.channel)
        if identifier is None or identifier not in spec.columns:
            yield "channel: subscriptions are of email with email, or of sms with phone_number"
        is_historical = spec.options.get("historical_import") == "true"
        if is_historical != ("consented_at" in spec.columns):
            yield "historical_import: it and the column consented_at need each other"
    if odd := [column for column in spec.columns if column not in allowed]:
        yield f"columns: {spec.object} hold no {', '.join(odd)}; a sync of profiles does"


def past(text: str | None) -> str | None:
    """A moment before now as ISO 8601 with its zone (UTC where none is given), else None."""
    try:
        moment = datetime.fromisoformat(text or "")
    except ValueError:
        return None
    moment = moment if moment.tzinfo else moment.replace(tzinfo=UTC)
    return moment.isoformat() if moment < datetime.now(UTC) else None
