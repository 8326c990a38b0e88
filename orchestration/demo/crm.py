"""The CRM: contacts kept by sales and service, and the companies some of them work for."""

from __future__ import annotations

import numpy as np

from orchestration.demo import keys, noise, text
from orchestration.demo.noise import Habits
from orchestration.demo.persons import Persons, family_mailboxes, last_names
from orchestration.demo.pools import COUNTRIES, POOLS
from orchestration.demo.settings import Settings, scattered
from orchestration.demo.shop import with_duplicates
from orchestration.demo.tables import Block

KEYS = 999_999_937  # prime: keys of nine digits
# What a spreadsheet leaves of a number, and two numbers in one cell.
LOST_DIGITS = ("3.36123E+10", "0612345678 / 0698765432", "06 12 34 56 7l")
CONTACTS_PER_ACCOUNT = 5


def contact_ids(numbers: np.ndarray):
    return text.numbered("C", numbers, 9)


def write_crm(out: Block, settings: Settings, persons: Persons) -> np.ndarray:
    """Write crm.contacts and crm.accounts of a block; gives the contact number per person
    (-1: none)."""
    rng = settings.rng("crm", out.number)
    rows = np.flatnonzero(persons.member_of["crm"])
    number = scattered(persons.number[rows] * 2, settings.seed, 21, KEYS)
    contact = np.full(len(persons), -1, dtype=np.int64)
    contact[rows] = number
    is_business = persons.is_business[rows]

    # The same person entered twice, by two agents.
    again = np.flatnonzero((rng.random(len(rows)) < 0.03) & ~is_business)
    number = np.concatenate(
        [number, scattered(persons.number[rows[again]] * 2 + 1, settings.seed, 21, KEYS)]
    )
    rows = np.concatenate([rows, rows[again]])
    is_business = np.concatenate([is_business, np.zeros(len(again), dtype=bool)])
    n = len(rows)
    is_second = np.arange(n) >= n - len(again)
    created = persons.acquired[rows] + (rng.random(n) * 30 * text.DAY).astype(np.int64)
    created = created + is_second * (rng.random(n) * 90 * text.DAY).astype(np.int64)
    created = noise.in_period(settings, created)
    out.is_truth(text.join("crm:", contact_ids(number)), persons.ids(rows))
    account, company = _write_accounts(out, settings, persons, rows, is_business)

    first, last = noise.person_names(rng, persons, rows, Habits(typo=0.025, nick=0.04))
    address = noise.addresses(rng, persons, rows, missing=0.2)
    birth, is_bad_birth = noise.birth_dates(rng, persons, rows, missing=0.35)
    gender = noise.genders(rng, persons, rows)
    verified = text.dictionary(
        ("true", "false", "1", "TRUE", "0"),
        rng.choice(5, n, p=(0.45, 0.40, 0.05, 0.05, 0.05)),
        rng.random(n) < 0.2,
    )
    leans = persons.leans_on_phone[rows]
    # The CRM keeps an address until somebody asks; for some it is the only bridge to it.
    keeps_old = (rng.random(n) < 0.4) | (persons.email_changed[rows] >= 0)
    changed = persons.email_changed[rows]
    updated = created + (rng.random(n) * (settings.end - created)).astype(np.int64)
    updated = np.where((changed > created) & ~keeps_old, changed + text.DAY, updated)
    has_update = ((changed > created) & ~keeps_old) | (rng.random(n) < 0.3)
    has_update &= (updated > created + text.DAY) & (updated < settings.end - 2 * text.DAY)

    record = np.concatenate([np.arange(n), np.flatnonzero(has_update)])
    person = rows[record]
    moment = np.concatenate([created, updated[has_update]])
    asked = np.where(keeps_old[record], 0, moment)
    email = keys.spell_emails(rng, persons.emails_at(person, asked))
    email = text.where(is_business[record], text.take(company, record), email)
    no_email = persons.gives_no_email[rows] | ((rng.random(n) < 0.03) & ~leans)
    # A mailbox for the whole family: the phone still tells its members apart.
    size = np.bincount(persons.head, minlength=len(persons))[persons.head[rows]]
    is_family = (persons.number[persons.head[rows]] % 401 == 5) & (size > 1) & ~leans
    family = family_mailboxes(persons, rows)
    email = text.where(is_family[record], text.take(family, record), email)
    email = text.blank(email, no_email[record])
    email, is_junk = keys.junk_emails(rng, email, 0.006, leans[record])
    email, _ = keys.null_words(rng, email, 0.008, leans[record])
    phone = keys.person_phones(rng, persons, person, moment, missing=0.0, landline=0.15)
    no_phone = (rng.random(n) < 0.2) & ~leans & ~no_email & ~is_family
    phone = text.blank(phone, no_phone[record])
    phone, _ = keys.junk_phones(rng, phone, 0.004, leans[record])
    phone, _ = keys.null_words(rng, phone, 0.004, leans[record])
    phone, is_lost = keys.spoil(rng, phone, 0.001, LOST_DIGITS, leans[record])
    loaded = noise.loads(rng, settings, moment, every=text.DAY)
    is_older = (np.arange(len(record)) < n) & has_update[record]
    loaded = np.where(is_older, np.minimum(loaded, updated[record] - text.HOUR), loaded)
    ids = contact_ids(number[record])
    out.planted(
        "junk e-mail", "crm", "contacts", text.take(ids, np.flatnonzero(is_junk)),
        "e-mail rejected as identifier",
    )  # fmt: skip
    out.planted(
        "impossible birth date", "crm", "contacts",
        text.take(ids, np.flatnonzero(is_bad_birth[record] & ~is_older)), "birth date is null",
    )  # fmt: skip
    out.planted(
        "mailbox of the family", "crm", "contacts",
        text.take(contact_ids(number), np.flatnonzero(is_family)),
        "several persons, one household",
    )  # fmt: skip
    out.planted(
        "phone that lost digits", "crm", "contacts", text.take(ids, np.flatnonzero(is_lost)),
        "phone is null, never guessed",
    )  # fmt: skip
    columns = {
        "contact_id": ids,
        "account_id": text.take(account, record),
        "first_name": text.take(first, record),
        "last_name": text.take(last, record),
        "email": email,
        "phone": phone,
        "birth_date": text.take(birth, record),
        "gender": text.take(gender, record),
        "street": text.take(address.street, record),
        "postcode": text.take(address.postcode, record),
        "city": text.take(address.city, record),
        "country": text.take(address.country, record),
        "language": text.take(address.language, record),
        "is_email_verified": text.take(verified, record),
        "created_at": text.timestamps(created[record]),
        "updated_at": text.timestamps(moment),
        "loaded_at": loaded,
    }
    out.write("crm", "contacts", columns, with_duplicates(rng, loaded, 0.004))
    return contact


