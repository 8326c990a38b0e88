"""The Dagster UI, as a person meets it: started headless, looked at, and run; and what a run
leaves behind in logs and storage."""

import json
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import duckdb
import pytest
import requests

from orchestration.warehouse import ROOT
from tests.fakes.hubspot import FakeHubSpot
from tests.fixtures import demo_project

SCREENSHOT = ROOT / "tests" / "ui" / "screenshots" / "asset_graph.png"
START_UP_SECONDS = 180
RUN_SECONDS = 900

LAUNCH = """
mutation Launch($selector: JobOrPipelineSelector!, $tags: [ExecutionTag!]) {
  launchRun(executionParams: {selector: $selector, executionMetadata: {tags: $tags}}) {
    __typename
    ... on LaunchRunSuccess { run { runId } }
    ... on PythonError { message }
  }
}
"""
STATUS = """
query Status($id: ID!) { runOrError(runId: $id) { ... on Run { status } } }
"""
GRAPH = """
query Graph { assetNodes { assetKey { path } dependencyKeys { path } } }
"""


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


class Server:
    """A webserver and daemon of its own, with a home of its own."""

    def __init__(self, url: str, home: Path) -> None:
        self.url = url
        self.home = home

    def ask(self, query: str, **variables) -> dict:
        answer = requests.post(
            f"{self.url}/graphql", json={"query": query, "variables": variables}, timeout=60
        )
        answer.raise_for_status()
        body = answer.json()
        assert "errors" not in body, body["errors"]
        return body["data"]


@pytest.fixture(scope="module")
def hubspot() -> Iterator[FakeHubSpot]:
    with FakeHubSpot() as portal:
        yield portal


@pytest.fixture(scope="module")
def server(tmp_path_factory, small_demo, hubspot) -> Iterator[Server]:
    home = tmp_path_factory.mktemp("dagster_home")
    shutil.copy(ROOT / "orchestration" / "dagster.yaml", home / "dagster.yaml")
    port = _free_port()
    env = {
        **os.environ,
        **small_demo.env,
        "DAGSTER_HOME": str(home),
        "PYTHONPATH": str(ROOT),
        "HUBSPOT_BASE_URL": hubspot.url,
        "HUBSPOT_TOKEN": hubspot.token,
        "DBT_LOG_LEVEL_FILE": "debug",
    }
    command = ["-m", "dagster", "dev", "--host", "127.0.0.1", "--port", str(port)]
    with (home / "log.txt").open("w") as log:
        process = subprocess.Popen(
            [sys.executable, *command, "--module-name", "orchestration.definitions"],
            cwd=ROOT,
            env=env,
            stdout=log,
            stderr=log,
            start_new_session=True,
        )
    try:
        _wait_until_up(f"http://127.0.0.1:{port}", process)
        yield Server(f"http://127.0.0.1:{port}", home)
    finally:
        # Asked to end, dagster dev waits for more than 20 s: its whole group has to go.
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()


def _wait_until_up(url: str, process: subprocess.Popen) -> None:
    deadline = time.monotonic() + START_UP_SECONDS
    while time.monotonic() < deadline:
        assert process.poll() is None, "dagster dev ended by itself"
        with suppress(requests.RequestException):
            if requests.get(f"{url}/server_info", timeout=5).ok:
                return
        time.sleep(1)
    pytest.fail(f"dagster dev did not answer within {START_UP_SECONDS} s")


def test_one_lineage_leads_from_a_raw_table_to_the_destination(server):
    nodes = server.ask(GRAPH)["assetNodes"]
    parents = {
        "/".join(n["assetKey"]["path"]): ["/".join(k["path"]) for k in n["dependencyKeys"]]
        for n in nodes
    }
    seen, waiting = set(), ["hubspot/sync_hubspot__contacts"]
    while waiting:
        key = waiting.pop()
        if key not in seen:
            seen.add(key)
            waiting.extend(parents.get(key, []))
    assert {
        "crm/contacts",
        "marts/orders",
        "state/clv_parameters",
        "consent/consent_events",
    } <= seen


