"""Our sync engine beside drt, the open-source reverse ETL, in one run on one machine.

    python -m benchmarks.activation [--drt PYTHON] [--json FILE] [--rows 100000] [--single 20000]

``--drt`` is the Python of an environment with ``drt-core[duckdb]==1.2.1``; without it one is
made in ``data/benchmarks/drt``. Every run is a process of its own, on a warehouse of its own
with the same table. drt is shown at its best: its pacing is off, and it reads 10,000 rows at a
time, as it opens connections anew for each of its batches; a second row shows the batch that
equals the request. Our plan is built by dbt before the clock starts; its seconds are told.
"""

import argparse
import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table

from benchmarks.activation_portal import Portal
from benchmarks.activation_server import Endpoint

ROOT = Path(__file__).resolve().parent.parent
DRT = "drt-core[duckdb]==1.2.1"
BATCH = 500
FAILING = 0.05
# Seconds an endpoint takes: none, faster than any vendor's, one within the same city; and the
# share of the rows that is sent there, as drt waits for each.
LATENCIES = ((0.0, 1.0), (0.001, 1.0), (0.002, 0.5), (0.01, 0.25))
POISON = "c0000077@example.com"
TABLE = "activation.sync_hubspot__contacts"

Tell = dict[str, Any]


@dataclass(frozen=True)
class Result:
    """One run of one side. Seconds; ``start_up`` goes until the first row is asked for."""

    scenario: str
    side: str
    start_up: float
    seconds: float
    cpu_seconds: float
    calls: int
    arrived: int
    """Different rows at the endpoint."""
    peak_mb: float


