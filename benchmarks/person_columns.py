"""Which columns of a person file fill which canonical ones: as asked for, or by their names."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Sequence
from itertools import product

Mapping = dict[str, tuple[str, ...]]
"""By canonical column: the columns of the file whose values, joined by a space, fill it."""


class PersonFileError(ValueError):
    """A file or a mapping that cannot be used; the text says why."""


def split_outside_quotes(text: str, separator: str, most: int = -1) -> list[str]:
    """The parts of a text between separators that are neither in double quotes nor after a
    backslash; quotes and backslashes stay. ``most``: of splits. Raises ``PersonFileError``."""
    parts, start, quoted, place = [], 0, False, 0
    while place < len(text):
        character = text[place]
        if character == "\\":
            place += 1
        elif character == '"':
            quoted = not quoted
        elif character == separator and not quoted and len(parts) != most:
            parts.append(text[start:place])
            start = place + 1
        place += 1
    if quoted:
        raise PersonFileError(f"a quote is not closed in '{text}'")
    return [*parts, text[start:]]


def unquoted(text: str) -> str:
    """A name of ``--map`` without its quotes and backslashes."""
    return re.sub(r'\\(.)|"', lambda found: found[1] or "", text.strip())


def mapping_text(mapping: Mapping) -> str:
    """What ``--map`` is told to have this mapping."""
    return ",".join(
        f"{name}={'+'.join(map(_quoted, columns))}" for name, columns in mapping.items()
    )


def _quoted(name: str) -> str:
    escaped = re.sub(r'(["\\])', r"\\\1", name)
    return f'"{escaped}"' if re.search(r"[,+=\s]", name) else escaped


def _folded(name: str) -> str:
    """A column's name however it is written: case, white space, byte order marks aside."""
    plain = unicodedata.normalize("NFC", name.replace("\ufeff", ""))
    return " ".join(plain.split()).casefold()


def find_columns(file: str, header: Sequence[str], wanted: Sequence[str]) -> dict[str, int]:
    """Where the wanted columns are, by name: a column of that very name, or the only one that
    differs in case and white space alone. Raises ``PersonFileError``."""
    places, absent = {}, []
    for name in wanted:
        found = [place for place, column in enumerate(header) if column == name]
        found = found or [p for p, column in enumerate(header) if _folded(column) == _folded(name)]
        if not found:
            absent.append(name)
        elif len(found) > 1:
            columns = ", ".join(repr(header[place]) for place in found)
            raise PersonFileError(f"{file} has two columns {name!r}: {columns}")
        else:
            places[name] = found[0]
    if absent:
        raise PersonFileError(
            f"{file} has no column {', '.join(map(repr, absent))};"
            f" its columns are {', '.join(header)}"
        )
    return places


