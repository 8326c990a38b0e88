"""Salesforce records, by jobs of the Bulk API 2.0.

A record is the customer's whose key it carries in an external id field, which is the sync's key
column. Results come in any order and are told apart by that key; after a delete the records that
are still there are asked for instead, because its results know record ids only.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import ClassVar

from orchestration.destinations._salesforce import (
    CLEARED,
    POLICY,
    VERSION,
    SalesforceApi,
    as_given,
    csv_line,
    error_code,
    is_throttle,
    token,
)
from orchestration.destinations.base import (
    Destination,
    Job,
    Limits,
    Outcome,
    Refused,
    Row,
    setting,
)
from orchestration.sync.http import HttpClient
from orchestration.sync.spec import SyncSpec

_STANDARD = ("Contact", "Lead", "Account")
_MODES = ("upsert", "update_only", "create_only", "mirror", "audience", "delete")
_OPERATIONS = {"update_only": "update", "create_only": "insert"}
_DELETIONS = {"delete", "hardDelete"}
_GOES_ON = {"UploadComplete", "InProgress"}
# Nothing is wrong with these rows: others held the record, or the organisation is full, busy or
# broken.
_TRANSIENT = {
    "API_CURRENTLY_DISABLED",
    "EXCEEDED_QUOTA",
    "QUERY_TIMEOUT",
    "RECORD_IN_USE_BY_WORKFLOW",
    "REQUEST_LIMIT_EXCEEDED",
    "REQUEST_RUNNING_TOO_LONG",
    "SERVER_UNAVAILABLE",
    "STORAGE_LIMIT_EXCEEDED",
    "TERRITORY_REALIGN_IN_PROGRESS",
    "TOO_MANY_APEX_REQUESTS",
    "UNABLE_TO_LOCK_ROW",
    "UNKNOWN_EXCEPTION",
}

_LONGEST_RESULTS = 256 * 2**20  # of a job; they are at most 150 MB
_FIELD_CHARS = 32_000
_RECORD_CHARS = 400_000
_HEADER_BYTES = 100_000


class Salesforce(Destination):
    """Records of one object. Environment: ``SALESFORCE_INSTANCE_URL``, ``SALESFORCE_CLIENT_ID``,
    ``SALESFORCE_CLIENT_SECRET``, optionally ``SALESFORCE_API_VERSION``."""

    name = "salesforce"
    manner_options = frozenset({"hard_delete"})
    # Salesforce works through a job in batches of 10,000, so that is a job here: what is lost
    # when one fails is least. An upload may have 100 MB before it is encoded.
    limits: ClassVar[Limits] = Limits(
        batch_rows=10_000,
        rates=((20, 1),),
        connections=2,
        batch_bytes=100_000_000 - _HEADER_BYTES,
    )
    supported = frozenset((sobject, mode) for sobject in _STANDARD for mode in _MODES)
    poll_seconds: ClassVar[float] = 10.0

    def __init__(self, spec: SyncSpec, api: SalesforceApi) -> None:
        self._spec = spec
        self._api = api

    @classmethod
    def from_environment(cls, spec: SyncSpec) -> "Salesforce":
        url = setting("SALESFORCE_INSTANCE_URL").rstrip("/")
        client_id, secret = setting("SALESFORCE_CLIENT_ID"), setting("SALESFORCE_CLIENT_SECRET")
        version = setting("SALESFORCE_API_VERSION", VERSION)
        auth = token(url, client_id, secret, cls.limits)
        http = HttpClient(
            url,
            auth,
            cls.limits,
            POLICY,
            longest_answer=_LONGEST_RESULTS,
            is_throttle=is_throttle,
        )
        return cls(spec, SalesforceApi(http, version))

    @classmethod
    def check(cls, spec: SyncSpec) -> None:
        is_custom = re.fullmatch(r"[A-Za-z]\w*__c", spec.object)
        if not is_custom or spec.mode not in _MODES:
            super().check(spec)
        if problem := next(_problems(spec), None):
            raise ValueError(problem)

    @property
    def calls(self) -> int:
        return self._api.calls

    def weight(self, row: Row) -> int:
        # An update carries the 18 characters of a record id.
        return len(csv_line(self._cells(row.values, self._spec.columns)).encode()) + 19

    def upsert(self, rows: Sequence[Row]) -> list[Outcome] | Job:
        settled = [Outcome.rejected(row.key, code) for row in rows if (code := _too_long(row))]
        fit = [row for row in rows if not _too_long(row)]
        columns = self._spec.columns
        operation = _OPERATIONS.get(self._spec.mode, "upsert")
        if operation != "update":
            lines = [self._cells(row.values, columns) for row in fit]
            return self._start(settled, [(operation, columns, lines)])
        ids, missing = self._ids_to_update(fit)
        there = [row for row in fit if row.key in ids]
        lines = [[ids[row.key], *self._cells(row.values, columns)] for row in there]
        return self._start(settled + missing, [(operation, ["Id", *columns], lines)])

    def remove(self, rows: Sequence[Row]) -> list[Outcome] | Job:
        ids = self._ids([row.key for row in rows])
        settled = [Outcome.delivered(row.key) for row in rows if row.key not in ids]
        erased = [row for row in rows if row.key in ids and self._is_erasure(row)]
        others = [row for row in rows if row.key in ids and not self._is_erasure(row)]
        deleted = others if self._spec.mode in ("mirror", "delete") else []
        on_leave = self._spec.on_leave
        emptied = [row for row in others if on_leave and not deleted]
        if not on_leave and not deleted:
            settled += [Outcome.rejected(row.key, "NO_REMOVAL_DECLARED") for row in others]
        if self._spec.options.get("hard_delete") != "true":
            deleted, erased = deleted + erased, []
        cells = [value or CLEARED for value in on_leave.values()]
        return self._start(
            settled,
            [
                ("hardDelete", ["Id"], [[ids[row.key]] for row in erased]),
                ("delete", ["Id"], [[ids[row.key]] for row in deleted]),
                (
                    "update",
                    ["Id", self._spec.key, *on_leave],
                    [[ids[row.key], row.key, *cells] for row in emptied],
                ),
            ],
        )

    def poll(self, job_id: str, rows: Sequence[Row]) -> list[Outcome] | None:
        jobs = {part: self._api.job(part) for part in job_id.split(",")}
        if any(job and job.get("state") in _GOES_ON for job in jobs.values()):
            return None
        try:
            return self._settled(jobs, rows)
        except Refused as refused:  # results are gone before their job is
            return [Outcome.unknown(row.key, refused.code) for row in rows]

    def _settled(self, jobs: Mapping[str, dict | None], rows: Sequence[Row]) -> list[Outcome]:
        """Outcomes of the rows of jobs that go on no longer."""
        ended = {part: j for part, j in jobs.items() if j and j.get("state") != "Open"}
        deletions = [part for part, job in ended.items() if job.get("operation") in _DELETIONS]
        outcomes: dict[str, Outcome] = {}
        for part in ended:
            if part not in deletions:
                outcomes |= {outcome.key: outcome for outcome in self._results(part)}
        code = next(filter(None, map(_why_unknown, jobs.values())), "NO_RESULT")
        silent = [row.key for row in rows if row.key not in outcomes]
        there = self._ids(silent) if deletions and silent else {}
        failures = {k: v for part in deletions for k, v in self._failed_deletions(part).items()}
        for key in silent:
            if deletions and key not in there:
                outcomes[key] = Outcome.delivered(key)
            elif there.get(key) in failures:
                outcomes[key] = _failed(key, failures[there[key]])
            else:
                outcomes[key] = Outcome.unknown(key, code)
        return [outcomes[row.key] for row in rows]

    def read(self, rows: Sequence[Row]) -> Mapping[str, Mapping[str, str | None]] | None:
        held, given = {}, {row.key: row.values for row in rows}
        for key, record in self._records(list(given), self._spec.columns):
            held[key] = {
                name: as_given(record.get(name.casefold()), given[key].get(name))
                for name in self._spec.columns
            }
        return held

    # -- jobs

    def _start(
        self, settled: Sequence[Outcome], jobs: Sequence[tuple[str, list[str], list[list[str]]]]
    ) -> list[Outcome] | Job:
        """Operation, columns and lines of each job; those without lines are none."""
        started = []
        for operation, columns, lines in jobs:
            if lines:
                key = self._spec.key if operation == "upsert" else None
                content = "".join(csv_line(cells) for cells in [columns, *lines]).encode()
                started.append(self._api.start(operation, self._spec.object, content, key))
        return Job(",".join(started), tuple(settled)) if started else list(settled)

    def _results(self, job_id: str) -> Iterator[Outcome]:
        key_column = self._spec.key.casefold()
        for record in self._api.results(job_id, "successfulResults"):
            yield Outcome.delivered(record.get(key_column, ""), record.get("sf__id") or None)
        for record in self._api.results(job_id, "failedResults"):
            key, text = record.get(key_column, ""), record.get("sf__error", "")
            if self._spec.mode == "create_only" and self._says_it_is_there(text):
                yield Outcome.delivered(key)
            else:
                yield _failed(key, error_code(text))
        for record in self._api.results(job_id, "unprocessedrecords"):
            yield Outcome.unknown(record.get(key_column, ""), "UNPROCESSED")

    def _failed_deletions(self, job_id: str) -> dict[str, str]:
        """Codes by record id."""
        return {
            record.get("id", ""): error_code(record.get("sf__error", ""))
            for record in self._api.results(job_id, "failedResults")
        }

    def _says_it_is_there(self, text: str) -> bool:
        """The key is taken, so the row was written once: by an upload whose answer was lost."""
        return f"{self._spec.key} duplicates value".casefold() in text.casefold()

    # -- records

    def _records(
        self, keys: Sequence[str], columns: Sequence[str]
    ) -> Iterator[tuple[str, dict[str, str | None]]]:
        """Key of a row and its record, by lower-case name. Salesforce compares texts without
        regard to case."""
        by_text = {key.casefold(): key for key in keys}
        for record in self._api.records(self._spec.object, self._spec.key, keys, columns):
            lower = {name.casefold(): value for name, value in record.items()}
            key = by_text.get(str(lower.get(self._spec.key.casefold()) or "").casefold())
            if key and lower.get("id"):
                yield key, lower

    def _ids(self, keys: Sequence[str]) -> dict[str, str]:
        return {key: str(record["id"]) for key, record in self._records(keys, [])}

    def _ids_to_update(self, rows: Sequence[Row]) -> tuple[dict[str, str], list[Outcome]]:
        """Record ids by the key, else by ``match_on``; and the outcomes of rows without one."""
        ids = self._ids([row.key for row in rows])
        missing = [row for row in rows if row.key not in ids]
        field = self._spec.match_on
        if not field or field == self._spec.key:
            return ids, [Outcome.rejected(row.key, "NOT_THERE") for row in missing]
        texts = {row.key: row.values.get(field) or "" for row in missing}
        asked = [text for text in texts.values() if text]
        matches: dict[str, list[dict]] = {}
        for record in self._api.records(self._spec.object, field, asked, [self._spec.key]):
            lower = {name.casefold(): value for name, value in record.items()}
            text = str(lower.get(field.casefold()) or "").casefold()
            matches.setdefault(text, []).append(lower)
        outcomes = []
        for key, text in texts.items():
            found = matches.get(text.casefold(), []) if text else []
            if not found:
                outcomes.append(Outcome.rejected(key, "NOT_THERE"))
            elif len(found) > 1:
                outcomes.append(Outcome.rejected(key, "SEVERAL_RECORDS"))
            elif found[0].get(self._spec.key.casefold()):
                outcomes.append(Outcome.rejected(key, "RECORD_OF_ANOTHER_KEY"))
            else:
                ids[key] = str(found[0].get("id"))
        return ids, outcomes

    def _cells(self, values: Mapping[str, str | None], columns: Sequence[str]) -> list[str]:
        """Null leaves a field alone unless the sync says it empties it. Salesforce holds no
        empty text, and the text that would empty a field is no value of ours."""
        cells = ((column, values.get(column)) for column in columns)
        return [
            value
            if value and value != CLEARED
            else CLEARED
            if column in self._spec.clear_nulls
            else ""
            for column, value in cells
        ]

    def _is_erasure(self, row: Row) -> bool:
        return row.reason == "erasure" and self._spec.on_erasure == "delete"


def _failed(key: str, code: str) -> Outcome:
    if code in _TRANSIENT:
        return Outcome.unknown(key, code)
    return Outcome.rejected(key, code)


def _why_unknown(job: dict | None) -> str | None:
    """What rows without a result are told, where the job did not end well."""
    if job is None:
        return "JOB_EXPIRED"
    if job.get("state") == "Open":
        return "JOB_NOT_CLOSED"
    if job.get("state") == "JobComplete":
        return None
    # ``InvalidBatch : Field name not found : ...``
    code = error_code(str(job.get("errorMessage") or "").upper())
    return f"JOB_{job.get('state')}".upper() if code == "UNSPECIFIED" else code


def _too_long(row: Row) -> str | None:
    lengths = [len(value or "") for value in row.values.values()]
    if max(lengths, default=0) > _FIELD_CHARS:
        return "FIELD_TOO_LONG"
    return "RECORD_TOO_LONG" if sum(lengths) > _RECORD_CHARS else None


def _problems(spec: SyncSpec) -> Iterator[str]:
    odd = [c for c in spec.columns if not re.fullmatch(r"[A-Za-z]\w*", c) or c.lower() == "id"]
    if odd:
        yield f"columns: {', '.join(odd)} cannot be written; name fields as Salesforce does"
    if spec.match_on not in (None, spec.key) and spec.mode != "update_only":
        yield f"match_on: Salesforce finds records by {spec.key}; others by mode update_only"
    if spec.mode == "audience" and not spec.on_leave:
        yield "on_leave: what Salesforce is to hold of who left must be said"
    if spec.key in spec.clear_nulls or spec.key in spec.on_leave:
        yield f"{spec.key}: a record keeps its key"
    if unknown := sorted(set(spec.options) - {"hard_delete"}):
        yield f"options: Salesforce knows no {', '.join(unknown)}"
