"""Asking a model about real examples, one by one and as one batch."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import tensorflow as tf

from components.probe.ask import ask, main

TASKS = {"click": "binary", "value": "regression"}


def report(model: Path, examples: Path, tolerance: float = 1e-5, tasks: dict[str, str] = TASKS) -> dict[str, Any]:
    files = [str(path) for path in sorted(examples.glob("*/*.parquet"))]
    return ask(str(model / "Format-Serving"), files, tasks, tolerance)


def test_a_good_model_has_no_faults(export: Callable[..., Path], examples: Path) -> None:
    assert report(export(), examples) == {"requests": 5, "faults": []}


def test_another_prediction_than_the_trainers(export: Callable[..., Path], examples: Path) -> None:
    model = export(expected={"value": [0.0, 100.0, 700.0, -200.1, 50.0]})
    found = report(model, examples)["faults"]
    assert len(found) == 2 and found[0].startswith("one by one: task 'value': 1 of 5") and "as one batch" in found[1]
    assert "example 30: served -200, trainer -200.1" in found[0]
    assert report(model, examples, tolerance=0.001)["faults"] == []


def test_an_answer_that_depends_on_the_rest_of_the_batch(export: Callable[..., Path], examples: Path) -> None:
    model = export(value=lambda age: 100 * age + tf.cast(tf.size(age) - 1, tf.float32))
    (fault,) = report(model, examples)["faults"]
    assert fault.startswith("as one batch: task 'value': 5 of 5 answers are not what the trainer predicted")


@pytest.mark.parametrize(
    ("broken", "message"),
    [
        ({"click": lambda age: age * 0.01 + 1}, "a request with nothing in it: task 'click': expected probabilities"),
        (
            {"value": lambda age: tf.where(age == 7.0, float("nan"), 100 * age)},
            "a request with nothing in it: task 'value': 1 of 1 answers are not finite",
        ),
        (
            {"value": lambda age: tf.where(age == 1.0, float("inf"), 100 * age)},
            "request 1 (example 10): task 'value': 1 of 1 answers are not finite",
        ),
        ({"value": lambda age: age[:, tf.newaxis]}, "task 'value': expected answers of shape (1,), received (1, 1)"),
    ],
)
def test_answers_that_cannot_be_right(
    export: Callable[..., Path], examples: Path, broken: dict[str, Any], message: str
) -> None:
    assert message in report(export(**broken), examples)["faults"][0]


def test_a_task_that_the_model_does_not_know(export: Callable[..., Path], examples: Path) -> None:
    found = report(export(), examples, tasks={"click": "binary"})["faults"]
    assert "expected answers for tasks ['click'], received ['click', 'value']" in found[0]


def test_what_a_person_can_act_on_is_a_fault_and_no_traceback(
    export: Callable[..., Path], examples: Path, tmp_path: Path
) -> None:
    model = export(example_ids=[0, 10, 20, 30, 999])
    question = {
        "model": str(model / "Format-Serving"),
        "files": [str(path) for path in examples.glob("*/*.parquet")],
        "tasks": TASKS,
        "tolerance": 1e-5,
    }
    (tmp_path / "question.json").write_text(json.dumps(question))
    main(str(tmp_path / "question.json"), str(tmp_path / "answer.json"))
    answer = json.loads((tmp_path / "answer.json").read_text())
    assert answer["requests"] == 0 and "1 of 5 examples that the trainer predicted are not among" in answer["faults"][0]
