from __future__ import annotations

import copy

import pytest

from components.evaluation.definition import definition_of
from models.recipe.recipe import Recipe

STREAM = {"path": "x/*.csv", "key": ["user"], "time": {"column": "at", "unit": "s"}}
GIVEN = {
    "name": "shop",
    "features": {"device": {"kind": "categorical"}},
    "logs": {"impressions": "seen", "streams": {"seen": STREAM, "click": STREAM, "buy": STREAM}},
    "split": {"eval_last": "1d"},
    "tasks": {
        "click": {"kind": "binary", "outcome": "click", "window": "1h"},
        "buy": {"kind": "binary", "outcome": "buy", "window": "1d", "conditioned_on": "click"},
    },
}


@pytest.mark.parametrize(
    ("change", "same"),
    [
        (lambda r: r["logs"]["streams"]["seen"].update(path="other/*.csv"), True),
        (lambda r: r["logs"].update(as_of="2026-01-15T00:00:00Z"), True),
        (lambda r: r["tasks"]["buy"].update(gates="none", loss="binary_crossentropy", weight=0.5), True),
        (lambda r: r.update(training={"epochs": 9}), True),
        (lambda r: r["tasks"]["buy"].update(window="2d"), False),
        (lambda r: r["tasks"]["click"].update(window="2h"), False),
        (lambda r: r["tasks"]["buy"].pop("conditioned_on"), False),
        (lambda r: r["logs"]["streams"]["seen"].update(where={"kind": ["a"]}), False),
        (lambda r: r["split"].update(eval_last="2d"), False),
        (lambda r: r.update(split={"eval_from": "2026-01-15T00:00:00Z"}), False),
    ],
)
def test_what_changes_what_a_value_means(change, same):
    changed = copy.deepcopy(GIVEN)
    change(changed)
    recipes = (Recipe.model_validate(GIVEN), Recipe.model_validate(changed))
    first, second = (definition_of(recipe, "buy") for recipe in recipes)
    assert (first == second) is same


def test_a_moment_that_moves_every_night_does_not():
    nights = ({**GIVEN, "split": {"eval_from": f"2026-01-{day}T00:00:00Z"}} for day in (15, 16))
    first, second = (definition_of(Recipe.model_validate(night), "buy") for night in nights)
    assert first == second
