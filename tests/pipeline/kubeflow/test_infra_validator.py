"""The step InfraValidator as the compiled file has it, in a pod of a cluster that is played: what reaches the stock executor."""

from __future__ import annotations

import json
import logging
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import yaml
from kubernetes_api import in_a_step

from models.files.version_folders import WARM_UP
from models.recipe.recipe import Recipe
from models.serving.warm_up import write
from pipeline.kubeflow import entrypoint
from pipeline.kubeflow.compile import compile_recipe


@pytest.fixture(autouse=True)
def logging_as_before() -> Iterator[None]:
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    yield
    root.handlers[:], root.level = handlers, level
    for name in ("models", "components", "pipeline"):
        logging.getLogger(name).setLevel(logging.NOTSET)


def arguments(recipe: Recipe, output_file: Path, blessed: int) -> list[str]:
    """Of the compiled step, with its placeholder filled as Kubeflow fills it: no types, numbers are doubles."""
    spec = next(yaml.safe_load_all(compile_recipe(recipe).text))
    task = spec["root"]["dag"]["tasks"]["InfraValidator"]
    given = {
        "inputs": {
            "parameterValues": {
                key: value["runtimeValue"]["constant"] for key, value in task["inputs"]["parameters"].items()
            },
            "artifacts": {
                "model": {"artifacts": [{"name": "1", "uri": "s3://b/model", "type": {"instanceSchema": ""}}]},
                "infra_blessing": {
                    "artifacts": [
                        {
                            "name": "2",
                            "uri": "s3://b/probed",
                            "type": {"instanceSchema": ""},
                            "metadata": {"blessed": float(blessed), "rows": 1.0, "display_name": "infra_blessing"},
                        }
                    ]
                },
            },
        },
        "outputs": {
            "artifacts": {
                "blessing": {
                    "artifacts": [
                        {
                            "name": "3",
                            "uri": "s3://b/blessing",
                            "type": spec["components"]["InfraValidator"]["outputDefinitions"]["artifacts"]["blessing"][
                                "artifactType"
                            ],
                        }
                    ]
                }
            },
            "outputFile": str(output_file),
        },
    }
    args = list(spec["deploymentSpec"]["executors"]["InfraValidator_executor"]["container"]["args"])
    args[args.index("--json_serialized_invocation_args") + 1] = json.dumps(given)
    return args


@pytest.mark.parametrize(("blessed", "pods"), [(1, 1), (0, 0)])
def test_the_step(
    make_recipe: Callable[..., Recipe],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    blessed: int,
    pods: int,
) -> None:
    import tensorflow as tf
    from tensorflow_serving.apis import predict_pb2

    home, bucket = tmp_path / "home", tmp_path / "s3" / "b"
    for folder in (home, bucket / "probed"):
        folder.mkdir(parents=True)
    module = tf.Module()
    module.double = tf.function(lambda x: {"y": 2 * x}, input_signature=[tf.TensorSpec((None,), tf.float32, name="x")])
    model = bucket / "model" / "Format-Serving"
    tf.saved_model.save(module, str(model), signatures={"serving_default": module.double})
    request = predict_pb2.PredictRequest()
    request.model_spec.signature_name = "serving_default"
    request.inputs["x"].CopyFrom(tf.make_tensor_proto([1.0]))
    write(bucket / "probed" / WARM_UP, [request])
    recipe = make_recipe(
        kubeflow={
            "pipeline_root": "s3://b",
            "root": str(home),
            "data": "/logs",
            "image": "gatewise:1",
            "defaults": {"volumes": {str(home): "gatewise-home", "/logs": "logs"}},
            "infra_validator": {"tries": 1, "memory": "2Gi"},
        }
    )
    monkeypatch.setenv(entrypoint.MOUNT_ROOT, str(tmp_path))
    output_file = tmp_path / "output_metadata.json"
    with in_a_step(home, monkeypatch) as cluster:
        assert entrypoint.main(arguments(recipe, output_file, blessed)) == 0, capsys.readouterr().out
    assert len(cluster.created) == len(cluster.deleted) == pods
    (written,) = json.loads(output_file.read_text())["artifacts"]["blessing"]["artifacts"]
    assert written["uri"] == "s3://b/blessing" and written["metadata"]["blessed"] == blessed
    assert (bucket / "blessing" / WARM_UP).exists() == bool(blessed), "which the push puts into the version"
