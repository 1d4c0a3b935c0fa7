from __future__ import annotations

import numpy as np
import pytest

from components.evaluation.best import Best, loss_to
from components.evaluation.gates import Measured, check_gate, unmeasured
from components.evaluation.measuring import measure_slices
from components.evaluation.plan import GatePlan, TaskPlan, default_gates
from components.evaluation.scores import COUNTS, NOT_FINITE, Scores
from components.evaluation.slices import Coded, one_slice, select

DEVICE = {"device": Coded(codes=np.array([0, 0, 1, 1]), values=("phone", "tablet"))}
# AUC: all 3/4; phone 1; tablet 0
SCORES = Scores(labels=np.array([1.0, 0.0, 0.0, 1.0]), predictions=np.array([0.9, 0.2, 0.4, 0.3]), weights=np.ones(4))


def check(baseline=None, scores=SCORES, no_baseline="there is none", constant=None, best=None, signed=False, **gate):
    gate = GatePlan(**gate)
    slicing = one_slice(select(DEVICE, gate.slice, len(scores.labels)))

    def measured(some):
        return measure_slices([gate.metric, *COUNTS, NOT_FINITE], some, [slicing]).metrics[0][0]

    older = None if baseline is None else measured(baseline)
    return check_gate(
        "click",
        gate,
        Measured(
            candidate=measured(scores),
            baseline=older,
            no_baseline=no_baseline,
            constant=None if constant is None else measured(scores.of(np.full(len(scores.labels), constant))),
            mean=constant,
            best=best,
            grouped=scores.groups is not None,
            signed=signed,
        ),
    )


def test_at_least():
    [held] = check(metric="auc", at_least=0.75)
    assert held.held and held.value == 0.75 and held.limit == "at least 0.75" and held.lower == 0.75
    assert held.message == "click: auc is 0.75, required at least 0.75."
    assert not check(metric="auc", at_least=0.751)[0].held


def test_at_most():
    assert check(metric="auc", at_most=0.75)[0].held
    [failed] = check(metric="calibration", at_most=0.8)
    assert not failed.held and failed.upper == 0.8 and failed.value == pytest.approx(1.8 / 2)
    assert failed.message == "click: calibration is 0.9, required at most 0.8."


def test_each_limit_is_judged():
    found = check(metric="auc", at_least=0.5, at_most=0.6, max_loss_to_baseline=0.1)
    assert [(one.limit, one.held) for one in found] == [
        ("at least 0.5", True),
        ("at most 0.6", False),
        ("at most 0.1 worse than the baseline", True),
    ]


def test_slices():
    [phone] = check(metric="auc", at_least=0.9, slice={"device": "phone"})
    [tablet] = check(metric="auc", at_least=0.9, slice={"device": "tablet"})
    assert (phone.value, phone.held, tablet.value, tablet.held) == (1.0, True, 0.0, False)
    assert tablet.slice == {"device": "tablet"}
    assert tablet.message == "click: auc where device = tablet is 0, required at least 0.9."


@pytest.mark.parametrize("limit", [{"at_least": 0.5}, {"at_most": 0.5}, {"max_loss_to_baseline": 0.5}])
def test_no_value_is_not_held(limit):
    one_class = Scores(labels=np.zeros(4), predictions=np.full(4, 0.5), weights=np.ones(4))
    [failed] = check(scores=one_class, metric="auc", **limit)
    assert not failed.held and failed.value is None
    assert "auc has no value: only one class in the eval split: all 4 labels are 0" in failed.message


def test_an_empty_slice_is_not_held():
    [failed] = check(metric="auc", at_least=0.1, slice={"device": "watch"})
    assert not failed.held
    assert "no example of the task is observed in device = watch" in failed.message


