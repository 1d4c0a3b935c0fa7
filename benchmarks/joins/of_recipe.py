"""The join problem of a recipe."""

from __future__ import annotations

from benchmarks.joins.problem import JoinTask, Problem
from components.event_logs.plan import EventLogsPlan
from models.recipe.file import load_recipe


def problem_of(recipe: str) -> Problem:
    """The problem of a recipe over the wide logs."""
    plan = EventLogsPlan.from_recipe(load_recipe(recipe))
    streams = {stream.name: stream for stream in plan.streams}
    if plan.as_of is None or plan.split.eval_last is None or plan.split.validate_last is None or plan.split.gap:
        raise ValueError(
            f"{recipe}: expected a fixed `as_of` and a split by `eval_last` and `validate_last` without `gap`"
        )
    eval_at = plan.as_of - plan.split.eval_last
    return Problem(
        paths={name: stream.path for name, stream in streams.items()},
        event_ids={name: str(stream.event_id) for name, stream in streams.items()},
        outcomes=tuple(name for name in streams if name != plan.impressions),
        key=streams[str(plan.impressions)].key,
        tasks=tuple(
            JoinTask(
                name=task.name,
                stream=str(task.stream),
                window_ms=task.window // 1000,
                conditioned_on=task.conditioned_on,
                value=streams[str(task.stream)].value if task.kind == "regression" else None,
            )
            for task in plan.tasks
        ),
        columns=tuple(column.name for column in plan.columns),
        as_of_ms=plan.as_of // 1000,
        validate_at_ms=(eval_at - plan.split.validate_last) // 1000,
        eval_at_ms=eval_at // 1000,
    )
