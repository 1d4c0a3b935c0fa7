"""The retrieval model compared with the best other method, in words for the console and the report."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any


def against_the_best(
    methods: Mapping[str, Mapping[str, Any]], metric: str, differences: Mapping[str, Mapping[str, Any]]
) -> tuple[float, str, str] | None:
    """The model less the best other method: the difference, its words with half of the 95 % interval, and the method's key.

    Args:
        methods: method -> metric -> value.
        metric: a recall.
        differences: as in retrieval.json; may be empty.

    Returns:
        None if the model or every other method has no value.
    """
    values = {method: metrics[metric] for method, metrics in methods.items() if metrics.get(metric) is not None}
    ours = values.pop("two_tower", None)
    if ours is None or not values:
        return None
    best = max(values, key=lambda method: values[method])
    change = ours - values[best]
    bounds = differences.get(metric, {}).get(best)
    half = f" ± {(bounds['upper'] - bounds['lower']) / 2.0:.4f}" if bounds else ""
    return change, f"{abs(change):.4f}{half} {'above' if change >= 0 else 'below'} the best other method", best