# What files call the columns, best first; words are compared without underscores, case, accents.
NAMES = {
    "first_name": "first_name given_name fname first forename firstname christian_name f_name"
    " name_first given givenname first_nm prenom vorname nombre nome voornaam",
    "last_name": "last_name surname family_name lname last l_name name_last lastname"
    " last_nm sname nom_de_famille nom nachname familienname apellido apellidos cognome"
    " achternaam",
    "full_name": "full_name name fullname complete_name display_name customer_name nom_complet"
    " whole_name",
    "birth_date": "birth_date date_of_birth dob birthdate d_o_b birth_dt date_birth born bday"
    " birth birthday dateofbirth date_de_naissance naissance geburtsdatum fecha_nacimiento"
    " fecha_de_nacimiento data_di_nascita data_nascita geboortedatum",
    "gender": "gender sex sexe genre geschlecht sexo sesso geslacht",
    "email": "email e_mail email_address mail e_mail_address emailaddress courriel"
    " adresse_email adresse_mail correo",
    "phone": "phone phone_number mobile mobile_phone mobile_number cell cell_phone cellphone"
    " telephone telephone_number tel home_phone phone_home work_phone contact_number handy"
    " telefon telefono portable gsm",
    "postcode": "postcode postal_code zip zip_code zipcode post_code postalcode postal pcode zip5"
    " code_postal cp plz postleitzahl codigo_postal cap",
    # Where nobody tells where people live, where they were born tells them apart as well.
    "city": "city suburb town locality city_name municipality post_town village ville"
    " commune ort stadt ciudad citta plaats woonplaats birth_place place_of_birth birthplace"
    " lieu_de_naissance geburtsort lugar_de_nacimiento",
    "country": "country country_code country_name nation pays land pais paese",
    "language": "language lang locale language_code preferred_language langue sprache",
    "company_name": "company_name company organisation organization employer organisation_name"
    " organization_name societe entreprise firma",
    "company_domain": "company_domain domain",
    "loyalty_id": "loyalty_id loyalty_number loyalty_card loyalty_card_number loyalty_no loyalty",
    "national_id": "national_id soc_sec_id ssn social_security_number social_security_no"
    " social_security soc_sec nin nino national_insurance_number national_id_number",
}
HOUSE_NUMBERS = (
    "street_number house_number street_no house_no house_num street_num building_number"
    " house_nr street_nr hausnummer huisnummer numero_de_rue numero_rue"
)
STREETS = (
    "street street_name address_1 address_line_1 street_address street_address_1 address addr_1"
    " addr street_1 line_1 road road_name street_line_1 address_street mail_addr_1 adresse"
    " adresse_1 rue voie strasse calle via indirizzo straat"
)
BIRTH_PARTS = (
    "birth_year year_of_birth dob_year yob by b_year dob_y birthyear",
    "birth_month month_of_birth dob_month mob bm b_month dob_m birthmonth",
    "birth_day day_of_birth dob_day bd b_day dob_d birthday",
)
# "customer_city" is a city; "user_name" and "company_name" are no person's.
_ABOUT = (
    r"^(?:customer|cust|client|person|contact|patient|voter|subject|member|applicant|guest|home"
    r"|primary|main|mailing|billing|residential|residence|res|current|personal)_"
)
_KIND = (
    r"(?:_?c?\d+|_(?:nm|num|nr|no|number|txt|text|desc|cd|code|value|raw|orig|original|clean|cleaned"
    r"|std|norm|fake|anon))$"
)


def _form(name: str) -> str:
    """given_name of givenName, "Given Name" and GIVEN-NAME."""
    plain = unicodedata.normalize("NFKD", name)
    plain = "".join(letter for letter in plain if not unicodedata.combining(letter))
    plain = re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", plain)
    return re.sub(r"[\W_]+", "_", plain).strip("_").lower()


def guess_mapping(header: Sequence[str], truth: str, canonical: Iterable[str]) -> Mapping:
    """What the names of the columns say, the truth's and those that are there twice left out. Ids
    of records are not guessed, in labelled files they often spell the label, unless a column has
    the very name of a canonical one."""
    folded = [_folded(name) for name in header]
    free = {name: _form(name) for name in header
            if _folded(name) != _folded(truth) and folded.count(_folded(name)) == 1}  # fmt: skip

    def take(words: str) -> tuple[str, ...]:
        told = [word.replace("_", "") for word in words.split()]
        for about, kind in product(("", _ABOUT), ("", _KIND)):
            forms: dict[str, str] = {}
            for name, form in free.items():
                bare = re.sub(kind, "", re.sub(about, "", form))
                forms.setdefault(bare.replace("_", ""), name)
            for word in told:
                if word in forms:
                    return (forms[word],)
        return ()

    known = set(canonical)
    parts = [take(words) for words in BIRTH_PARTS]
    found: Mapping = {}
    for name in [name for name in known if _form(name) in free.values() and name not in NAMES]:
        found[name] = take(name)
    for name, words in NAMES.items():
        if name == "birth_date" and all(parts) and len(set(parts)) == 3:
            found[name] = tuple(column for part in parts for column in part)
        elif name != "full_name" or not (found.get("first_name") and found.get("last_name")):
            found[name] = take(words)
    if found["last_name"] and not found["first_name"]:
        found["first_name"] = found.pop("full_name", ())  # name and surname
    if street := take(STREETS):
        found["street"] = take(HOUSE_NUMBERS) + street
    taken: set[str] = set()
    mapping: Mapping = {}
    for name in canonical:
        columns = found.get(name, ())
        if columns and not taken & set(columns):
            mapping[name] = columns
            taken |= set(columns)
    return mapping
