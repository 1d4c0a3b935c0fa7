"""The pipeline on one page: every stage, in the order of the data. Read this first.

Each stage is a TFX component with standard artifact types. It receives its plan (the part of the recipe that it needs) and
the version of its code as execution properties. After a change, TFX therefore re-runs only the stages that depend on it.
"""

from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import Any

from tfx import types
from tfx.components.schema_gen.component import SchemaGen
from tfx.components.trainer.component import Trainer
from tfx.dsl.components.base import base_node
from tfx.orchestration.pipeline import Pipeline
from tfx.proto.pusher_pb2 import PushDestination
from tfx.proto.trainer_pb2 import EvalArgs, TrainArgs

from components.evaluation.component import Evaluator
from components.evaluation.plan import EvaluationPlan
from components.event_logs.component import EventLogs
from components.event_logs.plan import EventLogsPlan
from components.features.component import Features
from components.features.plan import FeaturesPlan
from components.probe.component import Probe
from components.probe.plan import ProbePlan
from components.push.component import Pusher, Recorded
from components.push.nights import NightPlan, eval_days
from components.references.component import References
from components.references.plan import ReferencesPlan
from components.statistics.component import Statistics
from components.statistics.plan import StatisticsPlan
from components.validation.component import Validation
from components.validation.curated_schema import CuratedSchema
from components.validation.plan import ValidationPlan, drift_every
from models.recipe.night import Night
from models.recipe.recipe import Recipe
from models.recipe.teacher import teacher_recipe
from models.training.build import check_methods
from models.training.plan import TrainerPlan
from pipeline.code_version import code_version
from pipeline.method_modules import architecture_modules, method_modules
from pipeline.platforms import Platform
from pipeline.retrieval_stages import retrieval_stages
from pipeline.teacher_stages import teacher_stages


