from __future__ import annotations

import dataclasses
import json

import numpy as np
import pytest

from components.retrieval_evaluation.eval_queries import EvalQueries, TrainPositives
from components.retrieval_evaluation.plan import RetrievalEvaluationPlan
from components.retrieval_evaluation.report import RESULTS, evaluate, write_results
from components.retrieval_evaluation.row_lists import RowLists
from components.retrieval_evaluation.vectors import Vectors

ASKED = EvalQueries(
    relevant=RowLists.of([[2], [0, 3]]),
    excluded=RowLists.of([[0], []]),
    history=RowLists.of([[0], []]),
    popularity=np.array([4, 2, 1, 0]),
    exposure=np.array([4, 2, 1, 1]),
    train=TrainPositives(
        users=np.array([0, 1, 1], np.int32), items=np.array([0, 0, 1], np.int32), times=np.arange(3), latest=2
    ),
)
QUERIES = np.array([[1, 0], [0, 1]], np.float32)
GOOD = Vectors(QUERIES, np.array([[9, 2], [1, 0], [2, 1], [0, 3]], np.float32))
BAD = Vectors(-QUERIES, GOOD.items)
BROKEN = Vectors(QUERIES, np.where(GOOD.items == 9, np.nan, GOOD.items))


def plan(*gates):
    return RetrievalEvaluationPlan.model_validate(
        {"user": "u", "item": "i", "k": [1, 2], "exclude_seen": True, "gates": gates}
    )


BEATS = {"metric": "recall@2", "beats": "popular"}
AGAINST_OLDER = {"metric": "recall@2", "max_loss_to_baseline": 0.0}


def test_all_methods_answer_the_same_queries():
    report = evaluate(plan(BEATS), ASKED, GOOD, BAD)
    assert list(report.methods) == ["two_tower", "popular", "popular_last_day", "co_occurrence", "older_model"]
    # The candidate: 2, 1 without the excluded 0, and 3, 0. Popular: 1, 2 and 0, 1. The older: 1 is last but one of each.
    assert {name: found["recall@1"] for name, found in report.methods.items()} == {
        "two_tower": (1 + 1 / 2) / 2,
        "popular": (0 + 1 / 2) / 2,
        "popular_last_day": (0 + 1 / 2) / 2,
        "co_occurrence": (0 + 1 / 2) / 2,
        "older_model": 0.0,
    }
    assert report.methods["two_tower"]["recall@2"] == 1.0
    assert (report.eval_queries, report.items, report.relevant, report.without_history) == (2, 4, 3, 1)
    assert report.blessed and report.older is None


def test_the_prior_alone_is_a_method_too():
    """As good as most popular for the first query, better for the second: towers must be worth more."""
    prior = np.array([2.0, 1.0, 0.0, 3.0], np.float32)
    beats = {"metric": "recall@2", "beats": "prior"}
    report = evaluate(plan(beats), ASKED, Vectors(GOOD.queries, GOOD.items, prior), BAD)
    assert list(report.methods)[-2:] == ["prior", "older_model"]
    assert report.methods["prior"]["recall@1"] == (0 + 1 / 2) / 2 and report.methods["prior"]["recall@2"] == 1 / 2
    assert report.blessed and "prior's 0.5" in report.gates[0].message
    assert not evaluate(plan(beats), ASKED, Vectors(BAD.queries, BAD.items, prior)).blessed


def test_gates():
    report = evaluate(plan(BEATS, {"metric": "mrr", "at_most": 0.5}), ASKED, GOOD)
    assert [gate.held for gate in report.gates] == [True, False] and not report.blessed
    assert evaluate(plan(), ASKED, BAD).blessed


def test_without_an_older_model():
    report = evaluate(plan(AGAINST_OLDER), ASKED, GOOD, None, "its features are others")
    assert report.blessed and report.older == "its features are others" and "older_model" not in report.methods
    assert "not compared: its features are others" in report.gates[0].message


def test_against_an_older_model():
    assert not evaluate(plan(AGAINST_OLDER), ASKED, BAD, GOOD).blessed
    assert evaluate(plan(AGAINST_OLDER), ASKED, GOOD, GOOD).blessed


def test_an_older_model_with_broken_vectors_is_not_compared():
    report = evaluate(plan(AGAINST_OLDER), ASKED, GOOD, BROKEN)
    assert report.blessed and report.older == "1 of its vectors are not finite"


def test_a_candidate_with_broken_vectors_is_never_blessed():
    report = evaluate(plan(), ASKED, BROKEN)
    assert not report.blessed and set(report.methods["two_tower"].values()) == {None}
    assert report.gates[0].message.startswith("two_tower: 1 of 6 vectors of users and items are not finite")
    assert report.methods["popular"]["recall@2"] == 0.75


def test_a_candidate_that_serves_something_else_is_never_blessed():
    report = evaluate(plan(), ASKED, GOOD, served="query 3: an item is answered twice")
    [gate] = report.gates
    assert not report.blessed and gate.metric == "served_answers"
    assert "give different answers: query 3: an item is answered twice; required" in gate.message


