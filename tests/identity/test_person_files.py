"""Files of people as strangers write them: what is read of them, and what is told."""

from __future__ import annotations

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