def test_other_reasons_for_no_value():
    broken = SCORES.of(np.array([np.nan, 0.1, 0.2, np.inf]))
    assert (
        "2 of 4 predictions in the eval split are not finite"
        in check(scores=broken, metric="auc", at_least=0)[0].message
    )
    assert "group_key is not set" in check(metric="gauc", at_least=0)[0].message
    groups = Scores(labels=SCORES.labels, predictions=SCORES.predictions, weights=SCORES.weights, groups=np.arange(4))
    assert "no group has both classes" in check(scores=groups, metric="gauc", at_least=0)[0].message
    zeros = Scores(labels=np.zeros(2), predictions=np.ones(2), weights=np.ones(2))
    assert "all 2 labels in the eval split are 0" in check(scores=zeros, metric="calibration", at_least=0)[0].message


class TestBaseline:
    def test_none_holds(self):
        [held] = check(metric="auc", max_loss_to_baseline=0.0)
        assert held.held and held.message == "click: auc is 0.75; not compared: there is none."

    def test_worse(self):
        perfect = SCORES.of(np.array([0.9, 0.1, 0.1, 0.9]))
        [failed] = check(perfect, metric="auc", max_loss_to_baseline=0.2)
        assert not failed.held and failed.change == 0.2
        words = "is 0.75, the baseline's 1: 0.25 worse; required at most 0.2 worse than the baseline."
        assert failed.message == f"click: auc {words}"
        assert check(perfect, metric="auc", max_loss_to_baseline=0.25)[0].held

    def test_better_and_equal(self):
        [held] = check(SCORES.of(np.array([0.1, 0.9, 0.9, 0.1])), metric="auc", max_loss_to_baseline=0.0)
        assert held.held and "0.75 better" in held.message
        [held] = check(SCORES, metric="auc", max_loss_to_baseline=0.0)
        assert held.held and "as the baseline's" in held.message

    def test_in_the_same_slice(self):
        worse_on_phones = SCORES.of(np.array([0.2, 0.9, 0.0, 1.0]))
        gate = {"metric": "auc", "max_loss_to_baseline": 0.1}
        assert check(worse_on_phones, **gate, slice={"device": "phone"})[0].held
        assert not check(worse_on_phones, **gate, slice={"device": "tablet"})[0].held

    def test_without_value_of_its_own(self):
        [held] = check(SCORES.of(np.full(4, np.nan)), metric="auc", max_loss_to_baseline=0.0)
        assert held.held and "the baseline's has no value: 4 of 4 predictions" in held.message

    @pytest.mark.parametrize(
        ("metric", "value", "baseline", "loss"),
        [
            ("auc", 0.7, 0.8, 0.1),
            ("pr_auc", 0.8, 0.7, -0.1),
            ("gauc", 0.7, 0.8, 0.1),
            ("log_loss", 0.5, 0.4, 0.1),
            ("rmse", 3.0, 4.0, -1.0),
            ("mae", 4.0, 3.0, 1.0),
            ("calibration", 0.8, 1.1, 0.1),
            ("calibration", 1.1, 0.8, -0.1),
        ],
    )
    def test_direction(self, metric, value, baseline, loss):
        assert loss_to(metric, value, baseline) == pytest.approx(loss)


