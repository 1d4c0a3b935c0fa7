"""Auxiliary tasks of every kind and an objective, from the logs to the answers."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

pytestmark = pytest.mark.slow

MAIN = {"click", "cart", "order", "order_value"}


def test_auxiliary_tasks_of_each_kind_are_trained_and_not_served(
    gatewise: Callable[..., Any], shop_recipe: Path, shop_logs: Path, quick: list[str], tmp_path: Path
) -> None:
    """A hint, a threshold, the user's future, a hidden column and masked views; the cart is trained over all impressions."""
    extra = {
        "logs.streams.impression.user": "[user_id]",
        "tasks.price": "{kind: regression, role: auxiliary, label: {column: price}}",
        "tasks.large": "{kind: binary, role: auxiliary, outcome: order, window: 2d, above: 30}",
        "tasks.back": "{kind: binary, role: auxiliary, match: user, outcome: impression, window: 1d}",
        "tasks.phone": "{kind: binary, role: adversarial, label: {column: device, positive: [phone]}, weight: 0.1}",
        "tasks.cart.objective": "escm2",
        "tasks.cart.objective_options": "{escm2: {risk: dr}}",
        "model.regularizers": "{masked_views: {strength: 0.1}}",
        "training.sampling": "tasks",
        "training.affinity_every": "10",
        "retrieval": "null",
        "evaluation.references": "[]",
        **{f"tasks.{task}.gates": "none" for task in MAIN},
    }
    overrides = [part for key, value in extra.items() for part in ("--set", f"{key}={value}")]
    root, result = tmp_path / "runs", tmp_path / "result.json"
    about = ["run", shop_recipe, "--root", root, "--data", shop_logs, "--json", result]
    done = gatewise(*about, *quick, *overrides)
    assert done.code == 0, done.out + done.err
    assert set(done.result["metrics"]) == MAIN
    account = done.result["accounts"]["impression"]
    assert account["read"] == account["used"] + account["duplicate"] + account["dead_lettered"]
    (history,) = (json.loads(file.read_text()) for file in root.glob("**/history.json"))
    for task in ("price", "large", "back", "phone"):
        assert 0 < history["epochs"][-1][f"val_{task}_loss"] < 5
    assert 0 < history["epochs"][-1]["effective_share_of_cart"] <= 1
    served = gatewise("predict", done.result["pushed"], "--input", shop_recipe.with_name("shop_requests.jsonl"))
    assert served.code == 0, served.err
    answers = [json.loads(line) for line in served.out.splitlines()]
    assert all(set(answer) == MAIN for answer in answers)
    # One of two groups of the tasks is a recipe that runs as it is written, on the same data.
    groups = gatewise("groups", root, "--networks", 2, "--write", tmp_path / "groups")
    assert groups.code == 0, groups.err
    blend = json.loads((tmp_path / "groups" / "shop_groups.json").read_text())
    assert sorted(task for tasks in blend["models"].values() for task in tasks) == sorted(MAIN)
    name, tasks = min(blend["models"].items(), key=lambda item: len(item[1]))
    ran = gatewise("run", tmp_path / "groups" / f"{name}.yaml", "--root", root, "--json", result)
    assert ran.code == 0, ran.out + ran.err
    assert set(ran.result["metrics"]) == set(tasks) and Path(ran.result["pushed"]).parent.name == name