@pytest.mark.slow
def test_the_asset_graph_can_be_seen(server, tmp_path):
    chromium = shutil.which("chromium")
    if not chromium:
        pytest.skip("Debian's chromium is not installed")
    SCREENSHOT.parent.mkdir(exist_ok=True)
    SCREENSHOT.unlink(missing_ok=True)
    flags = [
        "--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run",
        "--disable-background-networking", "--disable-component-update", "--disable-sync",
        "--hide-scrollbars", "--window-size=2400,1400", "--virtual-time-budget=30000",
        f"--user-data-dir={tmp_path}", f"--screenshot={SCREENSHOT}",
    ]  # fmt: skip
    subprocess.run(
        [chromium, *flags, f"{server.url}/asset-groups"],
        check=True,
        capture_output=True,
        timeout=120,
    )
    assert SCREENSHOT.stat().st_size > 30_000, "an empty page is smaller than a graph"


@pytest.fixture(scope="module")
def status_of_a_run(server) -> str:
    """What the daily job came to, launched as the UI does it."""
    selector = {
        "repositoryLocationName": "orchestration.definitions",
        "repositoryName": "__repository__",
        "jobName": "daily",
    }
    launched = server.ask(LAUNCH, selector=selector, tags=[])["launchRun"]
    assert launched["__typename"] == "LaunchRunSuccess", json.dumps(launched)
    run_id = launched["run"]["runId"]
    deadline = time.monotonic() + RUN_SECONDS
    status = "STARTED"
    while time.monotonic() < deadline and status not in {"SUCCESS", "FAILURE", "CANCELED"}:
        time.sleep(3)
        status = server.ask(STATUS, id=run_id)["runOrError"]["status"]
    return status


@pytest.mark.slow
def test_a_run_launched_through_graphql_succeeds(status_of_a_run):
    assert status_of_a_run == "SUCCESS"


ADDRESS = re.compile(r"[\w.+-]+@[\w-]+\.[\w.-]*\w|\+\d{8,15}")


def addresses_of_people(project) -> set[str]:
    """Every e-mail and international phone number in any text of the warehouse, raw or cleaned."""
    with duckdb.connect(project.env["CDP_DUCKDB_PATH"], read_only=True) as warehouse:
        columns = warehouse.execute(
            "select table_schema, table_name, column_name from information_schema.columns"
            " where data_type = 'VARCHAR'"
        ).fetchall()
        found = set()
        for schema, table, column in columns:
            sql = (
                f'select distinct "{column}" from "{schema}"."{table}" where "{column}" is not null'
            )
            texts = (value for (value,) in warehouse.execute(sql).fetchall())
            found |= {match.lower() for text in texts for match in ADDRESS.findall(text)}
    # Made-up values that the project's own code is about: placeholders, examples, patterns.
    code = subprocess.run(
        ["git", "grep", "-hIE", "@|[+][0-9]{8}"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    )
    return found - {match.lower() for match in ADDRESS.findall(code.stdout)}


@pytest.mark.slow
def test_a_run_leaves_no_address_of_a_person_behind(server, status_of_a_run, small_demo, hubspot):
    """Neither in dbt's debug log and artifacts nor in anything that Dagster stores."""
    assert status_of_a_run == "SUCCESS"
    people = addresses_of_people(small_demo)
    assert len(people) > demo_project.PERSONS
    logs, artifacts = Path(small_demo.env["DBT_LOG_PATH"]), Path(small_demo.env["DBT_TARGET_PATH"])
    files = [file for folder in (server.home, logs, artifacts) for file in folder.rglob("*")]
    files = [file for file in files if file.is_file()]
    names = {file.name for file in files}
    assert {"dbt.log", "run_results.json", "log.txt"} <= names
    assert any(name.endswith(".db") for name in names), "Dagster's own storage is among them"
    for file in files:
        text = file.read_bytes().decode("latin-1")
        assert hubspot.token not in text, file
        shown = {match.lower() for match in ADDRESS.findall(text)} & people
        assert not shown, f"{file}: {len(shown)} addresses"
