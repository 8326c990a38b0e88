"""Ordinary mistakes end every command with one line that says what to do, and exit code 2."""

import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from click.testing import Result
from typer.testing import CliRunner

from orchestration.cli import app
from orchestration.demo.online_retail import COLUMNS as ORDER_COLUMNS
from orchestration.destinations.base import Refused, Stopped, Unanswered
from orchestration.landing.declared import DeclarationError
from orchestration.sync.ledger import LedgerBroken
from orchestration.sync.run import PlanChanged
from tests.conftest import Dbt

SYNC = "sync_hubspot__contacts"
MADE = ("demo-data", "--persons", "500", "--out")
DECIDED = ("--author", "me", "--reason", "they said so")
HOLD = "import duckdb, sys; held = duckdb.connect(sys.argv[1]); print(flush=True); sys.stdin.read()"

COMMANDS = {
    "plan": ("plan", SYNC),
    "apply": ("apply", SYNC),
    "syncs": ("syncs",),
    "retry": ("retry", SYNC),
    "reconcile": ("reconcile", SYNC),
    "repair": ("repair", "--yes"),
    "alert": ("alert",),
    "export": ("export", "privacy:1"),
    "erase": ("erase", "--yes"),
    "compact": ("compact",),
    "land": ("land", "{folder}/raw"),
    "fit": ("fit",),
    "publish": ("publish", "--folder", "{folder}/published"),
    "identity link": ("identity", "link", "crm:1", "crm:2", *DECIDED),
    "identity separate": ("identity", "separate", "crm:1", "crm:2", *DECIDED),
    "identity detach": ("identity", "detach", "crm:1", "email", "00", *DECIDED),
    "identity withdraw": ("identity", "withdraw", "7", *DECIDED),
    "identity train": ("identity", "train"),
    "explain link": ("explain", "link", "crm:1", "crm:2"),
    "explain apart": ("explain", "apart", "crm:1", "crm:2"),
    "explain customer": ("explain", "customer", "c1"),
}
# With nothing built there is nothing to tell, and landing is where one begins.
CONTENT = ("syncs", "repair", "alert", "land", "compact")


