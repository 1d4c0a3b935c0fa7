"""Numbers as the pages show them."""

from __future__ import annotations

import math


def number(value: object, digits: int = 4) -> str:
    """A number with fixed digits; a dash for None."""
    if not isinstance(value, int | float) or isinstance(value, bool) or not math.isfinite(value):
        return "–"
    return f"{value:,.{digits}f}".replace("-", "\N{MINUS SIGN}")


def count(value: object) -> str:
    """An integer with thousands separators; a dash for None."""
    return number(round(value) if isinstance(value, int | float) and math.isfinite(value) else None, 0)