def create_pipeline(recipe: Recipe, platform: Platform) -> Pipeline:
    """Builds the TFX pipeline of a recipe.

    Args:
        recipe: a checked recipe with absolute paths.
        platform: where the pipeline runs: one machine, or Kubeflow.
    """
    night = platform.night(recipe)
    data = data_stages(recipe, platform, night)
    examples, features = data.examples, data.features

    # If the recipe asks for it: the newest blessed model predicts the train split, and the Trainer learns from its predictions.
    teacher = teacher_stages(recipe, platform, examples)
    for node in teacher:
        node.add_upstream_node(data.validation)

    training = TrainerPlan.from_recipe(recipe, night)
    check_methods(training)
    # Trains the multi-task model. This is the stock TFX Trainer; it calls `run_fn` in models/training/trainer.py. The validate
    # split decides when training stops and which epoch is kept.
    trainer = Trainer(
        run_fn="models.training.trainer.run_fn",
        examples=features.outputs["transformed_examples"],
        transform_graph=features.outputs["transform_graph"],
        base_model=teacher[-1].outputs["teacher"] if teacher else None,
        train_args=TrainArgs(splits=["train"]),
        eval_args=EvalArgs(splits=["validate"]),
        custom_config={
            "plan": training.model_dump_json(),
            "code": code_version(
                "models.training.trainer", *method_modules(recipe), *method_modules(teacher_recipe(recipe))
            ),
            **platform.trainer_options,
        },
    )
    model = trainer.outputs["model"]

    # Trains the recipe's references, a linear model and the single-task twins, and writes their predictions for the eval split.
    # Exports no model.
    references = (
        References(
            transformed_examples=features.outputs["transformed_examples"],
            transform_graph=features.outputs["transform_graph"],
            plan=ReferencesPlan.from_recipe(recipe).model_dump_json(),
            code=code_version(
                "components.references.executor", *method_modules(recipe), *architecture_modules(recipe.references)
            ),
            **platform.trainer_options,
        )
        if recipe.references
        else None
    )

    # Computes metrics of the eval split per task and slice, and applies the gates. A gate compares the candidate with a threshold, with the
    # constant prediction from the train split, with the newest earlier blessed model (the baseline) or with the best value
    # of all earlier blessed models, or with the single-task twin.
    baseline_model = platform.baseline_model(model)
    evaluator = Evaluator(
        examples=examples,
        transformed_examples=features.outputs["transformed_examples"],
        model=model,
        references=references.outputs["references"] if references else None,
        baseline_model=baseline_model.outputs["baseline_model"],
        baseline_blessing=baseline_model.outputs.get("model_blessing"),
        kept_best=platform.kept_best,
        plan=EvaluationPlan.from_recipe(recipe).model_dump_json(),
        fingerprint=platform.truth_fingerprint(recipe),
        code=code_version("components.evaluation.executor"),
    )

    # Loads the exported model in a new process, and checks that it answers real requests as the trained model did.
    probe = Probe(
        model=model,
        examples=examples,
        blessing=evaluator.outputs["blessing"],
        plan=ProbePlan.from_recipe(recipe).model_dump_json(),
        code=code_version("components.probe.executor", "components.probe.ask"),
    )

    # On Kubernetes, if the recipe asks for it: a TF Serving pod loads the model that the probe blessed. The push then needs
    # this blessing instead of the probe's.
    infra_validator = platform.infra_validator(recipe, model, probe.outputs["infra_blessing"])
    servers = [] if infra_validator is None else [infra_validator]

    # If the recipe has a retrieval model, trains and evaluates it. It retrieves the candidate items that the ranker ranks.
    retrieval = retrieval_stages(recipe, platform, examples, features)

    # Pushes the blessed model atomically and once into the folder that TF Serving polls. The version is the model's creation
    # time. A ranker and its retrieval model share the later creation time, and are pushed only if both are blessed. Then
    # removes old versions if the recipe sets `serving.keep_versions`. An experiment (`gatewise run --no-push`) pushes nothing.
    keep = recipe.serving.keep_versions
    recorded = None
    if night is not None:
        recorded = Recorded(
            night=NightPlan(night=night, eval_days=eval_days(recipe)).model_dump_json(),
            states=platform.states,
            examples=examples,
            model_run=trainer.outputs["model_run"],
            evaluation=evaluator.outputs["evaluation"],
        )
    ranker = _Pushed(
        platform.served,
        model,
        evaluator.outputs["blessing"],
        servers[0].outputs["blessing"] if servers else probe.outputs["infra_blessing"],
    )
    if retrieval is None:
        pushers = [_pusher(ranker, platform, keep, night=recorded)]
    else:
        other = _Pushed(platform.served_retrieval, retrieval.model, retrieval.blessing)
        pushers = [
            _pusher(other, platform, keep, ranker).with_id("RetrievalPusher"),
            _pusher(ranker, platform, keep, other),
        ]

    return Pipeline(
        components=[
            *data.nodes,
            *teacher,
            trainer,
            *([references] if references else []),
            baseline_model,
            evaluator,
            probe,
            *servers,
            *(retrieval.nodes if retrieval else ()),
            *pushers,
        ],
        **platform.pipeline_options(recipe),
    )


@dataclasses.dataclass(frozen=True, kw_only=True)
class DataStages:
    """The stages before the training, in order, and those whose outputs the others read."""

    nodes: tuple[base_node.BaseNode, ...]
    examples: types.BaseChannel
    validation: Validation
    features: Features


