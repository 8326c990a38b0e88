"""What a change of rules would do to identities, before it is merged.

``diff`` builds two versions of the project, a git revision and the working tree, each on its own
copy of the DuckDB build file, and compares who is who: for a check of a pull request.
"""

import json
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import duckdb

from orchestration.identity.explain import ApartAnswer, LinkAnswer, explain_apart, explain_link
from orchestration.warehouse import ROOT, Warehouse

_COMPARED = ("+segment_members", "+path:models/activation")
# Samples are explained from the working tree's tables: on a warehouse that is only landed there
# are none, on a built one they are of the build before, which knows no path between new pairs.
_EXPLAINED = ("+identity_links", "+identity_rejected_links", "+identity_similar_pairs")
_SAMPLES = 5


@dataclass(frozen=True)
class Effect:
    """Customers that enter and leave a segment, or rows of a sync."""

    name: str
    entered: int
    left: int
    before: int


@dataclass(frozen=True)
class IdentityDiff:
    """Counts of customers by what becomes of them, samples of pairs of records, effects."""

    records: int
    customers_before: int
    customers_after: int
    merged: int
    """Customers of the base that are one with another now."""
    split: int
    """Customers of the base whose records are several customers now."""
    moved_records: int
    created: int
    retired: int
    renamed: int
    """Customers of the same records under another id."""
    joined_pairs: list[LinkAnswer] = field(default_factory=list)
    parted_pairs: list[ApartAnswer] = field(default_factory=list)
    effects: list[Effect] = field(default_factory=list)

    def changed_share(self) -> float:
        """Share of the base's customers that merge, split or get another id."""
        changed = self.merged + self.split + self.renamed
        return changed / self.customers_before if self.customers_before else 0.0


class DiffFailed(RuntimeError):
    """A version could not be built; the message says which and where its log is."""


def diff(base: str, warehouse_file: Path) -> IdentityDiff:
    """Compare the git revision ``base`` with the working tree on the rows that
    ``warehouse_file`` has landed. Nothing of it is changed. Raises ``DiffFailed``."""
    with tempfile.TemporaryDirectory(prefix="cdp-diff-") as name:
        folder = Path(name)
        files = {side: folder / f"{side}.duckdb" for side in ("base", "head")}
        for file in files.values():
            shutil.copy(warehouse_file, file)
        with _checked_out(base, folder / "tree") as tree:
            _build("base", tree, files["base"], folder, _COMPARED)
        _build("head", ROOT, files["head"], folder, (*_COMPARED, *_EXPLAINED))
        return compare(files["base"], files["head"])


@contextmanager
def _checked_out(revision: str, folder: Path) -> Iterator[Path]:
    git = ["git", "-C", str(ROOT), "worktree"]
    added = subprocess.run(
        [*git, "add", "--detach", "--", str(folder), revision], capture_output=True, check=False
    )
    if added.returncode:
        raise DiffFailed(f"git knows no revision {revision}")
    try:
        yield folder
    finally:
        subprocess.run([*git, "remove", "--force", str(folder)], capture_output=True, check=False)


def _build(side: str, tree: Path, file: Path, folder: Path, selected: tuple[str, ...]) -> None:
    environment = {
        **os.environ,
        "DO_NOT_TRACK": "1",
        "CDP_TARGET": "duckdb",
        "CDP_DUCKDB_PATH": str(file),
        "DBT_TARGET_PATH": str(folder / f"target_{side}"),
        "DBT_LOG_PATH": str(folder),
    }
    dbt = [sys.executable, "-m", "dbt.cli.main", "--quiet"]
    where = ["--project-dir", str(tree), "--profiles-dir", str(tree)]
    # A seed whose columns differ between the versions is made anew.
    for command in (["seed", "--full-refresh"], ["run", "--select", *selected]):
        done = subprocess.run(
            [*dbt, *command, *where], cwd=tree, env=environment, capture_output=True, check=False
        )
        if done.returncode:
            failed = ", ".join(_failed_nodes(folder / f"target_{side}")) or "before any model"
            raise DiffFailed(f"the {side} version cannot be built: dbt {command[0]}: {failed}")


def _failed_nodes(target: Path) -> list[str]:
    """Names only: dbt's messages may quote values of rows."""
    results = target / "run_results.json"
    if not results.exists():
        return []
    found = json.loads(results.read_text(encoding="utf-8"))["results"]
    return [r["unique_id"] for r in found if r["status"] in {"error", "fail"}]


_IDENTITIES = """
with base as (select record_key, customer_id from {base}.identity.customer_identities),
head as (select record_key, customer_id from {head}.identity.customer_identities),
matched as (
    select base.record_key, base.customer_id as base_id, head.customer_id as head_id
    from base inner join head on base.record_key = head.record_key
)
"""

_COUNTS = (
    _IDENTITIES.format(base="base", head="head")
    + """
, base_sets as (
    select customer_id, md5(string_agg(record_key, chr(31) order by record_key)) as records
    from base group by customer_id
), head_sets as (
    select customer_id, md5(string_agg(record_key, chr(31) order by record_key)) as records
    from head group by customer_id
), met as (
    select count(distinct base_id) as n from matched group by head_id
), torn as (
    select count(distinct head_id) as n from matched group by base_id
)
select
    (select count(*) from head),
    (select count(*) from base_sets),
    (select count(*) from head_sets),
    (select coalesce(sum(n), 0) from met where n > 1),
    (select count(*) from torn where n > 1),
    (select count(*) from matched where base_id != head_id),
    (select count(*) from head_sets anti join base_sets using (customer_id)),
    (select count(*) from base_sets anti join head_sets using (customer_id)),
    (select count(*) from base_sets as b inner join head_sets as h on b.records = h.records
        where b.customer_id != h.customer_id)
"""
)

