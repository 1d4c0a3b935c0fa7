"""The predictions and the score of a pushed ranker for Arrow tables of rows."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from pathlib import Path
from typing import Any

import pyarrow as pa
import tensorflow as tf

from models.recipe import formula
from models.serving.inference import ALIGNED, RAW, load_named
from models.serving.inputs import read_inputs
from pipeline.predicting.model_columns import WrongValueError, longest, tensors

SCORE = "score"
_MOST_VALUES = 1 << 22
"""Values of one tensor. A table with longer lists is scored in parts: the predictions of a row do not depend on the others."""


class Scorer:
    """The predictions of an exported ranker.

    Attributes:
        inputs: {column: {"type", "multivalued", "separator", ...}} that it reads.
        ignored: columns whose values it ignores, because of `served_as`.
        outputs: the tasks, and SCORE if the model says how to compute it.
    """

    def __init__(self, version: Path) -> None:
        notes = read_inputs(version)
        (self._ask,) = load_named(version, RAW)
        self._read(notes)

    def _read(self, notes: Mapping[str, Any]) -> None:
        self.ignored: Collection[str] = frozenset(notes.get("served", ()))
        self.inputs = {name: about for name, about in notes["inputs"].items() if name not in self.ignored}
        self._tasks = tuple(notes["tasks"])
        self._score, self._weights = None, {}
        # Models that were exported by an earlier gatewise have no formula in their notes.
        if notes.get("score") is not None:
            self._weights = notes["score_weights"]
            self._score = formula.parse(notes["score"], self._tasks, tuple(self._weights))
        self.outputs = (*self._tasks, *(() if self._score is None else (SCORE,)))

    def __call__(self, table: pa.Table) -> pa.RecordBatch:
        """{output: (row,) float32} of a table.

        Raises:
            WrongValueError: a value does not fit the model.
        """
        if table.num_rows > ALIGNED and table.num_rows * longest(table, self.inputs) > _MOST_VALUES:
            half = (table.num_rows // 2 // ALIGNED or 1) * ALIGNED
            parts = [self(table.slice(0, half))]
            try:
                parts.append(self(table.slice(half)))
            except WrongValueError as error:
                raise WrongValueError(half + error.row, error.what) from None
            return pa.Table.from_batches(parts).combine_chunks().to_batches()[0]
        rows = table.num_rows + -table.num_rows % ALIGNED
        answers = self._ask(tensors(table, self.inputs, rows))
        if self._score is not None:
            values = {**{task: tf.constant(answers[task]) for task in self._tasks}, **self._constants()}
            answers[SCORE] = formula.evaluate(self._score, values, _constant).numpy()
        arrays = [pa.array(answers[name][: table.num_rows], pa.float32()) for name in self.outputs]
        return pa.RecordBatch.from_arrays(arrays, names=list(self.outputs))

    def _constants(self) -> dict[str, tf.Tensor]:
        return {name: _constant(value) for name, value in self._weights.items()}


def _constant(value: float) -> tf.Tensor:
    return tf.constant(value, tf.float32)
