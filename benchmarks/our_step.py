"""Our training step on TensorFlow, as the trainer builds it, in a fresh process: python -m benchmarks.our_step QUESTION.

The question is a StepProblem as JSON with
    precision: float32 or mixed_bfloat16.  table_optimizer: a row of TABLE_OPTIMIZERS, or `keras` for the peer: one
    keras.layers.Embedding for each table, and Keras' Adam over everything.
    device: cpu or gpu.  rates: measure these too.
"""

from __future__ import annotations

import itertools
import json
import sys
import time
from collections.abc import Callable
from typing import Any

import keras
import numpy as np
import tensorflow as tf

from benchmarks.step_problem import TASKS, StepProblem, peak_bytes
from models import feed
from models.architectures import ARCHITECTURES
from models.devices import compiles, take_memory_as_needed
from models.encoding import Encoding
from models.recipe import Training
from models.registry import load
from models.trainer import OPTIMIZERS, build_model
from models.trainer_plan import TaskPlan, TrainerPlan


def plan_of(problem: StepProblem, precision: str = "float32", table_optimizer: str = "adam") -> TrainerPlan:
    """The plan that a recipe of these sizes would give the trainer."""
    return TrainerPlan(
        tasks={task: TaskPlan(kind="binary", loss="binary_crossentropy", weight=1.0) for task in TASKS},
        architecture=problem.architecture,
        options=problem.options(),
        balancer="fixed",
        balancer_options={},
        penalties={},
        training=Training.model_validate(
            {"batch_size": problem.batch, "precision": precision, "table_optimizer": table_optimizer}
        ),
        probe_requests=1,
        inputs={},
    )


def encoding_of(problem: StepProblem) -> Encoding:
    """The layout of the problem's columns of ids."""
    tables = problem.tables or problem.features
    return Encoding(
        tables={f"t{table}": (problem.rows, problem.dim) for table in range(tables)},
        categorical=tuple((f"f{feature}", f"t{problem.table_of(feature)}") for feature in range(problem.features)),
        multivalued={},
        numeric=(),
    )


def ours(problem: StepProblem, precision: str, table_optimizer: str) -> keras.Model:
    """The model as the trainer builds and compiles it."""
    plan = plan_of(problem, precision, table_optimizer)
    model = build_model(plan, encoding_of(problem))
    model.compile(
        optimizer=OPTIMIZERS[plan.training.optimizer](learning_rate=plan.training.learning_rate),
        jit_compile=compiles(plan.training.jit_compile, precision),
    )
    return model


class KerasTables(keras.Model):
    """The peer for the tables: what a Keras user writes, trained by Keras' own step."""

    def __init__(self, problem: StepProblem) -> None:
        super().__init__()
        tables = problem.tables or problem.features
        self.tables = [keras.layers.Embedding(problem.rows, problem.dim) for _ in range(tables)]
        self.reads = [problem.table_of(feature) for feature in range(problem.features)]
        self.network = load(ARCHITECTURES[problem.architecture])(TASKS, **problem.options())

    def call(self, features: dict[str, Any], training: bool | None = None) -> dict[str, Any]:
        ids = features["categorical"]
        x = keras.ops.concatenate([self.tables[table](ids[:, i]) for i, table in enumerate(self.reads)], axis=-1)
        return self.network(x, training=training)


def keras_own(problem: StepProblem) -> keras.Model:
    """The peer, compiled with Adam over everything."""
    model = KerasTables(problem)
    model.compile(
        optimizer=keras.optimizers.Adam(0.001),
        loss={task: keras.losses.BinaryCrossentropy(from_logits=True) for task in TASKS},
        jit_compile=True,
    )
    return model


def measure(problem: StepProblem, model: keras.Model, *, own: bool) -> dict[str, Any]:
    """Examples/s of `fit` over our feed. `own`: batches as ours are, else with the labels by task, as Keras wants."""
    rows = problem.steps * problem.batch
    columns = feed.Columns(
        {"categorical": problem.ids(rows)},
        problem.labels(rows),
        np.ones((rows, len(TASKS)), "f4"),
        np.arange(rows),
        TASKS,
    )

    def batches(epoch: int, steps: int) -> tf.data.Dataset:
        data = feed.dataset(columns, problem.batch, problem.seed, epoch).take(steps)
        if own:
            return data
        return data.map(lambda x, y, _: (x, {task: y[:, i] for i, task in enumerate(TASKS)}))

    model.fit(batches(0, 3), verbose=0, shuffle=False)
    begin = time.perf_counter()
    model.fit(batches(1, problem.steps), verbose=0, shuffle=False)
    seconds = time.perf_counter() - begin
    return {
        "examples_per_second": rows / seconds,
        "step_seconds": seconds / problem.steps,
        "peak_bytes": peak_bytes(),
    }


def rates(problem: StepProblem) -> dict[str, float]:
    """Rates in FLOP/s of the experts' matrix products, each alone, and bytes/s of a copy."""
    found: dict[str, float] = {}
    for dtype in ("float32", "bfloat16"):
        total = 0.0
        for copies, m, k, n in problem.products():
            a = tf.cast(tf.random.uniform((copies, m, k)), dtype)
            b = tf.cast(tf.random.uniform((copies, k, n)), dtype)
            total += _shortest(lambda a=a, b=b: tf.linalg.matmul(a, b))  # type: ignore[misc]
        found[dtype] = problem.flops() / total
    size = 2**29 if tf.config.list_logical_devices("GPU") else 2**26
    source = tf.zeros(size)
    found["bytes"] = 2 * 4 * size / _shortest(lambda: source + 1.0)
    return found


def _shortest(work: Callable[[], Any], repeats: int = 6) -> float:
    seconds = []
    for _ in range(repeats):
        start = time.perf_counter()
        result = work()
        # One number back to the host: the device has then finished.
        float(tf.cast(tf.reshape(result, (-1,))[0], "float32"))
        seconds.append(time.perf_counter() - start)
    return min(itertools.islice(seconds, 1, None))


def main() -> None:
    question = json.loads(sys.argv[1])
    problem, how = StepProblem.of(question), question.get("table_optimizer", "adam")
    gpus = tf.config.list_physical_devices("GPU")
    if question.get("device", "cpu") == "cpu":
        tf.config.set_visible_devices([], "GPU")
    elif not gpus:
        sys.exit("TensorFlow finds no GPU: install the `gpu` extra on a machine with one, or ask for --device cpu")
    else:
        take_memory_as_needed()
    keras.utils.set_random_seed(problem.seed)
    own = how != "keras"
    model = ours(problem, question.get("precision", "float32"), how) if own else keras_own(problem)
    answer: dict[str, Any] = {"version": f"tensorflow {tf.__version__}", **measure(problem, model, own=own)}
    if question.get("device") == "gpu":
        details = tf.config.experimental.get_device_details(gpus[0])
        answer["device"] = details.get("device_name", "GPU")
        answer["peak_bytes"] = tf.config.experimental.get_memory_info("GPU:0")["peak"]
    if question.get("rates"):
        answer["rates"] = rates(problem)
    print(json.dumps(answer))


if __name__ == "__main__":
    main()
