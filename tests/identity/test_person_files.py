"""Files of people as strangers write them: what is read of them, and what is told."""

from __future__ import annotations

import gzip
from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from benchmarks.identity_warehouse import CANONICAL_COLUMNS, IDENTIFIERS
from benchmarks.person_columns import PersonFileError, guess_mapping, mapping_text
from benchmarks.person_dates import years_to_oldest
from benchmarks.person_files import LabelledPeople, parse_mapping, read_people


def read(*paths: Path, maps: str = "", truth: str = "who", dates: str = "") -> LabelledPeople:
    """``maps`` is one for all files, or none: guessed."""
    mapping = parse_mapping(maps, CANONICAL_COLUMNS) if maps else None
    return read_people(
        paths,
        [mapping] * len(paths),
        truth,
        1,
        CANONICAL_COLUMNS,
        tuple(IDENTIFIERS),
        [dates or None] * len(paths),
    )


def column(people: LabelledPeople, name: str) -> list[str | None]:
    """Values in the order of the file, which the truth of these tests counts up."""
    keyed = zip(people.truth["person_id"].to_pylist(), people.records[name], strict=True)
    return [value.as_py() for _, value in sorted(keyed, key=lambda pair: int(pair[0]))]


def values(folder: Path, name: str, texts: list[str], dates: str = "") -> LabelledPeople:
    """A file of one column."""
    quoted = [text.replace('"', '""') for text in texts]
    rows = "".join(f'"{text}",{row}\n' for row, text in enumerate(quoted))
    (folder / "people.csv").write_text(f"it,who\n{rows}", encoding="utf-8")
    return read(folder / "people.csv", maps=f"{name}=it", dates=dates)


@pytest.mark.parametrize(
    ("texts", "order", "decided_by", "expected"),
    [
        # A day that is no month says it for all.
        (["12/31/1988", "4/2/1988"], "mdy", "values", ["1988-12-31", "1988-04-02"]),
        (["31/12/1988", "4/2/1988"], "dmy", "values", ["1988-12-31", "1988-02-04"]),
        (["4/2/1988"], "dmy", "default", ["1988-02-04"]),
        # Both orders: what has one reading has that, the others their day first.
        (
            ["12/31/1988", "31-12-1988", "4/2/1988"],
            "dmy",
            "default",
            ["1988-12-31", "1988-12-31", "1988-02-04"],
        ),
        # A slip of the keyboard among many does not turn the column round, and is no date.
        (
            ["12/31/1988"] * 30 + ["31/12/1988", "4/2/1988"],
            "mdy",
            "values",
            ["1988-12-31"] * 30 + ["31/12/1988", "1988-04-02"],
        ),
        (["1988/4/2", "1988.12.31"], "ymd", "nothing", ["1988-04-02", "1988-12-31"]),
        (["12311988", "4021988.0"], "mdy", "values", ["1988-12-31", "1988-04-02"]),
        # Births are past: 88 is 1988, 07 is 2007.
        (["12/31/88", "4/2/07"], "mdy", "values", ["1988-12-31", "2007-04-02"]),
        (["31.12.88", "02.04.26"], "dmy", "values", ["1988-12-31", "1926-04-02"]),
        (["88-12-31", "07-04-02"], "ymd", "values", ["1988-12-31", "2007-04-02"]),
        (["881231", "070402"], "ymd", "values", ["1988-12-31", "2007-04-02"]),
        (["123188", "040207"], "mdy", "values", ["1988-12-31", "2007-04-02"]),
    ],
)
def test_the_column_says_the_order_of_its_dates(
    texts: list[str], order: str, decided_by: str, expected: list[str], tmp_path: Path
) -> None:
    people = values(tmp_path, "birth_date", texts)
    assert column(people, "birth_date") == expected
    decided = people.readings[0].dates
    assert (decided.order, decided.decided_by) == (order, decided_by)
    [told] = [line for line in people.readings[0].lines() if "birth_date: " in line]
    words = {"dmy": "day first", "mdy": "month first", "ymd": "year first"}
    assert told.startswith(f"  birth_date: {words[order]} (")
    assert ("--dates mdy" in told) == (decided_by == "default")
    assert any("has both orders" in text for text in people.readings[0].warnings()) == (
        decided.is_mixed
    )


