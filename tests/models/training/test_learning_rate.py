"""The learning-rate schedule, by hand."""

from __future__ import annotations

import keras
import pytest

from models.training.learning_rate import LEAST, LearningRate


@pytest.mark.parametrize(
    ("decay", "warmup", "step", "factor"),
    [
        ("constant", 0, 1000, 1.0),
        ("constant", 4, 0, 0.25),
        ("constant", 4, 3, 1.0),
        ("cosine", 0, 0, 1.0),
        ("cosine", 0, 50, 0.5),
        ("cosine", 0, 100, LEAST),
        ("cosine", 0, 900, LEAST),
        ("cosine", 100, 49, 0.5 * 0.5157),
        ("plateau", 4, 0, 0.25 * 0.3),
        ("plateau", 0, 70, 0.3),
    ],
)
def test_factor(decay: str, warmup: int, step: int, factor: float) -> None:
    rate = LearningRate(0.2, decay, warmup, 100, keras.Variable(0.3))
    assert float(rate.factor(step)) == pytest.approx(factor, rel=1e-3)
    assert float(rate(step)) == pytest.approx(0.2 * factor, rel=1e-3)
