"""The vectors of a retrieval model: of the users in the eval queries, and of the items as known before the eval split."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Protocol

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from components.evaluation.predicting import shared_columns
from models.retrieval.plan import EXCLUDE, PRIOR_COLUMN

BATCH_ROWS = 4096

Encode = Callable[[pa.RecordBatch], list[bytes]]
"""Record batch whose columns are large lists -> serialized tf.Examples."""


class Model(Protocol):
    """As `models.retrieval.inference.RetrievalModel`."""

    notes: Mapping[str, Any]

    def query_vectors(self, serialized: Sequence[bytes]) -> NDArray[np.float32]:
        """Serialized tf.Examples of users -> (example, dim)."""

    def item_vectors(self, serialized: Sequence[bytes]) -> NDArray[np.float32]:
        """Serialized tf.Examples of items -> (example, dim)."""

    def retrieve(self, columns: Mapping[str, Any]) -> Mapping[str, NDArray[Any]]:
        """{column: array} -> {"item_ids", "scores": (user, answers)}."""


@dataclasses.dataclass(frozen=True)
class Vectors:
    """A model's answer to all eval queries, before the items are compared: `queries @ items.T`.

    Attributes:
        queries: (query, dim) float32.
        items: (item, dim) float32.
        prior: (item,) what is in the items' last place whoever asks; None where the model has none.
    """

    queries: NDArray[np.float32]
    items: NDArray[np.float32]
    prior: NDArray[np.float32] | None = None

    @property
    def not_finite(self) -> int:
        """How many of them hold a number that is NaN or infinite."""
        return sum(int((~np.isfinite(some)).any(axis=1).sum()) for some in (self.queries, self.items))


def ask(model: Model, eval_queries: pa.Table, items: pa.Table, encode: Encode) -> Vectors:
    """Asks a model for the vectors of all eval queries and items.

    Args:
        model: its notes say which columns it reads.
        eval_queries: raw columns as large lists, and `history`.
        items: raw columns as large lists, and the plain column PRIOR_COLUMN, which becomes the last place of the items'
            vectors if the model has a prior.
        encode: record batches -> tf.Examples.

    Raises:
        NotComparable: the model reads a column that is gone, or is of another type.
    """
    of_user = {column: about for column, about in model.notes["inputs"].items() if column != EXCLUDE}
    queries = _asked(model.query_vectors, eval_queries, of_user, encode)
    vectors = _asked(model.item_vectors, items, model.notes["item_inputs"], encode)
    prior = None
    if model.notes["prior"]:
        vectors[:, -1] = prior = items.column(PRIOR_COLUMN).to_numpy()
    return Vectors(queries, vectors, prior)


def _asked(
    vectors: Callable[[Sequence[bytes]], NDArray[np.float32]],
    table: pa.Table,
    inputs: Mapping[str, Mapping[str, Any]],
    encode: Encode,
) -> NDArray[np.float32]:
    chosen = table.select(shared_columns(inputs, table.schema))
    return np.concatenate([vectors(encode(batch)) for batch in chosen.to_batches(BATCH_ROWS)] or [vectors([])])
