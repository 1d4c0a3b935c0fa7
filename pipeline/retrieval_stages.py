"""The stages of the retrieval model, between the features and the push: `pipeline/dag.py` puts them into the whole."""

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
    """The stages in the order of the data, and what the push wants of them."""

    nodes: tuple[base_node.BaseNode, ...]
    model: types.BaseChannel
    blessing: types.BaseChannel


def retrieval_stages(
    recipe: Recipe, platform: Platform, examples: types.BaseChannel, features: base_node.BaseNode
) -> RetrievalStages | None:
    """The stages of the recipe's section `retrieval`; None without one.

    Args:
        recipe: the problem.
        platform: where it runs.
        examples: the raw examples.
        features: the stage of that name.
    """
    if recipe.retrieval is None:
        return None
    transform_graph = features.outputs["transform_graph"]

    # The positives with each user's history before them, the item table, and the eval queries of the evaluation.
    interactions = Interactions(
        examples=examples,
        transformed_examples=features.outputs["transformed_examples"],
        transform_graph=transform_graph,
        plan=InteractionsPlan.from_recipe(recipe).model_dump_json(),
        code=code_version("components.interactions.executor"),
    )

    # The stock Trainer once more. What it takes for eval files is the item table, from which the exported model answers.
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

    # Beside the most popular items, those of the last day, and what goes together; and beside the last blessed model.
    baseline = platform.baseline_retrieval(model)
    evaluator = RetrievalEvaluator(
        interactions=interactions.outputs["interactions"],
        model=model,
        baseline_model=baseline.outputs["baseline_model"],
        plan=RetrievalEvaluationPlan.from_recipe(recipe).model_dump_json(),
        code=code_version("components.retrieval_evaluation.executor"),
    )
    return RetrievalStages((interactions, trainer, baseline, evaluator), model, evaluator.outputs["blessing"])
