"""Asking a model about real examples, one by one and as one batch."""

from __future__ import annotations

import errno
import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
import tensorflow as tf
from tensorflow_serving.apis import prediction_log_pb2

from components.probe.ask import ask, main
from components.probe.plan import ProbePlan
from models.recipe.errors import InputError

TASKS = {"click": "binary", "value": "regression"}
AGES = [0.0, 1.0, None, -2.0, 0.5]


PLAN: dict[str, Any] = {"tasks": TASKS, "tolerance": 1e-5, "score": "click + 0.001 * value", "page": 50}


def report(model: Path, examples: Path, warm_up: Path | None = None, **changes: Any) -> dict[str, Any]:
    files = [str(path) for path in sorted(examples.glob("*/*.parquet"))]
    plan = ProbePlan.model_validate({**PLAN, **changes})
    return ask(str(model / "Format-Serving"), files, plan, None if warm_up is None else str(warm_up))


def test_a_good_model_has_no_faults(export: Callable[..., Path], examples: Path, tmp_path: Path) -> None:
    made = report(export(), examples, tmp_path / "warm_up", max_latency_ms=10_000, max_size_mib=10)
    assert (made["requests"], made["faults"]) == (5, [])
    assert 0 < made["latency_ms"]["p50"] <= made["latency_ms"]["p99"] < 10_000
    assert 0.001 < made["size_mib"] < 1
    asked = [
        prediction_log_pb2.PredictionLog.FromString(record.numpy()).predict_log.request
        for record in tf.data.TFRecordDataset(str(tmp_path / "warm_up"))
    ]
    assert [request.model_spec.signature_name for request in asked] == ["serving_default", "raw", "rank"] * 2
    ages = tf.make_ndarray(asked[-1].inputs["age"])
    np.testing.assert_array_equal(ages, np.array([np.nan if age is None else age for age in AGES], "f4"))


def test_beyond_the_recipes_limits(export: Callable[..., Path], examples: Path, tmp_path: Path) -> None:
    slow, large = report(export(), examples, tmp_path / "warm_up", max_latency_ms=1e-6, max_size_mib=1e-6)["faults"]
    assert slow.startswith("ranking 50 candidates took ") and "more than serving.max_latency_ms: 1e-06" in slow
    assert large.startswith("the model's files have ") and "more than serving.max_size_mib: 1e-06" in large
    assert not (tmp_path / "warm_up").exists()


def test_another_answer_by_name_than_by_example(export: Callable[..., Path], examples: Path) -> None:
    found = report(export(named=lambda age: age + 0.01), examples)["faults"]
    assert found[0].startswith("raw, as one batch: task 'click'")
    assert any(fault.startswith("rank, user of example 0: task 'click'") for fault in found)


def test_another_answer_with_many_candidates(export: Callable[..., Path], examples: Path) -> None:
    model = export(named=lambda age: age + tf.where(tf.size(age) > 100, 0.1, 0.0))
    click, value = sorted(report(model, examples)["faults"])
    assert click.startswith(
        "rank, 2,000 candidates: task 'click': 2000 of 2000 answers differ from the serving_default's"
    )
    assert "task 'value'" in value


def test_another_score_than_the_recipes(export: Callable[..., Path], examples: Path) -> None:
    (fault,) = report(export(score=lambda click, value: click), examples)["faults"]
    assert fault.startswith("rank, user of example 0: task 'score': 4 of 5 answers differ from the formula's")


def test_a_score_that_is_no_number(export: Callable[..., Path], examples: Path) -> None:
    (fault,) = report(export(score=lambda click, value: click / 0), examples)["faults"]
    assert "the score and the formula 'click + 0.001 * value' are not finite at the same candidates" in fault


def test_a_model_without_the_signatures(export: Callable[..., Path], examples: Path) -> None:
    model = export()
    for part in (model / "Format-Serving").iterdir():
        if part.is_dir() and part.name != "assets.extra":
            shutil.rmtree(part)
    module = tf.Module()
    module.f = tf.function(lambda examples: {"x": examples}, input_signature=[tf.TensorSpec((None,), tf.string)])
    tf.saved_model.save(module, str(model / "Format-Serving"), signatures={"own": module.f})
    with pytest.raises(InputError, match=r"with a signature 'serving_default', found \['own'\]"):
        report(model, examples)


