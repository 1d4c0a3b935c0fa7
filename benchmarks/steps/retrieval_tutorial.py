"""Two towers as the tutorials of TensorFlow Recommenders write them: python -m benchmarks.steps.retrieval_tutorial QUESTION.

A `tfrs.Model` of Keras 2 layers, trained by `fit` from a cached tf.data set. As there: no correction of popularity, and no
accidental hits removed. The query: a RetrievalProblem, and `optimizer`: `adagrad`, as in the tutorials, or `adam`.
"""

from __future__ import annotations

import time
from collections.abc import Mapping
from typing import Any

import tensorflow as tf

from benchmarks.stages.door import answer
from benchmarks.steps.retrieval_problem import ITEM, RetrievalProblem
from models.retrieval.recommenders import load_keras_2, load_recommenders

_HISTORY = "history"
_EPOCHS = 2
"""The first one fills the cache and compiles; the second is timed."""

_RATES = {"adagrad": 0.1, "adam": 0.002}


def run(question: Mapping[str, Any]) -> dict[str, Any]:
    """Times an epoch.

    Returns:
        rows: positives. seconds. loss: of a positive in the epoch's last batch. version.
    """
    problem = RetrievalProblem.of(question)
    keras_2: Any = load_keras_2()
    keras_2.utils.set_random_seed(problem.seed)
    model = _model(problem)
    optimizer = question["optimizer"]
    model.compile(
        optimizer=keras_2.optimizers.get({"class_name": optimizer, "config": {"learning_rate": _RATES[optimizer]}})
    )
    columns = {**problem.ids(), _HISTORY: problem.histories()}
    data = tf.data.Dataset.from_tensor_slices(columns).shuffle(100_000, seed=problem.seed).batch(problem.batch).cache()
    seconds: list[float] = []

    class Clock(keras_2.callbacks.Callback):
        def on_epoch_begin(self, epoch: int, logs: Any = None) -> None:
            seconds.append(-time.perf_counter())

        def on_epoch_end(self, epoch: int, logs: Any = None) -> None:
            seconds[-1] += time.perf_counter()

    losses = model.fit(data, epochs=_EPOCHS, verbose=0, callbacks=[Clock()]).history["total_loss"]
    return {
        "rows": problem.examples,
        "seconds": seconds[-1],
        "loss": float(losses[-1]) / problem.batch,
        "version": f"tensorflow-recommenders {load_recommenders().__version__}",
    }


def _model(problem: RetrievalProblem) -> Any:
    recommenders: Any = load_recommenders()
    keras_2: Any = load_keras_2()

    class Tower(keras_2.Model):
        def __init__(self, features: Mapping[str, int], history: bool) -> None:
            super().__init__()
            self.of_features = {name: keras_2.layers.Embedding(rows, problem.dim) for name, rows in features.items()}
            self.of_history = keras_2.layers.Embedding(problem.items[ITEM] + 1, problem.dim, mask_zero=True)
            self.mean = keras_2.layers.GlobalAveragePooling1D()
            self.reads_history = history
            self.hidden = keras_2.Sequential(
                [keras_2.layers.Dense(units, activation="relu") for units in problem.units]
            )
            self.out = keras_2.layers.Dense(problem.dim)

        def call(self, columns: Mapping[str, Any]) -> Any:
            vectors = [embedding(columns[name]) for name, embedding in self.of_features.items()]
            if self.reads_history:
                vectors.append(self.mean(self.of_history(columns[_HISTORY] + 1)))
            return self.out(self.hidden(tf.concat(vectors, axis=1)))

    class TwoTowers(recommenders.Model):
        def __init__(self) -> None:
            super().__init__()
            self.users = Tower(problem.users, history=problem.history > 0)
            self.items = Tower(problem.items, history=False)
            # The task's own default, of the Keras that the package is made of.
            loss = keras_2.losses.CategoricalCrossentropy(from_logits=True, reduction="sum")
            self.task = recommenders.tasks.Retrieval(loss=loss)

        def compute_loss(self, inputs: Mapping[str, Any], training: bool = False) -> Any:
            return self.task(self.users(inputs), self.items(inputs), compute_metrics=False)

    return TwoTowers()


if __name__ == "__main__":
    answer(run)
