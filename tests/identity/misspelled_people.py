"""Made-up people in several records each, with the slips that records have: typos, names
exchanged or shortened, parts of dates exchanged, moved homes, what is left out."""

from __future__ import annotations

import random
from collections.abc import Iterator

FIRST_NAMES = (
    "William", "Bill", "Katherine", "Kate", "Elizabeth", "Liz", "Robert", "Bob", "Amandine",
    "Thibault", "Solveig", "Ingrid", "Matteo", "Giulia", "Nkemelu", "Oluwaseun", "Иван", "Ольга",
)  # fmt: skip
LAST_NAMES = (
    "Smith", "Smith", "Martin", "Martin", "Lefevre", "Lefevre-Martin", "Nkemelu", "Johansson",
    "Johanson", "Kowalczyk", "Fernandez", "Thibault", "Brandstetter", "Петров", "Okonkwo",
)  # fmt: skip
CITIES = (("Lyon", "69003"), ("Lyon", "69007"), ("Marseille", "13001"), ("Toulouse", "31000"))
STREETS = ("Rose Lane", "Station Road", "High Street", "Church Street", "Mill Hill")
HOBBIES = ("sunflowers", "mountainbike", "chessplayer", "seakayak", "marathons", "beekeeping")
DOMAINS = ("post.example", "post.example", "mail.example", "web.example")
Record = dict[str, str | None]


def make_records(people: int, seed: int) -> list[Record]:
    """Two to four records of each; the same seed, the same records."""
    source = random.Random(seed)
    return [
        {"record_key": f"crm:{number}", **record}
        for number, record in enumerate(
            record for _ in range(people) for record in _records_of_one(source)
        )
    ]


def _records_of_one(source: random.Random) -> Iterator[Record]:
    first_name, last_name = source.choice(FIRST_NAMES), source.choice(LAST_NAMES)
    city, postcode = source.choice(CITIES)
    mailbox = f"{source.choice(HOBBIES)}{source.randrange(60, 99)}"
    if source.random() < 0.3 and first_name.isascii():
        mailbox = f"{first_name.lower()}.{mailbox}"
    person = {
        "first_name": first_name,
        "last_name": last_name,
        "birth_date": f"19{source.randrange(50, 99)}-{source.randrange(1, 13):02}"
        f"-{source.randrange(1, 13):02}",
        "gender": source.choice("mf"),
        "email": f"{mailbox}@{source.choice(DOMAINS)}",
        "phone": f"+336{source.randrange(10**7, 10**8)}",
        "national_id": str(source.randrange(10**8, 10**9)),
        "street": f"{source.randrange(1, 60)} {source.choice(STREETS)}",
        "postcode": postcode,
        "city": city,
        "country": "FR",
    }
    for _ in range(source.randrange(2, 5)):
        yield {
            name: None if source.random() < 0.15 and name != "country" else value
            for name, value in _slipped(person, source).items()
        }


def _slipped(person: dict[str, str], source: random.Random) -> dict[str, str]:
    record = dict(person)
    year, month, day = person["birth_date"].split("-")
    mailbox, domain = person["email"].split("@")
    city, postcode = source.choice(CITIES)
    slips = (
        {"first_name": person["last_name"], "last_name": person["first_name"]},
        {"first_name": person["first_name"][0]},
        {"first_name": _typo(person["first_name"], source)},
        {"last_name": _typo(person["last_name"], source)},
        {"last_name": _typo(_typo(person["last_name"], source), source)},
        {"birth_date": f"{year}-{day}-{month}"},
        {"birth_date": f"{year}-{month}-{source.randrange(10, 28)}"},
        {"gender": source.choice("mf")},
        {"email": f"{mailbox}@{source.choice(DOMAINS)}"},
        {"email": f"{_typo(mailbox[:-2], source)}{mailbox[-2:]}@{domain}"},
        {"phone": person["phone"][:-1] + str(source.randrange(10))},
        {"national_id": person["national_id"][:-1] + str(source.randrange(10))},
        {"street": _typo(person["street"], source)},
        {"city": city, "postcode": postcode},
        {"city": _typo(person["city"], source)},
    )
    for slip in source.sample(slips, k=source.randrange(0, 6)):
        record |= slip
    return record


def _typo(text: str, source: random.Random) -> str:
    """One letter more, less or another, after the first."""
    place = source.randrange(1, len(text))
    letter = source.choice("aeionrst")
    return text[:place] + source.choice(("", letter, letter + text[place])) + text[place + 1 :]
