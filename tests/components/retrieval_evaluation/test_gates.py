from __future__ import annotations

import pytest

from components.retrieval_evaluation.gates import OLDER, TWO_TOWER, check_gate, loss
from components.retrieval_evaluation.plan import GatePlan


def check(value, other=None, metric="recall@10", **gate):
    """`other`: {method: its value}."""
    methods = {name: {metric: one} for name, one in {TWO_TOWER: value, **(other or {})}.items()}
    return check_gate(GatePlan(metric=metric, **gate), methods, "there is none")


def test_at_least():
    [held] = check(0.25, at_least=0.25)
    assert (held.metric, held.limit, held.value, held.held) == ("recall@10", "at least 0.25", 0.25, True)
    assert held.message == "two_tower: recall@10 is 0.25, required at least 0.25."
    assert not check(0.25, at_least=0.26)[0].held


def test_at_most():
    assert check(20.0, metric="popularity_bias@10", at_most=20.0)[0].held
    [failed] = check(20.5, metric="popularity_bias@10", at_most=20.0)
    assert not failed.held and failed.message == "two_tower: popularity_bias@10 is 20.5, required at most 20."


class TestBeats:
    def test_worse(self):
        [failed] = check(0.25, {"popular": 0.5}, beats="popular")
        assert not failed.held
        assert (
            failed.message
            == "two_tower: recall@10 is 0.25, popular's 0.5: 0.25 worse; required not worse than popular."
        )

    def test_better(self):
        [held] = check(0.5, {"co_occurrence": 0.25}, beats="co_occurrence")
        assert held.held and "is 0.5, co_occurrence's 0.25: 0.25 better; required" in held.message

    def test_equal_is_not_worse(self):
        [held] = check(0.5, {"popular": 0.5}, beats="popular")
        assert held.held and "is 0.5, as popular's; required" in held.message

    def test_there_is_no_tolerance(self):
        assert not check(0.5 - 1e-9, {"popular": 0.5}, beats="popular")[0].held

    def test_without_value(self):
        [held] = check(0.5, {"popular": None}, beats="popular")
        assert held.held and held.message == "two_tower: recall@10 is 0.5; popular's has no value."


class TestOlderModel:
    def test_none_holds(self):
        [held] = check(0.5, max_loss_to_baseline=0.0)
        assert held.held and held.message == "two_tower: recall@10 is 0.5; not compared: there is none."

    def test_worse(self):
        [failed] = check(0.25, {OLDER: 0.5}, max_loss_to_baseline=0.2)
        words = "is 0.25, the older model's 0.5: 0.25 worse; required at most 0.2 worse than the older model."
        assert not failed.held and failed.message == f"two_tower: recall@10 {words}"
        assert check(0.25, {OLDER: 0.5}, max_loss_to_baseline=0.25)[0].held

    def test_a_model_is_not_worse_than_itself(self):
        assert check(0.5 - 1e-7, {OLDER: 0.5}, max_loss_to_baseline=0.0)[0].held
        assert "as the older model's" in check(0.5, {OLDER: 0.5}, max_loss_to_baseline=0.0)[0].message


@pytest.mark.parametrize("limit", [{"at_least": 0}, {"at_most": 1}, {"beats": "popular"}, {"max_loss_to_baseline": 1}])
def test_no_value_is_not_held(limit):
    [failed] = check(None, {"popular": 0.5, OLDER: 0.5}, **limit)
    assert not failed.held and failed.message.startswith("two_tower: recall@10 has no value; required ")
    assert not check(None, {"popular": 0.5}, **limit)[0].held


def test_a_single_metric_without_value_is_not_for_want_of_users():
    gate = GatePlan(metric="popularity_bias@10", at_most=2.0)
    [failed] = check_gate(gate, {TWO_TOWER: {"popularity_bias@10": None, "recall@10": 0.5}}, "there is none")
    assert failed.message == "two_tower: popularity_bias@10 has no value; required at most 2."


def test_the_reason_for_no_value_is_said():
    gate = GatePlan(metric="mrr", at_least=0.1)
    [failed] = check_gate(gate, {TWO_TOWER: {"mrr": None}}, "there is none", "nobody was asked")
    assert failed.message == "two_tower: mrr has no value, because nobody was asked; required at least 0.1."


def test_each_limit_is_judged():
    found = check(0.5, {"popular": 0.6, OLDER: 0.4}, at_least=0.1, at_most=0.4, beats="popular", max_loss_to_baseline=0)
    assert [one.held for one in found] == [True, False, False, True]


@pytest.mark.parametrize(
    ("metric", "worse"),
    [("recall@5", 0.1), ("ndcg@5", 0.1), ("mrr", 0.1), ("coverage@5", 0.1), ("popularity_bias@5", -0.1)],
)
def test_direction(metric, worse):
    assert loss(metric, 0.7, 0.8) == pytest.approx(worse)
