"""A Klaviyo account on the loopback, revision 2026-07-15.

Stateful and strict: key, revision, media type, counts and bytes, and, where the vendor's
description is at hand, that too, for requests and for its own answers. Import jobs take a few
questions to finish and can be told to get stuck, be cancelled, expire or fail for some profiles.
"""

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import TYPE_CHECKING
from urllib.parse import quote

from tests.fakes.klaviyo_account import NOW, Account, Profile, error_entry, refused, resource
from tests.fakes.server import Answer, ApiError, FakeServer, Request

if TYPE_CHECKING:
    from tests.fakes.openapi import Contract

MEDIA_TYPE = "application/vnd.api+json"
REVISION = "2026-07-15"
_EMAIL = re.compile(r"[^@\s]+@[^@\s]+\.[^@\s.]+")
_PHONE = re.compile(r"\+[1-9]\d{6,14}")
_FILTER = re.compile(r"any\((\w+),(\[.*\])\)", re.DOTALL)


@dataclass
class ImportJob:
    """A bulk import. ``polls`` questions are answered with "not yet"."""

    id: str
    profiles: list[dict]
    polls: int
    status: str = "queued"
    errors: list[dict] = field(default_factory=list)
    failed: int = 0


class FakeKlaviyo(Account, FakeServer):
    """The account. ``profiles`` by Klaviyo's id, ``lists`` members by list id."""

    max_body_bytes = 5_000_000

    def __init__(self, contract: "Contract | None" = None, key: str = "pk_fake") -> None:
        Account.__init__(self)
        FakeServer.__init__(self)
        self.key = key
        self.contract = contract
        self.lists: dict[str, set[str]] = {"L1": set()}
        self.jobs: dict[str, ImportJob] = {}
        self.erased: list[str] = []
        self.polls = 1
        self.is_stuck = False
        self.keeps_payloads = True
        """Import errors come with the profile they are about."""
        self.failing: dict[str, dict] = {}
        """Import errors by external id, as ``code`` and ``pointer`` of what follows the row's
        own; ``{"pointer": None}`` names no row."""

    def cancel(self, job_id: str) -> None:
        self.jobs[job_id].status = "cancelled"

    def expire(self, job_id: str) -> None:
        del self.jobs[job_id]

    # -- the API

    def answer(self, request: Request) -> Answer:
        try:
            answer = self._checked(request)
        except ApiError as error:
            answer = error.answer
        answer = Answer(answer.status, answer.body, {"Content-Type": MEDIA_TYPE})
        if self.contract and answer.status != 404:
            found = self.contract.answer_violations(request, answer)
            self.contract_violations += [f"answer: {text}" for text in found]
        return answer

    def _checked(self, request: Request) -> Answer:
        if request.headers.get("authorization") != f"Klaviyo-API-Key {self.key}":
            raise refused(401, "not_authenticated")
        self._check_rules(request)
        if self.contract and (found := self.contract.request_violations(request)):
            self.contract_violations += found
            raise refused(400, "invalid")
        routes = {
            r"POST /api/profile-bulk-import-jobs": self._start_import,
            r"GET /api/profile-bulk-import-jobs/([^/]+)": self._job,
            r"GET /api/profile-bulk-import-jobs/([^/]+)/import-errors": self._import_errors,
            r"POST /api/profile-import": self._import_one,
            r"GET /api/profiles": self._find,
            r"GET /api/lists/([^/]+)": self._show_list,
            r"(?:POST|DELETE) /api/lists/([^/]+)/relationships/profiles": self._change_list,
            r"POST /api/profile-subscription-bulk-create-jobs": self._subscribe,
            r"POST /api/profile-subscription-bulk-delete-jobs": self._unsubscribe,
            r"POST /api/data-privacy-deletion-jobs": self._erase,
        }
        for route, act in routes.items():
            if found := re.fullmatch(route, f"{request.method} {request.path}"):
                return act(request, *found.groups())
        self.contract_violations.append("no such endpoint")
        raise refused(404, "not_found")

    def _check_rules(self, request: Request) -> None:
        broken = []
        if request.headers.get("revision") != REVISION:
            broken.append("revision")
        if request.method != "GET":
            if request.headers.get("content-type") != MEDIA_TYPE:
                broken.append("media type")
            if not isinstance(request.json, dict) or "data" not in request.json:
                broken.append("no data")
        if int(request.query.get("page[size]", 20)) > 100:
            broken.append("page size")
        if broken:
            self.contract_violations += broken
            raise refused(400, "invalid")

    def _limit(self, rows: list, most: int) -> None:
        if not 0 < len(rows) <= most:
            self.contract_violations.append(f"{len(rows)} rows in a call of {most}")
            raise refused(400, "invalid")

    # -- profiles

    def _start_import(self, request: Request) -> Answer:
        rows = request.json["data"]["attributes"]["profiles"]["data"]
        self._limit(rows, 10_000)
        for row in rows:
            if len(json.dumps(row)) > 100_000:
                self.contract_violations.append("a profile of more than 100 KB")
                raise refused(413, "too_large")
        self._refuse_rows(rows)
        job = ImportJob(f"01JOB{next(self._numbers)}", rows, self.polls)
        self.jobs[job.id] = job
        return Answer(202, {"data": self._job_resource(job), "links": {"self": self.url}})

    def _refuse_rows(self, rows: list[dict]) -> None:
        """As a whole, pointing at every bad row."""
        errors = []
        for place, row in enumerate(rows):
            for name in _bad_attributes(row["attributes"]):
                pointer = f"/data/attributes/profiles/data/{place}/attributes/{name}"
                errors.append(error_entry("invalid", pointer))
        if errors:
            raise ApiError(400, {"errors": errors})

    def _job(self, request: Request, job_id: str) -> Answer:
        job = self.jobs.get(job_id)
        if job is None:
            raise refused(404, "not_found")
        if job.status in ("queued", "processing") and not self.is_stuck:
            if job.polls:
                job.polls, job.status = job.polls - 1, "processing"
            else:
                self._run(job)
        return Answer(200, {"data": self._job_resource(job), "links": {"self": self.url}})

    def _run(self, job: ImportJob) -> None:
        job.status = "complete"
        for place, row in enumerate(job.profiles):
            failure = self.failing.get(row["attributes"].get("external_id"))
            try:
                if failure is None:
                    self.write(row, keeps_nulls=False)
                    continue
            except ApiError:
                failure = {"code": "duplicate_profile", "pointer": "/attributes"}
            job.failed += 1
            tail = failure.get("pointer", "/attributes/email")
            pointer = "/data" if tail is None else f"/data/attributes/profiles/data/{place}{tail}"
            job.errors.append(error_entry(failure.get("code", "invalid"), pointer) | {"_row": row})

    def _job_resource(self, job: ImportJob) -> dict:
        total, is_done = len(job.profiles), job.status == "complete"
        return {
            "type": "profile-bulk-import-job",
            "id": job.id,
            "attributes": {
                "status": job.status,
                "created_at": NOW,
                "total_count": total,
                "completed_count": total - job.failed if is_done else 0,
                "failed_count": job.failed,
            },
            "links": {"self": f"{self.url}/api/profile-bulk-import-jobs/{job.id}"},
        }

    def _import_errors(self, request: Request, job_id: str) -> Answer:
        wanted = request.query.get("fields[import-error]", "code,source,original_payload")
        resources = []
        for number, error in enumerate(self.jobs[job_id].errors):
            error = dict(error)
            row = error.pop("_row")
            if "original_payload" in wanted and self.keeps_payloads:
                error["original_payload"] = row
            resources.append({"type": "import-error", "id": str(number), "attributes": error})
        return self._page(request, resources)

    def _import_one(self, request: Request) -> Answer:
        if len(request.body) > 100_000:
            self.contract_violations.append("a profile of more than 100 KB")
            raise refused(413, "too_large")
        row = request.json["data"]
        for name in _bad_attributes(row["attributes"]):
            raise refused(400, "invalid", f"/data/attributes/{name}")
        before = len(self.profiles)
        profile = self.write(row, keeps_nulls=True)
        status = 201 if len(self.profiles) > before else 200
        return Answer(status, {"data": resource(profile, self.url), "links": {"self": self.url}})

    def _find(self, request: Request) -> Answer:
        field_name, values = self._filter(request, {"id", "email", "phone_number", "external_id"})
        found = [p for v in values if (p := self.by(field_name, v))]
        unique = {profile.id: profile for profile in found}
        shows = "subscriptions" in request.query.get("additional-fields[profile]", "")
        return self._page(request, [resource(p, self.url, shows) for p in unique.values()])

    def _erase(self, request: Request) -> Answer:
        wanted = request.json["data"]["attributes"]["profile"]["data"]
        given = {"id": wanted.get("id"), **wanted["attributes"]}
        named = {name: value for name, value in given.items() if value}
        if len(named) != 1:
            self.contract_violations.append("exactly one identifier")
            raise refused(400, "invalid")
        [(name, value)] = named.items()
        profile = self.by(name, value)
        if profile:
            del self.profiles[profile.id]
            self.erased.append(profile.id)
            for members in self.lists.values():
                members.discard(profile.id)
        return Answer(202)

    # -- lists and subscriptions

    def _show_list(self, request: Request, list_id: str) -> Answer:
        self._list(list_id)
        attributes = {"name": "Champions", "created": NOW, "updated": NOW}
        attributes["opt_in_process"] = "single_opt_in"
        links = {"self": f"{self.url}/api/lists/{list_id}"}
        shown = {"type": "list", "id": list_id, "attributes": attributes, "links": links}
        return Answer(200, {"data": shown, "links": links})

    def _change_list(self, request: Request, list_id: str) -> Answer:
        rows = request.json["data"]
        self._limit(rows, 1000)
        members, ids = self._list(list_id), {row["id"] for row in rows}
        if not ids <= set(self.profiles):
            raise refused(404, "not_found")
        if request.method == "POST":
            members |= ids
        else:
            members -= ids
        return Answer(204)

    def _subscribe(self, request: Request) -> Answer:
        data = request.json["data"]
        rows, is_historical = self._rows_of(data, 1000)
        members = self._list(data["relationships"]["list"]["data"]["id"])
        changes = []
        for place, row in enumerate(rows):
            given = row["attributes"]
            [(channel, consent)] = given["subscriptions"].items()
            moment = consent["marketing"].get("consented_at")
            if is_historical != bool(moment) or (moment and _at(moment) >= datetime.now(UTC)):
                pointer = f"/data/attributes/profiles/data/{place}/attributes/subscriptions"
                self.contract_violations.append("consented_at")
                raise refused(400, "invalid", pointer)
            changes.append((self._profile_for(row), channel, moment))
        for profile, channel, moment in changes:
            profile.consent[channel] = "SUBSCRIBED"
            profile.consented_at = moment
            profile.lists_left -= {data["relationships"]["list"]["data"]["id"]}
            members.add(profile.id)
        return Answer(202)

    def _unsubscribe(self, request: Request) -> Answer:
        data = request.json["data"]
        rows, _ = self._rows_of(data, 100)
        list_id = data.get("relationships", {}).get("list", {}).get("data", {}).get("id")
        for row in rows:
            profile = self._profile_for(row)
            [channel] = row["attributes"]["subscriptions"]
            if list_id and profile.id in self._list(list_id):
                self._list(list_id).discard(profile.id)
                profile.lists_left.add(list_id)
            else:
                profile.consent[channel] = "UNSUBSCRIBED"
        return Answer(202)

    def _rows_of(self, data: dict, most: int) -> tuple[list[dict], bool]:
        rows = data["attributes"]["profiles"]["data"]
        self._limit(rows, most)
        self._refuse_rows(rows)
        return rows, bool(data["attributes"].get("historical_import"))

    def _profile_for(self, row: dict) -> Profile:
        given = row["attributes"]
        name = "email" if given.get("email") else "phone_number"
        known = self.profiles.get(row.get("id") or "") or self.by(name, given[name])
        return known or self.add(**{name: given[name]})

    def _list(self, list_id: str) -> set[str]:
        if list_id not in self.lists:
            raise refused(404, "not_found")
        return self.lists[list_id]

    # -- shapes

    def _filter(self, request: Request, fields: set[str]) -> tuple[str, list[str]]:
        found = _FILTER.fullmatch(request.query.get("filter", ""))
        if not found or found[1] not in fields:
            self.contract_violations.append("filter")
            raise refused(400, "invalid")
        return found[1], json.loads(found[2])

    def _page(self, request: Request, resources: list[dict]) -> Answer:
        size = int(request.query.get("page[size]", 20))
        start = int(request.query.get("page[cursor]", 0))
        links: dict[str, str] = {"self": self.url + request.path}
        if start + size < len(resources):
            query = f"page{quote('[cursor]')}={start + size}"
            links["next"] = f"{self.url}{request.path}?{query}"
        return Answer(200, {"data": resources[start : start + size], "links": links})


def _bad_attributes(attributes: dict) -> Iterator[str]:
    if attributes.get("email") is not None and not _EMAIL.fullmatch(attributes["email"]):
        yield "email"
    phone = attributes.get("phone_number")
    if phone is not None and not _PHONE.fullmatch(phone):
        yield "phone_number"


def _at(text: str) -> datetime:
    return datetime.fromisoformat(text)
