"""Scrapes and alerts: no schema of the Prometheus operator is at hand, so their keys are listed here, and what they name is held."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import yaml

ROOT = Path(__file__).resolve().parents[2]


def documents(name: str) -> list[dict[str, Any]]:
    return list(yaml.safe_load_all((ROOT / "kubeflow" / f"{name}.yaml").read_text(encoding="utf-8")))


MONITOR, RULE = documents("monitoring")
SERVING = [manifest for name in ("serving", "serving-canary", "serving-rows") for manifest in documents(name)]
SERVICES = {manifest["metadata"]["name"]: manifest for manifest in SERVING if manifest["kind"] == "Service"}

METRICS = {
    ":tensorflow:serving:request_count": {"model_name", "status"},
    ":tensorflow:serving:request_latency_bucket": {"model_name", "API", "entrypoint", "le"},
    "kubelet_volume_stats_available_bytes": {"persistentvolumeclaim"},
    "kubelet_volume_stats_capacity_bytes": {"persistentvolumeclaim"},
    "up": set(),
}
"""{name: labels}, of tensorflow_serving/servables/tensorflow/util.cc and of the kubelet."""


def test_the_monitor_finds_every_server_by_its_service() -> None:
    assert (MONITOR["apiVersion"], MONITOR["kind"]) == ("monitoring.coreos.com/v1", "ServiceMonitor")
    assert set(MONITOR["spec"]) == {"selector", "endpoints"}, "without a namespaceSelector: that of the monitor"
    assert len(SERVICES) == 3
    (endpoint,) = MONITOR["spec"]["endpoints"]
    assert set(endpoint) == {"port", "path", "interval"}
    for service in SERVICES.values():
        assert MONITOR["spec"]["selector"]["matchLabels"].items() <= service["metadata"]["labels"].items()
        assert endpoint["port"] in {port["name"] for port in service["spec"]["ports"]}
    (config,) = (manifest["data"] for manifest in SERVING if manifest["kind"] == "ConfigMap")
    assert f'path: "{endpoint["path"]}"' in config["monitoring.config"]


def test_the_rules_name_what_there_is() -> None:
    assert (RULE["apiVersion"], RULE["kind"]) == ("monitoring.coreos.com/v1", "PrometheusRule")
    (group,) = RULE["spec"]["groups"]
    names = [rule["alert"] for rule in group["rules"]]
    assert len(set(names)) == len(names) == 4
    for rule in group["rules"]:
        assert set(rule) == {"alert", "expr", "for", "labels", "annotations"}
        assert re.fullmatch(r"\d+m", rule["for"]) and rule["labels"]["severity"] in ("warning", "critical")
        assert set(rule["annotations"]) == {"summary", "action"}
        expression = rule["expr"]
        for opening, closing in ("()", "{}", "[]"):
            assert expression.count(opening) == expression.count(closing)
        selectors = re.findall(r"([:\w]+)\{([^}]*)\}", expression)
        assert selectors
        for metric, labels in selectors:
            found = dict(re.findall(r'(\w+)(?:=~|!~|=|!=)"([^"]*)"', labels))
            assert set(found) <= METRICS[metric] | {"namespace", "service"}, (
                "Prometheus takes an unknown label silently"
            )
            assert found["namespace"] == "kubeflow"
            if "service" in found:
                assert any(re.fullmatch(found["service"], service) for service in SERVICES)
            if "persistentvolumeclaim" in found:
                assert found["persistentvolumeclaim"] in {
                    manifest["metadata"]["name"]
                    for manifest in documents("home")
                    if manifest["kind"] == "PersistentVolumeClaim"
                }
