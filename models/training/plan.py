"""The trainer's part of the recipe. Other changes, such as a gate, do not retrain the model."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal

from models.architectures import ARCHITECTURES
from models.backbones import BACKBONES
from models.balancing import BALANCERS
from models.features.value_texts import text_of
from models.losses import LOSSES
from models.objectives import OBJECTIVES
from models.recipe.checks.distill import distilled
from models.recipe.cross import Cross
from models.recipe.features import Feature, MultiValued, column_of, column_types, columns_of, feature_columns, has_list
from models.recipe.model import Training
from models.recipe.night import Night
from models.recipe.recipe import Recipe
from models.recipe.registry import check_options, path_of
from models.recipe.section import Scalar
from models.recipe.stage_plan import StagePlan
from models.recipe.tasks import after_of, funnel_of, loss_of
from models.recipe.teacher import teacher_recipe
from models.recipe.vector import Vector
from models.recipe.warm import Warm
from models.regularizers import REGULARIZERS
from models.serving.plan import InputPlan, ServingPlan


class TaskPlan(StagePlan):
    """A task of the model."""

    kind: Literal["binary", "regression"]
    loss: str
    loss_options: Mapping[str, Any] = {}
    weight: float
    negative_rate: float = 1.0
    after: str | None = None
    conditional: bool = False
    served: bool = True
    adversarial: bool = False
    descriptor: tuple[float, ...] = ()
    objective: str | None = None
    objective_options: Mapping[str, Any] = {}
    funnel: tuple[str, ...] = ()


class TrainerPlan(StagePlan):
    """The trainer's part of the recipe, passed as JSON in the Trainer's `custom_config`.

    `columns`: {feature: the raw column that it reads}, without crosses. `shared_columns`: user columns that a feature reads together
    with other columns. `served`: {raw column: its `served_as`}. `served_features`: the features
    that read these columns. `state`: folder of the state to go on from, "" to start from the seed. `keeps_state`: whether the
    training leaves its own state in `model_run_dir` (`models.training.state`).
    """

    tasks: Mapping[str, TaskPlan]
    architecture: str
    options: Mapping[str, Any]
    backbone: str = "none"
    backbone_options: Mapping[str, Any] = {}
    balancer: str
    balancer_options: Mapping[str, Any]
    regularizers: Mapping[str, Mapping[str, Any]]
    training: Training
    probe_requests: int
    inputs: Mapping[str, InputPlan]
    columns: Mapping[str, str] = {}
    user_features: tuple[str, ...] = ()
    shared_columns: tuple[str, ...] = ()
    served: Mapping[str, str | int | float] = {}
    served_features: tuple[str, ...] = ()
    serving: ServingPlan | None = None
    distill: DistillPlan | None = None
    state: str = ""
    keeps_state: bool = False

    @classmethod
    def from_recipe(cls, recipe: Recipe, night: Night | None = None) -> TrainerPlan:
        """Makes the plan of a recipe, with the options of the selected methods only.

        Converts options to the types of the methods: YAML reads 1e-6 as text, and "8" or 8.0 mean 8.
        """
        model, columns, types = recipe.model, feature_columns(recipe.features), column_types(recipe.features)
        return cls(
            tasks={
                name: TaskPlan(
                    kind=task.kind,
                    loss=loss_of(task),
                    loss_options=_options(task.loss_options, loss_of(task), LOSSES),
                    weight=task.weight,
                    negative_rate=task.negative_rate,
                    after=after_of(task),
                    conditional=task.conditioned_on is not None,
                    served=task.role == "main",
                    adversarial=task.role == "adversarial",
                    descriptor=task.descriptor,
                    objective=task.objective,
                    objective_options=_options(task.objective_options, task.objective, OBJECTIVES)
                    if task.objective
                    else {},
                    funnel=funnel_of(name, recipe.tasks) if task.objective else (),
                )
                for name, task in recipe.tasks.items()
            },
            architecture=model.architecture,
            options=_options(model.options, model.architecture, ARCHITECTURES),
            backbone=model.backbone,
            backbone_options=_options(model.backbone_options, model.backbone, BACKBONES),
            balancer=model.balancer,
            balancer_options=_options(model.balancer_options, model.balancer, BALANCERS),
            regularizers={name: _options(model.regularizers, name, REGULARIZERS) for name in model.regularizers},
            training=_training(recipe, night),
            state=night.state if night else "",
            keeps_state=night is not None,
            probe_requests=recipe.serving.probe_requests,
            inputs={
                column: InputPlan(
                    type=types[column],
                    multivalued=has_list(feature),
                    side=feature.side,
                    separator=feature.separator if isinstance(feature, MultiValued) else None,
                    length=feature.dim if isinstance(feature, Vector) else None,
                )
                for column, feature in columns.items()
            },
            columns={
                name: column_of(name, feature)
                for name, feature in recipe.features.items()
                if not isinstance(feature, Cross)
            },
            user_features=tuple(
                name for name, feature in recipe.features.items() if _sides(name, feature, columns) == {"user"}
            ),
            shared_columns=_shared(recipe.features),
            served={
                column: _of_type(types[column], feature.served_as)
                for column, feature in columns.items()
                if feature.served_as is not None
            },
            served_features=tuple(name for name, feature in recipe.features.items() if feature.served_as is not None),
            serving=ServingPlan(
                score=recipe.serving.score or next(iter(recipe.main_tasks)),
                weights=recipe.serving.weights,
                tunable_weights=recipe.serving.tunable_weights,
            ),
            distill=DistillPlan.from_recipe(recipe),
        )

    @property
    def without_export(self) -> TrainerPlan:
        """The plan without what changes only the exported model and what is measured beside the training."""
        return self.model_copy(
            update={
                "probe_requests": 0,
                "inputs": {},
                "columns": {},
                "user_features": (),
                "shared_columns": (),
                "serving": None,
                "training": self.training.model_copy(update={"affinity_every": None, "importance": False}),
            }
        )


class DistillPlan(StagePlan):
    """The teacher of a model, and how the model learns from it: `models.recipe.distill.Distill`.

    `teacher`: its model, which is trained with the options of the model's training; None for the blessed model. `tasks`: those that learn from it.
    """

    teacher: TrainerPlan | None
    tasks: tuple[str, ...]
    share: float
    unobserved: bool

    @classmethod
    def from_recipe(cls, recipe: Recipe) -> DistillPlan | None:
        """Makes the plan of a recipe; None without `training.distill`."""
        distill, teacher = recipe.training.distill, teacher_recipe(recipe)
        if distill is None:
            return None
        return cls(
            teacher=TrainerPlan.from_recipe(teacher) if teacher else None,
            tasks=distilled(recipe),
            share=distill.share,
            unobserved=distill.unobserved,
        )


def _sides(name: str, feature: Feature, columns: Mapping[str, Feature]) -> set[str]:
    return {columns[column].side for column in columns_of(name, feature)}


def _shared(features: Mapping[str, Feature]) -> tuple[str, ...]:
    """The user columns that a feature reads together with columns of another side, in order."""
    columns = feature_columns(features)
    mixed = {
        column
        for name, feature in features.items()
        if len(_sides(name, feature, columns)) > 1
        for column in columns_of(name, feature)
    }
    return tuple(column for column, first in columns.items() if first.side == "user" and column in mixed)


def _training(recipe: Recipe, night: Night | None) -> Training:
    given = recipe.training
    epochs = given.warm.epochs if night and night.start == "warm" else given.epochs
    return given.model_copy(update={"distill": None, "start": "cold", "warm": Warm(), "epochs": epochs})


def _of_type(type: str, value: Scalar) -> str | int | float:
    return text_of(value) if type == "bytes" else int(value) if type == "int" else float(value)


def _options(options: Mapping[str, Mapping[str, Any]], name: str, table: Mapping[str, str]) -> dict[str, Any]:
    return check_options(options.get(name, {}), path_of(name, table, "method"), name)
