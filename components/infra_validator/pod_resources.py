"""A mend of TFX 1.21's InfraValidator, without which Kubernetes makes it no pod."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator

from kubernetes import client
from tfx.components.infra_validator.model_server_runners import kubernetes_runner
from tfx.proto import infra_validator_pb2


@contextlib.contextmanager
def resources_as_kubernetes_wants_them() -> Iterator[None]:
    """Inside, the server's pod has the resources of `serving_pod_overrides`, and no claims.

    The stock runner writes `claims` into every pod, from Kubernetes' client 26 on, as a mapping; in the API they are a
    list, and a pod with anything else is refused as one that cannot be read.
    """
    original = kubernetes_runner._convert_to_resource_requirements
    kubernetes_runner._convert_to_resource_requirements = _requirements
    try:
        yield
    finally:
        kubernetes_runner._convert_to_resource_requirements = original


def _requirements(resources: infra_validator_pb2.Resources) -> client.V1ResourceRequirements:
    return client.V1ResourceRequirements(requests=dict(resources.requests), limits=dict(resources.limits))
