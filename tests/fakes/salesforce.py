"""A Salesforce organisation on the loopback: tokens, queries and the Bulk API 2.0.

Stateful and strict as far as the developer guide goes: states of a job, one upload each, columns
by operation, quoting, sizes. Results come in another order than the rows. Jobs take a few
questions and can be told to get stuck, fail after some rows, be aborted or expire.
"""

import csv
import io
import re
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from itertools import count
from typing import Any
from urllib.parse import parse_qsl

from tests.fakes.server import Answer, ApiError, FakeServer, Request

VERSION = "67.0"
KEY = "CDP_Id__c"
_READ_AS: dict[str, Callable[[str], Any]] = {
    "CDP_Points__c": float,
    "CDP_Seen__c": lambda text: f"{_utc(text):%Y-%m-%dT%H:%M:%S}.000+0000",
    "CDP_Is_VIP__c": lambda text: text == "true",
}
"""What a query answers of fields that are no text: a number has a decimal point, always."""
FIELDS = {KEY, "FirstName", "LastName", "Email", "MailingCity", "CDP_Segment__c", *_READ_AS}
_JOBS = f"/services/data/v{VERSION}/jobs/ingest"
_OPERATIONS = {"insert", "update", "upsert", "delete", "hardDelete"}
_JOB_FIELDS = {"operation", "object", "contentType", "lineEnding", "externalIdFieldName"}
_SOQL = re.compile(r"SELECT ([\w, ]+) FROM (\w+) WHERE (\w+) IN \((.*)\)", re.DOTALL)
_TEXT = re.compile(r"'((?:\\.|[^'\\])*)'", re.DOTALL)


@dataclass
class IngestJob:
    """``polls`` questions are answered with "not yet"."""

    id: str
    operation: str
    sobject: str
    polls: int
    state: str = "Open"
    message: str = ""
    header: list[str] = field(default_factory=list)
    rows: list[dict[str, str]] | None = None
    succeeded: list[tuple[str, str]] = field(default_factory=list)
    """Record id and the line that was sent."""
    failed: list[tuple[str, str]] = field(default_factory=list)
    """Error and the line."""
    unprocessed: list[str] = field(default_factory=list)


