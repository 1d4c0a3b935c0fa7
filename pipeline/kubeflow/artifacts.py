"""Converts artifacts between Kubeflow's launcher and a TFX executor: types, paths and properties."""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import Any

from kfp.pipeline_spec import pipeline_spec_pb2
from tfx import types
from tfx.orchestration.kubeflow.v2.container import kubeflow_v2_entrypoint_utils

from components.baselines.executor import FOUND
from components.storage.writing import remove_folder
from models.recipe.locations import is_url

MOUNTS = {"s3://": "s3", "gs://": "gcs", "minio://": "minio"}
"""The launcher's folders for copies of artifacts at URLs: `s3://BUCKET/KEY` is copied to /s3/BUCKET/KEY."""

OF_KUBEFLOW = ("display_name", "store_session_info")
"""Metadata that Kubeflow adds to an artifact."""

ArtifactLists = Mapping[str, pipeline_spec_pb2.ArtifactList]


def local_path(uri: str, root: str = "/") -> str:
    """The artifact's path in the pod. A local path is unchanged, because kfp's local runner has no launcher.

    Args:
        uri: the artifact's URI in Kubeflow's metadata.
        root: parent of the launcher's folders.

    Raises:
        ValueError: the launcher does not support the scheme.
    """
    for scheme, folder in MOUNTS.items():
        if uri.startswith(scheme):
            return os.path.join(root, folder, uri.removeprefix(scheme))
    if "://" in uri:
        raise ValueError(f"expected an artifact at {', '.join(MOUNTS)} or a path, received {uri!r}")
    return uri


def inputs(
    given: ArtifactLists, definitions: pipeline_spec_pb2.ComponentInputsSpec, root: str | None
) -> dict[str, Any]:
    """The input artifacts for an executor: {key: [artifact]}. A baseline that was not found (`components.baselines`) is [].

    Kubeflow passes artifacts without types. The types come from the component's definition.

    Args:
        given: artifacts from Kubeflow.
        definitions: definitions of the component's inputs.
        root: parent of the launcher's folders. None leaves the artifacts at their URLs.
    """
    found = {}
    for key, artifacts in given.items():
        for artifact in artifacts.artifacts:
            artifact.type.CopyFrom(definitions.artifacts[key].artifact_type)
            _plain(artifact)
        parsed = _parsed({key: artifacts}, root)[key]
        found[key] = [one for one in parsed if not _is_nothing(one)]
    return found


def outputs(given: ArtifactLists, root: str | None) -> dict[str, list[types.Artifact]]:
    """The output artifacts for an executor. Creates their folders, which Kubeflow does not do.

    At a URL (`root` is None), removes the files of a killed attempt. The launcher does not overwrite what the stage writes
    there, because the pod has no local folder to upload.
    """
    found = _parsed(given, root)
    for artifacts in found.values():
        for artifact in artifacts:
            if is_url(artifact.uri):
                remove_folder(artifact.uri)
            else:
                os.makedirs(artifact.uri, exist_ok=True)
    return found


def executor_output(
    given: ArtifactLists, filled: Mapping[str, list[types.Artifact]]
) -> pipeline_spec_pb2.ExecutorOutput:
    """The output file that the launcher reads after the step.

    Each artifact keeps Kubeflow's name and URI, because the launcher does not upload from a local path. Properties without
    a value are omitted, because a null fails the step.
    """
    result = pipeline_spec_pb2.ExecutorOutput()
    for key, artifacts in filled.items():
        for kubeflows, ours in zip(given[key].artifacts, artifacts, strict=True):
            written = kubeflow_v2_entrypoint_utils.to_runtime_artifact(ours, {ours.id: kubeflows.name})
            out = result.artifacts[key].artifacts.add(name=kubeflows.name, uri=kubeflows.uri)
            for name, value in written.metadata.fields.items():
                if value.WhichOneof("kind") not in (None, "null_value"):
                    out.metadata.fields[name].CopyFrom(value)
    return result


def _parsed(given: ArtifactLists, root: str | None) -> dict[str, list[types.Artifact]]:
    found = kubeflow_v2_entrypoint_utils.parse_raw_artifact_dict(given, {})
    for artifacts in found.values():
        for artifact in artifacts:
            if root is not None:
                artifact.uri = local_path(artifact.uri, root)
    return found


def _plain(artifact: pipeline_spec_pb2.RuntimeArtifact) -> None:
    """Removes Kubeflow's entries from the metadata, and unwraps {"struct": {...}} and {"list": [...]} to their values."""
    fields = artifact.metadata.fields
    for name in OF_KUBEFLOW:
        fields.pop(name, None)
    for value in fields.values():
        wrapped = value.struct_value.fields
        if value.HasField("struct_value") and len(wrapped) == 1 and next(iter(wrapped)) in ("struct", "list"):
            inner = next(iter(wrapped.values()))
            value.CopyFrom(type(value).FromString(inner.SerializeToString()))


def _is_nothing(artifact: types.Artifact) -> bool:
    return artifact.has_custom_property(FOUND) and artifact.get_int_custom_property(FOUND) == 0
