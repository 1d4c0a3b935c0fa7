from __future__ import annotations

import json

import metric_oracle
import numpy as np
import pytest

from components.evaluation.paired import Difference
from components.evaluation.plan import EvaluationPlan, NotBelowPlan
from components.evaluation.references import References, not_below, with_references
from components.evaluation.report import EvalExamples, evaluate
from components.evaluation.slices import Coded
from components.references.predictions import read_predictions, write_predictions
from models.recipe.recipe import Recipe

AUC = NotBelowPlan(metric="auc", tolerance=0.002, confidence=0.95)
PLAN = EvaluationPlan.model_validate(
    {
        "tasks": {
            "click": {"kind": "binary", "metrics": ["calibration", "auc"], "not_below_single_task": AUC.model_dump()},
            "value": {
                "kind": "regression",
                "metrics": ["rmse"],
                "not_below_single_task": {"metric": "rmse", "tolerance": 0.1, "confidence": 0.95},
            },
        },
        "group_key": "user",
    }
)


def found(metric: str, a: float, b: float, loss: float, error: float) -> Difference:
    return Difference(metric=metric, a=a, b=b, loss=loss, standard_error=error, units=1001)


def test_a_refusal_names_task_difference_and_interval():
    """Student's quantiles of 1000 degrees of freedom: 1.6464 one-sided, 1.9623 of the interval."""
    refused = not_below("click", AUC, found("auc", 0.70, 0.71, 0.01, 0.002))
    assert not refused.held and refused.value == 0.70
    assert refused.message.startswith(
        "click: auc is 0.7, its single-task twin's 0.71: 0.01 worse, 95 % interval 0.00607532 to 0.0139247; required at most "
        "0.002 worse than the single-task twin with confidence 0.95. Sharing costs this task quality. Try "
    )


@pytest.mark.parametrize(("error", "held"), [(0.0048, False), (0.0049, True)])
def test_the_limit_is_one_sided(error, held):
    """0.01 - 1.6464 * error is above 0.002 for errors below 0.008 / 1.6464 = 0.00486."""
    assert not_below("click", AUC, found("auc", 0.70, 0.71, 0.01, error)).held == held


@pytest.mark.parametrize(("twin", "held"), [(10.0, False), (1000.0, True)])
def test_the_tolerance_of_an_rmse_is_a_share_of_the_twin_s(twin, held):
    """A loss of 1 with an error of 0.1: at least 0.835, against 0.02 and 2."""
    gate = NotBelowPlan(metric="rmse", tolerance=0.002, confidence=0.95)
    verdict = not_below("value", gate, found("rmse", twin + 1.0, twin, 1.0, 0.1))
    assert verdict.held == held and verdict.change == pytest.approx(0.002 * twin)
    assert "required at most 0.002 of its value worse than the single-task twin" in verdict.message


def test_a_better_model_passes_and_so_does_one_without_a_value():
    better = not_below("click", AUC, found("auc", 0.72, 0.71, -0.01, 0.002))
    assert better.held and "0.01 better, 95 % interval 0.00607532 to 0.0139247" in better.message
    nan = float("nan")
    unknown = not_below("click", AUC, found("auc", nan, nan, nan, nan))
    assert unknown.held and unknown.value is None and "not compared" in unknown.message


def simulated(rows: int = 4000) -> tuple[EvalExamples, dict[str, np.ndarray], dict[str, np.ndarray]]:
    """Examples of 500 users, precise predictions and the same with noise."""
    random = np.random.default_rng(3)
    score = random.normal(size=rows)
    p = 1.0 / (1.0 + np.exp(-score))
    click = (random.random(rows) < p).astype(np.float64)
    examples = EvalExamples(
        labels={"click": click, "value": 10.0 + score},
        weights={"click": np.ones(rows), "value": click},
        columns={"user": Coded(codes=random.integers(0, 500, rows), values=tuple(map(str, range(500))))},
    )
    good = {"click": p, "value": 10.0 + score + random.normal(size=rows) / 4.0}
    bad = {"click": p * np.exp(random.normal(size=rows)), "value": good["value"] + random.normal(size=rows)}
    return examples, good, bad


