"""The people behind the records: households, names, birth dates, addresses, memberships.

Everything is an array over the persons of one block; index i of every array is the same person.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache

import numpy as np
import pyarrow as pa

from orchestration.demo import text
from orchestration.demo.pools import (
    COUNTRIES,
    COUNTRY_SHARES,
    FAMILY_MAILBOXES,
    MAIL_DOMAINS,
    POOLS,
)
from orchestration.demo.settings import Settings, scattered

# Systems a person may be known in.
SYSTEMS = ("shop", "pos", "crm", "email", "app", "support", "survey")
HOUSEHOLD_SIZES = (0.45, 0.30, 0.13, 0.12)
YEAR = 365.25
BUSINESS_SHARE = 0.05
# Primes: bijections of the person's number into these many keys.
NUMBERS = 89_999_999
MAILBOXES = 9_999_991


@dataclass
class Persons:
    """People of one block. Times are microseconds since 1970, birth days are days since 1970;
    -1 means "none". `first_name` and `last_name` index `first_names()` and `last_names()`."""

    number: np.ndarray
    household: np.ndarray
    position: np.ndarray
    country: np.ndarray
    country_code: np.ndarray  # index into country_codes()
    is_female: np.ndarray
    first_name: np.ndarray
    last_name: np.ndarray
    birth_day: np.ndarray
    place: np.ndarray
    street: np.ndarray
    house_number: np.ndarray
    mobile: np.ndarray
    old_mobile: np.ndarray
    mobile_changed: np.ndarray
    landline: np.ndarray
    email: pa.Array
    old_email: pa.Array
    email_changed: np.ndarray
    head: np.ndarray  # index of the first person of the household
    acquired: np.ndarray
    buys_in: np.ndarray  # 0 nowhere, 1 shop, 2 store, 3 both
    member_of: dict[str, np.ndarray]
    is_business: np.ndarray  # known to the CRM through the company they work for
    gives_no_email: np.ndarray  # to nobody but the shop
    # Only the phone links some of this person's records: then it is given, and the name with it
    # is spelled with care, or nobody could ever link them.
    leans_on_phone: np.ndarray
    # Who is easily taken for somebody else, by what the trap is called.
    traps: dict[str, np.ndarray]

    def __len__(self) -> int:
        return len(self.number)

    def ids(self, rows: np.ndarray) -> pa.Array:
        """The true person of each row, as text."""
        return text.numbered("person-", self.number[rows], 9)

    def emails_at(self, rows: np.ndarray, times: np.ndarray) -> pa.Array:
        """The address the person used at that time."""
        changed = self.email_changed[rows]
        is_old = (changed >= 0) & (times < changed)
        return text.where(is_old, text.take(self.old_email, rows), text.take(self.email, rows))

    def mobiles_at(self, rows: np.ndarray, times: np.ndarray) -> np.ndarray:
        """The mobile number (8 digits after the country's prefix) used at that time."""
        changed = self.mobile_changed[rows]
        is_old = (changed >= 0) & (times < changed)
        return np.where(is_old, self.old_mobile[rows], self.mobile[rows])


@cache
def first_names() -> tuple[str, ...]:
    """All given names: per country the female ones, then the male ones."""
    return tuple(name for pool in POOLS for name in (*pool.female, *pool.male))


@cache
def last_names() -> tuple[str, ...]:
    return tuple(name for pool in POOLS for name in pool.last)


@cache
def streets() -> tuple[str, ...]:
    return tuple(street for pool in POOLS for street in pool.streets)


@cache
def places() -> tuple[tuple[int, str, str], ...]:
    """Every (country index, postcode, city)."""
    return tuple(
        (country, postcode, city)
        for country, pool in enumerate(POOLS)
        for city, postcodes in pool.cities
        for postcode in postcodes
    )


@cache
def country_codes() -> tuple[str, ...]:
    """ISO codes a record may carry; the first four are the countries of the pools."""
    return (
        *COUNTRIES,
        *[
            "IE",
            "NL",
            "CH",
            "PT",
            "BE",
            "JE",
            "SE",
            "IT",
            "AU",
            "CY",
            "AT",
            "GR",
            "AE",
            "DK",
            "NO",
            "FI",
            "US",
            "JP",
            "PL",
            "MT",
            "LT",
            "SG",
            "ZA",
            "BH",
            "CA",
            "TH",
            "HK",
        ],
        *["IL", "IS", "KR", "BR", "BM", "NG", "LB"],
        "",
    )


def draw(rng: np.random.Generator, country: np.ndarray, sizes: list[int], skew: float = 1.0):
    """An index into a list that holds each country's entries one after the other; small
    indices are the more frequent the larger the skew."""
    starts = np.concatenate([[0], np.cumsum(sizes)[:-1]])
    position = rng.random(len(country)) ** skew
    return starts[country] + (position * np.asarray(sizes)[country]).astype(np.int64)


def make_persons(
    settings: Settings,
    block: int,
    countries: np.ndarray | None = None,
    first_seen: np.ndarray | None = None,
) -> Persons:
    """People of a block.

    Args:
        settings: the run.
        block: number of the block.
        countries: country_codes() index per person, where the customers are given (real orders);
            their persons live alone, as nothing is known of their households.
        first_seen: time of the first order of each given customer, microseconds.
    """
    rng = settings.rng("persons", block)
    first = block * settings.block_size
    rows = min(settings.block_size, settings.persons - first)
    number = first + np.arange(rows, dtype=np.int64)

    if countries is None:
        sizes = 1 + rng.choice(4, size=rows, p=HOUSEHOLD_SIZES)
    else:
        sizes = np.ones(rows, dtype=np.int64)
    household = np.repeat(np.arange(rows), sizes)[:rows]
    starts = np.cumsum(np.concatenate([[0], sizes]))
    head = starts[household]
    position = np.arange(rows) - head

    if countries is None:
        country = rng.choice(4, size=rows, p=COUNTRY_SHARES)[household]
        country_code = country
    else:
        country_code = countries[number]
        # Countries without words of their own write like the British.
        country = np.where(country_code < 4, country_code, 1)

    is_female, birth_day = _ages(rng, settings, household, position, head)
    first_name, last_name = _names(rng, country, is_female, position, head, household)
    is_junior = (position == 2) & (rng.random(rows) < 0.01)
    is_female = np.where(is_junior, is_female[head], is_female)
    first_name = np.where(is_junior, first_name[head], first_name)
    last_name = np.where(is_junior, last_name[head], last_name)
    is_twin = (position == 3) & (rng.random(rows) < 0.05)
    birth_day = np.where(is_twin, birth_day[np.arange(rows) - is_twin], birth_day)

    per_country = [sum(len(codes) for _, codes in pool.cities) for pool in POOLS]
    place = draw(rng, country, per_country, 1.4)[head]
    street = draw(rng, country, [len(pool.streets) for pool in POOLS])[head]
    house_number = (1 + 180 * rng.random(rows) ** 2).astype(np.int64)[head]

    global_household = first + household
    landline = 10_000_000 + scattered(global_household, settings.seed, 1, 79_999_987)
    landline = np.where(rng.random(rows)[head] < 0.45, landline, -1)

    is_early = rng.random(rows) < 0.35
    share = np.where(is_early, 0.08 * rng.random(rows), 0.08 + 0.90 * rng.random(rows))
    acquired = settings.start + (share * settings.span).astype(np.int64)

    if first_seen is not None:
        acquired = np.maximum(first_seen[number] - text.HOUR, settings.start)

    mobile = 10_000_000 + scattered(number, settings.seed, 2, NUMBERS)
    old_mobile, mobile_changed = _old_mobiles(rng, settings, number, mobile, acquired)
    email, old_email = _mailboxes(rng, settings, number, country, first_name, last_name)
    moment = acquired + (rng.random(rows) * (settings.end - acquired)).astype(np.int64)

    buys_in = rng.choice(4, size=rows, p=(0.13, 0.38, 0.27, 0.22))
    if countries is not None:
        buys_in = np.where(rng.random(rows) < 0.25, 3, 1)
    member_of = _memberships(rng, buys_in, has_account=countries is not None)
    is_business = member_of["crm"] & (rng.random(rows) < BUSINESS_SHARE)
    # Old addresses live on in systems that also know the phone.
    has_changed = member_of["shop"] & (member_of["crm"] | member_of["pos"]) & ~is_business
    has_changed &= rng.random(rows) < 0.18
    is_guest_only = (buys_in & 1 > 0) & ~member_of["shop"]
    gives_no_email = ~is_guest_only & ~has_changed & ~is_business & (rng.random(rows) < 0.10)
    for system in ("email", "survey"):
        member_of[system] &= ~gives_no_email | member_of["shop"]
    member_of["crm"] |= ~np.any([member_of[system] for system in SYSTEMS], axis=0) & (buys_in != 1)
    leans_on_phone = is_business | has_changed | gives_no_email
    mobile_changed = np.where(leans_on_phone, -1, mobile_changed)
    is_recycled = (rng.random(rows) < 0.005) & ~leans_on_phone
    donors = np.flatnonzero(mobile_changed >= 0)
    donor = donors[rng.integers(0, max(1, len(donors)), rows)] if len(donors) else number * 0
    is_recycled &= (mobile_changed[donor] >= 0) & (head[donor] != head)
    # A number finds a new owner once.
    first_of = np.unique(np.where(is_recycled, donor, -1 - np.arange(rows)), return_index=True)[1]
    is_recycled &= np.isin(np.arange(rows), first_of)
    mobile = np.where(is_recycled, old_mobile[donor], mobile)
    return Persons(
        number=number,
        household=global_household,
        position=position,
        country=country,
        country_code=country_code,
        is_female=is_female,
        first_name=first_name,
        last_name=last_name,
        birth_day=birth_day,
        place=place,
        street=street,
        house_number=house_number,
        mobile=mobile,
        old_mobile=old_mobile,
        mobile_changed=mobile_changed,
        landline=landline,
        email=email,
        old_email=old_email,
        email_changed=np.where(has_changed, moment, -1),
        head=head,
        acquired=acquired,
        buys_in=buys_in,
        member_of=member_of,
        is_business=is_business,
        gives_no_email=gives_no_email,
        leans_on_phone=leans_on_phone,
        traps={
            "same name, address and line as a parent": is_junior,
            "twin": is_twin,
            "number that was somebody else's": is_recycled,
            "address that was changed": has_changed,
        },
    )


def _ages(rng, settings, household, position, head):
    rows = len(household)
    today = settings.end // text.DAY
    age = np.clip(rng.normal(46, 16, rows), 19, 92)
    is_female = rng.random(rows) < 0.53
    partner_is_other = rng.random(rows) < 0.93
    is_female = np.where((position == 1) & partner_is_other, ~is_female[head], is_female)
    age = np.where(position == 1, np.clip(age[head] + rng.normal(0, 4, rows), 19, 95), age)
    child_age = age[head] - rng.uniform(22, 36, rows)
    # Too young for an account: then it is somebody of any age who lives there.
    age = np.where((position >= 2) & (child_age > 16), child_age, age)
    return is_female, (today - age * YEAR - 1).astype(np.int64)


def _names(rng, country, is_female, position, head, household):
    rows = len(country)
    sizes = []
    for pool in POOLS:
        sizes += [len(pool.female), len(pool.male)]
    first_name = draw(rng, country * 2 + ~is_female, sizes, 1.5)
    last_name = draw(rng, country, [len(pool.last) for pool in POOLS], 1.3)
    keeps_own = (position == 1) & (rng.random(rows) < 0.3)
    return first_name, np.where(keeps_own, last_name, last_name[head])


def _old_mobiles(rng, settings, number, mobile, acquired):
    old = 10_000_000 + scattered(number + 40_000_000, settings.seed, 2, NUMBERS)
    has_changed = rng.random(len(number)) < 0.05
    moment = acquired + (rng.random(len(number)) * (settings.end - acquired)).astype(np.int64)
    return np.where(has_changed, old, -1), np.where(has_changed, moment, -1)


def _mailboxes(rng, settings, number, country, first_name, last_name):
    """Current and former address of each person; the number in them makes them unique."""
    first = text.dictionary([text.ascii_fold(n) or "x" for n in first_names()], first_name)
    last = text.dictionary([text.ascii_fold(n) or "x" for n in last_names()], last_name)
    initials = text.dictionary([text.ascii_fold(n)[:1] or "x" for n in first_names()], first_name)
    domains = [domain for per_country in MAIL_DOMAINS for domain in per_country]
    boxes = []
    for stream in (3, 4):
        # Odd numbers now, even ones before: no two persons ever share an address by chance.
        serial = text.numbers(scattered(number, settings.seed, stream, MAILBOXES) * 2 + stream % 2)
        domain = text.dictionary(domains, country * 5 + rng.choice(5, len(number)))
        pattern = rng.choice(5, len(number), p=(0.45, 0.2, 0.15, 0.1, 0.1))
        mark = text.dictionary([".", ".", "", "", "_"], pattern)
        left = text.where(pattern == 1, initials, text.where(pattern == 3, last, first))
        right = text.where(pattern == 2, "", text.where(pattern == 3, initials, last))
        boxes.append(text.join(left, mark, right, serial, "@", domain))
    return boxes[0], boxes[1]


def family_mailboxes(persons: Persons, rows: np.ndarray) -> pa.Array:
    """One address for everybody of a household, such as `famille.durand17@...`."""
    heads = persons.head[rows]
    word = text.dictionary(FAMILY_MAILBOXES, persons.country[rows])
    last = text.dictionary([text.ascii_fold(n) for n in last_names()], persons.last_name[heads])
    serial = text.numbers(persons.number[heads])
    return text.join(word, ".", last, serial, "@", "mail.example")


def _memberships(rng, buys_in, has_account: bool) -> dict[str, np.ndarray]:
    rows = len(buys_in)
    buys_online = (buys_in & 1) > 0
    buys_in_store = (buys_in & 2) > 0

    def chance(*shares):
        return rng.random(rows) < np.select([buys_online, buys_in_store], shares[:2], shares[2])

    member = {
        "shop": buys_online & (rng.random(rows) < 0.94) | ~buys_online & (rng.random(rows) < 0.14),
        "pos": buys_in_store & (rng.random(rows) < 0.88)
        | ~buys_in_store & (rng.random(rows) < 0.12),
        "crm": chance(0.40, 0.36, 0.55),
        "email": chance(0.55, 0.40, 0.50),
        "support": chance(0.12, 0.07, 0.04),
        "survey": chance(0.12, 0.08, 0.01),
    }
    if has_account:
        member["shop"] = np.ones(rows, dtype=bool)
    known = np.any([member[name] for name in member], axis=0)
    member["crm"] |= ~known & ~buys_online
    member["app"] = member["shop"] & (rng.random(rows) < 0.42)
    return {name: member[name] for name in SYSTEMS}
