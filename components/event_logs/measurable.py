"""Checks that every task can be trained and measured. A task without an observed train or eval example is refused before training.

    impressions    |------------------------------------------|
    train split    |--------------------|      |              |
    validate split                      |------|              |
    eval split                                 |--------------|
    window                           |------------------------| as_of
                            observed |  not observed: the window is still open at as_of

Here the window is longer than the eval split, so no example in it is observed and no metric would have a value. A task without
an observed validate example only causes a warning: the last epoch counts for it.
"""

from __future__ import annotations

import datetime

import numpy as np

from components.event_logs.accounts import moment
from components.event_logs.clocks import of_slowest
from components.event_logs.plan import EventLogsPlan, TaskPlan
from components.event_logs.splits import Starts
from components.event_logs.tally import Tally
from components.event_logs.timeline import HOUR
from components.example_schema import EVAL, SPLITS, TRAIN, VALIDATE
from models.recipe.errors import InputError

_EVAL_SHARE = 0.2
"""Share of the impressions with closed windows that the suggested split evaluates."""


_SO = {
    TRAIN: "it cannot be trained",
    VALIDATE: "early stopping ignores it",
    EVAL: "it cannot be measured",
}
"""Split -> what follows if none of its examples is observed."""


def check_measurable(plan: EventLogsPlan, tally: Tally, as_of: int | None, starts: Starts) -> list[str]:
    """Refuses a task without an observed train or eval example.

    Warns of a task without an observed validate example, or with one class only in the validate split. With `unmeasured:
    allow`, a task without an observed eval example only causes a warning, too.

    Args:
        plan: plan of the stage.
        tally: tally of all steps.
        as_of: microseconds; the logs are complete up to this time.
        starts: starts of the splits.

    Raises:
        InputError: names the task, its window, the split, `as_of`, and a split that would work.
    """
    warnings = []
    for task in plan.tasks:
        for split in SPLITS:
            if tally.counts["task", task.name, split, "observed"]:
                warnings += _one_class(task, tally) if split == VALIDATE else []
                continue
            told = _told(plan, task, split, tally, as_of, starts)
            if split == TRAIN or (split == EVAL and task.unmeasured == "refuse"):
                allowed = (
                    "" if split == TRAIN else " To train without measuring the task, set `unmeasured: allow` in it."
                )
                raise InputError(f"{told}{allowed}")
            warnings.append(told)
    return warnings


def _one_class(task: TaskPlan, tally: Tally) -> list[str]:
    """A warning if the validate split has only one class of a binary task."""
    observed, positives = (tally.counts["task", task.name, VALIDATE, what] for what in ("observed", "positives"))
    if task.kind != "binary" or 0 < positives < observed:
        return []
    kind = "negative" if positives else "positive"
    return [
        f"task {task.name!r}: none of {observed:,} observed validate examples is {kind}, so its validate loss says little "
        "about the best epoch. Make the validate split longer, such as with a larger `split.validate_fraction`."
    ]


def _told(plan: EventLogsPlan, task: TaskPlan, split: str, tally: Tally, as_of: int | None, starts: Starts) -> str:
    examples = tally.counts["examples", split]
    found = f"task {task.name!r}: none of {examples:,} {split} examples is observed, so {_SO[split]}. "
    if examples and tally.counts["zero weight", split] == examples:
        return f"{found}The weight column {plan.weight!r} is 0 in all of them. Correct the weights, or remove `weight`."
    if lost := tally.counts["task", task.name, split, "unweighted"]:
        return (
            f"{found}Of {lost:,} examples with a label, the weight column {task.weight!r} is 0 or has no value in all. Correct the "
            "weights, or remove `weight_column`."
        )
    never = _never_positive(plan, task, split, tally)
    root = _first_unobserved(plan, task, split, tally)
    if plan.labelled or (root.label and not never):
        column = (task if plan.labelled else root).label
        return f"{found}The label column {column!r} has no value in any of them{_given(task)}. Fill the column, or change `split`."
    if never or as_of is None:
        return (
            f"{found}Some windows have closed, but {never!r}, {_relation(task, never)}, is never positive there. "
            "Put more examples into the split, or remove `conditioned_on`."
        )
    window, held = longest_window(plan, task)
    of = (
        f", on which {task.conditioned_on!r}, its `conditioned_on`, is positive"
        if _positives(task.conditioned_on, split, tally)
        else ""
    )
    times = f"Its window of {_span(window)} {held}is still open at logs.as_of, {moment(as_of)}, for "
    start = {VALIDATE: starts.validate, EVAL: starts.eval}.get(split)
    if start is not None:
        apart = f"{_span(abs(as_of - start))} {'before' if start <= as_of else 'after'}"
        times += f"every impression of the {split} split{of}, which begins at {moment(start)}, {apart}."
    else:
        times += f"every impression{of}."
    cure = _EARLIER if split == VALIDATE else _cure(plan, tally, as_of)
    return f"{found}{times}{of_slowest(plan, tally)} {cure}"


