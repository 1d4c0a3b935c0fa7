"""The compiled file where Beam's workers are Dask's: logs and artifacts at URLs, and nothing on the pods' disks."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import s3_server
import yaml
from kubeflow_replay.replay import Replay
from kubeflow_replay.store import Store

from benchmarks import engines
from benchmarks.stages.ours import STAGES
from models.recipe.file import load_recipe

pytestmark = pytest.mark.slow

PROJECT = Path(__file__).resolve().parents[2]
ROOT = "s3://recommender/pipelines"


@pytest.fixture(scope="module")
def client() -> Iterator[Any]:
    with s3_server.running("recommender", "logs") as client:
        yield client


@pytest.fixture(scope="module")
def scheduler(client: Any, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The flag with the address of a Dask cluster, whose two worker processes know the store."""
    environment = {**s3_server.ENVIRONMENT, "AWS_ENDPOINT_URL": client.meta.endpoint_url}
    with engines.dask(tmp_path_factory.mktemp("dask"), environment=environment) as beam:
        (flag,) = re.findall(r"--dask_client_address=[^\"\]]+", " ".join(beam))
        yield flag


@pytest.mark.filterwarnings("ignore")
def test_the_data_stages_read_and_write_at_urls(
    client: Any,
    scheduler: str,
    shop_recipe: Path,
    shop_logs: Path,
    gatewise: Callable[..., Any],
    tmp_path: Path,
) -> None:
    for file in shop_logs.rglob("*"):
        if file.is_file():
            client.upload_file(str(file), "logs", f"shop/{file.relative_to(shop_logs).as_posix()}")
    document = yaml.safe_load(shop_recipe.read_text())
    document["beam"] = {"runner": "DaskRunner", "flags": [scheduler], "partitions": 4}
    document["kubeflow"] = {
        "pipeline_root": ROOT,
        "root": "/gatewise",
        "data": "s3://logs/shop",
        "image": "registry.example.com/gatewise:1.0",
        "defaults": {
            "volumes": {"/gatewise": "gatewise-home"},
            "environment": {
                **s3_server.ENVIRONMENT,
                "AWS_ENDPOINT_URL": client.meta.endpoint_url,
                "TF_CPP_MIN_LOG_LEVEL": 2,
            },
        },
    }
    recipe = tmp_path / "shop.yaml"
    recipe.write_text(yaml.safe_dump(document))
    done = gatewise("compile", recipe, "--out", tmp_path / "pipeline.yaml")
    assert done.code == 0, done.err

    replay = Replay(tmp_path / "pipeline.yaml", Store(client), ROOT, tmp_path / "pods", PROJECT, anew={"EventLogs"})
    run = replay.run(only={"EventLogs", "Statistics"})
    for name, output, some in (
        ("EventLogs", "examples", {"accounts.json", "Split-train/examples-00000-of-00004.parquet"}),
        ("Statistics", "statistics", {"Split-train/FeatureStats.pb", "Split-eval/FeatureStats.pb"}),
    ):
        task = run[name]
        assert task.succeeded, f"{name}: {task.attempts[-1].log[-3000:] if task.attempts else 'not run'}"
        uri = task.outputs[output]["uri"]
        keys = Store(client).keys(uri)
        prefix = uri.removeprefix("s3://recommender/") + "/"
        assert some <= {key.removeprefix(prefix) for key in keys} and not [key for key in keys if key.endswith("/")]
        # What the launcher would have uploaded is not there: the stage wrote all of it to the store itself.
        assert not (task.attempts[-1].disk / "s3" / uri.removeprefix("s3://")).exists()
    assert run["EventLogs"].attempts[-1].lines[-1]["rows"]["examples"] > 20_000
    local = load_recipe(str(recipe), ["beam={partitions: 4}"], str(shop_logs))
    for stage in ("event_logs", "statistics"):
        STAGES[stage](local, tmp_path / "local", tmp_path / "local")
    for name, output in (("EventLogs", "examples"), ("Statistics", "statistics")):
        prefix = run[name].outputs[output]["uri"].removeprefix("s3://recommender/")
        here = tmp_path / "local" / output
        files = [path.relative_to(here).as_posix() for path in here.rglob("*") if path.is_file()]
        for file in files:
            there = client.get_object(Bucket="recommender", Key=f"{prefix}/{file}")["Body"].read()
            if file == "files.json":  # at a URL the time of the last change stands for the content
                assert _without_fingerprints(there) == _without_fingerprints((here / file).read_bytes())
                continue
            assert there == (here / file).read_bytes(), f"{name}: {file}"
        assert len(files) > 2
    left = [entry["Key"] for entry in client.list_objects_v2(Bucket="recommender")["Contents"]]
    assert not [key for key in left if ".shuffle" in key]


def _without_fingerprints(files: bytes) -> dict[str, Any]:
    return {name: {**about, "fingerprint": None} for name, about in json.loads(files).items()}
