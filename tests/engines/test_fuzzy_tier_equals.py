"""PostgreSQL compares and joins forms as DuckDB does, row by row, whatever its locale."""

import datetime as dt
import json
import random
import re
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pyarrow as pa
import pytest

from orchestration.warehouse import Relation, Warehouse
from tests.conftest import Dbt, environment
from tests.engines.test_postgres_equals_duckdb import columns_that_differ, table
from tests.fixtures.postgres import own_database

pytestmark = [pytest.mark.slow, pytest.mark.postgres]

MODELS = [
    "forms_stated", "terms_counted", "forms_described", "forms_blocked", "forms_paired",
    "forms_weighed", "match_odds_estimated", "forms_scored", "clusters_joined",
    "clusters_resolved",
]  # fmt: skip
FUZZY = ["--vars", json.dumps({"identity_fuzzy": True})]
NATIVE = {"block_id"}
"""Hashes that each engine draws in its own way."""
FIRST = [
    "Chloé", "Louis", "Louise", "Jean-Pierre", "jean pierre", "Katherine", "Kate", "Åsa", "Ζωή",
    "Ольга", "Ana", "ana maría", "Robert", "Bob", "O'Neil", "Noor",
]  # fmt: skip
LAST = [
    "Lefèvre", "Lefevre-Martin", "de la Cruz", "De-Lacey", "Delacey", "Παπαδάκη", "Durand",
    "Nkemelu", "Smith", "Smyth", "Østergård", "Иванова",
]  # fmt: skip
STREETS = ["12 bis, Rue de l'Été", "7 High Street", "Rose Lane 4", "Ringstraße 9", "x" * 300]
CITIES = [("75011", "Paris"), ("SW1A 1AA", "London"), ("10115", "Berlin"), ("117418", "Москва")]


def mistyped(text: str, chance: random.Random) -> str:
    """One slip of the hand."""
    place = chance.randrange(len(text))
    return chance.choice(
        [
            text[:place] + text[place + 1 :],
            text[:place] + text[place] + text[place:],
            text[:place] + text[place : place + 2][::-1] + text[place + 2 :],
            text[:place] + chance.choice("aeñт7") + text[place + 1 :],
        ]
    )


def people(count: int) -> Iterator[dict[str, str]]:
    """Records: each person has some, and states some of itself in each, now and then wrongly."""
    chance = random.Random(4)
    for number in range(count):
        postcode, city = chance.choice(CITIES)
        person = {
            "first_name": chance.choice(FIRST),
            "last_name": chance.choice(LAST) + chance.choice(["", "", "son", "ov"]),
            "birth_date": f"19{chance.randrange(40, 99)}-{chance.randrange(1, 12):02d}-"
            f"{chance.randrange(1, 28):02d}",
            "gender": chance.choice("fm"),
            "email": f"{chance.choice(['ana', 'kate.s', 'the-Smiths', 'n'])}{number // 2}@"
            f"{chance.choice(['post.example', 'mail.example', 'a@b.example'])}",
            "phone": f"+336{chance.randrange(10**8):08d}",
            "national_id": f"{chance.randrange(10**9):09d}",
            "street": chance.choice(STREETS) + chance.choice(["", " A", "-b"]),
            "postcode": postcode,
            "city": city,
        }
        for copy in range(chance.choice([1, 2, 2, 3])):
            stated = {name: value for name, value in person.items() if chance.random() < 0.7}
            for name in sorted(set(stated) - {"birth_date", "gender"}):
                if chance.random() < 0.15:
                    stated[name] = mistyped(stated[name], chance)
            if copy and "birth_date" in stated and chance.random() < 0.1:
                year, month, day = stated["birth_date"].split("-")
                stated["birth_date"] = f"{year}-{max(1, int(day) % 12):02d}-{int(month):02d}"
            # Sorted by bytes these come in another order than in any language.
            source = chance.choice(["crm", "Crm", "c-rm", "shop"])
            yield {**stated, "record_key": f"{source}:{chance.choice('aAbB_é')}{number}{copy}"}


