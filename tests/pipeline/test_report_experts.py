"""The report's section on the experts."""

from pipeline.report import ReportData, page
from tests.doubles.full_report import FULL, Outline, rows


def report(**changes):
    text = page(ReportData(**{**FULL, **changes}))
    Outline(text)
    return text


def test_each_task_has_its_entropies_and_its_largest_expert():
    text = report()
    assert rows(text, "experts")[1:] == [
        ["click", "2", "0.562", "0.811", "0.200", "click 1 (0.75)"],
        ["order", "2", "0.325", "0.469", "0.325", "all tasks 1 (0.90)"],
    ]
    assert "No expert is dead" in text and "Try fewer experts" not in text


def test_dead_experts_are_named_with_what_to_do():
    use = {**FULL["experts"], "dead": ["order 1", "<2>"]}
    text = report(experts=use)
    assert "Dead experts: order 1, &lt;2&gt;. The mean weight of each is below a tenth" in text
    assert "Try fewer experts" in text and "No expert is dead" not in text


def test_a_single_expert_has_no_relative_entropy():
    one = {"experts": ["1"], "mean": [1.0], "entropy": 0.0, "relative_entropy": None, "example_entropy": 0.0}
    text = report(gates={"click": [1.0]}, experts={"tasks": {"click": one}, "dead": []})
    assert rows(text, "experts")[1:] == [["click", "1", "0.000", "–", "0.000", "1 (1.00)"]]


def test_a_training_of_an_earlier_version_has_the_picture_alone():
    text = report(experts=None)
    assert "Mean gate weight" in text and rows(text, "experts") == []
