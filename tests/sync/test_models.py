"""The dbt side by itself: hashes as the engine has them, and compilations that must fail."""

import re
import shutil
from pathlib import Path

import duckdb
import pytest

from orchestration.sync.row_hash import row_hash_sql
from orchestration.warehouse import dbt
from tests.sync.lab import PLANNED, SYNC, Lab


def row_hash(values: dict[str, str | None], salt: str) -> str:
    """As a run asks for it, of one row."""
    sql = row_hash_sql(list(values), "cdp_customer_id", salt)
    for number, name in enumerate(values):
        sql = sql.replace(f"{{column_{number}}}", name)
    row = ", ".join(f"cast(? as varchar) as {name}" for name in values)
    query = f"select {sql} from (select {row}) as model"
    with duckdb.connect() as db:  # not the default one, which other tests use
        [(found,)] = db.execute(query, [*values.values()]).fetchall()
    return found


def test_the_plan_and_the_run_hash_alike(lab: Lab) -> None:
    values = [
        "Ana",
        "",
        None,
        "é",
        "e\u0301",
        "李",
        "🤦🏼",
        "a=1:b;",
        'o\'hara \\ "q"',
        "a\nb",
        " x ",
    ]
    lab.add_customers(len(values))
    for number, value in enumerate(values, start=1):
        text = "null" if value is None else "'" + value.replace("'", "''") + "'"
        lab.execute(
            f"update standin.customers set city = {text} where customer_id = 'c{number:04}'"
        )
    lab.build()
    planned = {
        row["row_key"]: row["row_hash"]
        for row in lab.fetch(f"select row_key, row_hash from activation.{PLANNED}")
    }
    rows = lab.fetch(f"select * from activation.{SYNC}")
    assert len({*planned.values()}) == len(rows) == len(values)
    for row in rows:
        assert row_hash(row, SYNC) == planned[row["cdp_customer_id"]]


def test_a_hash_tells_neighbouring_values_apart() -> None:
    assert row_hash({"a": "1;b=1:2", "b": "3"}, "s") != row_hash({"a": "1", "b": "2"}, "s")
    assert row_hash({"a": None}, "s") != row_hash({"a": "-"}, "s")
    assert row_hash({"a": "1"}, "s") != row_hash({"a": "1"}, "t")
    assert row_hash({"a": "1", "b": "2"}, "s") == row_hash({"b": "2", "a": "1"}, "s")


def test_a_hash_is_of_all_but_the_key_whose_name_counts() -> None:
    one, other = ({"cdp_customer_id": key, "a": "1"} for key in ("c1", "c2"))
    assert row_hash(one, "s") == row_hash(other, "s")
    assert row_hash(one, "s") != row_hash({"a": "1"}, "s")  # another place for the key
    assert row_hash({"cdp_customer_id": "c1"}, "s") == row_hash({"cdp_customer_id": "c2"}, "s")


def test_a_state_table_of_an_older_version_gets_the_columns_it_lacks(lab: Lab) -> None:
    lab.add_customers(3)
    lab.sync()
    columns = "select column_name from information_schema.columns where table_name = 'sync_runs'"
    before = {row["column_name"] for row in lab.fetch(columns)}
    lab.execute(
        "alter table state.sync_runs drop column place_hash",
        "alter table state.sync_runs drop column rows_resumed_rejected",
    )
    assert dbt(["run", "--select", "sync_run_history"], project_dir=lab.project).success
    assert {row["column_name"] for row in lab.fetch(columns)} == before
    # Where rows went is not known, which is no change.
    assert lab.sync().status == "succeeded"


@pytest.mark.parametrize(
    "setting", ["purpose: marketing", "channel: email", "key: cdp_customer_id"]
)
def test_a_sync_without_purpose_channel_or_key_does_not_compile(
    compiled_project: Path, tmp_path: Path, setting: str
) -> None:
    project = tmp_path / "project"
    shutil.copytree(compiled_project, project)
    path = project / "models/activation" / f"{SYNC}.yml"
    text = path.read_text()
    path.write_text(text.replace(f"          {setting}\n          ", "          ", 1))
    assert path.read_text() != text
    outcome = dbt(["compile", "--select", SYNC], project_dir=project)
    assert not outcome.success


