"""The report's charts: matplotlib draws them as SVG, inlined into the page.

Lines and labels take the page's text colour, so one chart suits light and dark pages. Text remains text.
"""

from __future__ import annotations

import datetime
import io
import math
import re
import warnings
from collections.abc import Mapping, Sequence
from typing import Any

from matplotlib import rc_context
from matplotlib.backends.backend_svg import FigureCanvasSVG
from matplotlib.figure import Figure

from models.training.logged_names import PANELS

INK = "#010203"
TRAIN, EVAL = "#8a94a6", "#2f7ed8"
STYLE: Any = {
    "svg.fonttype": "none",
    "figure.facecolor": "none",
    "axes.facecolor": "none",
    "text.parse_math": False,
    "font.family": ["sans-serif"],
    "font.sans-serif": ["DejaVu Sans"],
    "font.size": 10,
    "text.color": INK,
    "axes.labelcolor": INK,
    "axes.edgecolor": INK,
    "axes.linewidth": 0.6,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "xtick.color": INK,
    "ytick.color": INK,
    "xtick.labelsize": 9,
    "ytick.labelsize": 9,
}


def training_curves(epochs: Sequence[Mapping[str, Any]], best: int | None) -> str:
    """Train and validate loss by epoch, one panel per task."""
    tasks = [key[4:-5] for key in epochs[-1] if key.startswith("val_") and key.endswith("_loss") and key != "val_loss"]
    panels = [(task, f"{task}_loss") for task in tasks] or [("all tasks", "loss")]
    columns = min(len(panels), 4)
    rows = math.ceil(len(panels) / columns)
    steps = [epoch["epoch"] for epoch in epochs]
    with rc_context(STYLE):
        drawing = Figure(figsize=(2.6 * columns + 0.2, 2.1 * rows + 0.3), layout="constrained")
        for index, (title, key) in enumerate(panels):
            axes = drawing.add_subplot(rows, columns, index + 1)
            for name, label, colour, width in ((key, "train", TRAIN, 1.6), (f"val_{key}", "validate", EVAL, 2.0)):
                values = [epoch.get(name, math.nan) for epoch in epochs]
                axes.plot(steps, values, color=colour, linewidth=width, marker="o", markersize=3, label=label)
            if best is not None and best in steps:
                axes.axvline(best, color=INK, linewidth=0.6, linestyle=(0, (3, 3)), alpha=0.6)
            axes.set_title(short(title), loc="left", fontsize=10, fontweight="bold")
            axes.grid(axis="y", color=INK, alpha=0.12, linewidth=0.6)
            axes.set_xticks(steps if len(steps) <= 10 else steps[:: math.ceil(len(steps) / 8)])
            axes.margins(y=0.15)
            if index == 0:
                axes.legend(frameon=False, fontsize=9, handlelength=1.2)
            if index >= len(panels) - columns:
                axes.set_xlabel("epoch")
        return svg(drawing, "curves", "Train and validate loss of each task by epoch")


def method_curves(epochs: Sequence[Mapping[str, Any]]) -> str:
    """What the methods did by epoch, one panel for each of `PANELS` that the history has; "" if it has none."""
    panels = []
    for prefix, title in PANELS.items():
        if names := [name for name in epochs[-1] if name.startswith(prefix)]:
            panels.append((title, {name: name.removeprefix(prefix).replace("_and_", ", ") for name in names}))
    if not panels:
        return ""
    steps = [epoch["epoch"] for epoch in epochs]
    with rc_context(STYLE):
        drawing = Figure(figsize=(5.2 * len(panels) + 0.2, 2.6), layout="constrained")
        for index, (title, lines) in enumerate(panels):
            axes = drawing.add_subplot(1, len(panels), index + 1)
            for name, label in lines.items():
                values = [epoch.get(name, math.nan) for epoch in epochs]
                axes.plot(steps, values, linewidth=1.6, marker="o", markersize=3, label=short(label))
            axes.set_title(title, loc="left", fontsize=10, fontweight="bold")
            axes.grid(axis="y", color=INK, alpha=0.12, linewidth=0.6)
            axes.set_xlabel("epoch")
            axes.margins(y=0.15)
            axes.set_xticks(steps if len(steps) <= 10 else steps[:: math.ceil(len(steps) / 8)])
            axes.legend(frameon=False, fontsize=8, handlelength=1.2, loc="upper left", bbox_to_anchor=(1.0, 1.0))
        return svg(drawing, "methods", "What the methods did by epoch: " + ", ".join(title for title, _ in panels))


