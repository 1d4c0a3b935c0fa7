"""Candidate items for a user, from the retrieval model or from an approximate index of its item vectors."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from models.recipe.errors import InputError
from models.retrieval.inference import RetrievalModel
from models.retrieval.plan import EXCLUDE
from models.serving.inputs import serialize_examples
from models.serving.named_rows import named_columns

FROM_INDEX = 500
"""Default number of candidates from an approximate index."""


def candidates(
    model: RetrievalModel, user: Mapping[str, Any], count: int | None, index: Path | None, where: str
) -> tuple[list[Any], np.ndarray]:
    """Retrieves candidate ids and their scores, best first.

    Args:
        model: the retrieval model.
        user: {column: value or list of values}, with `history` and `exclude`; {} is an unknown user.
        count: maximum number of candidates. None: all that the model returns, or FROM_INDEX from an approximate index.
        index: folder of an approximate index, used instead of the model's own.
        where: prefix of each error about the user.

    Returns:
        Distinct ids, bytes or int, and (candidate,) float32 scores. Both are empty if no item is left.

    Raises:
        InputError: a value has another type, or neither the model nor `index` provides an index.
    """
    inputs = model.notes["inputs"]
    columns = named_columns([user], inputs, inputs, where)
    if index is not None:
        ids, scores = _from_index(model, user, count or FROM_INDEX, index, columns[EXCLUDE][0])
    elif not model.notes["answers"]:
        raise InputError(
            f"{model.directory}: this model has {model.notes['items']} items, too many for an exact search "
            "(retrieval.max_exact_items). Build an approximate index with `gatewise index`, and pass its folder with --index."
        )
    else:
        answers = model.retrieve(columns)
        ids, scores = answers["item_ids"][0], answers["scores"][0]
    real = np.flatnonzero(np.isfinite(scores))[:count]
    return ids[real].tolist(), scores[real]


def _from_index(
    model: RetrievalModel, user: Mapping[str, Any], count: int, index: Path, exclude: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    from pipeline.approximate import load_index

    of_query = {column: about for column, about in model.notes["inputs"].items() if column != EXCLUDE}
    row = {column: value for column, value in user.items() if column in of_query}
    vectors = model.query_vectors(serialize_examples([row], of_query))
    # Search more, because excluded items may be among the results.
    ids, scores = load_index(index, model.notes["exported_at"]).search(vectors, count + len(exclude))
    left_out = set(exclude.tolist())
    kept = np.array([one not in left_out for one in ids[0].tolist()], bool)
    return ids[0][kept][:count], scores[0][kept][:count]
