"""The report's heat maps: gate weights of the experts, affinities between tasks, importance of the columns."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

from matplotlib import rc_context
from matplotlib.colors import Colormap, LinearSegmentedColormap
from matplotlib.figure import Figure

from pipeline.report_charts import STYLE, short, svg

_GATES = LinearSegmentedColormap.from_list("gates", ["#eef3fa", "#8ab6e8", "#2f7ed8", "#123c73"])
_SIGNED = LinearSegmentedColormap.from_list("signed", ["#a3341f", "#e8a08f", "#f4f4f4", "#8ab6e8", "#123c73"])


def gate_heat_map(gates: Mapping[str, Sequence[float]]) -> str:
    """Mean gate weights, one row per task and one column per expert."""
    width = max(len(weights) for weights in gates.values())
    top = max(max(weights, default=0.0) for weights in gates.values()) or 1.0
    cells = {
        task: [(f"{weight:.2f}", weight / top) for weight in weights] + [None] * (width - len(weights))
        for task, weights in gates.items()
    }
    columns = [str(column + 1) for column in range(width)]
    return _heat_map(cells, columns, "expert", _GATES, "gates", "Mean gate weight of each expert, by task")


def affinity_heat_map(affinity: Mapping[str, Mapping[str, float]]) -> str:
    """Affinities, one row per task that takes a step and one column per task whose loss it changes.

    The numbers have a common power of ten, which the axis names. The colours are those of the pairs of two
    tasks. A pair that was not measured is empty.
    """
    tasks = list(affinity)
    others = [abs(value) for b, onto in affinity.items() for a, value in onto.items() if a != b]
    top = max(others, default=0.0) or 1.0
    power = math.floor(math.log10(top))

    def cell(b: str, a: str) -> tuple[str, float] | None:
        value = affinity[b].get(a)
        if value is None:
            return None
        text = f"{value / 10.0**power:.2f}".replace("-", "\N{MINUS SIGN}")
        return text, 0.5 if a == b else 0.5 + 0.5 * value / top

    cells = {b: [cell(b, a) for a in tasks] for b in tasks}
    label = "Affinity of the row's task onto the column's"
    return _heat_map(cells, [short(task) for task in tasks], f"affinity onto, 1e{power}", _SIGNED, "affinity", label)


def importance_heat_map(rises: Mapping[str, Mapping[str, float]]) -> str:
    """Rises of the losses in percent, one row per raw column and one column per task. A task's largest rise has the darkest colour."""
    tasks = list(next(iter(rises.values())))
    top = {task: max(max(of_column[task] for of_column in rises.values()), 0.0) or 1.0 for task in tasks}

    def cell(rise: float, task: str) -> tuple[str, float]:
        text = f"{round(100.0 * rise, 2) + 0.0:.2f}".replace("-", "\N{MINUS SIGN}")
        return text, max(rise, 0.0) / top[task]

    cells = {column: [cell(of_column[task], task) for task in tasks] for column, of_column in rises.items()}
    label = "Rise of each task's loss with a column permuted"
    columns = [short(task) for task in tasks]
    return _heat_map(cells, columns, "rise of the loss, % of the constant's", _GATES, "importance", label, height=0.36)


def gain_heat_map(gains: Mapping[str, Mapping[str, tuple[float, float] | None]]) -> str:
    """Gains, one row per slice and one column per task.

    Args:
        gains: {slice: {task: (gain, gain in standard errors), or None if it was not measured}}.
    """
    columns = list(next(iter(gains.values())))
    cells = {
        row: [
            None if one is None else (_signed(one[0]), 0.5 + min(max(one[1], -4.0), 4.0) / 8.0) for one in cell.values()
        ]
        for row, cell in gains.items()
    }
    label = "Gain over the single-task twins, by slice and task"
    return _heat_map(
        cells, [short(task) for task in columns], "gain over the twin", _SIGNED, "gains", label, height=0.36
    )


def _signed(value: float) -> str:
    rounded = round(value, 4) + 0.0
    return f"{'+' if rounded > 0 else ''}{rounded:.4f}".replace("-", "\N{MINUS SIGN}")


def _heat_map(
    cells: Mapping[str, Sequence[tuple[str, float] | None]],
    columns: Sequence[str],
    across: str,
    colours: Colormap,
    name: str,
    label: str,
    height: float = 0.55,
) -> str:
    """Cells with a text on a colour, one row per name.

    Args:
        cells: {row: [(text, place among the colours from 0 to 1), or None for no cell]}.
        columns: names of the columns.
        across: what the columns are.
        colours: the colours.
        name, label: of the drawing.
        height: of a row, in inches.
    """
    with rc_context(STYLE):
        size = (min(1.7 + 0.85 * len(columns), 11.0), height * len(cells) + 0.6)
        drawing = Figure(figsize=size, layout="constrained")
        axes = drawing.add_subplot()
        for row, of_row in enumerate(cells.values()):
            for column, cell in enumerate(of_row):
                if cell is None:
                    continue
                colour = colours(cell[1])
                axes.fill(
                    [column + 0.03, column + 0.97, column + 0.97, column + 0.03],
                    [row + 0.04, row + 0.04, row + 0.96, row + 0.96],
                    color=colour,
                    linewidth=0,
                )
                dark = sum(share * part for share, part in zip((0.3, 0.59, 0.11), colour[:3], strict=True)) < 0.55
                ink = "#ffffff" if dark else "#14202e"
                axes.text(column + 0.5, row + 0.52, cell[0], ha="center", va="center", fontsize=9, color=ink)
        axes.set_xlim(0, len(columns))
        axes.set_ylim(len(cells), 0)
        axes.set_yticks([row + 0.5 for row in range(len(cells))], [short(row) for row in cells])
        axes.set_xticks([column + 0.5 for column in range(len(columns))], columns)
        axes.set_xlabel(across)
        axes.tick_params(length=0)
        for spine in axes.spines.values():
            spine.set_visible(False)
        return svg(drawing, name, label)
