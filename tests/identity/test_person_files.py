"""Files of people as strangers write them: what is read of them, and what is told."""

from __future__ import annotations

import gzip
from pathlib import Path

import pytest

from benchmarks.identity_warehouse import CANONICAL_COLUMNS
from benchmarks.person_columns import PersonFileError, mapping_text
from benchmarks.person_files import LabelledPeople, parse_mapping, read_people

MAP = "full_name=name"


def read(*paths: Path, maps: str = "", truth: str = "who") -> LabelledPeople:
    """``maps`` is one for all files."""
    mapping = parse_mapping(maps or MAP, CANONICAL_COLUMNS)
    return read_people(
        paths,
        [mapping] * len(paths),
        truth,
        1,
    )


def column(people: LabelledPeople, name: str) -> list[str | None]:
    """Values in the order of the file, which the truth of these tests counts up."""
    keyed = zip(people.truth["person_id"].to_pylist(), people.records[name], strict=True)
    return [value.as_py() for _, value in sorted(keyed, key=lambda pair: int(pair[0]))]


@pytest.mark.parametrize(
    ("encoding", "told"),
    [
        ("windows-1252", "windows-1252"),
        ("utf-8-sig", "utf-8-sig"),
        ("utf-16", "utf-16"),
    ],
)
@pytest.mark.parametrize("name", ["Zoé", "Zoé – née “O’Neil”"])
def test_any_usual_encoding_is_read(encoding: str, told: str, name: str, tmp_path: Path) -> None:
    (tmp_path / "people.csv").write_text(f"name,who\n{name},0\n", encoding=encoding)
    people = read(tmp_path / "people.csv")
    assert column(people, "full_name") == [name]
    assert people.readings[0].encoding == told


def test_some_damage_does_not_make_a_file_western(tmp_path: Path) -> None:
    (tmp_path / "people.csv").write_bytes("name,who\nZoé,0\nÉva,1\nAn".encode() + b"\xe9,2\n")
    people = read(tmp_path / "people.csv")
    assert column(people, "full_name") == ["Zoé", "Éva", "An\ufffd"]
    assert people.readings[0].warnings() == [
        "people.csv: lines with bytes that are no utf-8-sig: 1"
    ]


def test_a_file_may_be_gzipped(tmp_path: Path) -> None:
    with gzip.open(tmp_path / "people.csv.gz", "wt") as stream:
        stream.write("name,who\nAna,0\n")
    assert column(read(tmp_path / "people.csv.gz"), "full_name") == ["Ana"]


def test_names_of_columns_may_have_any_sign(tmp_path: Path) -> None:
    header = '"name, first","a+b=c","say ""hi""",\\path, Town ,Who?'
    (tmp_path / "people.csv").write_text(f"{header}\nAna,Ruiz,Rose Lane,75001,Paris,0\n")
    mapping = (
        r'first_name="name, first",last_name=a\+b=c,street="say \"hi\"",postcode=\\path,city=town'
    )
    people = read(tmp_path / "people.csv", maps=mapping, truth="who?")
    found = {name: people.records[name].to_pylist() for name in people.records.column_names[1:]}
    assert found == {
        "first_name": ["Ana"],
        "last_name": ["Ruiz"],
        "street": ["Rose Lane"],
        "postcode": ["75001"],
        "city": ["Paris"],
    }
    told = parse_mapping(mapping_text(people.readings[0].mapping), CANONICAL_COLUMNS)
    assert told == people.readings[0].mapping, "what is printed is what --map is told"
    with pytest.raises(PersonFileError, match="a quote is not closed"):
        parse_mapping('first_name="name', CANONICAL_COLUMNS)


def test_a_name_in_another_case_is_found_unless_two_are(tmp_path: Path) -> None:
    path = tmp_path / "people.csv"
    path.write_text("\ufeffNAME,WHO\nAna,0\n", encoding="utf-8")
    assert column(read(path, maps="full_name=name"), "full_name") == ["Ana"]
    path.write_text("NAME,Name,name,who\nA,B,C,0\n")
    assert column(read(path, maps="full_name=Name"), "full_name") == ["B"]
    with pytest.raises(PersonFileError, match="two columns 'nAME': 'NAME', 'Name', 'name'"):
        read(path, maps="full_name=nAME")


def test_the_truth_is_not_mapped_in_another_case(tmp_path: Path) -> None:
    (tmp_path / "people.csv").write_text("name,Cluster\nAna,0\n")
    with pytest.raises(PersonFileError, match="'cluster' is the truth: it must not be mapped"):
        read(tmp_path / "people.csv", maps="full_name=name,loyalty_id=CLUSTER", truth="cluster")


def test_an_odd_shape_loses_no_row(tmp_path: Path) -> None:
    """Hundreds of columns, rows that end early or late, line breaks in quotes, equal ids."""
    extra = [f"x{number}" for number in range(300)]
    header = ",".join(["id", *extra, "name", "twice", "twice", "street", "who"])
    rows = [
        ",".join([str(row % 7), *extra, f"Ana {row}", "a", "b", '"Rose Lane\n2nd floor"', str(row)])
        for row in range(3_000)
    ]
    rows[0] += ",,"
    rows += ["", ",".join(["1", *extra, "Bob"])]
    for name in ("a.csv", "b.csv"):
        (tmp_path / name).write_text("\n".join([header, *rows]))
    people = read(tmp_path / "a.csv", tmp_path / "b.csv", maps="full_name=name,street=street")
    assert people.records.num_rows == 2 * 3_001
    assert len(set(people.records["record_key"].to_pylist())) == 2 * 3_001
    assert people.records["street"].to_pylist().count("Rose Lane\n2nd floor") == 2 * 3_000
    assert people.records["full_name"].to_pylist().count("Bob") == 2
    assert people.truth["person_id"].null_count == 2
    assert people.readings[1].warnings() == [
        "b.csv: rows that end early: 1; what they lack is taken as empty"
    ]
    with pytest.raises(PersonFileError, match="two columns 'twice'"):
        read(tmp_path / "a.csv", maps="full_name=twice")
