"""``mf query`` answers what plain SQL on the marts answers, to the cent."""

import csv
import json
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import duckdb
import pytest

from tests.fixtures import demo_project

# `mf` takes eight seconds to start, so one process asks all questions.
MF = """
import json, sys
from dbt_metricflow.cli.main import cli
for arguments in json.load(sys.stdin):
    cli.main(arguments, standalone_mode=False)
"""

# What the demo lacks and a metric must not count, or must count apart.
ODD_ROWS = """
    create temp table sale as
        select * from marts.orders
        where order_type = 'sale' and status = 'completed' and customer_id is not null
        order by order_id limit 1;
    insert into marts.orders by name select * replace ('future' as order_id, true as is_future)
        from sale;
    insert into marts.orders by name select * replace ('free' as order_id, 'nobody' as customer_id,
        0 as net_amount, 0 as net_amount_reporting) from sale;
    insert into marts.orders by name select * replace ('no rate' as order_id, 'XAU' as currency,
        null as net_amount_reporting) from sale;
    insert into marts.orders by name select * replace ('pending' as order_id, 'XAU' as currency,
        'pending' as status, null as net_amount_reporting) from sale;
    insert into marts.orders by name select * replace ('refused' as order_id, 'cancelled' as status,
        'return' as order_type, 0 as net_amount_reporting) from sale;
    insert into segments.segment_sizes values
        ('champions', date '2025-12-31', 9999, 0.5), ('since dropped', date '2025-12-31', 9, 0.5);
"""

PURCHASE = "order_type = 'sale' and net_amount_reporting > 0"
QUESTIONS = {
    "metric_time__month,order__channel": f"""
        select
            date_trunc('month', order_date)::timestamp as metric_time__month,
            channel as order__channel,
            sum(net_amount_reporting) as revenue,
            sum(net_amount_reporting) filter (order_type = 'sale') as sales,
            -sum(net_amount_reporting) filter (order_type = 'return') as refunds,
            count(*) filter ({PURCHASE}) as orders,
            avg(net_amount_reporting) filter ({PURCHASE}) as average_order_value,
            count(*) filter (order_type = 'return') as returns,
            count(distinct customer_id) filter ({PURCHASE}) as buyers,
            sum(net_amount_reporting) filter (customer_id is not null)
                / nullif(buyers, 0) as revenue_per_buyer,
            count(*) filter (net_amount_reporting is null) as orders_without_rate
        from marts.orders
        where status = 'completed' and not is_future
        group by all
    """,
    "customer__country": """
        select
            country as customer__country,
            count(*) as customers,
            count(*) filter (order_count > 0) as new_buyers,
            count(*) filter (order_day_count > 1) as repeat_buyers,
            repeat_buyers / new_buyers as repeat_buyer_share,
            count(*) filter (customer_id in (from segments.segment_members select customer_id))
                as customers_in_segments
        from profiles.customers
        join marts.customer_orders_summary using (customer_id)
        group by all
    """,
    "customer__rfm_segment": """
        select
            rfm_segment as customer__rfm_segment,
            sum(clv_12m) as lifetime_value_12m,
            avg(clv_12m) as average_lifetime_value_12m,
            avg(p_no_purchase_365d) as average_churn_365d
        from marts.customer_lifetime_value
        join marts.rfm_scores using (customer_id)
        group by all
    """,
    "segment": """
        select segment_name as segment, member_count as segment_size
        from segments.segment_sizes
        where as_of = (select max(as_of) from segments.segment_sizes)
    """,
}


@pytest.fixture(scope="module")
def project(small_demo, tmp_path_factory) -> demo_project.DemoProject:
    """A copy of the demo with odd rows, as a folder in which ``mf`` finds what it looks for."""
    project = demo_project.copied(small_demo, tmp_path_factory.mktemp("metrics"))
    with duckdb.connect(project.env["CDP_DUCKDB_PATH"]) as warehouse:
        warehouse.execute(ODD_ROWS)
    # mf reads `target` beside dbt_project.yml, wherever dbt writes its own.
    for name in ("dbt_project.yml", "profiles.yml"):
        shutil.copy(demo_project.ROOT / name, project.data)
    return project


Rows = list[dict[str, Any]]


@pytest.fixture(scope="module")
def answers(project: demo_project.DemoProject) -> dict[str, tuple[Rows, Rows]]:
    """By question, what plain SQL says and what the program writes."""
    expected, questions = {}, []
    with duckdb.connect(project.env["CDP_DUCKDB_PATH"], read_only=True) as warehouse:
        for number, (group_by, sql) in enumerate(QUESTIONS.items()):
            expected[group_by] = warehouse.sql(sql).to_arrow_table().to_pylist()
            metrics = [name for name in expected[group_by][0] if name not in group_by.split(",")]
            asked = ["query", "--metrics", ",".join(metrics), "--group-by", group_by]
            questions.append([*asked, "--csv", str(project.data / f"answer_{number}.csv")])
    done = subprocess.run(
        [sys.executable, "-c", MF],
        input=json.dumps(questions),
        cwd=project.data,
        # A proxy nobody listens at: mf asks PyPI for a newer version and has no switch for it.
        env={**os.environ, **project.env, "HTTPS_PROXY": "http://127.0.0.1:9"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout[-3000:] + done.stderr[-1000:]
    written = {}
    for group_by, arguments in zip(expected, questions, strict=True):
        with Path(arguments[-1]).open() as file:
            written[group_by] = list(csv.DictReader(file))
    return {group_by: (expected[group_by], written[group_by]) for group_by in expected}


@pytest.mark.parametrize("group_by", QUESTIONS)
def test_a_metric_is_what_plain_sql_says(answers, group_by):
    expected, actual = answers[group_by]
    dimensions = group_by.split(",")
    metrics = [name for name in expected[0] if name not in dimensions]

    def by_group(rows: list[dict]) -> dict[tuple, dict]:
        return {
            tuple(str(row[name] or "") for name in dimensions): {
                name: None if row[name] in ("", None) else float(row[name]) for name in metrics
            }
            for row in rows
        }

    wanted = by_group(expected)
    answered = by_group(actual)
    assert len(answered) == len(actual), "one row per group"
    assert answered.keys() == wanted.keys()
    for group, values in answered.items():
        assert values == pytest.approx(wanted[group], rel=1e-9), group


def test_every_metric_is_asked_for(project):
    manifest = json.loads((project.data / "target" / "semantic_manifest.json").read_text())
    unasked = [
        metric["name"]
        for metric in manifest["metrics"]
        if not any(f" as {metric['name']}" in sql for sql in QUESTIONS.values())
    ]
    assert not unasked
