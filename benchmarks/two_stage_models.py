"""Both models of one run, asked about visitors of the simulated shop and every item that the retrieval model knows."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
from numpy.typing import NDArray

from components.retrieval_evaluation.exact_top_k import NO_ITEM
from components.retrieval_evaluation.row_lists import Rows
from models.retrieval.inference import load_retrieval
from models.retrieval.plan import HISTORY, ITEMS_FILE
from models.serving.inference import RANK, load_named
from models.serving.inputs import read_inputs
from models.serving.named_rows import named_columns
from pipeline.simulate_affinity import Shop, Visits
from pipeline.simulate_streams import impression_columns, item_names, user_names

WHERE = "Two stages"
VISITORS = 256
"""Visitors who are asked about in one request of the retrieval model."""

Row = dict[str, Any]


class BothModels:
    """A ranker and the retrieval model of the same run.

    Attributes:
        items: (item,) the ids that the retrieval model can answer with; below, an item is its place here.
    """

    def __init__(self, ranker: Path, retrieval: Path) -> None:
        self._rank, self._retrieval = load_named(ranker, RANK)[0], load_retrieval(retrieval)
        table = pq.read_table(retrieval / ITEMS_FILE)
        self.items = table[self._retrieval.notes["item"]["column"]].combine_chunks()
        inputs = read_inputs(ranker)["inputs"]
        self._of_visitor = {column: about for column, about in inputs.items() if about["side"] != "item"}
        of_items = [column for column, about in inputs.items() if about["side"] == "item"]
        rows = table.select([column for column in of_items if column in table.column_names]).to_pylist()
        self._item_columns = named_columns(rows, inputs, of_items, WHERE)

    def retrieved(self, visitors: Sequence[Row]) -> Rows:
        """(visitor, candidate) the retrieval model's items, the best first, NO_ITEM where there is none.

        Args:
            visitors: {column: value} of user and context, and `history`, ids of the last items, the newest first.
        """
        inputs = self._retrieval.notes["inputs"]
        parts = []
        for start in range(0, len(visitors), VISITORS):
            rows = [{name: row[name] for name in inputs if name in row} for row in visitors[start : start + VISITORS]]
            ids = self._retrieval.retrieve(named_columns(rows, inputs, inputs, WHERE))["item_ids"]
            places = pc.index_in(pa.array(ids.ravel(), self.items.type), self.items)
            parts.append(pc.fill_null(places, NO_ITEM).to_numpy().reshape(ids.shape))
        return np.concatenate(parts).astype(np.int32)

    def ranked(self, visitors: Sequence[Row]) -> NDArray[np.float32]:
        """(visitor, item) the ranker's score of every item: that of one does not depend on which others are candidates."""
        scores = np.empty((len(visitors), len(self.items)), np.float32)
        for number, row in enumerate(visitors):
            given = {name: row[name] for name in self._of_visitor if name in row}
            columns = named_columns([given], self._of_visitor, self._of_visitor, WHERE)
            scores[number] = self._rank({**columns, **self._item_columns})["score"]
        return scores


def item_numbers(shop: Shop, ids: pa.Array) -> NDArray[np.int64]:
    """(item,) the simulator's numbers of the items of these ids."""
    names = pa.array(item_names(len(shop.logged.population.item_tags))).cast(ids.type)
    numbers: NDArray[np.int64] = pc.index_in(ids, names).to_numpy().astype(np.int64)
    return numbers


def visitor_rows(shop: Shop, visits: Visits, user: str, history: int) -> list[Row]:
    """What is known of each visitor: the logged columns, and the last items that they clicked before the end of the log.

    Args:
        shop: the simulated shop.
        visits: who asks.
        user: the column that names users.
        history: how many items.

    Returns:
        {column: value} of user and context, with `history`, ids of items, the newest first.
    """
    # Which item is shown does not matter: its columns are left out.
    page = impression_columns(shop.page(visits, np.zeros(1, np.int64)))
    names = user_names(len(shop.logged.population.users["segment"]))
    rows = pa.table(page).drop_columns([*shop.logged.population.items, "tags"]).to_pylist()
    last = last_items(shop, visits.user, history)
    return [
        {**row, user: names[number], HISTORY: items}
        for row, number, items in zip(rows, visits.user.tolist(), last, strict=True)
    ]


def last_items(shop: Shop, users: NDArray[np.int64], most: int) -> list[list[str]]:
    """For each user the ids of the items of their last clicks, by the time of the impression, the newest first."""
    clicks = shop.clicks()
    names = item_names(len(shop.logged.population.item_tags))
    clicked: dict[int, list[str]] = {}
    for user, item in zip(shop.logged.user[clicks].tolist(), shop.logged.item[clicks].tolist(), strict=True):
        clicked.setdefault(user, []).append(names[item])
    return [clicked.get(user, [])[::-1][:most] for user in users.tolist()]
