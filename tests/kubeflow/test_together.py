"""The way of kubeflow/README.md hangs together: what one file names is what its partner in another one has.

Read are the shop's recipe, its compiled file, the manifests, the schedule, the Dockerfile and the page itself.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path, PurePosixPath
from typing import Any
from urllib.parse import urlsplit

import botocore.session
import botocore.validate
import pytest
import yaml
from google.protobuf import text_format
from tensorflow_serving.config import model_server_config_pb2

from components.push.serving_choice import ServingChoice
from models.recipe.file import load_recipe
from pipeline.kubeflow.compile import compile_recipe
from pipeline.serving_config import CANARY_CONFIG, STABLE_CONFIG, model_server_config

ROOT = Path(__file__).resolve().parents[2]
KUBEFLOW = ROOT / "kubeflow"
PAGE = (KUBEFLOW / "README.md").read_text(encoding="utf-8")
NAMES = ("home", "serving", "serving-canary", "serving-rows", "dask", "monitoring")
TEXTS = {name: (KUBEFLOW / f"{name}.yaml").read_text(encoding="utf-8") for name in NAMES}
MANIFESTS = [manifest for text in TEXTS.values() for manifest in yaml.safe_load_all(text)]
BY_NAME = {(manifest["kind"], manifest["metadata"]["name"]): manifest for manifest in MANIFESTS}
SHOP = ROOT / "recipes" / "shop.yaml"
RECIPE = load_recipe(SHOP)
CLAIMS = {name for kind, name in BY_NAME if kind == "PersistentVolumeClaim"}
NAMESPACE = "kubeflow"
USER = 10001

Place = tuple[str, PurePosixPath]
"""A claim, and a path in it."""


def pods() -> Iterator[tuple[str, dict[str, Any]]]:
    for (kind, name), manifest in BY_NAME.items():
        if kind in ("Deployment", "Job"):
            yield name, manifest["spec"]["template"]["spec"]


def containers(pod: dict[str, Any]) -> list[dict[str, Any]]:
    return [*pod.get("initContainers", []), *pod["containers"]]


def place_in_pod(pod: dict[str, Any], path: str) -> Place:
    """Where a path of the pod's last container lies."""
    claims = {
        volume["name"]: volume["persistentVolumeClaim"]["claimName"]
        for volume in pod["volumes"]
        if "persistentVolumeClaim" in volume
    }
    return place(
        path,
        {
            mount["mountPath"]: (claims[mount["name"]], mount.get("subPath", ""))
            for mount in pod["containers"][-1]["volumeMounts"]
            if mount["name"] in claims
        },
    )


def place(path: str, mounts: dict[str, tuple[str, str]]) -> Place:
    (mount,) = (mount for mount in mounts if PurePosixPath(path).is_relative_to(mount))
    claim, below = mounts[mount]
    return claim, PurePosixPath(below) / PurePosixPath(path).relative_to(mount)


@pytest.fixture(scope="module")
def compiled() -> tuple[dict[str, Any], dict[str, Any]]:
    """The pipeline spec, and the executors of the platform spec."""
    spec, platform = yaml.safe_load_all(compile_recipe(RECIPE).text)
    return spec, platform["platforms"]["kubernetes"]["deploymentSpec"]["executors"]


def mounts_of(task: str, compiled: tuple[dict[str, Any], dict[str, Any]]) -> dict[str, tuple[str, str]]:
    spec, executors = compiled
    label = spec["components"][task]["executorLabel"]
    return {
        mount["mountPath"]: (mount["pvcNameParameter"]["runtimeValue"]["constant"], "")
        for mount in executors[label]["pvcMount"]
    }


def constant(task: str, name: str, compiled: tuple[dict[str, Any], dict[str, Any]]) -> str:
    return str(compiled[0]["root"]["dag"]["tasks"][task]["inputs"]["parameters"][name]["runtimeValue"]["constant"])


def pushed_to(task: str, compiled: tuple[dict[str, Any], dict[str, Any]]) -> str:
    return str(json.loads(constant(task, "push_destination", compiled))["filesystem"]["base_directory"])


def test_the_servers_read_where_the_pushers_write(compiled: Any) -> None:
    """The claim, the path in it, and the names: for the ranker and the retrieval model, of all servers."""
    folders = {task: pushed_to(task, compiled) for task in ("Pusher", "RetrievalPusher")}
    written = {PurePosixPath(folder).name: place(folder, mounts_of(task, compiled)) for task, folder in folders.items()}
    assert written == {
        "shop": ("gatewise-home", PurePosixPath("serving/shop")),
        "shop_retrieval": ("gatewise-home", PurePosixPath("serving/shop_retrieval")),
    }
    config = text_format.Parse(
        model_server_config(7, written, ServingChoice().mount), model_server_config_pb2.ModelServerConfig()
    )
    servers = {name: pod for name, pod in pods() if name.startswith("shop-serving")}
    assert len(servers) == 3
    for pod in servers.values():
        assert {model.name: place_in_pod(pod, model.base_path) for model in config.model_config_list.config} == written
        for probe in ("startupProbe", "readinessProbe"):
            assert pod["containers"][0][probe]["httpGet"]["path"] == "/v1/models/shop/metadata"


