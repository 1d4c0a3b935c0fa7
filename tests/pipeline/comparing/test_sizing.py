"""Networks of the same size: by hand, and for every architecture."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pytest

from components.references.training import network_of
from models.architectures import ARCHITECTURES
from models.features.layout import FeatureLayout
from models.recipe.registry import signature
from models.training.plan import TaskPlan, TrainerPlan
from pipeline.comparing.sizing import TOLERANCE, matched_options, scaled

from linear_plan import linear_plan  # isort: skip

BUDGET = 12_000
LAYOUT = FeatureLayout(tables={}, categorical=(), multivalued={}, numeric=tuple(f"x{number}" for number in range(24)))
TASKS = {
    "click": TaskPlan(kind="binary", loss="binary_crossentropy", weight=1.0),
    "buy": TaskPlan(kind="binary", loss="binary_crossentropy", weight=1.0, after="click"),
    "spent": TaskPlan(kind="regression", loss="squared_error", weight=1.0, after="buy"),
}


def test_scaled_layers_are_whole_and_at_least_1() -> None:
    options = {"units": (64, 3), "tower_units": (), "mask_units": 8, "experts": 4}
    assert scaled(options, 0.1) == {"units": (6, 1), "tower_units": (), "mask_units": 1, "experts": 4}


def test_the_nearest_layers_by_hand() -> None:
    """10 u + 5 units, from a budget of 123: u = 12 has 125, u = 11 has 115."""
    found = matched_options({"units": (64,), "experts": 5}, lambda options: 10.0 * options["units"][0] + 5, 123.0)
    assert found == {"units": (12,), "experts": 5}


def test_single_layers_move_if_scaling_all_is_too_coarse() -> None:
    """100 a + b: all layers together reach 1010 (10, 10) or 1111; the budget of 1061 is the last layer's affair."""
    found = matched_options(
        {"units": (8, 8)}, lambda options: 100.0 * options["units"][0] + 25 * options["units"][1], 1150.0
    )
    a, b = found["units"]
    assert abs(100 * a + 25 * b - 1150) == 0


def test_without_layers_and_at_the_budget_nothing_changes() -> None:
    assert matched_options({"units": ()}, lambda options: 1.0, 100.0) == {"units": ()}
    assert matched_options({"units": (7,)}, lambda options: 100.0, 100.0) == {"units": (7,)}


@pytest.mark.parametrize("architecture", [name for name in ARCHITECTURES if name != "linear"])
def test_every_architecture_comes_within_the_tolerance(architecture: str) -> None:
    plan: TrainerPlan = linear_plan(TASKS).model_copy(update={"architecture": architecture})
    options = {name: default for name, (_, default) in signature(ARCHITECTURES[architecture]).items()}

    def size_of(options: Mapping[str, Any]) -> float:
        return network_of(plan.model_copy(update={"options": dict(options)}), LAYOUT).parameters

    matched = matched_options(options, size_of, BUDGET)
    assert abs(size_of(matched) / BUDGET - 1.0) <= TOLERANCE, (matched, size_of(matched))