def test_a_model_below_its_twin_is_refused_and_not_the_other_way_round():
    examples, good, bad = simulated()
    about = {"references": {"single_task": {}, "linear": {}}}

    def judged(model, twin):
        references = References(predictions={"single_task": twin, "linear": bad}, about=about)
        return with_references(evaluate(PLAN, examples, model), PLAN, examples, model, references)

    refused, passed, alike = judged(bad, good), judged(good, bad), judged(good, good)
    assert [gate.held for gate in refused.gates] == [False, False] and not refused.blessed
    assert passed.blessed and alike.blessed
    assert "click: auc is" in refused.gates[0].message and "value: rmse is" in refused.gates[1].message
    shown = json.loads(json.dumps(refused.to_json(), allow_nan=False))["references"]
    y, w = examples.labels, examples.weights
    twin = metric_oracle.auc(y["click"], good["click"])
    assert shown["single_task"]["click"]["auc"] == pytest.approx(twin)
    assert shown["linear"]["value"]["rmse"] == pytest.approx(metric_oracle.rmse(y["value"], bad["value"], w["value"]))
    one = shown["differences"]["single_task"]["click"]
    assert one["metric"] == "auc" and one["lower"] < one["loss"] < one["upper"]
    assert one["loss"] == pytest.approx(twin - metric_oracle.auc(y["click"], bad["click"]))
    assert shown["differences"]["linear"]["click"]["loss"] == 0.0 and shown["about"] == about


def test_slices_with_enough_examples_are_compared_with_the_twin():
    examples, good, bad = simulated()
    device = Coded(codes=np.arange(4000) % 2 - (np.arange(4000) == 0), values=("phone", "tv"))
    examples.columns["device"] = device
    plan = PLAN.model_copy(update={"slices": (("device",),)})
    references = References(predictions={"single_task": good, "linear": bad}, about={})
    shown = with_references(evaluate(plan, examples, bad), plan, examples, bad, references).to_json()["references"]
    found = {(*one["slice"].values(), one["task"]): one for one in shown["slices"]}
    assert set(found) == {(name, task) for name in ("phone", "tv") for task in PLAN.tasks}, (
        "not the missing value's row"
    )
    rows = device.codes == 1
    expected = metric_oracle.auc(examples.labels["click"][rows], good["click"][rows])
    expected -= metric_oracle.auc(examples.labels["click"][rows], bad["click"][rows])
    assert found["tv", "click"]["loss"] == pytest.approx(expected) and found["tv", "click"]["metric"] == "auc"
    assert found["tv", "click"]["lower"] < expected < found["tv", "click"]["upper"]
    without = References(predictions={"linear": bad}, about={})
    assert with_references(evaluate(plan, examples, bad), plan, examples, bad, without).references["slices"] == []


def test_an_unobserved_task_is_left_out():
    examples, good, _ = simulated(50)
    examples.weights["value"][:] = 0.0
    references = References(predictions={"single_task": good}, about={})
    report = with_references(evaluate(PLAN, examples, good), PLAN, examples, good, references)
    assert list(report.references["differences"]["single_task"]) == ["click"]


def test_predictions_come_back_in_the_order_of_the_examples(tmp_path):
    write_predictions(str(tmp_path), "linear", np.array([3, 5, 9]), {"click": np.array([0.3, 0.5, 0.9], np.float32)})
    read = read_predictions(str(tmp_path), "linear", np.array([9, 3, 5]))
    np.testing.assert_array_equal(read["click"], np.array([0.9, 0.3, 0.5], np.float32))
    with pytest.raises(ValueError, match="not those of these examples"):
        read_predictions(str(tmp_path), "linear", np.array([9, 3, 6]))


def test_the_plan_takes_a_task_s_own_gate_first():
    recipe = Recipe.model_validate(
        {
            "name": "small",
            "examples": {"path": "never.parquet"},
            "features": {"age": {"kind": "numeric"}},
            "tasks": {
                "click": {"kind": "binary", "label": {"column": "click"}, "metrics": ["calibration", "log_loss"]},
                "value": {"kind": "regression", "label": {"column": "v"}, "not_below_single_task": {"tolerance": 0.1}},
            },
            "evaluation": {"references": ["single_task"], "not_below_single_task": {"confidence": 0.9}},
        }
    )
    tasks = EvaluationPlan.from_recipe(recipe).tasks
    assert tasks["click"].not_below_single_task == NotBelowPlan(metric="log_loss", tolerance=0.002, confidence=0.9)
    assert tasks["value"].not_below_single_task == NotBelowPlan(metric="rmse", tolerance=0.1, confidence=0.95)
    own_twin = recipe.model_copy(update={"model": recipe.model.model_copy(update={"architecture": "single_task"})})
    assert EvaluationPlan.from_recipe(own_twin).tasks["click"].not_below_single_task is None