class Bench:
    """Folders of the runs, and both sides' processes."""

    def __init__(self, folder: Path, drt: Path | None, say: Callable[[str], None]) -> None:
        self._folder, self._drt, self._say = folder, drt, say
        self._made = 0
        self.results: list[Result] = []
        self.plan_seconds: dict[int, float] = {}
        self.output = ""
        """What the last process printed."""

    def ours(self, verb: str, project: Path, *words: object, **names: str) -> Tell:
        """A verb of ``activation_ours`` in a fresh process."""
        command = [sys.executable, "-m", "benchmarks.activation_ours", verb, str(project)]
        return self._process([*command, *map(str, words)], project, names)

    def drt(self, project: Path, *words: object) -> Tell:
        """One `drt run` in a fresh process."""
        command = [str(self._drt), str(ROOT / "benchmarks/activation_drt.py"), str(project)]
        return self._process([*command, *map(str, words)], project, {"HUBSPOT_TOKEN": "fake-token"})

    def project(self, rows: int) -> Path:
        """A copy of our project with that many rows, built."""
        original = self._folder / f"rows_{rows}"
        if not original.exists():
            self._say(f"building {rows:,} rows")
            self.plan_seconds[rows] = self.ours("prepare", original, rows)["seconds"]
        return Path(shutil.copytree(original, self._next()))

    def drt_project(self, rows: int, destination: Tell, sync: Tell, limit: int = 0) -> Path:
        """A drt project on a copy of the same warehouse."""
        folder = self._next()
        (folder / ".drt").mkdir(parents=True)
        (folder / "syncs").mkdir()
        shutil.move(self.project(rows) / "warehouse.duckdb", folder)
        profile = {"type": "duckdb", "database": str(folder / "warehouse.duckdb")}
        model = f"select * from {TABLE}" + (f" limit {limit}" if limit else "")
        pacing = {"rate_limit": {"requests_per_second": 0}, "on_error": "skip"}
        declared = {
            "name": "bench",
            "model": model,
            "destination": destination,
            "sync": pacing | sync,
        }
        # JSON is YAML.
        (folder / ".drt/profiles.yml").write_text(json.dumps({"bench": profile}))
        (folder / "syncs/bench.yml").write_text(json.dumps(declared))
        project = {"name": "bench", "version": "0.1", "profile": "bench"}
        (folder / "drt_project.yml").write_text(json.dumps(project))
        return folder

    def compare(
        self,
        scenario: str,
        rows: int,
        per_request: int,
        latency: float = 0.0,
        failing: float = 0.0,
        batches: tuple[int, ...] = (10_000,),
    ) -> None:
        """Send rows with both sides, drt with each of its batch sizes."""
        with Endpoint() as endpoint:

            def run(side: str, act: Callable[[], Tell]) -> None:
                self._say(f"{scenario}: {side}")
                endpoint.reset(latency, failing, "cdp_customer_id")
                began = time.time()
                told, arrived = act(), endpoint.arrived()
                self.results.append(
                    Result(
                        scenario,
                        side,
                        round(told["started_at"] - began, 2),
                        round(told["seconds"], 2),
                        round(told["cpu_seconds"], 2),
                        arrived.calls,
                        arrived.keys,
                        round(told["peak_mb"]),
                    )
                )

            ours = self.project(rows)
            run("ours", lambda: self.ours("rows", ours, endpoint.url, per_request))
            for batch in batches if self._drt else ():
                theirs = self.drt_project(
                    rows, _rest_api(endpoint.url, per_request), {"batch_size": batch}
                )
                run(f"drt, batch_size {batch:,}", lambda theirs=theirs: self.drt(theirs))

    def hubspot(self, rows: int = 1000) -> list[tuple[str, str, str]]:
        """What HubSpot sees: rows of a table, question, ours, drt."""
        self._say("HubSpot: ours")
        ours = self._our_hubspot(rows)
        drt = {}
        if self._drt:
            self._say("HubSpot: drt")
            drt = self._drt_hubspot(rows)
        return [(question, ours[question], drt.get(question, "-")) for question in ours]

    # -- inside

    def _our_hubspot(self, rows: int) -> dict[str, str]:
        told = {}
        with Portal() as portal:
            project = self.project(rows)

            def send(*words: object) -> Tell:
                portal.calls.clear()
                names = {"HUBSPOT_BASE_URL": portal.url, "HUBSPOT_TOKEN": portal.token}
                return self.ours("hubspot", project, *words, **names)

            send()
            told["calls, first run"] = f"{len(portal.calls):,}"
            self.ours("leave", project, rows)
            send()
            told["calls, nothing changed"] = f"{len(portal.calls):,}"
            self.ours("leave", project, rows // 10)
            held = send()
            told["900 of 1,000 leave"] = f"{held['status']}, {len(portal.calls)} calls"
            send(rows)
            told["members there afterwards"] = (
                f"{portal.members:,} after a confirmed run of {len(portal.calls)} calls"
            )
        with Portal() as portal:
            project = self.project(rows)
            portal.poison.add(POISON)
            refused = send()
            told["a row is refused: rows there"] = (
                f"{len(portal.contacts):,} after {len(portal.calls)} calls"
            )
            is_shown = POISON in self.output + refused["state"] + _texts(project, "logs")
            told["its e-mail in logs or state"] = _yes(is_shown)
            portal.poison.clear()
            self.ours("leave", project, rows)
            send()
            told["taken now: delivered by the next run"] = (
                f"{_yes(portal.by_email(POISON) is not None)}, {len(portal.calls)} calls"
            )
        return told

    def _drt_hubspot(self, rows: int) -> dict[str, str]:
        told = {}
        destination = {"type": "hubspot", "auth": {"type": "bearer", "token_env": "HUBSPOT_TOKEN"}}
        with Portal() as portal:
            project = self.drt_project(rows, destination, {"mode": "full"})

            def send() -> None:
                portal.calls.clear()
                self.drt(project, portal.url)

            send()
            told["calls, first run"] = f"{len(portal.calls):,}"
            send()
            told["calls, nothing changed"] = f"{len(portal.calls):,}"
            smaller = self.project(rows)
            self.ours("leave", smaller, rows // 10)
            shutil.move(smaller / "warehouse.duckdb", project / "warehouse.duckdb")
            send()
            told["900 of 1,000 leave"] = f"sent, {len(portal.calls):,} calls"
            told["members there afterwards"] = f"{portal.members:,}"
        with Portal() as portal:
            cursor = {"mode": "incremental", "cursor_field": "cdp_customer_id"}
            project = self.drt_project(rows, destination, cursor)
            portal.poison.add(POISON)
            send()
            told["a row is refused: rows there"] = (
                f"{len(portal.contacts):,} after {len(portal.calls):,} calls"
            )
            is_shown = POISON in self.output + _texts(project, ".drt", "target")
            told["its e-mail in logs or state"] = _yes(is_shown)
            portal.poison.clear()
            send()
            told["taken now: delivered by the next run"] = (
                f"{_yes(portal.by_email(POISON) is not None)}, {len(portal.calls):,} calls"
            )
        return told

    def _process(self, command: list[str], project: Path, names: dict[str, str]) -> Tell:
        environment = os.environ | {"DO_NOT_TRACK": "1", "PYTHONPATH": str(ROOT)} | names
        done = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True)
        self.output = done.stdout + done.stderr
        told = project / "told.json"
        if not told.exists():
            raise SystemExit(f"{' '.join(command)} failed:\n{self.output[-3000:]}")
        result = json.loads(told.read_text())
        told.unlink()
        return result

    def _next(self) -> Path:
        self._made += 1
        return self._folder / f"run_{self._made}"


def _rest_api(url: str, per_request: int) -> Tell:
    destination: Tell = {
        "type": "rest_api",
        "url": f"{url}/rows",
        "headers": {"Content-Type": "application/json"},
    }
    if per_request == 1:
        return destination
    return destination | {
        "body_mode": "batch",
        "batch_template": "{{ rows | tojson_safe }}",
        "max_records_per_request": per_request,
    }


def _texts(project: Path, *folders: str) -> str:
    paths = [path for name in folders for path in (project / name).rglob("*") if path.is_file()]
    return "\n".join(path.read_text(errors="replace") for path in paths)


def _yes(answer: bool) -> str:
    return "yes" if answer else "no"


def drt_python(given: Path | None) -> Path:
    """The Python of drt's own environment, which is made when none is given."""
    if given:
        return given
    home = ROOT / "data/benchmarks/drt"
    python = home / "bin/python"
    if not python.exists():
        subprocess.run([sys.executable, "-m", "venv", str(home)], check=True)
        subprocess.run([str(python), "-m", "pip", "install", "--quiet", DRT], check=True)
    return python


def show(bench: Bench, questions: list[tuple[str, str, str]], console: Console) -> None:
    """Both tables."""
    table = Table(title="Rows over HTTP")
    for name in ("scenario", "side"):
        table.add_column(name)
    for name in ("start-up", "seconds", "CPU", "calls", "rows there", "peak MB", "times as fast"):
        table.add_column(name, justify="right")
    seconds = {r.scenario: r.seconds for r in bench.results if r.side == "ours"}
    for r in bench.results:
        ratio = "" if r.side == "ours" else f"{r.seconds / seconds[r.scenario]:.1f}"
        figures = (f"{r.start_up:.1f}", f"{r.seconds:.2f}", f"{r.cpu_seconds:.2f}")
        counts = (f"{r.calls:,}", f"{r.arrived:,}", f"{r.peak_mb:.0f}")
        table.add_row(r.scenario, r.side, *figures, *counts, ratio)
    console.print(table)
    plans = ", ".join(f"{rows:,} rows {spent:.1f} s" for rows, spent in bench.plan_seconds.items())
    console.print(f"our model and plan, built before (SQL): {plans}")
    table = Table(title="1,000 contacts in HubSpot")
    for name in ("", "ours", "drt"):
        table.add_column(name)
    for row in questions:
        table.add_row(*row)
    console.print(table)


def run(bench: Bench, rows: int, single: int) -> list[tuple[str, str, str]]:
    """All scenarios."""
    lists = f"{rows:,} rows, {BATCH} a request"
    bench.compare(lists, rows, BATCH, batches=(10_000, BATCH))
    bench.compare(f"{lists}, {FAILING:.0%} answered 503", rows, BATCH, failing=FAILING)
    bench.compare(f"{4 * rows:,} rows, {BATCH} a request", 4 * rows, BATCH)
    for latency, share in LATENCIES:
        some = round(single * share)
        bench.compare(f"{some:,} rows one by one, {1000 * latency:.0f} ms", some, 1, latency)
    return bench.hubspot()


def main() -> None:
    """Entry point."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--drt", type=Path, help="Python of an environment with drt-core")
    parser.add_argument("--rows", type=int, default=100_000)
    parser.add_argument("--single", type=int, default=20_000, help="rows sent one by one")
    parser.add_argument("--json", type=Path, help="write the figures there, too")
    arguments = parser.parse_args()
    console = Console(width=160)
    with tempfile.TemporaryDirectory(prefix="cdp-bench-") as folder:
        drt = drt_python(arguments.drt)
        bench = Bench(Path(folder), drt, lambda text: console.print(f"[dim]{text}[/dim]"))
        questions = run(bench, arguments.rows, arguments.single)
    show(bench, questions, console)
    if arguments.json:
        told = {
            "cores": os.cpu_count(),
            "rows": [asdict(result) for result in bench.results],
            "plan_seconds": bench.plan_seconds,
            "hubspot": [dict(zip(("question", "ours", "drt"), q, strict=True)) for q in questions],
        }
        arguments.json.write_text(json.dumps(told, indent=2) + "\n")


if __name__ == "__main__":
    main()
