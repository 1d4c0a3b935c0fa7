"""Manifests against the schemas of Kubernetes' API, as its official Python client carries them.

The client's models are made from the API's OpenAPI description: of each object the keys, their types, and which are
required. The client itself ignores unknown keys; here they are faults, as `kubectl --validate=strict` has it.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

from kubernetes import client


def faults(manifest: Mapping[str, Any]) -> list[str]:
    """What the API would refuse of a manifest, each with its place; [] if nothing."""
    group, _, version = str(manifest.get("apiVersion", "")).rpartition("/")
    name = f"{version[:1].upper()}{version[1:]}{manifest.get('kind')}"
    if not hasattr(client, name):
        return [f"no kind {manifest.get('kind')!r} in {manifest.get('apiVersion')!r}"]
    return list(_faults(manifest, name, str(manifest["kind"]))) + _group_fault(manifest, group)


def _group_fault(manifest: Mapping[str, Any], group: str) -> list[str]:
    expected = GROUPS.get(str(manifest["kind"]))
    return [] if expected in (None, group) else [f"{manifest['kind']}: apiVersion of group {expected!r}, not {group!r}"]


GROUPS = {
    "Deployment": "apps",
    "Job": "batch",
    "HorizontalPodAutoscaler": "autoscaling",
    "PodDisruptionBudget": "policy",
    "NetworkPolicy": "networking.k8s.io",
    **dict.fromkeys(("Service", "ConfigMap", "ServiceAccount", "PersistentVolumeClaim"), ""),
}
"""The group of each kind: a model's name has the version only."""


def _faults(value: Any, type_: str, place: str) -> Iterator[str]:
    if match := re.fullmatch(r"list\[(.+)\]", type_):
        if not isinstance(value, list):
            yield f"{place}: expected a list, found {value!r}"
            return
        for number, item in enumerate(value):
            yield from _faults(item, match[1], f"{place}[{number}]")
    elif match := re.fullmatch(r"dict\(str, (.+)\)", type_):
        if not isinstance(value, dict):
            yield f"{place}: expected a mapping, found {value!r}"
            return
        for key, item in value.items():
            yield from _faults(item, match[1], f"{place}.{key}")
    elif type_ in _SIMPLE:
        if not isinstance(value, _SIMPLE[type_]) or (isinstance(value, bool) and type_ != "bool"):
            yield f"{place}: expected {type_}, found {value!r}"
    elif type_ != "object":
        yield from _object_faults(value, getattr(client, type_), place)


_SIMPLE: dict[str, Any] = {"str": str, "int": int, "float": (int, float), "bool": bool, "datetime": str}


def _object_faults(value: Any, model: Any, place: str) -> Iterator[str]:
    if not isinstance(value, dict):
        yield f"{place}: expected a mapping, found {value!r}"
        return
    names = {key: name for name, key in model.attribute_map.items()}
    for key, inner in value.items():
        if key not in names:
            yield f"{place}: unknown key {key!r}; known: {', '.join(sorted(names))}"
        else:
            yield from _faults(inner, model.openapi_types[names[key]], f"{place}.{key}")
    try:
        model(**{names[key]: inner for key, inner in value.items() if key in names})
    except ValueError as error:
        yield f"{place}: {error}"
