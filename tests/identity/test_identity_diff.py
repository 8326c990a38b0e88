"""What the diff of two built warehouses says, on two small ones."""

from __future__ import annotations

import inspect
import re
import shutil
from contextlib import contextmanager
from pathlib import Path

import duckdb
import pytest

from orchestration.identity import diff as identity_diff
from orchestration.identity import explain
from orchestration.identity.explain import ApartAnswer, LinkAnswer
from orchestration.warehouse import ROOT
from tests.conftest import Dbt
from tests.fixtures import demo_project

BASE = {"a1": "a", "a2": "a", "b1": "b", "c1": "c", "c2": "c", "d1": "d", "same": "s"}
HEAD = {"a1": "a", "a2": "a", "b1": "a", "c1": "c", "c2": "x", "d1": "e", "same": "s"}
"""b joined a, c was split, d has another id."""


def warehouse(path: Path, customers: dict[str, str], champions: list[str]) -> Path:
    with duckdb.connect(str(path)) as connection:
        for schema in ("identity", "segments", "activation"):
            connection.execute(f"create schema {schema}")
        connection.execute(
            "create table identity.customer_identities (record_key varchar, customer_id varchar)"
        )
        connection.executemany(
            "insert into identity.customer_identities values (?, ?)", list(customers.items())
        )
        connection.execute(
            "create table segments.segment_members (segment_name varchar, customer_id varchar)"
        )
        connection.executemany(
            "insert into segments.segment_members values ('champions', ?)", [[c] for c in champions]
        )
        connection.execute(
            "create table activation.sync_crm__contacts as"
            " select customer_id as crm_key from segments.segment_members"
        )
    return path


@pytest.fixture
def found(tmp_path, monkeypatch) -> identity_diff.IdentityDiff:
    # Evidence is read from whole warehouses, which the tests of explain have.
    monkeypatch.setattr(
        identity_diff, "explain_link", lambda warehouse, one, other: LinkAnswer(one, other, "a")
    )
    monkeypatch.setattr(
        identity_diff,
        "explain_apart",
        lambda warehouse, one, other: ApartAnswer(one, other, "c", "x"),
    )
    base = warehouse(tmp_path / "base.duckdb", BASE, ["a", "b", "d"])
    head = warehouse(tmp_path / "head.duckdb", HEAD, ["a", "e"])
    return identity_diff.compare(base, head)


def test_counts_say_what_becomes_of_customers(found) -> None:
    assert (found.records, found.customers_before, found.customers_after) == (7, 5, 5)
    assert (found.merged, found.split, found.renamed) == (2, 1, 1)
    assert (found.moved_records, found.created, found.retired) == (3, 2, 2)
    assert found.changed_share() == 4 / 5


def test_samples_are_pairs_that_were_joined_or_parted(found) -> None:
    assert [(p.left_record_key, p.right_record_key) for p in found.joined_pairs] == [("a1", "b1")]
    assert [(p.left_record_key, p.right_record_key) for p in found.parted_pairs] == [("c1", "c2")]


def test_effects_are_counted_per_segment_and_sync(found) -> None:
    effects = {e.name: (e.before, e.entered, e.left) for e in found.effects}
    assert effects == {"segment champions": (3, 1, 2), "sync_crm__contacts": (3, 1, 2)}


def test_markdown_holds_it_all(found) -> None:
    text = identity_diff.as_markdown(found, "main")
    assert "80.00% of the customers change" in text
    assert "| merged with another | 2 |" in text
    assert "`a1` and `b1`" in text
    assert "| segment champions | 3 | 1 | 2 |" in text


def test_an_unknown_revision_is_said(tmp_path) -> None:
    file = warehouse(tmp_path / "warehouse.duckdb", BASE, ["a"])
    with pytest.raises(identity_diff.DiffFailed, match="no revision nowhere"):
        identity_diff.diff("nowhere", file)


def test_all_that_explains_a_sample_is_built(dbt: Dbt) -> None:
    """Else it is not there, or is of the build before."""
    source = inspect.getsource(explain).replace(inspect.getsource(explain.explain_customer), "")
    source = source.replace(inspect.getsource(explain._current_id), "")
    read = set(re.findall(r'warehouse\.relation\("(\w+)"\)', source))
    assert {"identity_links", "identity_similar_pairs", "customer_identities"} <= read
    selected = (*identity_diff._COMPARED, *identity_diff._EXPLAINED)
    listed = dbt.invoke("list", "--output", "name", "--select", *selected)
    assert read <= set(listed.result)


@pytest.mark.slow
def test_a_warehouse_that_is_only_landed_is_compared(tmp_path, monkeypatch) -> None:
    """With a base to which a telephone proves nothing: what it joins now has a path."""
    project = demo_project.on_duckdb(tmp_path / "landed")
    project.cdp("demo-data", "--out", str(project.data), "--persons", "500", "--seed", "7")
    project.cdp("land", str(project.data / "raw"))

    @contextmanager
    def checked_out(revision: str, folder: Path):
        for part in ("models", "macros", "seeds", "tests"):
            shutil.copytree(ROOT / part, folder / part)
        for part in ("dbt_project.yml", "profiles.yml"):
            shutil.copy(ROOT / part, folder / part)
        rules = folder / "seeds/identity/identifier_rules.csv"
        rules.write_text(rules.read_text().replace("phone,80,true,", "phone,80,false,"))
        yield folder

    monkeypatch.setattr(identity_diff, "_checked_out", checked_out)
    with project.environment():
        found = identity_diff.diff("main", Path(project.env["CDP_DUCKDB_PATH"]))
    assert found.merged > found.split == 0
    assert found.joined_pairs
    for pair in found.joined_pairs:
        assert "phone" in {link.rule for link in pair.path}
