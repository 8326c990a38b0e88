"""Which files of the raw folder belong to which declared table."""

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from orchestration.landing.declared import RAW_PREFIX, Table
from orchestration.landing.report import Unknown

_SUFFIXES = {".csv", ".parquet"}


@dataclass(frozen=True)
class RawFile:
    """A file of a declared table. ``name``: its path within the raw folder."""

    table: Table
    path: Path
    name: str


def scan(
    raw_dir: Path, tables: dict[tuple[str, str], Table], sources: Iterable[str] | None = None
) -> tuple[list[RawFile], list[Unknown]]:
    """The declared files in order of name, and what nobody declared. Hidden files (a name
    that begins with a full stop) are left alone. Raises ``ValueError`` for an unknown source."""
    declared = {key: table for key, table in tables.items() if _is_raw(table)}
    names = {source for source, _ in declared}
    wanted = set(sources) if sources is not None else None
    if wanted is not None and (odd := sorted(wanted - names)):
        raise ValueError(f"no source is declared as {', '.join(odd)}")
    files: list[RawFile] = []
    unknown: list[Unknown] = []
    for folder in _visible(raw_dir):
        name = folder.name
        if not folder.is_dir():
            unknown.append(Unknown(name, "a file outside of a source's folder"))
        elif name not in names:
            unknown.append(Unknown(f"{name}/", "no source of this name is declared"))
        elif wanted is None or name in wanted:
            for entry in _visible(folder):
                found, odd = _entry(raw_dir, entry, declared.get((name, entry.stem)))
                files += found
                unknown += odd
    return files, unknown


def _entry(raw_dir: Path, entry: Path, table: Table | None) -> tuple[list[RawFile], list[Unknown]]:
    """A file of a source's folder, or a table's folder with all that is in it."""
    if entry.is_dir():
        table = table if table is not None and table.name == entry.name else None
        name = f"{_name(raw_dir, entry)}/"
        if table is None:
            return [], [Unknown(name, "no table of this name is declared")]
        files, unknown = [], []
        for path in _visible(entry):
            if path.is_dir() or path.suffix not in _SUFFIXES:
                unknown.append(Unknown(_name(raw_dir, path), "not a .csv or .parquet file"))
            else:
                files.append(RawFile(table, path, _name(raw_dir, path)))
        return files, unknown
    if entry.suffix not in _SUFFIXES:
        return [], [Unknown(_name(raw_dir, entry), "not a .csv or .parquet file")]
    if table is None:
        return [], [Unknown(_name(raw_dir, entry), "no table of this name is declared")]
    return [RawFile(table, entry, _name(raw_dir, entry))], []


def _is_raw(table: Table) -> bool:
    return table.schema == RAW_PREFIX + table.source


def _visible(folder: Path) -> list[Path]:
    return sorted(path for path in folder.iterdir() if not path.name.startswith("."))


def _name(raw_dir: Path, path: Path) -> str:
    return path.relative_to(raw_dir).as_posix()
