"""Seconds and peak memory of the whole road, per stage, at a chosen size.

    python -m benchmarks.build --size 1m [--against 100k] [--json FILE]

Every stage is a process of its own, so that its peak memory is its own (``ru_maxrss``). dbt's
start-up, 4 to 5 s, is part of each figure. ``--against`` runs a second size in the same call
and prints the ratio: a stage whose ratio exceeds 1.2 x that of the sizes is not linear.
"""

import argparse
import json
import os
import shutil
import sys
import time
from dataclasses import asdict, dataclass
from pathlib import Path

from rich.console import Console
from rich.table import Table

ROOT = Path(__file__).resolve().parent.parent
SIZES = {"2k": 2_000, "20k": 20_000, "100k": 100_000, "300k": 300_000, "1m": 1_000_000}


@dataclass(frozen=True)
class Stage:
    """One measured process."""

    name: str
    seconds: float
    peak_mib: float


def measure(name: str, command: list[str], env: dict[str, str]) -> Stage:
    """Run a command to its end; exits the benchmark when it fails."""
    started = time.monotonic()
    pid = os.posix_spawn(sys.executable, [sys.executable, *command], env)
    _, status, usage = os.wait4(pid, 0)
    if os.waitstatus_to_exitcode(status) != 0:
        raise SystemExit(f"{name} failed")
    return Stage(name, time.monotonic() - started, usage.ru_maxrss / 1024)


def run(size: str, console: Console) -> list[Stage]:
    """Generate, land and build ``size`` persons in a folder of its own."""
    data = ROOT / "data" / f"bench_{size}"
    shutil.rmtree(data, ignore_errors=True)
    (data / "warehouse").mkdir(parents=True)
    env = {
        **os.environ,
        "DO_NOT_TRACK": "1",
        "PYTHONPATH": str(ROOT),
        "CDP_DATA_DIR": str(data),
        "CDP_DUCKDB_PATH": str(data / "warehouse" / "cdp.duckdb"),
        "DBT_TARGET_PATH": str(data / "target"),
    }
    cli = ["-m", "orchestration.cli"]
    dbt = ["-m", "dbt.cli.main", "--quiet"]
    commands = {
        "generate": [*cli, "demo-data", "--out", str(data), "--persons", str(SIZES[size])],
        "land": [*cli, "land", str(data / "raw")],
        "seeds": [*dbt, "seed"],
        **{layer: _run_layers(layer) for layer in ("staging", "conformed", "identity")},
        # They read each other's public tables, so dbt has to order them together.
        "profiles and marts": _run_layers("profiles", "marts"),
        "fit": [*cli, "fit"],
        "scores": [*dbt, "run", "--select", "source:state.clv_parameters+,path:models/marts"],
        "segments": _run_layers("segments"),
        "activation": _run_layers("activation"),
        "publish": [*cli, "publish", "--folder", str(data / "published")],
    }
    stages = []
    for name, command in commands.items():
        stages.append(measure(name, command, env))
        console.print(f"{size}  {name}: {stages[-1].seconds:.1f} s")
    return stages


def _run_layers(*layers: str) -> list[str]:
    paths = [f"path:models/{layer}" for layer in layers]
    return ["-m", "dbt.cli.main", "--quiet", "run", "--select", *paths]


def main() -> None:
    """Print the table; with ``--json`` write it too."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--size", choices=SIZES, default="100k")
    parser.add_argument("--against", choices=SIZES)
    parser.add_argument("--json", type=Path)
    options = parser.parse_args()
    console = Console()
    stages = run(options.size, console)
    others = {s.name: s for s in run(options.against, console)} if options.against else {}

    table = Table(title=f"{SIZES[options.size]:,} persons", title_justify="left")
    table.add_column("stage")
    columns = ["seconds", "peak MiB"]
    if others:
        columns += [f"seconds at {options.against}", "ratio"]
    for column in columns:
        table.add_column(column, justify="right")
    for stage in stages:
        row = [stage.name, f"{stage.seconds:.1f}", f"{stage.peak_mib:,.0f}"]
        if others:
            other = others[stage.name].seconds
            row += [f"{other:.1f}", f"{stage.seconds / other:.1f}"]
        table.add_row(*row)
    built = [s for s in stages if s.name != "generate"]
    table.add_section()
    table.add_row(
        "all but generate",
        f"{sum(s.seconds for s in built):.1f}",
        f"{max(s.peak_mib for s in built):,.0f}",
    )
    console.print(table)
    if options.json:
        options.json.write_text(json.dumps([asdict(stage) for stage in stages], indent=1))


if __name__ == "__main__":
    main()
