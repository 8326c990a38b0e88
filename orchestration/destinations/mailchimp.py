"""Mailchimp: members of an audience (which its API calls a list).

A member's id is the md5 of the address in lower case. The ledger keeps the ids of a row, so that
a removal needs no address; one that another row has too is not among them. People change their
address at Mailchimp, and the id with it, so the ledger keeps the contact id, too, which stays.
Mailchimp takes 500 members a call to write, and one to take away.

Nobody is subscribed again: a status is sent for people who are new to the list only. Nor is
anybody unarchived.
"""

import hashlib
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, ClassVar

from orchestration.destinations.base import (
    Destination,
    Limits,
    Outcome,
    Refused,
    Row,
    Stopped,
    Unanswered,
    setting,
)
from orchestration.sync.http import BasicLogin, HttpClient, Policy, Reply
from orchestration.sync.spec import SyncSpec

_EMAIL = "email"
_LISTS_WHO_GOES = ("archive", "delete")
_READABLE = {"subscribed", "pending", "transactional", "unsubscribed", "cleaned"}

# A call may take 120 seconds over there.
_POLICY = Policy(exchange_deadline=130.0, call_deadline=600.0)

# Titles of Mailchimp's error glossary; any other is not repeated.
_TITLES = {
    "Forgotten Email Not Subscribed",
    "Invalid Resource",
    "Member Exists",
    "Member In Compliance State",
    "Method Not Allowed",
    "Resource Not Found",
}


