"""Amounts."""

import re
from decimal import ROUND_HALF_UP, Decimal

from orchestration.normalization.text import SPACE

_ENDS = re.compile(rf"\A[{SPACE}]+|[{SPACE}]+\Z")


def normalize_money(text: str | None, scale: int = 2) -> Decimal | None:
    """Finite plain number of at most `17 - scale` integer digits, rounded half away from zero."""
    if text is None:
        return None
    trimmed = _ENDS.sub("", text)
    shape = rf"[+-]?(?:0*[0-9]{{1,{17 - scale}}}(?:[.][0-9]*)?|[.][0-9]+)\Z"
    if not re.match(shape, trimmed):
        return None
    amount = Decimal(trimmed).quantize(Decimal(1).scaleb(-scale), rounding=ROUND_HALF_UP)
    return abs(amount) if amount == 0 else amount
