"""Searches an approximate index of a retrieval model's items, for catalogues too large for an exact search.

`approximate_build` builds the index.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from models.recipe.errors import InputError
from models.retrieval.exact_index import NO_ITEM

NOTES, INDEX, IDS = "index.json", "items.faiss", "ids.arrow"
"""Files of an index: notes, vectors, and the item ids in the order of the vectors."""

Vectors = NDArray[np.float32]


class ApproximateIndex:
    """A loaded index.

    Attributes:
        notes: content of index.json, see `approximate_build.build_index`.
    """

    def __init__(self, notes: Mapping[str, Any], index: Any, ids: pa.Array, folder: Path) -> None:
        self.notes = notes
        self._index, self._ids, self._folder = index, ids, folder
        self._no_item = NO_ITEM["int" if pa.types.is_integer(ids.type) else "bytes"]

    def search(self, vectors: Vectors, k: int) -> tuple[NDArray[Any], Vectors]:
        """Among the items that the search compares, returns those with the largest inner product with each query.

        Args:
            vectors: (query, dim) float32, from the model's signature `query`.
            k: at least 1.

        Returns:
            Ids (query, k), bytes or int64, and scores (query, k) float32, best first. If fewer than k items are found, the
            rest is `exact_index.NO_ITEM` with score -inf.

        Raises:
            InputError: the vectors have another dimension, so they are from another model.
        """
        if vectors.ndim != 2 or vectors.shape[1] != self._index.d:
            raise InputError(
                f"{self._folder}: expected query vectors of dimension {self._index.d}, received an array of shape "
                f"{vectors.shape}. The index belongs to another model: rebuild it with `gatewise index`."
            )
        scores, rows = self._index.search(np.ascontiguousarray(vectors, np.float32), k)
        none = rows < 0
        ids = self._ids.take(pa.array(np.where(none, 0, rows).reshape(-1)))
        answers = ids.to_numpy(zero_copy_only=False).reshape(rows.shape)
        if none.any():
            answers = np.where(none, self._no_item, answers)
            scores = np.where(none, np.float32(-np.inf), scores)
        return answers, scores


def load_index(folder: Path, exported_at: int | None = None) -> ApproximateIndex:
    """Loads an index.

    Args:
        folder: output folder of `approximate_build.build_index`.
        exported_at: from the notes of the model that sends the queries. None skips the check that the index is from this
            model.

    Raises:
        InputError: faiss is not installed, or the index is missing, damaged or from another model.
    """
    faiss = load_faiss()
    again = "Rebuild it with `gatewise index`."
    try:
        notes = json.loads((folder / NOTES).read_text(encoding="utf-8"))
        with pa.memory_map(str(folder / IDS)) as file:
            ids = pa.ipc.open_file(file).read_all().column(0).combine_chunks()
        index = faiss.read_index(str(folder / INDEX))
        whole = index.ntotal == len(ids) == notes["items"]
    except FileNotFoundError as error:
        raise InputError(
            f"{folder}: expected an index, found no {Path(error.filename or IDS).name} in it. {again}"
        ) from None
    except (OSError, ValueError, KeyError, TypeError, RuntimeError) as error:
        raise InputError(f"{folder}: the index is damaged ({' '.join(str(error).split())[:200]}). {again}") from None
    if not whole:
        raise InputError(f"{folder}: the index is damaged: its files have different item counts. {again}")
    if exported_at not in (None, notes["exported_at"]):
        raise InputError(
            f"{folder}: the index belongs to {notes['model']}, but the queries are from another version of the model. {again}"
        )
    return ApproximateIndex(notes, index, ids.chunk(0) if isinstance(ids, pa.ChunkedArray) else ids, folder)


def load_faiss() -> ModuleType:
    """Imports faiss.

    Raises:
        InputError: faiss is not installed.
    """
    try:
        import faiss
    except ModuleNotFoundError as error:
        if error.name != "faiss":
            raise
        raise InputError(
            "An approximate index needs faiss, which is not installed: pip install 'gatewise[ann]'."
        ) from None
    return faiss
