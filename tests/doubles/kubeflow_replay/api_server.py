"""The checks of the API server: at the upload of a file, and at the start of a run."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import yaml
from google.protobuf import json_format
from kfp.kubernetes import kubernetes_executor_config_pb2
from kfp.pipeline_spec import pipeline_spec_pb2

TASK_NAME = re.compile(r"[a-zA-Z][-a-zA-Z0-9]*")
PIPELINE_NAME = re.compile(r"[a-z0-9][-a-z0-9]{0,127}")
IMPORTER_URI = re.compile(r"(gs|s3|minio|oci)://.+")
QUANTITY = re.compile(r"\d+(\.\d+)?(m|Ki|Mi|Gi|Ti|k|M|G|T)?")


class Refused(Exception):
    """The file, or the run, is refused."""


def upload(file: Path) -> tuple[dict[str, Any], dict[str, Any]]:
    """The pipeline spec and the platform spec ({} without one) of a file.

    Raises:
        Refused: what the API server or the compiler to Argo refuses, or would drop without a word.
    """
    documents = list(yaml.safe_load_all(file.read_text(encoding="utf-8")))
    if not 1 <= len(documents) <= 2:
        raise Refused(f"expected a pipeline spec and perhaps a platform spec, received {len(documents)} documents")
    spec, platform = documents[0], documents[1] if len(documents) == 2 else {}
    try:
        json_format.ParseDict(spec, pipeline_spec_pb2.PipelineSpec())
        json_format.ParseDict(spec["deploymentSpec"], pipeline_spec_pb2.PipelineDeploymentConfig())
        json_format.ParseDict(platform, pipeline_spec_pb2.PlatformSpec())
    except json_format.ParseError as error:
        raise Refused(str(error)) from None
    if not PIPELINE_NAME.fullmatch(spec["pipelineInfo"]["name"]):
        raise Refused(f"pipeline name {spec['pipelineInfo']['name']!r}")
    if not spec["schemaVersion"].startswith("2.1"):
        raise Refused(f"schema version {spec['schemaVersion']}")
    _check_tasks(spec)
    _check_platform(spec, platform)
    return spec, platform


def start(spec: dict[str, Any], given: dict[str, Any]) -> dict[str, Any]:
    """The parameters of a run: those given, and the defaults.

    Raises:
        Refused: an unknown parameter, one of another type, or none where there is no default.
    """
    defined = spec["root"].get("inputDefinitions", {}).get("parameters", {})
    if unknown := set(given) - set(defined):
        raise Refused(f"unknown parameters {sorted(unknown)}")
    values = {}
    for name, definition in defined.items():
        if name not in given and "defaultValue" not in definition:
            raise Refused(f"parameter {name} is missing and has no default")
        values[name] = given.get(name, definition.get("defaultValue"))
        _check_type(name, values[name], definition["parameterType"])
    return values


def _check_type(name: str, value: Any, kind: str) -> None:
    fits = {
        "STRING": isinstance(value, str),
        "BOOLEAN": isinstance(value, bool),
        "NUMBER_INTEGER": isinstance(value, int) and not isinstance(value, bool),
        "NUMBER_DOUBLE": isinstance(value, int | float) and not isinstance(value, bool),
    }
    if not fits[kind]:
        raise Refused(f"parameter {name}: {value!r} is no {kind}")


def _check_tasks(spec: dict[str, Any]) -> None:
    tasks, components = spec["root"]["dag"]["tasks"], spec["components"]
    executors = spec["deploymentSpec"]["executors"]
    run_parameters = spec["root"].get("inputDefinitions", {}).get("parameters", {})
    for name, task in tasks.items():
        if not TASK_NAME.fullmatch(name):
            raise Refused(f"task name {name!r} is none for Argo")
        component = components.get(task["componentRef"]["name"])
        if component is None or component["executorLabel"] not in executors:
            raise Refused(f"{name}: no component or no executor")
        _check_executor(name, executors[component["executorLabel"]])
        inputs = component.get("inputDefinitions", {})
        given = task.get("inputs", {})
        for key, source in given.get("artifacts", {}).items():
            producer = source["taskOutputArtifact"]["producerTask"]
            if key not in inputs.get("artifacts", {}) or producer not in tasks:
                raise Refused(f"{name}: artifact {key} of {producer}")
            outputs = components[tasks[producer]["componentRef"]["name"]]["outputDefinitions"]["artifacts"]
            if source["taskOutputArtifact"]["outputArtifactKey"] not in outputs:
                raise Refused(f"{name}: {producer} has no such output")
        for key, source in given.get("parameters", {}).items():
            if key not in inputs.get("parameters", {}):
                raise Refused(f"{name}: parameter {key} is not defined")
            if "componentInputParameter" in source and source["componentInputParameter"] not in run_parameters:
                raise Refused(f"{name}: the run has no parameter {source['componentInputParameter']}")
            if "runtimeParameter" in source.get("runtimeValue", {}):
                raise Refused(f"{name}: {key} is a runtime parameter of Vertex AI")
        for key, definition in inputs.get("parameters", {}).items():
            if key not in given.get("parameters", {}) and not definition.get("isOptional"):
                raise Refused(f"{name}: parameter {key} is missing")
        for other in task.get("dependentTasks", []):
            if other not in tasks:
                raise Refused(f"{name}: depends on {other}")
        retries = task.get("retryPolicy", {})
        for key in ("backoffDuration", "backoffMaxDuration"):
            if key in retries and not re.fullmatch(r"\d+s", retries[key]):
                raise Refused(f"{name}: Argo takes whole seconds only, received {retries[key]}")
        if retries.get("backoffFactor", 1) % 1:
            raise Refused(f"{name}: Argo takes whole factors only")


def _check_executor(name: str, executor: dict[str, Any]) -> None:
    if set(executor) == {"importer"}:
        if not IMPORTER_URI.match(executor["importer"]["artifactUri"]["constant"]):
            raise Refused(f"{name}: an importer of {executor['importer']['artifactUri']}")
        return
    if set(executor) != {"container"}:
        raise Refused(f"{name}: executors {sorted(executor)} are not implemented")
    container = executor["container"]
    if "lifecycle" in container:
        raise Refused(f"{name}: lifecycle hooks never run")
    if not container.get("command"):
        raise Refused(f"{name}: no command; the image's own is not used")
    resources = container.get("resources", {})
    for key, value in resources.items():
        if key == "accelerator":
            if set(value) != {"resourceType", "resourceCount"}:
                raise Refused(f"{name}: an accelerator needs type and count, in the new fields, or is dropped")
        elif not key.startswith("resource") or not QUANTITY.fullmatch(value):
            raise Refused(f"{name}: {key} {value!r}")


def _check_platform(spec: dict[str, Any], platform: dict[str, Any]) -> None:
    if not platform:
        return
    executors = platform["platforms"]["kubernetes"]["deploymentSpec"]["executors"]
    for label, config in executors.items():
        if label not in spec["deploymentSpec"]["executors"]:
            raise Refused(f"platform: no executor {label}")
        try:
            json_format.ParseDict(config, kubernetes_executor_config_pb2.KubernetesExecutorConfig())
        except json_format.ParseError as error:
            raise Refused(f"platform: {label}: {error}") from None