def refusal(project: Path, model: str) -> str:
    """What dbt says of a model that does not compile."""
    outcome = dbt(["compile", "--select", model], project_dir=project)
    assert not outcome.success
    return str(outcome.exception)


@pytest.mark.parametrize("stated", ["[]", "[destination]", "{}", "null", "hubspot"])
def test_a_declaration_that_is_no_mapping_does_not_compile(
    compiled_project: Path, tmp_path: Path, stated: str
) -> None:
    project = shutil.copytree(compiled_project, tmp_path / "project")
    path = project / "models/activation" / f"{SYNC}.yml"
    before, after = re.split(r"\n        sync:\n(?: {10}.*\n)+", path.read_text())
    path.write_text(f"{before}\n        sync: {stated}\n{after}")
    told = refusal(project, SYNC)
    assert f"The exposure {SYNC}: meta.sync must be a mapping of settings." in told


@pytest.mark.parametrize("segment", ["champion", "Champions", ""])
def test_a_segment_that_nobody_defined_does_not_compile(
    compiled_project: Path, tmp_path: Path, segment: str
) -> None:
    project = shutil.copytree(compiled_project, tmp_path / "project")
    path = project / "models/activation" / f"{SYNC}.sql"
    path.write_text(path.read_text().replace("segment='champions'", f"segment='{segment}'"))
    told = refusal(project, SYNC)
    assert f"there is no segment {segment}; vars.segments lists champions." in told


PEOPLE = {
    "customer_consents": "select customer_id, 'marketing' as purpose, 'email' as channel,"
    " true as is_granted, false as is_refused"
    " from (values ('by_key'), ('alike'), ('suppressed')) as people(customer_id)",
    "customer_suppressions": "select 'suppressed' as customer_id, 'objection' as reason",
    "identity_links": "select * from (values ('by_key', 'exact'), ('alike', 'exact'),"
    " ('alike', 'similar')) as links(customer_id, tier)",
}


@pytest.mark.parametrize(
    ("fuzzy", "tier"), [("true", "exact"), ("true", "similar"), ("false", "exact")]
)
def test_only_a_sync_of_exact_identity_looks_at_links(
    request: pytest.FixtureRequest, fuzzy: str, tier: str
) -> None:
    # The module's own `dbt` is the runner; the fixture of that name is this project.
    project = request.getfixturevalue("dbt")
    template = (
        "{% set sync = {'purpose': 'marketing', 'channel': 'email', 'identity_tier': '"
        + tier
        + "'} %}{{ permitted_customers(sync) }}"
    )
    options = ["--vars", f"{{identity_fuzzy: {fuzzy}}}"]
    done = project.invoke("compile", "--no-introspect", *options, "--inline", template)
    sql = done.result.results[0].node.compiled_code
    is_strict = fuzzy == "true" and tier == "exact"
    assert ("identity_links" in sql) == is_strict
    # On three people who said yes: joined by a key, by likeness, and one who is suppressed.
    database = duckdb.connect()
    for table in re.findall(r'(?<=(?:from|join) )"[^ )]+', sql):
        catalog, schema, name = (part.strip('"') for part in table.split("."))
        database.execute(f"attach if not exists ':memory:' as {catalog}")
        database.execute(f"create schema if not exists {catalog}.{schema}")
        database.execute(f"create table if not exists {table} as {PEOPLE[name]}")
    found = {customer for (customer,) in database.execute(sql).fetchall()}
    assert found == ({"by_key"} if is_strict else {"by_key", "alike"})


def test_an_address_is_an_email_or_a_phone(request: pytest.FixtureRequest) -> None:
    project = request.getfixturevalue("dbt")
    chosen = f"{{{{ permitted_addresses('{SYNC}', 'phone') }}}}"
    assert "people.phone" in project.compile(chosen)
    with pytest.raises(pytest.fail.Exception, match="loyalty_id is no address"):
        project.compile(chosen.replace("phone", "loyalty_id"))
