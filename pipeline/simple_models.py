"""The ranker beside simple models, for the console and the report: the constant, the linear model, the single-task twins."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, get_args

from models.recipe.evaluation import Reference

NAMES: tuple[Reference, ...] = get_args(Reference)
"""The references in the order of the tables."""

HEADINGS = {"linear": "Linear model", "single_task": "Single-task twin"}
"""Reference -> heading of its column in the report."""

BEATEN = {True: "yes", False: "NO", None: "-"}
"""Whether the model is better than a simple one, as the console says it."""

AGAINST_CONSTANT = (
    "Try: check the task's labels and features, and its curve in the report; lower training.learning_rate; give the task more positives "
    "by a longer window or more days."
)
AGAINST_LINEAR = (
    "Try: a smaller network (model.options), training.weight_decay, or more days of logs; the features may hold no more than the linear "
    "model finds."
)


def compared(metrics: Mapping[str, Any], name: str) -> dict[str, tuple[str, float | None]]:
    """The values of a reference: task -> (the metric that is compared, the reference's value).

    Args:
        metrics: metrics.json of the evaluation, or its `references` under this key.
        name: name of the reference.
    """
    references = metrics.get("references") or {}
    return {
        task: (about["metric"], references[name].get(task, {}).get(about["metric"]))
        for task, about in _differences(metrics, name).items()
    }


def better(metrics: Mapping[str, Any], name: str, task: str) -> bool | None:
    """Whether the model is better than a reference in the compared metric; None if a value is missing."""
    loss = _difference(metrics, name, task).get("loss")
    return None if loss is None else loss < 0


def verdict(metrics: Mapping[str, Any], name: str, task: str) -> str:
    """Whether the model is better than a reference: "yes", "NO", "unclear" if the 95 % interval contains 0, or "-"."""
    about = _difference(metrics, name, task)
    if about.get("lower") is not None and about["lower"] <= 0.0 <= about["upper"]:
        return "unclear"
    return BEATEN[better(metrics, name, task)]


def complaints(metrics: Mapping[str, Any]) -> list[str]:
    """One line for each simple model that a task does not beat, with what to try.

    Args:
        metrics: metrics.json, or another mapping with its `constant` and `references`.
    """
    lines = []
    worse = [task for task, values in (metrics.get("constant") or {}).items() if values["beaten"] is False]
    if worse:
        lines.append(
            f"no better than the constant (the task's mean label in the train split): {', '.join(worse)}. {AGAINST_CONSTANT}"
        )
    linear = {
        task: about
        for task, about in _differences(metrics, "linear").items()
        if better(metrics, "linear", task) is False
    }
    if linear:
        words = (f"{task} ({about['metric']} {_worse(about)})" for task, about in linear.items())
        lines.append(f"no better than the linear model: {', '.join(words)}. {AGAINST_LINEAR}")
    return lines


def sizes(metrics: Mapping[str, Any]) -> str:
    """The network parameters of the model and of the references, as a sentence; "" without references."""
    about = (metrics.get("references") or {}).get("about") or {}
    if not about.get("references"):
        return ""
    sizes = {about["model"]["architecture"]: about["model"], **about["references"]}
    listed = ", ".join(f"{name} {entry['network_parameters']:,}" for name, entry in sizes.items())
    return f"Network parameters (without the embedding tables): {listed}."


def _differences(metrics: Mapping[str, Any], name: str) -> Mapping[str, Mapping[str, Any]]:
    """The differences from a reference, by task."""
    return ((metrics.get("references") or {}).get("differences") or {}).get(name) or {}


def _difference(metrics: Mapping[str, Any], name: str, task: str) -> Mapping[str, Any]:
    return _differences(metrics, name).get(task) or {}


def _worse(about: Mapping[str, Any]) -> str:
    if not about["loss"]:
        return "equal"
    if about["lower"] is None:
        return f"{about['loss']:.4f} worse"
    return f"{about['loss']:.4f} worse, 95 % interval {about['lower']:.4f} to {about['upper']:.4f}"
