"""Our recall beside TensorFlow Recommenders' metric: with one relevant item for each query they are the same number."""

from __future__ import annotations

import numpy as np
import pytest
import tensorflow as tf

from components.retrieval_evaluation.exact_top_k import exact_top_k, products
from components.retrieval_evaluation.metrics import measure
from components.retrieval_evaluation.row_lists import RowLists
from models.retrieval.recommenders import load_keras_2, load_recommenders

KS = (1, 5, 20)
EVAL_QUERIES, ITEMS, DIM = 64, 90, 4


@pytest.fixture
def recommenders(monkeypatch):
    found = load_recommenders()
    # The metric makes Keras metrics when it is made.
    monkeypatch.setattr(tf, "keras", load_keras_2())
    return found


def vectors(generator, whole):
    shapes = ((EVAL_QUERIES, DIM), (ITEMS, DIM))
    if whole:
        # Whole numbers have exact products, and equal ones: both take the smaller row first.
        return tuple(generator.integers(-2, 3, shape).astype(np.float32) for shape in shapes)
    return tuple(generator.normal(size=shape).astype(np.float32) for shape in shapes)


def ours(queries, items, relevant):
    answers = exact_top_k(products(queries, items), EVAL_QUERIES, ITEMS, max(KS), RowLists.empty(EVAL_QUERIES))
    found = measure(answers, RowLists.of([[row] for row in relevant]), np.ones(ITEMS, np.int64), np.ones(ITEMS), KS)[0]
    return [found[f"recall@{k}"] for k in KS]


@pytest.mark.parametrize("whole", [True, False])
def test_by_ids(recommenders, whole):
    generator = np.random.default_rng(1)
    queries, items = vectors(generator, whole)
    relevant = generator.integers(0, ITEMS, EVAL_QUERIES)
    layer = recommenders.layers.factorized_top_k.BruteForce(k=max(KS))
    layer.index(tf.constant(items), tf.range(ITEMS))
    metric = recommenders.metrics.FactorizedTopK(candidates=layer, ks=KS)
    metric.update_state(
        tf.constant(queries), tf.constant(items[relevant]), true_candidate_ids=tf.constant(relevant, tf.int32)
    )
    assert [float(one) for one in metric.result()] == pytest.approx(ours(queries, items, relevant))
    assert 0.0 < ours(queries, items, relevant)[1] < 1.0


def test_by_scores(recommenders):
    generator = np.random.default_rng(2)
    queries, items = vectors(generator, whole=False)
    relevant = generator.integers(0, ITEMS, EVAL_QUERIES)
    metric = recommenders.metrics.FactorizedTopK(candidates=tf.data.Dataset.from_tensor_slices(items).batch(16), ks=KS)
    for start in range(0, EVAL_QUERIES, 16):
        part = slice(start, start + 16)
        metric.update_state(tf.constant(queries[part]), tf.constant(items[relevant[part]]))
    assert [float(one) for one in metric.result()] == pytest.approx(ours(queries, items, relevant))
