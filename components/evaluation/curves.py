"""The curves of a binary task for the report: reliability, ROC, precision-recall, lift and a histogram, from sorted rows."""

from __future__ import annotations

from typing import Any

import numpy as np

from components.evaluation.ranking import Order
from components.evaluation.runs import Array

# Each of the ROC's axes is cut into as many equal parts; together at most 200 points.
PARTS = 99
BINS = 20
DIGITS = 6


def curves(order: Order) -> dict[str, dict[str, list[float]]] | None:
    """The curves, in at most 200 points each; None without both classes.

    Rows with equal predictions are never parted, so a bin of `reliability` or `lift` may hold more than its share.

    Args:
        order: the rows of a binary task.

    Returns:
        reliability: for up to 20 bins of equal weight, by falling prediction: mean `prediction`, mean `label`, number of `examples`.
        roc: `false_positive_rate`, `true_positive_rate`. precision_recall: `recall`, `precision`.
        lift: for up to 10 bins of equal weight, by falling prediction: the `share` of the weight down to it, the bin's rate of
        positives over that of all (`lift`), and the share of the positives down to it (`gain`).
        histogram: for 20 equal bins of [0, 1], the share of the `positive` and of the `negative` examples' weight.
    """
    ranked, rows = order.ranked, order.rows
    weights = None if ranked.weights is None else ranked.weights[rows].astype(np.float64)
    positive = ranked.positive[rows]
    whole = float(len(rows) if weights is None else weights.sum())
    positives = float(positive.sum() if weights is None else weights[positive].sum())
    if not 0.0 < positives < whole:
        return None
    del weights, positive
    # Rows, weight, weight of the positives, weighted predictions: all from the top down.
    carried = np.zeros(4)
    roc, bins = [np.zeros((4, 1))], [np.zeros((4, 1))]
    histogram = np.zeros((2, BINS))
    for some in order.passes:
        p = ranked.predictions[some].astype(np.float64)
        w = np.ones(len(some)) if ranked.weights is None else ranked.weights[some].astype(np.float64)
        u = w * ranked.positive[some]
        ends = np.flatnonzero(np.append(p[1:] != p[:-1], True))
        upto = np.stack([ends + 1.0, np.cumsum(w)[ends], np.cumsum(u)[ends], np.cumsum(w * p)[ends]])
        upto += carried[:, None]
        for found, after, before, total, parts in (
            (roc, upto[2], carried[2], positives, PARTS),
            (roc, upto[1] - upto[2], carried[1] - carried[2], whole - positives, PARTS),
            (bins, upto[1], carried[1], whole, BINS),
        ):
            found.append(upto[:, _crossings(after, float(before), total, parts)])
        carried = upto[:, -1]
        places = np.clip(p * BINS, 0, BINS - 1).astype(np.intp)
        histogram += [np.bincount(places, one, BINS) for one in (u, w - u)]
    roc.append(carried[:, None])
    bins.append(carried[:, None])
    points = np.unique(np.concatenate(roc, axis=1), axis=1)
    steps = np.unique(np.concatenate(bins, axis=1), axis=1)
    tenths = steps[:, np.unique(np.searchsorted(steps[1], np.linspace(0, whole, 11) * (1.0 - 1e-9)))]
    size, inside = np.diff(steps), np.diff(tenths)
    above = points[:, 1:]
    return {
        "reliability": _listed(prediction=size[3] / size[1], label=size[2] / size[1], examples=size[0]),
        "roc": _listed(
            false_positive_rate=(points[1] - points[2]) / (whole - positives), true_positive_rate=points[2] / positives
        ),
        "precision_recall": _listed(recall=above[2] / positives, precision=above[2] / above[1]),
        "lift": _listed(
            share=tenths[1, 1:] / whole,
            lift=inside[2] / inside[1] / (positives / whole),
            gain=tenths[2, 1:] / positives,
        ),
        "histogram": _listed(positive=histogram[0] / positives, negative=histogram[1] / (whole - positives)),
    }


def _crossings(after: Array, before: float, total: float, parts: int) -> Any:
    """Where a rising sum first reaches a multiple of total / parts."""
    share = np.floor(np.append(before, after) / total * parts + 1e-9)
    return np.flatnonzero(np.diff(share) > 0)


def _listed(**columns: Array) -> dict[str, list[float]]:
    return {name: np.round(values, DIGITS).tolist() for name, values in columns.items()}
