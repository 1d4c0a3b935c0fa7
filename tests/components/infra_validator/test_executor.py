"""The stock InfraValidator's executor over the routes of Kubernetes' API, with the development server as its server."""

from __future__ import annotations

import logging
import os
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import kubernetes_models
import pytest
from kubernetes_api import EXECUTOR, NAMESPACE, Kubernetes, in_a_step
from tfx import types
from tfx.components.infra_validator import serving_bins
from tfx.types import standard_artifacts
from tfx.utils import proto_utils

from components.infra_validator.executor import LITTER_SECONDS, Executor, link_model, scratch_folder
from models.files.version_folders import WARM_UP, WARM_UP_FILE
from models.recipe.errors import InputError, NoVerdictError
from models.recipe.kubeflow import InfraValidator
from models.serving.warm_up import write
from pipeline.kubeflow.platform import serving_spec

SERVER = InfraValidator(
    image="tensorflow/serving:2.19.1",
    cpu=2,
    memory="4Gi",
    annotations={"sidecar.istio.io/inject": "false"},
    environment={"TF_NUM_INTRAOP_THREADS": "4"},
)


@pytest.fixture(scope="module")
def exported(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A model artifact's folder: doubles x."""
    import tensorflow as tf

    module, folder = tf.Module(), tmp_path_factory.mktemp("model")
    module.double = tf.function(lambda x: {"y": 2 * x}, input_signature=[tf.TensorSpec((None,), tf.float32, name="x")])
    target = folder / "Format-Serving"
    tf.saved_model.save(module, str(target), signatures={"serving_default": module.double})
    (target / "assets.extra").mkdir()
    (target / "assets.extra" / "inputs.json").write_text("{}")
    return folder


@pytest.fixture
def home(tmp_path: Path) -> Path:
    """What is mounted as the claim `gatewise-home`."""
    (tmp_path / "home").mkdir()
    return tmp_path / "home"


@pytest.fixture
def cluster(home: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Kubernetes]:
    with in_a_step(home, monkeypatch) as cluster:
        yield cluster


def validate(
    model: Path,
    home: Path,
    tmp_path: Path,
    value: float | str | None = 1.0,
    blessed: int = 1,
    tries: int = 1,
    seconds: int = 60,
) -> types.Artifact:
    """The blessing, after the probe has left one request with `value`."""
    import tensorflow as tf
    from tensorflow_serving.apis import predict_pb2

    probed = standard_artifacts.InfraBlessing()
    probed.uri = str(tmp_path / "probed")
    probed.set_int_custom_property("blessed", blessed)
    Path(probed.uri).mkdir()
    if value is not None:
        request = predict_pb2.PredictRequest()
        request.model_spec.signature_name = "serving_default"
        request.inputs["x"].CopyFrom(tf.make_tensor_proto([value]))
        write(Path(probed.uri, WARM_UP), [request])
    given, blessing = standard_artifacts.Model(), standard_artifacts.InfraBlessing()
    given.uri, blessing.uri = str(model), str(tmp_path / "blessing")
    Path(blessing.uri).mkdir()
    properties = {
        "serving_spec": proto_utils.proto_to_json(serving_spec(SERVER, "shop")),
        "validation_spec": f'{{"num_tries": {tries}, "max_loading_time_seconds": {seconds}}}',
        "scratch": str(home / "shop" / "infra_validator"),
        "code": "",
    }
    Executor().Do({"model": [given], "infra_blessing": [probed]}, {"blessing": [blessing]}, properties)
    return blessing


def test_what_the_server_loads_is_blessed(exported: Path, home: Path, cluster: Kubernetes, tmp_path: Path) -> None:
    blessing = validate(exported, home, tmp_path)
    assert blessing.get_int_custom_property("blessed") == 1
    assert Path(blessing.uri, WARM_UP).read_bytes() == (tmp_path / "probed" / WARM_UP).read_bytes()
    assert len(cluster.deleted) == 1 and list((home / "shop" / "infra_validator").iterdir()) == []
    assert not (exported / "Format-Serving" / WARM_UP_FILE).exists(), "the step's input stays what it was"


def test_the_server_s_pod(exported: Path, home: Path, cluster: Kubernetes, tmp_path: Path) -> None:
    validate(exported, home, tmp_path)
    (pod,) = cluster.created
    assert kubernetes_models.faults({"apiVersion": "v1", "kind": "Pod", **pod}) == []
    (container,) = pod["spec"]["containers"]
    assert container["image"] == "tensorflow/serving:2.19.1"
    assert {"name": "TF_NUM_INTRAOP_THREADS", "value": "4"} in container["env"]
    assert container["resources"]["limits"] == container["resources"]["requests"] == {"cpu": "2", "memory": "4Gi"}
    assert pod["spec"]["volumes"][0]["persistentVolumeClaim"] == {"claimName": "gatewise-home", "readOnly": True}
    assert pod["spec"]["serviceAccountName"] == "pipeline-runner"
    assert pod["metadata"]["annotations"] == {"sidecar.istio.io/inject": "false"}
    assert pod["metadata"]["ownerReferences"][0]["name"] == EXECUTOR, "it ends with the step's pod"


def test_a_model_that_does_not_answer_the_probe_s_requests_is_not(
    exported: Path, home: Path, cluster: Kubernetes, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    blessing = validate(exported, home, tmp_path, value="no number", tries=2)
    assert blessing.get_int_custom_property("blessed") == 0
    assert len(cluster.created) == len(cluster.deleted) == 2
    assert not Path(blessing.uri, WARM_UP).exists()
    assert "InfraValidator: the server has not loaded the model" in caplog.text
    assert list((home / "shop" / "infra_validator").iterdir()) == []


def test_a_probe_without_requests(exported: Path, home: Path, cluster: Kubernetes, tmp_path: Path) -> None:
    blessing = validate(exported, home, tmp_path, value=None)
    assert blessing.get_int_custom_property("blessed") == 1 and not Path(blessing.uri, WARM_UP).exists()


def test_a_model_that_the_probe_has_not_blessed_is_not_loaded(
    home: Path, cluster: Kubernetes, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    blessing = validate(tmp_path / "no" / "model", home, tmp_path, blessed=0)
    assert blessing.get_int_custom_property("blessed") == 0 and cluster.asked == []
    assert "not run, because the probe has not blessed the model" in caplog.text


def test_a_volume_for_one_node_is_not_enough(exported: Path, home: Path, cluster: Kubernetes, tmp_path: Path) -> None:
    """Said by the stock executor; the recipe does not know the claim."""
    cluster._claim["spec"]["accessModes"] = ["ReadWriteOnce"]
    with pytest.raises(NoVerdictError, match=r"the last attempt: .*Access mode should be ReadWriteMany\."):
        validate(exported, home, tmp_path)
    assert cluster.created == []


def _ended(code: int, reason: str) -> dict[str, Any]:
    state = {"terminated": {"exitCode": code, "reason": reason}}
    named = {"name": "server", "image": "x", "imageID": "x", "ready": False, "restartCount": 0}
    return {"phase": "Failed", "containerStatuses": [{**named, "state": state}]}


@pytest.mark.parametrize(
    ("more", "words"),
    [
        (
            {"phase": "Failed", "reason": "Evicted", "message": "The node was low on memory"},
            "Evicted: The node was low",
        ),
        (_ended(137, "OOMKilled"), "OOMKilled"),
        (_ended(143, "Error"), "JobAborted"),
        (
            {
                "phase": "Pending",
                "conditions": [{"type": "PodScheduled", "status": "False", "message": "0/3 nodes have 2 CPUs"}],
            },
            "0/3 nodes have 2 CPUs",
        ),
    ],
)
def test_what_happens_to_the_pod_is_no_verdict(
    exported: Path, home: Path, cluster: Kubernetes, tmp_path: Path, more: dict[str, Any], words: str
) -> None:
    cluster.more = more
    with pytest.raises(
        NoVerdictError, match=f"(?s)no server came to a verdict.*{words}.*run the pipeline again"
    ) as told:
        validate(exported, home, tmp_path, seconds=2)
    assert told.value.exit_code == 3 and len(cluster.deleted) == 1


@pytest.mark.parametrize(
    ("log", "verdict"),
    [
        ("E retrier.cc:37] Loading servable: {name: shop version: 1} failed: Not found: no saved_model.pb", True),
        ("E retrier.cc:37] Loading servable: {name: shop version: 1} failed: RESOURCE_EXHAUSTED: OOM", False),
        ("I retrier.cc:37] Loading servable: {name: shop version: 1}", False),
    ],
)
def test_a_server_that_never_answers(
    exported: Path, home: Path, cluster: Kubernetes, tmp_path: Path, log: str, verdict: bool
) -> None:
    """TensorFlow Serving goes on trying to load a bad model; its log says which of the two it is."""
    cluster.more, cluster.log = {"phase": "Pending"}, log
    if verdict:
        assert validate(exported, home, tmp_path, seconds=1).get_int_custom_property("blessed") == 0
    else:
        with pytest.raises(NoVerdictError, match="the server's pod is Pending"):
            validate(exported, home, tmp_path, seconds=1)


def test_outside_of_a_pod_it_says_so(
    exported: Path, home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("KFP_POD_NAME", raising=False)
    monkeypatch.setenv("KFP_NAMESPACE", NAMESPACE)
    with pytest.raises(InputError, match="KFP_POD_NAME is not in the environment. Compile the recipe again"):
        validate(exported, home, tmp_path)


def test_links_hold_all_that_the_model_holds(exported: Path, tmp_path: Path) -> None:
    (tmp_path / "requests").write_text("new")
    link_model(exported / "Format-Serving", tmp_path / "requests", tmp_path / "linked")
    link_model(tmp_path / "linked", tmp_path / "requests", tmp_path / "again")
    assert (tmp_path / "again" / "saved_model.pb").read_bytes() == (
        exported / "Format-Serving/saved_model.pb"
    ).read_bytes()
    assert (tmp_path / "again" / WARM_UP_FILE).read_text() == "new"


def test_the_scratch_folder(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    for name, age in (("old", LITTER_SECONDS + 60), ("new", LITTER_SECONDS - 60)):
        (tmp_path / name / "shop").mkdir(parents=True)
        os.utime(tmp_path / name, (time.time() - age,) * 2)
    caplog.set_level(logging.WARNING)
    with scratch_folder(tmp_path) as folder:
        assert folder.parent == tmp_path and folder.stat().st_mode & 0o777 == 0o755
        (folder / "server").mkdir()
    assert [path.name for path in tmp_path.iterdir()] == ["new"] and "removing" in caplog.text


@pytest.mark.parametrize(
    ("image", "parts"),
    [
        ("tensorflow/serving:2.19.1", ("tensorflow/serving", ["2.19.1"], [])),
        ("registry:5000/serving:1", ("registry:5000/serving", ["1"], [])),
        ("serving@sha256:" + "a" * 64, ("serving", [], ["sha256:" + "a" * 64])),
        ("serving:1@sha256:" + "a" * 64, ("serving:1", [], ["sha256:" + "a" * 64])),
    ],
)
def test_the_image_as_the_stock_component_names_it(image: str, parts: tuple[str, list[str], list[str]]) -> None:
    spec = serving_spec(InfraValidator(image=image), "shop")
    binary = spec.tensorflow_serving
    assert (binary.image_name, list(binary.tags), list(binary.digests)) == parts
    (server,) = serving_bins.parse_serving_binaries(spec)
    assert server.image == image
