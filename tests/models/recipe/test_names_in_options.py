"""Names in the parts of an option, however deep."""

from __future__ import annotations

from typing import Any

import pytest

from models.recipe import names_in_options, registry
from models.recipe.names_in_options import names_in, only_names


@pytest.mark.parametrize(
    ("annotation", "value", "tasks", "features"),
    [
        ("TaskName", "click", ["click"], []),
        ("TaskNames", ("click", "cart"), ["click", "cart"], []),
        ("FeatureNames", ["age"], [], ["age"]),
        ("TasksByTask", {"order": ("click", "cart"), "cart": ()}, ["order", "cart", "click", "cart"], []),
        ("LayersByTask", {"order": (8, 4)}, ["order"], []),
        ("LevelByTask", {"order": 1}, ["order"], []),
        ("dict[TaskName, FeatureNames]", {"order": ["age"]}, ["order"], ["age"]),
        ("dict[FeatureName, TaskName]", {"age": "order"}, ["order"], ["age"]),
        ("dict[str, int]", {"order": 1}, [], []),
        ("dict", {"order": "click"}, [], []),
        ("Layers", (8, 4), [], []),
        ("str", "click", [], []),
    ],
)
def test_names_in(
    annotation: str, value: Any, tasks: list[str], features: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(names_in_options, "signature", lambda path: {"option": (annotation, None)})
    assert names_in("some.Class", "option", value, "task") == tasks
    assert names_in("some.Class", "option", value, "feature") == features


@pytest.mark.parametrize(
    ("annotation", "value", "left"),
    [
        ("TaskName", "click", "click"),
        ("TaskName", "cart", None),
        ("TaskNames", ["click", "cart", "order"], ["click", "order"]),
        ("TaskNames", ["cart"], None),
        ("TaskGroups", [["click", "cart"], ["cart"], ["order"]], [["click"], ["order"]]),
        ("TasksByTask", {"order": ["click", "cart"], "cart": ["click"]}, {"order": ["click"]}),
        ("TasksByTask", {"order": ["cart"], "click": []}, {"order": [], "click": []}),
        ("LayersByTask", {"order": [8, 4], "cart": [2]}, {"order": [8, 4]}),
        ("LevelByTask", {"cart": 1}, None),
        ("FeatureNames", ["cart"], ["cart"]),
        ("dict", {"cart": "cart"}, {"cart": "cart"}),
        ("Layers", [], []),
        ("str", "cart", "cart"),
    ],
)
def test_only_the_kept_names_stay(annotation: str, value: Any, left: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(names_in_options, "signature", lambda path: {"option": (annotation, None)})
    assert only_names("some.Class", "option", value, "task", {"click", "order"}) == left


@pytest.mark.parametrize(
    ("annotation", "words"),
    [
        ("LevelByTask", "dict of task to int from 1 to 16"),
        ("dict[FeatureName, float]", "dict of feature to float"),
    ],
)
def test_dicts_in_words(annotation: str, words: str) -> None:
    assert registry.in_words(annotation) == words
