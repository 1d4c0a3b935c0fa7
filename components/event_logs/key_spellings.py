"""Numeric keys with two spellings: "007" in one stream and 7 in the other are different keys by mistake.

One column alone does not show the mistake: a text of digits may begin with a zero for a good reason. If only one of the two
streams spells keys so, its rows match nothing in the other stream, and outcomes have no impressions.
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
    """Counts the rows whose key is a text of a number with leading zeros, a sign or spaces.

    Args:
        keys: of `events.Prepared`.
        stream: stream of the keys.
        file: name of the file.
        tally: tally that receives the counts.
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
    """Refuses a key column if only one side spells numbers differently, in more than the share `limits.dead_letters` of its rows.

    Raises:
        InputError: the outcomes of `stream` or the impressions do so, and no impression has the key of some outcomes.
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
            f"stream {one.name!r}, key column {column!r}: {count:,} of {read:,} rows contain a number with leading zeros, a "
            f"sign or spaces, such as {text!r} ({file}, row {row}). No row of stream {other.name!r} does; its column "
            f"{other_column!r} contains for example {other_text!r} ({other_file}, row {other_row}). These are different keys, "
            f"and {tally.counts['orphan_key', stream.name]:,} outcomes of stream {stream.name!r} have no impression with "
            "their key. Spell the key the same way in both streams."
        )
