"""Klaviyo: profiles by bulk import jobs, membership of a list, subscriptions.

A profile is the customer's whose key it carries as ``external_id``, so removals need no personal
data of ours. Klaviyo refuses a call for one bad row and points at it: such rows are rejected and
the call is made again without them.
"""

import json
from collections.abc import Callable, Mapping, Sequence
from typing import Any, ClassVar

from orchestration.destinations import _klaviyo as vendor
from orchestration.destinations._klaviyo import ATTRIBUTES, IDENTIFIERS, KlaviyoApi
from orchestration.destinations._klaviyo_rules import (
    CHANNELS,
    carries,
    custom_columns,
    empties_attribute,
    past,
    problems,
    profile_of,
)
from orchestration.destinations.base import (
    Destination,
    Job,
    Limits,
    Outcome,
    Refused,
    Row,
    Unanswered,
    setting,
)
from orchestration.sync.http import Reply
from orchestration.sync.spec import SyncSpec

_WITHDRAWALS = {"consent", "objection", "restriction", "erasure"}

# The bodies of a call: brackets, type and attributes around the rows.
_ENVELOPE_BYTES = 1000
_PROFILE_BYTES = 100_000
_ROWS_PER_UNSUBSCRIBE = 100
_CALLS_PER_REFUSED = 20
# Rows of a batch where each takes a call of its own: half a minute's, so that outcomes are
# committed, and a deadline is seen, while thousands are to go.
_ERASURES = 25
_CHANGES = 250

_Item = tuple[Row, dict]


