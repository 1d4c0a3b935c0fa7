"""An exported ranking model with random weights, because only sizes and graph affect the time."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import keras
import numpy as np

from models.features.layout import Analysed, feature_layout
from models.features.preprocessing import write_transform_graph
from models.features.value_ids import vocabulary_file
from models.recipe.recipe import Recipe
from models.serving.export import export
from models.serving.user_once import UserOnce
from models.training.build import build_model
from models.training.plan import TrainerPlan

TASKS = ("click", "order")


@dataclasses.dataclass(frozen=True, kw_only=True)
class RankingProblem:
    """Sizes of the model.

    Attributes:
        users, items: columns of ids of the user, and of each candidate.
        rows: values of each column's vocabulary.
        dim: of an embedding.
        experts, units, tower_units: of the network, an MMoE.
        seed: of weights and requests.
    """

    users: int = 15
    items: int = 15
    rows: int = 10_000
    dim: int = 16
    experts: int = 8
    units: tuple[int, ...] = (256, 128)
    tower_units: tuple[int, ...] = (64,)
    seed: int = 1

    @classmethod
    def of(cls, question: Mapping[str, Any]) -> RankingProblem:
        """The problem in a question; keys that are not its own are left out."""
        values: dict[str, Any] = {}
        for field in dataclasses.fields(cls):
            if field.name in question:
                value = question[field.name]
                values[field.name] = tuple(value) if isinstance(value, list) else value
        return cls(**values)

    def recipe(self) -> Recipe:
        """The problem as a recipe declares it."""
        sides = {f"u{i}": "user" for i in range(self.users)} | {f"i{i}": "item" for i in range(self.items)}
        options = {"experts": self.experts, "units": self.units, "tower_units": self.tower_units}
        return Recipe.model_validate(
            {
                "name": "ranking",
                "examples": {"path": "none.parquet"},
                "features": {
                    name: {"kind": "categorical", "side": side, "dim": self.dim} for name, side in sides.items()
                },
                "tasks": {task: {"kind": "binary", "label": {"column": task}} for task in TASKS},
                "model": {"architecture": "mmoe", "options": {"mmoe": options}},
                "serving": {"score": "click * (0.3 + order) ^ 0.5"},
            }
        )

    def request(self, candidates: int, number: int) -> dict[str, Any]:
        """The columns of a ranking request, every one another."""
        random = np.random.default_rng((self.seed, candidates, number))
        counts = {f"u{i}": 1 for i in range(self.users)} | {f"i{i}": candidates for i in range(self.items)}
        return {
            name: np.array([b"v%d" % value for value in random.integers(0, self.rows, count)], object)
            for name, count in counts.items()
        }

    def products(self, candidates: int) -> list[tuple[int, int, int, int]]:
        """The matrix products of a request without any split, (copies, m, k, n): gates, experts, towers.

        What reads the same input is one product.
        """
        width = (self.users + self.items) * self.dim
        found = [
            (1, candidates, width, len(TASKS) * self.experts),
            (1, candidates, width, self.experts * self.units[0]),
        ]
        width = self.units[0]
        for units in self.units[1:]:
            found.append((self.experts, candidates, width, units))
            width = units
        for units in (*self.tower_units, 1):
            found.append((len(TASKS), candidates, width, units))
            width = units
        return found


def export_models(problem: RankingProblem, folder: Path) -> dict[str, Path]:
    """{"once": the model as the trainer exports it, "each": the same without the split of the user's part}."""
    recipe = problem.recipe()
    (folder / "vocabularies").mkdir(parents=True, exist_ok=True)
    for name in recipe.features:
        lines = "".join(f"v{value}\n" for value in range(problem.rows))
        (folder / "vocabularies" / vocabulary_file(name)).write_text(lines, encoding="utf-8")
    analysed = Analysed(vocabulary_sizes=dict.fromkeys(recipe.features, problem.rows), boundaries={}, scaling={})
    graph = folder / "transform_graph"
    write_transform_graph(recipe.features, analysed, folder / "vocabularies", graph)
    layout, plan = feature_layout(recipe.features, analysed), TrainerPlan.from_recipe(recipe)
    keras.utils.set_random_seed(problem.seed)
    model = build_model(plan, layout)
    model({"categorical": np.zeros((1, len(layout.categorical)), np.int32)})
    found = {"once": UserOnce(model, layout, plan.user_features), "each": None}
    for name, for_one_user in found.items():
        export(
            model.predictions,
            graph,
            layout,
            folder / name / "1",
            inputs={column: about.model_dump() for column, about in plan.inputs.items()},
            kinds=dict.fromkeys(TASKS, "binary"),
            expected={"example_ids": [], "predictions": {task: [] for task in TASKS}},
            plan=plan.serving,
            for_one_user=for_one_user,
        )
    return {name: folder / name / "1" for name in found}
