"""The report's section on the importance of the raw columns."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pipeline import report_page
from pipeline.report_heat_map import importance_heat_map

SHOWN = 20
SMALL = 0.001
"""A rise below this part of the constant's loss is called small."""


def importance(found: Mapping[str, Any]) -> str:
    """The section.

    Args:
        found: importance.json of the training (`models.training.importance`), with at least one task.
    """
    rises: Mapping[str, Mapping[str, list[float]]] = found["rises"]
    means = {
        column: {task: sum(values) / len(values) for task, values in of_column.items()}
        for column, of_column in rises.items()
    }
    tasks = list(next(iter(means.values())))
    largest = {task: max(max(of_column[task] for of_column in means.values()), 0.0) or 1.0 for task in tasks}
    order = sorted(means, key=lambda column: -sum(rise / largest[task] for task, rise in means[column].items()))
    differ = {task: max(max(values[task]) - min(values[task]) for values in rises.values()) for task in tasks}
    drawn = report_page.figure(
        importance_heat_map({column: means[column] for column in order[:SHOWN]}),
        "By how much the validate loss of the task rises if the examples exchange their values of the raw column, in percent of the loss "
        f"of the task's constant. Mean of {_repeats(rises)} permutations of {report_page.count(found['examples'])} examples. Colours "
        "compare the columns of one task; the columns are in the order of their mean colour.",
    )
    notes = [
        "0: the network does without the column, or finds the same in others. Columns that say the same hide each other. "
        "Two permutations differ by at most "
        f"{', '.join(f'{report_page.number(100.0 * most, 2)} ({task})' for task, most in differ.items())}."
    ]
    if len(order) > SHOWN:
        notes.append(f"{len(order) - SHOWN} columns with smaller rises are not shown.")
    small = [column for column in order if all(abs(mean) < SMALL for mean in means[column].values())]
    if small:
        notes.append(
            f"No loss changes by {100.0 * SMALL:.1f} % without: {', '.join(small)}. Train without one of them at a time before you "
            "remove several."
        )
    return drawn + "".join(f'<p class="note">{report_page.text(note)}</p>' for note in notes)


def _repeats(rises: Mapping[str, Mapping[str, list[float]]]) -> int:
    return max(len(values) for of_column in rises.values() for values in of_column.values())
