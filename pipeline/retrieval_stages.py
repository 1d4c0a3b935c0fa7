"""The stages of the retrieval model, between Features and Pusher. `pipeline/dag.py` adds them to the pipeline."""

from __future__ import annotations

import dataclasses

from tfx import types
from tfx.components.trainer.component import Trainer
from tfx.dsl.components.base import base_node
from tfx.proto.trainer_pb2 import EvalArgs, TrainArgs

from components.interactions.component import Interactions
from components.interactions.plan import InteractionsPlan
from components.retrieval_evaluation.component import RetrievalEvaluator
from components.retrieval_evaluation.plan import RetrievalEvaluationPlan
from models.recipe.recipe import Recipe
from models.retrieval.plan import RetrievalPlan
from pipeline.code_version import code_version
from pipeline.platforms import Platform


@dataclasses.dataclass(frozen=True)
class RetrievalStages:
    """The stages in the order of the data, and the two outputs that the Pusher needs."""

    nodes: tuple[base_node.BaseNode, ...]
    model: types.BaseChannel
    blessing: types.BaseChannel


def retrieval_stages(
    recipe: Recipe, platform: Platform, examples: types.BaseChannel, features: base_node.BaseNode
) -> RetrievalStages | None:
    """Builds the stages of the recipe's section `retrieval`; returns None if the recipe has no such section.

    Args:
        recipe: a checked recipe.
        platform: where the pipeline runs.
        examples: the raw examples.
        features: the stage Features.
    """
    if recipe.retrieval is None:
        return None
    transform_graph = features.outputs["transform_graph"]

    # Writes the positives with each user's preceding history, the item table and the eval queries.
    interactions = Interactions(
        examples=examples,
        transformed_examples=features.outputs["transformed_examples"],
        transform_graph=transform_graph,
        plan=InteractionsPlan.from_recipe(recipe).model_dump_json(),
        code=code_version("components.interactions.executor"),
    )

    # Trains the two-tower model with the stock TFX Trainer. Its eval files are the item table that the exported model retrieves from.
    trainer = Trainer(
        run_fn="models.retrieval.trainer.run_fn",
        examples=interactions.outputs["interactions"],
        transform_graph=transform_graph,
        train_args=TrainArgs(splits=["train"]),
        eval_args=EvalArgs(splits=["items"]),
        custom_config={
            "plan": RetrievalPlan.from_recipe(recipe).model_dump_json(),
            "code": code_version("models.retrieval.trainer"),
            **platform.trainer_options,
        },
    ).with_id("RetrievalTrainer")
    model = trainer.outputs["model"]

    # Compares the model with popularity, popularity of the last day, co-occurrence, and the newest earlier blessed model, on what
    # the users chose and, if the recipe names a truth, on the truly best items.
    baseline = platform.baseline_retrieval(model)
    evaluator = RetrievalEvaluator(
        interactions=interactions.outputs["interactions"],
        model=model,
        baseline_model=baseline.outputs["baseline_model"],
        plan=RetrievalEvaluationPlan.from_recipe(recipe).model_dump_json(),
        code=code_version("components.retrieval_evaluation.executor"),
        fingerprint=platform.best_items_fingerprint(recipe),
    )
    return RetrievalStages((interactions, trainer, baseline, evaluator), model, evaluator.outputs["blessing"])