class FakeSalesforce(FakeServer):
    """The organisation. ``records`` by record id, all of one object."""

    def __init__(self, sobject: str = "Contact") -> None:
        super().__init__()
        self.sobject = sobject
        self.records: dict[str, dict[str, str]] = {}
        self.bin: set[str] = set()
        """Deleted and not yet gone for good."""
        self.jobs: dict[str, IngestJob] = {}
        self.tokens: list[str] = []
        self.polls = 1
        self.is_stuck = False
        self.locked: set[str] = set()
        """Keys whose records others hold."""
        self.refusing: dict[str, str] = {}
        """Errors by key, as Salesforce words them."""
        self.fails_after: int | None = None
        """The job ends as Failed after so many rows."""
        self._numbers = count(1)

    def add(self, **fields: str) -> str:
        """Put a record there, as a colleague would; its id."""
        record_id = f"003{next(self._numbers):015}"
        self.records[record_id] = fields
        return record_id

    def of(self, key: str) -> dict[str, str] | None:
        """The record that carries a key."""
        return next((r for r in self.records.values() if r.get(KEY) == key), None)

    def abort(self, job_id: str) -> None:
        self.jobs[job_id].state = "Aborted"

    def expire(self, job_id: str) -> None:
        del self.jobs[job_id]

    # -- the API

    def answer(self, request: Request) -> Answer:
        if request.path == "/services/oauth2/token":
            return self._token(request)
        given = request.headers.get("authorization", "").removeprefix("Bearer ")
        if not self.tokens or given != self.tokens[-1]:
            raise _error(401, "INVALID_SESSION_ID")
        routes = {
            rf"POST {_JOBS}": self._create,
            rf"PUT {_JOBS}/(\w+)/batches": self._upload,
            rf"PATCH {_JOBS}/(\w+)": self._set_state,
            rf"GET {_JOBS}/(\w+)": self._info,
            rf"GET {_JOBS}/(\w+)/(successfulResults|failedResults|unprocessedrecords)/": (
                self._results
            ),
            rf"GET /services/data/v{VERSION}/query": self._query,
        }
        for route, act in routes.items():
            if found := re.fullmatch(route, f"{request.method} {request.path}"):
                return act(request, *found.groups())
        self._violation("no such endpoint")
        raise _error(404, "NOT_FOUND")

    def _violation(self, text: str) -> None:
        self.contract_violations.append(text)

    def _token(self, request: Request) -> Answer:
        form = dict(parse_qsl(request.body.decode()))
        if request.headers.get("content-type") != "application/x-www-form-urlencoded":
            self._violation("media type of the token's form")
        if form.get("grant_type") != "client_credentials":
            self._violation("grant type")
        if (form.get("client_id"), form.get("client_secret")) != ("client", "secret"):
            return Answer(400, {"error": "invalid_client"})
        self.tokens.append(f"00Dtoken{len(self.tokens)}")
        return Answer(200, {"access_token": self.tokens[-1], "token_type": "Bearer"})

    def _create(self, request: Request) -> Answer:
        job = request.json or {}
        if odd := set(job) - _JOB_FIELDS:
            self._violation(f"job fields {sorted(odd)}")
        if (job.get("contentType"), job.get("lineEnding")) != ("CSV", "LF"):
            self._violation("content type or line ending")
        if job.get("operation") not in _OPERATIONS:
            raise _error(400, "INVALIDOPERATION")
        if job.get("object") != self.sobject:
            raise _error(400, "INVALIDENTITY")
        if (job["operation"] == "upsert") != ("externalIdFieldName" in job):
            self._violation("externalIdFieldName is of upserts")
            raise _error(400, "INVALIDJOB")
        if job.get("externalIdFieldName", KEY) != KEY:
            raise _error(400, "INVALIDEXTERNALID")
        made = IngestJob(
            f"750{next(self._numbers):015}", job["operation"], job["object"], self.polls
        )
        self.jobs[made.id] = made
        return Answer(200, self._described(made))

    def _upload(self, request: Request, job_id: str) -> Answer:
        job = self._job(job_id)
        if job.state != "Open" or job.rows is not None:
            raise _error(400, "INVALIDJOBSTATE")
        if not request.headers.get("content-type", "").startswith("text/csv"):
            self._violation("media type of an upload")
        if len(request.body) > 100_000_000:
            raise _error(413, "TOO_LARGE")
        text = request.body.decode()
        self._check_quotes(text)
        try:
            lines = list(csv.reader(io.StringIO(text, newline=""), strict=True))
        except csv.Error:
            self._violation("quoting")
            raise _error(400, "INVALIDBATCH") from None
        job.header = lines[0]
        for cells in lines[1:]:
            if len(cells) != len(job.header):
                self._violation("cells in a line")
        job.rows = [dict(zip(job.header, cells, strict=False)) for cells in lines[1:]]
        if not job.rows or len(job.rows) > 10_000:
            self._violation(f"{len(job.rows)} rows in a job")
        for row in job.rows:
            lengths = [len(value) for value in row.values()]
            if max(lengths) > 32_000 or sum(lengths) > 400_000:
                self._violation("characters in a field or record")
        wants = {"upsert": {KEY}, "insert": {KEY}}.get(job.operation, {"Id"})
        if not wants <= set(job.header):
            self._violation("a column that the operation needs")
        if job.operation in ("delete", "hardDelete") and job.header != ["Id"]:
            self._violation("a deletion takes ids only")
        return Answer(201)

    def _check_quotes(self, text: str) -> None:
        """Cells are quoted as a whole or not at all, and lines end with a line feed."""
        if not text.endswith("\n"):
            self._violation("no line feed at the end")
        rest = re.sub(r'"(?:[^"]|"")*"', "", text)
        if '"' in rest or "\r" in rest:
            self._violation("quoting")

    def _set_state(self, request: Request, job_id: str) -> Answer:
        job, state = self._job(job_id), (request.json or {}).get("state")
        if state not in ("UploadComplete", "Aborted") or job.state != "Open":
            raise _error(400, "INVALIDJOBSTATE")
        if state == "UploadComplete" and job.rows is None:
            self._violation("closed without an upload")
        job.state = state
        return Answer(200, self._described(job))

    def _info(self, request: Request, job_id: str) -> Answer:
        job = self._job(job_id)
        if job.state in ("UploadComplete", "InProgress") and not self.is_stuck:
            job.state = "InProgress"
            job.polls -= 1
            if job.polls < 0:
                self._run(job)
        return Answer(200, self._described(job))

    def _described(self, job: IngestJob) -> dict:
        described = {
            "id": job.id,
            "operation": job.operation,
            "object": job.sobject,
            "state": job.state,
            "contentType": "CSV",
            "numberRecordsProcessed": len(job.succeeded) + len(job.failed),
            "numberRecordsFailed": len(job.failed),
        }
        return described | ({"errorMessage": job.message} if job.message else {})

    def _results(self, request: Request, job_id: str, kind: str) -> Answer:
        job = self._job(job_id)
        if job.state not in ("JobComplete", "Failed", "Aborted"):
            raise _error(404, "NOT_FOUND")
        text = io.StringIO(newline="")
        writer = csv.writer(text, lineterminator="\n", quoting=csv.QUOTE_ALL)
        extra = {"successfulResults": ["sf__Id", "sf__Created"], "failedResults": ["sf__Id"]}
        header = extra.get(kind, []) + (["sf__Error"] if kind == "failedResults" else [])
        writer.writerow([*header, *job.header])
        if kind == "successfulResults":
            lines = [[record_id, "false", *row] for record_id, row in job.succeeded]
        elif kind == "failedResults":
            lines = [["", error, *row] for error, row in job.failed]
        else:
            lines = [list(row) for row in job.unprocessed]
        writer.writerows(reversed(lines))
        return Answer(200, text.getvalue().encode(), {"Content-Type": "text/csv"})

    def _query(self, request: Request) -> Answer:
        found = _SOQL.fullmatch(request.query.get("q", ""))
        if not found or len(request.query["q"]) > 8000:
            self._violation("query")
            raise _error(400, "MALFORMED_QUERY")
        names, sobject, name, texts = found.groups()
        columns = [column.strip() for column in names.split(",")]
        if sobject != self.sobject or not {name, *columns} <= FIELDS | {"Id"}:
            raise _error(400, "INVALID_FIELD")
        if _TEXT.sub("", texts).strip(", "):
            self._violation("quotes of a query")
        values = {_unescaped(text).casefold() for text in _TEXT.findall(texts)}
        records = [
            {"attributes": {"type": sobject}} | {c: _read({"Id": i} | r, c) for c in columns}
            for i, r in self.records.items()
            if (r.get(name) or "").casefold() in values
        ]
        return Answer(200, {"totalSize": len(records), "done": True, "records": records})

    # -- work

    def _run(self, job: IngestJob) -> None:
        if unknown := sorted(set(job.header) - FIELDS - {"Id"}):
            job.state, job.message = "Failed", f"InvalidBatch : Field name not found : {unknown[0]}"
            job.unprocessed = [list(row.values()) for row in job.rows]
            return
        job.state = "JobComplete"
        for number, row in enumerate(job.rows):
            line = list(row.values())
            if self.fails_after is not None and number >= self.fails_after:
                job.state, job.message = "Failed", "batch retried too often"
                job.unprocessed.append(line)
                continue
            try:
                job.succeeded.append((self._apply(job.operation, row), line))
            except ValueError as error:
                job.failed.append((str(error), line))

    def _apply(self, operation: str, row: dict[str, str]) -> str:
        record_id = row.get("Id")
        key = row.get(KEY) or self.records.get(record_id or "", {}).get(KEY, "")
        if key in self.locked:
            raise ValueError(
                "UNABLE_TO_LOCK_ROW:unable to obtain exclusive access to this record or 1 "
                "records: 003000000000001:--"
            )
        if key in self.refusing:
            raise ValueError(self.refusing[key])
        known = [i for i, r in self.records.items() if row.get(KEY) and r.get(KEY) == row[KEY]]
        if operation == "insert" and known:
            raise ValueError(
                f"DUPLICATE_VALUE:duplicate value found: {KEY} duplicates value on record with "
                f"id: {known[0]}:--"
            )
        if operation == "upsert":
            record_id = known[0] if known else None
        if operation in ("update", "delete", "hardDelete") and record_id not in self.records:
            raise ValueError("INVALID_CROSS_REFERENCE_KEY:invalid cross reference id:--")
        if operation in ("delete", "hardDelete"):
            del self.records[record_id]
            if operation == "delete":
                self.bin.add(record_id)
            return record_id
        if record_id is None and row.get("LastName") in (None, "", "#N/A"):
            raise ValueError("REQUIRED_FIELD_MISSING:Required fields are missing: [LastName]:--")
        record_id = record_id or self.add()
        for name, value in row.items():
            if value == "#N/A":
                self.records[record_id].pop(name, None)
            elif value and name != "Id":
                self.records[record_id][name] = value
        return record_id

    def _job(self, job_id: str) -> IngestJob:
        if job_id not in self.jobs:
            raise _error(404, "NOT_FOUND")
        return self.jobs[job_id]

    def states(self) -> Counter[str]:
        """How the jobs stand."""
        return Counter(job.state for job in self.jobs.values())


def _utc(text: str) -> datetime:
    return datetime.fromisoformat(text).astimezone(UTC)


def _read(record: dict[str, str], name: str) -> Any:
    value = record.get(name)
    return value if value is None else _READ_AS.get(name, str)(value)


def _unescaped(text: str) -> str:
    marks: dict[str, str] = {"n": "\n", "r": "\r", "t": "\t"}
    return re.sub(r"\\(.)", lambda found: marks.get(found[1], found[1]), text, flags=re.DOTALL)


def _error(status: int, code: str) -> ApiError:
    body: list[dict[str, Any]] = [{"errorCode": code, "message": "canary@example.com is not good"}]
    return ApiError(status, body)
