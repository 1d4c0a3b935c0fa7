"""Finds the ends of CSV rows and stray quotes. Arrow reports neither text after a closing quote nor a stray quote.

A quote opens a value only at the beginning of the value. A stray quote swallows lines up to the next quote. They become one
long value of a row that may have as many fields as the header. Two signs distinguish it from a value of several lines: the
lines have the delimiters of whole rows, and text follows the closing quote.
"""

from __future__ import annotations

import functools
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

import numpy as np

from components.event_logs.column_plan import CsvPlan

MOST_LINES = 100
"""Maximum lines of one row without `multiline`."""
NEVER_CLOSED = "a quote opens a value here and never closes"
TOO_MANY_LINES = f"a quote opens a value here that continues for more than {MOST_LINES} lines"
LIKE_ROWS = "a quote opens a value here that spans lines which look like separate rows"
TEXT_AFTER_QUOTE = "text after the closing quote of a CSV value"

_NEWLINE, _RETURN = b"\n\r"


class Stray(Exception):
    """A stray quote: the byte of the text at which its row begins, and the reason."""

    def __init__(self, position: int, reason: str) -> None:
        super().__init__(reason)
        self.position, self.reason = position, reason


@dataclass(frozen=True)
class Rows:
    """Whole rows.

    `text` is their bytes, `position` their start in the decompressed file, and `torn` the (begin, end) in `text` of the rows
    with text after a closing quote.
    """

    text: bytes
    position: int
    torn: tuple[tuple[int, int], ...] = ()


@dataclass(frozen=True)
class _Scan:
    """`breaks`: ends of lines; `inside`: whether a break is within a value; `torn`: positions of text after a closing quote;
    `open_at`: start of the value that is still open at the end."""

    breaks: np.ndarray
    inside: np.ndarray
    torn: np.ndarray
    open_at: int | None = None


def whole_rows(pieces: Iterable[bytes], csv: CsvPlan, fields: int, longest: int) -> Iterator[Rows]:
    """Cuts the pieces of a text at the ends of rows.

    Args:
        pieces: the text's bytes.
        csv: dialect of the text.
        fields: number of columns.
        longest: maximum bytes of a row.

    Raises:
        Stray: a stray quote, or a row that is too long.
    """
    rest, position = b"", 0
    for piece in pieces:
        rows, rest = _cut(rest + piece, position, csv, fields, final=False)
        position += len(rows.text)
        if rows.text:
            yield rows
        if len(rest) > longest:
            raise Stray(position, f"a row of more than {longest:,} bytes begins here")
    if rest:
        yield _cut(rest, position, csv, fields, final=True)[0]


def _cut(text: bytes, position: int, csv: CsvPlan, fields: int, final: bool) -> tuple[Rows, bytes]:
    special = [mark.encode() for mark in (csv.quote, csv.escape) if mark]
    if not any(mark in text for mark in special):
        cut = len(text) if final else max(text.rfind(b"\n"), text.rfind(b"\r")) + 1
        return Rows(text[:cut], position), text[cut:]
    scan = _scan(text, csv)
    if final and scan.open_at is not None:
        raise Stray(position + scan.open_at, NEVER_CLOSED)
    ends = scan.breaks[~scan.inside] + 1
    if final and (not len(ends) or ends[-1] < len(text)):
        ends = np.append(ends, len(text))
    cut = int(ends[-1]) if len(ends) else 0
    if not csv.multiline and np.count_nonzero(scan.breaks >= cut) > MOST_LINES:
        raise Stray(position + (cut if scan.open_at is None else scan.open_at), TOO_MANY_LINES)
    torn = np.unique(np.searchsorted(ends, scan.torn[scan.torn < cut], side="right"))
    if scan.inside.any():
        _refuse_swallowed(text, position, scan, ends, torn, csv, fields)
    begins = np.concatenate([[0], ends[:-1]])
    return Rows(text[:cut], position, tuple((int(begins[row]), int(ends[row])) for row in torn)), text[cut:]


