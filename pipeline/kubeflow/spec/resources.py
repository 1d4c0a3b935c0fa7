"""Converts a stage's settings in the recipe's section `kubeflow` to Kubeflow's pipeline spec and platform spec."""

from __future__ import annotations

import datetime
from typing import Any

from models.recipe.kubeflow import Retries, StagePlace

POD_FIELDS = {"InfraValidator": {"KFP_NAMESPACE": "metadata.namespace"}}
"""Stages that need fields of their own pod as environment variables: {variable: field of the pod}."""


def container(place: StagePlace) -> dict[str, Any]:
    """The part of `deploymentSpec.executors.X.container`: image, resources and environment."""
    resources: dict[str, Any] = {}
    if place.cpu is not None:
        resources |= {"resourceCpuRequest": place.cpu, "resourceCpuLimit": place.cpu}
    if place.memory is not None:
        resources |= {"resourceMemoryRequest": place.memory, "resourceMemoryLimit": place.memory}
    if place.gpu is not None:
        resources["accelerator"] = {"resourceType": place.gpu.type, "resourceCount": str(place.gpu.count)}
    part: dict[str, Any] = {"image": place.image}
    if resources:
        part["resources"] = resources
    if place.environment:
        part["env"] = [{"name": name, "value": value} for name, value in sorted(place.environment.items())]
    return part


def task(place: StagePlace) -> dict[str, Any]:
    """The part of a task: caching and retries."""
    part: dict[str, Any] = {}
    if place.caching:
        part["cachingOptions"] = {"enableCache": True}
    if place.retries is not None and place.retries.count:
        part["retryPolicy"] = _retry_policy(place.retries)
    return part


def kubernetes(stage: str, place: StagePlace) -> dict[str, Any]:
    """The stage's `KubernetesExecutorConfig`; {} if it needs none."""
    part: dict[str, Any] = {}
    if stage in POD_FIELDS:
        part["fieldPathAsEnv"] = [{"name": name, "fieldPath": field} for name, field in POD_FIELDS[stage].items()]
    if place.node_selector:
        part["nodeSelector"] = {"labels": dict(sorted(place.node_selector.items()))}
    if place.tolerations:
        part["tolerations"] = [toleration.model_dump(exclude_none=True) for toleration in place.tolerations]
    if place.secrets:
        part["secretAsEnv"] = [
            {
                "secretNameParameter": _constant(source.secret),
                "keyToEnv": [{"secretKey": source.key, "envVar": variable}],
            }
            for variable, source in sorted(place.secrets.items())
        ]
    if place.volumes:
        part["pvcMount"] = [
            {"pvcNameParameter": _constant(claim), "mountPath": folder}
            for folder, claim in sorted(place.volumes.items())
        ]
    if place.timeout is not None:
        part["activeDeadlineSeconds"] = str(int(place.timeout.total_seconds()))
    return part


def _retry_policy(retries: Retries) -> dict[str, Any]:
    """Argo accepts only whole seconds and whole factors."""
    return {
        "maxRetryCount": retries.count,
        "backoffDuration": _seconds(retries.backoff),
        "backoffFactor": float(retries.factor),
        "backoffMaxDuration": _seconds(retries.max_backoff),
    }


def _constant(name: str) -> dict[str, Any]:
    return {"runtimeValue": {"constant": name}}


def _seconds(duration: datetime.timedelta) -> str:
    return f"{int(duration.total_seconds())}s"