@pytest.fixture
def folder(
    tmp_path: Path, dbt: Dbt, manifest: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> Path:
    """A warehouse of nobody, and a manifest that is there."""
    (tmp_path / "raw").mkdir()
    monkeypatch.setenv("CDP_DUCKDB_PATH", str(tmp_path / "cdp.duckdb"))
    monkeypatch.setenv("DBT_TARGET_PATH", str(dbt.folder / "duckdb"))
    monkeypatch.setenv("HUBSPOT_TOKEN", "nobody")
    for name in ("CDP_TARGET", "HUBSPOT_BASE_URL"):
        monkeypatch.delenv(name, raising=False)
    parsed = SimpleNamespace(manifest=lambda: manifest)
    monkeypatch.setitem(sys.modules, "orchestration.defs.project", parsed)  # parses for itself
    monkeypatch.setattr("orchestration.identity.fuzzy_model.read_comparisons", dict)
    return tmp_path


@pytest.fixture
def locked(folder: Path) -> Iterator[None]:
    command = [sys.executable, "-c", HOLD, str(folder / "cdp.duckdb")]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as holder:
        holder.stdout.readline()
        yield
        holder.stdin.close()


def cdp(*arguments: str) -> Result:
    result = CliRunner(env={"COLUMNS": "400"}).invoke(app, arguments)
    assert not result.exception or isinstance(result.exception, SystemExit), result.exception
    return result


def told(*arguments: str) -> str:
    """The line that a command which cannot run ends with."""
    result = cdp(*arguments)
    assert (result.exit_code, result.stdout) == (2, "")
    [line] = result.stderr.strip().splitlines()
    return line


def called(command: str, folder: Path) -> list[str]:
    return [argument.format(folder=folder) for argument in COMMANDS[command]]


def commands(group: Any, *above: str) -> Iterator[str]:
    for name, command in group.commands.items():
        if hasattr(command, "commands"):
            yield from commands(command, *above, name)
        else:
            yield " ".join((*above, name))


def test_every_command_that_opens_the_warehouse_is_tried_here() -> None:
    from typer.main import get_command

    # Makes its own, none, a copy, and is of events, which no sync here sends.
    without_one = {"demo", "demo-data", "identity diff", "settle"}
    assert set(commands(get_command(app))) - without_one == set(COMMANDS)


@pytest.mark.parametrize("command", COMMANDS)
def test_a_warehouse_that_is_not_built(folder: Path, command: str) -> None:
    if command in CONTENT:
        assert cdp(*called(command, folder)).exit_code == 0
    else:
        assert "build" in told(*called(command, folder))


@pytest.mark.parametrize("command", COMMANDS)
def test_a_file_that_is_no_warehouse(folder: Path, command: str) -> None:
    (folder / "cdp.duckdb").touch()
    line = told(*called(command, folder))
    assert "not a valid DuckDB database file" in line
    assert "dbt debug" in line


def test_a_warehouse_that_another_process_holds(folder: Path, locked: None) -> None:
    for command in COMMANDS:
        line = told(*called(command, folder))
        assert line == "another process holds the warehouse; try again when it is done", command


@pytest.mark.parametrize("command", COMMANDS)
def test_a_target_that_is_not_in_the_profile(folder: Path, command: str) -> None:
    line = told(*called(command, folder), "--target", "nonsense")
    assert "does not have a target named 'nonsense'" in line
    assert "duckdb - postgres" in line


@pytest.mark.parametrize(
    ("variable", "value", "words"),
    [
        ("CDP_TARGET", "nonsense", "named 'nonsense'"),
        ("CDP_THREADS", "S3cret", "CDP_THREADS"),
        ("CDP_POSTGRES_PORT", "S3cret", "CDP_POSTGRES_PORT"),
        ("CDP_POSTGRES_PORT", "1", "Connection refused"),
        ("CDP_DUCKDB_PATH", "/proc/nowhere/cdp.duckdb", "No such file or directory: /proc/nowhere"),
    ],
)
def test_a_variable_of_the_profile_that_is_wrong(
    folder: Path, monkeypatch: pytest.MonkeyPatch, variable: str, value: str, words: str
) -> None:
    monkeypatch.setenv(variable, value)
    line = told("fit", *(["--target", "postgres"] if "POSTGRES" in variable else []))
    assert words in line
    assert "S3cret" not in line


@pytest.mark.parametrize(
    ("error", "line"),
    [
        (Stopped("HTTP_401", "auth"), "the endpoint failed with HTTP_401; look at its credentials"),
        (Unanswered("NO_CONNECTION"), "look at its address and credentials"),
        (Refused("BAD"), "failed with BAD"),
        (DeclarationError("no type for crm.contacts.[red]"), "no type for crm.contacts.[red]"),
        (LedgerBroken("entries are there twice"), "entries are there twice"),
        (PlanChanged("plan again"), "plan again"),
        (LookupError("HUBSPOT_TOKEN is not set"), "HUBSPOT_TOKEN is not set"),
    ],
)
def test_what_a_person_can_put_right_is_a_line(monkeypatch, error, line) -> None:
    def fails(*_: object, **__: object) -> None:
        raise error

    monkeypatch.setattr("orchestration.lifetime_value.fit_into_warehouse", fails)
    assert line in told("fit")


@pytest.mark.parametrize("error", [KeyError("email"), ValueError("defect"), OSError("defect")])
def test_a_defect_shows_its_place(monkeypatch: pytest.MonkeyPatch, error: Exception) -> None:
    def fails(*_: object, **__: object) -> None:
        raise error

    monkeypatch.setattr("orchestration.lifetime_value.fit_into_warehouse", fails)
    assert CliRunner().invoke(app, ["fit"]).exception is error


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("plan", SYNC, "--sample", "1001"), "less than or equal to 1000"),
        (("apply", SYNC, "--max-removed", "-1"), "greater than or equal to 0"),
        (("land", "{folder}/nowhere"), "does not exist"),
        (("land", "{folder}/file"), "is a file"),
        (("publish", "--folder", "{folder}/file"), "is a file"),
        (("publish", "--folder", "{folder}/file/below"), "Not a directory"),
        (("identity", "diff", "HEAD", "--max-changed", "-1"), "greater than or equal to 0"),
        (("identity", "diff", "HEAD", "--max-changed", "2"), "less than or equal to 1"),
        (("identity", "diff", "HEAD", "--out", "{folder}"), "is a directory"),
        (("identity", "diff", "HEAD", "--out", "{folder}/nowhere/diff.md"), "no folder"),
        (("identity", "diff", "nonsense"), "git knows no revision nonsense"),
        (("identity", "diff", "--", "--force"), "git knows no revision --force"),
        (("demo", "--persons", "499"), "greater than or equal to 500"),
        (("demo", "--orders", "{folder}"), "is a directory"),
        ((*MADE, "{folder}/file"), "is a file"),
        ((*MADE, "{folder}/file/below"), "Not a directory"),
        ((*MADE, "{folder}/data", "--seed", "-1"), "greater than or equal to 0"),
        ((*MADE, "{folder}/data", "--orders", "{folder}"), "is a directory"),
        ((*MADE, "{folder}/data", "--orders", "{folder}/file"), "no Parquet file with columns"),
        ((*MADE, "{folder}/data", "--orders", "{folder}/other.parquet"), "with columns invoice_no"),
        ((*MADE, "{folder}/data", "--orders", "{folder}/none.parquet"), "has no rows"),
    ],
)
def test_an_argument_that_cannot_be(folder: Path, arguments: tuple[str, ...], words: str) -> None:
    (folder / "file").write_text("neither a folder nor orders")
    (folder / "cdp.duckdb").touch()
    pq.write_table(pa.table({"unit_price": [1.0]}), folder / "other.parquet")
    pq.write_table(
        pa.table({name: [""] for name in ORDER_COLUMNS}).slice(1), folder / "none.parquet"
    )
    result = cdp(*(argument.format(folder=folder) for argument in arguments))
    assert (result.exit_code, result.stdout) == (2, "")
    assert words in re.sub(r"[\s│]+", " ", result.stderr)  # in a box, where the parser told it


def test_a_folder_is_no_warehouse_to_compare(folder: Path, monkeypatch) -> None:
    monkeypatch.setenv("CDP_DUCKDB_PATH", str(folder))
    assert "no warehouse at" in told("identity", "diff", "HEAD")
