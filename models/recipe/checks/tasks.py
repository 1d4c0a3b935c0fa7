"""Checks of the section `tasks`: outcomes, windows, losses."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping

from models.balancing import BALANCER, BALANCERS
from models.losses import LOSS, LOSSES
from models.recipe.checks.objectives import objective_problems
from models.recipe.checks.options import option_problems
from models.recipe.checks.problem import Problem
from models.recipe.errors import InputError
from models.recipe.logs import Logs
from models.recipe.recipe import Recipe
from models.recipe.registry import facts, known, path_of
from models.recipe.tasks import Task, after_of, loss_of, reads_numbers
from models.recipe.units import format_duration

OF_MAIN_TASKS = ("metrics", "gates", "not_below_single_task", "unmeasured")


def task_problems(recipe: Recipe) -> Iterator[Problem]:
    if not recipe.main_tasks:
        yield ("tasks",), "no task is a main task, so there is nothing to serve. Give one of them `role: main`."
    for name, task in recipe.tasks.items():
        at = ("tasks", name)
        if task.label is not None and task.kind == "regression" and task.label.positive:
            yield (
                (*at, "label", "positive"),
                "a regression task learns the column's number; 'positive' is for binary tasks.",
            )
        if task.above is not None:
            yield from _above(at, task)
        yield from _source(name, task, recipe.logs)
        if task.match == "user":
            yield from _user(at, task, recipe.logs)
        if task.role != "main":
            for key in OF_MAIN_TASKS:
                if key in task.model_fields_set:
                    yield (
                        (*at, key),
                        f"a task with `role: {task.role}` is not measured, so {key!r} has no effect. Remove it, or the role.",
                    )
        yield from _loss(name, recipe)
        yield from option_problems((*at, "loss_options"), task.loss_options, LOSSES, "loss", recipe)
        yield from objective_problems(name, recipe)
        yield from _given(name, recipe)
        yield from _after(name, recipe)
    yield from _descriptors(recipe)


def _above(at: tuple[str, str], task: Task) -> Iterator[Problem]:
    if task.kind == "regression":
        yield (*at, "above"), "a regression task learns the number itself; 'above' is for binary tasks."
    if task.label is not None and task.label.positive:
        yield (
            (*at, "above"),
            "'above' compares numbers, 'label.positive' lists values. A task has one of them: remove the other.",
        )


def _source(name: str, task: Task, logs: Logs | None) -> Iterator[Problem]:
    """Where the labels come from: an outcome stream or a label column."""
    at = ("tasks", name)
    if logs is None:
        for key in ("outcome", "window"):
            if getattr(task, key) is not None:
                yield (
                    (*at, key),
                    f"'{key}' is for recipes that start from 'logs'; with labelled examples, set the label column in 'label'.",
                )
        if task.label is None:
            yield (
                at,
                "the key 'label' is missing: the column of the task's label. "
                "Example: {column: income, positive: ['50000+.']}.",
            )
    elif task.label is None:
        yield from _outcome(name, task, logs)
    elif task.outcome is not None:
        yield (
            (*at, "label"),
            f"the task has both an outcome, {task.outcome!r}, and a label, the column {task.label.column!r} of the impressions. "
            "Remove one of them.",
        )
    elif task.window is not None:
        yield (
            (*at, "window"),
            f"the label is the column {task.label.column!r} of the impression, which is known at once. Remove 'window'.",
        )


def _user(at: tuple[str, str], task: Task, logs: Logs | None) -> Iterator[Problem]:
    if logs is None or task.label is not None:
        yield (*at, "match"), "'match' chooses among the events of an outcome stream. Remove it, or set 'outcome'."
        return
    if task.role == "main":
        yield (
            (*at, "match"),
            "what the user does later, whatever the item, is not an outcome of the impression: gates and scores over it would "
            "mean nothing for the item. Write 'role: auxiliary' to train with it.",
        )
    expected = logs.streams[logs.impressions].user if logs.impressions in logs.streams else ()
    for name in dict.fromkeys((logs.impressions, task.outcome)):
        stream = logs.streams.get(name) if name else None
        if stream is not None and not stream.user:
            yield (
                ("logs", "streams", str(name)),
                f"the key 'user' is missing, which the task {at[1]!r} with 'match: user' needs. Example: user: [user_id].",
            )
        elif stream is not None and expected and len(stream.user) != len(expected):
            yield (
                ("logs", "streams", str(name), "user"),
                f"has {len(stream.user)} columns, the impressions' user has {len(expected)} ({', '.join(expected)}). Users are "
                "compared column by column.",
            )


def _outcome(name: str, task: Task, logs: Logs) -> Iterator[Problem]:
    at = ("tasks", name)
    if task.outcome is None:
        yield (
            at,
            "the key 'outcome' is missing: the stream of the positive events; "
            f"{known('', logs.streams)} A label that the impression itself has is in 'label: {{column: ...}}'.",
        )
    elif task.outcome not in logs.streams:
        yield (*at, "outcome"), f"no stream is called {task.outcome!r}; {known(task.outcome, logs.streams)}"
    elif task.outcome == logs.impressions and task.match == "key":
        yield (
            (*at, "outcome"),
            f"{task.outcome!r} is the impression stream; an impression cannot be its own outcome.",
        )
    elif task.outcome == logs.impressions and reads_numbers(task):
        yield (
            (*at, "outcome"),
            f"{task.outcome!r} is the impression stream; of the user's later impressions only whether there is one can be "
            "predicted. Write 'kind: binary' without 'above'.",
        )
    elif reads_numbers(task) and logs.streams[task.outcome].value is None:
        what = "a regression task needs" if task.kind == "regression" else "'above' compares"
        yield (*at, "outcome"), f"{what} numbers: set logs.streams.{task.outcome}.value to a column."
    if task.window is None:
        yield at, "the key 'window' is missing: the attribution window after the impression. Example: 7d."


def _loss(name: str, recipe: Recipe) -> Iterator[Problem]:
    task, at = recipe.tasks[name], ("tasks", name, "loss")
    loss = loss_of(task)
    try:
        about = facts(path_of(loss, LOSSES, "loss"), LOSS)
    except InputError as error:
        yield at, str(error)
        return
    if about.get("kind") not in ("binary", "regression"):
        yield at, f'{loss!r} has no `kind`: add the literal `kind = "{task.kind}"` to its class.'
    elif about["kind"] != task.kind:
        fitting = [row for row, path in LOSSES.items() if facts(path, LOSS)["kind"] == task.kind]
        yield at, f"{loss!r} is a loss for {about['kind']} tasks, this task is {task.kind}; {known('', fitting)}"
    if about.get("negative") and _needs_non_negative(recipe.model.balancer):
        fitting = [row for row in BALANCERS if not _needs_non_negative(row)]
        yield (
            at,
            f"the balancer {recipe.model.balancer!r} needs losses that are never below 0, but {loss!r} can be negative. Choose "
            f"another `model.balancer` ({', '.join(fitting)}), or another loss for the task.",
        )


def _needs_non_negative(balancer: str) -> bool:
    try:
        return bool(facts(path_of(balancer, BALANCERS, "balancer"), BALANCER)["needs_non_negative"])
    except InputError:  # it has a message of its own
        return False


def _given(name: str, recipe: Recipe) -> Iterator[Problem]:
    task = recipe.tasks[name]
    if task.conditioned_on is None:
        return
    at = ("tasks", name, "conditioned_on")
    if task.conditioned_on not in recipe.tasks:
        yield at, _no_task(task.conditioned_on, name, recipe)
        return
    given = recipe.tasks[task.conditioned_on]
    if given.kind != "binary":
        yield at, f"{task.conditioned_on!r} is a regression task; a task can only be conditioned on a binary task."
    if cycle := _cycle(name, recipe.tasks, lambda one: one.conditioned_on):
        yield at, cycle
        return
    if task.match == "key" and task.window and given.window and task.window < given.window:
        yield (
            ("tasks", name, "window"),
            f"{format_duration(task.window)} is shorter than the window {format_duration(given.window)} of "
            f"{task.conditioned_on!r}, which must happen first. Make the window at least as long.",
        )


def _after(name: str, recipe: Recipe) -> Iterator[Problem]:
    task = recipe.tasks[name]
    if task.after is None:
        return
    at = ("tasks", name, "after")
    if task.after not in recipe.tasks:
        yield at, _no_task(task.after, name, recipe)
    elif recipe.tasks[task.after].role == "adversarial":
        yield (
            at,
            f"{task.after!r} is an adversarial task, from which no task learns. Name another task, or remove 'after'.",
        )
    elif task.conditioned_on not in (None, task.after):
        yield (
            at,
            f"the task is conditioned on {task.conditioned_on!r}, so it comes after that task, not after {task.after!r}. "
            "Remove 'after'.",
        )
    elif cycle := _cycle(name, recipe.tasks, after_of):
        yield at, cycle


def _descriptors(recipe: Recipe) -> Iterator[Problem]:
    (first, of_first), *others = recipe.tasks.items()
    for name, task in others:
        if len(task.descriptor) != len(of_first.descriptor):
            yield (
                ("tasks", name, "descriptor"),
                f"expected as many numbers as in the descriptor of {first!r}, {len(of_first.descriptor)}, received "
                f"{list(task.descriptor)}. Give every task as many numbers, or none.",
            )


def _no_task(wanted: str, name: str, recipe: Recipe) -> str:
    """Message about an unknown task that the task `name` refers to."""
    return f"no task is called {wanted!r}; {known(wanted, [other for other in recipe.tasks if other != name])}"


def _cycle(name: str, tasks: Mapping[str, Task], before: Callable[[Task], str | None]) -> str:
    """Message about a cycle of tasks that starts at `name`; "" if there is none."""
    seen, link = [name], before(tasks[name])
    while link is not None and link in tasks:
        if link in seen:
            return f"the tasks form a cycle: {' -> '.join([*seen, link])}. Remove one of these links."
        seen.append(link)
        link = before(tasks[link])
    return ""
