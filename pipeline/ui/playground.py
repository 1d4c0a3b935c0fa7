"""A pushed version to play with: it ranks items for a user with the version's own SavedModels. Imports TensorFlow."""

from __future__ import annotations

import dataclasses
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from models.recipe.errors import InputError
from models.retrieval.plan import EXCLUDE, HISTORY, ITEMS_FILE
from models.serving.inference import RANK, load_named
from models.serving.inputs import read_inputs
from models.serving.named_rows import rank_columns
from pipeline.json_values import jsonable
from pipeline.recommending.pair import Pair
from pipeline.recommending.recommender import Recommender, checked_weights, item_columns
from pipeline.ui.pushed import Pushed
from pipeline.ui.sample import NO_EXAMPLES, Sample, read_sample

SHOWN = 20
"""Number of items in an answer that does not ask for another number."""

NO_RETRIEVAL = (
    "This model has no history features and no retrieval model was pushed with it. A click is added to the history, but the "
    "list cannot move."
)
NO_HISTORY = "The retrieval model reads no history (retrieval.history is 0). A click is added to the history, but the list cannot move."

RETRIEVAL = "retrieval"
"""Order of an answer: by the score of the retrieval model, not of the ranker."""


@dataclasses.dataclass(frozen=True)
class _Asked:
    """A request for a list: see `Playground.answer`."""

    user: dict[str, Any]
    history: list[Any]
    weights: dict[str, float]
    count: int
    exclude: bool
    order: str


class Playground:
    """A loaded version. `about` describes it for the page, `answer` ranks.

    Args:
        pushed: the version, its run and its folders.

    Raises:
        InputError: a model or its examples cannot be read.
    """

    def __init__(self, pushed: Pushed) -> None:
        self._pushed = pushed
        self._notes = read_inputs(pushed.ranker)
        self._recommender: Recommender | None = None
        if pushed.retrieval is not None:
            self._recommender = Recommender(Pair(pushed.ranker, pushed.retrieval))
            _ = self._recommender.retrieval
            self._rank = self._recommender.rank
        else:
            self._rank = load_named(pushed.ranker, RANK)[0]
        read = {name: about for name, about in self._notes["inputs"].items() if name not in pushed.fixed}
        self._sample = _sample(pushed, read)
        # An item whose columns have changed in the logs has several rows: the most frequent one counts.
        self._items: dict[str, dict[str, Any]] = {}
        for row in self._sample.items:
            self._items.setdefault(self._name(row), row)
        self.answer({})  # The first call of a signature is slow.

    @property
    def moves(self) -> bool:
        """Whether the user's history changes the list."""
        return self._recommender is not None and HISTORY in self._recommender.retrieval_notes["inputs"]

    def about(self) -> dict[str, Any]:
        """What the page shows before the first answer.

        Returns:
            {"model", "version", "run", "tasks", "weights", "score", "columns": [{"name", "type", "multivalued", "values"}], "users",
            "actions": names of the buttons, "items": number of candidates, "retrieval": whether there is a retrieval model,
            "moves": whether the history changes the list, "note", "missing": why there are no users, "sources": {part of the page: file}}
        """
        pushed, retrieval = self._pushed, self._recommender
        note = "" if self.moves else NO_HISTORY if retrieval else NO_RETRIEVAL
        inputs = dict(self._notes["inputs"])
        if retrieval:
            inputs |= {name: about for name, about in retrieval.retrieval_notes["inputs"].items() if name != EXCLUDE}
        return {
            "model": pushed.model,
            "version": pushed.version,
            "run": pushed.run,
            "tasks": self._notes["tasks"],
            "weights": self._notes["weights"],
            "score": pushed.score,
            "columns": [
                {
                    "name": name,
                    "type": about["type"],
                    "multivalued": about["multivalued"],
                    "values": self._sample.values.get(name, []),
                }
                for name, about in inputs.items()
                if about["side"] != "item" and name != HISTORY and name not in pushed.fixed
            ],
            "users": self._sample.users,
            "actions": list(pushed.actions) or ["choose"],
            "items": retrieval.retrieval_notes["items"] if retrieval else len(self._items),
            "retrieval": retrieval is not None,
            "moves": self.moves,
            "note": note,
            "missing": self._sample.missing,
            "sources": {
                "ranker": str(pushed.ranker),
                "candidates": self._source_of_candidates(),
                "users": str(self._sample.source or ""),
                "histories": str(self._sample.history_source or ""),
            },
        }

    def answer(self, request: Mapping[str, Any]) -> dict[str, Any]:
        """Ranks items for a user.

        Args:
            request: {"user": {column: value}, "history": [item ids, the newest first], "exclude": whether to leave the history out,
                "weights": {tunable weight: value}, "k": number of items, "order": "score" or "retrieval"}. Each key may be absent.

        Returns:
            {"items": [{"item", "score", "retrieval_score" and "retrieval_place" or None, "tasks": {task: prediction}, "columns"}],
            best first, "candidates": all ids, "history": [{"item", "columns"}], "seconds"}. The numbers are those of
            `gatewise recommend`.

        Raises:
            InputError: the request does not fit the model.
        """
        started = time.perf_counter()
        asked = _asked(request)
        asked = dataclasses.replace(asked, history=self._ids(asked.history))
        items, candidates = (self._recommended if self._recommender else self._ranked)(asked)
        return {
            "items": items,
            "candidates": candidates,
            "history": self._described(asked.history),
            "seconds": round(time.perf_counter() - started, 3),
        }

    def _recommended(self, asked: _Asked) -> tuple[list[dict[str, Any]], list[str]]:
        assert self._recommender is not None
        lists = {HISTORY: self.moves, EXCLUDE: asked.exclude}
        user = asked.user | {name: asked.history for name, wanted in lists.items() if wanted and asked.history}
        found = self._recommender.ranked(user, weights=asked.weights)
        if found is None:
            return [], []
        order = (np.arange(len(found.ids)) if asked.order == RETRIEVAL else found.order)[: asked.count].tolist()
        columns = found.table.take(order).to_pylist()
        return [
            {
                "item": str(_plain(found.ids[place])),
                "score": float(found.answers["score"][place]),
                "retrieval_score": float(found.similarities[place]),
                "retrieval_place": place + 1,
                "tasks": {task: float(found.answers[task][place]) for task in self._notes["tasks"]},
                "columns": self._shown(row),
            }
            for place, row in zip(order, columns, strict=True)
        ], [str(_plain(one)) for one in found.ids]

    def _ranked(self, asked: _Asked) -> tuple[list[dict[str, Any]], list[str]]:
        left_out = set(asked.history) if asked.exclude else set()
        rows = [row for name, row in self._items.items() if name not in left_out] if self._items else [{}]
        if not rows:
            return [], []
        chosen = checked_weights(asked.weights, self._notes["weights"])
        page = rank_columns({"user": asked.user, "candidates": rows}, self._notes["inputs"], "Request")
        answers = self._rank({**page, **chosen})
        return [
            {
                "item": self._name(rows[place]),
                "score": float(answers["score"][place]),
                "retrieval_score": None,
                "retrieval_place": None,
                "tasks": {task: float(answers[task][place]) for task in self._notes["tasks"]},
                "columns": self._shown(rows[place]),
            }
            for place in answers["ranking"].astype(np.int64)[: asked.count].tolist()
        ], [self._name(row) for row in rows]

    def _described(self, history: list[Any]) -> list[dict[str, Any]]:
        """The items of a history with their columns, as far as they are known."""
        if self._recommender is None:
            return [{"item": one, "columns": self._shown(self._items.get(one, {}))} for one in history]
        distinct = list(dict.fromkeys(history))
        try:
            rows = self._recommender.items([_bytes(one) for one in distinct]).to_pylist() if distinct else []
        except InputError:  # an item that is no longer in the table
            rows = [{}] * len(distinct)
        shown = {one: self._shown(row) for one, row in zip(distinct, rows, strict=True)}
        return [{"item": str(one), "columns": shown[one]} for one in history]

    def _ids(self, history: list[Any]) -> list[Any]:
        """The ids as the models take them: the page has them as texts, because JavaScript has no integers of 64 bits."""
        whole = self._recommender is not None and self._recommender.retrieval_notes["item"]["type"] == "int"
        try:
            return [int(one) if whole else str(one) for one in history]
        except ValueError:
            raise InputError(f"Request: history: expected whole numbers, received {history!r}.") from None

    def _name(self, row: Mapping[str, Any]) -> str:
        """The id of an item; without one, its values."""
        value = row.get(self._pushed.item) if self._pushed.item else None
        if value in (None, []):
            return " ".join(str(_plain(one)) for one in row.values()) or self._pushed.model
        return str(_plain(value))

    def _shown(self, row: Mapping[str, Any]) -> dict[str, Any]:
        item = self._recommender.retrieval_notes["item"]["column"] if self._recommender else self._pushed.item
        named = {name: _plain(value) for name, value in row.items() if name in item_columns(self._notes)}
        return {name: value for name, value in named.items() if name != item and value not in (None, [])}

    def _source_of_candidates(self) -> str:
        if self._pushed.retrieval is not None:
            return str(self._pushed.retrieval / ITEMS_FILE)
        return str(self._sample.source or "")


