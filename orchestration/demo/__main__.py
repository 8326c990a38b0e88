"""`python -m orchestration.demo --persons 20000 --out data`"""

from __future__ import annotations

import argparse
from datetime import date
from pathlib import Path

from orchestration.demo.generator import generate


def main() -> None:
    parser = argparse.ArgumentParser(description="Write the raw tables of the demo retailer.")
    parser.add_argument("--persons", type=int, default=20_000)
    parser.add_argument("--seed", type=int, default=42)
    parser.add_argument("--out", type=Path, default=Path("data"))
    parser.add_argument("--as-of", type=date.fromisoformat, help="day after the last one")
    parser.add_argument("--orders", type=Path, help="Parquet file of real orders")
    parser.add_argument("--workers", type=int, help="processes (default: one per core)")
    chosen = parser.parse_args()
    summary = generate(
        chosen.out,
        persons=chosen.persons,
        seed=chosen.seed,
        as_of=chosen.as_of,
        orders=chosen.orders,
        workers=chosen.workers,
        progress=lambda done, total: print(f"block {done} of {total}", flush=True),
    )
    for name, rows in sorted(summary.rows.items()):
        print(f"{name:32} {rows:>12,}")
    print(f"{summary.persons:,} persons, {summary.events:,} events in {summary.out}")


if __name__ == "__main__":
    main()