_SAMPLE_PAIRS = (
    _IDENTITIES
    + """
, firsts as (
    select head_id, base_id, min(record_key) as record_key from matched group by head_id, base_id
)
select one.record_key, min(other.record_key)
from firsts as one
inner join firsts as other on one.head_id = other.head_id and one.record_key < other.record_key
group by one.record_key order by one.record_key limit ?
"""
)


def compare(base: Path, head: Path) -> IdentityDiff:
    """Compare two built DuckDB files."""
    with duckdb.connect() as connection:
        connection.execute("attach ? as base (read_only)", [str(base)])
        connection.execute("attach ? as head (read_only)", [str(head)])
        [counts] = connection.execute(_COUNTS).fetchall()
        pairs = [
            connection.execute(_SAMPLE_PAIRS.format(base=one, head=other), [_SAMPLES]).fetchall()
            for one, other in (("base", "head"), ("head", "base"))
        ]
        effects = [*_effects(connection)]
    joined, parted = [], []
    with _pointed_at(head), Warehouse.open("duckdb") as warehouse:
        joined = [explain_link(warehouse, *pair) for pair in pairs[0]]
        parted = [explain_apart(warehouse, *pair) for pair in pairs[1]]
    return IdentityDiff(*counts, joined, parted, effects)


def _effects(connection: duckdb.DuckDBPyConnection) -> Iterator[Effect]:
    members = "select segment_name, customer_id from {side}.segments.segment_members"
    names = connection.execute(
        f"select distinct segment_name from ({members.format(side='head')}"
        f" union all {members.format(side='base')}) order by all"
    ).fetchall()
    for [name] in names:
        sides = [f"select customer_id from ({members.format(side=s)}) where segment_name = $name"
                 for s in ("base", "head")]  # fmt: skip
        yield _effect(connection, f"segment {name}", *sides, {"name": name})
    # The key of a sync is its first column.
    syncs = connection.execute(
        "select table_name, column_name from duckdb_columns() where database_name = 'head'"
        " and schema_name = 'activation' and column_index = 1"
        " and table_name like 'sync!_%!_!_%' escape '!' order by all"
    ).fetchall()
    for table, key in syncs:
        sides = [f'select "{key}" from {side}.activation."{table}"' for side in ("base", "head")]
        yield _effect(connection, table, *sides, {})


def _effect(
    connection: duckdb.DuckDBPyConnection, name: str, base: str, head: str, values: dict
) -> Effect:
    sql = (
        f"select (select count(*) from ({head} except {base})),"
        f" (select count(*) from ({base} except {head})), (select count(*) from ({base}))"
    )
    return Effect(name, *connection.execute(sql, values).fetchall()[0])


@contextmanager
def _pointed_at(file: Path) -> Iterator[None]:
    before = os.environ.get("CDP_DUCKDB_PATH")
    os.environ["CDP_DUCKDB_PATH"] = str(file)
    try:
        yield
    finally:
        if before is None:
            del os.environ["CDP_DUCKDB_PATH"]
        else:
            os.environ["CDP_DUCKDB_PATH"] = before


def as_markdown(found: IdentityDiff, base: str) -> str:
    """For a comment on a pull request. Holds record keys, no other personal data."""
    lines = [
        f"## Identity against `{base}`",
        "",
        f"{found.records:,} records, {found.customers_before:,} customers before,"
        f" {found.customers_after:,} after; {found.changed_share():.2%} of the customers change.",
        "",
        "| what becomes of customers | number |",
        "|---|---:|",
        f"| merged with another | {found.merged:,} |",
        f"| split into several | {found.split:,} |",
        f"| same records, another id | {found.renamed:,} |",
        f"| ids created | {found.created:,} |",
        f"| ids gone | {found.retired:,} |",
        f"| records that move | {found.moved_records:,} |",
    ]
    if found.joined_pairs:
        lines += ["", "### Now one customer", ""]
        for pair in found.joined_pairs:
            path = ", ".join(f"{link.rule} ({link.tier})" for link in pair.path) or "no path"
            lines.append(f"- `{pair.left_record_key}` and `{pair.right_record_key}`: {path}")
    if found.parted_pairs:
        lines += ["", "### Now two customers", ""]
        for pair in found.parted_pairs:
            why = ", ".join(
                str(r.get("refusal_rule") or r.get("reason") or r["kind"]) for r in pair.reasons
            )
            ends = f"`{pair.left_record_key}` and `{pair.right_record_key}`"
            lines.append(f"- {ends}: {why or 'nothing shared'}")
    lines += ["", "### Effects", "", "| what | before | enter | leave |", "|---|---:|---:|---:|"]
    lines += [
        f"| {effect.name} | {effect.before:,} | {effect.entered:,} | {effect.left:,} |"
        for effect in found.effects
    ]
    return "\n".join(lines) + "\n"
