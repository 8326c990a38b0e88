"""A plain deterministic resolver, to check that the demo data can be resolved as promised.

Exact e-mail, and phone with the same first name; junk and crowded values are ignored. It is not
the product's resolver, only a yardstick that needs nothing but DuckDB and scipy.
"""

from __future__ import annotations

from pathlib import Path

import duckdb
import numpy as np
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components

from orchestration.demo.pools import JUNK_EMAILS, JUNK_PHONES

# More records than this behind one value: a hub, not a person.
MOST_RECORDS = 12

_RECORDS = {
    "crm": ("contacts", "'crm:' || contact_id", "email", "phone", "first_name", "country"),
    "shop": ("customers", "'shop:' || customer_id", "email", "phone", "first_name", "country"),
    "guests": ("orders", "'shop:guest-' || order_id", "email", "null", "null", "null"),
    "pos": ("members", "'pos:' || member_id", "email", "phone", "first_name", "country"),
    "support": ("requesters", "'support:' || requester_id", "email", "phone", "name", "null"),
    "email": ("subscribers", "'email:' || subscriber_id", "email", "null", "null", "null"),
    "survey": ("respondents", "'survey:' || respondent_id", "email", "null", "null", "null"),
}

_NORMALISED = """
with rows as ({rows}),
cleaned as (
    select
        record_key,
        regexp_replace(lower(trim(email, e' \\t;')), '^mailto:', '') as email,
        regexp_replace(replace(phone, '(0)', ''), '[^0-9+]', '', 'g') as phone,
        strip_accents(lower(trim(first_name))) as first_name,
        case upper(country) when 'GB' then '44' when 'DE' then '49' when 'ES' then '34'
            else '33' end as calling_code
    from rows
)
select distinct
    record_key,
    case when regexp_full_match(email, '[^@ ]+@[^@ ]+\\.[a-z.]+') then email end as email,
    case
        when phone like '+%' then phone
        when phone like '00%' then '+' || substr(phone, 3)
        when calling_code != '34' and phone like '0%' then '+' || calling_code || substr(phone, 2)
        when length(phone) >= 9 then '+' || calling_code || phone
    end as phone,
    first_name
from cleaned
"""


def identifiers(raw: Path, newest_only: bool) -> duckdb.DuckDBPyRelation:
    """Record key, e-mail, phone and first name of every known record."""
    connection = duckdb.connect()
    parts = []
    for source, (table, key, email, phone, first_name, country) in _RECORDS.items():
        folder = raw / source.replace("guests", "shop")
        where = "where customer_id is null and email is not null" if source == "guests" else ""
        newest = (
            f"qualify row_number() over (partition by {key} order by loaded_at desc) = 1"
            if newest_only
            else ""
        )
        parts.append(
            f"select {key} as record_key, {email} as email, {phone} as phone,"
            f" {first_name} as first_name, {country} as country"
            f" from read_parquet('{folder}/{table}*/**') {where} {newest}"
            if (folder / table).is_dir()
            else f"select {key} as record_key, {email} as email, {phone} as phone,"
            f" {first_name} as first_name, {country} as country"
            f" from read_parquet('{folder}/{table}.parquet') {where} {newest}"
        )
    return connection.sql(_NORMALISED.format(rows=" union all ".join(parts)))


def resolve(raw: Path, newest_only: bool = True) -> tuple[list[str], np.ndarray]:
    """Record keys and the cluster of each."""
    table = identifiers(raw, newest_only).to_arrow_table()
    keys, codes = np.unique(np.array(table["record_key"].to_pylist()), return_inverse=True)
    left, right = [], []
    emails, phones, names = (table[name].to_pylist() for name in ("email", "phone", "first_name"))
    junk_phones = {f"+33{number[1:]}" for number in JUNK_PHONES}
    calls: dict[str, set[int]] = {}
    for record, phone in zip(codes, phones, strict=True):
        calls.setdefault(phone, set()).add(record)
    groups: dict[str, set[int]] = {}
    for record, email, phone, name in zip(codes, emails, phones, names, strict=True):
        if email and email not in JUNK_EMAILS:
            groups.setdefault(email, set()).add(record)
        if phone and name and phone not in junk_phones and len(calls[phone]) <= MOST_RECORDS:
            for word in name.replace(",", " ").split():
                groups.setdefault(f"{phone}|{word}", set()).add(record)
    for members in groups.values():
        if 1 < len(members) <= MOST_RECORDS * 3:
            first, *others = members
            left += [first] * len(others)
            right += others
    graph = coo_array((np.ones(len(left)), (left, right)), shape=(len(keys), len(keys)))
    return list(keys), connected_components(graph, directed=False)[1]


def pair_scores(truth: np.ndarray, found: np.ndarray) -> tuple[float, float]:
    """Pairwise precision and recall of a partition."""

    def pairs(labels: np.ndarray) -> int:
        _, sizes = np.unique(labels, return_counts=True)
        return int((sizes * (sizes - 1) // 2).sum())

    _, truth = np.unique(truth, return_inverse=True)
    both = pairs(truth * (found.max() + 1) + found)
    return both / pairs(found), both / pairs(truth)