def test_the_option_goes_before_what_the_dates_say(tmp_path: Path) -> None:
    texts = ["4/2/1988", "31/12/1988", "1988-12-31", "1/2/03"]
    people = values(tmp_path, "birth_date", texts, "mdy")
    expected = ["1988-04-02", "31/12/1988", "1988-12-31", "2003-01-02"]
    assert column(people, "birth_date") == expected
    assert people.readings[0].dates.unread == 1
    people = values(tmp_path, "birth_date", ["01/02/03", "12/31/1988", "4/2/1988"], "ymd")
    assert column(people, "birth_date") == ["2001-02-03", "1988-12-31", "1988-04-02"]


@pytest.mark.parametrize(
    ("texts", "years"),
    [
        (["1832-02-29", "1790-01-01", "1990-05-05"], 237),
        (["1832-02-29", "1990-05-05", "1985-05-05", "1850-02-02"], None),
        (["no date"], None),
        ([], None),
    ],
)
def test_people_of_another_time_are_known_by_their_births(
    texts: list[str], years: int | None
) -> None:
    assert years_to_oldest(pa.chunked_array([pa.array(texts, pa.string())])) == years


def test_two_files_have_an_order_each(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text("dob,who\n12/31/1988,0\n4/2/1988,1\n")
    (tmp_path / "b.csv").write_text("dob,who\n31/12/1988,2\n4/2/1988,3\n")
    people = read(tmp_path / "a.csv", tmp_path / "b.csv")
    found = column(people, "birth_date")
    assert found == ["1988-12-31", "1988-04-02", "1988-12-31", "1988-02-04"]
    assert [reading.dates.order for reading in people.readings] == ["mdy", "dmy"]


@pytest.mark.parametrize(
    "text",
    [
        "1988-04-02", "1988-4-2", "19880402", "19880402.0", "1.9880402e+07", "5-Apr-1988",
        "1988-04-02 00:00:00", "1988-04-02T00:00:00.000Z", "1988-04-02 00:00:00+02",
        "1988-04-02T00:00:00+02:00", "2-Apr-1988", "2 April 1988", "April 2, 1988", "Apr 2 1988",
        "2nd of April, 1988", "02APR1988", "02APR1988:00:00:00", "2-apr-88", "1988-Apr-02",
        "Sat Apr 02 1988 00:00:00 GMT+0200 (CEST)", "Saturday, April 2, 1988", "1988 4 2",
        "Apr  2 1988 12:00AM", "1988/04/02 0:00",
    ],
)  # fmt: skip
def test_a_date_is_read_however_it_is_written(text: str, tmp_path: Path) -> None:
    people = values(tmp_path, "birth_date", [text])
    assert column(people, "birth_date") == ["1988-04-05" if "5-" in text else "1988-04-02"]


@pytest.mark.parametrize(
    "text", ["1988-02-30", "0000-00-00", "0000-01-01", "1988", "1988-04", "soon", "88", "32235"]
)
def test_what_is_no_date_is_handed_on(text: str, tmp_path: Path) -> None:
    people = values(tmp_path, "birth_date", [text])
    assert column(people, "birth_date") == [text]
    assert people.readings[0].dates.unread == 1


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("3.3612345678e+10", "33612345678"),
        ("3.361234567E10", "33612345670"),
        ("12345.0", "12345"),
        ("00123.0", "00123"),
        ("00123", "00123"),
        ("1e+05", "100000"),
        # Not numbers: an id, thousands, a fraction.
        ("12E4", "12E4"),
        ("12.000", "12.000"),
        ("12.5", "12.5"),
        # A spreadsheet cut it off: a key of many people.
        ("3.36123E+10", None),
    ],
)
def test_whole_numbers_are_written_without_fraction(
    text: str, expected: str | None, tmp_path: Path
) -> None:
    people = values(tmp_path, "loyalty_id", [text])
    assert column(people, "loyalty_id") == [expected]
    assert people.readings[0].cut["loyalty_id"] == (expected is None)
    assert ("lost their last digits" in " ".join(people.readings[0].warnings())) == (
        expected is None
    )


