"""Exact top-k inside the served model: TensorFlow Recommenders' BruteForce, and the items that a request excludes."""

from __future__ import annotations

from typing import Any

import numpy as np
import tensorflow as tf

from models.features.raw_columns import one_text
from models.retrieval.recommenders import load_recommenders

NO_ITEM: dict[str, Any] = {"bytes": b"", "int": -1}
"""What stands, with a score of -inf, where a list has no further item."""


class ExactIndex(tf.Module):
    """The items with the largest product of their vector and the query's.

    Args:
        vectors: (item, dim) float32.
        ids: (item,) bytes or int64.
        answers: items of an answer; fewer where there are not so many.

    Call: queries (batch, dim) and ids to leave out, in any spelling (batch, any number; `no id` of the type is ignored) -> ids and scores,
    (batch, answers) each, the best first; of equal scores the item that comes first in the table.
    """

    def __init__(self, vectors: np.ndarray, ids: np.ndarray, answers: int) -> None:
        super().__init__()
        self.answers = min(answers, len(ids))
        self.items = len(ids)
        layer = load_recommenders().layers.factorized_top_k.BruteForce(k=self.answers)
        # By the rows' numbers, which it makes itself; the ids may be texts.
        layer.index(tf.constant(vectors, tf.float32))
        # The variables, not the Keras 2 layer: saved, that would bring functions of its own.
        self.variables_of_index = list(layer.weights)
        self._search = layer.call
        texts = ids.dtype == object
        self.ids = tf.Variable(tf.constant(ids, tf.string if texts else tf.int64), trainable=False)
        self.no_item = tf.constant(NO_ITEM["bytes" if texts else "int"], self.ids.dtype)
        rows = tf.lookup.KeyValueTensorInitializer(self.ids, tf.range(self.items, dtype=tf.int64))
        self.rows = tf.lookup.StaticHashTable(rows, default_value=self.items)

    def __call__(self, queries: Any, exclude: Any) -> tuple[Any, Any]:
        # As many more as might be left out.
        wanted = tf.minimum(self.answers + tf.shape(exclude)[1], self.items)
        scores, rows = self._search(queries, k=wanted)
        scores = tf.where(self._excluded(rows, exclude), -float("inf"), scores)
        # Stable: what is left keeps its order.
        order = tf.argsort(scores, direction="DESCENDING", stable=True)[:, : self.answers]
        scores, rows = tf.gather(scores, order, batch_dims=1), tf.gather(rows, order, batch_dims=1)
        return tf.where(tf.math.is_inf(scores), self.no_item, tf.gather(self.ids, rows)), scores

    def _excluded(self, rows: Any, exclude: Any) -> Any:
        """(batch, wanted) bool: which of the rows are excluded, in no more memory than the scores of all items took."""
        batch, width = tf.unstack(tf.shape(exclude))
        # What is no item falls into a place behind the last.
        exclude = one_text(exclude) if exclude.dtype == tf.string else exclude
        places = tf.cast(self.rows.lookup(exclude), tf.int32)
        users = tf.repeat(tf.range(batch), width)
        marked = tf.scatter_nd(
            tf.stack([users, tf.reshape(places, (-1,))], axis=1),
            tf.ones([batch * width], tf.int32),
            tf.stack([batch, self.items + 1]),
        )
        return tf.gather(marked, rows, batch_dims=1) > 0
