"""Klaviyo's endpoints as calls (JSON:API, one revision). Each endpoint has a rate of its own, so
each has an HTTP client of its own."""

import json
import re
from collections.abc import Iterator, Sequence
from typing import Any
from urllib.parse import parse_qs, urlsplit

from orchestration.destinations.base import Limits, Refused, Stopped, safe_code
from orchestration.sync.http import BearerToken, HttpClient, Policy, Reply

BASE_URL = "https://a.klaviyo.com"
REVISION = "2026-07-15"
IDENTIFIERS = ("email", "phone_number")
ATTRIBUTES = {*IDENTIFIERS, "first_name", "last_name", "organization", "locale", "title", "image"}
LOCATION = {"address1", "address2", "city", "region", "zip", "country", "timezone", "ip"}
LOCATION |= {"latitude", "longitude"}

_MEDIA_TYPE = "application/vnd.api+json"
_PAGE = 100
# Lookups are GETs: a hundred customer ids fit, ids of any length must not break the address.
_FILTER_CHARS = 4000
_MAX_PAGES = 1000

# Requests per second and per minute: four fifths of the vendor's, the rest is for others.
_LARGE = ((60, 1), (600, 60))
_MEDIUM = ((8, 1), (120, 60))
_SMALL = ((2, 1), (48, 60))
_IMPORTS, _LISTS = "/api/profile-bulk-import-jobs", "/api/lists"
_PROFILES, _ONE = "/api/profiles", "/api/profile-import"
_SUBSCRIBE = "/api/profile-subscription-bulk-create-jobs"
_UNSUBSCRIBE = "/api/profile-subscription-bulk-delete-jobs"
_ERASE = "/api/data-privacy-deletion-jobs"
_RATES = {
    _IMPORTS: _MEDIUM,
    _LISTS: _MEDIUM,
    _PROFILES: _LARGE,
    _ONE: _LARGE,
    _SUBSCRIBE: _LARGE,
    _UNSUBSCRIBE: _LARGE,
    _ERASE: _SMALL,
}


class KlaviyoApi:
    """One account. Calls return the reply, whatever its status; lookups raise ``Refused``."""

    def __init__(
        self, base_url: str, key: str, revision: str = REVISION, policy: Policy | None = None
    ) -> None:
        headers = {"revision": revision, "Content-Type": _MEDIA_TYPE, "Accept": _MEDIA_TYPE}
        self._clients = {
            path: HttpClient(
                base_url.rstrip("/") + path,
                BearerToken(key, "Klaviyo-API-Key"),
                Limits(1, rates),
                policy,
                headers=headers,
            )
            for path, rates in _RATES.items()
        }

    @property
    def calls(self) -> int:
        return sum(client.calls for client in self._clients.values())

    def start_import(self, profiles: Sequence[dict]) -> Reply:
        """202 with the job."""
        return self._post(_IMPORTS, import_job(profiles), readable={202})

    def import_job(self, job_id: str) -> dict | None:
        """A job's attributes; None when Klaviyo no longer has it."""
        reply = self._clients[_IMPORTS].request("GET", f"/{job_id}", statuses={200})
        if reply.status == 404:
            return None
        return data_of(_good(reply)).get("attributes") or {}

    def import_errors(self, job_id: str) -> Iterator[tuple[int | None, str]]:
        """Position in the job (None: not said) and code of every refused profile. The fields
        are named, so that ``original_payload``, which is the profile, does not travel."""
        params = {"fields[import-error]": "code,source.pointer"}
        for error in self._pages(_IMPORTS, f"/{job_id}/import-errors", params):
            yield _place_and_code(error.get("attributes") or {})

    def import_error_keys(self, job_id: str) -> Iterator[tuple[str, str]]:
        """External id and code, where positions are not said. Of the profile that comes with
        an error nothing else is looked at."""
        params = {"fields[import-error]": "code,source.pointer,original_payload"}
        for error in self._pages(_IMPORTS, f"/{job_id}/import-errors", params):
            attributes = error.get("attributes") or {}
            profile = attributes.get("original_payload")
            profile = profile if isinstance(profile, dict) else {}
            places = (profile, profile.get("attributes"))
            keys = [p["external_id"] for p in places if isinstance(p, dict) and "external_id" in p]
            yield str(keys[0] if keys else ""), _place_and_code(attributes)[1]

    def import_one(self, profile: dict) -> Reply:
        """200 or 201 with the profile. The only way to empty a standard attribute."""
        params = {"additional-fields[profile]": "subscriptions"}
        return self._post(_ONE, {"data": profile}, readable={200, 201}, params=params)

    def profiles(self, field: str, values: Sequence[str], wanted: str) -> Iterator[dict]:
        """Those whose ``field`` is one of ``values``. ``wanted``: fields, with commas."""
        params = {"fields[profile]": wanted}
        if "subscriptions" in wanted:
            params["additional-fields[profile]"] = "subscriptions"
        for part in _parts(values):
            yield from self._pages(_PROFILES, "", params | {"filter": _any(field, part)})

    def add_to_list(self, list_id: str, profile_ids: Sequence[str]) -> Reply:
        """204. At most 1,000."""
        return self._membership("POST", list_id, profile_ids)

    def remove_from_list(self, list_id: str, profile_ids: Sequence[str]) -> Reply:
        """204. At most 1,000. Consent stays as it is."""
        return self._membership("DELETE", list_id, profile_ids)

    def subscribe(self, profiles: Sequence[dict], list_id: str, is_historical: bool) -> Reply:
        """202 without a body. At most 1,000."""
        attributes: dict[str, Any] = {"profiles": {"data": list(profiles)}}
        if is_historical:
            attributes["historical_import"] = True
        payload = _job("profile-subscription-bulk-create-job", attributes, list_id)
        return self._of_list(list_id, self._post(_SUBSCRIBE, payload))

    def unsubscribe(self, profiles: Sequence[dict]) -> Reply:
        """202 without a body. At most 100. From everything."""
        attributes = {"profiles": {"data": list(profiles)}}
        return self._post(_UNSUBSCRIBE, _job("profile-subscription-bulk-delete-job", attributes))

    def erase(self, profile_id: str) -> Reply:
        """202 without a body: the profile and its history will go, for good."""
        profile = {"type": "profile", "id": profile_id, "attributes": {}}
        job = _job("data-privacy-deletion-job", {"profile": {"data": profile}})
        return self._post(_ERASE, job)

    # -- inside

    def _post(
        self,
        path: str,
        payload: dict,
        readable: set[int] | None = None,
        params: dict[str, str] | None = None,
    ) -> Reply:
        client = self._clients[path]
        return client.request("POST", "", payload, params=params, statuses=readable)

    def _membership(self, method: str, list_id: str, profile_ids: Sequence[str]) -> Reply:
        payload = {"data": [{"type": "profile", "id": profile_id} for profile_id in profile_ids]}
        path = f"/{list_id}/relationships/profiles"
        return self._of_list(list_id, self._clients[_LISTS].request(method, path, payload))

    def _of_list(self, list_id: str, reply: Reply) -> Reply:
        """An answer about a list that is there. A 404 may be about a profile as well, one that
        was deleted meanwhile."""
        if reply.status == 404:
            found = self._clients[_LISTS].request("GET", f"/{list_id}", statuses={200})
            if found.status == 404:
                raise Stopped("LIST_NOT_FOUND")
        return reply

    def _pages(self, endpoint: str, path: str, params: dict[str, str]) -> Iterator[dict]:
        params = params | {"page[size]": str(_PAGE)}
        for _ in range(_MAX_PAGES):
            reply = self._clients[endpoint].request("GET", path, params=params, statuses={200})
            body = _good(reply).body
            yield from _dicts(body.get("data"))
            link = (body.get("links") or {}).get("next")
            cursor = parse_qs(urlsplit(link).query).get("page[cursor]") if link else None
            if not cursor:
                return
            params = params | {"page[cursor]": cursor[0]}


