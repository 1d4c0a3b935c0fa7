from __future__ import annotations

import pytest

from components.retrieval_evaluation.plan import GatePlan, RetrievalEvaluationPlan, best_items_fingerprint
from models.recipe.errors import InputError
from models.recipe.recipe import Recipe

STREAM = {"path": "x/*.parquet", "key": ["user", "item"], "time": {"column": "t", "unit": "s"}}
SECTION = {"user": "user", "item": "item", "positives": {"click": 1.0}, "k": [100, 10, 10]}
GATE = {"metric": "recall@100", "beats": "popular", "at_least": 0.1}


def recipe(section):
    return Recipe.model_validate(
        {
            "name": "small",
            "logs": {"impressions": "shown", "streams": {"shown": STREAM, "click": STREAM}},
            "features": {"item": {"kind": "categorical", "side": "item"}},
            "tasks": {"click": {"kind": "binary", "outcome": "click", "window": "1h"}},
            **({"retrieval": section} if section else {}),
        }
    )


def test_from_recipe():
    plan = RetrievalEvaluationPlan.from_recipe(recipe({**SECTION, "gates": [GATE]}))
    assert (plan.user, plan.item, plan.truth) == ("user", "item", None) and plan.k == (10, 100) and plan.exclude_seen
    assert plan.gates == (GatePlan(**GATE),)
    assert RetrievalEvaluationPlan.model_validate_json(plan.model_dump_json()) == plan


def test_what_others_read_does_not_change_it():
    plans = [RetrievalEvaluationPlan.from_recipe(recipe({**SECTION, **more})) for more in ({}, {"dim": 8, "epochs": 9})]
    assert plans[0] == plans[1]


def test_the_truth_and_its_fingerprint(tmp_path):
    truth = {"path": "best/*.csv", "user": "u", "item": "i", "value": "v"}
    one = recipe({**SECTION, "truth": truth}).model_copy(update={"data": str(tmp_path)})
    plan = RetrievalEvaluationPlan.from_recipe(one)
    assert plan.truth is not None and plan.truth.model_dump() == {"data": str(tmp_path), **truth}
    assert best_items_fingerprint(recipe(SECTION)) == best_items_fingerprint(recipe(None)) == ""
    with pytest.raises(InputError, match="retrieval.truth"):
        best_items_fingerprint(one)
    (tmp_path / "best").mkdir()
    (tmp_path / "best" / "one.csv").write_text("u,i,v\n")
    first = best_items_fingerprint(one)
    (tmp_path / "best" / "one.csv").write_text("u,i,v\na,b,1\n")
    assert first and first != best_items_fingerprint(one)


def test_without_the_section():
    with pytest.raises(ValueError, match="a section retrieval"):
        RetrievalEvaluationPlan.from_recipe(recipe(None))
