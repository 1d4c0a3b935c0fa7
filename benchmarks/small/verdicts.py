"""The results of a problem, method by method, and the verdicts over all problems.

gatewise has a result per seed; the other methods have one. A difference is the mean over the seeds, and its interval is
of rows and of seeds.
"""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Iterable, Sequence

import numpy as np
from numpy.typing import NDArray

from benchmarks.small.examples import Array
from benchmarks.small.metrics import Measure
from components.evaluation.paired import difference

TOLERANCE = 0.003
"""How much lower than logistic regression's the AUC may be."""
LOGISTIC, BOOSTED, CONSTANT = "logistic", "boosted", "constant"
Z = 1.959964
"""97.5 % point of the normal distribution."""


@dataclasses.dataclass(frozen=True, kw_only=True)
class Gap:
    """How much worse gatewise is than another method, in the metric's unit; negative if it is better.

    Attributes:
        loss: the mean over the seeds.
        error: standard error.
    """

    loss: float
    error: float

    @property
    def interval(self) -> tuple[float, float]:
        """The 95 % interval."""
        return self.loss - Z * self.error, self.loss + Z * self.error


@dataclasses.dataclass(frozen=True, kw_only=True)
class Line:
    """A task of a problem, with gatewise's values of each seed and those of the others.

    Attributes:
        problem, task: names.
        binary: whether there is an AUC. A regression is judged by its loss alone.
        rows: observed eval examples.
        positives: those with a label above 0.
        auc, loss: method -> values, one per seed. Empty AUC for a regression, and for the constant.
        auc_gaps, loss_gaps: method -> the gap of the model to it.
    """

    problem: str
    task: str
    binary: bool
    rows: int
    positives: int
    auc: dict[str, tuple[float, ...]]
    loss: dict[str, tuple[float, ...]]
    auc_gaps: dict[str, Gap]
    loss_gaps: dict[str, Gap]

    @property
    def gaps(self) -> dict[str, Gap]:
        """Of the AUC; of the loss for a regression."""
        return self.auc_gaps if self.binary else self.loss_gaps


@dataclasses.dataclass(frozen=True, kw_only=True)
class Verdict:
    """A rule, and on how many tasks it holds.

    Attributes:
        rule: in words.
        met: whether it holds on as many tasks as it has to.
        held, of: on so many of so many tasks.
        failed: the tasks where it does not hold.
        beyond: those of them where the 95 % interval lies wholly on the wrong side.
    """

    rule: str
    met: bool
    held: int
    of: int
    failed: tuple[str, ...]
    beyond: tuple[str, ...]


def gap(losses: Sequence[float], errors: Sequence[float]) -> Gap:
    """The mean of the seeds' losses. error^2 = mean(errors^2) + variance(losses) / seeds.

    Args:
        losses: of each seed.
        errors: standard errors of each over the rows. The seeds share the rows, so their mean is no smaller.
    """
    of_seeds = float(np.var(losses, ddof=1)) / len(losses) if len(losses) > 1 else 0.0
    return Gap(loss=float(np.mean(losses)), error=math.sqrt(float(np.mean(np.square(errors))) + of_seeds))


def line(
    problem: str,
    task: str,
    measure: Measure,
    labels: Array,
    ours: dict[str, Sequence[Array]],
    others: dict[str, Array],
    groups: NDArray[np.int64] | None,
) -> Line:
    """Measures every method on the same rows.

    Args:
        problem, task: names.
        measure: of the task.
        labels: (n,) of the observed eval examples.
        ours: architecture -> predictions of each seed; the first one is the model that is compared.
        others: method -> predictions, with `constant` among them.
        groups: (n,) codes of the clusters.
    """
    model = next(iter(ours.values()))
    weights, unit = np.ones(len(labels)), measure.scaled(labels)

    def against(metric: str, other: Array) -> Gap:
        found = [difference(metric, unit, weights, measure.scaled(one), other, groups, measure.binary) for one in model]
        return gap([one.loss for one in found], [one.standard_error for one in found])

    every = {**ours, **{name: [predictions] for name, predictions in others.items()}}
    ranked = {name: values for name, values in every.items() if measure.binary and name != CONSTANT}
    rivals = {name: measure.scaled(predictions) for name, predictions in others.items()}
    return Line(
        problem=problem,
        task=task,
        binary=measure.binary,
        rows=len(labels),
        positives=int((labels > 0).sum()),
        auc={name: tuple(auc(labels, one) for one in values) for name, values in ranked.items()},
        loss={name: tuple(measure.loss(labels, one) for one in values) for name, values in every.items()},
        auc_gaps={name: against("auc", rivals[name]) for name in rivals if name in ranked},
        loss_gaps={name: against(measure.metric, rival) for name, rival in rivals.items()},
    )


def auc(labels: Array, predictions: Array) -> float:
    """Area under the ROC curve; ties count half."""
    return difference("auc", labels, np.ones(len(labels)), predictions, predictions).a


def verdicts(lines: Iterable[Line]) -> list[Verdict]:
    """The three rules. A regression takes part in the first two by its loss, without a tolerance."""
    rows = list(lines)
    close = {_name(row): [(row.gaps[LOGISTIC], TOLERANCE if row.binary else 0.0)] for row in rows}
    ahead = {_name(row): [(row.gaps[method], 0.0) for method in (LOGISTIC, BOOSTED)] for row in rows}
    useful = {_name(row): [(row.loss_gaps[CONSTANT], 0.0)] for row in rows}
    return [
        _verdict(f"AUC at least logistic's minus {TOLERANCE:g} on each", close, 1.0),
        _verdict("ahead of both on half", ahead, 0.5),
        _verdict("log loss never worse than the constant's", useful, 1.0),
    ]


def _name(row: Line) -> str:
    return f"{row.problem} {row.task}"


def _verdict(rule: str, gaps: dict[str, list[tuple[Gap, float]]], share: float) -> Verdict:
    """A rule holds on a task if none of the task's gaps is above its limit."""
    failed = tuple(name for name, of in gaps.items() if any(found.loss > limit for found, limit in of))
    beyond = tuple(name for name, of in gaps.items() if any(found.interval[0] > limit for found, limit in of))
    held = len(gaps) - len(failed)
    return Verdict(rule=rule, met=held >= share * len(gaps), held=held, of=len(gaps), failed=failed, beyond=beyond)
