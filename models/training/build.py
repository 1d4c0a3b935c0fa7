"""Builds the model of a plan."""

from __future__ import annotations

import logging

import keras

from models.architectures import ARCHITECTURES
from models.architectures.task_info import TaskInfo
from models.backbones import BACKBONES
from models.balancing import BALANCERS
from models.embedding_optimizers import EMBEDDING_OPTIMIZERS
from models.features.encoder import encoder_of
from models.features.layout import FeatureLayout, features_of
from models.layers.adversaries import Adversaries
from models.losses import LOSSES
from models.recipe.registry import load, path_of
from models.regularizers import REGULARIZERS
from models.regularizers.base import RepresentationRegularizer
from models.serving.user_once import UserOnce, check_split, why_not
from models.training.devices import compiles_parts
from models.training.multi_task_model import MultiTaskModel
from models.training.plan import TrainerPlan

logger = logging.getLogger(__name__)


def build_model(plan: TrainerPlan, layout: FeatureLayout, precision: str | None = None) -> MultiTaskModel:
    """Builds the model of a plan, without variables yet.

    Args:
        plan: plan from the recipe.
        layout: feature layout.
        precision: dtype of the encoder's output and of the architecture. Default: the plan's precision.
    """
    every = tuple(
        TaskInfo(
            name=name,
            kind=task.kind,
            outputs=load(path_of(task.loss, LOSSES, "loss")).outputs,
            after=task.after,
            conditional=task.conditional,
            served=task.served,
            descriptor=task.descriptor,
        )
        for name, task in plan.tasks.items()
    )
    tasks = tuple(task for task in every if not plan.tasks[task.name].adversarial)
    against = {task.name: task.outputs for task in every if task not in tasks}
    regularizers = [
        load(path_of(name, REGULARIZERS, "regularizer"))(**options) for name, options in plan.regularizers.items()
    ]
    policy = keras.DTypePolicy(precision or plan.training.precision)
    adversaries = Adversaries(against, [plan.tasks[task].weight for task in against], dtype=policy) if against else None
    represents = bool(against) or any(isinstance(one, RepresentationRegularizer) for one in regularizers)
    architecture = load(path_of(plan.architecture, ARCHITECTURES, "architecture"))(
        tasks, represents=represents, **plan.options, dtype=policy
    )
    copies = 1 + len(tasks) if architecture.wants().tables_by_task else 1
    backbone = load(path_of(plan.backbone, BACKBONES, "backbone"))
    balancer = load(path_of(plan.balancer, BALANCERS, "balancer"))
    names = tuple(task.name for task in tasks)
    weights = tuple(plan.tasks[task].weight for task in names)
    encoder = encoder_of(layout, copies=copies, dtype=policy)
    model = MultiTaskModel(
        encoder,
        architecture,
        balancer(names, weights, **plan.balancer_options),
        {name: task.loss for name, task in plan.tasks.items()},
        regularizers,
        load(
            path_of(
                plan.training.embedding_optimizer or plan.training.optimizer,
                EMBEDDING_OPTIMIZERS,
                "embedding optimizer",
            )
        )(
            learning_rate=plan.training.embedding_learning_rate or plan.training.learning_rate,
        ),
        plan.training.clip_norm,
        backbone(**plan.backbone_options, fields=encoder.fields, dtype=policy),
        plan.training.average_weights,
        adversaries,
    )
    model.compiles_parts = compiles_parts(plan.training.jit_compile, policy.name)
    return model


def check_outside(plan: TrainerPlan, layout: FeatureLayout) -> None:
    """Checks the `user_once` claim of an architecture from another package before training.

    Raises:
        TrainingError: the architecture sets `user_once` but does not satisfy it.
    """
    if "." in plan.architecture:
        model = build_model(plan, layout, "float32")
        model.build()
        if not why_not(model):
            check_split(model.architecture, model.encoder.dim)


def for_one_user(model: MultiTaskModel, layout: FeatureLayout, plan: TrainerPlan) -> UserOnce | None:
    """Predictions that compute the user's part once per request.

    None if the model does not support it, or if none or all of the features are user features.
    """
    users = set(features_of(layout)) & set(plan.user_features)
    if reason := why_not(model):
        logger.info("A ranking request recomputes the user features for each candidate: %s.", reason)
        return None
    return UserOnce(model, layout, users) if users and users != set(features_of(layout)) else None
