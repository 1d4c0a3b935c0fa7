"""Our training step on TensorFlow, as the trainer builds it: python -m benchmarks.steps.ours QUESTION.

The question: a StepProblem, and
    precision: float32 or mixed_bfloat16.
    embedding_optimizer: a row of EMBEDDING_OPTIMIZERS, or `keras` for the peer of the tables (`benchmarks.steps.keras_tables`).
    device: cpu or gpu.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import keras
import numpy as np
import tensorflow as tf

from benchmarks.stages.door import answer, clock
from benchmarks.steps.keras_tables import keras_tables
from benchmarks.steps.problem import TASKS, StepProblem
from benchmarks.steps.tensorflow_device import choose
from models.features import input_pipeline
from models.features.layout import FeatureLayout
from models.recipe.model import Training
from models.training.build import build_model
from models.training.compiling import OPTIMIZERS
from models.training.devices import compiles
from models.training.plan import TaskPlan, TrainerPlan

_WARM_UP_STEPS = 3


def run(question: Mapping[str, Any]) -> dict[str, Any]:
    """Times `fit` over our feed.

    Returns:
        rows: examples. seconds, cpu_seconds. version. device, and device_peak_bytes of a GPU.
    """
    problem, how = StepProblem.of(question), question.get("embedding_optimizer", "adam")
    device = choose(question)
    keras.utils.set_random_seed(problem.seed)
    peer = how == "keras"
    model = keras_tables(problem) if peer else our_model(problem, question.get("precision", "float32"), how)
    found = {
        "rows": problem.examples,
        **_fit(problem, model, labels_by_task=peer),
        "version": f"tensorflow {tf.__version__}",
        "device": device,
    }
    if device != "cpu":
        found["device_peak_bytes"] = tf.config.experimental.get_memory_info("GPU:0")["peak"]
    return found


def our_model(problem: StepProblem, precision: str, embedding_optimizer: str) -> keras.Model:
    """The model as the trainer builds and compiles it."""
    plan = plan_of(problem, precision, embedding_optimizer)
    model = build_model(plan, layout_of(problem))
    model.compile(
        optimizer=OPTIMIZERS[plan.training.optimizer](learning_rate=plan.training.learning_rate),
        jit_compile=compiles(plan.training.jit_compile, precision),
        steps_per_execution=plan.training.steps_per_execution,
    )
    return model


def plan_of(problem: StepProblem, precision: str, embedding_optimizer: str) -> TrainerPlan:
    """The plan that a recipe of these sizes would give the trainer."""
    return TrainerPlan(
        tasks={task: TaskPlan(kind="binary", loss="binary_crossentropy", weight=1.0) for task in TASKS},
        architecture=problem.architecture,
        options=problem.options(),
        balancer="fixed",
        balancer_options={},
        regularizers={},
        training=Training.model_validate(
            {"batch_size": problem.batch, "precision": precision, "embedding_optimizer": embedding_optimizer}
        ),
        probe_requests=1,
        inputs={},
    )


def layout_of(problem: StepProblem) -> FeatureLayout:
    """The layout of the problem's columns of ids."""
    return FeatureLayout(
        tables={f"t{table}": (problem.table_rows, problem.dim) for table in range(problem.table_count)},
        categorical=tuple((f"f{feature}", f"t{problem.table_of(feature)}") for feature in range(problem.features)),
        multivalued={},
        numeric=(),
    )


def _fit(problem: StepProblem, model: keras.Model, *, labels_by_task: bool) -> dict[str, Any]:
    """Seconds and CPU seconds of the problem's steps, our loader included; Keras' own step wants a label for each output."""
    columns = input_pipeline.Columns(
        {"categorical": problem.ids(problem.examples)},
        problem.labels(problem.examples),
        np.ones((problem.examples, len(TASKS)), np.float32),
        np.arange(problem.examples),
        TASKS,
    )

    def batches(epoch: int, steps: int) -> tf.data.Dataset:
        data = input_pipeline.dataset(columns, problem.batch, problem.seed, epoch).take(steps)
        if not labels_by_task:
            return data
        return data.map(lambda x, y, _: (x, {task: y[:, i] for i, task in enumerate(TASKS)}))

    # All variables before the first step, as the trainer makes them.
    model({name: array[:1] for name, array in columns.arrays.items()})
    model.optimizer.build(model.trainable_variables)
    model.fit(batches(0, _WARM_UP_STEPS), verbose=0, shuffle=False)
    with clock() as seconds:
        model.fit(batches(1, problem.steps), verbose=0, shuffle=False)
    return {"seconds": seconds[0], "cpu_seconds": seconds[1]}


if __name__ == "__main__":
    answer(run)
