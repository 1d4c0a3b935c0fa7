"""Counts that every step adds to and the last one sums: from them come the books, the summary and the checks."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field

BOOKS = ("read", "used", "duplicate", "orphan", "late", "dead_lettered", "other")


@dataclass
class Tally:
    """`counts` by what is counted, a tuple of words; `samples` holds the first (file, row, raw) of (stream, reason)."""

    counts: Counter[tuple[str, ...]] = field(default_factory=Counter)
    samples: dict[tuple[str, str], tuple[str, int, str]] = field(default_factory=dict)

    def add(self, count: int, *what: str) -> None:
        """Counts `count` more of `what`."""
        if count:
            self.counts[what] += int(count)

    def sample(self, stream: str, reason: str, file: str, row: int, raw: str = "") -> None:
        """Remembers the row if it is the first with this reason."""
        place = (file, int(row), raw)
        self.samples[stream, reason] = min(place, self.samples.get((stream, reason), place))

    def below(self, *what: str) -> dict[str, int]:
        """{next word: count} of what begins with `what`, the most frequent first, then by the word."""
        found = {key[len(what)]: n for key, n in self.counts.items() if key[:-1] == what}
        return dict(sorted(found.items(), key=lambda item: (-item[1], item[0])))

    def book(self, stream: str) -> dict[str, int]:
        """The stream's book: read = used + duplicate + orphan + late + dead_lettered."""
        return {entry: self.counts["book", stream, entry] for entry in BOOKS}

    def to_json(self) -> str:
        """The tally as JSON text."""
        samples = [[*key, *place] for key, place in sorted(self.samples.items())]
        return json.dumps({"counts": sorted([*key, n] for key, n in self.counts.items()), "samples": samples})

    @classmethod
    def from_json(cls, text: str) -> Tally:
        """The tally that `to_json` wrote."""
        fields = json.loads(text)
        counts: Counter[tuple[str, ...]] = Counter({tuple(key): n for *key, n in fields["counts"]})
        return cls(counts, {(stream, reason): tuple(place) for stream, reason, *place in fields["samples"]})


def merged(tallies: Iterable[Tally]) -> Tally:
    """The sum of tallies; independent of their order and grouping."""
    total = Tally()
    for tally in tallies:
        total.counts.update(tally.counts)
        for (stream, reason), place in tally.samples.items():
            total.sample(stream, reason, *place)
    return total