class Klaviyo(Destination):
    """One account. Environment: ``KLAVIYO_API_KEY`` (a private key), optionally
    ``KLAVIYO_BASE_URL`` and ``KLAVIYO_REVISION``."""

    name = "klaviyo"
    manner_options = frozenset({"historical_import", "resubscribe"})
    supported = frozenset(
        {("profiles", mode) for mode in ("upsert", "mirror", "audience", "delete")}
        | {("lists", "audience"), ("subscriptions", "audience")}
    )
    poll_seconds: ClassVar[float] = 5.0

    def __init__(self, spec: SyncSpec, api: KlaviyoApi) -> None:
        self._spec = spec
        self._api = api
        # Rates are per endpoint and kept by its client.
        written = {"profiles": 10_000, "lists": 1_000, "subscriptions": 1_000}[spec.object]
        rows = _ERASURES if spec.mode == "delete" else written
        self.limits = Limits(rows, ((60, 1),), batch_bytes=5_000_000 - _ENVELOPE_BYTES)

    @classmethod
    def from_environment(cls, spec: SyncSpec) -> "Klaviyo":
        base_url = setting("KLAVIYO_BASE_URL", vendor.BASE_URL)
        revision = setting("KLAVIYO_REVISION", vendor.REVISION)
        return cls(spec, KlaviyoApi(base_url, setting("KLAVIYO_API_KEY"), revision))

    @classmethod
    def check(cls, spec: SyncSpec) -> None:
        super().check(spec)
        if problem := next(problems(spec), None):
            raise ValueError(problem)

    @property
    def calls(self) -> int:
        return self._api.calls

    def weight(self, row: Row) -> int:
        """A row that takes a call of its own weighs its share of as many as go together."""
        is_upsert = row.action == "upsert"
        values = self._given(row) if is_upsert else self._leaving()
        profile = profile_of(values, external_id=row.key)
        weighs = len(_json(profile)) + 2
        if not is_upsert and self._is_erasure(row):
            return max(weighs, self.limits.batch_bytes // _ERASURES)
        may_be_made = is_upsert and self._spec.object != "profiles" and not row.remote_id
        if may_be_made or (self._spec.object == "profiles" and empties_attribute(profile)):
            return max(weighs, self.limits.batch_bytes // _CHANGES)
        return weighs

    def upsert(self, rows: Sequence[Row]) -> list[Outcome] | Job:
        if self._spec.object == "profiles":
            return self._import(
                [(row, profile_of(self._given(row), external_id=row.key)) for row in rows]
            )
        needed = CHANNELS[self._spec.channel] if self._spec.object == "subscriptions" else None
        unable = {row.key for row in rows if needed and not row.values.get(needed)}
        outcomes = [Outcome.rejected(key, "MISSING_IDENTIFIER") for key in unable]
        able = [row for row in rows if row.key not in unable]
        profiles, refused = self._found_or_made(able)
        outcomes += refused
        there = [row for row in able if row.key in profiles]
        act = self._join if self._spec.object == "lists" else self._subscribe
        return outcomes + act(there, profiles)

    def remove(self, rows: Sequence[Row]) -> list[Outcome] | Job:
        profiles = self._found(rows)
        outcomes = [Outcome.delivered(row.key) for row in rows if row.key not in profiles]
        there = [row for row in rows if row.key in profiles]
        erased = [(row, profiles[row.key]) for row in there if self._is_erasure(row)]
        outcomes += _one_by_one(erased, self._erase)
        others = [row for row in there if not self._is_erasure(row)]
        if self._spec.object == "lists":
            return outcomes + self._leave(others, profiles)
        if self._spec.object == "subscriptions":
            withdrew = [row for row in others if row.reason in _WITHDRAWALS]
            left = [row for row in others if row.reason not in _WITHDRAWALS]
            outcomes += self._unsubscribe(withdrew, profiles)
            return outcomes + self._leave(left, profiles)
        leaving = self._leaving()
        if not leaving:
            return outcomes + [Outcome.rejected(row.key, "NO_REMOVAL_DECLARED") for row in others]
        items = [(row, profile_of(leaving, profile_id=profiles[row.key]["id"])) for row in others]
        return self._import(items, outcomes)

    def poll(self, job_id: str, rows: Sequence[Row]) -> list[Outcome] | None:
        job = self._api.import_job(job_id)
        if job is None:
            return [Outcome.unknown(row.key, "JOB_EXPIRED") for row in rows]
        if job.get("status") in ("queued", "processing"):
            return None
        if job.get("status") != "complete":
            return [Outcome.unknown(row.key, "JOB_NOT_COMPLETE") for row in rows]
        if job.get("total_count") != len(rows):
            # Positions would point at other people.
            return [Outcome.unknown(row.key, "JOB_OF_OTHER_ROWS") for row in rows]
        failed = job.get("failed_count") or 0
        try:
            codes = self._codes(job_id, rows) if failed else {}
        except Refused as refused:
            return [Outcome.unknown(row.key, refused.code) for row in rows]
        return [
            Outcome.rejected(row.key, codes[row.key])
            if row.key in codes
            else Outcome.delivered(row.key)
            if len(codes) >= failed
            else Outcome.unknown(row.key, "ERROR_WITHOUT_ROW")
            for row in rows
        ]

    def _codes(self, job_id: str, rows: Sequence[Row]) -> dict[str, str]:
        """Codes by row key, as far as errors name their rows."""
        errors = list(self._api.import_errors(job_id))
        if all(place is not None and place < len(rows) for place, _ in errors):
            return {rows[place].key: code for place, code in errors if place is not None}
        keys = {row.key for row in rows}
        return {key: code for key, code in self._api.import_error_keys(job_id) if key in keys}

    def read(self, rows: Sequence[Row]) -> Mapping[str, Mapping[str, str | None]] | None:
        if self._spec.object != "profiles":
            return None
        wanted = "external_id,properties,location," + ",".join(sorted(ATTRIBUTES))
        profiles = self._found(rows, wanted)
        return {key: self._columns(profile) for key, profile in profiles.items()}

    # -- profiles

    def _import(self, items: list[_Item], outcomes: Sequence[Outcome] = ()) -> list[Outcome] | Job:
        """One by one where a standard attribute is to be emptied: import jobs skip nulls."""
        settled, single, bulk = list(outcomes), [], []
        for row, profile in items:
            if len(_json(profile)) + 20 > _PROFILE_BYTES:
                settled.append(Outcome.rejected(row.key, "PROFILE_TOO_LARGE"))
            else:
                (single if empties_attribute(profile) else bulk).append((row, profile))
        settled += (told := _one_by_one(single, self._import_one))
        if told and told[-1].status == "unknown":
            code = told[-1].error_code
            return settled + [Outcome.unknown(row.key, code) for row, _ in bulk]
        _, refused, reply = _accepted(bulk, self._api.start_import)
        settled += refused
        if reply is None:
            return settled
        job_id = vendor.data_of(reply).get("id")
        if not job_id:
            raise Unanswered("NO_JOB_ID")
        return Job(str(job_id), tuple(settled))

    def _import_one(self, row: Row, profile: dict) -> Outcome:
        reply = self._api.import_one(profile)
        if reply.status in (200, 201):
            return Outcome.delivered(row.key, vendor.data_of(reply).get("id"))
        return Outcome.rejected(row.key, vendor.refusal(reply))

    def _given(self, row: Row) -> dict[str, str | None]:
        """Null leaves a field alone unless the sync says it empties it."""
        return {
            name: value
            for name, value in row.values.items()
            if name != self._spec.key and (value is not None or name in self._spec.clear_nulls)
        }

    def _leaving(self) -> dict[str, str | None]:
        """What is written when a person leaves; null empties. Klaviyo cannot put a profile away,
        so a mirror takes back what is ours alone: its properties."""
        if self._spec.mode == "mirror":
            return dict.fromkeys(custom_columns(self._spec))
        return {name: value or None for name, value in self._spec.on_leave.items()}

    def _columns(self, profile: dict) -> dict[str, str | None]:
        attributes = profile.get("attributes") or {}
        places = (attributes, attributes.get("location"), attributes.get("properties"))
        flat: dict[str, Any] = {}
        for place in places:
            flat |= place if isinstance(place, dict) else {}
        flat[self._spec.key] = attributes.get("external_id")
        values = {name: flat.get(name) for name in self._spec.columns}
        return {name: None if value is None else str(value) for name, value in values.items()}

    # -- finding

    def _found(
        self, rows: Sequence[Row], wanted: str = "external_id,email,phone_number"
    ) -> dict[str, dict]:
        """Profiles by row key: by id where one is known, else by the key they carry."""
        by_id = {row.remote_id: row.key for row in rows if row.remote_id}
        found = {
            by_id[profile["id"]]: profile
            for profile in self._api.profiles("id", list(by_id), wanted)
            if profile.get("id") in by_id
        }
        missing = [row.key for row in rows if row.key not in found]
        for profile in self._api.profiles("external_id", missing, wanted):
            key = (profile.get("attributes") or {}).get("external_id")
            if key in missing and profile.get("id"):
                found.setdefault(key, profile)
        return found

    def _found_or_made(self, rows: Sequence[Row]) -> tuple[dict[str, dict], list[Outcome]]:
        """Profiles that carry the key and the identifiers of their rows, and the outcomes of
        rows for which there is none."""
        profiles = self._found(rows, "external_id,email,phone_number,subscriptions")
        outcomes = []
        for row in rows:
            identifiers = {n: row.values[n] for n in IDENTIFIERS if row.values.get(n)}
            if row.key in profiles and carries(profiles[row.key], identifiers):
                continue
            profile_id = profiles.pop(row.key, {}).get("id")
            profile = profile_of(identifiers, external_id=row.key, profile_id=profile_id)
            reply = self._api.import_one(profile)
            made = vendor.data_of(reply)
            if reply.status in (200, 201) and made.get("id"):
                profiles[row.key] = made
            else:
                outcomes.append(Outcome.rejected(row.key, vendor.refusal(reply)))
        return profiles, outcomes

    def _is_erasure(self, row: Row) -> bool:
        is_erased = row.reason == "erasure" and self._spec.on_erasure == "delete"
        return is_erased or self._spec.mode == "delete"

    def _erase(self, row: Row, profile: dict) -> Outcome:
        """For good, with its history."""
        reply = self._api.erase(profile["id"])
        if reply.status in (202, 404):
            return Outcome.delivered(row.key)
        return Outcome.rejected(row.key, vendor.refusal(reply))

    # -- lists

    def _join(self, rows: list[Row], profiles: Mapping[str, dict]) -> list[Outcome]:
        return self._change_list(self._api.add_to_list, rows, profiles)

    def _leave(self, rows: list[Row], profiles: Mapping[str, dict]) -> list[Outcome]:
        return self._change_list(self._api.remove_from_list, rows, profiles)

    def _change_list(
        self,
        change: Callable[[str, Sequence[str]], Reply],
        rows: list[Row],
        profiles: Mapping[str, dict],
    ) -> list[Outcome]:
        ids = {row.key: str(profiles[row.key]["id"]) for row in rows}
        if rows:
            reply = change(self._spec.options["list_id"], list(ids.values()))
            if reply.status != 204:
                raise Refused(vendor.refusal(reply))
        return [Outcome.delivered(key, profile_id) for key, profile_id in ids.items()]

    # -- subscriptions

    def _subscribe(self, rows: list[Row], profiles: Mapping[str, dict]) -> list[Outcome]:
        """Subscribing lifts an unsubscription, which the person made over there: such rows are
        rejected unless the sync's option ``resubscribe`` says otherwise."""
        options, identifier = self._spec.options, CHANNELS[self._spec.channel]
        is_historical = options.get("historical_import") == "true"
        outcomes, items = [], []
        for row in rows:
            consent: dict[str, str] = {"consent": "SUBSCRIBED"}
            moment = past(row.values.get("consented_at")) if is_historical else None
            if is_historical and not moment:
                outcomes.append(Outcome.rejected(row.key, "CONSENTED_AT_NOT_PAST"))
            elif options.get("resubscribe") != "true" and self._is_unsubscribed(profiles[row.key]):
                outcomes.append(Outcome.rejected(row.key, "UNSUBSCRIBED_THERE"))
            else:
                consent |= {"consented_at": moment} if moment else {}
                profile = self._subscription(row.values[identifier] or "", consent)
                items.append((row, profile | {"id": profiles[row.key]["id"]}))
        list_id = options["list_id"]
        accepted, refused, _ = _accepted(
            items, lambda part: self._api.subscribe(part, list_id, is_historical)
        )
        return (
            outcomes
            + refused
            + [Outcome.delivered(row.key, profile["id"]) for row, profile in accepted]
        )

    def _unsubscribe(self, rows: list[Row], profiles: Mapping[str, dict]) -> list[Outcome]:
        """From everything, and for withdrawals alone: who merely left could not come back, as
        nothing tells our unsubscription from the person's own."""
        identifier, consent = CHANNELS[self._spec.channel], {"consent": "UNSUBSCRIBED"}
        items = [
            (row, self._subscription(address, consent))
            for row in rows
            if (address := (profiles[row.key].get("attributes") or {}).get(identifier))
        ]
        rejected: list[Outcome] = []
        for start in range(0, len(items), _ROWS_PER_UNSUBSCRIBE):
            part = items[start : start + _ROWS_PER_UNSUBSCRIBE]
            rejected += _accepted(part, self._api.unsubscribe)[1]
        refused = {outcome.key for outcome in rejected}
        return rejected + [Outcome.delivered(row.key) for row in rows if row.key not in refused]

    def _subscription(self, address: str, consent: dict[str, str]) -> dict:
        channel = self._spec.channel
        attributes = {
            CHANNELS[channel]: address,
            "subscriptions": {channel: {"marketing": consent}},
        }
        return {"type": "profile", "attributes": attributes}

    def _is_unsubscribed(self, profile: dict) -> bool:
        subscriptions = (profile.get("attributes") or {}).get("subscriptions") or {}
        marketing = (subscriptions.get(self._spec.channel) or {}).get("marketing") or {}
        if marketing.get("consent") == "UNSUBSCRIBED" or marketing.get("suppression"):
            return True
        here = self._spec.options["list_id"]
        return any(s.get("list_id") == here for s in marketing.get("list_suppressions") or [])


def _one_by_one(items: list[_Item], act: Callable[[Row, dict], Outcome]) -> list[Outcome]:
    """A call a row. When one has no known end, the endpoint is down: those after it are not
    tried."""
    outcomes: list[Outcome] = []
    for position, item in enumerate(items):
        try:
            outcomes.append(act(*item))
        except Unanswered as unanswered:
            left = items[position:]
            return outcomes + [Outcome.unknown(row.key, unanswered.code) for row, _ in left]
    return outcomes


def _accepted(
    items: list[_Item], send: Callable[[list[dict]], Reply]
) -> tuple[list[_Item], list[Outcome], Reply | None]:
    """What was accepted, the rows it was refused for, and the answer; raises ``Refused``."""
    rejected: list[Outcome] = []
    for _ in range(_CALLS_PER_REFUSED):
        if not items:
            return [], rejected, None
        reply = send([profile for _, profile in items])
        if reply.status == 202:
            return items, rejected, reply
        codes = vendor.refused_rows(reply, len(items))
        if not codes:
            raise Refused(vendor.refusal(reply))
        rejected += [Outcome.rejected(items[place][0].key, code) for place, code in codes.items()]
        items = [item for place, item in enumerate(items) if place not in codes]
    raise Refused("REFUSED_AGAIN_AND_AGAIN")


def _json(profile: dict) -> str:
    """As it will be sent."""
    return json.dumps(profile)