def conformed(count: int) -> dict[str, pa.Table]:
    """The tables that identity builds on, as Arrow."""
    loaded = dt.datetime.fromisoformat("2024-01-01")
    rows = list({row["record_key"]: row for row in people(count)}.values())
    texts = (
        "record_key", "first_name", "last_name", "gender", "street", "postcode", "city",
        "email", "phone", "full_name", "country", "language", "company_name", "company_domain",
    )  # fmt: skip
    records = {name: pa.array([row.get(name) for row in rows], pa.string()) for name in texts}
    days = [row.get("birth_date") for row in rows]
    records |= {
        "source_name": pa.array([row["record_key"].split(":")[0] for row in rows]),
        "source_table": pa.array(["records"] * len(rows)),
        "native_id": records["record_key"],
        "is_anonymous": pa.array([False] * len(rows)),
        "birth_date": pa.array([day and dt.date.fromisoformat(day) for day in days], pa.date32()),
        "loaded_at": pa.array([loaded] * len(rows), pa.timestamp("us")),
    }
    stated = [
        {
            "record_key": row["record_key"],
            "source_name": row["record_key"].split(":")[0],
            "identifier_type": kind,
            # Of an e-mail with two at-signs only the raw value is left, as in the conformed layer.
            "identifier_value": None if row[kind].count("@") > 1 else row[kind].lower(),
            "raw_value": row[kind],
            "observed_at": loaded,
            "loaded_at": loaded,
        }
        for row in rows
        for kind in ("email", "phone", "national_id")
        if row.get(kind)
    ]
    identifiers = pa.Table.from_pylist(stated)
    log_ins = identifiers.select(["record_key", "identifier_type", "identifier_value", "loaded_at"])
    return {
        "customer_records": pa.table(records),
        "record_identifiers": identifiers,
        "visitor_log_ins": log_ins.rename_columns({"loaded_at": "logged_in_at"}).slice(0, 0),
    }


def built(dbt: Dbt, env: dict[str, str]) -> dict[str, tuple[list[str], Counter]]:
    """Columns and rows of the models, built on the engine that the environment leads to."""
    engine = env["CDP_TARGET"]
    with environment(env):
        with Warehouse.open(engine) as warehouse:
            warehouse.execute("create schema if not exists conformed")
            for name, rows in conformed(400).items():
                warehouse.load(f"conformed.{name}", rows)
        selected = ["path:seeds/identity", "+int_identity__clusters_resolved,path:models/identity"]
        excluded = ["--exclude-resource-type", "test", "unit_test"]
        dbt.invoke("build", "--select", *selected, *excluded, *FUZZY, env=env)
        with Warehouse.open(engine) as warehouse:
            found = {}
            for model in MODELS:
                relation = Relation.parse(f"identity.int_identity__{model}")
                columns = [c for c in warehouse.columns(relation) if c not in NATIVE]
                found[model] = columns, table(warehouse, relation, columns)
            return found


def test_the_same_people_are_found(postgres: dict[str, str], tmp_path: Path) -> None:
    # Letters first, punctuation and case last: what a server in production does.
    locale = "template template0 locale_provider icu icu_locale 'en-US' locale 'C'"
    on_postgres = own_database(postgres, "fuzzy_tier", locale)
    on_duckdb = {"CDP_TARGET": "duckdb", "CDP_DUCKDB_PATH": str(tmp_path / "cdp.duckdb")}
    dbt = Dbt(tmp_path)
    ours, theirs = built(dbt, on_duckdb), built(dbt, on_postgres)
    different = {}
    for name, (columns, rows) in ours.items():
        assert set(theirs[name][0]) == set(columns), name
        others = theirs[name][1]
        if rows != others:
            sides = sum((rows - others).values()), sum((others - rows).values())
            different[name] = (*sides, columns_that_differ(rows, others, columns))
    assert not different, f"rows on one engine only (duckdb, postgres, columns): {different}"
    joined = ours["clusters_joined"][1]
    assert len(joined) > 100
    assert any(re.search("[а-я]", str(row)) for row in ours["forms_stated"][1])
