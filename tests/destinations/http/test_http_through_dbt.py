"""The YAML of `docs/destinations/http.md` is one that works: dbt reads it in an exposure, and what
arrives at an endpoint is what it says."""

import json
import re
from pathlib import Path
from typing import Any

import pytest
import yaml

from orchestration.destinations._http_options import HttpOptions
from orchestration.sync.run import SyncRun, run_sync
from orchestration.sync.spec import load_manifest, load_sync
from orchestration.warehouse import ROOT, Warehouse, dbt
from tests.destinations.http.case import BATCH, BY_ID, BY_KEY
from tests.fakes.server import Answer, ApiError, FakeServer, Request
from tests.fixtures.activation_project import make_project, remove_the_sync, stand_in_statements

DOCUMENT = ROOT / "docs" / "destinations" / "http.md"
OTHER, OTHER_PLAN = "sync_hubspot__contacts", "int_activation__hubspot_contacts_planned"
SYNC, PLAN = "sync_http__members", "int_activation__http_members_planned"
TEMPLATES = [
    '{"a": {"b": {"c": "${email}", "d": "${points | number}"}}}',
    *(text for options in (BY_KEY, BY_ID, BATCH) for text in options.values()),
]

MODEL = f"""
select
    customers.customer_id as external_id,
    customers.email,
    cast(cast(scores.clv_12m as bigint) as varchar) as points
from ({{{{ sync_rows('{SYNC}') }}}}) as permitted
inner join {{{{ ref('customers') }}}} as customers on permitted.customer_id = customers.customer_id
left join {{{{ ref('customer_lifetime_value') }}}} as scores
    on permitted.customer_id = scores.customer_id
"""


class Members(FakeServer):
    """``PUT`` and ``DELETE`` of ``/members/<id>``, and nothing else."""

    def __init__(self) -> None:
        super().__init__()
        self.members: dict[str, Any] = {}
        self.log: list[tuple[str, str, Any]] = []

    def answer(self, request: Request) -> Answer:
        self.log.append((request.method, request.path, request.json))
        key = re.fullmatch(r"/members/([^/]+)", request.path)
        if request.headers.get("authorization") != "Bearer s3cret":
            raise ApiError(401, {})
        if key and request.method == "PUT":
            self.members[key[1]] = request.json
            return Answer(200, {"data": {"id": f"m-{key[1]}"}})
        if key and request.method == "DELETE" and self.members.pop(key[1], None):
            return Answer(204)
        raise ApiError(404, {})


def documented() -> dict[str, Any]:
    """The first YAML of the document."""
    block = re.search(r"^```yaml\n(.*?)^```$", DOCUMENT.read_text(), re.MULTILINE | re.DOTALL)
    return yaml.safe_load(block[1])["meta"]


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The activation models with this sync for the one that is theirs."""
    project = make_project(tmp_path_factory.mktemp("http") / "project")
    models = remove_the_sync(project)
    columns = [{"name": n, "data_type": "string"} for n in ("external_id", "email", "points")]
    exposure = {
        "name": SYNC,
        "type": "application",
        "owner": {"email": "customer-data@example.com"},
        "depends_on": [f"ref('{SYNC}')", "ref('sync_plan')"],
        "config": {"meta": documented() | {"templates": TEMPLATES}},
    }
    declared = {"models": [{"name": SYNC, "columns": columns}], "exposures": [exposure]}
    (models / f"{SYNC}.yml").write_text(yaml.safe_dump(declared))
    (models / f"{SYNC}.sql").write_text(MODEL)
    (models / f"{PLAN}.sql").write_text(
        f"{{{{ config(contract={{'enforced': false}}) }}}}\n{{{{ plan_sync('{SYNC}') }}}}\n"
    )
    settings = project / "dbt_project.yml"
    settings.write_text(settings.read_text().replace(f"[{OTHER_PLAN}]", f"[{PLAN}]"))
    execute(project, *stand_in_statements())
    for key, points in (("a b/1", "1234567890123456"), ("c2", "7")):
        execute(
            project,
            f"insert into standin.customers (customer_id, email)"
            f" values ('{key}', '{key[0]}@example.com')",
            f"insert into standin.customer_lifetime_value values ('{key}', {points})",
            f"insert into standin.customer_consents values"
            f" ('{key}', 'marketing', 'email', true, false)",
        )
    return project


def execute(project: Path, *statements: str) -> None:
    with Warehouse.open(project_dir=project) as warehouse:
        for statement in statements:
            warehouse.execute(statement)


def build_and_sync(project: Path) -> SyncRun:
    outcome = dbt(["run"], project_dir=project)
    assert outcome.success, outcome.statuses
    return run_sync(SYNC, project_dir=project)


def test_dbt_leaves_templates_as_they_are_written(project: Path) -> None:
    assert dbt(["parse"], project_dir=project).success
    manifest = load_manifest(project)
    options = load_sync(manifest, SYNC).options
    assert options == documented()["sync"]["options"]
    assert (options["path"], options["remove_path"]) == ("/members/${cdp_key}",) * 2
    assert json.loads(options["body"]) == {"email": "${email}", "points": "${points | number}"}
    assert HttpOptions.of(load_sync(manifest, SYNC)).method == "PUT"
    [exposure] = (e for e in manifest["exposures"].values() if e["name"] == SYNC)
    assert exposure["config"]["meta"]["templates"] == TEMPLATES


def test_the_documented_sync_writes_and_takes_away_the_right_members(
    project: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CDP_HTTP_LOYALTY_TOKEN", "s3cret")
    monkeypatch.setenv("CDP_WEBHOOK_ALLOWED_HOSTS", "127.0.0.1")
    with Members() as fake:
        monkeypatch.setenv("CDP_HTTP_LOYALTY_URL", fake.url)
        run = build_and_sync(project)
        assert (run.status, run.rows_delivered) == ("succeeded", 2)
        assert sorted(fake.log, key=str) == [
            ("PUT", "/members/a%20b%2F1", {"email": "a@example.com", "points": 1234567890123456}),
            ("PUT", "/members/c2", {"email": "c@example.com", "points": 7}),
        ]
        fake.log.clear()
        execute(
            project,
            "update standin.customer_consents set is_granted = false, is_refused = true"
            " where customer_id = 'a b/1'",
        )
        run = build_and_sync(project)
        assert (run.status, run.rows_removed) == ("succeeded", 1)
        assert fake.log == [("DELETE", "/members/a%20b%2F1", None)]
        assert fake.members == {"c2": {"email": "c@example.com", "points": 7}}
