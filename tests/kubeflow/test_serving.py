"""The serving manifests: Kubernetes' schemas, TensorFlow Serving's flags, and that their parts fit together."""

from __future__ import annotations

import copy
import re
from pathlib import Path
from typing import Any

import kubernetes_models
import pytest
import yaml

from pipeline.serving_config import CANARY_CONFIG, STABLE_CONFIG

ROOT = Path(__file__).parents[2]
FILES = {name: ROOT / "kubeflow" / f"{name}.yaml" for name in ("serving", "serving-canary", "serving-rows")}
PARTS = {name: list(yaml.safe_load_all(file.read_text(encoding="utf-8"))) for name, file in FILES.items()}
MANIFESTS = [manifest for part in PARTS.values() for manifest in part]
BY_NAME = {(manifest["kind"], manifest["metadata"]["name"]): manifest for manifest in MANIFESTS}
DEPLOYMENTS = [manifest for manifest in MANIFESTS if manifest["kind"] == "Deployment"]
CONFIG = BY_NAME["ConfigMap", "shop-serving"]["data"]

FLAGS = {
    *("port", "rest_api_port", "rest_api_num_threads", "model_config_file", "model_config_file_poll_wait_seconds"),
    *("file_system_poll_wait_seconds", "monitoring_config_file"),
    *("tensorflow_intra_op_parallelism", "tensorflow_inter_op_parallelism", "enable_batching"),
    *("batching_parameters_file", "enable_model_warmup"),
}
"""Of tensorflow_serving/model_servers/main.cc."""


def test_the_kinds() -> None:
    assert len(BY_NAME) == len(MANIFESTS)
    assert {kind for kind, _ in BY_NAME} == {
        *("ConfigMap", "ServiceAccount", "Deployment", "Service"),
        *("HorizontalPodAutoscaler", "PodDisruptionBudget", "NetworkPolicy"),
    }


@pytest.mark.parametrize("manifest", MANIFESTS, ids=["/".join(key) for key in BY_NAME])
def test_the_schemas_of_kubernetes(manifest: dict[str, Any]) -> None:
    assert kubernetes_models.faults(manifest) == []


@pytest.mark.parametrize(
    ("path", "value", "fault"),
    [
        (("spec", "replica"), 2, "unknown key 'replica'"),
        (("spec", "replicas"), "2", "expected int, found '2'"),
        (("spec", "selector"), None, "expected a mapping"),
        (("spec", "template", "spec", "containers", 0, "image"), 3, "containers[0].image: expected str"),
        (("spec", "template", "spec", "containers", 0, "readinesProbe"), {}, "unknown key 'readinesProbe'"),
        (("spec", "template", "spec", "containers", 0, "ports"), {}, "ports: expected a list"),
        (("spec", "template", "spec", "containers", 0, "ports", 0, "containerPort"), "rest", "expected int"),
        (("apiVersion",), "v2", "no kind 'Deployment' in 'v2'"),
        (("apiVersion",), "extensions/v1", "apiVersion of group 'apps'"),
    ],
)
def test_the_check_finds_what_is_wrong(path: tuple[Any, ...], value: Any, fault: str) -> None:
    manifest = copy.deepcopy(DEPLOYMENTS[0])
    place = manifest
    for key in path[:-1]:
        place = place[key]
    place[path[-1]] = value
    assert any(fault in found for found in kubernetes_models.faults(manifest))


def test_what_is_required_is_missed() -> None:
    manifest = copy.deepcopy(DEPLOYMENTS[0])
    del manifest["spec"]["template"]["spec"]["containers"][0]["name"]
    (fault,) = kubernetes_models.faults(manifest)
    assert "containers[0]: Invalid value for `name`, must not be `None`" in fault


@pytest.mark.parametrize("deployment", DEPLOYMENTS, ids=lambda manifest: manifest["metadata"]["name"])
def test_the_pods(deployment: dict[str, Any]) -> None:
    spec = deployment["spec"]["template"]["spec"]
    (server,) = spec["containers"]
    labels = deployment["spec"]["template"]["metadata"]["labels"]
    assert deployment["spec"]["selector"]["matchLabels"] == labels
    assert spec["securityContext"]["runAsNonRoot"] and spec["securityContext"]["runAsUser"] > 0
    own = server["securityContext"]
    assert (
        own["readOnlyRootFilesystem"]
        and not own["allowPrivilegeEscalation"]
        and own["capabilities"] == {"drop": ["ALL"]}
    )
    assert spec["automountServiceAccountToken"] is False
    assert ("ServiceAccount", spec["serviceAccountName"]) in BY_NAME
    assert re.fullmatch(r"tensorflow/serving:\d+\.\d+\.\d+", server["image"]), "a version, not `latest`"
    assert all(server["resources"][kind][what] for kind in ("requests", "limits") for what in ("cpu", "memory"))
    volumes = {volume["name"]: volume for volume in spec["volumes"]}
    mounts = {mount["name"]: mount for mount in server["volumeMounts"]}
    assert set(volumes) == set(mounts) and mounts["models"]["readOnly"] and mounts["config"]["readOnly"]
    assert ("ConfigMap", volumes["config"]["configMap"]["name"]) in BY_NAME
    ports = {port["name"]: port["containerPort"] for port in server["ports"]}
    assert ports == {"grpc": 8500, "rest": 8501}
    for probe in ("startupProbe", "readinessProbe"):
        assert server[probe]["httpGet"] == {"path": "/v1/models/shop/metadata", "port": "rest"}
    assert server["livenessProbe"]["tcpSocket"]["port"] in ports
    assert spec["terminationGracePeriodSeconds"] > int(server["lifecycle"]["preStop"]["exec"]["command"][1])


