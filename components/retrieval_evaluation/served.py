"""Compares the exported model's `serving_default` with the exact computation from its vectors."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from components.retrieval_evaluation.exact_top_k import NO_ITEM, exact_top_k, products
from components.retrieval_evaluation.reading import SEEN, item_rows
from components.retrieval_evaluation.row_lists import RowLists, Rows
from components.retrieval_evaluation.vectors import Model
from models.retrieval.plan import EXCLUDE, VECTOR_COLUMN
from models.serving.named_rows import named_columns

EVAL_QUERIES = 50
"""Number of eval queries to compare, evenly spread over all."""

UNKNOWN = -2
"""Replaces a row: an id that is not in the model's item table."""

TOLERANCE = 1e-4
"""Of a score, in parts of the product of the vectors' lengths. The same float32 sum in another order differs by about 1e-6."""


def chosen_eval_queries(number: int, most: int = EVAL_QUERIES) -> NDArray[np.int64]:
    """At most so many of the eval queries, evenly spread."""
    return np.unique(np.linspace(0, number - 1, min(number, most)).astype(np.int64))


def check_served(model: Model, table: pa.Table, eval_queries: pa.Table, queries: NDArray[np.float32]) -> str | None:
    """Asks the model's `serving_default`, with what each user has seen to be excluded.

    Args:
        model: as it was exported, with `serving_default`.
        table: the model's own item table, with vectors.
        eval_queries: some eval queries, every column a large list.
        queries: (query, dim) their vectors.

    Returns:
        The first difference from the exact computation in words, or None.
    """
    inputs, column = model.notes["inputs"], model.notes["item"]["column"]
    ids = table.column(column).combine_chunks()
    vectors = table.column(VECTOR_COLUMN).combine_chunks()
    items = vectors.flatten().to_numpy().reshape(len(vectors), -1)
    asked = eval_queries.select([name for name in inputs if name in eval_queries.column_names])
    asked = asked.append_column(EXCLUDE, eval_queries.column(SEEN))
    # One at a time: together, all would be compared with as many excluded items as the longest list has.
    answers = [model.retrieve(named_columns([row], inputs, inputs, "Evaluation")) for row in asked.to_pylist()]
    scores, given_ids = (np.concatenate([answer[name] for answer in answers]) for name in ("scores", "item_ids"))
    given = pa.array(given_ids.reshape(-1), ids.type)
    rows = pc.fill_null(pc.index_in(given, value_set=ids), UNKNOWN).to_numpy().reshape(scores.shape)
    rows = np.where(np.isneginf(scores), NO_ITEM, rows).astype(np.int32)
    return first_difference(rows, scores, queries, items, item_rows(eval_queries.column(SEEN), ids))


def first_difference(
    rows: Rows,
    scores: NDArray[np.float32],
    queries: NDArray[np.float32],
    items: NDArray[np.float32],
    excluded: RowLists,
) -> str | None:
    """The first place that does not hold an item of the score that belongs there, in words; None where all do.

    Items whose scores differ by no more than rounding may change places.

    Args:
        rows: (query, answers) the items' rows; NO_ITEM for none, UNKNOWN for one that is not in the table.
        scores: (query, answers) that came with them.
        queries: (query, dim).
        items: (item, dim).
        excluded: for each query the rows that must not be answered.
    """
    best = exact_top_k(products(queries, items), len(queries), len(items), rows.shape[1], excluded)
    largest = np.linalg.norm(items, axis=1).max(initial=0.0)
    for number, (line, expected) in enumerate(zip(rows, best, strict=True)):
        answered, expected = line[line != NO_ITEM], expected[expected != NO_ITEM]
        where = f"query {number}"
        if (answered == UNKNOWN).any():
            return f"{where}: the answer has an item that is not in the model's item table"
        if np.isin(answered, excluded[number]).any():
            return f"{where}: the answer has an excluded item"
        if len(np.unique(answered)) != len(answered):
            return f"{where}: the answer has an item twice"
        if len(answered) != len(expected):
            return f"{where}: the answer has {len(answered)} items, the exact computation {len(expected)}"
        query = queries[number]
        exact, noise = items[expected] @ query, TOLERANCE * np.linalg.norm(query) * largest
        came_with = scores[number][line != NO_ITEM]
        for what, found in (("the item's own is", items[answered] @ query), ("the answer says", came_with)):
            off = ~(np.abs(found - exact) <= noise)
            if off.any():
                at = int(off.argmax())
                return f"{where}, place {at + 1}: exactly computed the score is {exact[at]:.6g}, {what} {found[at]:.6g}"
    return None
