"""Old keys are read as the new ones, with a line that names the new one at its place."""

from __future__ import annotations

import logging
from pathlib import Path

import pytest

from models.recipe.errors import InputError
from models.recipe.file import load_recipe
from models.recipe.recipe import Recipe
from models.recipe.renamed_keys import RENAMED

TEXT = """\
name: shop
logs:
  impressions: shown
  streams:
    shown: {path: shown.parquet, key: [user], time: {column: at, unit: s}}
    click: {path: click.parquet, key: [user], time: {column: at, unit: s}}
    order: {path: order.parquet, key: [user], time: {column: at, unit: s}}
split: {eval_fraction: 0.2}
features:
  user: {kind: categorical, side: user, vocabulary: null, hash_buckets: 10, NEW_FEATURES: true}
  item: {kind: categorical, side: item}
tasks:
  click: {kind: binary, outcome: click, window: 1h}
  order:
    kind: binary
    outcome: order
    window: 1h
    NEW_TASKS: click
model:
  NEW_MODEL: {l2: {strength: 0.5}}
training:
  NEW_OPTIMIZER: sgd
  NEW_RATE: 0.25
retrieval: {user: user, item: item, positives: {click: 1.0}, NEW_RETRIEVAL: 7}
"""
PLACES = {
    ("features", "*", "compositional"): "NEW_FEATURES",
    ("tasks", "*", "given"): "NEW_TASKS",
    ("model", "penalties"): "NEW_MODEL",
    ("training", "table_optimizer"): "NEW_OPTIMIZER",
    ("training", "table_learning_rate"): "NEW_RATE",
    ("retrieval", "max_questions"): "NEW_RETRIEVAL",
}


def load(path: Path, *, old: bool, also: str = "", overrides: tuple[str, ...] = ()) -> Recipe:
    text = TEXT + also
    for keys, mark in PLACES.items():
        text = text.replace(mark, keys[-1] if old else RENAMED[keys])
    path.write_text(text)
    return load_recipe(path, overrides)


def test_every_old_key_means_the_new_one(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    assert PLACES.keys() == RENAMED.keys()
    with caplog.at_level(logging.WARNING):
        new = load(tmp_path / "r.yaml", old=False)
        assert caplog.messages == []
        assert load(tmp_path / "r.yaml", old=True) == new
    assert [message.replace(str(tmp_path), "") for message in caplog.messages] == [
        "/r.yaml:10: features.user.compositional: the key was renamed to 'quotient_remainder'; the old name still works.",
        "/r.yaml:18: tasks.order.given: the key was renamed to 'conditioned_on'; the old name still works.",
        "/r.yaml:20: model.penalties: the key was renamed to 'regularizers'; the old name still works.",
        "/r.yaml:22: training.table_optimizer: the key was renamed to 'embedding_optimizer'; the old name still works.",
        "/r.yaml:23: training.table_learning_rate: the key was renamed to 'embedding_learning_rate'; the old name still works.",
        "/r.yaml:24: retrieval.max_questions: the key was renamed to 'max_queries'; the old name still works.",
    ]


def test_an_option_may_have_the_old_name(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    options = ("tasks.order.given=null", "model.penalties.l2.strength=2", "training={table_learning_rate: 3}")
    recipe = load(tmp_path / "r.yaml", old=False, overrides=options)
    assert recipe.tasks["order"].conditioned_on is None
    assert recipe.model.regularizers == {"l2": {"strength": 2}} and recipe.training.embedding_learning_rate == 3
    assert len(caplog.messages) == 3
    assert caplog.messages[:2] == [
        "--set tasks.order.given=null: the key was renamed to tasks.order.conditioned_on; the old name still works.",
        "--set model.penalties.l2.strength=2: the key was renamed to model.regularizers.l2.strength; the old name still works.",
    ]


def test_a_fault_inside_an_old_key_is_at_its_line(tmp_path: Path) -> None:
    with pytest.raises(
        InputError, match=r"r\.yaml:18: tasks\.order\.conditioned_on: no task is called 'klick'; did you mean 'click'"
    ):
        load_recipe(written(tmp_path / "r.yaml", "NEW_TASKS: click", "given: klick"))


def test_both_names_at_once_are_refused(tmp_path: Path) -> None:
    path = written(tmp_path / "r.yaml", "NEW_TASKS: click", "given: click\n    conditioned_on: click")
    with pytest.raises(
        InputError, match=r"r\.yaml:18: tasks\.order\.given: .*'conditioned_on', and both are present\. Remove 'given'"
    ):
        load_recipe(path)


def written(path: Path, old: str, new: str) -> Path:
    text = TEXT.replace(old, new)
    for keys, mark in PLACES.items():
        text = text.replace(mark, RENAMED[keys])
    path.write_text(text)
    return path