def test_the_servers_read_the_config_that_the_shell_writes(compiled: Any) -> None:
    shell = BY_NAME["Deployment", "gatewise-shell"]["spec"]["template"]["spec"]
    (served,) = set(re.findall(r"gatewise serving-config (\S+)", PAGE))
    assert served == pushed_to("Pusher", compiled)
    claim, folder = place_in_pod(shell, served)
    for name, file in (
        ("shop-serving", STABLE_CONFIG),
        ("shop-serving-canary", CANARY_CONFIG),
        ("shop-serving-rows", STABLE_CONFIG),
    ):
        pod = BY_NAME["Deployment", name]["spec"]["template"]["spec"]
        (path,) = [
            flag.partition("=")[2] for flag in pod["containers"][0]["args"] if flag.startswith("--model_config_file=")
        ]
        assert place_in_pod(pod, path) == (claim, folder / file)


def test_the_folder_that_the_servers_mount_is_made_before_them() -> None:
    """A read-only mount of a folder that is not there does not start; one that the kubelet makes is root's."""
    job = BY_NAME["Job", "gatewise-home"]["spec"]["template"]["spec"]
    made = re.findall(r"mkdir -p (\S+)", job["containers"][0]["args"][0])
    places = {place_in_pod(job, path) for path in made}
    for name, pod in pods():
        for mount in containers(pod)[-1]["volumeMounts"]:
            if "subPath" in mount:
                assert place_in_pod(pod, mount["mountPath"]) in places, name


def test_every_claim_that_is_named_is_there(compiled: Any) -> None:
    _, executors = compiled
    named = {
        mount["pvcNameParameter"]["runtimeValue"]["constant"]
        for executor in executors.values()
        for mount in executor["pvcMount"]
    }
    assert named == CLAIMS
    for name, pod in pods():
        for volume in pod["volumes"]:
            if "persistentVolumeClaim" in volume:
                assert volume["persistentVolumeClaim"]["claimName"] in CLAIMS, name


def test_what_outlives_the_pods_lies_on_the_claims(compiled: Any) -> None:
    mounts = mounts_of("Trainer", compiled)
    checkpoints = json.loads(constant("Trainer", "custom_config", compiled))["checkpoints"]
    for task, path in (
        ("Trainer", checkpoints),
        ("Validation", constant("Validation", "keep", compiled)),
        ("BaselineModel", constant("BaselineModel", "served", compiled)),
    ):
        assert place(path, mounts_of(task, compiled))[0] == "gatewise-home"
    assert RECIPE.kubeflow is not None
    assert place(RECIPE.kubeflow.data, mounts)[0] == "gatewise-logs"
    copied = re.search(r"^tar -cf - -C \S+ (\S+) \| .* -C (\S+)$", PAGE, re.M)
    assert copied and f"{copied[2]}/{copied[1]}" == RECIPE.kubeflow.data


def test_one_namespace() -> None:
    everywhere = "\n".join((PAGE, *TEXTS.values()))
    assert set(re.findall(r"kubectl [^`\n]*?(?:-n|--namespace) ([\w-]+)", everywhere)) == {NAMESPACE}
    for line in re.findall(r"(?:^|\| |`)kubectl ([^`\n]*)", everywhere, re.M):
        assert f"-n {NAMESPACE}" in line, line
    for manifest in MANIFESTS:
        assert "namespace" not in manifest["metadata"], "-n says it, once"
    assert set(re.findall(r"\b(?:minio-service|shop-serving)\.(\w+):", everywhere)) == {NAMESPACE}


def test_one_image_of_one_version_and_its_secret() -> None:
    assert RECIPE.kubeflow is not None
    image = RECIPE.kubeflow.image
    tagged = set(re.findall(r"--tag (registry\S+)", PAGE))
    stages = {place.image for place in RECIPE.kubeflow.stages.values() if place.image}
    assert tagged == {image, *stages} and set(re.findall(r"^docker push (\S+)", PAGE, re.M)) == tagged
    ours = {
        container["image"]
        for _, pod in pods()
        for container in containers(pod)
        if not container["image"].startswith("tensorflow/serving:")
    }
    assert ours == {image}
    (secret,) = set(re.findall(r"create secret docker-registry (\S+) .*--docker-server=(\S+)", PAGE))
    assert image.startswith(f"{secret[1]}/")
    for _, pod in pods():
        if any(container["image"] == image for container in containers(pod)):
            account = BY_NAME["ServiceAccount", pod["serviceAccountName"]]
            assert account["imagePullSecrets"] == [{"name": secret[0]}]
    account, patch = re.findall(r"patch serviceaccount (\S+) .*--patch '(.*)'", PAGE)[0]
    assert json.loads(patch) == {"imagePullSecrets": [{"name": secret[0]}]}
    assert yaml.safe_load((KUBEFLOW / "schedule.yaml").read_text())["service_account"] == account


