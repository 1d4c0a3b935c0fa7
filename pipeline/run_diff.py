"""What differs between two runs: recipe, code, data and metrics. Pure functions on records."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Mapping
from typing import Any

from models.recipe.tasks import COUNTS
from pipeline.run_records import Record

MISSING = "-"


@dataclasses.dataclass(frozen=True, kw_only=True)
class Paired:
    """The gain of run B over run A in a metric on the same examples, with its 95 % interval; above 0, B is better."""

    gain: float
    lower: float
    upper: float

    @property
    def verdict(self) -> str:
        """ "better", "worse", or "no clear difference" if the interval contains 0."""
        if self.lower > 0:
            return "better"
        return "worse" if self.upper < 0 else "no clear difference"


def changed(a: Mapping[str, Any], b: Mapping[str, Any]) -> list[tuple[str, str, str]]:
    """The keys with different values: [(dotted key, value in A, value in B)], in the order of the mappings.

    A value is shown as JSON; "-" if the key is missing. Lists are compared as a whole.
    """
    left, right = _flat(a), _flat(b)
    keys = dict.fromkeys([*left, *right])
    return [(key, left.get(key, MISSING), right.get(key, MISSING)) for key in keys if left.get(key) != right.get(key)]


def changed_inputs(a: Record, b: Record) -> list[tuple[str, str, str]]:
    """Differences of the data and the code: [(what, in A, in B)], the code by stage."""
    return [
        (f"{part}.{key}", first, second)
        for part in ("data", "code")
        for key, first, second in changed(a.get(part) or {}, b.get(part) or {})
    ]


def compared_metrics(
    a: Record, b: Record, paired: Mapping[tuple[str, str], Paired]
) -> list[tuple[str, str, float | None, float | None, Paired | None]]:
    """[(task, metric, value in A, value in B, their paired comparison or None)] for every metric of either run."""
    left, right = a.get("metrics") or {}, b.get("metrics") or {}
    return [
        (task, metric, left.get(task, {}).get(metric), right.get(task, {}).get(metric), paired.get((task, metric)))
        for task in dict.fromkeys([*left, *right])
        for metric in dict.fromkeys([*left.get(task, {}), *right.get(task, {})])
        if metric not in COUNTS
    ]


def _flat(value: Any, key: str = "") -> dict[str, str]:
    if not isinstance(value, Mapping) or (not value and key):
        return {key: json.dumps(value, ensure_ascii=False)}
    found: dict[str, str] = {}
    for name, inner in value.items():
        found |= _flat(inner, f"{key}.{name}" if key else str(name))
    return found
