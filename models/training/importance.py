"""Permutation importance: by how much the loss of each task rises if a raw column has the values of other examples."""

from __future__ import annotations

import logging
from collections.abc import Iterator, Mapping
from typing import Any

import keras
import numpy as np
import tensorflow as tf

from models.features.input_pipeline import Columns
from models.features.layout import FeatureLayout, features_of, part_of
from models.training.multi_task_model import MultiTaskModel
from models.training.task_scales import constant_loss, mean_loss
from models.training.validation import observed_tasks

logger = logging.getLogger(__name__)

REPEATS = 2
EXAMPLES = 20_000
"""Largest number of examples whose values are permuted."""
BUDGET = 4_000_000
"""Largest number of predictions of an example: columns x REPEATS x examples. Beyond it, nothing is computed."""


def importance(
    model: MultiTaskModel,
    layout: FeatureLayout,
    columns: Columns,
    columns_of: Mapping[str, str],
    seed: int,
    batch_size: int,
) -> dict[str, Any]:
    """Permutes the values of each raw column among examples of a split, and measures the losses.

        rise_tc = (loss of t with c permuted - loss of t) / loss of t's constant

    All features that read a raw column are permuted together, so that the network does not find the value in the other one.
    The loss is the weighted mean over the observed examples. For a loss that can be negative the rise is the difference. 0: the
    task does without the column, or finds the same in others.

    Breiman, Random Forests, Machine Learning 2001 (https://doi.org/10.1023/A:1010933404324); Fisher et al., All Models are
    Wrong, but Many are Useful, JMLR 2019 (https://arxiv.org/abs/1801.01489).

    Args:
        model: trained model.
        layout: feature layout.
        columns: the split. Of more than `EXAMPLES` examples, as many are drawn, with whole groups if it has groups.
        columns_of: {feature: raw column}. A feature that is not in it is a column of its own.
        seed: seed of the draw and of the permutations. All columns have the same permutations.
        batch_size: examples per step.

    Returns:
        {"rises": {raw column: {task: [rise of each repeat]}}, "examples": number of permuted examples}, with the tasks that are
        observed; {} if it would take more than `BUDGET` predictions.
    """
    groups = grouped(layout, columns_of)
    count = min(EXAMPLES, len(columns.labels))
    if len(groups) * REPEATS * count > BUDGET:
        logger.info(
            "No importance of the columns: %d columns x %d repeats x %d examples are more than %d predictions.",
            *(len(groups), REPEATS, count, BUDGET),
        )
        return {}
    chosen = draw(columns, count, np.random.default_rng([seed, 0]))
    arrays = {name: np.asarray(array[chosen]) for name, array in columns.arrays.items()}
    labels, weights = np.asarray(columns.labels[chosen]), np.asarray(columns.weights[chosen])
    of_group = None if columns.groups is None else columns.groups[chosen]
    observed = observed_tasks(model.tasks, weights)
    measure = _Losses(model, labels, weights, of_group, arrays, batch_size)
    before = measure.of(arrays)
    constants = measure.constants()
    negative = {task for task, loss in zip(model.tasks, model.loss_functions, strict=True) if loss.negative}
    rises: dict[str, dict[str, list[float]]] = {column: {task: [] for task in observed} for column in groups}
    for repeat in range(REPEATS):
        order = np.random.default_rng([seed, 1 + repeat]).permutation(len(chosen))
        for column, places in groups.items():
            after = measure.of(permuted(arrays, places, order))
            for task in observed:
                unit = 1.0 if task in negative or constants[task] <= 0.0 else constants[task]
                rises[column][task].append((after[task] - before[task]) / unit)
    return {"rises": rises, "examples": len(chosen)}


def grouped(layout: FeatureLayout, columns_of: Mapping[str, str]) -> dict[str, dict[str, list[int]]]:
    """{raw column: {packed array: positions of its columns}}, in the order of the layout's features.

    Args:
        layout: feature layout.
        columns_of: {feature: raw column}.
    """
    found: dict[str, dict[str, list[int]]] = {}
    for feature in features_of(layout):
        part = part_of(layout, [feature])
        places = found.setdefault(columns_of.get(feature, feature), {})
        for name, every, own in (
            ("categorical", layout.categorical, part.categorical),
            ("numeric", layout.numeric, part.numeric),
        ):
            if own:
                places.setdefault(name, []).extend(every.index(one) for one in own)
        for name, (_, _, width) in part.multivalued.items():
            places.setdefault(f"multivalued/{name}", []).extend(range(width))
    return found


def permuted(
    arrays: Mapping[str, np.ndarray], places: Mapping[str, list[int]], order: np.ndarray
) -> dict[str, np.ndarray]:
    """The arrays with some columns in another order of the examples.

    Args:
        arrays: packed columns.
        places: {packed array: positions of the columns to permute}.
        order: (example,), a permutation.
    """
    changed = dict(arrays)
    for name, positions in places.items():
        changed[name] = arrays[name].copy()
        changed[name][:, positions] = arrays[name][order][:, positions]
    return changed


def draw(columns: Columns, count: int, random: np.random.Generator) -> np.ndarray:
    """Ascending positions of `count` examples of a split. With groups, all groups but one are drawn whole."""
    if columns.groups is None:
        return np.sort(random.permutation(len(columns.labels))[:count])
    place = random.permutation(int(columns.groups.max(initial=0)) + 1)[columns.groups]
    return np.sort(np.argsort(place, kind="stable")[:count])


class _Losses:
    """The losses of a model on the same examples with other features. The model is traced once."""

    def __init__(
        self,
        model: MultiTaskModel,
        labels: np.ndarray,
        weights: np.ndarray,
        groups: np.ndarray | None,
        arrays: Mapping[str, np.ndarray],
        batch_size: int,
    ) -> None:
        self._model, self._labels, self._weights, self._groups = model, labels, weights, groups
        self._batch_size = batch_size
        specs = {
            name: tf.TensorSpec((None, *array.shape[1:]), tf.as_dtype(array.dtype)) for name, array in arrays.items()
        }

        @tf.function(input_signature=[specs], autograph=False)
        def logits(features: dict[str, Any]) -> dict[str, Any]:
            return dict(model(features, training=False))

        self._logits = logits

    def of(self, arrays: Mapping[str, np.ndarray]) -> dict[str, float]:
        """{task: weighted mean loss}; 0 for a task that is not observed."""
        parts: dict[str, list[np.ndarray]] = {task: [] for task in self._model.tasks}
        for batch in self._batches(arrays):
            for task, values in self._logits(batch).items():
                parts[task].append(keras.ops.convert_to_numpy(values))
        return {
            task: mean_loss(loss, np.concatenate(parts[task]), self._labels[:, i], self._weights[:, i], self._groups)
            for i, (task, loss) in enumerate(zip(self._model.tasks, self._model.loss_functions, strict=True))
        }

    def constants(self) -> dict[str, float]:
        """{task: loss of its constant}."""
        model = self._model
        return {
            task: constant_loss(loss, logits, self._labels[:, i], self._weights[:, i], self._groups)
            for i, (task, loss, logits) in enumerate(
                zip(model.tasks, model.loss_functions, model.scales.best_constants, strict=True)
            )
        }

    def _batches(self, arrays: Mapping[str, np.ndarray]) -> Iterator[dict[str, tf.Tensor]]:
        for start in range(0, len(self._labels), self._batch_size):
            yield {name: tf.constant(array[start : start + self._batch_size]) for name, array in arrays.items()}