def _refuse_swallowed(
    text: bytes, position: int, scan: _Scan, ends: np.ndarray, torn: np.ndarray, csv: CsvPlan, fields: int
) -> None:
    """Raises Stray for the first row with too many lines, lines that look like rows, or text after a closing quote."""
    if not len(ends):
        return
    kept = scan.breaks < ends[-1]
    line_ends, last = scan.breaks[kept] + 1, np.flatnonzero(~scan.inside[kept])
    if len(last) < len(ends):  # the last line has no break at its end
        line_ends, last = np.append(line_ends, ends[-1]), np.append(last, len(line_ends))
    so_far = np.cumsum(np.frombuffer(text, np.uint8) == ord(csv.delimiter), dtype=np.int32)
    in_line = np.diff(so_far[line_ends - 1], prepend=0)
    first = np.concatenate([[0], last[:-1] + 1])
    several = last > first
    whole = fields - 1
    alike = several & (in_line[first] >= whole) & (in_line[last] >= whole)
    many = last - first >= MOST_LINES
    if csv.multiline:
        alike, many = np.zeros_like(alike), np.zeros_like(many)
    goes_on = np.zeros_like(several)
    goes_on[torn] = several[torn]
    found = np.flatnonzero(alike | many | goes_on)
    if len(found):
        row = found[0]
        reason = LIKE_ROWS if alike[row] else TOO_MANY_LINES if many[row] else f"{TEXT_AFTER_QUOTE} of several lines"
        raise Stray(position + (int(ends[row - 1]) if row else 0), reason)


def _scan(text: bytes, csv: CsvPlan) -> _Scan:
    array = np.frombuffer(text, np.uint8)
    breaks = np.flatnonzero(array == _NEWLINE)
    if b"\r" in text:
        returns = np.flatnonzero(array == _RETURN)
        alone = returns[array[np.minimum(returns + 1, len(array) - 1)] != _NEWLINE]
        breaks = np.sort(np.concatenate([breaks, alone]))
    fast = None if csv.escape else _by_parity(array, breaks, csv)
    return fast if fast is not None else _by_value(text, breaks, csv)


def _by_parity(array: np.ndarray, breaks: np.ndarray, csv: CsvPlan) -> _Scan | None:
    """Scans a text with alternately opening and closing quotes; None if a quote is at a position where it can do neither."""
    quotes = np.flatnonzero(array == ord(csv.quote or ""))
    border = np.zeros(256, bool)
    border[[ord(csv.delimiter), _NEWLINE, _RETURN]] = True
    opening, closing = quotes[0::2], quotes[1::2]
    doubled = closing[: len(opening) - 1] + 1 == opening[1:]
    opens = border[array[opening - 1]] | (opening == 0)
    opens[1:] |= doubled
    closes = border[array[np.minimum(closing + 1, len(array) - 1)]] | (closing == len(array) - 1)
    closes[: len(doubled)] |= doubled
    if not (opens.all() and closes.all()):
        return None
    inside = np.searchsorted(quotes, breaks) % 2 == 1
    begins = opening[np.append(True, ~doubled)]
    return _Scan(breaks, inside, np.array([], np.int64), int(begins[-1]) if len(quotes) % 2 else None)


def _by_value(text: bytes, breaks: np.ndarray, csv: CsvPlan) -> _Scan:
    """Scans any text, one quoted value after the other."""
    begins, ends, torn, open_at = [], [], [], None
    for match in _values(csv.delimiter, csv.quote, csv.escape).finditer(text):
        begins.append(match.start())
        ends.append(match.end())
        if match["value"] is None:
            continue
        begins[-1] = match.start("value")
        if match["close"] is None:
            open_at, ends[-1] = begins[-1], len(text)
        elif match["after"]:
            torn.append(match.end())
    inside = np.searchsorted(begins, breaks, side="right") > np.searchsorted(ends, breaks, side="right")
    return _Scan(breaks, inside, np.array(torn, np.int64), open_at)


@functools.cache
def _values(delimiter: str, quote: str | None, escape: str | None) -> re.Pattern[bytes]:
    """Matches an escaped character, or a quoted value with the character before it."""
    border = re.escape(delimiter) + r"\r\n"
    escaped = f"{re.escape(escape)}." if escape else "(?!)"
    never = "(?P<value>(?!))(?P<close>)(?P<after>)"
    if quote is None:
        return re.compile(f"{escaped}|{never}".encode(), re.DOTALL)
    mark = re.escape(quote)
    plain = f"[^{mark}{re.escape(escape or '')}]"
    value = f"(?P<value>{mark}(?:{plain}++|{escaped}|{mark}{mark})*+)(?P<close>{mark})?(?=(?P<after>[^{border}]?))"
    return re.compile(rf"{escaped}|(?:\A|[{border}]){value}".encode(), re.DOTALL)
