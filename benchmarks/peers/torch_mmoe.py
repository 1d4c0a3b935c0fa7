"""MMoE by hand in PyTorch: the sizes of a recipe, Adam, and Adam with lazy rows for the one table of all features."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import numpy as np
import torch
from torch import nn

from benchmarks.peers.polars_encoding import Encoded


@dataclasses.dataclass(frozen=True, kw_only=True)
class Task:
    """`kind`: binary, or regression on the logarithm of 1 + amount."""

    name: str
    kind: str
    weight: float


class MMoE(nn.Module):
    """ids, lists and numbers -> (batch, task) logits.

    Args:
        rows, dim: of the table.
        pooling: {list: mean or sum}.
        width: of the input.
        tasks: how many.
        experts, units, tower_units: sizes.
    """

    def __init__(
        self,
        rows: int,
        dim: int,
        pooling: Mapping[str, str],
        width: int,
        tasks: int,
        experts: int,
        units: Sequence[int],
        tower_units: Sequence[int],
    ) -> None:
        super().__init__()
        self.table = nn.Embedding(rows, dim, sparse=True)
        nn.init.uniform_(self.table.weight, -0.05, 0.05)
        self.pooling = dict(pooling)
        self.experts = nn.ModuleList(_layers(width, units) for _ in range(experts))
        self.gates = nn.ModuleList(nn.Linear(width, experts) for _ in range(tasks))
        self.towers = nn.ModuleList(
            nn.Sequential(*_layers(units[-1], tower_units), nn.Linear(tower_units[-1], 1)) for _ in range(tasks)
        )

    def forward(self, ids: torch.Tensor, lists: Mapping[str, torch.Tensor], numbers: torch.Tensor) -> torch.Tensor:
        # One look-up for all columns and lists: one gradient, one update of the rows.
        positions = [ids, *lists.values()]
        found = self.table(torch.cat(positions, dim=1))
        columns, *parts = found.split([position.shape[1] for position in positions], dim=1)
        pooled = [self._pooled(name, part, lists[name]) for name, part in zip(lists, parts, strict=True)]
        x = torch.cat([columns.flatten(1), *pooled, numbers], dim=1)
        experts = torch.stack([expert(x) for expert in self.experts], dim=1)
        mixed = [(gate(x).softmax(dim=1).unsqueeze(2) * experts).sum(dim=1) for gate in self.gates]
        return torch.cat([tower(part) for tower, part in zip(self.towers, mixed, strict=True)], dim=1)

    def _pooled(self, name: str, rows: torch.Tensor, ids: torch.Tensor) -> torch.Tensor:
        there = (ids != 0).unsqueeze(2)
        total = (rows * there).sum(dim=1)
        return total / there.sum(dim=1).clamp(min=1) if self.pooling[name] == "mean" else total


@dataclasses.dataclass(frozen=True, kw_only=True)
class Tensors:
    """A split."""

    ids: torch.Tensor
    lists: Mapping[str, torch.Tensor]
    numbers: torch.Tensor

    @classmethod
    def of(cls, encoded: Encoded) -> Tensors:
        """The same memory, or a copy of it that PyTorch may write to."""
        lists = {name: torch.from_numpy(array) for name, array in encoded.lists.items()}
        return cls(ids=torch.from_numpy(encoded.ids), lists=lists, numbers=torch.from_numpy(encoded.numbers))

    def batch(self, chosen: Any) -> tuple[torch.Tensor, dict[str, torch.Tensor], torch.Tensor]:
        """The chosen examples, as the model takes them."""
        return self.ids[chosen], {name: array[chosen] for name, array in self.lists.items()}, self.numbers[chosen]


def train(
    model: MMoE,
    split: Tensors,
    labels: torch.Tensor,
    weights: torch.Tensor,
    tasks: Sequence[Task],
    batch: int,
    learning_rate: float,
) -> None:
    """One epoch in an order of its own.

    Args:
        model: is changed.
        split: examples.
        labels, weights: (example, task).
        tasks: in the order of the labels.
        batch: examples of a step.
        learning_rate: of both optimizers.
    """
    dense = [parameter for name, parameter in model.named_parameters() if not name.startswith("table.")]
    optimizers = [
        torch.optim.Adam(dense, lr=learning_rate),
        torch.optim.SparseAdam([model.table.weight], lr=learning_rate),
    ]
    model.train()
    for chosen in torch.randperm(len(labels)).split(batch):
        loss = _loss(model(*split.batch(chosen)), labels[chosen], weights[chosen], tasks)
        for optimizer in optimizers:
            optimizer.zero_grad(set_to_none=True)
        loss.backward()
        for optimizer in optimizers:
            optimizer.step()


def predict(model: MMoE, split: Tensors, batch: int) -> np.ndarray:
    """(example, task) logits."""
    model.eval()
    with torch.no_grad():
        return torch.cat([model(*split.batch(chosen)) for chosen in _slices(len(split.ids), batch)]).numpy()


def _loss(logits: torch.Tensor, labels: torch.Tensor, weights: torch.Tensor, tasks: Sequence[Task]) -> torch.Tensor:
    total = torch.zeros(())
    for place, task in enumerate(tasks):
        z, y, w = logits[:, place], labels[:, place], weights[:, place]
        if task.kind == "binary":
            values = nn.functional.binary_cross_entropy_with_logits(z, y, reduction="none")
        else:
            values = (z - torch.log1p(y)) ** 2
        total = total + task.weight * (w * values).sum() / w.sum().clamp(min=1e-9)
    return total


def _layers(width: int, units: Sequence[int]) -> nn.Sequential:
    found: list[nn.Module] = []
    for before, after in zip([width, *units], units, strict=False):
        found += [nn.Linear(before, after), nn.ReLU()]
    return nn.Sequential(*found)


def _slices(rows: int, batch: int) -> Iterator[slice]:
    for start in range(0, rows, batch):
        yield slice(start, start + batch)
