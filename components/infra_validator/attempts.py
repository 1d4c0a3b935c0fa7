"""The attempts of the stock InfraValidator, with or without a verdict on the model, and a fix for its pod resources."""

from __future__ import annotations

import contextlib
import logging
import re
import time
from collections.abc import Iterator
from typing import Any

from kubernetes import client
from tfx.components.infra_validator import error_types
from tfx.components.infra_validator import executor as stock
from tfx.components.infra_validator.model_server_runners import kubernetes_runner
from tfx.proto import infra_validator_pb2

logger = logging.getLogger(__name__)

REFUSED = re.compile(r"Loading servable: .* failed: (?!\S*(?:RESOURCE_EXHAUSTED|UNAVAILABLE|Resource exhausted))")
"""What TensorFlow Serving logs if it cannot load a model. It retries for longer than the attempt's time limit."""

NOT_ITS_OWN = {0, *range(125, 193)}
"""Exit codes unrelated to the model: success, not executable (125 to 127), killed by a signal (128 plus its number).
TensorFlow Serving's own exit code is 255."""


class Attempts(stock.Executor):
    """Records for each failed attempt whether the server refused the model.

    The stock executor blames the model for everything that happens to the server's pod: no node with enough room, an
    image that cannot be pulled, an eviction.

    Attributes:
        refused: whether the server refused the model in at least one attempt.
        last: description of the last failed attempt.
    """

    def __init__(self, context: Any = None) -> None:
        super().__init__(context)
        self.refused, self.last = False, "no attempt was made"

    def _ValidateOnce(
        self,
        model_path: str,
        serving_binary: Any,
        serving_spec: infra_validator_pb2.ServingSpec,
        validation_spec: infra_validator_pb2.ValidationSpec,
        requests: list[Any],
    ) -> None:
        deadline = time.time() + validation_spec.max_loading_time_seconds
        runner = None
        try:
            runner = stock._create_model_server_runner(
                model_path=model_path, serving_binary=serving_binary, serving_spec=serving_spec
            )
            runner.Start()
            runner.WaitUntilRunning(deadline)
            client = serving_binary.MakeClient(runner.GetEndpoint())
            client.WaitUntilModelLoaded(deadline, polling_interval_sec=1)
            if requests:
                client.SendRequests(requests)
        except error_types.GracefulShutdown:
            raise
        except Exception as error:
            pod = _pod_of(runner)
            self.last = f"{type(error).__name__}: {str(error)[:1000]}{_in_words(pod)}"
            self.refused |= isinstance(error, error_types.ValidationFailed) or (
                pod is not None and (ended_by_itself(pod) or REFUSED.search(_log_of(runner)) is not None)
            )
            raise
        finally:
            if runner is not None:
                runner.Stop()


def ended_by_itself(pod: Any) -> bool:
    """Whether the server of a pod ended with its own error code: not killed, not evicted, not out of time or memory.

    Args:
        pod: a V1Pod.
    """
    if pod.status.reason:  # Evicted, NodeLost, DeadlineExceeded: the pod's end, not the server's
        return False
    ended = [state for container in pod.status.container_statuses or () if (state := container.state.terminated)]
    return any(state.exit_code not in NOT_ITS_OWN and state.reason != "OOMKilled" for state in ended)


def _in_words(pod: Any) -> str:
    if pod is None:
        return " (the server's pod does not exist)"
    waiting = [
        f", {state.reason}: {state.message}"
        for container in pod.status.container_statuses or ()
        if (state := container.state.waiting or container.state.terminated)
    ]
    unscheduled = [f", {one.message}" for one in pod.status.conditions or () if one.status == "False" and one.message]
    reason = f", {pod.status.reason}: {pod.status.message}" if pod.status.reason else ""
    return f" (the server's pod is {pod.status.phase}{reason}{''.join(waiting + unscheduled)})"


def _pod_of(runner: Any) -> Any:
    """The server's V1Pod; None if it does not exist or cannot be read."""
    if runner is None or runner._pod_name is None:
        return None
    try:
        return runner._k8s_core_api.read_namespaced_pod(name=runner._pod_name, namespace=runner._namespace)
    except Exception:  # only needed to describe another error
        logger.warning("InfraValidator: cannot read the server's pod.", exc_info=True)
        return None


def _log_of(runner: Any) -> str:
    try:
        # The pod's only container. The stock runner's GetLogs names the container of the step.
        return str(runner._k8s_core_api.read_namespaced_pod_log(name=runner._pod_name, namespace=runner._namespace))
    except Exception:
        logger.warning("InfraValidator: cannot read the server's log.", exc_info=True)
        return ""


@contextlib.contextmanager
def resources_as_kubernetes_wants_them() -> Iterator[None]:
    """Fixes TFX 1.21: in this context, the server's pod gets the resources of `serving_pod_overrides` without claims.

    With Kubernetes' client 26 or later, the stock runner writes `claims` into every pod as a mapping. The API expects a
    list and refuses the pod.
    """
    original = kubernetes_runner._convert_to_resource_requirements
    kubernetes_runner._convert_to_resource_requirements = _requirements
    try:
        yield
    finally:
        kubernetes_runner._convert_to_resource_requirements = original


def _requirements(resources: infra_validator_pb2.Resources) -> client.V1ResourceRequirements:
    return client.V1ResourceRequirements(requests=dict(resources.requests), limits=dict(resources.limits))
