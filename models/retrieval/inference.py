"""How an exported retrieval model is asked. TensorFlow only: no Keras, no TFX, no TensorFlow Recommenders."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import tensorflow as tf

from models.recipe.errors import InputError
from models.serving import named_tensors
from models.serving.inputs import is_retrieval, read_inputs
from models.serving.loading import load_saved_model

QUERY, ITEM = "query", "item"
"""The signatures that give vectors."""

BATCH = 4096


class RetrievalModel:
    """A loaded retrieval model.

    Attributes:
        directory: of the exported model.
        notes: beside it: "inputs", "arguments", "user", "item", "item_inputs", "dim", "prior", "items", "answers", "exported_at".
    """

    def __init__(self, directory: str | Path, notes: Mapping[str, Any], loaded: Any) -> None:
        self.directory, self.notes = Path(directory), notes
        self._loaded = loaded

    def query_vectors(self, serialized: Sequence[bytes]) -> np.ndarray:
        """(example, dim) float32: the vectors of users, of serialized tf.Examples with their columns and `history`."""
        return self._vectors(QUERY, serialized)

    def item_vectors(self, serialized: Sequence[bytes]) -> np.ndarray:
        """(example, dim) float32: the vectors of items, of serialized tf.Examples with their columns; without the prior."""
        return self._vectors(ITEM, serialized)

    def retrieve(self, columns: Mapping[str, Any]) -> dict[str, np.ndarray]:
        """{"item_ids": (batch, answers), "scores"}: the best items of each user, the best first.

        Args:
            columns: arrays as `named_rows.named_columns` makes them; a column that is left out is missing.

        Raises:
            InputError: the model has too many items to compare with each.
        """
        if "serving_default" not in self._loaded.signatures:
            raise InputError(
                f"{self.directory}: this model has {self.notes['items']} items, too many to compare with each of them, and "
                "gives vectors only. `gatewise index` makes an approximate index; `retrieval.max_exact_items` sets the limit."
            )
        names = self.notes["arguments"]
        given = {names.get(column, column): values for column, values in columns.items()}
        tensors = {
            names[column]: tf.constant(given[names[column]], one.dtype) if names[column] in given else one
            for column, one in named_tensors.missing_columns(self.notes["inputs"]).items()
        }
        answers = self._signature("serving_default")(**tensors)
        return {name: values.numpy() for name, values in answers.items()}

    def _vectors(self, signature: str, serialized: Sequence[bytes]) -> np.ndarray:
        call = self._signature(signature)
        parts = [
            call(examples=tf.constant(list(serialized[start : start + BATCH]), tf.string))["vector"].numpy()
            for start in range(0, len(serialized), BATCH)
        ]
        return np.concatenate([np.zeros((0, self.notes["dim"]), np.float32), *parts])

    def _signature(self, name: str) -> Callable[..., dict[str, Any]]:
        return self._loaded.signatures[name]


def load_retrieval(directory: str | Path) -> RetrievalModel:
    """The exported retrieval model in a folder.

    Raises:
        InputError: the folder holds none, or a ranker.
    """
    if not (Path(directory) / "saved_model.pb").is_file():
        raise InputError(f"{directory}: expected an exported retrieval model, found no saved_model.pb in it.")
    notes = read_inputs(directory)
    if not is_retrieval(notes):
        raise InputError(f"{directory}: expected a retrieval model, found a ranker. Its folder ends in `_retrieval`.")
    return RetrievalModel(directory, notes, load_saved_model(str(directory)))
