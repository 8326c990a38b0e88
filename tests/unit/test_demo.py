"""The demo retailer: same seed, same bytes; the declared shape; sums that add up."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import duckdb
import pyarrow.parquet as pq
import pytest

from orchestration.demo import generate, tables

PERSONS = 2_000


@pytest.fixture(scope="module")
def demo(tmp_path_factory) -> Path:
    out = tmp_path_factory.mktemp("demo")
    generate(out, persons=PERSONS, seed=7)
    return out


@pytest.fixture(scope="module")
def summaries(tmp_path_factory):
    return {
        persons: generate(tmp_path_factory.mktemp("size"), persons=persons, seed=7)
        for persons in (2_000, 8_000)
    }


def files(out: Path) -> dict[str, bytes]:
    return {
        str(path.relative_to(out)): path.read_bytes() for path in sorted(out.rglob("*.parquet"))
    }


def rows(demo: Path, query: str) -> list[tuple]:
    return duckdb.sql(query.replace("@", f"{demo}/raw/")).fetchall()


def test_same_seed_gives_the_same_bytes(demo, tmp_path):
    generate(tmp_path, persons=PERSONS, seed=7)
    assert files(tmp_path) == files(demo)


def test_raw_files_are_in_a_folder_of_their_owner_alone(demo):
    assert (demo / "raw").stat().st_mode & 0o777 == 0o700


def test_other_seed_gives_other_data(demo, tmp_path):
    generate(tmp_path, persons=PERSONS, seed=8)
    same = {name for name, content in files(tmp_path).items() if files(demo)[name] == content}
    assert same == {"raw/ads/campaigns.parquet", "raw/email/campaigns.parquet"}


def test_number_of_processes_changes_nothing(tmp_path):
    one, two = tmp_path / "one", tmp_path / "two"
    generate(one, persons=2_500, seed=1, workers=1, block_size=1_000)
    generate(two, persons=2_500, seed=1, workers=2, block_size=1_000)
    assert len(list((one / "raw" / "web" / "page_views").glob("part-*.parquet"))) == 3
    assert files(one) == files(two)


def test_a_second_run_replaces_the_first(demo, tmp_path):
    generate(tmp_path, persons=3_000, seed=7)
    generate(tmp_path, persons=PERSONS, seed=7)
    assert files(tmp_path) == files(demo)


@pytest.mark.parametrize(("source", "table"), sorted(tables.declared_columns()))
def test_columns_are_the_declared_ones(demo, source, table):
    schema = pq.read_schema(demo / "raw" / source / f"{table}.parquet")
    assert schema.equals(tables.schema_of(source, table))
    assert pq.read_metadata(demo / "raw" / source / f"{table}.parquet").num_rows > 0


def test_nothing_of_the_truth_is_in_the_raw_tables(demo):
    for path in (demo / "raw").rglob("*.parquet"):
        names = set(pq.read_schema(path).names)
        assert not {"person_id", "cluster"} & names
        told = " or ".join(f"{name} like '%person-0%'" for name in names - {"loaded_at"})
        assert duckdb.sql(f"select * from '{path}' where {told}").fetchall() == []


def test_required_columns_are_filled(demo):
    for (source, table), keys in tables.declared_keys().items():
        if (source, table) != ("web", "page_views"):
            missing = " or ".join(f"{key} is null" for key in keys)
            assert rows(demo, f"select * from '@{source}/{table}.parquet' where {missing}") == []


def test_order_totals_are_the_sums_of_their_lines(demo):
    wrong = rows(
        demo,
        """
        with lines as (
            select order_id,
                sum(cast(line_amount as decimal(18, 2))) as total,
                sum(cast(discount_amount as decimal(18, 2))) as discount,
                bool_and(cast(line_amount as decimal(18, 2)) = cast(quantity as int)
                    * cast(unit_price as decimal(18, 2))
                    - cast(discount_amount as decimal(18, 2))) as is_consistent
            from (select distinct * from '@shop/order_lines.parquet') group by order_id
        )
        select orders.order_id from '@shop/orders.parquet' as orders
        left join lines on orders.order_id = lines.order_id
        where (total is distinct from try_cast(total_amount as decimal(18, 2))
            or discount is distinct from cast(orders.discount_amount as decimal(18, 2))
            or not is_consistent)
            and regexp_full_match(total_amount, '-?[0-9]+[.][0-9]{2}')
        """,
    )
    assert wrong == []


def test_receipt_totals_are_the_sums_of_their_lines(demo):
    wrong = rows(
        demo,
        """
        with lines as (
            select receipt_id, sum(cast(line_amount as decimal(18, 2))) as total
            from (select distinct * from '@pos/receipt_lines.parquet') group by receipt_id
        )
        select receipts.* from '@pos/receipts.parquet' as receipts
        left join lines on receipts.receipt_id = lines.receipt_id
        where total is distinct from try_cast(total_amount as decimal(18, 2))
            and regexp_full_match(total_amount, '-?[0-9]+[.][0-9]{2}')
        """,
    )
    assert wrong == []


def test_refunds_of_tills_have_both_signs_and_an_origin(demo):
    signs = rows(
        demo,
        """
        select distinct total_amount like '-%' from '@pos/receipts.parquet'
        where type = 'refund' and refund_of in (select receipt_id from '@pos/receipts.parquet')
        """,
    )
    assert sorted(signs) == [(False,), (True,)]


def test_returns_refer_to_lines_and_never_exceed_them(demo):
    wrong = rows(
        demo,
        """
        select returns.return_id from '@shop/returns.parquet' as returns
        left join '@shop/order_lines.parquet' as lines
            on returns.order_line_id = lines.order_line_id
        where returns.order_line_id is not null
            and (lines.order_id is distinct from returns.order_id
            or cast(refund_amount as double) > cast(line_amount as double))
        """,
    )
    assert wrong == []


@pytest.mark.parametrize(
    ("table", "changed"),
    [
        ("shop/customers", "updated_at"),
        ("shop/returns", "returned_at"),
        ("crm/contacts", "updated_at"),
        ("pos/members", "updated_at"),
        ("web/page_views", "received_at"),
        ("web/identifies", "received_at"),
        ("app/events", "received_at"),
        ("email/subscribers", "updated_at"),
        ("email/opens", "event_at"),
        ("support/tickets", "updated_at"),
        ("consent/consent_events", "received_at"),
        ("privacy/privacy_requests", "requested_at"),
    ],
)
def test_rows_are_loaded_after_they_changed_and_before_the_end(demo, table, changed):
    wrong = f"loaded_at < cast({changed} as timestamp) or loaded_at >= timestamp '2026-01-01'"
    assert rows(demo, f"select * from '@{table}.parquet' where {wrong}") == []


def test_a_cut_by_load_time_gives_two_real_halves(demo):
    for table in ("shop/orders", "crm/contacts", "pos/receipts", "web/page_views", "email/sends"):
        [(share,)] = rows(
            demo,
            f"select avg(cast(loaded_at < timestamp '2025-01-01' as int)) from '@{table}.parquet'",
        )
        assert 0.2 < share < 0.8, table


def test_newer_versions_are_loaded_later(demo):
    for table, key in (("shop/orders", "order_id"), ("crm/contacts", "contact_id")):
        wrong = rows(
            demo,
            f"""
            select left_rows.{key} from '@{table}.parquet' as left_rows
            inner join '@{table}.parquet' as right_rows on left_rows.{key} = right_rows.{key}
            where left_rows.updated_at < right_rows.updated_at
                and left_rows.loaded_at >= right_rows.loaded_at
            """,
        )
        assert wrong == []


def test_shares_are_those_of_a_retailer(demo):
    [(guests,)] = rows(
        demo, "select avg(cast(customer_id is null as int)) from '@shop/orders.parquet'"
    )
    [(strangers,)] = rows(
        demo, "select avg(cast(member_id is null as int)) from '@pos/receipts.parquet'"
    )
    assert 0.05 < guests < 0.12
    assert 0.35 < strangers < 0.45


def test_every_problem_planted_is_in_its_table(demo):
    problems = duckdb.sql(
        f"select distinct source, \"table\" from '{demo}/truth/planted_problems.parquet'"
    ).fetchall()
    assert {"shop", "pos", "crm", "web", "app", "support"} <= {source for source, _ in problems}
    for name, table, key in (
        ("shop", "orders", "order_id"),
        ("pos", "receipts", "receipt_id"),
        ("crm", "contacts", "contact_id"),
        ("pos", "members", "member_id"),
    ):
        lost = rows(
            demo,
            f"""
            select native_id from '{demo}/truth/planted_problems.parquet'
            where source = '{name}' and "table" = '{table}'
                and native_id not in (select {key} from '@{name}/{table}.parquet')
            """,
        )
        assert lost == []


def test_spoiled_orders_cannot_be_read_as_orders(demo):
    spoiled = rows(
        demo,
        f"""
        select total_amount, currency, ordered_at, status from '@shop/orders.parquet'
        where order_id in (
            select native_id from '{demo}/truth/planted_problems.parquet'
            where source = 'shop' and expected = 'quarantined'
        )
        """,
    )
    assert len(spoiled) >= 8
    for total, currency, ordered_at, status in spoiled:
        good_total = total.replace(".", "").isdigit() and total.count(".") == 1
        good_status = status in ("pending", "paid", "shipped", "cancelled", "refunded")
        good_time = len(ordered_at) == 19 and not ordered_at.startswith("2024-02-30")
        assert not (good_total and good_status and good_time and currency != "XXX")


def test_cookie_chains_reach_a_hundred(demo):
    [(longest,)] = rows(
        demo,
        """
        with recursive links as (
            select distinct anonymous_id, previous_anonymous_id from '@web/identifies.parquet'
            where previous_anonymous_id is not null
        ),
        chain as (
            select anonymous_id, 2 as length from links
            where previous_anonymous_id not in (select anonymous_id from links)
            union all
            select links.anonymous_id, length + 1 from chain
            inner join links on links.previous_anonymous_id = chain.anonymous_id
        )
        select max(length) from chain
        """,
    )
    assert longest == 100


def test_every_person_is_known_somewhere(demo):
    [(persons,)] = duckdb.sql(
        f"""
        select count(distinct person_id) from '{demo}/truth/record_truth.parquet'
        where person_id like 'person-%' and record_key not like 'web:%'
        """
    ).fetchall()
    assert persons == PERSONS


def test_every_record_has_exactly_one_person(demo):
    truth = f"'{demo}/truth/record_truth.parquet'"
    assert (
        duckdb.sql(f"select record_key from {truth} group by 1 having count(*) > 1").fetchall()
        == []
    )
    for prefix, table, key in (
        ("crm", "crm/contacts", "contact_id"),
        ("shop", "shop/customers", "customer_id"),
        ("pos", "pos/members", "member_id"),
        ("web", "web/page_views", "anonymous_id"),
        ("web", "web/identifies", "anonymous_id"),
        ("app", "app/events", "device_id"),
        ("support", "support/requesters", "requester_id"),
        ("email", "email/subscribers", "subscriber_id"),
        ("survey", "survey/respondents", "respondent_id"),
    ):
        unknown = rows(
            demo,
            f"""
            select distinct {key} from '@{table}.parquet'
            where '{prefix}:' || {key} not in (select record_key from {truth})
            """,
        )
        assert unknown == [], table


def test_events_and_sizes_grow_with_the_persons(summaries):
    small, large = summaries[2_000], summaries[8_000]
    assert 18 < large.events / large.persons < 25
    constant = {"shop.products", "ads.campaigns", "ads.campaign_costs", "email.campaigns"}
    constant |= {"enrichment.postcodes"}
    for name in ("shop.orders", "pos.receipts", "web.page_views", "app.events", "email.sends"):
        assert large.rows[name] / small.rows[name] == pytest.approx(4, rel=0.15), name
    for name in constant:
        assert large.rows[name] == small.rows[name], name


def test_another_day_moves_the_period(tmp_path):
    generate(tmp_path, persons=500, seed=1, as_of=date(2020, 6, 30))
    [(first, last)] = rows(
        tmp_path, "select min(loaded_at), max(loaded_at) from '@web/page_views.parquet'"
    )
    assert first.year == 2018
    assert last.date() < date(2020, 6, 30)


def test_too_few_persons_are_refused(tmp_path):
    with pytest.raises(ValueError, match="at least 500"):
        generate(tmp_path, persons=10)
