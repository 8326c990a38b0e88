"""The normalisers of `macros/normalization` in Python, for edges that no SQL reaches.

Each function takes text or None and gives exactly what its macro gives in the warehouse (tested
on both engines), so an identifier typed into a tool finds the customer that SQL built.
"""

from orchestration.normalization.email import normalize_email
from orchestration.normalization.keys import md5_hex, record_key, sha256_hex
from orchestration.normalization.names import name_key, normalize_name
from orchestration.normalization.phone import normalize_phone
from orchestration.normalization.privacy import clean_url, scrub_text
from orchestration.normalization.text import clean_text, null_if_placeholder
from orchestration.normalization.time import normalize_birth_date, normalize_timestamp
from orchestration.normalization.values import normalize_money

__all__ = [
    "clean_text",
    "clean_url",
    "md5_hex",
    "name_key",
    "normalize_birth_date",
    "normalize_email",
    "normalize_money",
    "normalize_name",
    "normalize_phone",
    "normalize_timestamp",
    "null_if_placeholder",
    "record_key",
    "scrub_text",
    "sha256_hex",
]
