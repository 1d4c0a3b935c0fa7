"""The best blessed values: a limit that does not move down with each night's baseline.

Each blessed evaluation copies the record of the previous one and replaces the values that it improves. So the record of the
newest blessed model covers all earlier models, even if their files are gone.
"""

from __future__ import annotations

import dataclasses
import json
import os
from collections.abc import Iterable, Mapping

from components.evaluation.plan import EvaluationPlan, TaskPlan
from components.storage.finding import exists
from components.storage.reading import read_text
from components.storage.writing import write_text
from models.recipe.section import Scalar
from models.recipe.tasks import LOWER_IS_BETTER

FILE = "best.json"


@dataclasses.dataclass(frozen=True, kw_only=True)
class Best:
    """The best value, and the location of its model."""

    value: float
    model: str


Record = Mapping[str, Best]


def loss_to(metric: str, value: float, other: float) -> float:
    """How much worse a value is than another one, in the metric's unit; negative if it is better.

    AUC and similar metrics: other - value. log_loss, rmse, mae: value - other. calibration: |value - 1| - |other - 1|.
    """
    if metric == "calibration":
        return abs(value - 1.0) - abs(other - 1.0)
    return value - other if metric in LOWER_IS_BETTER else other - value


def place_of(
    plan: EvaluationPlan, task: str, about: TaskPlan, metric: str, slice_: Mapping[str, Scalar] | None = None
) -> str:
    """The key of a value in the record. Values with the same key are comparable.

    It consists of the metric, the task, its definition, the slice, and for gauc the groups.
    """
    groups = plan.group_key if metric == "gauc" else None
    return json.dumps([metric, task, about.definition, dict(sorted((slice_ or {}).items())), groups])


def improved(record: Record, values: Mapping[str, float], model: str) -> dict[str, Best]:
    """The record with a model's better values. If values are equal, the older one stays."""
    found = dict(record)
    for place, value in values.items():
        metric = json.loads(place)[0]
        if place not in found or loss_to(metric, value, found[place].value) < 0:
            found[place] = Best(value=value, model=model)
    return found


def to_text(record: Record) -> str:
    """The record as JSON text."""
    return json.dumps({place: dataclasses.asdict(best) for place, best in sorted(record.items())}, allow_nan=False)


def from_text(text: str) -> dict[str, Best]:
    """The record that `to_text` wrote; empty for an empty text."""
    return {place: Best(**best) for place, best in json.loads(text or "{}").items()}


def read_kept(folder: str) -> dict[str, Best]:
    """The record in a folder, used without a metadata store; empty if there is none."""
    path = os.path.join(folder, FILE)
    return from_text(read_text(path)) if exists(path) else {}


def keep(record: Record, folder: str) -> None:
    """Writes the record to the folder, atomically."""
    write_text(os.path.join(folder, FILE), to_text(record))


def metrics_on_record(about: TaskPlan) -> Iterable[tuple[str, Mapping[str, Scalar]]]:
    """The recorded values of a task: its metrics overall, and those of its gates on their slices."""
    yield from ((metric, {}) for metric in about.metrics)
    yield from ((gate.metric, gate.slice) for gate in about.gates)