def evaluation_curves(task: str, curves: Mapping[str, Mapping[str, Sequence[float]]]) -> str:
    """Reliability, ROC, precision-recall, lift and histogram of one task, side by side."""
    reliability, roc, precision, lift, histogram = (
        curves[name] for name in ("reliability", "roc", "precision_recall", "lift", "histogram")
    )
    with rc_context(STYLE):
        drawing = Figure(figsize=(11.4, 2.5), layout="constrained")
        panels = []
        for index, (title, across, up) in enumerate(
            (
                ("Reliability", "mean prediction", "mean label"),
                ("ROC", "false positive rate", "true positive rate"),
                ("Precision-recall", "recall", "precision"),
                ("Lift", "share of examples", "lift"),
                ("Predictions", "prediction", "share of the class"),
            )
        ):
            axes = drawing.add_subplot(1, 5, index + 1)
            axes.set_title(title, loc="left", fontsize=10, fontweight="bold")
            axes.set_xlabel(across, fontsize=9)
            axes.set_ylabel(up, fontsize=9)
            axes.grid(color=INK, alpha=0.12, linewidth=0.6)
            axes.locator_params(nbins=4)
            panels.append(axes)
        dashed: Any = {"color": INK, "linewidth": 0.6, "linestyle": (0, (3, 3)), "alpha": 0.6}
        top = max([*reliability["prediction"], *reliability["label"]]) * 1.05
        panels[0].plot([0, top], [0, top], **dashed)
        panels[0].plot(
            reliability["prediction"], reliability["label"], color=EVAL, marker="o", markersize=3, linewidth=1.2
        )
        panels[1].plot([0, 1], [0, 1], **dashed)
        panels[1].plot(roc["false_positive_rate"], roc["true_positive_rate"], color=EVAL, linewidth=1.6)
        panels[2].plot([0, 1], [precision["precision"][-1]] * 2, **dashed)
        panels[2].plot(precision["recall"], precision["precision"], color=EVAL, linewidth=1.6)
        panels[2].set_ylim(0, 1.05)
        panels[3].axhline(1.0, **dashed)
        panels[3].step([0.0, *lift["share"]], [lift["lift"][0], *lift["lift"]], color=EVAL, linewidth=1.6, where="pre")
        panels[3].set_ylim(bottom=0)
        edges = [place / len(histogram["positive"]) for place in range(len(histogram["positive"]))]
        for name, colour in (("negative", TRAIN), ("positive", EVAL)):
            panels[4].step(edges, histogram[name], color=colour, linewidth=1.4, where="post", label=name)
        last = max(place for place in range(len(edges)) if histogram["positive"][place] or histogram["negative"][place])
        panels[4].set_xlim(0.0, (last + 1) / len(edges))
        panels[4].legend(frameon=False, fontsize=8, handlelength=1.0)
        return svg(drawing, f"evaluation-{task}", "Reliability, ROC, precision-recall, lift and predictions by class")


