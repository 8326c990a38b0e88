"""What the demo shows at its end: one table per promise."""

from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table

from orchestration.demo.accuracy import identity_accuracy
from orchestration.warehouse import Warehouse, compose

Rows = list[dict[str, Any]]


def print_summary(console: Console, data: Path, calls: tuple[int, int]) -> None:
    """Read the warehouse and print. ``calls``: requests of the first and of a second sync."""
    with Warehouse.open() as warehouse:
        answers = {name: _ask(warehouse, sql) for name, sql in _QUESTIONS.items()}
    console.print()
    _table(
        console,
        "Rows per source table: read = loaded + quarantined + deduplicated",
        answers["sources"],
    )
    _identity(console, data, answers)
    _table(console, "Golden profiles: attributes filled", answers["filled"])
    _table(console, "Segments", answers["segments"])
    _table(console, "RFM", answers["rfm"])
    _table(console, "Lifetime value of the next twelve months", answers["clv"])
    _table(console, "Syncs: the first and one more without changes", answers["syncs"])
    console.print(f"Requests to the CRM: {calls[0]} on the first run, {calls[1]} on the second.")
    _where_next(console, data)


def _ask(warehouse: Warehouse, sql: str) -> Rows:
    names = [word.strip("{}") for word in sql.split() if word.startswith("{")]
    relations = {name: warehouse.relation(name.replace("__state_", "state.")) for name in names}
    return warehouse.fetch(compose(sql, **relations))


def _identity(console: Console, data: Path, answers: dict[str, Rows]) -> None:
    known = identity_accuracy(data / "truth")
    everything = identity_accuracy(data / "truth", anonymous=True)
    [counts] = answers["identity"]
    rows = [
        {
            "measure": "records",
            "known people": counts["known_records"],
            "with cookies and devices": counts["all_records"],
        },
        {
            "measure": "customers",
            "known people": counts["known_customers"],
            "with cookies and devices": counts["all_customers"],
        },
        {
            "measure": "precision of pairs",
            "known people": f"{known.precision:.4f}",
            "with cookies and devices": f"{everything.precision:.4f}",
        },
        {
            "measure": "recall of pairs",
            "known people": f"{known.recall:.4f}",
            "with cookies and devices": f"{everything.recall:.4f}",
        },
        {
            "measure": "largest cluster",
            "known people": known.largest_cluster,
            "with cookies and devices": everything.largest_cluster,
        },
    ]
    _table(console, "Identity against the truth of the demo", rows)


def _table(console: Console, title: str, rows: Rows) -> None:
    table = Table(title=title, title_justify="left", title_style="bold", header_style="dim")
    if not rows:
        console.print(f"[bold]{title}[/]: none")
        return
    for name, value in rows[0].items():
        is_number = not isinstance(value, str) or name == "with cookies and devices"
        table.add_column(name.replace("_", " "), justify="right" if is_number else "left")
    for row in rows:
        table.add_row(*(_shown(value) for value in row.values()))
    console.print(table)


def _shown(value: Any) -> str:
    if value is None:
        return "–"
    if isinstance(value, bool | str):
        return str(value)
    if isinstance(value, int):
        return f"{value:,}"
    return f"{float(value):,.2f}"


def _where_next(console: Console, data: Path) -> None:
    published = data / "published" / "cdp.duckdb"
    console.print("\n[bold]Where next[/]")
    console.print("  make ui      the lineage and this run, on http://127.0.0.1:3000")
    console.print("  make docs    every table and column")
    console.print(f"  BI           {published} and {published.parent / 'parquet'}/")


_QUESTIONS = {
    "sources": """
        select source_table, max(read_rows) as read_rows, max(loaded_rows) as loaded,
            max(quarantined_rows) as quarantined, max(deduplicated_rows) as deduplicated
        from {source_reconciliation} where subject in (
            'customer_records', 'record_orders', 'record_order_lines', 'record_events',
            'consent_events', 'products', 'campaigns', 'campaign_costs', 'privacy_requests')
        group by source_table order by source_table""",
    "identity": """
        select count(*) as all_records, count(distinct customer_id) as all_customers,
            sum(case when is_anonymous then 0 else 1 end) as known_records,
            count(distinct case when not is_anonymous then customer_id end) as known_customers
        from {customer_identities}""",
    "filled": """
        select count(*) as customers, count(email) as with_email, count(phone) as with_phone,
            count(last_name) as with_name, count(birth_date) as with_birth_date,
            count(postcode) as with_address, count(life_stage) as with_life_stage
        from {customers}""",
    "segments": """
        select segment_name as segment, member_count as customers from {segment_sizes}
        order by segment_name""",
    "rfm": """
        select rfm_segment as cell, count(*) as customers from {rfm_scores}
        group by rfm_segment order by count(*) desc""",
    "clv": """
        select count(*) as customers, sum(clv_12m) as total_value, avg(clv_12m) as mean_value,
            sum(expected_purchases_365d) as expected_purchases
        from {customer_lifetime_value}""",
    "syncs": """
        select status, rows_planned_upserts as planned, rows_sent as sent,
            rows_delivered as delivered, rows_rejected as refused, rows_unchanged as unchanged,
            calls_made as calls
        from {__state_sync_runs} where status != 'running' order by started_at""",
}
