"""Faults of simulated logs by day: a day of flipped clicks, partitions that are missing or half written."""

from __future__ import annotations

import dataclasses
import datetime
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from models.recipe.errors import InputError
from models.recipe.registry import known
from pipeline.simulate_events import Events, click_delays
from pipeline.simulate_shop import Array, Traffic, random
from pipeline.simulate_streams import STREAMS

Partition = tuple[str, datetime.date]


@dataclasses.dataclass(frozen=True, kw_only=True)
class Faults:
    """Planted faults.

    Attributes:
        poison: days whose clicks are flipped.
        missing: (stream, day) of the partitions that are not written.
        half: (stream, day) of the partitions that end after the first half of their rows.
    """

    poison: frozenset[datetime.date] = frozenset()
    missing: frozenset[Partition] = frozenset()
    half: frozenset[Partition] = frozenset()

    def written(self) -> dict[str, list[str]]:
        """The faults as texts, sorted."""
        return {
            "poison": sorted(map(str, self.poison)),
            "missing": sorted(f"{stream}:{day}" for stream, day in self.missing),
            "half": sorted(f"{stream}:{day}" for stream, day in self.half),
        }


def parse_faults(
    first_day: datetime.date,
    days: int,
    poison: Sequence[str] = (),
    missing: Sequence[str] = (),
    half: Sequence[str] = (),
) -> Faults:
    """Reads the options of the command line: days as YYYY-MM-DD, partitions as STREAM:YYYY-MM-DD.

    Raises:
        InputError: an unknown stream, not a day, a day outside of the log, or a partition both missing and half written.
    """

    def day(option: str, value: str, text: str) -> datetime.date:
        found = parse_day(f"--{option} {value}", text)
        last = first_day + datetime.timedelta(days=days - 1)
        if not first_day <= found <= last:
            raise InputError(
                f"simulate: --{option} {value}: {found} is outside of the log; expected a day from {first_day} to {last}."
            )
        return found

    def partition(option: str, value: str) -> Partition:
        stream, colon, text = value.partition(":")
        if not colon:
            raise InputError(
                f"simulate: --{option} {value}: expected STREAM:YYYY-MM-DD, such as {STREAMS[1]}:{first_day}."
            )
        if stream not in STREAMS:
            raise InputError(f"simulate: --{option} {value}: unknown stream {stream!r}; {known(stream, STREAMS)}")
        return stream, day(option, value, text)

    faults = Faults(
        poison=frozenset(day("poison", value, value) for value in poison),
        missing=frozenset(partition("missing", value) for value in missing),
        half=frozenset(partition("half", value) for value in half),
    )
    for stream, when in sorted(faults.missing & faults.half):
        raise InputError(
            f"simulate: {stream}:{when} is in both --missing and --half; expected at most one. Remove one of them."
        )
    return faults


def refuse_without_days(options: Mapping[str, Any]) -> None:
    """Refuses options that only logs by day have.

    Args:
        options: name -> value; a false value was not passed.

    Raises:
        InputError: one of them is passed.
    """
    for name, value in options.items():
        if value:
            raise InputError(
                f"simulate: --{name} needs --days N, which writes the logs by day. Add --days, such as --days 30."
            )


def parse_day(where: str, text: str) -> datetime.date:
    """Reads a day as YYYY-MM-DD.

    Raises:
        InputError: not a day.
    """
    try:
        return datetime.datetime.strptime(text, "%Y-%m-%d").date()
    except ValueError:
        raise InputError(
            f"simulate: {where}: {text!r} is not a day; expected YYYY-MM-DD, such as 2026-01-31."
        ) from None


def flipped_clicks(shown: Traffic, events: Events, seed: int) -> dict[str, Array]:
    """The clicks of a poisoned day: one for each impression without a click, and none for the others."""
    impression = np.setdiff1d(np.arange(len(shown)), events["clicks"]["impression"])
    delay = click_delays(random(seed, 8), len(impression))
    return {"impression": impression, "time": shown.time[impression] + delay}
