"""Converts TFX's compiled pipeline to a valid spec for open-source Kubeflow Pipelines.

TFX compiles for Vertex AI. Open-source Kubeflow refuses some fields, ignores others silently, and has fields that TFX cannot
express: parameter defaults, GPUs by resource name, retries, volumes. This module adapts the plain documents with pure
functions, and does not import TFX.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

from models.recipe.checks.kubeflow import stages_of
from models.recipe.errors import InputError
from models.recipe.kubeflow import place_of
from models.recipe.recipe import Recipe
from pipeline.kubeflow.spec import resources
from pipeline.kubeflow.spec.parameters import RuntimeParameter, parameters_of
from pipeline.kubeflow.spec.section import kubeflow_of

LARGEST_ARGUMENT = 128 * 1024
"""Maximum size in bytes of one process argument on Linux. A stage's properties and its artifacts' names and URIs are one argument."""

ROOM = 24 * 1024
"""Bytes reserved for artifacts and JSON overhead."""

NIGHT, NIGHT_INPUT = "Night", "night"
"""The stage that tells the others the day of a run (`pipeline.kubeflow.night`), and the name of its output and of their input."""

OF_THE_DAY = ("EventLogs", "Validation", "Features", "Trainer", "Evaluator", "Pusher")
"""The stages whose plans depend on the day (`pipeline.kubeflow.night_plans`)."""

Document = dict[str, Any]


def mended(spec: Mapping[str, Any], recipe: Recipe) -> tuple[Document, Document | None]:
    """The two documents of the file: the pipeline spec, and the platform spec if any stage needs one.

    Args:
        spec: the `pipelineSpec` from TFX's KubeflowV2DagRunner. It is not modified.
        recipe: the compiled recipe.

    Raises:
        InputError: the properties of a stage do not fit into one process argument.
    """
    document: Document = json.loads(json.dumps(spec))
    kubeflow = kubeflow_of(recipe)
    document["defaultPipelineRoot"] = kubeflow.pipeline_root
    for name, (parameter, default) in parameters_of(recipe).items():
        stages = [stage for stage in parameter.stages if stage in stages_of(recipe)]
        _add_parameter(document, name, parameter, default, stages)
    _add_night(document)
    executors: Document = {}
    for stage, task in document["root"]["dag"]["tasks"].items():
        place = place_of(kubeflow, stage)
        component = document["components"][task["componentRef"]["name"]]
        label = component["executorLabel"]
        task.update(resources.task(place))
        container = document["deploymentSpec"]["executors"][label]["container"]
        container["args"] = _arguments(container["args"], stage, component)
        container.update(resources.container(place))
        _check_size(stage, task)
        if config := resources.kubernetes(stage, place):
            executors[label] = config
    platform = {"platforms": {"kubernetes": {"deploymentSpec": {"executors": executors}}}} if executors else None
    return document, platform


def _add_parameter(
    document: Document, name: str, parameter: RuntimeParameter, default: str | int | bool, stages: Sequence[str]
) -> None:
    """Adds a parameter of the run and passes it to its stages. TFX's RuntimeParameter would lose its default."""
    definition = {
        "parameterType": parameter.type,
        "defaultValue": default,
        "isOptional": True,
        "description": parameter.description,
    }
    tasks = [document["root"]["dag"]["tasks"][stage] for stage in stages]
    components = [document["components"][task["componentRef"]["name"]] for task in tasks]
    for holder in (document["root"], *components):
        holder.setdefault("inputDefinitions", {}).setdefault("parameters", {})[name] = dict(definition)
    for task in tasks:
        task.setdefault("inputs", {}).setdefault("parameters", {})[name] = {"componentInputParameter": name}


def _add_night(document: Document) -> None:
    """Passes the output of the stage Night, if there is one, to the stages that depend on the day. TFX's Trainer could not declare this input."""
    tasks = document["root"]["dag"]["tasks"]
    if NIGHT not in tasks:
        return
    outputs = document["components"][tasks[NIGHT]["componentRef"]["name"]]["outputDefinitions"]["artifacts"]
    for task in (tasks[stage] for stage in OF_THE_DAY):
        component = document["components"][task["componentRef"]["name"]]
        definitions = component.setdefault("inputDefinitions", {}).setdefault("artifacts", {})
        definitions[NIGHT_INPUT] = json.loads(json.dumps(outputs[NIGHT_INPUT]))
        source = {"taskOutputArtifact": {"producerTask": NIGHT, "outputArtifactKey": NIGHT_INPUT}}
        task.setdefault("inputs", {}).setdefault("artifacts", {})[NIGHT_INPUT] = source
        task["dependentTasks"] = sorted({*task.get("dependentTasks", []), NIGHT})


def _arguments(arguments: list[str], stage: str, component: Document) -> list[str]:
    """TFX's arguments with the stage's name and the current inputs."""
    changed = list(arguments)
    inputs = json.dumps(component.get("inputDefinitions", {}), sort_keys=True)
    changed[changed.index("--json_serialized_inputs_spec_args") + 1] = inputs
    return ["--stage", stage, *changed]


def _check_size(stage: str, task: Document) -> None:
    size = len(json.dumps(task.get("inputs", {}).get("parameters", {})).encode("utf-8"))
    if size > LARGEST_ARGUMENT - ROOM:
        raise InputError(
            f"{stage}: its part of the recipe is {size:,} bytes, but a process argument has at most "
            f"{LARGEST_ARGUMENT - ROOM:,}. Use fewer or shorter names, or a smaller curated schema."
        )
