"""Runs a sync in processes that may be killed at any moment.

Starting Python with dbt costs seconds, so one process without threads has imported everything
and forks a child per run, which costs milliseconds. A child dies at a failpoint by its own
SIGKILL, or at any time by its parent's.

    with Nursery() as nursery:
        nursery.run(lab, "before call", occurrence=2)  # -9
        nursery.run(lab, kill_after=0.25)
"""

import json
import os
import resource
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, Self

from orchestration.warehouse import ROOT
from tests.sync import lab as labs
from tests.sync.lab import QUICK, SYNC, Lab

FAILPOINTS = (
    "before intent commit",
    "after intent commit",
    "before call",
    "after call",
    "before outcome commit",
    "after outcome commit",
    "after job commit",
    "mid poll",
)


class Nursery:
    """The process that forks. ``start`` and ``wait`` are the halves of ``run``."""

    def __init__(self, environment: dict[str, str] | None = None) -> None:
        command = [sys.executable, "-m", __name__]
        # OpenBLAS would start threads at its import.
        single = {"OPENBLAS_NUM_THREADS": "1", "DO_NOT_TRACK": "1", "PYTHONPATH": str(ROOT)}
        self._process = subprocess.Popen(
            command,
            cwd=ROOT,
            env=os.environ | single | (environment or {}),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        self.threads: list[str] = json.loads(self._process.stdout.readline())
        """Names of those beside the main one, when it was ready."""

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._process.stdin.close()
        self._process.wait(timeout=60)

    def run(self, lab: Lab, failpoint: str | None = None, occurrence: int = 1, **order: Any) -> int:
        """Run the lab's sync on the plan as it is; the exit status: 0, 1 for a run that is not
        ok or an exception, negative for a signal. ``kill_after``: seconds; ``file_limit``:
        bytes that a file may have."""
        self.start(lab, failpoint, occurrence, **order)
        return self.wait()["status"]

    def start(
        self, lab: Lab, failpoint: str | None = None, occurrence: int = 1, **order: Any
    ) -> int:
        """The child's process id."""
        order |= {"project": str(lab.project), "url": lab.hub.url, "token": lab.hub.token}
        order |= {"failpoint": failpoint, "occurrence": occurrence}
        order |= {"kind": type(lab).__name__, "target": lab.target}
        self._process.stdin.write(json.dumps(order) + "\n")
        self._process.stdin.flush()
        return int(self._process.stdout.readline())

    def wait(self) -> dict[str, Any]:
        """``status``, and ``said``: the run's status or the exception's name."""
        return json.loads(self._process.stdout.readline())


def main() -> None:
    _import_everything()
    tasks = [task for task in Path("/proc/self/task").iterdir() if task.name != str(os.getpid())]
    print(json.dumps([(task / "comm").read_text().strip() for task in tasks]), flush=True)
    for line in sys.stdin:
        order = json.loads(line)
        reader, writer = os.pipe()
        child = os.fork()
        if child == 0:
            os.close(reader)
            os._exit(_run(order, writer))
        os.close(writer)
        print(child, flush=True)
        if order.get("kill_after") is not None:
            time.sleep(order["kill_after"])
            os.kill(child, signal.SIGKILL)
        with os.fdopen(reader) as pipe:
            said = pipe.read()
        _, status = os.waitpid(child, 0)
        answer = {"status": os.waitstatus_to_exitcode(status), "said": said}
        print(json.dumps(answer), flush=True)


def _import_everything() -> None:
    """Its functions import dbt where they need it: left to the children, each took 4 s for it."""
    from orchestration.warehouse_dbt import load_adapter

    load_adapter("duckdb", ROOT)


def _run(order: dict[str, Any], writer: int) -> int:
    from orchestration.sync.delivery import Patience
    from orchestration.sync.run import run_sync

    quiet = os.open(os.devnull, os.O_RDWR)
    os.dup2(quiet, 0)
    os.dup2(quiet, 1)
    os.dup2(quiet, 2)  # multiprocessing complains of what a killed process leaves
    try:
        _arm(order["failpoint"], order["occurrence"])
        if limit := order.get("file_limit"):
            resource.setrlimit(resource.RLIMIT_FSIZE, (limit, limit))
        lab = getattr(labs, order["kind"])(
            Path(order["project"]), _Elsewhere(order["url"], order["token"])
        )
        patience = Patience(**order.get("patience", {}))
        run = run_sync(
            SYNC,
            order["target"],
            project_dir=lab.project,
            destination=lab.endpoint(QUICK),
            patience=patience,
        )
        os.write(writer, run.status.encode())
        return 0 if run.ok else 1
    except BaseException as error:
        os.write(writer, f"{type(error).__name__}: {error}".encode())
        return 1


class _Elsewhere:
    """A fake endpoint that another process runs."""

    def __init__(self, url: str, token: str) -> None:
        self.url, self.token = url, token


def _arm(failpoint: str | None, occurrence: int) -> None:
    """Die when the run gets to the failpoint for the given time."""
    from orchestration.sync.http import HttpClient
    from orchestration.sync.ledger import Ledger
    from orchestration.warehouse import Warehouse
    from tests.fakes.job_desk import DeskClient

    lock = threading.Lock()
    passed = 0
    stage: str | None = None

    def reached(point: str) -> None:
        nonlocal passed
        with lock:
            passed += point == failpoint
            if point == failpoint and passed == occurrence:
                os.kill(os.getpid(), signal.SIGKILL)

    def staged(kind: type, method: str, name: Callable[..., str]) -> None:
        act = getattr(kind, method)

        def wrapped(*arguments: Any) -> Any:
            nonlocal stage
            stage = name(*arguments)
            try:
                return act(*arguments)
            finally:
                stage = None

        setattr(kind, method, wrapped)

    def around(kind: type, method: str, before: Callable, after: Callable) -> None:
        act = getattr(kind, method)

        def wrapped(*arguments: Any) -> Any:
            reached(before(arguments))
            answer = act(*arguments)
            reached(after(arguments))
            return answer

        setattr(kind, method, wrapped)

    def outcome_or_job(*arguments: Any) -> str:
        return "job" if len(arguments) > 4 and arguments[4] else "outcome"

    staged(Ledger, "record_intents", lambda *_: "intent")
    staged(Ledger, "record_outcomes", outcome_or_job)

    def commit(when: str) -> Callable:
        return lambda arguments: f"{when} {stage} {arguments[1]}"

    around(Warehouse, "execute", commit("before"), commit("after"))
    HttpClient._exchange = _around_a_call(HttpClient._exchange, reached)
    around(DeskClient, "poll", lambda _: "", lambda _: "mid poll")


def _around_a_call(act: Callable, reached: Callable[[str], None]) -> Callable:
    async def wrapped(*arguments: Any) -> Any:
        reached("before call")
        answer = await act(*arguments)
        reached("after call")
        return answer

    return wrapped


if __name__ == "__main__":
    main()
