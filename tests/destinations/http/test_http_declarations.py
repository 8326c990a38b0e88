"""Any HTTP endpoint: which declarations are refused, since rows would be lost, doubled or made."""

import pytest

from orchestration.destinations._http_options import HttpOptions, Requests
from orchestration.destinations.http import Http
from tests.destinations.http.case import BATCH, BY_ID, BY_KEY, spec

WITHOUT_IDS = {name: value for name, value in BY_ID.items() if not name.startswith("lookup_")}
EVENTS = {"path": "/events", "body": '{"events": "${cdp_rows}"}', "batch_rows": "10"}


def refused(options: dict[str, str], mode: str = "upsert", **changes: object) -> str:
    with pytest.raises(ValueError, match=r"^options\.") as caught:
        Http.check(spec(options, mode, **changes))
    return str(caught.value)


# -- placeholders


@pytest.mark.parametrize(
    "options",
    [
        {"path": "/records/{{ cdp_key }}"},
        {"path": "/records/${cdp_key}}"},
        {"remove_path": "/records/{{ cdp_key }}"},
        {"body": '{"name": "{{ name }}"}'},
        {"body": '{"points": {{ points }}}'},
        {"body": '{"name": ["${name}", "}}"]}'},
        {"body": '{"{{ name }}": 1}'},
    ],
)
def test_double_braces_are_refused_for_dbt_renders_them(options: dict[str, str]) -> None:
    assert "written ${column}, as dbt would render" in refused(BY_KEY | options)


def test_json_that_ends_in_two_braces_holds_none() -> None:
    Http.check(spec(BY_KEY | {"body": '{"a": {"name": "${name}"}}'}))
    assert "must be JSON" in refused(BY_KEY | {"body": '{"a": {"name": "${name}"}},'})


def test_without_a_body_all_columns_are_sent_and_of_a_batch_all_rows() -> None:
    declared = spec({}, columns=["external_id", "$name"])
    options = HttpOptions(url_env="CDP_HTTP_URL")
    body = Requests.of(declared, options).create.body
    assert body.render({"external_id": "a", "$name": "b"}) == {"external_id": "a", "$name": "b"}
    batch = Requests.of(declared, HttpOptions(url_env="CDP_HTTP_URL", batch_rows=5)).create
    assert batch.body.render({"cdp_rows": [1, 2]}) == [1, 2]
    assert batch.row.names == {"external_id", "$name"}


# -- which row a request is about


@pytest.mark.parametrize(
    ("options", "option"),
    [
        ({"remove_path": "/records/"}, "remove_path"),
        ({"remove_path": "/records/${cdp_sync}"}, "remove_path"),
        ({"remove_path": "/r", "remove_body": '"${cdp_idempotency_key}"'}, "remove_path"),
        ({"remove_path": "/r", "remove_row": '{"why": "${cdp_reason}"}'}, "remove_path"),
        ({"path": "/records/", "body": '{"name": ""}'}, "path"),
        ({"path": "/r/${cdp_idempotency_key}", "body": "{}"}, "path"),
        ({"method": "PATCH", "path": "/records/", "body": '{"name": ""}'}, "path"),
        ({"method": "POST", "dedupes": "true", "path": "/r", "body": '{"name": ""}'}, "path"),
        ({"update_path": "/records/", "update_body": '{"name": ""}'}, "update_path"),
        ({"lookup_path": "/records?id=", "lookup_id_path": "0"}, "lookup_path"),
        ({"lookup_path": "/r/${cdp_remote_id}", "lookup_id_path": "0"}, "lookup_path"),
    ],
)
def test_a_request_that_names_no_row_is_refused(options: dict[str, str], option: str) -> None:
    assert refused(BY_KEY | options).startswith(f"options.{option}: ")


def test_no_request_may_take_away_what_it_does_not_name() -> None:
    for mode in ("upsert", "mirror", "audience", "delete"):
        said = refused(BY_KEY | {"remove_path": "/members/"}, mode)
        assert "no request may take away what it does not name" in said
    left = {"remove_path": "/r", "remove_method": "PATCH", "remove_body": '{"name": "${name}"}'}
    assert "take away" in refused(BY_KEY | left, "audience", on_leave={"name": ""})


