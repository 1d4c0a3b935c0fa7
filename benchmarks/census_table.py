"""Metrics of several seeds as means with 95 % t-intervals, and the table in Markdown."""

from __future__ import annotations

import dataclasses
import json
import statistics
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from scipy.stats import t

METRICS = {"auc": "AUC", "log_loss": "log loss"}


@dataclasses.dataclass(frozen=True, kw_only=True)
class Training:
    """A finished training: one line of the file of results.

    Attributes:
        subject: what was trained.
        seed: of the training.
        key: digest of all that the metrics depend on besides the seed. A training with another key is not reused.
        metrics: {task: {metric: value}} on the eval split.
        about: seconds, epochs, chosen parameters and the environment.
    """

    subject: str
    seed: int
    key: str
    metrics: Mapping[str, Mapping[str, float]]
    about: Mapping[str, Any]


def read_trainings(path: Path) -> list[Training]:
    """The trainings of a file of JSON lines; none without the file."""
    if not path.exists():
        return []
    return [Training(**json.loads(line)) for line in path.read_text(encoding="utf-8").splitlines()]


def append_training(path: Path, training: Training) -> None:
    """Appends a line to the file, which is created if missing."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with open(path, "a", encoding="utf-8") as file:
        file.write(json.dumps(dataclasses.asdict(training)) + "\n")


def interval(values: Sequence[float]) -> tuple[float, float | None]:
    """Mean and half of its 95 % t-interval: t(0.975, n - 1) s / sqrt(n), with the standard deviation s of n values.

    The interval is of the seeds: another seed gives another value on the same eval split. It does not include the uncertainty
    of the eval split itself. None for a single value.
    """
    mean, n = statistics.fmean(values), len(values)
    if n == 1:
        return mean, None
    return mean, float(t.ppf(0.975, n - 1)) * statistics.stdev(values) / n**0.5


def markdown(trainings: Iterable[Training], tasks: Sequence[str]) -> str:
    """One row per subject, in the order of their first trainings."""
    subjects: dict[str, list[Training]] = {}
    for training in trainings:
        subjects.setdefault(training.subject, []).append(training)
    columns = [(task, metric) for task in tasks for metric in METRICS]
    lines = [
        _line(["", "seeds", *(f"{task} {METRICS[metric]}" for task, metric in columns)]),
        _line(["---", *["---:"] * (1 + len(columns))]),
    ]
    for subject, found in subjects.items():
        values = ([training.metrics[task][metric] for training in found] for task, metric in columns)
        lines.append(_line([subject, str(len(found)), *map(_words, values)]))
    return "\n".join(lines)


def _words(values: Sequence[float]) -> str:
    mean, half = interval(values)
    return f"{mean:.5f}" if half is None else f"{mean:.5f} ± {half:.5f}"


def _line(cells: Iterable[str]) -> str:
    return f"| {' | '.join(cells)} |"