class Mailchimp(Destination):
    """One audience, ``options.list_id``. Environment: ``MAILCHIMP_API_KEY``, which ends in the
    data centre (``-us21``), optionally ``MAILCHIMP_BASE_URL``."""

    name = "mailchimp"
    manner_options = frozenset({"status_if_new"})
    # 10 connections at a time are allowed. There is no documented rate: this one is ours.
    limits: ClassVar[Limits] = Limits(batch_rows=500, rates=((10, 1),))
    supported = frozenset(
        ("members", mode) for mode in ("upsert", "mirror", "audience", "archive", "delete")
    )

    def __init__(self, spec: SyncSpec, http: HttpClient) -> None:
        self._spec = spec
        self._http = http
        self._path = f"/lists/{spec.options['list_id']}"
        self._tags = {name: name.upper() for name in spec.columns if name not in (_EMAIL, spec.key)}

    @classmethod
    def from_environment(cls, spec: SyncSpec) -> "Mailchimp":
        key = setting("MAILCHIMP_API_KEY")
        centre = re.search(r"-([a-z]+[0-9]+)$", key)
        if not centre:
            raise LookupError("MAILCHIMP_API_KEY does not end in a data centre")
        url = setting("MAILCHIMP_BASE_URL", f"https://{centre[1]}.api.mailchimp.com/3.0")
        return cls(spec, HttpClient(url, BasicLogin("cdp", key), cls.limits, _POLICY))

    @classmethod
    def check(cls, spec: SyncSpec) -> None:
        super().check(spec)
        if not re.fullmatch(r"[0-9A-Za-z]+", spec.options.get("list_id", "")):
            raise ValueError("options.list_id: the id of a Mailchimp audience")
        if spec.mode not in _LISTS_WHO_GOES and spec.match_on != _EMAIL:
            raise ValueError("match_on: Mailchimp members are found by email")
        if {spec.key, _EMAIL} & set(spec.on_leave):
            raise ValueError("on_leave: merge fields only")
        if spec.options.get("status_if_new", "subscribed") not in ("subscribed", "pending"):
            raise ValueError("options.status_if_new: subscribed or pending")

    @property
    def calls(self) -> int:
        return self._http.calls

    def identifiers(self, row: Row) -> tuple[str, ...]:
        email = row.values.get(_EMAIL)
        return (member_id(email),) if email else ()

    def upsert(self, rows: Sequence[Row]) -> list[Outcome]:
        if self._spec.mode in _LISTS_WHO_GOES:
            raise ValueError(f"mode {self._spec.mode} writes nothing")
        outcomes: list[Outcome] = []
        members: dict[str, Row] = {}
        left_behind: dict[str, list[str]] = {}
        for row in rows:
            ids = self.identifiers(row)
            if not ids:
                outcomes.append(Outcome.rejected(row.key, "MISSING_IDENTIFIER"))
            elif ids[0] in members:
                outcomes.append(Outcome.rejected(row.key, "DUPLICATE_IN_BATCH"))
            else:
                moved, left_behind[row.key] = self._move(row, ids[0])
                if moved:
                    outcomes.append(moved)
                else:
                    members[ids[0]] = row
        outcomes += self._write(members)
        delivered = {outcome.key for outcome in outcomes if outcome.status == "delivered"}
        for key in delivered & set(left_behind):
            for old in left_behind[key]:
                self._unsubscribe(old)
        return outcomes

    def remove(self, rows: Sequence[Row]) -> list[Outcome]:
        outcomes: list[Outcome] = []
        for position, row in enumerate(rows):
            try:
                outcomes.append(self._take_away(row))
            except Refused as refused:
                outcomes.append(Outcome.rejected(row.key, refused.code))
            except Unanswered as unanswered:
                # The endpoint is down: the rows after this one are not tried.
                left = rows[position:]
                return outcomes + [Outcome.unknown(r.key, unanswered.code) for r in left]
        return outcomes

    def read(self, rows: Sequence[Row]) -> Mapping[str, Mapping[str, str | None]] | None:
        """One call per member: for samples. Who was archived is not there."""
        held: dict[str, dict[str, str | None]] = {}
        for row in rows:
            known = row.remote_id or next(iter(self.identifiers(row)), None)
            body = self._call("GET", known).body if known else None
            if not isinstance(body, dict) or body.get("status") not in _READABLE:
                continue
            fields = body.get("merge_fields") or {}
            address = _text(body.get("email_address"))
            if address and member_id(address) in self.identifiers(row):
                address = row.values[_EMAIL]  # in other case
            held[row.key] = {name: _text(fields.get(tag)) for name, tag in self._tags.items()}
            held[row.key] |= {self._spec.key: row.key, _EMAIL: address}
        return held

    # -- writing

    def _write(self, members: Mapping[str, Row]) -> list[Outcome]:
        """Subscribe who is new, and write the merge fields of who is there."""
        if not members:
            return []
        payload = {
            "members": [
                {
                    "email_address": row.values[_EMAIL],
                    "status_if_new": self._status_if_new(row, name),
                    "merge_fields": self._merge_fields(row),
                }
                for name, row in members.items()
            ],
            "update_existing": True,
        }
        reply = self._http.post(self._path, payload, {200})
        if reply.status == 404:
            raise Stopped("LIST_NOT_FOUND")
        if reply.status != 200:
            raise Refused(_code(reply))
        return list(self._outcomes(members, reply.body))

    def _status_if_new(self, row: Row, name: str) -> str:
        if self._is_known(row, name):
            # Only where the person gave the address up, or was deleted over there.
            return "unsubscribed"
        return self._spec.options.get("status_if_new", "subscribed")

    def _outcomes(self, members: Mapping[str, Row], body: Any) -> Iterator[Outcome]:
        """Mailchimp answers 200 and lists who was refused, with the address and a text."""
        new, updated = (
            {_id_of(item, members): item for item in _list(body, kind)}
            for kind in ("new_members", "updated_members")
        )
        codes = {_id_of(item, members): self._code_of(item) for item in _list(body, "errors")}
        is_loose = any(name not in members for name in codes)
        for name, row in members.items():
            if name in codes:
                yield Outcome.rejected(row.key, codes[name])
            elif name in new or name in updated:
                yield self._written(row, name, (new | updated)[name], is_new=name in new)
            else:
                yield Outcome.unknown(row.key, "ERROR_OF_SOME_ROW" if is_loose else "NO_RESULT")

    def _written(self, row: Row, name: str, member: dict, is_new: bool) -> Outcome:
        if not self._is_known(row, name) or row.remote_id == member.get("contact_id"):
            return _delivered(row, name, member)
        there = self._contact(row)
        if is_new:
            self._archive(name)  # ours, unsubscribed, a moment old
        if there:
            return self._follow(row, there["id"])
        if is_new:
            return Outcome.rejected(row.key, "GONE_THERE")
        return _delivered(row, name, member)

    def _follow(self, row: Row, member: str) -> Outcome:
        """Write to a person who changed the address over there, and keeps it."""
        reply = self._call("PATCH", member, {"merge_fields": self._merge_fields(row)})
        if reply.status == 404:
            return Outcome.unknown(row.key, "MOVED_MEANWHILE")
        if reply.status != 200:
            return Outcome.rejected(row.key, _code(reply))
        return _delivered(row, member, reply.body)

    def _move(self, row: Row, new: str) -> tuple[Outcome | None, list[str]]:
        """Change the address of the member that the row was, with its history and status.
        Nothing where the row was none; then its members that are left behind, to unsubscribe
        once the new address is a member."""
        olds = [old for old in row.sent_identifiers if old != new]
        there = self._contact(row) if olds or not row.sent_identifiers else None
        if there and there["id"] not in (new, *olds):
            if not olds:
                # Nobody knows which is right: the ledger forgets the address of who left.
                return Outcome.rejected(row.key, "OTHER_ADDRESS_THERE"), []
            olds.insert(0, there["id"])
        left_behind: list[str] = []
        for position, old in enumerate(olds):
            payload = {"email_address": row.values[_EMAIL], "merge_fields": self._merge_fields(row)}
            reply = self._call("PATCH", old, payload)
            if reply.status == 200:
                return _delivered(row, new, reply.body), left_behind + olds[position + 1 :]
            if reply.status == 404:
                continue
            if _code(reply) != "MEMBER_EXISTS":
                return Outcome.rejected(row.key, _code(reply)), []
            left_behind.append(old)
        return None, left_behind

    # -- who a row is

    def _is_known(self, row: Row, name: str) -> bool:
        """The row is a member already, and this is its address as far as we know."""
        return row.remote_id is not None and set(row.sent_identifiers) == {name}

    def _contact(self, row: Row) -> dict | None:
        """The member that the row is, whatever its address. None where it is gone, or where only
        a hash is known: earlier versions kept no more."""
        if not row.remote_id or row.remote_id in (*row.sent_identifiers, *self.identifiers(row)):
            return None
        reply = self._call("GET", row.remote_id)
        if reply.status not in (200, 404):
            raise Refused(_code(reply))
        body = reply.body if isinstance(reply.body, dict) else {}
        is_it = reply.status == 200 and body.get("contact_id") == row.remote_id
        return body if is_it and _is_id(body.get("id")) else None

    # -- taking away

    def _take_away(self, row: Row) -> Outcome:
        """By the addresses that were sent, then by the contact where it is none of them."""
        act = self._removal_of(row)
        ids = list(dict.fromkeys((*row.sent_identifiers, *self.identifiers(row))))
        bodies = [act(member).body for member in ids]
        is_done = any(isinstance(b, dict) and b.get("contact_id") == row.remote_id for b in bodies)
        # Without an address it is one that others have, too, or the row was taken away before.
        if (ids and not is_done) or (not ids and row.reason == "erasure"):
            there = self._contact(row)
            if there and there["id"] not in ids and act(there["id"]).status == 404:
                return Outcome.unknown(row.key, "MOVED_MEANWHILE")
        return Outcome.delivered(row.key, row.remote_id)

    def _removal_of(self, row: Row) -> Callable[[str], Reply]:
        is_erasure = row.reason == "erasure" and self._spec.on_erasure == "delete"
        if is_erasure or self._spec.mode == "delete":
            return self._delete
        if self._spec.mode == "archive":
            return self._archive
        if row.reason == "left" and self._spec.mode == "audience" and self._spec.on_leave:
            return self._empty
        return self._unsubscribe

    def _delete(self, member: str) -> Reply:
        """For good: the address can never be imported again. By address alone: Mailchimp does
        not say that a contact id will do."""
        reply = self._call("POST", f"{member}/actions/delete-permanent")
        if reply.status not in (200, 204, 404):
            raise Refused(_code(reply))
        return reply

    def _archive(self, member: str) -> Reply:
        reply = self._call("DELETE", member)
        if reply.status in (200, 204, 404):
            return reply
        body = self._call("GET", member).body if reply.status == 405 else None
        if not isinstance(body, dict) or body.get("status") != "archived":
            raise Refused(_code(reply))
        return reply

    def _unsubscribe(self, member: str) -> Reply:
        """Who is in a compliance state cannot be written to either."""
        reply = self._call("PATCH", member, {"status": "unsubscribed"})
        if reply.status not in (200, 404) and _code(reply) != "MEMBER_IN_COMPLIANCE_STATE":
            raise Refused(_code(reply))
        return reply

    def _empty(self, member: str) -> Reply:
        fields = {self._tags[name]: value for name, value in self._spec.on_leave.items()}
        reply = self._call("PATCH", member, {"merge_fields": fields})
        if reply.status not in (200, 404):
            raise Refused(_code(reply))
        return reply

    def _call(self, method: str, member: str, payload: Any = None) -> Reply:
        return self._http.request(method, f"{self._path}/members/{member}", payload, statuses={200})

    # -- rows

    def _merge_fields(self, row: Row) -> dict[str, str]:
        """Null leaves a field alone unless the sync says it empties it."""
        cleared = {self._tags[name]: "" for name in self._spec.clear_nulls if name in self._tags}
        given = {tag: row.values.get(name) for name, tag in self._tags.items()}
        return cleared | {tag: value for tag, value in given.items() if value is not None}

    def _code_of(self, error: dict) -> object:
        if error.get("field") in self._tags.values():
            return f"INVALID_{error['field']}"
        return error.get("error_code")


