from __future__ import annotations

from pipeline.retrieval_comparison import against_the_best

METHODS = {"two_tower": {"r": 0.5}, "popular": {"r": 0.25}, "prior": {"r": 0.75}, "older_model": {"r": None}}


def test_against_the_best_by_hand() -> None:
    assert against_the_best(METHODS, "r", {}) == (-0.25, "0.2500 below the best other method", "prior")
    bounds = {"r": {"prior": {"lower": -0.3, "upper": -0.2}, "popular": {"lower": 0.0, "upper": 0.5}}}
    assert against_the_best(METHODS, "r", bounds) == (-0.25, "0.2500 ± 0.0500 below the best other method", "prior")
    without = {name: values for name, values in METHODS.items() if name != "prior"}
    assert against_the_best(without, "r", bounds) == (0.25, "0.2500 ± 0.2500 above the best other method", "popular")


def test_without_a_value_nothing_is_compared() -> None:
    assert against_the_best({"two_tower": {"r": None}, "popular": {"r": 0.1}}, "r", {}) is None
    assert against_the_best({"two_tower": {"r": 0.1}, "popular": {"r": None}}, "r", {}) is None