def test_types_of_parquet_are_text(tmp_path: Path) -> None:
    born = [date(1988, 4, 2), None, date(1970, 5, 12)]
    when = [datetime(1988, 4, 2, tzinfo=UTC), None, datetime(1970, 5, 12, tzinfo=UTC)]
    table = {
        "given_name": pa.array(["Ana", "Bob", "Ana"]).dictionary_encode(),
        "house_number": pa.array([12.0, None, 7.5]),
        "street": pa.array(["Rose Lane", None, "Rose Lane"], pa.large_string()),
        "mobile": pa.array([33612345678.0, float("nan"), 33600000000.0]),
        "loyalty_id": pa.array([88000000000.0, None, 12.0]).dictionary_encode(),
        "zip": pa.array([Decimal("75001.000"), None, Decimal("2119.000")], pa.decimal128(9, 3)),
        "dob": pa.array(born, pa.date64()),
        "who": pa.array([0.0, 1.0, 2.0]),
    }
    pq.write_table(pa.table(table), tmp_path / "people.parquet")
    people = read(tmp_path / "people.parquet")
    assert column(people, "first_name") == ["Ana", "Bob", "Ana"]
    assert column(people, "street") == ["12 Rose Lane", None, "7.5 Rose Lane"]
    assert column(people, "phone") == ["33612345678", None, "33600000000"]
    assert column(people, "loyalty_id") == ["88000000000", None, "12"]
    assert column(people, "postcode") == ["75001", None, "2119"]
    assert column(people, "birth_date") == ["1988-04-02", None, "1970-05-12"]
    assert sorted(people.truth["person_id"].to_pylist()) == ["0", "1", "2"]
    for stamp in (pa.timestamp("ns"), pa.timestamp("us", "UTC"), pa.date32()):
        times = pa.array(born if stamp == pa.date32() else when, stamp)
        pq.write_table(pa.table({"dob": times, "who": [0, 1, 2]}), tmp_path / "times.parquet")
        assert column(read(tmp_path / "times.parquet"), "birth_date") == [
            "1988-04-02", None, "1970-05-12"
        ]  # fmt: skip


