"""Visitors and lists by small shops; and the whole, whose two stages must be what `gatewise recommend` answers."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest
from rich.console import Console

from benchmarks import two_stage
from benchmarks.two_stage_lists import Worth
from pipeline.simulate_affinity import Shop

QUICK = [
    "training.epochs=1",
    "training.jit_compile=false",
    "training.batch_size=256",
    "model.options.mmoe={experts: 2, units: [8], tower_units: [4]}",
    "model.embedding_dim=4",
    "retrieval.candidates=60",
    "retrieval.epochs=1",
    "retrieval.gates=[]",
    "evaluation.references=[linear]",
    "evaluation.not_below_single_task=null",
    *(f"tasks.{task}.gates=none" for task in ("click", "cart", "order", "order_value")),
]


def test_who_is_drawn() -> None:
    users = np.arange(0, 300, 3)
    some = two_stage.drawn(users, 10, seed=1)
    assert len(set(some.tolist()) & set(users.tolist())) == 10 and (np.diff(some) > 0).all()
    assert two_stage.drawn(users, 10, seed=1).tolist() == some.tolist() != two_stage.drawn(users, 10, seed=2).tolist()
    assert two_stage.drawn(users, 1_000, seed=1).tolist() == users.tolist()


def test_popularity_goes_by_id() -> None:
    table = pa.table({"item": pa.array([b"a", b"c", b"d"]), "gatewise/positives": pa.array([5, 0, 7], pa.int64())})
    assert two_stage.popularity(table, "item", pa.array([b"d", b"b", b"a"])).tolist() == [7, 0, 5]


def test_the_last_items_are_those_clicked_last() -> None:
    """Against a walk through all clicks; of a user without one there are none."""
    from benchmarks.two_stage_models import item_numbers, last_items, visitor_rows

    shop = Shop(2_000, seed=2)
    users = np.unique(shop.logged.user)
    found = last_items(shop, users, 2)
    walked: dict[int, list[str]] = {}
    for click in shop.clicks():
        walked.setdefault(int(shop.logged.user[click]), []).insert(0, f"i{shop.logged.item[click]}")
    assert found == [walked.get(user, [])[:2] for user in users.tolist()]
    assert {len(items) for items in found} == {0, 1, 2}
    rows = visitor_rows(shop, shop.last_visits(users), "user_id", 2)
    assert [row["history"] for row in rows] == found and [row["user_id"] for row in rows] == [
        f"u{user}" for user in users
    ]
    assert set(rows[0]) == {"segment", "country", "device", "age", "position", "hour", "user_id", "history"}
    assert {row["position"] for row in rows} == {1}
    assert item_numbers(shop, pa.array([b"i7", b"i0", b"i199"])).tolist() == [7, 0, 199]


@pytest.fixture
def found() -> two_stage.Found:
    return two_stage.Found(
        lines=[Worth(method="random", recall=0.125, value=0.5, coverage=1.0)],
        items=800,
        visitors=20,
        candidates=500,
        held=0.75,
        k=100,
        failed_gates=["click: auc is 0.5, required at least 0.7."],
    )


def test_table_notes_and_history(found: two_stage.Found) -> None:
    console = Console(width=120)
    with console.capture() as captured:
        console.print(two_stage.table(found))
    assert all(words in captured.get() for words in ("recall@100", "value@100", "random", "0.125", "0.500", "100%"))
    notes = two_stage.notes(found)
    assert "20 visitors, 800 items" in notes[0] and "500 candidates hold 75.0%" in notes[1] and "auc is 0.5" in notes[2]
    line = json.loads(json.dumps(two_stage.entry(found, {"rows": 10})))
    assert line["lines"][0]["recall"] == 0.125 and line["settings"] == {"rows": 10} and line["held"] == 0.75


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore")
def test_the_whole(tmp_path: Path) -> None:
    from benchmarks.two_stage_models import BothModels, visitor_rows
    from pipeline.recommending.pair import newest_pair
    from pipeline.recommending.recommend import recommend

    found = two_stage.run(tmp_path, 12_000, visitors=30, seed=3, overrides=QUICK, k=20)
    folder = tmp_path / "two-stage-12000-3-0"
    assert not found.failed_gates and (found.visitors, found.items, found.candidates) == (30, 200, 60)
    lines = {line.method: line for line in found.lines}
    assert lines["random"].recall == pytest.approx(0.1, abs=0.05) and lines["random"].coverage > 0.9
    assert lines["one list for all, by the truth"].recall > 0.5 and lines["most popular"].coverage == 0.1
    assert lines[two_stage.TWO_STAGES].recall <= found.held

    shop, pair = Shop(12_000, 3), newest_pair(folder / "runs" / "serving" / "shop")
    models = BothModels(pair.ranker, pair.retrieval)
    row = visitor_rows(shop, shop.last_visits(shop.logged.user[:1]), "user_id", 20)[0]
    candidates, scores = models.retrieved([row]), models.ranked([row])
    of_model = {name: value for name, value in row.items() if name != "user_id"}
    answer = recommend(folder / "runs", of_model, k=20)
    ids = models.items.to_pylist()
    ours = two_stage.best(two_stage.among(scores, candidates), 20)[0]
    assert [item["item"] for item in answer.items] == [ids[place].decode() for place in ours]
    np.testing.assert_allclose([item["score"] for item in answer.items], scores[0][ours], rtol=1e-5)
