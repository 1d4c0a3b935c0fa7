"""The report's section on the affinities between the tasks: their picture, and the best groups for a few networks."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any

from pipeline import report_page
from pipeline.report_heat_map import affinity_heat_map
from pipeline.task_groups import MOST_TASKS, Group, best_groups, total_affinity

BUDGETS = (1, 2, 3)


def affinity(found: Mapping[str, Any], served: Collection[str] | None = None) -> str:
    """The section.

    Args:
        found: `affinity` of history.json, with at least one sample.
        served: the tasks that are served. By default all.
    """
    means: Mapping[str, Mapping[str, float]] = found["means"]
    samples = [number for onto in found["samples"].values() for number in onto.values()]
    counts = f"{min(samples)} to {max(samples)}" if min(samples) < max(samples) else str(min(samples))
    drawn = report_page.figure(
        affinity_heat_map(means),
        "Affinity of the row's task onto the column's: by which part of itself the column's loss falls in a step for the row's task "
        f"alone, mean of {counts} samples. Below 0: the step harms the column's task. The diagonal is the task's own step.",
    )
    drawn += f'<p class="note">{_how_sure(means, found["errors"])}</p>'
    if len(means) > MOST_TASKS:
        return drawn + f'<p class="note">The best groups are searched for up to {MOST_TASKS} tasks.</p>'
    rows = []
    count = sum(served is None or task in served for task in means)
    for budget in (budget for budget in BUDGETS if budget <= count):
        groups = best_groups(means, budget, served)
        total = f"{total_affinity(means, groups) / count:.2e}"
        rows.append((budget, "; ".join(map(described, groups)), total))
    table = report_page.table(
        "Best groups of tasks", ("Networks at most", "Groups", "Affinity per task"), rows, texts=2
    )
    note = (
        '<p class="note">The groups with the largest mean affinity onto the tasks. Each task is served from one network. An affinity is '
        "a hint from single steps, no metric: train the groups and compare.</p>"
    )
    return drawn + table + note


def _how_sure(means: Mapping[str, Mapping[str, float]], errors: Mapping[str, Mapping[str, float]]) -> str:
    pairs = [(means[b][a], error) for b, onto in errors.items() for a, error in onto.items() if a != b]
    clear = sum(abs(mean) > 2 * error for mean, error in pairs)
    return (
        f"{clear} of {len(pairs)} affinities between two tasks are more than two standard errors from 0. The error takes the samples as "
        "independent, and those of one training are not quite."
    )


def described(group: Group) -> str:
    """The served tasks, and in parentheses those that only help to train them."""
    helpers = [task for task in group.tasks if task not in group.served]
    return ", ".join(group.served) + (f" (with {', '.join(helpers)})" if helpers else "")