@pytest.mark.parametrize(
    "options",
    [
        {"remove_path": "/records/${external_id}"},
        {"remove_path": "/records/${cdp_remote_id}"},
        {"remove_path": "/r", "remove_body": '{"id": "${cdp_key}"}'},
        {"remove_path": "/r", "remove_row": '{"id": "${external_id}"}'},
        {"path": "/records", "body": '{"name": "${name}"}'},
        {"path": "/records/${email}", "body": "{}"},
        {"lookup_path": "/r?id=${external_id}", "lookup_id_path": "0"},
    ],
)
def test_a_row_may_be_named_in_many_ways(options: dict[str, str]) -> None:
    Http.check(spec(BY_KEY | options))


def test_an_event_may_go_by_the_key_of_its_own() -> None:
    Http.check(spec({"method": "PUT", "path": "/e/${cdp_idempotency_key}", "body": "1"}, "append"))


# -- batches


@pytest.mark.parametrize("sends", [{"dedupes": "true"}, {"method": "PUT"}, {"method": "PATCH"}])
def test_rows_of_a_batch_that_is_repeated_are_known_by_something(sends: dict[str, str]) -> None:
    batch = {name: value for name, value in BATCH.items() if name != "dedupes"} | sends
    said = refused(batch | {"row": '{"email": "${email}"}'})
    assert said.startswith("options.row: must name ${cdp_idempotency_key} or ${cdp_key}")
    assert "Idempotency-Key changes with the other rows" in said
    for name in ("cdp_idempotency_key", "cdp_key", "external_id"):
        Http.check(spec(batch | {"row": f'{{"email": "${{email}}", "id": "${{{name}}}"}}'}))


def test_events_of_a_batch_that_is_repeated_are_known_by_their_idempotency_key() -> None:
    named = '{"name": "${name}", "id": "%s"}'
    for row in ({}, {"row": named % "${external_id}"}, {"row": named % "${cdp_key}"}):
        assert refused(EVENTS | row | {"dedupes": "true"}, "append").startswith("options.row: ")
        # Without a promise nothing is repeated.
        Http.check(spec(EVENTS | row, "append"))
    row = {"row": named % "${cdp_idempotency_key}"}
    Http.check(spec(EVENTS | row | {"dedupes": "true"}, "append"))


def test_ids_of_a_batch_stand_in_its_results() -> None:
    silent = {name: value for name, value in BATCH.items() if not name.startswith("result")}
    assert refused(silent).startswith("options.results_path: ")
    Http.check(spec({name: silent[name] for name in silent if name != "remote_id_path"}))


# -- update_only


@pytest.mark.parametrize(
    ("options", "option"),
    [
        (WITHOUT_IDS | {"dedupes": "true"}, "lookup_path"),
        (WITHOUT_IDS | {"method": "PATCH"}, "lookup_path"),
        (WITHOUT_IDS | {"method": "PATCH", "path": "/records/${cdp_remote_id}"}, "lookup_path"),
        (BY_KEY, "lookup_path"),
        (BATCH, "lookup_path"),
        (BATCH | {"method": "PATCH"}, "lookup_path"),
        ({name: BY_ID[name] for name in BY_ID if name != "update_path"}, "update_path"),
        (BY_KEY | {"lookup_path": "/r/${cdp_key}", "lookup_id_path": "id"}, "update_path"),
    ],
)
def test_update_only_without_a_way_to_make_no_record_is_refused(
    options: dict[str, str], option: str
) -> None:
    assert refused(options, "update_only").startswith(f"options.{option}: update_only needs it")
    Http.check(spec(options | {"dedupes": "true"}, "upsert"))


def test_update_only_may_leave_it_to_the_endpoint_or_look_up() -> None:
    Http.check(spec(BY_ID, "update_only"))
    for name in ("cdp_key", "external_id", "email"):
        Http.check(spec(BY_KEY | {"method": "PATCH", "path": f"/r/${{{name}}}"}, "update_only"))


# -- answers


@pytest.mark.parametrize("status", ["401", "403", "408", "423", "425", "429", "477"])
def test_a_status_the_client_acts_on_says_nothing_of_a_row(status: str) -> None:
    assert refused(BY_KEY | {"exists_status": status}).startswith("options.exists_status: ")


def test_other_refusals_may_say_that_a_row_is_there() -> None:
    for status in ("400", "404", "409", "422"):
        Http.check(spec(BY_KEY | {"exists_status": status}))
