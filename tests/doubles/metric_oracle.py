"""The metrics' definitions, each of one set of examples, in NumPy: exact, with weights, and without a Python loop.

The evaluation measures all slices of a task at once (`components/evaluation/measuring.py`), and its tests hold it against
these, and `tests/components/evaluation/test_metric_oracle.py` holds these against scikit-learn.

Legend: n examples; `labels` (n,) 0 or 1 for a binary task, any number for a regression; `predictions` (n,)
probabilities or values, finite where the weight is not 0; `weights` (n,) non-negative, 0 where the task is not
observed, 1 else.

A metric that has no value on these examples (AUC with one class only, any metric without an observed example) is None.
Everything is computed in float64: a cumulative sum of weights of 1 is exact up to 2**53 examples.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

Array = NDArray[np.float64]

PROBABILITY_FLOOR = 1e-7


def auc(labels: ArrayLike, predictions: ArrayLike, weights: ArrayLike | None = None) -> float | None:
    """Area under the ROC curve: the share of (positive, negative) pairs in the right order, ties counting half.

    AUC = sum_ij u_i v_j ([p_i > p_j] + [p_i = p_j] / 2) / (sum_i u_i sum_j v_j), with u = weight * label the weight of
    an example as a positive and v = weight * (1 - label) as a negative.

    Returns:
        The area in [0, 1]; None with one class only.
    """
    y, p, w = observed(labels, predictions, weights)
    area, positives, negatives = _areas(y, p, w, np.zeros(len(y), np.int64))
    if not len(area) or positives[0] * negatives[0] == 0.0:
        return None
    return float(area[0] / (positives[0] * negatives[0]))


def gauc(
    labels: ArrayLike, predictions: ArrayLike, weights: ArrayLike | None = None, groups: ArrayLike | None = None
) -> float | None:
    """Grouped AUC: the mean of the groups' AUCs, each weighted with its impressions.

    GAUC = sum_g W_g AUC_g / sum_g W_g over the groups g that have both classes, W_g the sum of the group's weights.
    Of such a group (mostly a user) the AUC asks whether the model orders *its* candidates rightly: what ranking needs.

    Args:
        labels: (n,) 0 or 1.
        predictions: (n,).
        weights: (n,), by default 1.
        groups: (n,) whole numbers that name the groups; examples with a negative one are in no group and left out.

    Returns:
        The mean in [0, 1]; None where no group has both classes.

    Reference:
        Zhou et al., Deep Interest Network for Click-Through Rate Prediction, KDD 2018, https://arxiv.org/abs/1706.06978,
        section 6.2, which weights with the impressions or the clicks; here always with the impressions.
    """
    y, p, w = observed(labels, predictions, weights)
    if groups is None:
        return None
    codes = np.asarray(groups, np.int64)[_mask(labels, weights)]
    if (codes < 0).any():
        keep = codes >= 0
        y, p, w, codes = y[keep], p[keep], w[keep], codes[keep]
    area, positives, negatives = _areas(y, p, w, codes)
    both = positives * negatives > 0.0
    if not both.any():
        return None
    impressions = (positives + negatives)[both]
    return float(np.sum(impressions * area[both] / (positives * negatives)[both]) / impressions.sum())


def pr_auc(labels: ArrayLike, predictions: ArrayLike, weights: ArrayLike | None = None) -> float | None:
    """Area under the precision-recall curve as average precision: sum_t (R_t - R_(t-1)) P_t over falling thresholds t.

    Examples with equal predictions enter at one threshold; nothing is interpolated between two, which would flatter.

    Returns:
        The area in (0, 1]; None without a positive.
    """
    y, p, w = observed(labels, predictions, weights)
    if not len(y):
        return None
    order = np.argsort(-p, kind="stable")
    starts = _block_starts(p[order])
    positives = np.add.reduceat((w * y)[order], starts)  # (thresholds,)
    predicted = np.cumsum(np.add.reduceat(w[order], starts))
    total = positives.sum()
    if total == 0.0:
        return None
    return float(np.sum(positives * (np.cumsum(positives) / predicted)) / total)


def log_loss(labels: ArrayLike, predictions: ArrayLike, weights: ArrayLike | None = None) -> float | None:
    """Mean negative log likelihood in nats: -sum w (y log q + (1 - y) log(1 - q)) / sum w.

    q is the prediction, clipped to [1e-7, 1 - 1e-7].
    """
    y, p, w = observed(labels, predictions, weights)
    if not len(y):
        return None
    q = np.clip(p, PROBABILITY_FLOOR, 1.0 - PROBABILITY_FLOOR)
    return float(-np.sum(w * (y * np.log(q) + (1.0 - y) * np.log1p(-q))) / w.sum())


def calibration(labels: ArrayLike, predictions: ArrayLike, weights: ArrayLike | None = None) -> float | None:
    """Mean prediction over mean label: above 1 the model promises too much. None where the mean label is 0."""
    y, p, w = observed(labels, predictions, weights)
    total = np.sum(w * y)
    if total == 0.0:
        return None
    return float(np.sum(w * p) / total)


def rmse(labels: ArrayLike, predictions: ArrayLike, weights: ArrayLike | None = None) -> float | None:
    """Root of the mean squared error: sqrt(sum w (p - y)^2 / sum w), in the label's unit."""
    y, p, w = observed(labels, predictions, weights)
    if not len(y):
        return None
    return float(np.sqrt(np.sum(w * (p - y) ** 2) / w.sum()))


