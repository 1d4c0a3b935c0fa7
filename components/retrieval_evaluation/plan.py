"""The retrieval evaluation's part of the recipe: the item's column, the lengths of the lists, and the gates."""

from __future__ import annotations

from models.recipe.recipe import Recipe
from models.recipe.retrieval import Beatable
from models.recipe.stage_plan import StagePlan


class GatePlan(StagePlan):
    """As `models.recipe.retrieval.RetrievalGate`."""

    metric: str
    at_least: float | None = None
    at_most: float | None = None
    beats: Beatable | None = None
    max_loss_to_baseline: float | None = None


class RetrievalEvaluationPlan(StagePlan):
    """The part of the recipe that the stage reads.

    Attributes:
        item: column that names the items.
        k: lengths of the lists that are measured, rising.
        exclude_seen: whether items that the user chose in the train split are not answered.
        gates: what must hold for a push.
    """

    item: str
    k: tuple[int, ...]
    exclude_seen: bool
    gates: tuple[GatePlan, ...] = ()

    @classmethod
    def from_recipe(cls, recipe: Recipe) -> RetrievalEvaluationPlan:
        """The plan for a recipe with a section `retrieval`.

        Raises:
            ValueError: it has none.
        """
        section = recipe.retrieval
        if section is None:
            raise ValueError("expected a recipe with a section retrieval")
        return cls(
            item=section.item,
            k=tuple(sorted(set(section.k))),
            exclude_seen=section.exclude_seen,
            gates=tuple(GatePlan.model_validate(gate.model_dump()) for gate in section.gates),
        )
