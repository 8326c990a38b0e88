"""HubSpot: contacts, and members of static lists.

A contact is found by e-mail once; from then on by its record id, so that a changed e-mail
changes the contact instead of making a second one. Where the id was lost with an answer, or has
no contact any more, the contact is looked up by the customer key, which is a property with
unique values.
"""

from collections.abc import Collection, Mapping, Sequence
from typing import ClassVar

from orchestration.destinations._hubspot import (
    BATCH_ROWS,
    CONFLICT,
    NOT_THERE,
    PERHAPS_GONE,
    RECORD_ID,
    Portal,
)
from orchestration.destinations._hubspot_lists import Members
from orchestration.destinations.base import Destination, Limits, Outcome, Refused, Row, setting
from orchestration.sync.http import BearerToken, HttpClient
from orchestration.sync.spec import SyncSpec

_BASE_URL = "https://api.hubapi.com"
_CONTACT_MODES = (
    "upsert",
    "update_only",
    "create_only",
    "mirror",
    "audience",
    "archive",
    "delete",
)
_LISTS_WHO_GOES = ("archive", "delete")
# Reasons for which a contact is looked for that the ledger knows nothing of.
_SOUGHT = ("listed", "erasure")


class HubSpot(Destination):
    """One portal. Environment: ``HUBSPOT_TOKEN`` (a private app's), optionally
    ``HUBSPOT_BASE_URL`` and ``HUBSPOT_API_VERSION`` (default ``v3``)."""

    name = "hubspot"
    manner_options = frozenset({"create_missing"})
    # Private apps: 100 inputs per batch; 190 requests per 10 seconds, of which we leave some
    # to others on the portal.
    limits: ClassVar[Limits] = Limits(batch_rows=BATCH_ROWS, rates=((150, 10),))
    supported = frozenset({("contacts", mode) for mode in _CONTACT_MODES} | {("lists", "audience")})

    def __init__(self, spec: SyncSpec, http: HttpClient, version: str = "v3") -> None:
        self._spec = spec
        self._http = http
        self._portal = Portal(http, spec.key, version)
        self._members = None
        if spec.object == "lists":
            create = self._create if spec.options.get("create_missing") == "true" else None
            self._members = Members(spec, self._portal, create)

    @classmethod
    def from_environment(cls, spec: SyncSpec) -> "HubSpot":
        token = setting("HUBSPOT_TOKEN")
        base_url = setting("HUBSPOT_BASE_URL", _BASE_URL)
        version = setting("HUBSPOT_API_VERSION", "v3")
        return cls(spec, HttpClient(base_url, BearerToken(token), cls.limits), version)

    @classmethod
    def check(cls, spec: SyncSpec) -> None:
        super().check(spec)
        if spec.object == "lists":
            _check_list(spec)
        elif spec.mode not in _LISTS_WHO_GOES and spec.match_on != "email":
            raise ValueError("match_on: HubSpot contacts are found by email")
        elif spec.mode == "audience" and not spec.on_leave:
            raise ValueError("on_leave: what HubSpot is to hold of who left must be said")

    @property
    def calls(self) -> int:
        return self._http.calls

    def upsert(self, rows: Sequence[Row]) -> list[Outcome]:
        if self._members:
            return self._members.add(rows, self._ids(rows))
        if self._spec.mode in _LISTS_WHO_GOES:
            raise ValueError(f"mode {self._spec.mode} writes nothing")
        if self._spec.mode == "create_only":
            return self._create_only(rows)
        ids = self._ids(rows)
        known = [row for row in rows if row.key in ids]
        properties = {row.key: self._properties(row) for row in known}
        outcomes = self._update_located(properties, known, ids)
        # Deleted over there: written anew, or found by e-mail.
        gone = {outcome.key for outcome in outcomes if outcome.error_code == NOT_THERE}
        others = [row for row in rows if row.key not in ids or row.key in gone]
        kept = [outcome for outcome in outcomes if outcome.key not in gone]
        write = self._update_found if self._spec.mode == "update_only" else self._create
        return kept + write(others)

    def remove(self, rows: Sequence[Row]) -> list[Outcome]:
        outcomes = self._erase([row for row in rows if self._is_erased(row)])
        others = [row for row in rows if not self._is_erased(row)]
        if self._spec.mode in ("mirror", "archive"):
            return outcomes + self._archive(others)
        ids = self._ids(others)
        outcomes += [Outcome.delivered(row.key) for row in others if row.key not in ids]
        there = [row for row in others if row.key in ids]
        if self._members:
            return outcomes + self._members.remove(ids, lambda keys: self._located(there, keys))
        if not self._spec.on_leave:
            return outcomes + [Outcome.rejected(row.key, "NO_REMOVAL_DECLARED") for row in there]
        emptied = self._update_located({row.key: self._spec.on_leave for row in there}, there, ids)
        return outcomes + [
            Outcome.delivered(outcome.key) if outcome.error_code == NOT_THERE else outcome
            for outcome in emptied
        ]

    def read(self, rows: Sequence[Row]) -> Mapping[str, Mapping[str, str | None]] | None:
        """Contacts by record id, those without one by the customer key. Members of lists
        cannot be asked for one by one."""
        if self._members:
            return None
        columns = self._spec.columns
        ids = {row.key: row.remote_id for row in rows if row.remote_id}
        by_id = self._portal.find(RECORD_ID, ids.values(), columns)
        held = {key: by_id[record_id] for key, record_id in ids.items() if record_id in by_id}
        keys = [row.key for row in rows if row.key not in ids]
        held |= self._portal.find(self._spec.key, keys, columns)
        return {
            key: {name: contact["properties"].get(name) or None for name in columns}
            for key, contact in held.items()
        }

    # -- writing

    def _create(self, rows: list[Row]) -> list[Outcome]:
        """Write contacts by e-mail: into those that are there, else new ones."""
        named, outcomes = _with_email(rows)
        inputs = [
            {
                "id": row.values["email"],
                "idProperty": "email",
                "properties": self._properties(row),
            }
            for row in named
        ]
        return outcomes + self._portal.write("upsert", named, inputs)

    def _update_located(
        self, properties: Mapping[str, dict[str, str]], rows: list[Row], ids: Mapping[str, str]
    ) -> list[Outcome]:
        """Write by record id, and where nobody has that any more, by the one of now.
        ``NOT_THERE``: nobody has any of them."""
        outcomes = self._update(properties, rows, ids)
        lost = {outcome.key for outcome in outcomes if outcome.error_code in PERHAPS_GONE}
        now = self._located(rows, lost)
        moved = [row for row in rows if now.get(row.key, ids[row.key]) != ids[row.key]]
        settled = {key: Outcome.rejected(key, NOT_THERE) for key in lost if key not in now}
        settled |= {o.key: o for o in self._update(properties, moved, now)}
        return [settled.get(outcome.key, outcome) for outcome in outcomes]

    def _update(
        self, properties: Mapping[str, dict[str, str]], rows: list[Row], ids: Mapping[str, str]
    ) -> list[Outcome]:
        inputs = [{"id": ids[row.key], "properties": properties[row.key]} for row in rows]
        try:
            return self._portal.write("update", rows, inputs)
        except Refused as refused:
            if len(rows) == 1 and refused.code in PERHAPS_GONE:
                return [Outcome.rejected(rows[0].key, refused.code)]
            raise

    def _update_found(self, rows: list[Row]) -> list[Outcome]:
        """Mode update_only: write into contacts that have the e-mail."""
        named, outcomes = _with_email(rows)
        contacts = self._portal.find("email", [row.values["email"] for row in named])
        ids = {
            row.key: contacts[row.values["email"]]["id"]
            for row in named
            if row.values["email"] in contacts
        }
        there = [row for row in named if row.key in ids]
        outcomes += [Outcome.rejected(row.key, NOT_THERE) for row in named if row.key not in ids]
        return outcomes + self._update({r.key: self._properties(r) for r in there}, there, ids)

    def _create_only(self, rows: Sequence[Row]) -> list[Outcome]:
        """New contacts. A conflict with a contact that has our key is our own earlier call,
        whose answer was lost; any other is somebody's contact and left alone."""
        ids = self._ids(rows)
        made = [Outcome.delivered(key, record_id) for key, record_id in ids.items()]
        new, unnamed = _with_email([row for row in rows if row.key not in ids])
        made += unnamed
        inputs = [{"properties": self._properties(row)} for row in new]
        try:
            outcomes = self._portal.write("create", new, inputs)
        except Refused as refused:
            if refused.code != CONFLICT:
                raise
            ours = self._portal.find(self._spec.key, [row.key for row in new])
            if not ours and len(new) > 1:
                raise
            outcomes = [Outcome.delivered(key, contact["id"]) for key, contact in ours.items()]
            others = [row for row in new if row.key not in ours]
            if not ours:
                return made + [Outcome.rejected(row.key, CONFLICT) for row in others]
            return made + outcomes + (self._create_only(others) if others else [])
        taken = [outcome.key for outcome in outcomes if outcome.error_code == CONFLICT]
        ours = self._portal.find(self._spec.key, taken)
        return made + [
            Outcome.delivered(o.key, ours[o.key]["id"]) if o.key in ours else o for o in outcomes
        ]

    # -- taking away

    def _archive(self, rows: list[Row]) -> list[Outcome]:
        """The answer is the same for a contact that is there and one that is not, so where it
        is comes first."""
        ids = self._located(rows)
        absent = [Outcome.delivered(row.key) for row in rows if row.key not in ids]
        return absent + self._portal.archive(ids)

    def _erase(self, rows: list[Row]) -> list[Outcome]:
        """Located first: nothing is documented of an erasure by the id of before a merge. An id
        that cannot be read is tried all the same: it may be in the recycling bin."""
        ids = {row.key: row.remote_id for row in rows if row.remote_id} | self._located(rows)
        outcomes = [Outcome.delivered(row.key) for row in rows if row.key not in ids]
        outcomes += self._portal.erase(ids)
        # Erased by a call whose answer was lost, or there after all.
        lost = {outcome.key for outcome in outcomes if outcome.error_code in PERHAPS_GONE}
        gone = lost - set(self._located(rows, lost))
        return [Outcome.delivered(o.key) if o.key in gone else o for o in outcomes]

    # -- rows

    def _ids(self, rows: Sequence[Row]) -> dict[str, str]:
        """Record ids by row key: from the ledger, or looked up by the customer key where an
        answer was lost, somebody had left before being erased, or another sync made the contact."""
        ids = {row.key: row.remote_id for row in rows if row.remote_id}
        return ids | self._sought([row for row in rows if not row.remote_id])

    def _located(self, rows: Sequence[Row], keys: Collection[str] | None = None) -> dict[str, str]:
        """Record ids as they are now, of the rows with these keys: a contact that was merged has
        another one, and so has one that was deleted and made anew."""
        asked = [row for row in rows if keys is None or row.key in keys]
        ids = {row.key: row.remote_id for row in asked if row.remote_id}
        contacts = self._portal.find(RECORD_ID, ids.values())
        now = {key: contacts[old]["id"] for key, old in ids.items() if old in contacts}
        return now | self._sought([row for row in asked if row.key not in now])

    def _sought(self, rows: Sequence[Row]) -> dict[str, str]:
        """Record ids of rows that may have a contact, by the customer key; in a mode that lists
        who goes, by e-mail, too."""
        rows = [r for r in rows if r.remote_id or r.is_uncertain or r.reason in _SOUGHT]
        found = self._portal.find(self._spec.key, [row.key for row in rows])
        ids = {key: contact["id"] for key, contact in found.items()}
        emails = {r.key: r.values.get("email") for r in rows if r.key not in ids}
        contacts = {}
        if self._spec.mode in _LISTS_WHO_GOES:
            contacts = self._portal.find("email", [e for e in emails.values() if e])
        return ids | {key: contacts[e]["id"] for key, e in emails.items() if e in contacts}

    def _properties(self, row: Row) -> dict[str, str]:
        """All values are text. Null leaves a field alone unless the sync says it empties
        it; the empty string is how HubSpot empties one."""
        cleared = dict.fromkeys(self._spec.clear_nulls, "")
        given = {name: value for name, value in row.values.items() if value is not None}
        return cleared | given

    def _is_erased(self, row: Row) -> bool:
        if row.reason == "erasure":
            return self._spec.on_erasure == "delete"
        return self._spec.mode == "delete"


def _with_email(rows: Sequence[Row]) -> tuple[list[Row], list[Outcome]]:
    named = [row for row in rows if row.values.get("email")]
    unnamed = [row for row in rows if not row.values.get("email")]
    return named, [Outcome.rejected(row.key, "MISSING_IDENTIFIER") for row in unnamed]


def _check_list(spec: SyncSpec) -> None:
    if not spec.options.get("list_id", "").isdigit():
        raise ValueError("options.list_id: the number of a static HubSpot list")
    if spec.match_on not in ("email", spec.key):
        raise ValueError(f"match_on: members are found by email or {spec.key}")
    if spec.options.get("create_missing") not in (None, "true", "false"):
        raise ValueError("options.create_missing: true or false")
    if spec.options.get("create_missing") == "true" and spec.match_on != "email":
        raise ValueError("options.create_missing: new contacts need match_on email")
