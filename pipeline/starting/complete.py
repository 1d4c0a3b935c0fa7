"""The moment up to which the logs are complete, if the last rows of a stream come from a clock that runs ahead."""

from __future__ import annotations

import dataclasses
import datetime
from collections.abc import Sequence

import numpy as np
import polars as pl

from components.event_logs.timeline import LEAST_REST, Timeline, ahead
from pipeline.starting.streams import AT, FoundStream

_SECOND = 1_000_000


@dataclasses.dataclass(frozen=True, kw_only=True)
class Complete:
    """The streams without the rows after `as_of`.

    Attributes:
        streams: the streams.
        as_of: moment for `logs.as_of`; None for `latest`.
        note: why.
    """

    streams: list[FoundStream]
    as_of: str | None = None
    note: str = ""


def complete(streams: Sequence[FoundStream]) -> Complete:
    """Finds the last rows that a run would refuse without `logs.as_of`, by the rule of the run (`timeline.ahead`).

    `as_of` is the end of the other rows of the stream that ends first, as with `as_of: latest`, rounded up to a whole second.
    """
    timelines = {stream.name: _timeline(stream) for stream in streams}
    lasts, notes = [], []
    for stream in streams:
        times = stream.frame[AT]
        found = ahead(stream.name, timelines)
        rows = found[0] if found else 0
        if found:
            notes.append(
                f"the last {rows} sampled {'row' if rows == 1 else 'rows'} of {stream.name} came {found[1] / 24:.1f} days after the others"
            )
        if times.len() - rows >= LEAST_REST:
            lasts.append(int(times[times.len() - rows - 1]))
    if not notes:
        return Complete(streams=list(streams))
    end = (min(lasts) // _SECOND + 1) * _SECOND
    kept = [dataclasses.replace(one, frame=one.frame.filter(pl.col(AT) <= end)) for one in streams]
    moment = datetime.datetime.fromtimestamp(end // _SECOND, datetime.UTC)
    return Complete(streams=kept, as_of=f"{moment:%Y-%m-%dT%H:%M:%SZ}", note="; ".join(notes))


def _timeline(stream: FoundStream) -> Timeline:
    found = Timeline()
    found.add(stream.frame[AT], np.arange(stream.frame.height), stream.name)
    return found