# Of the first query, item 0 is excluded. The true values of the second one are not known.
BEST = np.array([[1, 3], [-1, -1]], np.int32)
BEATS_TRULY = {"metric": "true_recall@2", "beats": "popular"}


def test_weights_by_inverse_exposure():
    """Weights 2, 4, 8, 8 of 8 impressions; chosen are 2, 0 and 3. Found first: 2 and 3 by the candidate, 0 by popular."""
    report = evaluate(plan({"metric": "weighted_recall@1", "at_least": 0.9}), ASKED, GOOD)
    assert report.methods["two_tower"]["weighted_recall@1"] == pytest.approx((8 + 8) / 18)
    assert report.methods["popular"]["weighted_recall@1"] == pytest.approx(2 / 18)
    assert report.effective_relevant == pytest.approx(18**2 / (64 + 4 + 64))
    assert not report.blessed and "weighted_recall@1 is 0.888889, required at least 0.9" in report.gates[0].message
    assert report.with_truth is None and "true_recall@1" not in report.methods["two_tower"]


def test_the_candidate_less_each_other_method():
    """recall@1: 1 and 1/2 less 0 and 1/2. The truth is known of one query alone, which has no interval."""
    report = evaluate(plan(), dataclasses.replace(ASKED, best=BEST), GOOD, BAD)
    found = report.differences["recall@1"]
    assert list(found) == ["popular", "popular_last_day", "co_occurrence", "older_model"]
    assert (found["popular"].difference, found["popular"].standard_error) == pytest.approx((0.5, 0.5))
    assert report.differences["true_recall@1"] == {}
    weighted = report.differences["weighted_recall@1"]["popular"]
    assert weighted.difference == pytest.approx((8 + 8) / 18 - 2 / 18)


def test_every_method_is_asked_for_the_truly_best_items():
    """Of the first query alone. The candidate answers 2 and 1, the popular methods 1 and 2, the older model 3 and 1."""
    asked = dataclasses.replace(ASKED, best=BEST)
    report = evaluate(plan(BEATS_TRULY), asked, GOOD, BAD)
    assert {name: (found["true_recall@1"], found["true_recall@2"]) for name, found in report.methods.items()} == {
        "two_tower": (0.0, 0.5),
        "popular": (1.0, 0.5),
        "popular_last_day": (1.0, 0.5),
        "co_occurrence": (1.0, 0.5),
        "older_model": (0.0, 1.0),
    }
    assert list(report.methods["popular"])[:3] == ["true_recall@1", "true_recall@2", "recall@1"], "the truth leads"
    assert report.blessed and report.with_truth == 1
    assert evaluate(plan(BEATS_TRULY), ASKED_WITHOUT_TRUTH, GOOD).gates[0].message == (
        "two_tower: true_recall@2 has no value, because the truly best items of no eval query are known; required not worse "
        "than popular."
    )
    assert evaluate(plan(), asked, BROKEN).methods["two_tower"]["true_recall@1"] is None


ASKED_WITHOUT_TRUTH = dataclasses.replace(ASKED, best=np.full((2, 2), -1, np.int32))


def test_nothing_is_asked():
    nothing = RowLists.empty(0)
    asked = EvalQueries(
        relevant=nothing,
        excluded=nothing,
        history=nothing,
        popularity=ASKED.popularity,
        exposure=ASKED.exposure,
        train=ASKED.train,
    )
    report = evaluate(plan(BEATS), asked, Vectors(QUERIES[:0], GOOD.items))
    words = "because no user of the eval split chose an item that was known before it; required not worse than popular."
    assert not report.blessed and report.gates[0].message == f"two_tower: recall@2 has no value, {words}"


def test_vectors_that_are_no_numbers_have_no_value_but_were_asked():
    *_, gate = evaluate(plan(BEATS), ASKED, BROKEN).gates
    assert gate.message == "two_tower: recall@2 has no value; required not worse than popular."


def test_results(tmp_path):
    report = evaluate(plan(BEATS), ASKED, BROKEN)
    write_results(report, 0.25, str(tmp_path))
    found = json.loads((tmp_path / RESULTS).read_text())
    assert found["methods"]["two_tower"]["mrr"] is None
    assert found["methods"]["popular"]["recall@1"] == pytest.approx(0.25)
    assert found["differences"] == {}, "broken vectors have no recall"
    assert found["with_truth"] is None and found["effective_relevant"] == pytest.approx(18**2 / 132)
    assert (found["eval_queries"], found["items"], found["relevant"], found["unanswerable"]) == (2, 4, 3, 0.25)
    assert [(gate["metric"], gate["held"]) for gate in found["gates"]] == [("not_finite", False), ("recall@2", False)]
    assert found["older"] == "there is no older blessed model" and found["without_history"] == 1
