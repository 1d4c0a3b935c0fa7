"""Calls an exported retrieval model. Imports TensorFlow, but not Keras, TFX or TensorFlow Recommenders."""

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
"""The signatures that return vectors."""

BATCH = 4096


class RetrievalModel:
    """A loaded retrieval model.

    Attributes:
        directory: folder of the exported model.
        notes: its notes: "inputs", "arguments", "user", "item", "item_inputs", "dim", "prior", "items", "answers", "exported_at".
    """

    def __init__(self, directory: str | Path, notes: Mapping[str, Any], loaded: Any) -> None:
        self.directory, self.notes = Path(directory), notes
        self._loaded = loaded

    def query_vectors(self, serialized: Sequence[bytes]) -> np.ndarray:
        """(example, dim) float32 vectors of users. `serialized`: tf.Examples with their columns and `history`."""
        return self._vectors(QUERY, serialized)

    def item_vectors(self, serialized: Sequence[bytes]) -> np.ndarray:
        """(example, dim) float32 vectors of items, without the prior. `serialized`: tf.Examples with their columns."""
        return self._vectors(ITEM, serialized)

    def retrieve(self, columns: Mapping[str, Any]) -> dict[str, np.ndarray]:
        """{"item_ids": (batch, answers), "scores"}: the best items of each user, best first.

        Args:
            columns: arrays from `named_rows.named_columns`. An absent column is missing.

        Raises:
            InputError: the model has too many items for exact search.
        """
        if "serving_default" not in self._loaded.signatures:
            raise InputError(
                f"{self.directory}: this model has {self.notes['items']} items, too many for exact search, and "
                "returns only vectors. `gatewise index` builds an approximate index; `retrieval.max_exact_items` sets the limit."
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
    """Loads an exported retrieval model from a folder.

    Raises:
        InputError: the folder has no model, or a ranker.
    """
    if not (Path(directory) / "saved_model.pb").is_file():
        raise InputError(f"{directory}: expected an exported retrieval model, found no saved_model.pb in it.")
    notes = read_inputs(directory)
    if not is_retrieval(notes):
        raise InputError(
            f"{directory}: expected a retrieval model, found a ranker. Folders of retrieval models end in `_retrieval`."
        )
    return RetrievalModel(directory, notes, load_saved_model(str(directory)))
