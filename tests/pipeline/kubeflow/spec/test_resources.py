"""Every field of a stage in Kubeflow's words, worked by hand."""

from __future__ import annotations

import datetime

from models.recipe.kubeflow import Gpu, Retries, SecretKey, StagePlace, Toleration
from pipeline.kubeflow.spec.resources import container, kubernetes, task

NOTHING = StagePlace(image="image")


def test_nothing_asked_for_is_nothing_written() -> None:
    assert container(NOTHING) == {"image": "image"} and task(NOTHING) == {} and kubernetes("Trainer", NOTHING) == {}


def test_the_container() -> None:
    place = StagePlace(
        image="image",
        cpu="500m",
        memory="4Gi",
        gpu=Gpu(type="nvidia.com/gpu", count=2),
        environment={"B": "2", "A": "1"},
    )
    assert container(place) == {
        "image": "image",
        "resources": {
            "resourceCpuRequest": "500m",
            "resourceCpuLimit": "500m",
            "resourceMemoryRequest": "4Gi",
            "resourceMemoryLimit": "4Gi",
            "accelerator": {"resourceType": "nvidia.com/gpu", "resourceCount": "2"},
        },
        "env": [{"name": "A", "value": "1"}, {"name": "B", "value": "2"}],
    }


def test_the_task() -> None:
    hour, minute = datetime.timedelta(hours=1), datetime.timedelta(minutes=1)
    retries = Retries(count=4, backoff=minute, factor=3, max_backoff=hour)
    assert task(StagePlace(caching=True, retries=retries)) == {
        "cachingOptions": {"enableCache": True},
        "retryPolicy": {
            "maxRetryCount": 4,
            "backoffDuration": "60s",
            "backoffFactor": 3.0,
            "backoffMaxDuration": "3600s",
        },
    }
    assert task(StagePlace(caching=False, retries=Retries(count=0))) == {}


def test_the_pod() -> None:
    place = StagePlace(
        node_selector={"pool": "gpu"},
        tolerations=(Toleration(key="gpu", operator="Exists", effect="NoSchedule"),),
        secrets={"TOKEN": SecretKey(secret="tracking", key="token")},
        volumes={"/logs": "shop-logs", "/gatewise": "home"},
        timeout=datetime.timedelta(hours=6),
    )

    def constant(name: str) -> dict[str, object]:
        return {"runtimeValue": {"constant": name}}

    assert kubernetes("Trainer", place) == {
        "nodeSelector": {"labels": {"pool": "gpu"}},
        "tolerations": [{"key": "gpu", "operator": "Exists", "effect": "NoSchedule"}],
        "secretAsEnv": [
            {"secretNameParameter": constant("tracking"), "keyToEnv": [{"secretKey": "token", "envVar": "TOKEN"}]}
        ],
        "pvcMount": [
            {"pvcNameParameter": constant("home"), "mountPath": "/gatewise"},
            {"pvcNameParameter": constant("shop-logs"), "mountPath": "/logs"},
        ],
        "activeDeadlineSeconds": "21600",
    }


def test_a_stage_that_asks_the_api_for_its_own_pod_knows_its_namespace() -> None:
    assert kubernetes("InfraValidator", NOTHING) == {
        "fieldPathAsEnv": [{"name": "KFP_NAMESPACE", "fieldPath": "metadata.namespace"}]
    }
