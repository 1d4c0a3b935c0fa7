"""Which of several methods is better, task by task, in words that the data support: better, worse, no difference, not measured.

Each difference is paired over seeds and users (`estimates.py`). A verdict follows the p-value after Holm's adjustment for the number of
methods, each task by itself: with probability `confidence`, no method that equals the one it is compared with is called better or worse.
With few seeds this probability is smaller; `estimates.py` has the numbers.

References:
    Holm, A Simple Sequentially Rejective Multiple Test Procedure, Scandinavian Journal of Statistics 6 (1979).
    Maninis, Radosavovic, Kokkinos, Attentive Single-Tasking of Multiple Tasks, CVPR 2019, for Delta_m.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from components.evaluation.best import loss_to
from components.evaluation.clusters import clusters, group_order
from components.evaluation.influence import influences
from components.evaluation.intervals import AREAS
from components.evaluation.ranking import falling_order, observed
from components.evaluation.runs import Array
from components.evaluation.scores import Scores
from components.evaluation.slices import one_slice
from models.recipe.tasks import LOWER_IS_BETTER
from pipeline.comparing.estimates import Estimate, estimate

Verdict = Literal["better", "worse", "no difference", "not measured"]

# The value of a useless model, from which relative gains count; 0 for the other metrics.
CHANCE = {"auc": 0.5, "gauc": 0.5}


@dataclasses.dataclass(frozen=True, kw_only=True)
class Task:
    """What a task is measured by: a metric of `intervals.AREAS` or `LOWER_IS_BETTER`, (n,) labels and (n,) weights, 0 if not observed.

    `binary`: whether the labels are classes.
    """

    metric: str
    labels: NDArray[Any]
    weights: NDArray[Any]
    binary: bool

    def __post_init__(self) -> None:
        if self.metric not in (*AREAS, *LOWER_IS_BETTER):
            raise ValueError(f"expected a metric of {(*AREAS, *LOWER_IS_BETTER)}; received {self.metric!r}")

    @property
    def sign(self) -> float:
        """1 if higher values are better, else -1."""
        return loss_to(self.metric, 0.0, 1.0)

    def above_chance(self, values: Array) -> Array:
        """The values, less that of a useless model: AUC - 0.5, and the value itself for metrics without one."""
        return values - CHANCE.get(self.metric, 0.0)


@dataclasses.dataclass(frozen=True, kw_only=True)
class Gain:
    """How much better a method is than another one; all numbers are None if that is not measured.

    Attributes:
        gain: the difference in the metric's unit; positive if the method is better.
        relative: (m - 0.5) / (other - 0.5) - 1 for auc and gauc, m / other - 1 for pr_auc, 1 - m / other for losses. None if the
            denominator is not positive, and for Delta_m, which is itself relative.
        lower, upper: the interval of the gain at the comparison's confidence, for this comparison alone.
        p: two-sided p-value of this comparison alone.
        p_holm: the same, adjusted for all methods of this task. The verdict follows it, so an interval without 0 may
            belong to "no difference".
        visible: the smallest true difference that Holm's first step, the strictest, finds with probability 0.8.
        verdict: "better" or "worse" if p_holm <= 1 - confidence.
    """

    gain: float | None = None
    relative: float | None = None
    lower: float | None = None
    upper: float | None = None
    p: float | None = None
    p_holm: float | None = None
    visible: float | None = None
    verdict: Verdict = "not measured"

    def to_json(self) -> dict[str, Any]:
        """The fields of a GAIN in compare.json."""
        return dataclasses.asdict(self)


def holm(p: Mapping[str, float]) -> dict[str, float]:
    """Holm's adjusted p-values: of the i-th smallest of m, the largest of min(1, (m - j + 1) p_(j)) over j <= i."""
    adjusted, highest = {}, 0.0
    for place, name in enumerate(sorted(p, key=lambda name: (p[name], name))):
        highest = max(highest, min(1.0, (len(p) - place) * p[name]))
        adjusted[name] = highest
    return {name: adjusted[name] for name in p}


