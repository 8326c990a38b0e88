"""What a Klaviyo account holds of people, and how it tells them apart."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import count
from typing import Any

from tests.fakes.server import ApiError

NOW = "2026-07-15T00:00:00+00:00"
_IDENTIFIERS = ("email", "external_id", "phone_number")


@dataclass
class Profile:
    """What the account holds of a person."""

    id: str
    attributes: dict[str, Any] = field(default_factory=dict)
    location: dict[str, Any] = field(default_factory=dict)
    properties: dict[str, Any] = field(default_factory=dict)
    consent: dict[str, str] = field(default_factory=dict)
    """By channel; none: never subscribed."""
    consented_at: str | None = None
    lists_left: set[str] = field(default_factory=set)
    """Lists whose mail the person declined."""


class Account:
    """Profiles by Klaviyo's id."""

    def __init__(self) -> None:
        self.profiles: dict[str, Profile] = {}
        self._numbers = count(1)
        self._index: dict[tuple[str, str], str] = {}

    def add(self, **attributes: Any) -> Profile:
        """Put a profile there, as a form or a shop would."""
        profile = Profile(f"01KLAVIYO{next(self._numbers):04}", attributes)
        self.profiles[profile.id] = profile
        self._note(profile)
        return profile

    def of(self, external_id: str) -> Profile | None:
        """The profile that carries a key."""
        return self.by("external_id", external_id)

    def write(self, row: dict, keeps_nulls: bool) -> Profile:
        """Upsert by id, else by an identifier. Import jobs take nulls for absent."""
        given = dict(row["attributes"])
        known = self.profiles.get(row.get("id") or "")
        matches = [p for n in _IDENTIFIERS if given.get(n) and (p := self.by(n, given[n]))]
        profile = known or next(iter(matches), None) or self.add()
        if any(match.id != profile.id for match in matches):
            raise refused(409, "duplicate_profile", "/data/attributes")
        location, properties = given.pop("location", {}), given.pop("properties", {})
        places = (profile.attributes, profile.location, profile.properties)
        for place, values in zip(places, (given, location, properties), strict=True):
            for name, value in values.items():
                if value is not None:
                    place[name] = value
                elif keeps_nulls:
                    place.pop(name, None)
        for name in row.get("meta", {}).get("patch_properties", {}).get("unset", []):
            profile.properties.pop(name, None)
        self._note(profile)
        return profile

    def _note(self, profile: Profile) -> None:
        for name in _IDENTIFIERS:
            if value := profile.attributes.get(name):
                self._index[name, value.casefold()] = profile.id

    def by(self, name: str, value: str) -> Profile | None:
        """The profile with an id or identifier."""
        if name == "id":
            return self.profiles.get(value)
        text = value.casefold()
        found = self.profiles.get(self._index.get((name, text), ""))
        return found if found and found.attributes.get(name, "").casefold() == text else None


def resource(profile: Profile, url: str, shows_subscriptions: bool = True) -> dict:
    """As the API shows a profile."""
    attributes = profile.attributes | {
        "location": profile.location,
        "properties": profile.properties,
    }
    if shows_subscriptions:
        attributes["subscriptions"] = dict(_subscriptions(profile))
    links = {"self": f"{url}/api/profiles/{profile.id}"}
    return {"type": "profile", "id": profile.id, "attributes": attributes, "links": links}


def _subscriptions(profile: Profile) -> Iterator[tuple[str, dict]]:
    for channel in ("email", "sms"):
        consent = profile.consent.get(channel, "NEVER_SUBSCRIBED")
        marketing: dict[str, Any] = {"consent": consent}
        marketing[f"can_receive_{channel}_marketing"] = consent == "SUBSCRIBED"
        if channel == "email":
            marketing["list_suppressions"] = [
                {"list_id": name, "reason": "UNSUBSCRIBE", "timestamp": NOW}
                for name in sorted(profile.lists_left)
            ]
        yield channel, {"marketing": marketing}


def error_entry(code: str, pointer: str) -> dict:
    """An error; its detail quotes a person, as Klaviyo's do."""
    return {
        "id": "e1",
        "code": code,
        "title": "No.",
        "detail": "canary@example.com is not good",
        "source": {"pointer": pointer},
    }


def refused(status: int, code: str, pointer: str = "/data") -> ApiError:
    """A call that is refused as a whole."""
    return ApiError(status, {"errors": [error_entry(code, pointer)]})
