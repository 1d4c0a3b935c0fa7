"""An approximate index of a retrieval model's items, for catalogues too large to compare a user with each of them: how it is
asked. `approximate_build` makes one.
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
"""Files of an index: what it is, the vectors, and the items' ids in their order."""

Vectors = NDArray[np.float32]


class ApproximateIndex:
    """A loaded index.

    Attributes:
        notes: of `approximate_build.build_index`.
    """

    def __init__(self, notes: Mapping[str, Any], index: Any, ids: pa.Array, folder: Path) -> None:
        self.notes = notes
        self._index, self._ids, self._folder = index, ids, folder
        self._no_item = NO_ITEM["int" if pa.types.is_integer(ids.type) else "bytes"]

    def search(self, vectors: Vectors, k: int) -> tuple[NDArray[Any], Vectors]:
        """The items of the largest products with each query, of those that are compared.

        Args:
            vectors: (query, dim) float32, of the model's signature `query`.
            k: at least 1.

        Returns:
            Ids (query, k), bytes or int64, and scores (query, k) float32, the best first. `exact_index.NO_ITEM` and -inf in
            places for which no item was found.

        Raises:
            InputError: vectors of another width, so of another model.
        """
        if vectors.ndim != 2 or vectors.shape[1] != self._index.d:
            raise InputError(
                f"{self._folder}: an index of vectors of {self._index.d} numbers, asked with an array of the shape "
                f"{vectors.shape}. It is of another model: make it again with `gatewise index`."
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
    """The index in a folder.

    Args:
        folder: that `approximate_build.build_index` wrote.
        exported_at: of the notes of the model that will ask; None where it is known to be that of the index.

    Raises:
        InputError: faiss is not installed; no index there, a damaged one, or one of another model.
    """
    faiss = load_faiss()
    again = "Make it again with `gatewise index`."
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
        raise InputError(f"{folder}: a damaged index ({' '.join(str(error).split())[:200]}). {again}") from None
    if not whole:
        raise InputError(f"{folder}: a damaged index: its files are not of one catalogue. {again}")
    if exported_at not in (None, notes["exported_at"]):
        raise InputError(f"{folder}: an index of {notes['model']}, and another version of the model asks it. {again}")
    return ApproximateIndex(notes, index, ids.chunk(0) if isinstance(ids, pa.ChunkedArray) else ids, folder)


def load_faiss() -> ModuleType:
    """The package.

    Raises:
        InputError: it is not installed.
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
