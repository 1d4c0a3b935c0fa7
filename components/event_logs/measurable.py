"""Whether every task can be learned and measured: a task without an observed example in a split is refused before training.

    impressions |------------------------------------------|
    train split |---------------------------|              |
    eval split                              |--------------|
    window                        |------------------------| as_of
                         observed |  not observed: the window is still open at as_of

Here the window is longer than the eval split, so no example of it is observed: its loss would be 0, the first epoch the
best, and every metric without a value.
"""

from __future__ import annotations

import datetime

import numpy as np

from components.event_logs.books import moment
from components.event_logs.clocks import of_slowest
from components.event_logs.plan import EventLogsPlan, TaskPlan
from components.event_logs.tally import Tally
from components.event_logs.timeline import HOUR
from components.event_logs.writing import SPLITS
from models.errors import InputError

_EVAL_SHARE = 0.2
"""Of the impressions whose windows have closed: what the split that is suggested evaluates."""


def check_measurable(plan: EventLogsPlan, tally: Tally, as_of: int | None, split_at: int | None) -> list[str]:
    """Refuses a task that no example of a split is observed for; one that the recipe allows to be unmeasured is a warning.

    Args:
        plan: the stage's.
        tally: of all steps.
        as_of: microseconds; up to then the logs are complete.
        split_at: microseconds; from then on examples evaluate, None where the split is not by time.

    Raises:
        InputError: names the task, its window, the split, `as_of`, and a split that would work.
    """
    warnings = []
    for task in plan.tasks:
        for split in SPLITS:
            if tally.counts["task", task.name, split, "observed"]:
                continue
            told = _told(plan, task, split, tally, as_of, split_at)
            if split == "train" or task.unmeasured == "refuse":
                allowed = (
                    "" if split == "train" else " To train without measuring the task, write `unmeasured: allow` in it."
                )
                raise InputError(f"{told}{allowed}")
            warnings.append(told)
    return warnings


def _told(
    plan: EventLogsPlan, task: TaskPlan, split: str, tally: Tally, as_of: int | None, split_at: int | None
) -> str:
    examples = tally.counts["examples", split]
    purpose = "it cannot be measured" if split == "eval" else "there is nothing to learn from"
    found = f"task {task.name!r}: none of {examples:,} {split} examples is observed, so {purpose}. "
    if task.label:
        return (
            f"{found}The label column {task.label!r} has no value in any of them{_given(task)}. Fill it in, or change "
            "`split`."
        )
    window, held = longest_window(plan, task)
    if as_of is None or (split == "eval" and split_at is not None and split_at + window <= as_of):
        return f"{found}Windows have closed in time, so it is {task.given!r}, the task's `given`, that never is positive there."
    times = f"Its window of {_span(window)} {held}is still open at logs.as_of, {moment(as_of)}, for "
    if split == "eval" and split_at is not None:
        times += (
            f"every impression of the eval split, which begins at {moment(split_at)}, {_span(as_of - split_at)} before."
        )
    else:
        times += "every impression."
    return f"{found}{times}{of_slowest(plan, tally)} {_cure(plan, tally, as_of)}"


def _given(task: TaskPlan) -> str:
    return f", or {task.given!r}, the task's `given`, is never positive" if task.given else ""


def longest_window(plan: EventLogsPlan, task: TaskPlan) -> tuple[int, str]:
    """(the longest window that must have closed for the task to be observed, words that name its task if it is another)."""
    by_name = {other.name: other for other in plan.tasks}
    chain = [task]
    while given := chain[-1].given:
        chain.append(by_name[given])
    longest = max(chain, key=lambda other: other.window)
    return longest.window, "" if longest.window == task.window else f"(that of {longest.name!r}, its `given`) "


def _cure(plan: EventLogsPlan, tally: Tally, as_of: int) -> str:
    start = eval_from(plan, tally, as_of)
    if start is None:
        return "No split helps: the logs are shorter than the window. Add earlier logs, or shorten the window."
    return (
        f"Begin the eval split earlier: with `split: {{eval_from: {moment(start)}}}` every task's windows have closed for some "
        "of it. Or shorten the window, or add later logs."
    )


def eval_from(plan: EventLogsPlan, tally: Tally, as_of: int) -> int | None:
    """A full hour (microseconds) for `split.eval_from` that leaves to both splits impressions on which every window has closed.

    Of these impressions about a fifth then evaluate. None where there is no such hour.
    """
    closed = as_of - max(longest_window(plan, task)[0] for task in plan.tasks)
    # Whole hours only: of the last one some windows may be open.
    hours = sorted(
        (hour, n) for hour, n in tally.timeline(str(plan.impressions)).hours.items() if (hour + 1) * HOUR <= closed
    )
    if len(hours) < 2:
        return None
    after = np.cumsum([n for _, n in hours][::-1])[::-1]
    nearest = 1 + int(np.argmin(np.abs(after[1:] - _EVAL_SHARE * after[0])))
    return hours[nearest][0] * HOUR


def _span(micros: int) -> str:
    """Microseconds as "7 days" or "1:30:00"."""
    return str(datetime.timedelta(microseconds=micros)).removesuffix(", 0:00:00")
