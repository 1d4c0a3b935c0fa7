"""Counts that every step adds to and the last step sums. Row accounting, summary and checks are computed from them."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from components.event_logs.timeline import Timeline

LOSSES = ("duplicate", "orphan", "late", "after_as_of", "gap", "dead_lettered")
"""Reasons why a row is not used."""
ACCOUNT = ("read", "used", *LOSSES, "other")
OF_NIGHTS = ("learned", "left_out")
"""Further reasons of a night (`components.event_logs.night`). An account has them only if there are such rows."""


def losses_in(accounts: Iterable[Mapping[str, int]]) -> tuple[str, ...]:
    """The reasons that accounts have, in the order of tables."""
    found = list(accounts)
    return (*LOSSES, *(entry for entry in OF_NIGHTS if any(entry in account for account in found)))


@dataclass
class Tally:
    """The counts of the steps.

    `counts`: a tuple of words -> count. `samples`: (stream, reason) -> first (file, row, raw). `timelines`: stream -> times of
    its events.
    """

    counts: Counter[tuple[str, ...]] = field(default_factory=Counter)
    samples: dict[tuple[str, str], tuple[str, int, str]] = field(default_factory=dict)
    timelines: dict[str, Timeline] = field(default_factory=dict)

    def add(self, count: int, *what: str) -> None:
        """Adds `count` to the count of `what`."""
        if count:
            self.counts[what] += int(count)

    def sample(self, stream: str, reason: str, file: str, row: int, raw: str = "") -> None:
        """Stores the row if it is the first with this reason."""
        place = (file, int(row), raw)
        self.samples[stream, reason] = min(place, self.samples.get((stream, reason), place))

    def timeline(self, stream: str) -> Timeline:
        """The stream's timeline, to read or to add to."""
        return self.timelines.setdefault(stream, Timeline())

    def below(self, *what: str) -> dict[str, int]:
        """{next word: count} of the counts that begin with `what`, most frequent first, then by word."""
        found = {key[len(what)]: n for key, n in self.counts.items() if key[:-1] == what}
        return dict(sorted(found.items(), key=lambda item: (-item[1], item[0])))

    def account(self, stream: str) -> dict[str, int]:
        """The row accounting of the stream: read = used + the sum of LOSSES and OF_NIGHTS."""
        found = {entry: self.counts["account", stream, entry] for entry in (*ACCOUNT, *OF_NIGHTS)}
        return {entry: count for entry, count in found.items() if count or entry in ACCOUNT}

    def to_json(self) -> str:
        """The tally as JSON text."""
        samples = [[*key, *place] for key, place in sorted(self.samples.items())]
        timelines = {stream: timeline.to_json() for stream, timeline in sorted(self.timelines.items())}
        counts = sorted([*key, n] for key, n in self.counts.items())
        return json.dumps({"counts": counts, "samples": samples, "timelines": timelines})

    @classmethod
    def from_json(cls, text: str) -> Tally:
        """The tally that `to_json` wrote."""
        fields = json.loads(text)
        counts: Counter[tuple[str, ...]] = Counter({tuple(key): n for *key, n in fields["counts"]})
        samples = {(stream, reason): tuple(place) for stream, reason, *place in fields["samples"]}
        return cls(counts, samples, {name: Timeline.from_json(held) for name, held in fields["timelines"].items()})


def merged(tallies: Iterable[Tally]) -> Tally:
    """The sum of tallies; independent of their order and grouping."""
    total = Tally()
    for tally in tallies:
        total.counts.update(tally.counts)
        for (stream, reason), place in tally.samples.items():
            total.sample(stream, reason, *place)
        for stream, timeline in tally.timelines.items():
            total.timeline(stream).merge(timeline)
    return total
