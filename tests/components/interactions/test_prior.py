from __future__ import annotations

import math

import numpy as np
import pytest

from components.interactions.prior import PRIORS, popularity, rate
from models.recipe.retrieval import Prior


def test_popularity_by_hand() -> None:
    found = popularity(np.array([9, 9, 9]), np.array([3, 0, 1]))
    # 4 positives of 3 items: 5.5 with the half ones.
    np.testing.assert_allclose(np.exp(found), [3.5 / 5.5, 0.5 / 5.5, 1.5 / 5.5], rtol=1e-6)
    assert found.dtype == np.float32
    assert np.exp(found).sum() == pytest.approx(1.0)


def test_rate_by_hand() -> None:
    found = rate(np.array([80, 20, 0]), np.array([8, 12, 0]))
    # 20 of 100: each item has 4 more positives in 20 more impressions.
    np.testing.assert_allclose(np.exp(found), [12 / 100, 16 / 40, 0.2], rtol=1e-6)
    assert found[2] == pytest.approx(math.log(0.2))


def test_a_window_without_positives_or_impressions_tells_no_items_apart() -> None:
    assert rate(np.array([5, 0]), np.array([0, 0])).tolist() == [0.0, 0.0]
    assert rate(np.array([0, 0]), np.array([0, 0])).tolist() == [0.0, 0.0]
    assert popularity(np.array([0, 0]), np.array([0, 0])).tolist() == pytest.approx([math.log(0.5)] * 2)


@pytest.mark.parametrize("kind", PRIORS)
def test_every_kind_of_the_recipe_is_finite_and_rises_with_the_positives(kind: str) -> None:
    assert Prior.model_validate({"kind": kind, "window": "1d"}).kind == kind
    found = PRIORS[kind](np.array([50, 50, 50]), np.array([0, 1, 50]))
    assert np.isfinite(found).all() and (np.diff(found) > 0).all()