def member_id(email: str) -> str:
    """What Mailchimp calls the subscriber hash. It identifies; it protects nothing."""
    return hashlib.md5(email.lower().encode(), usedforsecurity=False).hexdigest()


def _delivered(row: Row, name: str, member: Any) -> Outcome:
    """Of a member as Mailchimp shows it after a call: delivered as the contact, or as the hash
    where no contact is told."""
    shown = member if isinstance(member, dict) else {}
    if shown.get("status") == "archived":
        return Outcome.rejected(row.key, "ARCHIVED_THERE")
    contact = shown.get("contact_id")
    return Outcome.delivered(row.key, contact if _is_id(contact) else name)


def _is_id(text: Any) -> bool:
    return isinstance(text, str) and re.fullmatch(r"[0-9A-Za-z]{1,64}", text) is not None


def _id_of(item: dict, members: Mapping[str, Row]) -> str:
    address = str(item.get("email_address") or "")
    # One that was refused comes in quotes at times.
    bare = re.sub(r'^"(.*)"$', r"\1", address)
    return next((i for i in (member_id(address), member_id(bare)) if i in members), "")


def _code(reply: Reply) -> str:
    title = reply.body.get("title") if isinstance(reply.body, dict) else None
    return title.upper().replace(" ", "_") if title in _TITLES else f"HTTP_{reply.status}"


def _list(body: Any, name: str) -> list[dict]:
    found = body.get(name) if isinstance(body, dict) else None
    return [item for item in found or [] if isinstance(item, dict)]


def _text(value: Any) -> str | None:
    return str(value) if value not in (None, "") else None
