from __future__ import annotations

import json

import numpy as np

from benchmarks.steps import retrieval_ours, retrieval_tutorial
from benchmarks.steps.retrieval_problem import ITEM, RetrievalProblem
from models.retrieval.trainer import build_model

SMALL = RetrievalProblem(
    users={"user_id": 30, "country": 4}, items={ITEM: 20, "brand": 5}, dim=4, units=(6,), history=3, batch=16, steps=5
)


def test_a_question_carries_it() -> None:
    question = json.loads(json.dumps(SMALL.as_question(out="x", optimizer="adam")))
    assert RetrievalProblem.of(question) == SMALL
    assert RetrievalProblem().of_examples(10_000).steps == 2


def test_ids_are_of_their_tables() -> None:
    ids, histories = SMALL.ids(), SMALL.histories()
    assert list(ids) == ["user_id", "country", ITEM, "brand"]
    for name, rows in SMALL.features.items():
        assert ids[name].shape == (80,) and ids[name].min() >= 0 and ids[name].max() < rows
    # The first item has 1 of 3.6 shares, the last a twentieth of that.
    counts = np.bincount(RetrievalProblem(items={ITEM: 20}, batch=10_000, steps=1).ids()[ITEM], minlength=20)
    np.testing.assert_allclose(counts[[0, 19]] / 10_000, [0.278, 0.0139], atol=0.02)
    assert histories.shape == (80, 3) and histories.max() < 20
    lengths = (histories >= 0).sum(axis=1)
    assert set(lengths) == {0, 1, 2, 3}
    assert ((histories >= 0) == (np.arange(3) < lengths[:, None])).all(), "the newest first, no gap"


def test_both_models_have_the_same_sizes() -> None:
    ours = build_model(retrieval_ours.plan_of(SMALL), retrieval_ours.layout_of(SMALL))
    dense = sorted(tuple(variable.shape) for variable in ours.trainable_variables)
    fused = [table for tower in ours.towers for table in tower.encoder.fused]
    # 3 x 4 and 2 x 4 numbers in, 6, 4 out, with their biases.
    assert dense == sorted([(12, 6), (6,), (6, 4), (4,), (8, 6), (6,), (6, 4), (4,)])
    # A table for each tower, with one more row, of zeros; the user's holds the history's items.
    assert sorted((table.rows, table.dim) for table in fused) == [(20 + 5 + 1, 4), (30 + 4 + 20 + 1, 4)]
    peer = retrieval_tutorial._model(SMALL)
    columns = {**{name: ids[:8] for name, ids in SMALL.ids().items()}, "history": SMALL.histories()[:8]}
    peer.compute_loss(columns)
    shapes = sorted(tuple(variable.shape) for variable in peer.trainable_variables)
    # The tutorial's table of the history has a row more, for the places behind the last item.
    assert shapes == sorted([*dense, (30, 4), (4, 4), (21, 4), (20, 4), (5, 4)])