class TestConstant:
    def test_better(self):
        # -(ln 0.9 + ln 0.8 + ln 0.6 + ln 0.3) / 4 = 0.5108, and ln 2 = 0.6931
        [held] = check(metric="log_loss", beats="constant", constant=0.5)
        assert held.held and held.limit == "better than the constant" and held.upper == pytest.approx(np.log(2))
        assert held.message.startswith("click: log_loss is 0.510")
        assert "the constant's 0.693147: 0.18" in held.message

    def test_worse_says_what_the_constant_is_and_what_to_do(self):
        backwards = SCORES.of(np.array([0.2, 0.9, 0.7, 0.3]))
        [failed] = check(scores=backwards, metric="log_loss", beats="constant", constant=0.25)
        assert not failed.held
        assert "the constant always predicts 0.25, the task's mean label in the train split" in failed.message
        assert "worse" in failed.message and "Check the task's calibration" in failed.message
        assert "gates: none" not in failed.message, "somebody wrote this gate"
        [default] = check(scores=backwards, metric="log_loss", beats="constant", constant=0.25, default=True)
        assert "To replace it, set tasks.click.gates to a list; to disable it, set `gates: none`." in default.message

    def test_equal_is_not_better(self):
        [failed] = check(scores=SCORES.of(np.full(4, 0.5)), metric="rmse", beats="constant", constant=0.5)
        assert not failed.held and "no better (the constant always predicts 0.5" in failed.message
        assert "use mae instead of rmse" in failed.message

    def test_nothing_was_learned_of_a_task_that_never_trained(self):
        [failed] = check(metric="log_loss", beats="constant")
        assert not failed.held and "the train split has no observed example of the task" in failed.message

    def test_in_the_same_slice(self):
        assert check(metric="log_loss", beats="constant", constant=0.5, slice={"device": "phone"})[0].held
        assert not check(metric="log_loss", beats="constant", constant=0.5, slice={"device": "tablet"})[0].held

    def test_without_value(self):
        [failed] = check(scores=SCORES.of(np.full(4, np.nan)), metric="log_loss", beats="constant", constant=0.5)
        assert not failed.held and "has no value: 4 of 4 predictions" in failed.message


class TestDefaultCalibration:
    GATE = default_gates("regression")[1]

    @pytest.mark.parametrize(("mean", "held"), [(0.2, False), (0.25, True), (1.0, True), (1.01, False)])
    def test_within_a_factor_of_two(self, mean, held):
        gate = self.GATE.model_dump()
        found = check(scores=SCORES.of(np.full(4, mean)), **gate)
        assert len(found) == 2 and all(one.held for one in found) is held

    def test_negative_labels_have_no_such_quotient(self):
        labels = Scores(labels=np.array([-3.0, 3.0, -1.0, 1.0]), predictions=np.ones(4), weights=np.ones(4))
        found = check(scores=labels, **self.GATE.model_dump(), signed=True)
        assert all(one.held and "not checked: some labels are negative" in one.message for one in found)
        written = self.GATE.model_dump() | {"default": False}
        assert not any(one.held for one in check(scores=labels, **written, signed=True)), "somebody wrote this gate"


class TestBest:
    def test_none_on_record_holds(self):
        [held] = check(metric="auc", max_loss_to_best=0.0)
        assert held.held and held.message.startswith("click: auc is 0.75; not compared: there is no comparable value")

    def test_worse(self):
        gate = {"metric": "auc", "best": Best(value=0.8, model="/models/3")}
        [failed] = check(**gate, max_loss_to_best=0.04)
        assert not failed.held and failed.change == 0.04
        words = "is 0.75, the best blessed value, of /models/3, 0.8: 0.05 worse"
        assert failed.message == f"click: auc {words}; required at most 0.04 worse than the best blessed value."
        assert check(**gate, max_loss_to_best=0.05)[0].held

    def test_equal(self):
        [held] = check(metric="auc", best=Best(value=0.75, model="/m"), max_loss_to_best=0.0)
        assert held.held and "as the best blessed value, of /m;" in held.message


@pytest.mark.parametrize(
    ("about", "words"),
    [
        (
            {"window": "7d"},
            ["none of the 90 eval examples", "(window 7d)", "shorten the window", "`unmeasured: allow`"],
        ),
        ({}, ["none of the 90 eval examples", "Check the label column in the eval examples"]),
        ({"unmeasured": "allow"}, ["allowed by `unmeasured: allow`"]),
    ],
)
def test_unmeasured(about, words):
    found = unmeasured("click", TaskPlan(kind="binary", metrics=(), **about), 90)
    assert found.held is (about.get("unmeasured") == "allow")
    assert ("allowed" in found.limit) is found.held
    assert found.value == 0 and found.lower == 1 and all(word in found.message for word in words)
