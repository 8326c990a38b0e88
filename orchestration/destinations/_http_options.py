"""What a sync says about its HTTP endpoint (``meta.sync.options``), checked before a call."""

from dataclasses import dataclass
from functools import cached_property
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, StringConstraints, ValidationError

from orchestration.destinations._template import JsonTemplate, PathTemplate
from orchestration.destinations.base import setting
from orchestration.sync.http import TRANSIENT, BasicLogin, BearerToken, Credentials
from orchestration.sync.spec import SyncSpec

# A sync's author names variables; the prefix keeps other credentials out of reach.
PREFIX = "CDP_HTTP_"

Variable = Annotated[str, StringConstraints(pattern=rf"^{PREFIX}[A-Z0-9_]+$")]
Header = Annotated[str, StringConstraints(pattern=r"^[A-Za-z][A-Za-z0-9-]{0,63}$")]
Method = Literal["POST", "PUT", "PATCH", "DELETE", "GET"]

# Options that say where rows go.
PLACES = frozenset({"url_env", "path", "update_path", "remove_path"})

# What a template may name beside the columns.
OWN_NAMES = frozenset(
    {"cdp_key", "cdp_remote_id", "cdp_idempotency_key", "cdp_action", "cdp_reason", "cdp_sync"}
)
ROWS = "cdp_rows"

_REPEATABLE_METHODS = {"PUT", "PATCH", "DELETE", "GET"}
# What the client itself acts on, for all endpoints alike.
_NEVER_EXISTS = {401, 403} | TRANSIENT


@dataclass(frozen=True)
class Request:
    """One kind of request to the endpoint."""

    method: str
    path: PathTemplate
    body: JsonTemplate | None
    row: JsonTemplate | None = None
    """With it ``body`` wraps many rows, each of which looks like this."""

    @property
    def is_batch(self) -> bool:
        return self.row is not None

    @property
    def names(self) -> set[str]:
        """All that its templates name."""
        templates = (self.path, self.body, self.row)
        return {name for template in templates if template for name in template.names}