@pytest.mark.parametrize("deployment", DEPLOYMENTS, ids=lambda manifest: manifest["metadata"]["name"])
def test_the_flags(deployment: dict[str, Any]) -> None:
    args = dict(
        re.fullmatch(r"--(\w+)=(.+)", flag).groups()  # type: ignore[union-attr]
        for flag in deployment["spec"]["template"]["spec"]["containers"][0]["args"]
    )
    assert set(args) <= FLAGS
    for flag, value in args.items():
        if value.startswith("/config/"):
            assert value.removeprefix("/config/") in CONFIG, flag
    assert (args["port"], args["rest_api_port"]) == ("8500", "8501")
    canary = deployment["metadata"]["name"] == "shop-serving-canary"
    assert args["model_config_file"] == f"/models/shop/{CANARY_CONFIG if canary else STABLE_CONFIG}"
    # The server ends at once where there are parameters without batching.
    assert ("batching_parameters_file" in args) == (args.get("enable_batching") == "true")


def test_pages_are_not_batched() -> None:
    batched = {
        manifest["metadata"]["name"]
        for manifest in DEPLOYMENTS
        if "--enable_batching=true" in manifest["spec"]["template"]["spec"]["containers"][0]["args"]
    }
    assert batched == {"shop-serving-rows"}


def test_the_canary_is_the_stable_server_but_for_names_and_sizes() -> None:
    text = yaml.safe_dump_all(PARTS["serving-canary"]).replace("shop-serving-canary", "shop-serving")
    text = text.replace("component: canary", "component: pages").replace(CANARY_CONFIG, STABLE_CONFIG)
    for manifest in yaml.safe_load_all(text):
        stable = copy.deepcopy(BY_NAME[manifest["kind"], "shop-serving"])
        if manifest["kind"] == "HorizontalPodAutoscaler":
            for one in (manifest, stable):
                one["spec"].pop("maxReplicas")
        assert manifest == stable


def test_the_configs() -> None:
    """Their protobufs are in no package: the names of the fields, and braces that match."""
    assert re.fullmatch(r'prometheus_config \{ enable: true path: "(/[\w/]+)" \}\n', CONFIG["monitoring.config"])
    batching = dict(
        re.fullmatch(r"(\w+)(?: \{ value: (?:\d+) \}|: true)", line).group(1, 0)  # type: ignore[union-attr]
        for line in CONFIG["batching.config"].splitlines()
    )
    assert set(batching) == {
        *("max_batch_size", "batch_timeout_micros", "max_enqueued_batches", "num_batch_threads"),
        "pad_variable_length_inputs",
    }
    for deployment in DEPLOYMENTS:
        annotations = deployment["spec"]["template"]["metadata"]["annotations"]
        assert annotations == {
            "prometheus.io/scrape": "true",
            "prometheus.io/port": "8501",
            "prometheus.io/path": "/monitoring/prometheus/metrics",
        }
        assert annotations["prometheus.io/path"] in CONFIG["monitoring.config"]


def test_services_autoscaler_budget_and_policy_find_the_pods() -> None:
    pods = {
        manifest["metadata"]["name"]: manifest["spec"]["template"]["metadata"]["labels"] for manifest in DEPLOYMENTS
    }
    policy = BY_NAME["NetworkPolicy", "shop-serving"]["spec"]
    assert len(pods) == 3
    for name, labels in pods.items():
        service = BY_NAME["Service", name]
        assert service["spec"]["selector"] == service["metadata"]["labels"] == labels
        (server,) = BY_NAME["Deployment", name]["spec"]["template"]["spec"]["containers"]
        listens = {port["name"]: port["containerPort"] for port in server["ports"]}
        for port in service["spec"]["ports"]:
            assert port["name"] == port["targetPort"] and port["port"] == listens[port["targetPort"]]
        scaler = BY_NAME["HorizontalPodAutoscaler", name]["spec"]
        assert scaler["scaleTargetRef"] == {"apiVersion": "apps/v1", "kind": "Deployment", "name": name}
        assert 2 <= scaler["minReplicas"] < scaler["maxReplicas"]
        assert "replicas" not in BY_NAME["Deployment", name]["spec"], "else each apply undoes the autoscaler"
        budget = BY_NAME["PodDisruptionBudget", name]["spec"]
        assert budget["selector"]["matchLabels"] == labels
        assert budget["maxUnavailable"] < scaler["minReplicas"]
        assert policy["podSelector"]["matchLabels"].items() <= labels.items()
        # A policy sees the pods' ports, whatever the services' are.
        assert {port["port"] for rule in policy["ingress"] for port in rule["ports"]} == set(listens.values())
    assert policy["egress"] == [] and set(policy["policyTypes"]) == {"Ingress", "Egress"}
    (clients,), (prometheus,) = (rule["from"] for rule in policy["ingress"])
    assert clients == {"namespaceSelector": {}, "podSelector": {"matchLabels": {"shop-client": "true"}}}
    assert prometheus["namespaceSelector"]["matchLabels"] == {"kubernetes.io/metadata.name": "monitoring"}