def _never_positive(plan: EventLogsPlan, task: TaskPlan, split: str, tally: Tally) -> str | None:
    """The task in the chain of `conditioned_on` that is observed in the split but never positive."""
    for name in (other.name for other in _chain(plan, task)[1:]):
        if tally.counts["task", name, split, "observed"] and not _positives(name, split, tally):
            return name
    return None


def _first_unobserved(plan: EventLogsPlan, task: TaskPlan, split: str, tally: Tally) -> TaskPlan:
    """The end of the chain of `conditioned_on` among the tasks that are not observed in the split."""
    return [one for one in _chain(plan, task) if not tally.counts["task", one.name, split, "observed"]][-1]


def _positives(name: str | None, split: str, tally: Tally) -> int:
    return tally.counts["task", name, split, "positives"] if name else 0


def _relation(task: TaskPlan, name: str | None) -> str:
    return (
        "the task's `conditioned_on`"
        if name == task.conditioned_on
        else f"which {task.conditioned_on!r}, the task's `conditioned_on`, needs"
    )


def _chain(plan: EventLogsPlan, task: TaskPlan) -> list[TaskPlan]:
    """The task, its `conditioned_on`, and so on."""
    by_name = {other.name: other for other in plan.tasks}
    chain = [task]
    while given := chain[-1].conditioned_on:
        chain.append(by_name[given])
    return chain


def _given(task: TaskPlan) -> str:
    return (
        f", or {task.conditioned_on!r}, the task's `conditioned_on`, is never positive" if task.conditioned_on else ""
    )


def longest_window(plan: EventLogsPlan, task: TaskPlan) -> tuple[int, str]:
    """(longest window that must close before the task is observed, words that name its task if it is another one)."""
    longest = max(_chain(plan, task), key=lambda other: other.window)
    return longest.window, "" if longest.window == task.window else f"(that of {longest.name!r}, its `conditioned_on`) "


_EARLIER = "Begin the validate split earlier. Or shorten the window, or add later logs."


def _cure(plan: EventLogsPlan, tally: Tally, as_of: int) -> str:
    start = eval_from(plan, tally, as_of)
    if start is None:
        return (
            "No split at a full hour gives both splits impressions with closed windows for every task. Add earlier "
            "logs, or shorten the windows."
        )
    return (
        f"Begin the eval split earlier: with `split: {{eval_from: {moment(start)}}}`, the windows of every measured task "
        "have closed for some of its impressions. Or shorten the window, or add later logs."
    )


def eval_from(plan: EventLogsPlan, tally: Tally, as_of: int) -> int | None:
    """A full hour (microseconds) for `split.eval_from` that gives both splits impressions with closed windows.

    At the start of the train split, the windows of every task have closed; in the eval split, those of the tasks that must be
    measured.
    About a fifth of the impressions with closed windows are then in the eval split. None if there is no such hour.
    """
    windows = {task.name: longest_window(plan, task)[0] for task in plan.tasks}
    required = [windows[task.name] for task in plan.tasks if task.unmeasured == "refuse"] or list(windows.values())
    # Whole hours only: in the last hour some windows may still be open.
    hours = sorted(
        (hour, n)
        for hour, n in tally.timeline(str(plan.impressions)).hours.items()
        if (hour + 1) * HOUR <= as_of - max(required)
    )
    if len(hours) < 2 or (hours[0][0] + 1) * HOUR > as_of - max(windows.values()):
        return None
    after = np.cumsum([n for _, n in hours][::-1])[::-1]
    nearest = 1 + int(np.argmin(np.abs(after[1:] - _EVAL_SHARE * after[0])))
    return hours[nearest][0] * HOUR


def _span(micros: int) -> str:
    """Microseconds as "7 days" or "1:30:00"."""
    return str(datetime.timedelta(microseconds=micros)).removesuffix(", 0:00:00")
