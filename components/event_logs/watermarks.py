"""Up to when the logs are complete, if the recipe says `as_of: latest`: as far as the stream that ends first."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from components.event_logs.plan import EventLogsPlan


def complete(plan: EventLogsPlan) -> tuple[str, ...]:
    """The streams whose watermarks count: those that make examples, and the outcomes that tasks use."""
    makers = tuple(stream.name for stream in plan.streams if plan.makes_examples(stream))
    return makers + tuple(name for name in plan.outcomes if name not in makers)


def slowest(plan: EventLogsPlan, watermarks: Mapping[str, int | None]) -> tuple[str, int] | None:
    """(stream, its watermark) that ends first, by time and name; None without events.

    A stream's watermark is the time of its latest event: of what it logs after that nothing is known. Labelled examples wait
    for nothing, so there it is the last one.
    """
    found = [(at, name) for name in complete(plan) if (at := watermarks.get(name)) is not None]
    if not found:
        return None
    at, name = max(found) if plan.labelled else min(found)
    return name, at


def as_of_latest(every: Iterable[Mapping[str, int | None]], plan: EventLogsPlan) -> int:
    """The moment, of the watermarks that all pieces found; 0 without events."""
    latest: dict[str, int] = {}
    for found in every:
        for name, at in found.items():
            if at is not None:
                latest[name] = max(at, latest.get(name, at))
    end = slowest(plan, latest)
    return end[1] if end else 0
