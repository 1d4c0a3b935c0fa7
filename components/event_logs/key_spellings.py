"""Numbers in keys that are written in two ways: "007" here and 7 there are two keys, and nobody meant them to be.

Which is meant cannot be told from one column: a text of digits may begin with a zero for good reason. But where it does
so on one side only, its rows can have nothing on the other side, and outcomes there are without impressions.
"""

from __future__ import annotations

import polars as pl

from components.event_logs.events import NUMBER
from components.event_logs.plan import EventLogsPlan, StreamPlan
from components.event_logs.tally import Tally
from models.recipe.errors import InputError

_QUICK = r"^[+-]?0[0-9]|^\+|^\s|\s$"
_NUMBER = r"^\s*[+-]?[0-9]+(\.[0-9]*)?\s*$"
_OTHER, _PLAIN = "other spelling of a number in key column {!r}", "key column {!r}"


def count_spellings(keys: pl.DataFrame, stream: StreamPlan, file: str, tally: Tally) -> None:
    """Adds the rows whose key column is a text that is a number but for its zeros, sign or spaces to the tally.

    Args:
        keys: of `events.Prepared`.
        stream: theirs.
        file: name of the file.
        tally: added to.
    """
    rows = keys[NUMBER]
    for column in dict.fromkeys(stream.key) if keys.height else ():
        texts = keys[column]
        tally.sample(stream.name, _PLAIN.format(column), file, rows[0], str(texts[0]))
        if texts.dtype != pl.String:
            continue
        other = texts.str.contains(_QUICK).fill_null(False)
        if other.any() and (other := other & texts.str.contains(_NUMBER)).any():
            tally.add(int(other.sum()), "spelled", stream.name, column)
            first = int(other.arg_true()[0])
            tally.sample(stream.name, _OTHER.format(column), file, rows[first], texts[first])


def check_spellings(plan: EventLogsPlan, stream: StreamPlan, tally: Tally) -> None:
    """Refuses key columns that spell more numbers in another way than `limits.dead_letters`, on one side only.

    Raises:
        InputError: the outcomes of `stream` or the impressions do so, and there are outcomes whose key no impression has.
    """
    impressions = plan.stream(str(plan.impressions))
    if not tally.counts["orphan_key", stream.name]:
        return
    for pair in zip(stream.key, impressions.key, strict=True):
        sides = list(zip((stream, impressions), pair, strict=True))
        counts = [tally.counts["spelled", side.name, column] for side, column in sides]
        if all(counts) or not any(counts):
            continue
        (one, column), (other, other_column) = sides if counts[0] else sides[::-1]
        read, count = tally.counts["account", one.name, "read"], max(counts)
        if count <= plan.max_dead_letters * read:
            continue
        file, row, text = tally.samples[one.name, _OTHER.format(column)]
        other_file, other_row, other_text = tally.samples[other.name, _PLAIN.format(other_column)]
        raise InputError(
            f"stream {one.name!r}, key column {column!r}: {count:,} of {read:,} rows hold a number with zeros before it, a "
            f"sign or spaces, such as {text!r} ({file}, row {row}), and no row of stream {other.name!r} does, where column "
            f"{other_column!r} holds {other_text!r} for example ({other_file}, row {other_row}). These are different keys, "
            f"and {tally.counts['orphan_key', stream.name]:,} outcomes of stream {stream.name!r} have no impression with "
            "their key. Write the key in one way in both."
        )
