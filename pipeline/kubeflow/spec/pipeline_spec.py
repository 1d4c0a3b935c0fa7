"""Makes what TFX compiles valid on open-source Kubeflow Pipelines, and puts in what TFX has no words for.

TFX writes for Vertex AI. Open-source Kubeflow refuses some of it, drops some without a word, and knows fields (a
parameter's default, a GPU by its resource's name, retries, volumes) that TFX cannot express. All of it happens here, on the
plain documents; pure functions, without TFX.
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
"""Bytes of one argument of a process on Linux; a stage's properties are one argument, with its artifacts' names and URIs."""

ROOM = 24 * 1024
"""Bytes left of it for artifacts and what JSON adds."""

Document = dict[str, Any]


def mended(spec: Mapping[str, Any], recipe: Recipe) -> tuple[Document, Document | None]:
    """The two documents of the file: the pipeline spec, and the platform spec if any stage needs one.

    Args:
        spec: the `pipelineSpec` that TFX's KubeflowV2DagRunner returns. Not changed.
        recipe: of which it was compiled.

    Raises:
        InputError: the properties of a stage do not fit into one argument of a process.
    """
    document: Document = json.loads(json.dumps(spec))
    kubeflow = kubeflow_of(recipe)
    document["defaultPipelineRoot"] = kubeflow.pipeline_root
    for name, (parameter, default) in parameters_of(recipe).items():
        stages = [stage for stage in parameter.stages if stage in stages_of(recipe)]
        _add_parameter(document, name, parameter, default, stages)
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
    """A parameter of the run, handed through to its stages. TFX's RuntimeParameter would come without its default."""
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


def _arguments(arguments: list[str], stage: str, component: Document) -> list[str]:
    """TFX's arguments, with the stage's name and with the inputs as they are now."""
    changed = list(arguments)
    inputs = json.dumps(component.get("inputDefinitions", {}), sort_keys=True)
    changed[changed.index("--json_serialized_inputs_spec_args") + 1] = inputs
    return ["--stage", stage, *changed]


def _check_size(stage: str, task: Document) -> None:
    size = len(json.dumps(task.get("inputs", {}).get("parameters", {})).encode("utf-8"))
    if size > LARGEST_ARGUMENT - ROOM:
        raise InputError(
            f"{stage}: its part of the recipe is {size:,} bytes, and {LARGEST_ARGUMENT - ROOM:,} fit into the argument of a "
            "process. Use fewer or shorter names, or a smaller curated schema."
        )
