"""The comparison's charts: gains with their intervals, two tasks against each other, weights of the balancers."""

from __future__ import annotations

import math
import textwrap
from collections.abc import Mapping, Sequence
from typing import Any

from matplotlib import rc_context
from matplotlib.figure import Figure

from pipeline.report_charts import EVAL, INK, STYLE, TRAIN, short, svg

COLOURS = {"better": "#2c9b6a", "worse": "#d2553d", "no difference": TRAIN, "not measured": TRAIN}
"""Verdict -> its colour."""

MARKERS = {"better": "o", "worse": "s", "no difference": "D"}
"""Verdict -> the shape of its point, so that the colour is not needed."""


def forest(gains: Mapping[str, Mapping[str, Any]], axis: str, name: str) -> str:
    """Gain of each method with its interval, one row per method, and a line at 0.

    Args:
        gains: {method: GAIN of compare.json}.
        axis: what the horizontal axis shows, with unit.
        name: of the drawing.
    """
    with rc_context(STYLE):
        drawing = Figure(figsize=(3.35, 0.29 * len(gains) + 0.75), layout="constrained")
        axes = drawing.add_subplot()
        axes.axvline(0.0, color=INK, linewidth=0.8, alpha=0.7)
        for row, gain in enumerate(gains.values()):
            verdict = gain["verdict"]
            if gain.get("gain") is None:
                axes.annotate(
                    verdict, (0.0, row), (5, 0), textcoords="offset points", va="center", fontsize=8, alpha=0.7
                )
                continue
            colour = COLOURS[verdict]
            if gain.get("lower") is not None:
                axes.plot([gain["lower"], gain["upper"]], [row, row], color=colour, linewidth=2.0)
            face = colour if verdict != "no difference" else "none"
            axes.plot(gain["gain"], row, MARKERS.get(verdict, "D"), color=colour, markerfacecolor=face, markersize=5.5)
        axes.set_ylim(len(gains) - 0.4, -0.6)
        axes.set_yticks(range(len(gains)), [textwrap.fill(short(method), 17) for method in gains], fontsize=8)
        axes.tick_params(axis="y", length=0)
        axes.spines["left"].set_visible(False)
        axes.grid(axis="x", color=INK, alpha=0.12, linewidth=0.6)
        axes.locator_params(axis="x", nbins=5, steps=[1, 2, 5, 10])
        axes.margins(x=0.08)
        axes.tick_params(axis="x", labelsize=8)
        drawing.supxlabel(axis, fontsize=8)
        return svg(drawing, f"forest-{name}", "Gain of each method over the twins with its interval")


def trade_off(
    points: Mapping[str, tuple[float, float]],
    labels: tuple[str, str],
    lower: tuple[bool, bool],
    front: Sequence[str],
    chosen: str,
    line: bool,
) -> str:
    """Two tasks' metrics of each method. The better corner is at the top right. Names stand in a column at the right.

    Args:
        points: {method: (metric of the first task, of the second)}.
        labels: of the axes.
        lower: whether lower values of each axis are better; such an axis is reversed.
        front: the methods than which no other is better on all tasks.
        chosen: the method that is emphasised.
        line: whether to draw the front as a line.
    """
    with rc_context(STYLE):
        height = max(3.1, 0.21 * len(points) + 0.8)
        drawing = Figure(figsize=(5.4, height))
        axes = drawing.add_axes((0.72 / 5.4, 0.52 / height, 2.45 / 5.4, 1.0 - 0.72 / height))
        axes.margins(0.09)
        if line:
            ends = _towards_the_best(points, front, lower[0])
            axes.plot(*zip(*ends, strict=True), color=EVAL, linewidth=1.0, alpha=0.6, drawstyle="steps-pre")
        for name, place in points.items():
            colour = EVAL if name in front else TRAIN
            axes.plot(*place, "o", color=colour, markersize=8 if name == chosen else 5.5)
        for reverse, turn in zip(lower, (axes.invert_xaxis, axes.invert_yaxis), strict=True):
            if reverse:
                turn()
        bottom, top = axes.get_ylim()
        heights = {name: (place[1] - bottom) / (top - bottom) for name, place in points.items()}
        gap = 0.185 / (height - 0.72)
        for name, level in _spread(heights, gap).items():
            axes.annotate(
                short(name),
                points[name],
                (1.06, level),
                textcoords="axes fraction",
                va="center",
                fontsize=9,
                fontweight="bold" if name == chosen else "normal",
                arrowprops={
                    "arrowstyle": "-",
                    "color": INK,
                    "alpha": 0.25,
                    "linewidth": 0.6,
                    "shrinkA": 0,
                    "shrinkB": 3,
                },
                annotation_clip=False,
            )
        axes.grid(color=INK, alpha=0.12, linewidth=0.6)
        axes.locator_params(nbins=4)
        axes.ticklabel_format(useOffset=False)
        axes.set_xlabel(labels[0], fontsize=9)
        axes.set_ylabel(labels[1], fontsize=9)
        return svg(drawing, "pareto-" + "-".join(labels), "The methods' metrics of two tasks")


