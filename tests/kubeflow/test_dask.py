"""The manifest of the Dask cluster: Kubernetes' schemas, that its parts fit together, and that its commands make a cluster."""

from __future__ import annotations

import re
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import distributed
import kubernetes_models
import pytest
import yaml

ROOT = Path(__file__).resolve().parents[2]
MANIFESTS = list(yaml.safe_load_all((ROOT / "kubeflow" / "dask.yaml").read_text(encoding="utf-8")))
BY_NAME = {
    (manifest["kind"], manifest["metadata"]["name"]): manifest["spec"] for manifest in MANIFESTS if "spec" in manifest
}
SCHEDULER = BY_NAME["Deployment", "gatewise-dask-scheduler"]
WORKERS = BY_NAME["Deployment", "gatewise-dask-workers"]
PODS = {"scheduler": SCHEDULER["template"], "worker": WORKERS["template"]}
ADDRESS = "tcp://dask-scheduler:8786"
STORES = {"SeaweedFS": 8333, "MinIO": 9000}
"""The ports that the pods behind Kubeflow's minio-service:9000 listen on."""


def container(name: str) -> dict[str, Any]:
    (only,) = PODS[name]["spec"]["containers"]
    return only


def flags(name: str) -> dict[str, str]:
    return dict(flag.removeprefix("--").split("=", 1) for flag in container(name)["args"] if flag.startswith("--"))


def ports(name: str) -> dict[str, int]:
    return {port["name"]: port["containerPort"] for port in container(name)["ports"]}


def mebibytes(quantity: str) -> int:
    return int(quantity.removesuffix("B").removesuffix("Gi")) * 1024


@pytest.mark.parametrize(
    "manifest", MANIFESTS, ids=lambda manifest: f"{manifest['kind']}/{manifest['metadata']['name']}"
)
def test_the_schemas_of_kubernetes(manifest: dict[str, Any]) -> None:
    assert kubernetes_models.faults(manifest) == []


def test_the_kinds() -> None:
    assert sorted((manifest["kind"], manifest["metadata"]["name"]) for manifest in MANIFESTS) == [
        ("ConfigMap", "gatewise-dask"),
        ("Deployment", "gatewise-dask-scheduler"),
        ("Deployment", "gatewise-dask-workers"),
        ("NetworkPolicy", "gatewise-dask"),
        ("PodDisruptionBudget", "gatewise-dask-scheduler"),
        ("PodDisruptionBudget", "gatewise-dask-workers"),
        ("Service", "dask-scheduler"),
        ("ServiceAccount", "gatewise-dask"),
    ]


@pytest.mark.parametrize("name", PODS)
def test_the_pods(name: str) -> None:
    spec, own = PODS[name]["spec"], container(name)
    deployment = {"scheduler": SCHEDULER, "worker": WORKERS}[name]
    assert deployment["selector"]["matchLabels"] == PODS[name]["metadata"]["labels"]
    assert spec["serviceAccountName"] == "gatewise-dask" and spec["automountServiceAccountToken"] is False
    security = spec["securityContext"]
    assert security["runAsNonRoot"] and security["runAsUser"] == security["fsGroup"] == 10001, "of kubeflow/Dockerfile"
    assert own["securityContext"] == {
        "allowPrivilegeEscalation": False,
        "readOnlyRootFilesystem": True,
        "capabilities": {"drop": ["ALL"]},
    }
    resources = own["resources"]
    assert resources["requests"]["memory"] == resources["limits"]["memory"], "what is not requested is taken away first"
    (volume,), (mount,) = spec["volumes"], own["volumeMounts"]
    assert volume["name"] == mount["name"] and volume["emptyDir"]["sizeLimit"]
    environment = {variable["name"]: variable.get("value") for variable in own["env"]}
    assert environment["HOME"] == environment["TMPDIR"] == mount["mountPath"]
    for probe in ("startupProbe", "readinessProbe", "livenessProbe"):
        assert own[probe]["httpGet"] == {"path": "/health", "port": "http"}
    assert ports(name)["http"] == int(flags(name)["dashboard-address"].removeprefix(":"))


def test_one_image_for_all_the_one_of_the_steps() -> None:
    recipe = yaml.safe_load((ROOT / "recipes" / "shop.yaml").read_text(encoding="utf-8"))
    assert {container(name)["image"] for name in PODS} == {recipe["kubeflow"]["image"]}


def test_the_workers_find_the_scheduler() -> None:
    service = BY_NAME["Service", "dask-scheduler"]
    assert service["selector"] == PODS["scheduler"]["metadata"]["labels"]
    assert [(port["port"], port["targetPort"]) for port in service["ports"]] == [(8786, "scheduler"), (8787, "http")]
    assert ports("scheduler")["scheduler"] == int(flags("scheduler")["port"]) == 8786
    assert container("worker")["args"][0] == ADDRESS
    assert f"--dask_client_address={ADDRESS}" in (ROOT / "kubeflow" / "dask.yaml").read_text(encoding="utf-8")


