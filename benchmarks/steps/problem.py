"""The problem that the training-step benchmarks share: sizes, random examples, and the work in a step."""

from __future__ import annotations

import dataclasses
import itertools
from collections.abc import Mapping
from typing import Any

import numpy as np

TASKS = ("click", "order")

_FLOAT = 4  # bytes
_ROW_PASSES = 10  # of the numbers of a batch's rows, in a step with Adam: `StepProblem.traffic`


@dataclasses.dataclass(frozen=True, kw_only=True)
class StepProblem:
    """Sizes of a model and its data. NumPy only, so that every peer's environment can read it.

    Attributes:
        architecture: mmoe or ple; ple has one level, with the same number of experts in all.
        features: columns of ids.
        table_rows: of each embedding table.
        tables: how many tables the features share; 0: each has its own.
        dim: of an embedding.
        batch: examples of a step.
        steps: that are timed.
        experts, units, tower_units: of the network.
        seed: of ids and labels.
    """

    architecture: str = "mmoe"
    features: int = 30
    table_rows: int = 10_000
    tables: int = 0
    dim: int = 16
    batch: int = 4096
    steps: int = 40
    experts: int = 8
    units: tuple[int, ...] = (256, 128)
    tower_units: tuple[int, ...] = (64,)
    seed: int = 1

    @classmethod
    def of(cls, question: Mapping[str, Any]) -> StepProblem:
        """The problem in a question; keys that are not its own are left out."""
        names = {field.name for field in dataclasses.fields(cls)}
        values: dict[str, Any] = {name: value for name, value in question.items() if name in names}
        for name, value in values.items():
            if isinstance(value, list):
                values[name] = tuple(value)
        return cls(**values)

    def as_question(self, **more: Any) -> dict[str, Any]:
        """The problem, and more keys, as JSON can carry them."""
        return {**dataclasses.asdict(self), **more}

    def of_examples(self, examples: int) -> StepProblem:
        """The problem with as many whole steps as so many examples fill; at least one."""
        return dataclasses.replace(self, steps=max(1, examples // self.batch))

    @property
    def examples(self) -> int:
        """That are timed."""
        return self.steps * self.batch

    @property
    def input_dim(self) -> int:
        """Width of the network's input."""
        return self.features * self.dim

    @property
    def table_count(self) -> int:
        """Embedding tables."""
        return self.tables or self.features

    def table_of(self, feature: int) -> int:
        """The table that a feature reads."""
        return feature % self.table_count

    def options(self) -> dict[str, Any]:
        """The architecture's options, as a recipe gives them."""
        sizes = {"units": self.units, "tower_units": self.tower_units}
        if self.architecture == "mmoe":
            return {"experts": self.experts, **sizes}
        own, shared = self.ple_experts()
        return {"levels": 1, "task_experts": own, "shared_experts": shared, **sizes}

    def ple_experts(self) -> tuple[int, int]:
        """Experts of each of the two tasks, and shared ones: 3 + 3 + 2 of 8."""
        own = max(1, (self.experts - 1) // 2)
        return own, max(1, self.experts - 2 * own)

    def products(self) -> list[tuple[int, int, int, int]]:
        """The matrix products of the experts in one training step, each (copies, m, k, n).

        Forward, and for each layer the gradients of its kernel and of its input.
        """
        sizes, found = (self.input_dim, *self.units), []
        for width, units in itertools.pairwise(sizes):
            found += [
                (self.experts, self.batch, width, units),
                (self.experts, width, self.batch, units),
                (self.experts, self.batch, units, width),
            ]
        return found

    def flops(self) -> int:
        """Floating-point operations of `products`: 2 copies m k n each."""
        return sum(2 * copies * m * k * n for copies, m, k, n in self.products())

    def traffic(self, number_bytes: int = _FLOAT) -> int:
        """Bytes that a step moves at the least: operands and results of `products` once each, and ten passes over the
        numbers of the batch's rows (gathered: read, written; gradient: written, read; row and Adam's two moments: read,
        written).

        Args:
            number_bytes: of a number in the products; the tables and their state are float32.
        """
        numbers = sum(copies * (m * k + k * n + m * n) for copies, m, k, n in self.products())
        return number_bytes * numbers + _ROW_PASSES * _FLOAT * self.batch * self.input_dim

    def ids(self, examples: int) -> np.ndarray:
        """(example, feature) int32, uniform over the tables' rows: the worst case for a cache."""
        return np.random.default_rng(self.seed).integers(0, self.table_rows, (examples, self.features), dtype=np.int32)

    def labels(self, examples: int) -> np.ndarray:
        """(example, task) float32, a tenth of them 1."""
        draws = np.random.default_rng(self.seed + 1).random((examples, len(TASKS)))
        return (draws < 0.1).astype(np.float32)