def _towards_the_best(
    points: Mapping[str, tuple[float, float]], front: Sequence[str], lower: bool
) -> list[tuple[float, float]]:
    """The front's points from the worst to the best metric of the first task."""
    return sorted((points[name] for name in front), reverse=lower)


def _spread(heights: Mapping[str, float], gap: float) -> dict[str, float]:
    """Heights in the same order that are at least `gap` apart, near the given ones, in [0, 1] where they fit.

    Neighbours that are too near form a block around their mean height; blocks that touch are merged.
    """
    blocks: list[list[tuple[str, float]]] = []
    for name in sorted(heights, key=lambda name: (heights[name], name)):
        blocks.append([(name, heights[name])])
        while len(blocks) > 1 and _start(blocks[-1], gap) < _start(blocks[-2], gap) + gap * len(blocks[-2]):
            last = blocks.pop()
            blocks[-1] += last
    return {name: _start(block, gap) + gap * place for block in blocks for place, (name, _) in enumerate(block)}


def _start(block: Sequence[tuple[str, float]], gap: float) -> float:
    """Height of a block's lowest name."""
    size = gap * (len(block) - 1)
    centred = sum(height for _, height in block) / len(block) - size / 2.0
    return max(0.0, min(centred, 1.0 - size))


def weight_lines(weights: Mapping[str, Mapping[str, Sequence[float]]]) -> str:
    """Weights of the balancers by round, one panel per method and one line per task.

    Args:
        weights: {method: {task: [weight of each round]}}.
    """
    columns = min(len(weights), 3)
    rows = math.ceil(len(weights) / columns)
    tasks = list(dict.fromkeys(task for lines in weights.values() for task in lines))
    with rc_context(STYLE):
        drawing = Figure(figsize=(2.9 * columns + 0.3, 2.1 * rows + 0.5), layout="constrained")
        for index, (method, lines) in enumerate(weights.items()):
            axes = drawing.add_subplot(rows, columns, index + 1)
            for task, values in lines.items():
                rounds = range(1, len(values) + 1)
                colour = f"C{tasks.index(task) % 10}"
                axes.plot(rounds, values, color=colour, linewidth=1.6, marker="o", markersize=3, label=short(task))
            axes.set_title(short(method), loc="left", fontsize=10, fontweight="bold")
            axes.grid(axis="y", color=INK, alpha=0.12, linewidth=0.6)
            axes.margins(y=0.15)
            axes.locator_params(axis="x", integer=True, nbins=8)
            axes.set_xlabel("round")
            if index % columns == 0:
                axes.set_ylabel("weight")
        handles, labels = drawing.axes[0].get_legend_handles_labels()
        drawing.legend(handles, labels, loc="outside lower left", ncols=min(len(tasks), 4), frameon=False, fontsize=9)
        return svg(drawing, "task-weights", "Weights of the balancers by round")