def data_stages(recipe: Recipe, platform: Platform, night: Night | None = None) -> DataStages:
    """The stages before the training: they do not depend on the model, and a comparison of models runs only these."""
    # Reads the event logs and writes labelled examples in three splits: train, validate and eval. Last-touch attribution credits
    # each outcome to the last impression before it. Row accounting counts every row that is not used.
    event_logs = EventLogs(
        plan=EventLogsPlan.from_recipe(recipe, night).model_dump_json(),
        fingerprint=platform.logs_fingerprint(recipe, night),
        code=code_version("components.event_logs.executor"),
    )
    examples = event_logs.outputs["examples"]

    # Computes statistics of every column per split, as TFDV protos.
    statistics = Statistics(
        examples=examples,
        plan=StatisticsPlan.from_recipe(recipe).model_dump_json(),
        code=code_version("components.statistics.executor"),
    )

    # Takes the recipe's curated schema, or infers one from the statistics.
    curated = recipe.validation.schema_path
    schema = (
        CuratedSchema(content=Path(curated).read_text(encoding="utf-8"))
        if curated
        else SchemaGen(statistics=statistics.outputs["statistics"], infer_feature_shape=False)
    )

    # Compares the statistics with the schema, and with the last valid run for drift. An anomaly stops the run here.
    baseline_statistics = platform.baseline_statistics(statistics.outputs["statistics"], drift_every(recipe))
    validation = Validation(
        statistics=statistics.outputs["statistics"],
        schema=schema.outputs["schema"],
        baseline_statistics=baseline_statistics.outputs["baseline_statistics"],
        plan=ValidationPlan.from_recipe(recipe).model_dump_json(),
        code=code_version("components.validation.executor"),
        keep=platform.kept_statistics,
        **_recorded_if_stopped(recipe, platform, night, examples),
    )

    # Builds one TensorFlow graph from the vocabularies, quantiles and moments of the train split. Training and serving share
    # the graph. The stage transforms each example once and writes columns that training memory-maps.
    features = Features(
        examples=examples,
        plan=FeaturesPlan.from_recipe(recipe, night).model_dump_json(),
        code=code_version("components.features.executor"),
    )
    features.add_upstream_node(validation)
    nodes = (event_logs, statistics, schema, baseline_statistics, validation, features)
    return DataStages(
        nodes=(*platform.first_nodes(recipe), *nodes),
        examples=examples,
        validation=validation,
        features=features,
    )


def _recorded_if_stopped(
    recipe: Recipe, platform: Platform, night: Night | None, examples: types.BaseChannel
) -> dict[str, Any]:
    """Arguments of `Validation`: what it needs to record a night that it stops. An experiment leaves no record."""
    if night is None or not platform.push:
        return {}
    plan = NightPlan(night=night, eval_days=eval_days(recipe))
    return {"night": plan.model_dump_json(), "states": platform.states, "examples": examples}


def create_data_pipeline(recipe: Recipe, platform: Platform) -> Pipeline:
    """Builds the TFX pipeline of the stages before the training. It shares its caches with the recipe's whole pipeline.

    Args:
        recipe: a checked recipe with absolute paths.
        platform: where the pipeline runs.
    """
    return Pipeline(components=list(data_stages(recipe, platform).nodes), **platform.pipeline_options(recipe))


@dataclasses.dataclass(frozen=True)
class _Pushed:
    """A model to push, the folder of its versions, and the blessings that the push requires."""

    served: str
    model: types.BaseChannel
    blessing: types.BaseChannel
    infra_blessing: types.BaseChannel | None = None


def _pusher(
    pushed: _Pushed,
    platform: Platform,
    keep: int | None,
    partner: _Pushed | None = None,
    night: Recorded | None = None,
) -> Pusher:
    folder = PushDestination.Filesystem(base_directory=pushed.served)
    return Pusher(
        model=pushed.model,
        model_blessing=pushed.blessing,
        infra_blessing=pushed.infra_blessing,
        partner=partner.model if partner else None,
        partner_blessing=partner.blessing if partner else None,
        partner_infra_blessing=partner.infra_blessing if partner else None,
        partner_served=partner.served if partner else None,
        keep_versions=keep,
        push=platform.push,
        withdrawn=platform.withdrawn,
        night=night,
        push_destination=PushDestination(filesystem=folder),
    )
