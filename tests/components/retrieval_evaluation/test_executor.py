from __future__ import annotations

import json
import os

import pytest
from tfx.types import standard_artifacts

from components.retrieval_evaluation.executor import Executor
from components.retrieval_evaluation.plan import RetrievalEvaluationPlan
from models.recipe.retrieval import BASELINES


@pytest.fixture
def run(tmp_path, interactions):
    counter = iter(range(100))

    def run(model, *gates, baseline=None, **plan):
        folder = tmp_path / f"output{next(counter)}"
        evaluation, blessing = standard_artifacts.ModelEvaluation(), standard_artifacts.ModelBlessing()
        evaluation.uri, blessing.uri = str(folder / "evaluation"), str(folder / "blessing")
        inputs = {"interactions": [interactions.artifact], "model": [model]}
        inputs |= {"baseline_model": [baseline]} if baseline is not None else {}
        plan = RetrievalEvaluationPlan(
            **{"user": "user", "item": "item", "k": (1, 2), "exclude_seen": True, "gates": gates} | plan
        )
        properties = {"plan": plan.model_dump_json(), "code": "1"}
        Executor().Do(inputs, {"evaluation": [evaluation], "blessing": [blessing]}, properties)
        with open(os.path.join(evaluation.uri, "retrieval.json")) as file:
            return evaluation, blessing, json.load(file)

    return run


GATE = {"metric": "recall@1", "at_least": 0.8}


def test_by_hand(run, make_model):
    evaluation, blessing, found = run(make_model("model", 11), GATE)
    # u1 sees c 1.5, d 2, e 0.125, f -1: d before c, which it chose. u2: b 1.25 and e 0.125, which it chose, before d 0.
    # u3, of whom nothing is known, has the priors: d 1, which it chose.
    assert found["methods"]["two_tower"]["recall@1"] == pytest.approx((0 + 1 / 2 + 1) / 3)
    assert found["methods"]["two_tower"]["recall@2"] == pytest.approx(1.0)
    assert found["methods"]["two_tower"]["mrr"] == pytest.approx((1 / 2 + 1 + 1) / 3)
    assert list(found["methods"]) == ["two_tower", *BASELINES, "prior"]
    # Without a and b for u1, a for u2: c, b and a are the most popular.
    assert found["methods"]["popular"]["recall@1"] == pytest.approx((1 + 1 / 2 + 0) / 3)
    # The prior alone: d and e for u1, d and b for u2, d and b for u3.
    assert found["methods"]["prior"]["recall@1"] == pytest.approx((0 + 0 + 1) / 3)
    assert found["methods"]["prior"]["recall@2"] == pytest.approx((0 + 1 / 2 + 1) / 3)
    assert (found["eval_queries"], found["relevant"], found["items"], found["unanswerable"]) == (3, 4, 6, 0.2)
    assert found["older"] == "there is no older blessed model" and found["without_history"] == 1
    assert evaluation.get_int_custom_property("rows") == 3

    assert [gate["held"] for gate in found["gates"]] == [False]
    assert blessing.get_int_custom_property("blessed") == 0
    assert blessing.get_int_custom_property("current_model_id") == 11
    assert os.listdir(blessing.uri) == ["NOT_BLESSED"]


def test_blessed_beside_an_older_model(run, make_model):
    gates = {"metric": "recall@2", "at_least": 1.0}, {"metric": "mrr", "max_loss_to_baseline": 0.0}
    _, blessing, found = run(make_model("model", 11), *gates, baseline=make_model("older", 9, slope=-1.0))
    assert found["methods"]["older_model"]["mrr"] < found["methods"]["two_tower"]["mrr"]
    assert found["older"] is None and [gate["held"] for gate in found["gates"]] == [True, True]
    assert blessing.get_int_custom_property("blessed") == 1
    assert blessing.get_int_custom_property("baseline_model_id") == 9
    assert os.listdir(blessing.uri) == ["BLESSED"]


@pytest.mark.parametrize(
    ("notes", "why"),
    [
        ({"item_inputs": {"colour": {"type": "bytes"}}}, "columns that the examples no longer have: colour"),
        ({"kind": "ranker"}, "expected a retrieval model, found a ranker"),
    ],
)
def test_an_older_model_that_cannot_be_asked(run, make_model, notes, why):
    gate = {"metric": "mrr", "max_loss_to_baseline": 0.0}
    _, blessing, found = run(make_model("model", 11), gate, baseline=make_model("older", 9, **notes))
    assert blessing.get_int_custom_property("blessed") == 1
    assert why in found["older"] and why in found["gates"][0]["message"]


def test_an_older_model_is_not_asked_without_its_prior(run, make_model):
    """Without a prior in the recipe the items' is 0: the older model would be measured without a part of its scores."""
    gate = {"metric": "mrr", "max_loss_to_baseline": 0.0}
    older = make_model("older", 9)
    _, _, found = run(make_model("model", 11, prior=False, answers=0), gate, baseline=older)
    assert "older_model" not in found["methods"] and "prior" not in found["methods"]
    assert found["older"] == "the older model adds a prior to its scores, which the recipe no longer has"
    assert found["older"] in found["gates"][0]["message"]
    _, _, found = run(older, baseline=make_model("model_2", 8, prior=False))
    assert found["older"] is None and "older_model" in found["methods"]


def test_what_is_served_must_be_what_was_measured(run, make_model):
    _, blessing, found = run(make_model("model", 11, served_slope=2.0))
    assert blessing.get_int_custom_property("blessed") == 0
    [gate] = found["gates"]
    assert gate["metric"] == "served_answers"
    assert "serving_default and the model's vectors give different answers: query 0" in gate["message"]


def test_a_model_that_gives_vectors_only(run, make_model):
    _, blessing, found = run(make_model("model", 11, served_slope=2.0, answers=0))
    assert blessing.get_int_custom_property("blessed") == 1 and found["gates"] == []


def test_a_model_that_answers_nan_is_never_blessed(run, make_model):
    _, blessing, found = run(make_model("model", 11, slope=float("nan")))
    assert blessing.get_int_custom_property("blessed") == 0
    assert found["gates"][0]["message"].startswith("two_tower: 3 of 9 vectors")


def test_the_truly_best_items(run, make_model, tmp_path):
    """u1 is known: c, which it did not see, and f after it; b and a it has seen. u2 is known for d; u4 was not asked about."""
    (tmp_path / "best.csv").write_text("u,i,v\nu1,b,9\nu1,f,0.1\nu1,c,0.2\nu1,gone,8\nu2,d,1\nu4,a,1\n")
    truth = {"data": str(tmp_path), "path": "best.csv", "user": "u", "item": "i", "value": "v"}
    _, _, found = run(make_model("model", 11), {"metric": "true_recall@2", "beats": "popular"}, truth=truth)
    # u1 gets d and c, u2 gets b and e.
    assert found["methods"]["two_tower"]["true_recall@1"] == 0.0
    assert found["methods"]["two_tower"]["true_recall@2"] == pytest.approx((1 / 2 + 0) / 2)
    # Popular: c and d for u1, b and c for u2.
    assert found["methods"]["popular"]["true_recall@1"] == pytest.approx((1 + 0) / 2)
    assert found["with_truth"] == 2 and [gate["held"] for gate in found["gates"]] == [True]


def test_what_was_seen_may_be_answered(run, make_model):
    _, _, found = run(make_model("model", 11), exclude_seen=False)
    # u3 has seen nothing; a is the most popular item for everybody now.
    assert found["methods"]["popular"]["recall@1"] == 0.0
