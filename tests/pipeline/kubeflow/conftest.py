"""A recipe with every key of the section `kubeflow` that is compiled, and a server that speaks Kubeflow Pipelines' API."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from models.recipe.file import load_recipe
from models.recipe.recipe import Recipe

SHOP = Path(__file__).resolve().parents[3] / "recipes" / "shop.yaml"

KUBEFLOW = """\
pipeline_root: s3://recommender/pipelines
root: /gatewise
data: /logs/shop
image: registry.example.com/gatewise:1.0
defaults:
  cpu: 2
  memory: 8Gi
  volumes: {/gatewise: gatewise-home, /logs: shop-logs}
  environment: {THREADS: 2}
  retries: {count: 2, backoff: 30s, factor: 3, max_backoff: 5m}
stages:
  Trainer:
    image: registry.example.com/gatewise:1.0-gpu
    cpu: 7500m
    memory: 32Gi
    gpu: {type: amd.com/gpu, count: 4}
    node_selector: {pool: gpu}
    tolerations:
      - {key: amd.com/gpu, operator: Equal, value: present, effect: NoSchedule}
    environment: {PRECISION: low}
    secrets: {TOKEN: {secret: tracking, key: token}}
    volumes: {/cache: gpu-cache}
    retries: {count: 7, backoff: 1m, factor: 2, max_backoff: 1h}
    timeout: 6h
  Statistics: {caching: true}
"""


@pytest.fixture
def recipe_file(tmp_path: Path) -> Callable[..., Path]:
    """Writes the shop's recipe with sections replaced: `recipe_file(kubeflow={...}, name="my_shop")`."""

    def write(folder: str = "recipes", **sections: Any) -> Path:
        document = yaml.safe_load(SHOP.read_text(encoding="utf-8"))
        document["kubeflow"] = yaml.safe_load(KUBEFLOW)
        document.update(sections)
        path = tmp_path / folder / "shop.yaml"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(yaml.safe_dump(document), encoding="utf-8")
        return path

    return write


@pytest.fixture
def make_recipe(recipe_file: Callable[..., Path]) -> Callable[..., Recipe]:
    """The same, loaded."""
    return lambda **sections: load_recipe(recipe_file(**sections))


@pytest.fixture
def nobody_s_settings(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """None of the environment's hosts and tokens, and no settings file of `kfp`."""
    for name in ("KFP_TOKEN", "KFP_COOKIE", "KF_PIPELINES_SA_TOKEN_PATH", "KF_PIPELINES_ENDPOINT"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setattr("kfp.Client._LOCAL_KFP_CONTEXT", str(tmp_path / "context.json"))


@pytest.fixture
def server(nobody_s_settings: None) -> Iterator[Any]:
    """A `kubeflow_api.server.Server`."""
    from kubeflow_api.server import serving

    with serving() as server:
        yield server