class HttpOptions(BaseModel):
    """All settings are texts in YAML; see docs/destinations/http.md."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    url_env: Variable
    auth: Literal["none", "bearer", "basic", "header"] = "none"
    auth_env: Variable | None = None
    auth_user_env: Variable | None = None
    auth_header: Header = "X-Api-Key"
    auth_scheme: Annotated[str, StringConstraints(pattern=r"^[A-Za-z-]{1,20}$")] = "Bearer"

    method: Method = "POST"
    path: str = ""
    body: str | None = None
    row: str | None = None
    update_method: Method = "PATCH"
    update_path: str | None = None
    update_body: str | None = None
    remove_method: Method = "DELETE"
    remove_path: str | None = None
    remove_body: str | None = None
    remove_row: str | None = None
    lookup_method: Method = "GET"
    lookup_path: str | None = None
    lookup_body: str | None = None
    lookup_id_path: str = ""
    lookup_when: Literal["always", "uncertain"] = "always"

    batch_rows: int = Field(1, ge=1, le=10_000)
    batch_bytes: int | None = Field(None, ge=1000)
    requests_per_second: int = Field(50, ge=1, le=1000)
    connections: int = Field(8, ge=1, le=32)

    idempotency_header: Header = "Idempotency-Key"
    dedupes: Literal["true", "false"] = "false"
    results_path: str | None = None
    result_key: str | None = None
    remote_id_path: str | None = None
    error_field: str | None = None
    error_code_path: str | None = None
    exists_status: int | None = Field(None, ge=400, le=499)

    @classmethod
    def of(cls, spec: SyncSpec) -> "HttpOptions":
        """Raises ``ValueError`` saying which option is wrong."""
        try:
            return cls(**spec.options)
        except ValidationError as error:
            wrong = [".".join(map(str, e["loc"])) + ": " + e["msg"] for e in error.errors()]
            raise ValueError("options: " + "; ".join(wrong)) from None

    @cached_property
    def deduplicates(self) -> bool:
        return self.dedupes == "true"

    @property
    def creates_repeatably(self) -> bool:
        """A write that is sent twice, because its answer was lost, makes one record."""
        return self.deduplicates or self.method in _REPEATABLE_METHODS

    def credentials(self) -> Credentials:
        """Raises ``LookupError`` with the name of a variable that is not set."""
        if self.auth == "none":
            return Credentials("")
        secret = setting(self.auth_env or "")
        if self.auth == "basic":
            return BasicLogin(setting(self.auth_user_env or ""), secret)
        if self.auth == "header":
            return HeaderKey(self.auth_header, secret)
        return BearerToken(secret, self.auth_scheme)


class HeaderKey(Credentials):
    """``X-Api-Key: secret``."""

    def __init__(self, name: str, secret: str) -> None:
        super().__init__(secret)
        self._name = name

    def headers(self) -> dict[str, str]:
        return {self._name: self._secret}


@dataclass(frozen=True)
class Requests:
    """The requests of a sync, from its options."""

    create: Request
    update: Request | None
    remove: Request | None
    lookup: Request | None

    @classmethod
    def of(cls, spec: SyncSpec, options: HttpOptions) -> "Requests":
        """Raises ``ValueError`` where a template or the options do not fit each other."""
        columns = OWN_NAMES | set(spec.columns)
        # Who is gone has no values any more; what is written of who left is declared.
        gone = OWN_NAMES | {spec.key} | set(spec.on_leave)
        all_columns = _object_of(spec.columns)
        if options.batch_rows > 1:
            row, body, update_body = options.row or all_columns, options.body or "", all_columns
        elif options.row:
            raise ValueError("options.row: with batch_rows above 1 only")
        else:
            row, body = None, options.body or all_columns
            update_body = options.update_body or body
        return cls(
            create=_request("", options.method, options.path, body, columns, row),
            update=_optional("update_", options, columns, update_body),
            remove=_optional("remove_", options, gone, options.remove_body, options.remove_row),
            lookup=_optional("lookup_", options, gone, options.lookup_body),
        )


def check_options(spec: SyncSpec) -> None:
    """Raise ``ValueError`` where the options cannot do what the mode asks for."""
    options = HttpOptions.of(spec)
    requests = Requests.of(spec, options)
    if options.auth != "none" and not options.auth_env:
        raise ValueError(f"options.auth_env: the variable ({PREFIX}...) with the secret")
    if options.auth == "basic" and not options.auth_user_env:
        raise ValueError("options.auth_user_env: the variable with the user")
    _check_names(spec, requests)
    _check_modes(spec, options, requests)
    _check_batches(spec, options, requests)
    _check_results(options, requests)


def _check_names(spec: SyncSpec, requests: Requests) -> None:
    """A request that names no row is about whatever its address stands for: a collection that
    it empties, the first record there is."""
    keys = {"cdp_key", spec.key}
    ids = keys | {"cdp_remote_id"}
    written = ids | set(spec.columns)
    if spec.mode == "append":  # what an event is known by
        written |= {"cdp_idempotency_key"}
    needed = (
        ("path", requests.create, written, "a request must say something of its row"),
        ("update_path", requests.update, written, "a request must say something of its row"),
        ("remove_path", requests.remove, ids, "no request may take away what it does not name"),
        ("lookup_path", requests.lookup, keys, "a row is looked up by its key"),
    )
    for option, request, names, why in needed:
        if request and not names & request.names:
            raise ValueError(f"options.{option}: {why} (${{cdp_key}}, in its path or body)")


def _check_modes(spec: SyncSpec, options: HttpOptions, requests: Requests) -> None:
    takes_away = spec.mode in ("mirror", "audience", "delete") or (
        spec.mode != "append" and spec.on_erasure == "delete"
    )
    if takes_away and not requests.remove:
        raise ValueError("options.remove_path: how a row is taken away must be said")
    if spec.mode == "update_only":
        _check_update_only(spec, requests)
    writes = spec.mode not in ("append", "delete")
    if writes and not options.creates_repeatably and not requests.lookup:
        raise ValueError(
            "options.dedupes: a POST that is sent twice must make one record. Say that the "
            "endpoint sees to it (by Idempotency-Key or a unique key), use PUT, or state "
            "lookup_path"
        )


def _check_update_only(spec: SyncSpec, requests: Requests) -> None:
    """Nothing that could make a record is sent: a row is looked up first, or the address that
    is patched is its own, where the endpoint answers 404 when nothing is there."""
    is_patch = requests.create.method == "PATCH"
    if requests.lookup:
        if not requests.update and not is_patch:
            raise ValueError("options.update_path: update_only needs it, or method PATCH")
    elif not is_patch or not ({"cdp_key", *spec.columns} & requests.create.path.names):
        raise ValueError(
            "options.lookup_path: update_only needs it, or method PATCH and a path that names "
            "the row (${cdp_key})"
        )


def _check_batches(spec: SyncSpec, options: HttpOptions, requests: Requests) -> None:
    if not requests.create.is_batch:
        return
    if requests.lookup or requests.update:
        raise ValueError("options.batch_rows: lookups and updates go one row a request")
    if options.remote_id_path and options.results_path is None:
        raise ValueError(
            "options.results_path: where the results of a batch stand, in which remote_id_path "
            "finds the ids"
        )
    # The header is of the request: with other neighbours the same row goes under another one.
    known_by = {"cdp_idempotency_key"}
    if spec.mode != "append":  # of one key there are many events
        known_by |= {"cdp_key", spec.key}
    if options.creates_repeatably and not known_by & requests.create.row.names:
        names = " or ".join(f"${{{name}}}" for name in sorted(known_by))
        raise ValueError(
            f"options.row: must name {names}, for {options.idempotency_header} changes with the "
            "other rows of a batch and an endpoint could not tell which of them it has"
        )


def _check_results(options: HttpOptions, requests: Requests) -> None:
    if options.exists_status in _NEVER_EXISTS:
        raise ValueError(
            f"options.exists_status: {options.exists_status} is tried again or ends the run, "
            "whatever is there"
        )
    if requests.lookup and not options.lookup_id_path:
        raise ValueError("options.lookup_id_path: where the id stands in what is looked up")
    known = bool(options.remote_id_path or requests.lookup)
    for request in (requests.update, requests.remove):
        if request and not known and "cdp_remote_id" in request.names:
            raise ValueError("options.remote_id_path: a template names cdp_remote_id")
    if options.result_key and not options.results_path:
        raise ValueError("options.results_path: result_key is looked for in results")


def _object_of(columns: list[str]) -> str:
    members = (f'"{name}": "${{{name}}}"' for name in columns)
    return "{" + ", ".join(members) + "}"


def _optional(
    kind: str, options: HttpOptions, names: set[str], body: str | None, row: str | None = None
) -> Request | None:
    path = getattr(options, f"{kind}path")
    if path is None:
        if getattr(options, f"{kind}body") or getattr(options, f"{kind}row", None):
            raise ValueError(f"options.{kind}path: there is a body for it")
        return None
    return _request(kind, getattr(options, f"{kind}method"), path, body, names, row)


def _request(
    kind: str, method: str, path: str, body: str | None, names: set[str], row: str | None = None
) -> Request:
    def made(option: str, template, *arguments):
        try:
            return template(*arguments)
        except ValueError as error:
            raise ValueError(f"options.{kind}{option}: {error}") from None

    # A request of many rows has their places in its body, and no path of one of them.
    path_template = made("path", PathTemplate, path, {"cdp_sync"} if row else names)
    if row is None:
        return Request(
            method, path_template, made("body", JsonTemplate, body, names) if body else None
        )
    wrapper = made("body", JsonTemplate, body or f'"${{{ROWS}}}"', {ROWS, "cdp_sync"})
    if ROWS not in wrapper.names:
        raise ValueError(f"options.{kind}body: where do the rows go? (${{{ROWS}}})")
    return Request(method, path_template, wrapper, made("row", JsonTemplate, row, names))


def endpoint_url(options: HttpOptions) -> str:
    """Raises ``LookupError``."""
    return setting(options.url_env)
