"""Checks of the logs after reading and attribution. Each failure is one message that says what to do."""

from __future__ import annotations

from components.event_logs.accounts import moment
from components.event_logs.clocks import check_clocks, check_days, clock_warnings, tolerance
from components.event_logs.domains import check_labels
from components.event_logs.events import optional_columns
from components.event_logs.key_spellings import check_spellings
from components.event_logs.measurable import check_measurable
from components.event_logs.plan import EventLogsPlan, StreamPlan, TaskPlan
from components.event_logs.span_rows import check_span_rows
from components.event_logs.splits import Starts
from components.event_logs.tally import Tally
from components.event_logs.times import NAIVE, likely_unit
from components.example_schema import SPLITS, TRAIN
from models.recipe.errors import InputError
from models.recipe.registry import known


def check(plan: EventLogsPlan, tally: Tally, as_of: int | None, starts: Starts) -> list[str]:
    """Raises the first failure, in the order in which a user would fix them; returns warnings.

    Raises:
        InputError: a stream has no rows; most times have a wrong unit or no zone; there are too many dead letters or
            orphans; numeric keys are spelled in two ways; no row has a column; a clock is far ahead of the others; a day has no
            rows or too few; a split has no examples; a task has no observed train or eval example; labels are outside the loss's domain; a binary
            task has only one class in the train split.
    """
    for stream in plan.streams:
        _check_times(stream, tally)
        _check_rows(plan, stream, tally)
        _check_dead_letters(plan, stream, tally)
        _check_columns(plan, stream, tally)
    check_clocks(plan, tally)
    for stream in plan.streams:
        if not plan.makes_examples(stream):
            _check_orphans(plan, stream, tally)
            check_spellings(plan, stream, tally)
    warnings = check_span_rows(plan, tally) + check_days(plan, tally, as_of)
    _check_new(plan, tally)
    _check_splits(plan, tally, starts)
    warnings += check_measurable(plan, tally, as_of, starts)
    for task in plan.tasks:
        check_labels(plan, task, tally)
        if task.kind == "binary" and plan.cursor is None:  # one night may have one class
            _check_classes(plan, task, tally)
    return [*warnings, *clock_warnings(plan, tally)]


def _check_times(stream: StreamPlan, tally: Tally) -> None:
    read = tally.counts["account", stream.name, "read"]
    for reason, count in tally.below("reason", stream.name).items():
        if stream.time is None or count * 2 <= read:
            continue
        file, row, _ = tally.samples[stream.name, reason]
        where = f"stream {stream.name!r}, time column {stream.time.column!r} (first in {file}, row {row})"
        if reason == NAIVE:
            raise InputError(
                f"{where}: {count:,} of {read:,} times have no offset from UTC. A wrong zone would shift every window. "
                "State the zone of the times under `time`, such as `zone: Europe/Vienna` or `zone: UTC`."
            )
        unit = likely_unit(reason)
        if unit:
            raise InputError(
                f"{where}: {count:,} of {read:,} times are outside 1990-2100 when read in {stream.time.unit!r}. "
                f"The unit is likely {unit!r}: set `unit: {unit}`."
            )


def _check_rows(plan: EventLogsPlan, stream: StreamPlan, tally: Tally) -> None:
    account = tally.account(stream.name)
    if account["read"] > account["after_as_of"]:
        return
    if account["read"]:
        raise InputError(
            f"stream {stream.name!r}: all {account['read']:,} rows are later than logs.as_of "
            f"({moment(plan.as_of)}). Set a later `as_of`, or check `time`."
        )
    other = tally.counts["account", stream.name, "other"]
    if not other:
        raise InputError(f"stream {stream.name!r}: the files that match {stream.path} have no rows.")
    there = []
    for column, values in stream.where.items():
        found = ", ".join(tally.below("where", stream.name, column)) or "nothing"
        there.append(f"column {column!r} contains {found}; expected {', '.join(map(str, values))}")
    raise InputError(f"stream {stream.name!r}: none of {other:,} rows meets its `where`: {'; '.join(there)}.")


def _check_dead_letters(plan: EventLogsPlan, stream: StreamPlan, tally: Tally) -> None:
    account = tally.account(stream.name)
    share = account["dead_lettered"] / (account["read"] - account["after_as_of"])
    if share <= plan.max_dead_letters:
        return
    reasons = []
    for reason, count in list(tally.below("reason", stream.name).items())[:3]:
        file, row, raw = tally.samples[stream.name, reason]
        shown = raw if len(raw) <= 300 else f"{raw[:300]} ..."
        reasons.append(f"{count:,} x {reason} (first in {file}, row {row}: {shown})")
    raise InputError(
        f"stream {stream.name!r}: {account['dead_lettered']:,} of {account['read'] - account['after_as_of']:,} rows ({share:.1%}) are malformed; the "
        f"limit is {plan.max_dead_letters:.1%} (`limits.dead_letters`). Most frequent reasons: {'; '.join(reasons)}. "
        "Fix the rows, or change how the recipe declares these columns."
    )


