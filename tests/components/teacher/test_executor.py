"""The stage Teacher: predictions of a blessed model for the train split, or none, and why."""

from __future__ import annotations

import json
import logging
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from tfx import types
from tfx.types import standard_artifacts

from components.teacher.executor import Executor
from models.training.teacher_file import PREDICTIONS, read_predictions

KINDS = {"click": "binary", "value": "regression", "order": "binary"}


def run(tmp_path: Path, split: Any, models: list[types.Artifact], served: str = "") -> tuple[dict[str, Any], int]:
    """The predictions, and whether the artifact says that there are some."""
    folder = Path(split.examples.uri)
    if not (folder / "Split-train").exists():
        shutil.copytree(folder / "Split-eval", folder / "Split-train")
    output = standard_artifacts.Model()
    output.uri = str(tmp_path / "output")
    Executor().Do(
        {"examples": [split.examples], "model": models},
        {"teacher": [output]},
        {"tasks": json.dumps(KINDS), "code": "1", "served": served},
    )
    path = tmp_path / "output" / "Format-Serving" / PREDICTIONS
    return read_predictions(path, np.sort(split.arrays["example_id"])), output.get_int_custom_property("found")


def test_the_blessed_model_predicts_the_raw_train_examples(
    tmp_path: Path, make_split: Callable[..., Any], make_model: Callable[..., types.Artifact]
) -> None:
    """With the logged values of a feature that is served as a constant; `order` is new, and not predicted."""
    split = make_split(40)
    found, some = run(tmp_path, split, [make_model("blessed", 1, slope=2.0, bias=0.5, served=9.0)])
    x = split.arrays["x"]
    assert (set(found), some) == ({"click", "value"}, 1)
    np.testing.assert_allclose(found["click"], 1 / (1 + np.exp(-2 * x - 0.5)), rtol=1e-5)
    np.testing.assert_allclose(found["value"], 2 * x, rtol=1e-6)


def test_the_newest_pushed_version_where_there_is_no_metadata_store(
    tmp_path: Path, make_split: Callable[..., Any], make_model: Callable[..., types.Artifact]
) -> None:
    for number, bias in ((100, 0.0), (200, 1.0)):
        made = make_model(str(number), number, bias=bias)
        shutil.copytree(Path(made.uri) / "Format-Serving", tmp_path / "served" / str(number))
    split = make_split(40)
    found, _ = run(tmp_path, split, [], str(tmp_path / "served"))
    np.testing.assert_allclose(found["click"], 1 / (1 + np.exp(-split.arrays["x"] - 1.0)), rtol=1e-5)


@pytest.mark.parametrize(
    ("inputs", "words"),
    [
        (None, "there is no older blessed model to learn from yet"),
        ({"gone": {"type": "float", "multivalued": False}}, "reads columns that the examples no longer have: gone"),
    ],
)
def test_without_a_teacher_it_says_why(
    inputs: dict[str, Any] | None,
    words: str,
    tmp_path: Path,
    make_split: Callable[..., Any],
    make_model: Callable[..., types.Artifact],
    caplog: pytest.LogCaptureFixture,
) -> None:
    models = [] if inputs is None else [make_model("blessed", 1, inputs=inputs)]
    with caplog.at_level(logging.WARNING):
        assert run(tmp_path, make_split(40), models) == ({}, 0)
    assert "The model learns from its labels alone" in caplog.text and words in caplog.text
