"""Salesforce's REST and Bulk API 2.0 as calls, and its dialects of CSV and SOQL."""

import csv
import io
import re
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from decimal import Decimal, InvalidOperation
from typing import Any
from urllib.parse import urlencode

from orchestration.destinations.base import Limits, Refused, Stopped, Unanswered, safe_code
from orchestration.sync.http import Credentials, HttpClient, Policy, RenewedToken, Reply

VERSION = "67.0"
CLEARED = "#N/A"
"""In a cell: empty the field. An empty cell leaves it alone."""

# 100 MB of text are an upload of minutes.
POLICY = Policy(exchange_deadline=300, call_deadline=900)

# Of these calls the bytes are the answer, or the status is: none has to be JSON.
_NO_JSON = {204}
_VALUES_PER_QUERY = 200
_QUERY_CHARS = 4000
_UPLOADS = 3
_TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}\+0000")


def token(instance_url: str, client_id: str, client_secret: str, limits: Limits) -> RenewedToken:
    """Tokens by OAuth's client credentials, asked of the organisation's own address."""
    form = {
        "grant_type": "client_credentials",
        "client_id": client_id,
        "client_secret": client_secret,
    }
    http = HttpClient(instance_url, Credentials(client_id), limits)  # the form holds the secret

    def fetch() -> str:
        reply = http.request(
            "POST",
            "/services/oauth2/token",
            data=urlencode(form).encode(),
            headers={"Content-Type": "application/x-www-form-urlencoded"},
        )
        given = reply.body.get("access_token") if isinstance(reply.body, dict) else None
        if reply.status != 200 or not isinstance(given, str):
            raise Stopped("TOKEN_REFUSED", "auth")
        return given

    return RenewedToken(f"{instance_url} {client_id}", fetch)


class SalesforceApi:
    """One organisation, one version."""

    def __init__(self, http: HttpClient, version: str = VERSION) -> None:
        self._http = http
        self._root = f"/services/data/v{version}"
        self._jobs = f"{self._root}/jobs/ingest"

    @property
    def calls(self) -> int:
        return self._http.calls

    def start(self, operation: str, sobject: str, content: bytes, key: str | None = None) -> str:
        """Id of a job that has its rows and is closed. ``key``: the external id of an upsert.

        An upload whose answer is lost is not repeated: it could double the rows. The job is
        aborted, which applies nothing, and another one made."""
        job = {"operation": operation, "object": sobject, "contentType": "CSV", "lineEnding": "LF"}
        job |= {"externalIdFieldName": key} if key else {}
        for tries_left in reversed(range(_UPLOADS)):
            job_id = self._create(job)
            try:
                self._upload(job_id, content)
                break
            except (Refused, Unanswered) as failure:
                self._set_state(job_id, "Aborted")
                if isinstance(failure, Refused) or not tries_left:
                    raise
        self._set_state(job_id, "UploadComplete")
        return job_id

    def job(self, job_id: str) -> dict | None:
        """What is said about a job; None when Salesforce no longer has it."""
        reply = self._http.request("GET", f"{self._jobs}/{job_id}")
        if reply.status == 404:
            return None
        if reply.status != 200 or not isinstance(reply.body, dict):
            raise Unanswered(refusal(reply))
        return reply.body

    def results(self, job_id: str, kind: str) -> Iterator[dict[str, str]]:
        """Rows of ``successfulResults``, ``failedResults`` or ``unprocessedrecords``, in any
        order, with the cells that were sent. Raises ``Refused`` where there are none."""
        path = f"{self._jobs}/{job_id}/{kind}/"
        reply = self._http.request("GET", path, headers={"Accept": "text/csv"}, statuses=_NO_JSON)
        if reply.status != 200:
            raise Refused(refusal(reply))
        try:
            text = reply.content.decode()
        except UnicodeDecodeError:
            raise Unanswered("UNREADABLE_ANSWER") from None
        yield from read_csv(text)

    def records(
        self, sobject: str, field: str, values: Sequence[str], columns: Sequence[str]
    ) -> Iterator[dict[str, Any]]:
        """Records whose ``field`` is one of ``values``; deleted ones are not among them."""
        names = ", ".join(dict.fromkeys(["Id", field, *columns]))
        for part in _parts(values):
            soql = f"SELECT {names} FROM {sobject} WHERE {field} IN ({', '.join(part)})"
            path, params = f"{self._root}/query", {"q": soql}
            while path:
                reply = self._http.request("GET", path, params=params)
                if reply.status != 200 or not isinstance(reply.body, dict):
                    raise Stopped(refusal(reply))
                found = reply.body.get("records")
                yield from (r for r in found or [] if isinstance(r, dict))
                path, params = str(reply.body.get("nextRecordsUrl") or ""), None

    # -- inside

    def _create(self, job: dict[str, str]) -> str:
        """A refusal is about the declaration, never about rows."""
        reply = self._http.post(self._jobs, job, {200})
        job_id = reply.body.get("id") if isinstance(reply.body, dict) else None
        if reply.status != 200 or not job_id:
            raise Stopped(refusal(reply))
        return str(job_id)

    def _upload(self, job_id: str, content: bytes) -> None:
        reply = self._http.request(
            "PUT",
            f"{self._jobs}/{job_id}/batches",
            data=content,
            headers={"Content-Type": "text/csv; charset=UTF-8"},
            statuses=_NO_JSON,
            repeatable=False,
        )
        if reply.status != 201:
            raise Refused(refusal(reply))

    def _set_state(self, job_id: str, state: str) -> None:
        """Without an answer the job is asked about later: it tells whether it was closed."""
        try:
            self._http.request(
                "PATCH", f"{self._jobs}/{job_id}", {"state": state}, statuses=_NO_JSON
            )
        except Unanswered:
            return