def test_one_label_is_one_however_it_is_written(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text("name,who\nAna,1\nBob,2\nCarla,\nDora,NA\n")
    (tmp_path / "b.csv").write_text("name,who\nAna,1.0\nBob,2.0\nCarla,nan\nDora,None\nEva,NULL\n")
    labels = read(tmp_path / "a.csv", tmp_path / "b.csv").truth["person_id"].to_pylist()
    assert sorted(filter(None, labels)) == ["1", "1", "2", "2"]
    assert labels.count(None) == 5
    (tmp_path / "a.csv").write_text("name,who\nAna,\nBob,null\n")
    with pytest.raises(PersonFileError, match="'who' is empty in all records"):
        read(tmp_path / "a.csv")


@pytest.mark.parametrize(
    "word", ["NULL", "nan", "NaN", "N/A", "#N/A", "None", r"\N", "-", "--", "?", "unknown", "<NA>"]
)
@pytest.mark.parametrize("name", ["first_name", "street", "city", "shop_customer_id", "email"])
def test_a_word_for_nothing_is_nothing(word: str, name: str, tmp_path: Path) -> None:
    people = values(tmp_path, name, [word, "real"])
    assert column(people, name) == [None, "real"]
    assert people.readings[0].nothing == {name: 1}


def test_na_is_nothing_but_in_names_and_countries(tmp_path: Path) -> None:
    assert column(values(tmp_path, "city", ["NA", "nil"]), "city") == [None, None]
    assert column(values(tmp_path, "last_name", ["Na", "Nil"]), "last_name") == ["Na", "Nil"]
    assert column(values(tmp_path, "country", ["NA"]), "country") == ["NA"]


def test_no_word_for_nothing_is_joined(tmp_path: Path) -> None:
    (tmp_path / "people.csv").write_text("no,road,who\nNULL,Rose Lane,0\n12.0,-,1\nnan,nan,2\n")
    people = read(tmp_path / "people.csv", maps="street=no+road")
    assert column(people, "street") == ["Rose Lane", "12", None]


@pytest.mark.parametrize("encoding", ["windows-1252", "utf-8-sig", "utf-16"])
@pytest.mark.parametrize("name", ["Zoé", "Zoé – née “O’Neil”"])
def test_any_usual_encoding_is_read(encoding: str, name: str, tmp_path: Path) -> None:
    (tmp_path / "people.csv").write_text(f"name,who\n{name},0\n", encoding=encoding)
    people = read(tmp_path / "people.csv")
    assert column(people, "full_name") == [name]
    assert people.readings[0].encoding == encoding


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


@pytest.mark.parametrize(
    ("header", "expected"),
    [
        (
            "rec_id,given_name,surname,street_number,address_1,address_2,suburb,postcode,state,"
            "date_of_birth,soc_sec_id,who",
            "first_name=given_name,last_name=surname,birth_date=date_of_birth,"
            "street=street_number+address_1,postcode=postcode,city=suburb,national_id=soc_sec_id",
        ),
        (
            "id,fname_c1,fname_c2,lname_c1,lname_c2,by,bm,bd,who",
            "first_name=fname_c1,last_name=lname_c1,birth_date=by+bm+bd",
        ),
        (
            "voter_reg_num,last_name,first_name,house_num,street_name,res_city_desc,zip_code,"
            "phone_num,sex_code,birth_year,who",
            "first_name=first_name,last_name=last_name,gender=sex_code,phone=phone_num,"
            "street=house_num+street_name,postcode=zip_code,city=res_city_desc",
        ),
        (
            "CustomerID,FirstName,LastName,DOB,E-Mail,Mobile Phone,ZIP,Customer City,Who",
            "first_name=FirstName,last_name=LastName,birth_date=DOB,email=E-Mail,"
            'phone="Mobile Phone",postcode=ZIP,city="Customer City"',
        ),
        ("name,surname,town,who", "first_name=name,last_name=surname,city=town"),
        ("Customer Name,address,who", 'full_name="Customer Name",street=address'),
        ("forename,family name,who", 'first_name=forename,last_name="family name"'),
        ("Prénom,Nom,Code postal,who", 'first_name=Prénom,last_name=Nom,postcode="Code postal"'),
        (
            "unique_id,full_name,first_name,surname,dob,birth_place,postcode_fake,occupation,who",
            "first_name=first_name,last_name=surname,birth_date=dob,postcode=postcode_fake,"
            "city=birth_place",
        ),
        # The truth is never guessed, nor are ids of records, nor what is there twice.
        ("name,id,rec_id,customer_id,email,email,who", "full_name=name"),
    ],
)
def test_columns_are_known_by_their_names(header: str, expected: str) -> None:
    assert mapping_text(guess_mapping(header.split(","), "who", CANONICAL_COLUMNS)) == expected


def test_the_truth_and_nameless_columns_are_not_guessed(tmp_path: Path) -> None:
    assert guess_mapping(["name", "phone"], "NAME", CANONICAL_COLUMNS) == {"phone": ("phone",)}
    (tmp_path / "people.csv").write_text("a,b,who\n1,2,3\n")
    with pytest.raises(PersonFileError, match="no column's name says what it is; tell by --map"):
        read(tmp_path / "people.csv")


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


def test_labels_that_were_cut_off_are_no_labels(tmp_path: Path) -> None:
    """Else everybody would be one person, and the rates wrong without a word."""
    lines = ["name,who", *("Ann,3.36123E+10" for _ in range(3)), "Bob,7"]
    (tmp_path / "people.csv").write_text("\n".join(lines))
    people = read(tmp_path / "people.csv")
    assert people.truth["person_id"].null_count == 3
    assert people.readings[0].cut["who"] == 3
    assert any("who" in line for line in people.readings[0].warnings())
