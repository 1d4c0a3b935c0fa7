"""The shop with features that have no vocabulary: trained, probed, pushed, and it answers what it has never seen."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

pytestmark = pytest.mark.slow

HASHED = [
    "--set", "features.item_id={kind: categorical, side: item, vocabulary: null, hash_buckets: 256, quotient_remainder: true}",
    "--set", "features.brand={kind: categorical, side: item, vocabulary: null, hash_buckets: 100, dim: 4}",
    "--set", "features.tags={kind: multivalued, side: item, separator: '|', max_length: 5,"
    " vocabulary: null, hash_buckets: 64, quotient_remainder: true}",
    "--set", "features.hour={kind: categorical, type: integer, vocabulary: null, hash_buckets: 50, dim: 4}",
]  # fmt: skip
GATES_OFF = [
    part for task in ("click", "cart", "order", "order_value") for part in ("--set", f"tasks.{task}.gates=none")
]


def test_from_logs_to_answers(
    gatewise: Callable[..., Any], shop_recipe: Path, shop_logs: Path, quick: list[str], tmp_path: Path
) -> None:
    root, result = tmp_path / "runs", tmp_path / "result.json"
    done = gatewise(
        "run",
        shop_recipe,
        "--root",
        root,
        "--data",
        shop_logs,
        "--json",
        result,
        *quick,
        *GATES_OFF,
        *HASHED,
        "--set",
        "retrieval=null",
    )
    assert done.code == 0, done.out + done.err
    assert done.result["blessed"] is True and Path(done.result["pushed"]).is_dir()
    assert done.result["metrics"]["click"]["auc"] > 0.6

    layout = json.loads(next(root.glob("**/layout.json")).read_text())
    assert layout["tables"]["item_id"] == [1 + 2 * 256, 4]
    assert layout["tables"]["brand"] == [1 + 100, 4]
    assert layout["quotient_remainder"] == ["item_id", "tags"]
    vocabularies = {path.name for path in root.glob("**/transform_fn/assets/*.txt")}
    assert "device.txt" in vocabularies and not vocabularies & {"item_id.txt", "brand.txt", "tags.txt", "hour.txt"}

    known = json.loads(shop_recipe.with_name("shop_requests.jsonl").read_text().splitlines()[0])
    new = {**known, "item_id": "never seen", "brand": "nor this", "tags": ["x", "y"]}
    bare = {name: value for name, value in known.items() if name not in ("item_id", "brand", "tags", "hour")}
    requests = tmp_path / "requests.jsonl"
    requests.write_text("".join(json.dumps(one) + "\n" for one in (known, new, bare, known)))
    said = gatewise("predict", root / "serving" / "shop", "--input", requests)
    assert said.code == 0, said.err
    answers = [json.loads(line) for line in said.out.splitlines()]
    assert len(answers) == 4 and answers[0] == pytest.approx(answers[3], rel=1e-6)
    assert all(0 < answer["click"] < 1 and answer["order_value"] > 0 for answer in answers)
    # Each id counts: a hash, another one, and none give different answers.
    assert len({round(answer["click"], 7) for answer in answers[:3]}) == 3
