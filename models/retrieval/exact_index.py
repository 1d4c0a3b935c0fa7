"""Exact top-k inside the served model: TensorFlow Recommenders' BruteForce, and the items that a request excludes."""

from __future__ import annotations

from typing import Any

import numpy as np
import tensorflow as tf

from models.features.raw_columns import one_text
from models.retrieval.recommenders import load_recommenders

NO_ITEM: dict[str, Any] = {"bytes": b"", "int": -1}
"""Id that pads a list with too few items, with a score of -inf."""


class ExactIndex(tf.Module):
    """Finds the items with the largest inner product of item vector and query vector.

    Args:
        vectors: (item, dim) float32.
        ids: (item,) bytes or int64.
        answers: number of items to return, or all items if there are fewer.

    Call: queries (batch, dim) and ids to exclude, in any spelling (batch, any number; the `NO_ITEM` of the type is ignored)
    -> ids and scores, (batch, answers) each, best first, ties in table order.
    """

    def __init__(self, vectors: np.ndarray, ids: np.ndarray, answers: int) -> None:
        super().__init__()
        self.answers = min(answers, len(ids))
        self.items = len(ids)
        layer = load_recommenders().layers.factorized_top_k.BruteForce(k=self.answers)
        # Indexed by row number, because ids may be texts.
        layer.index(tf.constant(vectors, tf.float32))
        # Keeps the variables, not the Keras 2 layer, which would add its own functions to the SavedModel.
        self.variables_of_index = list(layer.weights)
        self._search = layer.call
        texts = ids.dtype == object
        self.ids = tf.Variable(tf.constant(ids, tf.string if texts else tf.int64), trainable=False)
        self.no_item = tf.constant(NO_ITEM["bytes" if texts else "int"], self.ids.dtype)
        rows = tf.lookup.KeyValueTensorInitializer(self.ids, tf.range(self.items, dtype=tf.int64))
        self.rows = tf.lookup.StaticHashTable(rows, default_value=self.items)

    def __call__(self, queries: Any, exclude: Any) -> tuple[Any, Any]:
        # More candidates, as many as may be excluded.
        wanted = tf.minimum(self.answers + tf.shape(exclude)[1], self.items)
        scores, rows = self._search(queries, k=wanted)
        scores = tf.where(self._excluded(rows, exclude), -float("inf"), scores)
        # Stable: the remaining items keep their order.
        order = tf.argsort(scores, direction="DESCENDING", stable=True)[:, : self.answers]
        scores, rows = tf.gather(scores, order, batch_dims=1), tf.gather(rows, order, batch_dims=1)
        return tf.where(tf.math.is_inf(scores), self.no_item, tf.gather(self.ids, rows)), scores

    def _excluded(self, rows: Any, exclude: Any) -> Any:
        """(batch, wanted) bool: which rows are excluded. Uses no more memory than the scores of all items."""
        batch, width = tf.unstack(tf.shape(exclude))
        # Unknown ids go to an extra entry after the last item.
        exclude = one_text(exclude) if exclude.dtype == tf.string else exclude
        places = tf.cast(self.rows.lookup(exclude), tf.int32)
        users = tf.repeat(tf.range(batch), width)
        marked = tf.scatter_nd(
            tf.stack([users, tf.reshape(places, (-1,))], axis=1),
            tf.ones([batch * width], tf.int32),
            tf.stack([batch, self.items + 1]),
        )
        return tf.gather(marked, rows, batch_dims=1) > 0