def test_one_user() -> None:
    users = re.findall(r"^USER (\S+)", (KUBEFLOW / "Dockerfile").read_text(), re.M)
    assert set(users) == {"0", f"{USER}:{USER}"} and users[-1] != "0"
    for name, pod in pods():
        for container in containers(pod):
            own = {**pod["securityContext"], **container["securityContext"]}
            root = (name, container["name"]) == ("gatewise-home", "owner")
            assert (own["runAsUser"], own["runAsGroup"]) == ((0, 0) if root else (USER, USER)), name
    owner = BY_NAME["Job", "gatewise-home"]["spec"]["template"]["spec"]["initContainers"][0]
    assert f"chown {USER}:{USER} " in owner["args"][0]


def test_the_page_s_ports_and_services_are_there() -> None:
    forwards = re.findall(r"kubectl port-forward -n \S+ svc/(\S+) (\d+):(\d+)", PAGE)
    local = {service: int(port) for service, port, _ in forwards}
    assert set(local) == {"ml-pipeline", "shop-serving"}
    for service, _, port in forwards:
        if service in {name for kind, name in BY_NAME if kind == "Service"}:
            assert int(port) in {entry["port"] for entry in BY_NAME["Service", service]["spec"]["ports"]}
    hosts = re.findall(r"(?:KF_PIPELINES_ENDPOINT=|--host )(\S+)", PAGE + (KUBEFLOW / "schedule.yaml").read_text())
    assert {urlsplit(host).port for host in hosts} == {local["ml-pipeline"]}
    asked = urlsplit(re.search(r"gatewise request (\S+)", PAGE)[1])  # type: ignore[index]
    assert (asked.port, asked.path) == (local["shop-serving"], "/v1/models/shop")
    for service, port in re.findall(r"\b(dask-scheduler|shop-serving[\w-]*)(?:\.kubeflow)?:(\d+)", PAGE):
        assert int(port) in {entry["port"] for entry in BY_NAME["Service", service]["spec"]["ports"]}
    (label,) = re.findall(r"pods with the label `(\S+): \"true\"`", PAGE)
    policy = BY_NAME["NetworkPolicy", "shop-serving"]["spec"]
    assert policy["ingress"][0]["from"][0]["podSelector"]["matchLabels"] == {label: "true"}


def test_every_selector_of_a_workload_is_of_its_own_pods() -> None:
    owners: dict[str, str] = {}
    for (kind, name), manifest in BY_NAME.items():
        if kind == "Deployment":
            key = json.dumps(manifest["spec"]["selector"]["matchLabels"], sort_keys=True)
            assert key not in owners, f"{name} and {owners[key]} would fight for each other's pods"
            owners[key] = name


def test_the_page_s_section_is_that_of_the_recipe() -> None:
    (block,) = [block for block in re.findall(r"^```yaml\n(.*?)^```", PAGE, re.M | re.S) if "pipeline_root" in block]
    shown, recipe = yaml.safe_load(block)["kubeflow"], yaml.safe_load(SHOP.read_text())["kubeflow"]
    for key in ("pipeline_root", "root", "data", "image"):
        assert shown[key] == recipe[key]
    assert shown["defaults"]["volumes"] == recipe["defaults"]["volumes"]
    assert set(shown["defaults"]["volumes"].values()) == CLAIMS


def test_the_bucket_s_rule_is_of_the_pipeline_s_root() -> None:
    """By the store's own description of the call, as its client carries it."""
    rule = json.loads((KUBEFLOW / "lifecycle.json").read_text())
    assert RECIPE.kubeflow is not None
    bucket, _, prefix = RECIPE.kubeflow.pipeline_root.removeprefix("s3://").partition("/")
    assert f"--bucket {bucket} " in PAGE
    assert [one["Filter"]["Prefix"] for one in rule["Rules"]] == [f"{prefix}/"], (
        "and no more than the pipelines' artifacts"
    )
    model = botocore.session.get_session().get_service_model("s3")
    shape = model.operation_model("PutBucketLifecycleConfiguration").input_shape
    report = botocore.validate.ParamValidator().validate({"Bucket": bucket, "LifecycleConfiguration": rule}, shape)
    assert not report.has_errors(), report.generate_report()