def _write_accounts(out: Block, settings: Settings, persons: Persons, rows, is_business):
    """Companies; gives the account id and the business e-mail per contact (null: none)."""
    rng = settings.rng("accounts", out.number + 1_000_000)
    at = np.flatnonzero(is_business)
    count = max(1, len(at) // CONTACTS_PER_ACCOUNT)
    country = rng.choice(4, count)
    names = [company for pool in POOLS for company in pool.companies]
    sizes = np.array([len(pool.companies) for pool in POOLS])
    starts = np.cumsum(sizes) - sizes
    word = starts[country] + rng.integers(0, sizes.min(), count)
    serial = scattered(out.number * 1_000_000 + np.arange(count), settings.seed, 22, KEYS)
    account_id = text.numbered("A", serial, 9)
    short = text.numbers(serial % 100_000)
    lower = text.dictionary([text.ascii_fold(name) for name in names], word)
    domain = text.join(lower, "-", text.numbers(serial), ".example")
    forms = ("SARL", "Ltd", "GmbH", "S.L.")
    updated = noise.in_period(
        settings, settings.start + (rng.random(count) * settings.span).astype(np.int64)
    )
    loaded = noise.loads(rng, settings, updated, every=text.DAY)
    columns = {
        "account_id": account_id,
        "name": text.join(
            text.dictionary(names, word), short, text.dictionary(forms, country), separator=" "
        ),
        "domain": domain,
        "vat_number": text.blank(
            text.join(text.dictionary(COUNTRIES, country), text.numbers(serial)),
            rng.random(count) < 0.3,
        ),
        "country": text.dictionary(COUNTRIES, country),
        "updated_at": text.timestamps(updated),
        "loaded_at": loaded,
    }
    out.write("crm", "accounts", columns, with_duplicates(rng, loaded, 0.004))

    code = np.full(len(rows), -1, dtype=np.int64)
    code[at] = rng.integers(0, count, len(at))
    last = text.dictionary(
        [text.ascii_fold(name) for name in last_names()], persons.last_name[rows]
    )
    mailbox = text.join(last, ".", text.numbers(persons.number[rows]))
    company = text.join(mailbox, "@", text.take(domain, np.maximum(code, 0)))
    return (
        text.blank(text.take(account_id, np.maximum(code, 0)), code < 0),
        text.blank(company, code < 0),
    )