def test_a_partition_has_its_memory_for_itself() -> None:
    own = flags("worker")
    assert (own["nworkers"], own["nthreads"]) == ("1", "1")
    limit = mebibytes(container("worker")["resources"]["limits"]["memory"])
    assert 0.8 * limit <= mebibytes(own["memory-limit"]) < limit
    assert own["local-directory"] == container("worker")["volumeMounts"][0]["mountPath"]
    assert (int(own["worker-port"]), int(own["nanny-port"])) == (ports("worker")["worker"], ports("worker")["nanny"])


def test_the_object_store_s_keys_come_from_a_secret() -> None:
    config = next(manifest["data"] for manifest in MANIFESTS if manifest["kind"] == "ConfigMap")
    assert set(config) == {"AWS_ENDPOINT_URL", "AWS_REGION"}
    assert container("worker")["envFrom"] == [{"configMapRef": {"name": "gatewise-dask"}}]
    secrets = {
        variable["name"]: variable["valueFrom"]["secretKeyRef"]
        for variable in container("worker")["env"]
        if "valueFrom" in variable
    }
    assert secrets == {
        "AWS_ACCESS_KEY_ID": {"name": "gatewise-s3", "key": "accesskey", "optional": True},
        "AWS_SECRET_ACCESS_KEY": {"name": "gatewise-s3", "key": "secretkey", "optional": True},
    }


def test_budgets_and_policy_find_the_pods() -> None:
    for name, most in (("scheduler", 0), ("worker", 1)):
        budget = BY_NAME["PodDisruptionBudget", f"gatewise-dask-{name}{'s' if name == 'worker' else ''}"]
        assert budget["selector"]["matchLabels"] == PODS[name]["metadata"]["labels"]
        assert budget["maxUnavailable"] == most
    policy = BY_NAME["NetworkPolicy", "gatewise-dask"]
    labels = policy["podSelector"]["matchLabels"]
    assert all(labels.items() <= pod["metadata"]["labels"].items() for pod in PODS.values())
    inside, steps = policy["ingress"]
    assert inside == {"from": [{"podSelector": {"matchLabels": labels}}]}, "all ports among themselves"
    assert [port["port"] for port in steps["ports"]] == [8786], "and nobody else reaches a worker"
    out = {port["port"] for rule in policy["egress"] if "to" not in rule for port in rule["ports"]}
    assert out >= {53, 443, *STORES.values()}, "the policy sees the port of the store's pods, not that of its service"


def free_ports(count: int) -> list[int]:
    sockets = [socket.socket() for _ in range(count)]
    for one in sockets:
        one.bind(("127.0.0.1", 0))
    found = [one.getsockname()[1] for one in sockets]
    for one in sockets:
        one.close()
    return found


def here(name: str, changes: dict[str, str]) -> list[str]:
    """The container's command line on this machine."""
    line = " ".join(container(name)["args"])
    for old, new in changes.items():
        assert old in line, old
        line = line.replace(old, new)
    command = container(name)["command"]
    assert command[0] == "python3"
    return [sys.executable, *command[1:], *line.split(" ")]


@contextmanager
def running(*commands: list[str], log: Path) -> Iterator[None]:
    with log.open("w") as output:
        started = [subprocess.Popen(command, stdout=output, stderr=output) for command in commands]
        try:
            yield
        finally:
            for process in reversed(started):
                process.terminate()
            for process in reversed(started):
                process.wait(timeout=60)


def answers(port: int, log: Path) -> str:
    """What /health says, as soon as it says anything."""
    deadline = time.monotonic() + 60
    while True:
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{port}/health", timeout=10) as response:
                return response.read().decode()
        except OSError:
            assert time.monotonic() < deadline, log.read_text()
            time.sleep(0.2)


def test_the_commands_make_a_cluster_that_works(tmp_path: Path) -> None:
    """The manifest's own command lines, with the addresses and the folder of this machine."""
    scheduler, scheduler_http, worker, nanny, worker_http = free_ports(5)
    commands = [
        here("scheduler", {"0.0.0.0": "127.0.0.1", "8786": str(scheduler), ":8787": f"127.0.0.1:{scheduler_http}"}),
        here(
            "worker",
            {
                ADDRESS: f"tcp://127.0.0.1:{scheduler}",
                "=/scratch": f"={tmp_path}",
                "8788": str(worker),
                "8789": str(nanny),
                ":8787": f"127.0.0.1:{worker_http}",
            },
        ),
    ]
    log = tmp_path / "log"
    with running(*commands, log=log):
        assert answers(scheduler_http, log) == "ok"
        assert answers(worker_http, log) == "ok"
        with distributed.Client(f"tcp://127.0.0.1:{scheduler}", timeout=30) as client:
            (only,) = client.scheduler_info()["workers"].values()
            assert only["nthreads"] == 1 and only["memory_limit"] == 7 * 2**30
            assert re.fullmatch(rf"tcp://[\d.]+:{nanny}", only["nanny"])
            assert client.submit(sum, [1, 2, 3]).result(timeout=30) == 6
