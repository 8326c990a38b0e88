"""The records can be resolved by exact keys, and naive joins are punished."""

from __future__ import annotations

import duckdb
import numpy as np
import pyarrow.parquet as pq
import pytest

from orchestration.demo import generate
from tests.fixtures.reference_resolver import pair_scores, resolve


@pytest.fixture(scope="module")
def demo(tmp_path_factory):
    out = tmp_path_factory.mktemp("identity")
    generate(out, persons=20_000)
    return out


def known_truth(out) -> dict[str, str]:
    table = pq.read_table(out / "truth" / "record_truth.parquet")
    pairs = zip(table["record_key"].to_pylist(), table["person_id"].to_pylist(), strict=True)
    return {key: person for key, person in pairs if not key.startswith(("web:", "app:"))}


@pytest.mark.parametrize("newest_only", [True, False])
def test_exact_keys_find_nearly_everybody(demo, newest_only):
    truth = known_truth(demo)
    keys, found = resolve(demo / "raw", newest_only)
    assert set(keys) == set(truth)
    precision, recall = pair_scores(np.array([truth[key] for key in keys]), found)
    assert precision >= 0.995
    assert recall >= 0.97


def test_joining_on_any_shared_phone_merges_strangers(demo):
    [(largest,)] = duckdb.sql(
        f"""
        select max(persons) from (
            select phone, count(distinct person_id) as persons
            from '{demo}/raw/pos/members.parquet' as members
            inner join '{demo}/truth/record_truth.parquet' as truth
                on truth.record_key = 'pos:' || members.member_id
            where phone is not null group by phone
        )
        """
    ).fetchall()
    assert largest > 40


def test_some_cookies_have_two_log_ins(demo):
    [(shared, kiosk)] = duckdb.sql(
        f"""
        select count(*) filter (where log_ins > 1), max(log_ins) from (
            select anonymous_id, count(distinct user_id) as log_ins
            from '{demo}/raw/web/identifies.parquet' group by 1
        )
        """
    ).fetchall()
    assert shared > 20
    assert kiosk > 10
