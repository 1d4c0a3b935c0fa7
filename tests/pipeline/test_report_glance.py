"""The first screen, and its words about how sure a difference is."""

from __future__ import annotations

import re

import pytest

from pipeline.report_glance import facts, glance, verdict


def _metrics(**difference: float | None) -> dict[str, object]:
    about = {"metric": "auc", "standard_error": 0.01, **difference}
    return {
        "tasks": {
            "click": {"calibration": 1.0, "log_loss": 0.3, "auc": 0.75, "example_count": 3000, "positive_count": 33}
        },
        "intervals": {"click": {"auc": {"lower": 0.73, "upper": 0.77, "standard_error": 0.01}}},
        "constant": {"click": {"by": "log_loss", "beaten": False}},
        "references": {"linear": {"click": {"auc": 0.7}}, "differences": {"linear": {"click": about}}},
    }


def _words(text: str) -> str:
    return re.sub(r"\s+", " ", re.sub(r"<[^>]*>", " ", text))


@pytest.mark.parametrize(
    ("lower", "loss", "upper", "words"),
    [
        (-0.07, -0.05, -0.03, "better by 0.0500 +0.0300 to +0.0700"),
        (0.03, 0.05, 0.07, "worse by 0.0500 −0.0700 to −0.0300"),
        (-0.01, 0.05, 0.11, "no clear difference −0.1100 to +0.0100"),
        (0.0, 0.05, 0.10, "no clear difference −0.1000 to 0.0000"),
        (None, 0.05, None, "no interval gain −0.0500"),
    ],
)
def test_better_and_worse_are_said_only_of_an_interval_without_zero(
    lower: float | None, loss: float, upper: float | None, words: str
) -> None:
    text = _words(glance(_metrics(lower=lower, loss=loss, upper=upper)))
    assert "click 3,000 examples, 33 positives" in text
    assert "auc 0.7500 ± 0.0200 no better log_loss " + words in text
    assert "Task Model Against the constant Against the linear model" in text and "twin" not in text


def test_without_references_the_first_metric_that_is_not_calibration_leads() -> None:
    text = _words(glance({"tasks": {"click": {"calibration": 1.0, "log_loss": 0.3, "auc": 0.75}}}))
    assert "log_loss 0.3000" in text and "Against" not in text
    assert glance(None) == ""


def test_retrieval_and_the_reads_of_the_eval_split_follow() -> None:
    methods = {"two_tower": {"recall@10": 0.2, "recall@100": 0.5}, "popular": {"recall@10": 0.3, "recall@100": 0.4}}
    text = _words(glance(None, {"methods": methods}, 3))
    assert "Retrieval: recall@100 is 0.5000, 0.1000 above the best other method (most popular)." in text
    assert "The eval split was read 3 times" in text and "Choose by the validate split." in text
    assert "read once" in glance(None, None, 1)


@pytest.mark.parametrize(
    ("run", "words"),
    [
        (None, "Not evaluated"),
        ({"blessed": False, "failed_gates": ["a"]}, "Refused: 1 gate failed, nothing was pushed a"),
        ({"blessed": False, "failed_gates": ["a", "b"]}, "Refused: 2 gates failed, nothing was pushed a b"),
        ({"blessed": True}, "Every gate passed, but nothing was pushed"),
        (
            {"blessed": True, "pushed": "/served/1", "retrieval_serving": "/served_retrieval/1"},
            "Pushed: every gate passed /served/1 /served_retrieval/1",
        ),
    ],
)
def test_the_verdict(run: dict[str, object] | None, words: str) -> None:
    assert " ".join(_words(verdict(run)).split()) == words


@pytest.mark.parametrize(("lower", "worse"), [(0.03, True), (-0.01, False)])
def test_the_verdict_on_a_pushed_model_names_the_tasks_below_a_reference(lower: float, worse: bool) -> None:
    metrics = _metrics(lower=lower, loss=0.05, upper=0.11)
    assert (
        "<li>Worse than the linear model: click</li>" in verdict({"blessed": True, "pushed": "/1"}, metrics)
    ) is worse
    assert "Worse than" not in verdict({"blessed": False, "failed_gates": ["a"]}, metrics)


def test_the_facts() -> None:
    run = {"stages": [{"seconds": 2.0}, {"seconds": None}, {"seconds": 8.5}]}
    text = _words(facts(run, {"examples": {"train": 70000}}))
    assert text.split() == ["train", "examples", "70,000", "in", "all", "stages", "10.5", "s"]
    assert facts(None, None) == ""