def refusal(reply: Reply) -> str:
    """Why a call was refused, as a code."""
    first = reply.body[0] if isinstance(reply.body, list) and reply.body else None
    code = safe_code(first.get("errorCode")) if isinstance(first, dict) else "UNSPECIFIED"
    return f"HTTP_{reply.status}" if code == "UNSPECIFIED" else code


def is_throttle(body: Any) -> bool:
    """Whether a 403 is about how much was asked, in a day or at once."""
    return refusal(Reply(403, body)) == "REQUEST_LIMIT_EXCEEDED"


def error_code(text: str) -> str:
    """The code of ``UNABLE_TO_LOCK_ROW:unable to obtain ...:--``."""
    return safe_code(text.partition(":")[0].strip())


def as_given(held: object, given: str | None) -> str | None:
    """The value of a record, as a cell said it where it is the same number (120.0 of 120) or time
    (``10:00:00.000+0000`` of ``10:00:00Z``)."""
    if given and (_is_number(held, given) or _is_time(held, given)):
        return given
    if isinstance(held, bool):
        return str(held).lower()
    return None if held is None else str(held)


def csv_line(cells: Sequence[str]) -> str:
    """Quotes where they must be, and nowhere else; lines end with a line feed."""
    quoted = (f'"{c.replace(chr(34), chr(34) * 2)}"' if _is_special(c) else c for c in cells)
    return ",".join(quoted) + "\n"


def read_csv(text: str) -> Iterator[dict[str, str]]:
    """Rows by lower-case name. Raises ``Unanswered`` where it is none of a job."""
    csv.field_size_limit(10_000_000)
    try:
        lines = list(csv.reader(io.StringIO(text, newline=""), strict=True))
    except csv.Error:
        raise Unanswered("UNREADABLE_ANSWER") from None
    if not lines:
        return
    names = [name.casefold() for name in lines[0]]
    for cells in lines[1:]:
        if len(cells) != len(names):
            raise Unanswered("UNREADABLE_ANSWER")
        yield dict(zip(names, cells, strict=True))


def _is_number(held: object, given: str) -> bool:
    try:
        number = Decimal(given)
    except InvalidOperation:
        return False
    if isinstance(held, float):  # has no more digits than a float, whatever was given
        return number.is_finite() and float(number) == held
    return isinstance(held, int) and not isinstance(held, bool) and number == held


def _is_time(held: object, given: str) -> bool:
    """To the second, which is what Salesforce keeps of a time."""
    if not isinstance(held, str) or not _TIME.fullmatch(held):
        return False
    try:
        times = [datetime.fromisoformat(text).replace(microsecond=0) for text in (held, given)]
    except ValueError:
        return False
    return times[0] == times[1]


def _is_special(cell: str) -> bool:
    return any(mark in cell for mark in '",\r\n')


def _parts(values: Sequence[str]) -> Iterator[list[str]]:
    """Quoted values, as many as an address holds."""
    part: list[str] = []
    for value in values:
        quoted = _quoted(value)
        is_full = len(part) == _VALUES_PER_QUERY
        if part and (is_full or sum(map(len, part)) + len(quoted) > _QUERY_CHARS):
            yield part
            part = []
        part.append(quoted)
    if part:
        yield part


_ESCAPES: Mapping[str, str] = {"\\": "\\\\", "'": "\\'", "\n": "\\n", "\r": "\\r", "\t": "\\t"}


def _quoted(value: str) -> str:
    return "'" + "".join(_ESCAPES.get(mark, mark) for mark in value) + "'"