def rows_by_day(rows: Mapping[str, Mapping[str, int]], hours: int) -> str:
    """Rows by day (24 hours) or hour: one panel per stream, on a common time axis. A gap is a day or hour without rows.

    Args:
        rows: {stream: {"2026-01-05" or "2026-01-05T15:00Z": rows}}.
        hours: 24 or 1.
    """
    starts = {name: [_hour(start) // hours for start in found] for name, found in rows.items()}
    first = min(min(days) for days in starts.values())
    last = max(max(days) for days in starts.values())
    with rc_context(STYLE):
        drawing = Figure(figsize=(9.2, 0.95 * len(rows) + 0.5), layout="constrained")
        for index, (name, found) in enumerate(rows.items()):
            axes = drawing.add_subplot(len(rows), 1, index + 1)
            counts = list(found.values())
            # One path of steps is smaller than one bar for each of a thousand days.
            edges, heights = _steps(starts[name], counts)
            axes.fill_between(edges, heights, color=EVAL if index == 0 else TRAIN, linewidth=0)
            axes.set_title(short(name), loc="left", fontsize=10, fontweight="bold")
            axes.set_xlim(first, last + 1)
            axes.set_ylim(0, max(counts) * 1.1)
            axes.set_yticks([max(counts)], [f"{max(counts):,}"])
            ticks = range(first, last + 1, math.ceil((last + 1 - first) / 8))
            labels = [_start(tick * hours, hours) for tick in ticks] if index == len(rows) - 1 else [""] * len(ticks)
            axes.set_xticks([tick + 0.5 for tick in ticks], labels)
        return svg(drawing, "days", f"Rows of each stream by {'day' if hours == 24 else 'hour'}")


def _steps(days: Sequence[int], counts: Sequence[int]) -> tuple[list[int], list[int]]:
    """Outline of bars of width 1; it starts and ends at 0."""
    edges: list[int] = []
    heights: list[int] = []
    for day, count in zip(days, counts, strict=True):
        edges += [day, day, day + 1, day + 1]
        heights += [0, count, count, 0]
    return edges, heights


def _hour(start: str) -> int:
    return int(datetime.datetime.fromisoformat(start).replace(tzinfo=datetime.UTC).timestamp()) // 3600


def _start(hour: int, hours: int) -> str:
    moment = datetime.datetime.fromtimestamp(hour * 3600, datetime.UTC)
    return f"{moment:%Y-%m-%d}" if hours == 24 else f"{moment:%d %Hh}"


def grouped_bars(groups: Sequence[str], bars: Mapping[str, Sequence[float]]) -> str:
    """Horizontal bars: one panel per group, one bar per name. The first bar is highlighted."""
    with rc_context(STYLE):
        height = 0.3 * len(bars) + 0.7
        drawing = Figure(figsize=(3.4 * len(groups) + 1.2, height), layout="constrained")
        names = list(bars)
        for index, group in enumerate(groups):
            axes = drawing.add_subplot(1, len(groups), index + 1)
            values = [bars[name][index] for name in names]
            colours = [EVAL, *[TRAIN] * (len(names) - 1)]
            axes.barh(range(len(names)), values, color=colours, height=0.66)
            for row, value in enumerate(values):
                axes.annotate(f"{value:.4f}", (value, row), (4, 0), textcoords="offset points", va="center", fontsize=9)
            axes.set_xlim(0, max([*values, 1e-9]) * 1.25)
            axes.set_ylim(len(names) - 0.4, -0.6)
            axes.set_yticks(range(len(names)), [short(name) for name in names] if index == 0 else [""] * len(names))
            axes.set_xticks([])
            axes.spines["bottom"].set_visible(False)
            axes.tick_params(length=0)
            axes.set_title(group, loc="left", fontsize=10, fontweight="bold")
        return svg(drawing, "bars", f"{', '.join(groups)} of each method")


def short(name: str) -> str:
    """A name that fits beside a chart."""
    return name if len(name) <= 28 else f"{name[:27]}…"


def svg(drawing: Figure, name: str, label: str) -> str:
    """The drawing as an SVG element for HTML, without prologue, metadata and namespaces, in the page's text colour."""
    buffer = io.StringIO()
    with rc_context({"svg.hashsalt": name}), warnings.catch_warnings():
        # If matplotlib's font lacks a script, it measures the text as boxes; the browser's fonts draw it.
        warnings.filterwarnings("ignore", message="Glyph .* missing from", category=UserWarning)
        FigureCanvasSVG(drawing).print_svg(
            buffer, metadata={"Date": None, "Creator": None, "Format": None, "Type": None}
        )
    text = buffer.getvalue()
    text = text[text.index("<svg") :]
    text = re.sub(r"<metadata>.*?</metadata>", "", text, flags=re.DOTALL)
    text = re.sub(r' xmlns(:\w+)?="[^"]*"', "", text).replace("xlink:href", "href")
    text = text.replace(INK, "currentColor")
    text = re.sub(r"font: ([^;\"']*?)'DejaVu Sans'[^;\"]*", r"font: \1var(--sans)", text)
    return text.replace("<svg ", f'<svg role="img" aria-label="{label}" ', 1)
