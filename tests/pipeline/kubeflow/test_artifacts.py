"""Artifacts as Kubeflow hands them over and takes them back."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from google.protobuf import json_format
from kfp.pipeline_spec import pipeline_spec_pb2
from kubeflow_replay.metadata import after_round_trip
from tfx.orchestration.kubeflow.v2 import compiler_utils
from tfx.types import standard_artifacts

from pipeline.kubeflow import artifacts

EXAMPLES = compiler_utils.get_artifact_schema(standard_artifacts.Examples)
MODEL = compiler_utils.get_artifact_schema(standard_artifacts.Model)


@pytest.mark.parametrize(
    ("uri", "path"),
    [
        ("s3://bucket/a/b", "/s3/bucket/a/b"),
        ("gs://bucket/a", "/gcs/bucket/a"),
        ("minio://mlpipeline/v2/a", "/minio/mlpipeline/v2/a"),
        ("/tmp/local/a", "/tmp/local/a"),
    ],
)
def test_where_the_launcher_puts_what_lies_at_a_url(uri: str, path: str) -> None:
    assert artifacts.local_path(uri) == path


def test_under_another_root_and_unknown_schemes() -> None:
    assert artifacts.local_path("s3://bucket/a", "/pod") == "/pod/s3/bucket/a"
    with pytest.raises(
        ValueError, match=r"expected an artifact at s3://, gs://, minio:// or a path, received 'oci://a'"
    ):
        artifacts.local_path("oci://a")


def executor_input(kind: str, **lists: dict[str, Any]) -> Any:
    document = {kind: {"artifacts": {key: {"artifacts": [entry]} for key, entry in lists.items()}}}
    parsed = json_format.ParseDict(document, pipeline_spec_pb2.ExecutorInput())
    return getattr(parsed, kind).artifacts


def definitions(**schemas: Any) -> pipeline_spec_pb2.ComponentInputsSpec:
    document = {
        "artifacts": {
            key: {"artifactType": {"instanceSchema": schema if isinstance(schema, str) else schema.decode()}}
            for key, schema in schemas.items()
        }
    }
    return json_format.ParseDict(document, pipeline_spec_pb2.ComponentInputsSpec())


def test_inputs_get_their_types_and_their_plain_properties_back(tmp_path: Path) -> None:
    written = {"span": 3, "split_names": '["train"]', "rows": 7, "blessed": {"train": 1.0}, "names": ["a", "b"]}
    given = {
        "uri": "s3://b/examples",
        "type": {"instanceSchema": ""},
        "metadata": after_round_trip(written, "examples"),
    }
    found = artifacts.inputs(executor_input("inputs", examples=given), definitions(examples=EXAMPLES), str(tmp_path))
    [examples] = found["examples"]
    assert isinstance(examples, standard_artifacts.Examples)
    assert examples.uri == str(tmp_path / "s3" / "b" / "examples")
    assert (examples.span, examples.split_names, examples.get_int_custom_property("rows")) == (3, '["train"]', 7)
    assert examples.get_json_value_custom_property("blessed") == {"train": 1.0}
    assert list(examples.get_json_value_custom_property("names")) == ["a", "b"]
    assert not examples.has_custom_property("display_name") and not examples.has_custom_property("store_session_info")


@pytest.mark.parametrize(("metadata", "expected"), [({"found": 0}, 0), ({"found": 1}, 1), ({}, 1)])
def test_a_baseline_that_was_not_found_is_no_input(metadata: dict[str, Any], expected: int) -> None:
    given = {"uri": "/a", "type": {"instanceSchema": ""}, "metadata": after_round_trip(metadata, "baseline")}
    found = artifacts.inputs(executor_input("inputs", baseline=given), definitions(baseline=MODEL), "/")
    assert len(found["baseline"]) == expected


def test_outputs_go_to_folders_in_the_pod_and_back_under_kubeflow_s_uri(tmp_path: Path) -> None:
    given = executor_input(
        "outputs", examples={"name": "7", "uri": "s3://b/run/examples", "type": {"instanceSchema": EXAMPLES.decode()}}
    )
    outputs = artifacts.outputs(given, str(tmp_path))
    [examples] = outputs["examples"]
    assert Path(examples.uri) == tmp_path / "s3" / "b" / "run" / "examples" and Path(examples.uri).is_dir()
    examples.span = 4
    examples.set_int_custom_property("rows", 7)
    written = json_format.MessageToDict(artifacts.executor_output(given, outputs))
    [entry] = written["artifacts"]["examples"]["artifacts"]
    assert (entry["name"], entry["uri"]) == ("7", "s3://b/run/examples")
    assert (entry["metadata"]["span"], entry["metadata"]["rows"]) == (4, 7)
    assert "null" not in json.dumps(written)


def test_where_workers_are_elsewhere_artifacts_stay_at_their_urls(monkeypatch: pytest.MonkeyPatch) -> None:
    removed: list[str] = []
    monkeypatch.setattr(artifacts, "remove_folder", removed.append)
    entry = {"name": "7", "uri": "s3://b/run/examples", "type": {"instanceSchema": EXAMPLES.decode()}}
    [examples] = artifacts.outputs(executor_input("outputs", examples=entry), None)["examples"]
    assert examples.uri == "s3://b/run/examples" and not Path("s3:").exists()
    # Of an attempt that was killed.
    assert removed == ["s3://b/run/examples"]
    given = {"uri": "s3://b/examples", "type": {"instanceSchema": ""}, "metadata": {}}
    found = artifacts.inputs(executor_input("inputs", examples=given), definitions(examples=EXAMPLES), None)
    assert [one.uri for one in found["examples"]] == ["s3://b/examples"]
