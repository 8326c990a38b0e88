"""Keys and hashes."""

import hashlib


def sha256_hex(text: str | None) -> str | None:
    """64 lower-case hex digits of the UTF-8 bytes."""
    return None if text is None else hashlib.sha256(text.encode()).hexdigest()


def md5_hex(text: str | None) -> str | None:
    """32 lower-case hex digits of the UTF-8 bytes; never for secrets."""
    return None if text is None else hashlib.md5(text.encode(), usedforsecurity=False).hexdigest()


def record_key(source: str, native_id: str | None) -> str | None:
    """`<source>:<native id>`; the first colon always ends the source."""
    native_id = (native_id or "").strip(" ")
    if not native_id:
        return None
    return f"{source.replace('%', '%25').replace(':', '%3A')}:{native_id}"
