"""Builds the model of a plan."""

from __future__ import annotations

import dataclasses
import logging
from typing import Any

import keras

from models.architectures import ARCHITECTURES
from models.architectures.base import Architecture
from models.architectures.task_info import TaskInfo
from models.backbones import BACKBONES
from models.balancing import BALANCERS
from models.balancing.base import GradientCombiner, Weighting
from models.embedding_optimizers import EMBEDDING_OPTIMIZERS
from models.features.encoder import encoder_of
from models.features.layout import FeatureLayout, features_of
from models.layers.adversaries import Adversaries
from models.recipe.registry import load, path_of
from models.regularizers import REGULARIZERS
from models.regularizers.base import RepresentationRegularizer
from models.serving.user_once import UserOnce, check_split, why_not
from models.training.devices import compiles_parts
from models.training.multi_task_model import MultiTaskModel
from models.training.objectives import Objectives
from models.training.parts import named_loss
from models.training.plan import TaskPlan, TrainerPlan

logger = logging.getLogger(__name__)


def build_model(plan: TrainerPlan, layout: FeatureLayout, precision: str | None = None) -> MultiTaskModel:
    """Builds the model of a plan, without variables yet.

    Args:
        plan: plan from the recipe.
        layout: feature layout.
        precision: dtype of the encoder's output and of the architecture. Default: the plan's precision.
    """
    policy = keras.DTypePolicy(precision or plan.training.precision)
    methods = _methods(plan, policy)
    architecture = methods.architecture
    copies = 1 + len(architecture.tasks) if architecture.wants().tables_by_task else 1
    backbone = load(path_of(plan.backbone, BACKBONES, "backbone"))
    encoder = encoder_of(layout, copies=copies, dtype=policy)
    model = MultiTaskModel(
        encoder,
        architecture,
        methods.balancer,
        {name: task.loss for name, task in plan.tasks.items()},
        methods.regularizers,
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
        methods.adversaries,
        {name: task.loss_options for name, task in plan.tasks.items()},
        methods.objectives,
    )
    model.compiles_parts = compiles_parts(plan.training.jit_compile, policy.name)
    return model


@dataclasses.dataclass(frozen=True)
class _Methods:
    architecture: Architecture
    adversaries: Adversaries | None
    objectives: Objectives | None
    balancer: Weighting | GradientCombiner
    regularizers: list[Any]


def _methods(plan: TrainerPlan, policy: keras.DTypePolicy) -> _Methods:
    """The methods of a plan that depend on its tasks and not on its features."""
    hidden = {name for name, task in plan.tasks.items() if task.adversarial}
    tasks = tuple(
        TaskInfo(
            name=name,
            kind=task.kind,
            outputs=_outputs(task),
            after=None if task.after in hidden else task.after,
            conditional=task.conditional,
            served=task.served,
            descriptor=task.descriptor,
        )
        for name, task in plan.tasks.items()
        if name not in hidden
    )
    regularizers = [
        load(path_of(name, REGULARIZERS, "regularizer"))(**options) for name, options in plan.regularizers.items()
    ]
    against = {name: task for name, task in plan.tasks.items() if name in hidden}
    outputs = {name: _outputs(task) for name, task in against.items()}
    adversaries = Adversaries(outputs, [task.weight for task in against.values()], dtype=policy) if against else None
    own = {name: task for name, task in plan.tasks.items() if task.objective}
    objectives = (
        Objectives(
            {name: task.objective for name, task in own.items() if task.objective},
            {name: task.objective_options for name, task in own.items()},
            {name: task.funnel for name, task in own.items()},
            dtype=policy,
        )
        if own
        else None
    )
    read = any(isinstance(one, RepresentationRegularizer) for one in regularizers)
    represents = bool(against or read or (objectives and objectives.towers))
    names = tuple(task.name for task in tasks)
    return _Methods(
        load(path_of(plan.architecture, ARCHITECTURES, "architecture"))(
            tasks, represents=represents, **plan.options, dtype=policy
        ),
        adversaries,
        objectives,
        load(path_of(plan.balancer, BALANCERS, "balancer"))(
            names, tuple(plan.tasks[name].weight for name in names), **plan.balancer_options
        ),
        regularizers,
    )


def _outputs(task: TaskPlan) -> int:
    return named_loss(task.loss, task.loss_options).outputs


def check_methods(plan: TrainerPlan) -> None:
    """Makes the methods of a plan and of its teacher once, before the first stage of a run: options that do not fit each other or the tasks would
    otherwise stop it at the training.

    Raises:
        InputError: a method refuses its options.
    """
    _methods(plan, keras.DTypePolicy("float32"))
    if plan.distill and plan.distill.teacher:
        _methods(plan.distill.teacher, keras.DTypePolicy("float32"))
    keras.utils.clear_session(free_memory=False)  # the training names its layers as if there had been no others


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