def test_another_prediction_than_the_trainers(export: Callable[..., Path], examples: Path) -> None:
    model = export(expected={"value": [0.0, 100.0, 700.0, -200.1, 50.0]})
    found = report(model, examples)["faults"]
    assert len(found) == 2 and found[0].startswith("one by one: task 'value': 1 of 5") and "as one batch" in found[1]
    assert "example 30: served -200, trainer -200.1" in found[0]
    assert report(model, examples, tolerance=0.001)["faults"] == []


def test_an_answer_that_depends_on_the_rest_of_the_batch(export: Callable[..., Path], examples: Path) -> None:
    model = export(value=lambda age: 100 * age + tf.cast(tf.size(age) - 1, tf.float32))
    (fault,) = report(model, examples)["faults"]
    assert fault.startswith("as one batch: task 'value': 5 of 5 answers differ from the trainer's")


@pytest.mark.parametrize(
    ("broken", "message"),
    [
        ({"click": lambda age: age * 0.01 + 1}, "an empty request: task 'click': expected probabilities"),
        (
            {"value": lambda age: tf.where(age == 7.0, float("nan"), 100 * age)},
            "an empty request: task 'value': 1 of 1 answers are not finite",
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
        "plan": PLAN,
        "warm_up": None,
    }
    (tmp_path / "question.json").write_text(json.dumps(question))
    main(str(tmp_path / "question.json"), str(tmp_path / "answer.json"))
    answer = json.loads((tmp_path / "answer.json").read_text())
    assert (
        answer["requests"] == 0 and "1 of 5 examples that the trainer predicted are missing in" in answer["faults"][0]
    )


OF_THE_MACHINE: dict[str, BaseException] = {
    "memory": MemoryError("1 TiB"),
    "memory, says NumPy": np._core._exceptions._ArrayMemoryError((2**50,), np.dtype("f4")),  # type: ignore[attr-defined]
    "memory, says Arrow": pa.ArrowMemoryError("malloc"),
    "memory, says TensorFlow": tf.errors.ResourceExhaustedError(None, None, "OOM"),
    "a disk that is full": OSError(errno.ENOSPC, "No space left on device"),
    "a file system that is away": OSError(errno.ESTALE, "Stale file handle"),
    "a broken installation": ModuleNotFoundError("No module named 'tensorflow'"),
}
OF_THE_MODEL: dict[str, BaseException] = {
    "a file that is cut off": OSError("Cannot parse file saved_model.pb"),
    "an operation that is unknown": tf.errors.NotFoundError(None, None, "Op type not registered"),
    "a shape that is wrong": tf.errors.InvalidArgumentError(None, None, "shapes"),
    "a signature that is missing": KeyError("rank"),
    "notes that are odd": ValueError("odd"),
}


def told(error: BaseException, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Asks a model that ends in this error, and gives the file for the answer."""

    def raising(**arguments: Any) -> None:
        raise error

    monkeypatch.setattr("components.probe.ask.ask", raising)
    (tmp_path / "question").write_text(json.dumps({"plan": PLAN}))
    main(str(tmp_path / "question"), str(tmp_path / "answer"))
    return tmp_path / "answer"


@pytest.mark.parametrize("case", OF_THE_MACHINE)
@pytest.mark.parametrize("behind", [False, True])
def test_an_error_of_the_machine_is_no_answer(
    case: str, behind: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    error = OF_THE_MACHINE[case]
    if behind:
        cause, error = error, ValueError("the model cannot be read")
        error.__cause__ = cause
    with pytest.raises(type(error)):
        told(error, tmp_path, monkeypatch)
    assert not (tmp_path / "answer").exists()


@pytest.mark.parametrize("case", OF_THE_MODEL)
def test_an_error_of_the_model_is_an_answer(case: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    error = OF_THE_MODEL[case]
    answer = json.loads(told(error, tmp_path, monkeypatch).read_text())
    assert answer == {"requests": 0, "faults": [f"the model failed: {type(error).__name__}: {error}"]}
