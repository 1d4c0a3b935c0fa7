"""The routes of Kubernetes' API that TFX's InfraValidator uses, on the loopback, with TensorFlow Serving played in process.

A pod that is created is started by a function of the test, from what its manifest says alone: image, environment, and the
volume claims that it mounts. A log is refused to who names a container that the pod has not, as the real API refuses it.
"""

from __future__ import annotations

import json
import re
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

NAMESPACE = "team-a"
EXECUTOR = "shop-infravalidator-1"
ROUTE = re.compile(rf"/api/v1/namespaces/{NAMESPACE}/(pods|persistentvolumeclaims)(?:/([^/?]+))?(/log)?(?:\?.*)?")


class Kubernetes:
    """What the cluster knows.

    Args:
        start: starts a created pod; returns its phase, "Running" or "Failed".
        mount: folder in the step's pod at which the claim `gatewise-home` is mounted.
        access: access mode of that claim.

    Attributes:
        created, deleted: manifests of the pods that were made, names of those that were ended.
        asked: (method, path) of each request.
        more: what else a created pod's status says; "phase" may be overruled.
        log: of a created pod's server.
    """

    def __init__(self, start: Callable[[Mapping[str, Any]], str], mount: str, access: str = "ReadWriteMany") -> None:
        self._start = start
        self.created: list[dict[str, Any]] = []
        self.deleted: list[str] = []
        self.asked: list[tuple[str, str]] = []
        self.more: dict[str, Any] = {}
        self.log = ""
        self._claim = {"spec": {"accessModes": [access]}}
        self._pods: dict[str, dict[str, Any]] = {
            EXECUTOR: {
                "apiVersion": "v1",
                "kind": "Pod",
                "metadata": {"name": EXECUTOR, "uid": "b2f1"},
                "spec": {
                    "serviceAccountName": "pipeline-runner",
                    "containers": [
                        {"name": "wait", "image": "argo"},
                        {
                            "name": "main",
                            "image": "gatewise",
                            "volumeMounts": [
                                {"name": "tmp", "mountPath": "/tmp/of-argo"},
                                {"name": "gatewise-home", "mountPath": mount},
                            ],
                        },
                    ],
                    "volumes": [
                        {"name": "tmp", "emptyDir": {}},
                        {"name": "gatewise-home", "persistentVolumeClaim": {"claimName": "gatewise-home"}},
                    ],
                },
            }
        }

    def answer(self, method: str, path: str, body: Any) -> tuple[int, Any]:
        """(status, body) of a request."""
        self.asked.append((method, path))
        match = ROUTE.fullmatch(path)
        if match is None:
            return 404, {"message": f"no route {path}"}
        kind, name, log = match.groups()
        if kind == "persistentvolumeclaims":
            return (200, self._claim) if name == "gatewise-home" else (404, {"message": "not found"})
        if method == "POST":
            name = f"{body['metadata']['generateName']}x{len(self.created)}"
            self.created.append(body)
            status = {"phase": self._start(body), "podIP": "127.0.0.1", **self.more}
            if status["phase"] == "Failed" and not self.more:
                ended = {"terminated": {"exitCode": 255, "reason": "Error"}}
                status["containerStatuses"] = [
                    {"name": "server", "image": "x", "imageID": "x", "ready": False, "restartCount": 0, "state": ended}
                ]
            self._pods[name] = {**body, "metadata": {**body["metadata"], "name": name}, "status": status}
            return 201, self._pods[name]
        if name not in self._pods:
            return 404, {"message": f'pods "{name}" not found'}
        if log:
            if "container=main" not in path:
                return 200, self.log
            return 400, {"message": f"container main is not valid for pod {name}"}
        if method == "DELETE":
            self.deleted.append(name)
            return 200, self._pods.pop(name)
        return 200, self._pods[name]


@contextmanager
def serving(cluster: Kubernetes) -> Iterator[str]:
    """The API of `cluster` at the address that is yielded."""

    class Handler(BaseHTTPRequestHandler):
        def _answer(self) -> None:
            length = int(self.headers.get("Content-Length") or 0)
            body = json.loads(self.rfile.read(length)) if length else None
            status, answer = cluster.answer(self.command, self.path, body)
            content = json.dumps(answer).encode()
            self.send_response(status)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

        do_GET = do_POST = do_DELETE = _answer

        def log_message(self, format: str, *args: Any) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_address[1]}"
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


@contextmanager
def in_a_step(home: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Kubernetes]:
    """This process is a step's pod, with `home` mounted, in a cluster where TensorFlow Serving is the development server."""
    from kubernetes import client
    from tfx.components.infra_validator import serving_bins
    from tfx.utils import kube_utils

    from models.recipe.errors import InputError
    from pipeline.serving.server import Server

    servers: list[Server] = []

    def start(pod: Mapping[str, Any]) -> str:
        (container,) = pod["spec"]["containers"]
        environment = {one["name"]: one["value"] for one in container["env"]}
        # As the image's own script has it: --model_base_path=$MODEL_BASE_PATH/$MODEL_NAME
        folder = Path(environment["MODEL_BASE_PATH"], environment["MODEL_NAME"])
        (mount,) = container["volumeMounts"]
        assert mount["readOnly"] and folder.is_relative_to(mount["mountPath"])
        try:
            servers.append(Server(folder, "127.0.0.1", 0, 0, poll_seconds=3600))
        except InputError:
            return "Failed"
        monkeypatch.setattr(serving_bins.TensorFlowServing, "_DEFAULT_GRPC_PORT", servers[-1].grpc_port)
        return "Running"

    cluster = Kubernetes(start, str(home))
    monkeypatch.setenv("KFP_POD_NAME", EXECUTOR)
    monkeypatch.setenv("KFP_NAMESPACE", NAMESPACE)
    with serving(cluster) as address:
        api = client.ApiClient(client.Configuration(host=address))
        monkeypatch.setattr(kube_utils._factory, "_config_loaded", True)
        monkeypatch.setattr(kube_utils._factory, "_inside_cluster", True)
        monkeypatch.setattr(kube_utils._factory, "MakeCoreV1Api", lambda: client.CoreV1Api(api))
        try:
            yield cluster
        finally:
            api.close()
            for server in servers:
                server.stop()
