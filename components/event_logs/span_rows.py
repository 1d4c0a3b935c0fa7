"""Finds incomplete spans: those with far fewer rows than the stream's other spans have."""

from __future__ import annotations

import statistics

from components.event_logs.clocks import complete
from components.event_logs.plan import EventLogsPlan
from components.event_logs.tally import Tally
from models.recipe.errors import InputError
from models.recipe.spans import start_of, text_of

_HOUR = 3600


def check_span_rows(plan: EventLogsPlan, tally: Tally) -> list[str]:
    """Refuses a span with less than `least_of_median` of the median of the rows of its stream's other spans, or warns of it.

    Rows count in the span of their time. Streams with `may_be_empty` are not checked.

    Raises:
        InputError: names the stream, the first such span, its rows, the median, and what to do.
    """
    warnings = []
    for name in complete(plan) if plan.least_of_median else ():
        spans = plan.stream(name).spans
        if spans is None or spans.may_be_empty:
            continue
        hours = tally.timeline(name).hours
        starts = [start for start in spans.starts() if spans.required(start)]
        rows = [sum(hours[int(start.timestamp()) // _HOUR + hour] for hour in range(spans.hours)) for start in starts]
        for place, start in enumerate(starts):
            others = rows[:place] + rows[place + 1 :]
            median = statistics.median_low(others) if others else 0
            if rows[place] >= plan.least_of_median * median:
                continue
            told = (
                f"stream {name!r}: {text_of(start, spans.hours)} has {rows[place]:,} rows; the median of the other spans since "
                f"{text_of(start_of(spans.first), spans.hours)} is {median:,.0f}, and `limits.least_of_median` is "
                f"{plan.least_of_median:g}."
            )
            if plan.on_missing_days == "stop":
                raise InputError(
                    f"{told} Restore the rest of the span, or choose another day with --day. If nothing is missing, lower "
                    "`least_of_median`, or set `limits: {missing_days: warn}` under `logs`."
                )
            warnings.append(told)
    return warnings
