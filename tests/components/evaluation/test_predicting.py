from __future__ import annotations

import threading
import time

import numpy as np
import pytest

from components.evaluation.predicting import predict_batches


def test_in_the_order_of_the_batches_whatever_ends_first():
    batches = [np.array([[1.0], [2.0]]), np.array([[3.0]]), np.array([[4.0], [5.0], [6.0]])]

    def predict(batch):
        time.sleep(0.02 / len(batch) if len(batch) > 1 else 0.05)
        return {"click": batch / 8, "order": batch[:, 0]}

    found = predict_batches(predict, batches, 6)
    assert found["click"].tolist() == [0.125, 0.25, 0.375, 0.5, 0.625, 0.75]
    assert found["order"].tolist() == [1, 2, 3, 4, 5, 6]
    assert found["click"].dtype == np.float32


def test_few_batches_are_in_memory():
    alive, most, lock = 0, 0, threading.Lock()

    def batches():
        nonlocal alive, most
        for _ in range(50):
            with lock:
                alive += 1
                most = max(most, alive)
            yield np.zeros(1)

    def predict(batch):
        nonlocal alive
        with lock:
            alive -= 1
        return {"click": batch}

    predict_batches(predict, batches(), 50)
    assert most <= 6


@pytest.mark.parametrize(("rows", "words"), [(3, "expected 3 predictions; received 2"), (1, "expected 1 .* more")])
def test_as_many_as_expected(rows, words):
    with pytest.raises(ValueError, match=words):
        predict_batches(lambda batch: {"click": batch}, [np.zeros(1), np.zeros(1)], rows)


def test_an_error_of_the_model_is_raised():
    def predict(batch):
        raise RuntimeError("broken")

    with pytest.raises(RuntimeError, match="broken"):
        predict_batches(predict, [np.zeros(1)], 1)