@dataclasses.dataclass(frozen=True, kw_only=True)
class _Measured:
    """One method on one task: (seeds,) values, (clusters,) influences on their mean, users that carry information."""

    values: Array
    sums: Array
    users: int


class Comparison:
    """The methods of a comparison. Of each, it keeps the values by seed and one influence per task and user.

    Args:
        tasks: name -> task, all of the same n rows.
        groups: (n,) codes of the users, -1 for a user of its own; None if every row is one. gauc needs groups.
        confidence: of intervals and verdicts, from 0.5 to 1, exclusive.
    """

    def __init__(
        self, tasks: Mapping[str, Task], groups: NDArray[np.signedinteger[Any]] | None, confidence: float = 0.95
    ) -> None:
        if not 0.5 < confidence < 1.0:
            raise ValueError(f"expected a confidence from 0.5 to 1, exclusive; received {confidence}")
        rows = {len(values) for task in tasks.values() for values in (task.labels, task.weights)}
        rows |= set() if groups is None else {len(groups)}
        if len(rows) != 1:
            raise ValueError(f"expected tasks and groups of the same rows; received {sorted(rows)} rows")
        self._tasks, self._groups, self._level = dict(tasks), groups, 1.0 - confidence
        self._rows = rows.pop()
        self._all = one_slice(np.ones(self._rows, np.bool_))
        self._clusters = clusters(self._all, None if groups is None else group_order(groups))
        self._methods: dict[str, dict[str, _Measured]] = {}

    def add(self, method: str, predictions: Mapping[str, NDArray[Any]]) -> None:
        """Measures a method. The predictions themselves are not kept.

        Args:
            method: a name that is not there yet.
            predictions: task -> (seeds, n), the seeds in the same order for all methods, 2 or more. A task whose
                predictions are not finite where it is observed is not measured for this method.
        """
        if method in self._methods or set(predictions) != set(self._tasks):
            raise ValueError(
                f"expected a new method with tasks {sorted(self._tasks)}; received {method!r}, {sorted(predictions)}"
            )
        shapes = {found.shape for found in predictions.values()}
        shapes |= {(len(one.values), self._rows) for tasks in self._methods.values() for one in tasks.values()}
        if len(shapes) != 1 or len(shape := shapes.pop()) != 2 or shape[0] < 2 or shape[1] != self._rows:
            raise ValueError(f"{method}: expected (seeds, {self._rows}) predictions with the same 2 or more seeds")
        self._methods[method] = {name: self._measured(task, predictions[name]) for name, task in self._tasks.items()}

    def _measured(self, task: Task, predictions: NDArray[Any]) -> _Measured:
        seeds = len(predictions)
        values, sums = np.full(seeds, np.nan), np.zeros(int(self._clusters.counts.sum()))
        users = np.zeros(seeds, np.int64)
        for seed, one in enumerate(predictions):
            scores = Scores(labels=task.labels, predictions=one, weights=task.weights, groups=self._groups)
            if not np.isfinite(one[task.weights > 0]).all():
                continue
            order = falling_order(*observed(scores)) if task.metric in AREAS else None
            found = influences([task.metric], scores, order, self._all, self._clusters, task.binary).get(task.metric)
            if found is not None:
                values[seed], users[seed] = found.values[0], found.units[0]
                # rmse 0 stays 0 whatever the rows weigh: its influences are 0, and a quotient of zeros above.
                sums += np.nan_to_num(found.sums) / seeds
        return _Measured(values=values, sums=sums, users=int(users.min()))

    def values(self, method: str, task: str) -> Array:
        """(seeds,) the metric of each seed; NaN without a value."""
        return self._methods[method][task].values.copy()

    def gains(self, pairs: Mapping[str, str]) -> dict[str, dict[str, Gain]]:
        """Compares methods, task by task.

        Args:
            pairs: method -> the method that it is compared with. A method that is paired with itself is left out. The rest is
                the family of Holm's adjustment; methods that are not measured do not count.

        Returns:
            method -> task -> gain.
        """
        pairs = {method: other for method, other in pairs.items() if method != other}
        found: dict[str, dict[str, Gain]] = {method: {} for method in pairs}
        for name, task in self._tasks.items():
            measured = {method: self._methods[method][name] for method in {*pairs, *pairs.values()}}
            estimates = {method: _paired(task, measured[method], measured[other]) for method, other in pairs.items()}
            for method, gain in self._judged(estimates).items():
                part = _relative(task, measured[method], measured[pairs[method]])
                relative = None if part is None or gain.gain is None else float(part[0].mean())
                found[method][name] = dataclasses.replace(gain, relative=relative)
        return found

    def relative_gains(self, twins: str) -> dict[str, Gain]:
        """Delta_m of each other method: the mean over the tasks of the relative gain over the twins.

        Its variance is that of its linear terms in the values of both methods (delta method), over the same users and seeds. Tasks that
        the twins do not measure are left out. Delta_m is not measured if a method misses one of the other tasks, or if the twins
        are no better than chance in one.

        Args:
            twins: the method to compare with.
        """
        tasks = [name for name, one in self._methods[twins].items() if one.users > 1 and np.isfinite(one.values).all()]
        estimates = {method: self._mean_relative(method, twins, tasks) for method in self._methods if method != twins}
        return self._judged(estimates)

    def _mean_relative(self, method: str, twins: str, tasks: Sequence[str]) -> Estimate | None:
        ours, theirs = self._methods[method], self._methods[twins]
        parts = [part for name in tasks if (part := _relative(self._tasks[name], ours[name], theirs[name]))]
        if not parts or len(parts) < len(tasks):
            return None
        by_seed, sums = (np.sum(each, axis=0) / len(parts) for each in zip(*parts, strict=True))
        users = min(one[name].users for one in (ours, theirs) for name in tasks)
        return estimate(by_seed, sums, users, scale=1.0)

    def _judged(self, estimates: Mapping[str, Estimate | None]) -> dict[str, Gain]:
        """The verdicts of one family."""
        family = {method: one for method, one in estimates.items() if one is not None}
        adjusted = holm({method: one.p for method, one in family.items()})
        gains = {method: Gain() for method in estimates}
        for method, one in family.items():
            found = adjusted[method] <= self._level
            half = one.half_width(self._level)
            gains[method] = Gain(
                gain=one.gain,
                lower=one.gain - half,
                upper=one.gain + half,
                p=one.p,
                p_holm=adjusted[method],
                visible=one.visible(self._level / len(family)),
                verdict=("better" if one.gain > 0 else "worse") if found else "no difference",
            )
        return gains


def _paired(task: Task, method: _Measured, other: _Measured) -> Estimate | None:
    scale = float(np.abs(other.values).max())
    by_seed = task.sign * (method.values - other.values)
    return estimate(by_seed, method.sums - other.sums, min(method.users, other.users), scale)


def _relative(task: Task, method: _Measured, other: _Measured) -> tuple[Array, Array] | None:
    """The relative gain by seed, linear in the values, and the users' influences on it; None if the other one is no better than chance.

    With q = m / o of the means over the seeds, above chance: sign (q - 1) + sign (m_s - q o_s) / o. Its mean is sign (q - 1).
    """
    ours, theirs = task.above_chance(method.values), task.above_chance(other.values)
    under = float(theirs.mean())
    if not under > 0.0 or not np.isfinite(ours).all():
        return None
    ratio = float(ours.mean()) / under
    by_seed = task.sign * (ratio - 1.0 + (ours - ratio * theirs) / under)
    return by_seed, task.sign * (method.sums - ratio * other.sums) / under
