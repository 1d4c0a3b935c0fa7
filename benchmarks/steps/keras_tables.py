"""The peer of the embedding tables: a plain Keras model, trained by Keras' own step."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import keras

from benchmarks.steps.problem import TASKS, StepProblem
from models.architectures import ARCHITECTURES
from models.architectures.encoded import Encoded
from models.architectures.task_info import TaskInfo
from models.recipe.registry import load


class KerasTables(keras.Model):
    """One Embedding per table, and our architecture on top.

    Call: {"categorical": (batch, feature)} -> {task: (batch,) logits}.
    """

    def __init__(self, problem: StepProblem) -> None:
        super().__init__()
        self.tables = [keras.layers.Embedding(problem.table_rows, problem.dim) for _ in range(problem.table_count)]
        self.reads = [problem.table_of(feature) for feature in range(problem.features)]
        self.network = load(ARCHITECTURES[problem.architecture])(
            tuple(TaskInfo(name=task) for task in TASKS), **problem.options()
        )

    def call(self, features: Mapping[str, Any], training: bool | None = None) -> dict[str, Any]:
        ids = features["categorical"]
        x = keras.ops.concatenate([self.tables[table](ids[:, i]) for i, table in enumerate(self.reads)], axis=-1)
        return self.network(Encoded(x), training=training)


def keras_tables(problem: StepProblem) -> keras.Model:
    """The peer, compiled with Adam over everything."""
    model = KerasTables(problem)
    model.compile(
        optimizer=keras.optimizers.Adam(0.001),
        loss={task: keras.losses.BinaryCrossentropy(from_logits=True) for task in TASKS},
        jit_compile=True,
    )
    return model
