"""The problem that the benchmark of the retrieval's training shares: sizes, and random positives."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

ITEM = "item_id"


@dataclasses.dataclass(frozen=True, kw_only=True)
class RetrievalProblem:
    """Sizes of two towers and their data.

    Attributes:
        users, items: {feature: rows of its embedding table}, of each tower; one of the items' is ITEM.
        dim: of all embeddings and of both towers' vectors.
        units: hidden layers of each tower.
        history: most items that a user chose before; how many it is, is drawn evenly from 0.
        batch: positives of a step.
        steps: of an epoch.
        learning_rate: of Adam.
        seed: of the data and of initial values.
    """

    users: Mapping[str, int] = dataclasses.field(
        default_factory=lambda: {"user_id": 100_000, "country": 200, "device": 10}
    )
    items: Mapping[str, int] = dataclasses.field(
        default_factory=lambda: {ITEM: 50_000, "brand": 2_000, "category": 200, "seller": 5_000}
    )
    dim: int = 64
    units: tuple[int, ...] = (128,)
    history: int = 20
    batch: int = 4096
    steps: int = 40
    learning_rate: float = 0.002
    seed: int = 1

    @classmethod
    def of(cls, question: Mapping[str, Any]) -> RetrievalProblem:
        """The problem in a query; keys that are not its own are left out."""
        names = {field.name for field in dataclasses.fields(cls)}
        values = {name: value for name, value in question.items() if name in names}
        return cls(**{**values, "units": tuple(values["units"])})

    def as_question(self, **more: Any) -> dict[str, Any]:
        """The problem, and more keys, as JSON can carry them."""
        return {**dataclasses.asdict(self), **more}

    def of_examples(self, examples: int) -> RetrievalProblem:
        """The problem with as many whole steps as so many examples fill; at least one."""
        return dataclasses.replace(self, steps=max(1, examples // self.batch))

    @property
    def examples(self) -> int:
        """Positives of an epoch."""
        return self.steps * self.batch

    @property
    def features(self) -> dict[str, int]:
        """Those of the users, then those of the items."""
        return {**self.users, **self.items}

    def ids(self) -> dict[str, NDArray[np.int32]]:
        """{feature: (positive,)}. Items follow Zipf's law, as choices do; what else there is, is drawn evenly."""
        random = np.random.default_rng(self.seed)
        drawn = {
            name: random.integers(rows, size=self.examples, dtype=np.int32) for name, rows in self.features.items()
        }
        return {**drawn, ITEM: self._chosen(random, self.examples)}

    def histories(self) -> NDArray[np.int32]:
        """(positive, history) ids of items, the newest first, and -1 behind them."""
        random = np.random.default_rng(self.seed + 1)
        chosen = self._chosen(random, self.examples * self.history).reshape(self.examples, self.history)
        lengths = random.integers(self.history + 1, size=(self.examples, 1))
        return np.where(np.arange(self.history) < lengths, chosen, np.int32(-1))

    def _chosen(self, random: np.random.Generator, count: int) -> NDArray[np.int32]:
        shares = 1.0 / np.arange(1, self.items[ITEM] + 1)
        found = np.searchsorted(np.cumsum(shares / shares.sum()), random.random(count))
        return np.minimum(found, self.items[ITEM] - 1).astype(np.int32)