def mae(labels: ArrayLike, predictions: ArrayLike, weights: ArrayLike | None = None) -> float | None:
    """Mean absolute error: sum w |p - y| / sum w, in the label's unit."""
    y, p, w = observed(labels, predictions, weights)
    if not len(y):
        return None
    return float(np.sum(w * np.abs(p - y)) / w.sum())


def example_count(labels: ArrayLike, weights: ArrayLike | None = None) -> int:
    """Number of observed examples: those with a weight above 0."""
    return int(np.count_nonzero(_mask(labels, weights)))


def positive_count(labels: ArrayLike, weights: ArrayLike | None = None) -> int:
    """Number of observed examples whose label is above 0."""
    return int(np.count_nonzero(_mask(labels, weights) & (np.asarray(labels) > 0)))


def observed(labels: ArrayLike, predictions: ArrayLike, weights: ArrayLike | None = None) -> tuple[Array, Array, Array]:
    """The observed examples' labels, predictions and weights, as float64.

    Raises:
        ValueError: the arrays' lengths differ, a weight is negative, or the prediction of an observed example is not finite
            (sorted, NaN would silently count as the surest positive).
    """
    mask = _mask(labels, weights)
    y = np.asarray(labels, np.float64)
    p = np.asarray(predictions, np.float64)
    if p.shape != y.shape:
        raise ValueError(f"expected as many predictions as labels, {y.shape}; received {p.shape}")
    w = np.ones_like(y) if weights is None else np.asarray(weights, np.float64)
    if not mask.all():
        y, p, w = y[mask], p[mask], w[mask]
    if not np.isfinite(p).all():
        raise ValueError(f"{int(np.count_nonzero(~np.isfinite(p)))} of {len(p)} predictions are not finite numbers")
    return y, p, w


def _mask(labels: ArrayLike, weights: ArrayLike | None) -> NDArray[np.bool_]:
    shape = np.shape(labels)
    if len(shape) != 1:
        raise ValueError(f"expected labels of shape (n,); received {shape}")
    if weights is None:
        return np.ones(shape, np.bool_)
    w = np.asarray(weights)
    if w.shape != shape:
        raise ValueError(f"expected as many weights as labels, {shape}; received {w.shape}")
    if not (w >= 0).all():
        raise ValueError("expected weights of 0 or more; received a negative one or NaN")
    return w > 0


def _block_starts(*sorted_keys: NDArray) -> NDArray[np.intp]:
    """Where a run of equal keys starts: (runs,) indices into the sorted, non-empty keys."""
    new = np.ones(len(sorted_keys[0]), np.bool_)
    new[1:] = np.logical_or.reduce([key[1:] != key[:-1] for key in sorted_keys])
    return np.flatnonzero(new)


def _areas(y: Array, p: Array, w: Array, groups: NDArray[np.int64]) -> tuple[Array, Array, Array]:
    """Of every group: the weight of its rightly ordered pairs, of its positives and of its negatives, each (groups,).

    Sorted by (group, prediction), the examples of one group are a run, and those with one prediction a run inside it.
    A run of ties with positives P and negatives N adds P * (negatives before it in its group + N / 2).
    """
    if not len(y):
        return np.zeros(0), np.zeros(0), np.zeros(0)
    order = np.lexsort((p, groups)) if groups.any() else np.argsort(p, kind="stable")
    y, p, w, groups = y[order], p[order], w[order], groups[order]
    ties = _block_starts(groups, p)
    positives = np.add.reduceat(w * y, ties)  # (ties,)
    negatives = np.add.reduceat(w * (1.0 - y), ties)
    group_starts = _block_starts(groups[ties])
    lengths = np.diff(np.append(group_starts, len(ties)))
    before = np.cumsum(negatives) - negatives  # negatives before each run of ties, over all groups ...
    before -= np.repeat(before[group_starts], lengths)  # ... and inside its own group
    pairs = np.add.reduceat(positives * (before + negatives / 2.0), group_starts)
    return pairs, np.add.reduceat(positives, group_starts), np.add.reduceat(negatives, group_starts)
