"""Seconds to count, fit and score a simulated base, in the dbt models themselves.

    python -m benchmarks.lifetime_value [--customers 1000000]

The base behaves as BG/NBD says, with the parameters that Fader, Hardie and Lee published, so
the fit can be judged against the truth. The peer on the same work is scipy's 2F1 in the
published form, over all customers in memory. Runs in a temporary folder.
"""

import argparse
import os
import tempfile
import time
from datetime import date
from pathlib import Path

import numpy as np
import pyarrow as pa
from rich.console import Console
from rich.table import Table

ROOT = Path(__file__).resolve().parent.parent
AS_OF = date(2026, 1, 1)
SCORING = (
    "int_marts__clv_parameters_current",
    "int_marts__clv_expectations",
    "customer_lifetime_value",
)
TRUTH = {"r": 0.2426, "alpha": 4.4136, "a": 0.7929, "b": 2.4259}


def simulate(customers: int, seed: int = 42) -> pa.Table:
    """Rows of `customer_orders_summary`: ages of 1 to 730 days, purchases by the day."""
    generator = np.random.default_rng(seed)
    daily_rate = generator.gamma(TRUTH["r"], 1 / TRUTH["alpha"], customers) / 7
    dropout = generator.beta(TRUTH["a"], TRUTH["b"], customers)
    age = generator.integers(1, 731, customers)
    repeats = np.zeros(customers, dtype=np.int64)
    last_day = np.zeros(customers, dtype=np.int64)
    clock = np.zeros(customers)
    active = np.arange(customers)
    while active.size:
        clock[active] += generator.exponential(1 / daily_rate[active])
        active = active[clock[active] < age[active]]
        day = np.floor(clock[active]).astype(np.int64)
        repeats[active] += day > last_day[active]  # purchases of one day count once
        last_day[active] = day
        active = active[generator.random(active.size) >= dropout[active]]
    last_day[repeats == 0] = 0
    typical = 15.44 / generator.gamma(3.74, 1.0, customers)
    mean_amount = generator.gamma(6.25 * np.maximum(repeats, 1)) / np.maximum(repeats, 1) * typical
    return pa.table(
        {
            "customer_id": pa.array(np.char.mod("c%d", np.arange(customers))),
            "as_of": pa.array([AS_OF] * customers, pa.date32()),
            "order_count": repeats + 1,
            "order_day_count": repeats + 1,
            "net_revenue_reporting": pa.array((mean_amount * (repeats + 1)).round(2)),
            "repeat_count": repeats,
            "recency_weeks": last_day / 7.0,
            "age_weeks": age / 7.0,
            "mean_repeat_amount": pa.array(mean_amount, mask=repeats == 0),
        }
    )


def run(customers: int, console: Console, project: Path = ROOT) -> None:
    """Simulate, build in the dbt project of that folder, print."""
    from orchestration.lifetime_value import fit_into_warehouse, scoring
    from orchestration.warehouse import Warehouse, dbt

    def build(*names: str) -> float:
        """Seconds that the models themselves take, without dbt's start-up."""
        variables = f"{{as_of: '{AS_OF}'}}"
        done = dbt(["run", "--select", *names, "--vars", variables], "duckdb", project)
        if not done.success:
            raise SystemExit(f"dbt failed: {done.exception or dict(done.statuses)}")
        return sum(result.execution_time for result in done.result)

    base = simulate(customers)
    with Warehouse.open("duckdb", project) as warehouse:
        warehouse.load("marts.customer_orders_summary", base)
    if not dbt(["seed", "--select", "clv_default_parameters"], "duckdb", project).success:
        raise SystemExit("dbt seed failed")
    seconds = {"count histories and spends (SQL)": build("clv_histogram", "clv_spend_histogram")}

    started = time.monotonic()
    outcome = fit_into_warehouse("duckdb", project)
    seconds["read, fit three models, write (scipy)"] = time.monotonic() - started
    seconds["score all customers (SQL)"] = build(*SCORING)

    fitted = next(row for row in outcome.rows if row.model == outcome.purchase_model)
    shape = {"r": fitted.r, "alpha": fitted.alpha, "a": fitted.a, "b": fitted.b}
    shape["b"] += fitted.model == "mbg_nbd"
    x, t_x, weeks = (
        base[name].to_numpy() for name in ("repeat_count", "recency_weeks", "age_weeks")
    )
    started = time.monotonic()
    alive = scoring.probability_alive(
        x, t_x, weeks, drops_out_at_first=fitted.model == "mbg_nbd", **shape
    )
    ends = [30 / 7, 90 / 7, *(month * 365 / 84 for month in range(1, 13))]
    for end in ends:
        exact = alive * scoring.expected_purchases_if_alive(x, weeks, end, **shape)
    seconds["peer: the same 14 horizons with scipy's 2F1"] = time.monotonic() - started

    with Warehouse.open("duckdb", project) as warehouse:
        [histories] = warehouse.fetch("select count(*) as n from marts.clv_histogram")
        [pairs] = warehouse.fetch("select count(*) as n from marts.int_marts__clv_expectations")
        [total] = warehouse.fetch(
            "select sum(expected_purchases_365d) as n from marts.customer_lifetime_value"
        )
    table = Table(title=f"Lifetime value of {customers:,} customers")
    table.add_column("step")
    table.add_column("seconds", justify="right")
    for step, value in seconds.items():
        table.add_row(step, f"{value:.2f}")
    console.print(table)
    console.print(f"distinct histories {histories['n']:,}, distinct (x, T) {pairs['n']:,}")
    console.print(f"purchases in a year: SQL {total['n']:,.1f}, scipy {np.nansum(exact):,.1f}")
    console.print(f"fitted {fitted.model} {[round(v, 4) for v in shape.values()]}, truth {TRUTH}")


def main() -> None:
    """Entry point."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--customers", type=int, default=1_000_000)
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="cdp-bench-") as folder:
        os.environ["DO_NOT_TRACK"] = "1"
        os.environ["CDP_DUCKDB_PATH"] = str(Path(folder) / "cdp.duckdb")
        os.environ["DBT_TARGET_PATH"] = str(Path(folder) / "target")
        run(arguments.customers, Console())


if __name__ == "__main__":
    main()