def import_job(profiles: Sequence[dict]) -> dict:
    """The body that starts a bulk import."""
    return _job("profile-bulk-import-job", {"profiles": {"data": list(profiles)}})


def refusal(reply: Reply) -> str:
    """Why a call was refused, as a code."""
    errors = _errors(reply)
    code = _place_and_code(errors[0])[1] if errors else "UNSPECIFIED"
    return f"HTTP_{reply.status}" if code == "UNSPECIFIED" else code


def refused_rows(reply: Reply, count: int) -> dict[int, str]:
    """Code by position, of the rows for which a call of ``count`` rows was refused. Empty where
    any error is about the call itself."""
    codes = {}
    for error in _errors(reply):
        place, code = _place_and_code(error)
        if place is None or place >= count:
            return {}
        codes[place] = code
    return codes


def _place_and_code(error: dict) -> tuple[int | None, str]:
    """Pointers look like ``/data/attributes/profiles/data/3/attributes/email``."""
    source = error.get("source")
    pointer = str(source.get("pointer") or "") if isinstance(source, dict) else ""
    place = re.search(r"/(\d{1,9})(?=/|$)", pointer)
    code = safe_code(str(error.get("code")).upper())
    attribute = pointer.rpartition("/")[2]
    if code != "UNSPECIFIED" and attribute in ATTRIBUTES | LOCATION:
        code = safe_code(f"{code}_{attribute.upper()}")
    return (int(place[1]) if place else None), code


def _job(kind: str, attributes: dict, list_id: str | None = None) -> dict:
    job: dict[str, Any] = {"type": kind, "attributes": attributes}
    if list_id:
        job["relationships"] = {"list": {"data": {"type": "list", "id": list_id}}}
    return {"data": job}


def _any(field: str, values: Sequence[str]) -> str:
    quoted = ",".join(json.dumps(value, ensure_ascii=False) for value in values)
    return f"any({field},[{quoted}])"


def _parts(values: Sequence[str]) -> Iterator[list[str]]:
    part: list[str] = []
    for value in values:
        if part and (len(part) == _PAGE or sum(map(len, part)) + len(value) > _FILTER_CHARS):
            yield part
            part = []
        part.append(value)
    if part:
        yield part


def _good(reply: Reply) -> Reply:
    if reply.status != 200 or not isinstance(reply.body, dict):
        raise Refused(refusal(reply))
    return reply


def data_of(reply: Reply) -> dict:
    """The one resource of an answer; empty where it has none."""
    data = reply.body.get("data") if isinstance(reply.body, dict) else None
    return data if isinstance(data, dict) else {}


def _errors(reply: Reply) -> list[dict]:
    return _dicts(reply.body.get("errors") if isinstance(reply.body, dict) else None)


def _dicts(found: Any) -> list[dict]:
    return [item for item in found if isinstance(item, dict)] if isinstance(found, list) else []