def _check_columns(plan: EventLogsPlan, stream: StreamPlan, tally: Tally) -> None:
    there = tally.below("column", stream.name)
    for column, what in optional_columns(plan, stream).items() if there else ():
        if column not in there:
            raise InputError(
                f"stream {stream.name!r}: no row of {stream.path} has the column {column!r} ({what}). "
                f"{known(column, there)}"
            )


def _check_orphans(plan: EventLogsPlan, stream: StreamPlan, tally: Tally) -> None:
    account = tally.account(stream.name)
    events = account["used"] + account["late"] + account["orphan"]
    at_begin = tally.counts["orphan_at_begin", stream.name]  # their impressions may be before the first span
    events -= at_begin
    orphans = account["orphan"] - at_begin + tally.counts["known_by_user", stream.name]
    share = orphans / events if events else 0.0
    if share <= plan.max_orphans:
        return
    before, keyless = tally.counts["orphan_before", stream.name], tally.counts["orphan_key", stream.name]
    soon = tally.counts["orphan_before_1m", stream.name]
    if plan.only_by_user(stream):
        hint = (
            f"Tasks with `match: user` look for an earlier impression of the same user. Does `user` ({', '.join(stream.user)}) "
            f"have the same meaning and order as in {plan.impressions!r} "
            f"({', '.join(plan.stream(str(plan.impressions)).user)})?"
        )
    elif soon * 2 > orphans:
        hint = (
            f"{soon:,} of them come less than a minute before an impression of the same key. If the clocks of the two streams "
            f"differ, set `clock_tolerance: {tolerance(stream, tally)}` in the stream to attribute them to that impression."
        )
    elif before * 2 > orphans:
        hint = (
            f"{before:,} of them come up to 14 h before an impression of the same key. Are the clocks of the two "
            "streams in different time zones? See `time.zone`."
        )
    elif keyless * 2 > orphans:
        hint = (
            f"For {keyless:,} of them, no later impression has the key either. Does `key` "
            f"({', '.join(stream.key)}) have the same meaning and order as in {plan.impressions!r} "
            f"({', '.join(plan.stream(str(plan.impressions)).key)})? Are impressions missing?"
        )
    else:
        hint = "Their keys have only later impressions. Do the impression logs begin too late?"
    raise InputError(
        f"stream {stream.name!r}: {orphans:,} of {events:,} outcomes ({share:.1%}) have no earlier impression "
        f"in {plan.impressions!r}; the limit is {plan.max_orphans:.1%} (`limits.orphans`). {hint}"
    )


def _check_splits(plan: EventLogsPlan, tally: Tally, starts: Starts) -> None:
    if starts.validate is not None and starts.eval is not None and starts.validate >= starts.eval:
        raise InputError(
            f"split.validate_from: expected a moment before the start of the eval split, {moment(starts.eval)}; received "
            f"{moment(starts.validate)}, so the validate split has no examples. Begin the validate split earlier, or the eval "
            "split later."
        )
    counts = {name: tally.counts["examples", name] for name in SPLITS}
    if plan.split.gap:
        counts["gap"] = sum(tally.counts["account", stream.name, "gap"] for stream in plan.streams)
    for split in SPLITS:
        if not counts[split]:
            told = ", ".join(f"{name}: {rows:,}" for name, rows in counts.items())
            cure = "Make `split.gap` shorter, change another key of `split`" if plan.split.gap else "Change `split`"
            raise InputError(
                f"the {split} split has no examples ({told}). {cure}, or check that its time is within the period that the "
                "logs cover."
            )


def _check_new(plan: EventLogsPlan, tally: Tally) -> None:
    """A night without a new train example would train on the late labels of old ones alone. The next night learns them, too."""
    if plan.cursor is None or tally.counts["new", TRAIN]:
        return
    days = f" Left out are {', '.join(plan.left_out)}." if plan.left_out else ""
    raise InputError(
        f"nothing is new for the train split: the ancestor has learned from the impressions before {moment(plan.cursor.until)}, and the "
        f"validate split begins before any other that is not left out.{days} The labels of this night are learned by the next one. "
        "Run a later day."
    )


def _check_classes(plan: EventLogsPlan, task: TaskPlan, tally: Tally) -> None:
    observed = tally.counts["task", task.name, TRAIN, "observed"]
    positives = tally.counts["task", task.name, TRAIN, "positives"]
    if 0 < positives < observed:
        return
    source = f"stream {task.stream!r}" if task.stream else f"label column {task.label!r}"
    examples = tally.counts["examples", TRAIN]
    kind = "negative" if positives else "positive"
    reason = f"none of {observed:,} observed train examples (of {examples:,}) is {kind}"
    if task.above is not None:
        hint = f"No number, or every number, exceeds `above: {task.above:g}`."
    elif task.label:
        there = ", ".join(tally.below("label", task.name))
        hint = f"The column contains {there}; check `label.positive`." if there else "Check the label column."
    else:
        hint = f"Check `outcome`, `{task.match}` and `window`."
    raise InputError(f"task {task.name!r} ({source}): {reason}. Training needs both classes. {hint}")