def _sample(pushed: Pushed, inputs: Mapping[str, Any]) -> Sample:
    examples: Path | None = None
    interactions: Path | None = None
    if pushed.run is not None and pushed.home is not None:
        from pipeline.lineage import read_run
        from pipeline.run_paths import run_paths_in

        try:
            artifacts = read_run(run_paths_in(pushed.home), pushed.run).artifacts
        except InputError as error:
            return Sample(missing=f"{NO_EXAMPLES} {error}")
        examples = artifacts.get("EventLogs.examples")
        interactions = artifacts.get("Interactions.interactions") if pushed.retrieval else None
    folder = examples / "Split-eval" if examples else None
    return read_sample(folder, interactions, inputs, pushed.user, with_items=pushed.retrieval is None)


def _asked(request: Mapping[str, Any]) -> _Asked:
    user, history, weights = request.get("user") or {}, request.get("history") or [], request.get("weights") or {}
    count = request.get("k", SHOWN)
    if not isinstance(user, dict) or not isinstance(history, list) or not isinstance(weights, dict):
        raise InputError("Request: expected objects `user` and `weights` and a list `history`.")
    if isinstance(count, bool) or not isinstance(count, int) or not 1 <= count <= 500:
        raise InputError(f"Request: k: expected a whole number from 1 to 500, received {count!r}.")
    for name, value in weights.items():
        if isinstance(value, bool) or not isinstance(value, int | float) or not np.isfinite(value):
            raise InputError(f"Request: weight {name!r}: expected a finite number, received {value!r}.")
    if any(isinstance(one, bool) or not isinstance(one, str | int) for one in history):
        raise InputError("Request: history: expected item ids, texts or whole numbers.")
    return _Asked(user, history, weights, count, bool(request.get("exclude")), str(request.get("order")))


def _plain(value: Any) -> Any:
    """A raw value as JSON: bytes as text, a list of one as its value."""
    if isinstance(value, list):
        return _plain(value[0]) if len(value) == 1 else [_plain(one) for one in value]
    return jsonable(np.array(value, object)) if isinstance(value, bytes) else value


def _bytes(item: Any) -> Any:
    return item.encode() if isinstance(item, str) else item
