"""The retrieval evaluation's part of the recipe: the columns of ids, the lengths of the lists, the truth, and the gates."""

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


class BestItemsPlan(StagePlan):
    """As `models.recipe.retrieval.BestItems`, with the folder to which `path` is relative."""

    data: str
    path: str
    user: str
    item: str
    value: str


class RetrievalEvaluationPlan(StagePlan):
    """The part of the recipe that the stage reads.

    Attributes:
        user, item: columns that name the users and the items.
        k: lengths of the lists that are measured, rising.
        exclude_seen: whether items that the user chose in the train split are not answered.
        truth: where the true values of items are, if they are known.
        gates: what must hold for a push.
    """

    user: str
    item: str
    k: tuple[int, ...]
    exclude_seen: bool
    truth: BestItemsPlan | None = None
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
            user=section.user,
            item=section.item,
            k=tuple(sorted(set(section.k))),
            exclude_seen=section.exclude_seen,
            truth=BestItemsPlan(data=recipe.data, **section.truth.model_dump()) if section.truth else None,
            gates=tuple(GatePlan.model_validate(gate.model_dump()) for gate in section.gates),
        )


def best_items_fingerprint(recipe: Recipe) -> str:
    """Fingerprint of the content of the files of `retrieval.truth`, because TFX's cache does not read them; "" without them.

    Raises:
        InputError: no file matches the path.
    """
    if recipe.retrieval is None or recipe.retrieval.truth is None:
        return ""
    from components.event_logs.fingerprint import fingerprint_files

    return fingerprint_files(recipe.data, {"retrieval.truth": recipe.retrieval.truth.path})
