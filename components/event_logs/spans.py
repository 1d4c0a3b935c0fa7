"""The files of the spans that a run reads: none may be missing, and the newest span that is complete."""

from __future__ import annotations

import datetime
from typing import TYPE_CHECKING

from components.event_logs.files import no_file
from components.storage.finding import absolute, joined, matching
from models.recipe.errors import InputError
from models.recipe.spans import HOURS, Spans, expanded, of_any_span, span_in, text_of

if TYPE_CHECKING:
    from models.recipe.recipe import Recipe

_SHOWN = 10


def check_spans(data: str, stream: str, path: str, spans: Spans | None) -> None:
    """Checks that a stream has files of each of its spans, and that no file belongs to two spans. Reads no file.

    Args:
        data: the folder.
        stream: name of the stream.
        path: its path, with placeholders.
        spans: the spans to read; None for a stream without spans, which is not checked.

    Raises:
        InputError: names the stream, the spans, the path that was expected, and what to do.
    """
    if spans is None:
        return
    folder, missing = absolute(data), []
    owners: dict[str, datetime.datetime] = {}
    for start in spans.starts():
        found = matching(folder, expanded(path, start))
        if not found and spans.required(start):
            missing.append(start)
        for file in found:
            if file in owners:
                raise InputError(
                    f"stream {stream!r}: {file} matches {path} for {text_of(owners[file], spans.hours)} and for "
                    f"{text_of(start, spans.hours)}. Write the path so that a file belongs to one span only."
                )
            owners[file] = start
    if not missing:
        return
    days = [text_of(start, spans.hours) for start in missing]
    more = f", nor of {', '.join(days[1:_SHOWN])}" if days[1:] else ""
    more += f" and {len(days) - _SHOWN:,} more" if days[_SHOWN:] else ""
    raise InputError(
        f"stream {stream!r} has no file of {days[0]}{more}; the run of {spans.day} reads all spans from {spans.first} on. For "
        f"{days[0]}, {no_file(folder, expanded(path, missing[0]))} Restore the files, or choose another day with --day. If a span "
        "without files is normal for this stream, set `may_be_empty: true` in it."
    )


def newest_day(recipe: Recipe, now: datetime.datetime) -> str:
    """The newest span before `now` of which every stream has a file, except streams with `may_be_empty`. Reads no file.

    Raises:
        InputError: there is none; says for each stream what its newest span is.
    """
    logs = recipe.logs
    if logs is None or logs.span is None:
        raise ValueError("the recipe has no `logs.span`")
    hours, folder = HOURS[logs.span], absolute(recipe.data)
    found: dict[str, set[datetime.datetime]] = {}
    for name, stream in logs.streams.items():
        if stream.may_be_empty:
            continue
        starts = {span_in(stream.path, file, hours) for file in matching(folder, of_any_span(stream.path))}
        past = {start for start in starts if start and start + datetime.timedelta(hours=hours) <= now}
        if not past:
            raise InputError(
                f"stream {name!r}: {joined(folder, stream.path)} matches no file of a past span. Check the path, or name the day "
                "with --day."
            )
        found[name] = past
    if common := set.intersection(*found.values()):
        return text_of(max(common), hours)
    newest = ", ".join(f"{name} {text_of(max(starts), hours)}" for name, starts in found.items())
    raise InputError(
        f"no span has files of every stream; the newest are: {newest}. Restore the missing files, or set `may_be_empty: true` in a "
        "stream of which a span without files is normal."
    )
