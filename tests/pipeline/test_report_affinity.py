"""The report's section on affinities."""

from pipeline.report import ReportData, page
from tests.doubles.full_report import FULL, Outline, rows

MEANS = {
    "click": {"click": 1e-3, "cart": 3e-4, "<tv>": -2e-4},
    "cart": {"click": 3e-4, "cart": 1e-3, "<tv>": 1e-4},
    "<tv>": {"click": -2e-4, "cart": -4e-4, "<tv>": 1e-3},
}
ERRORS = {b: {a: 1.2e-4 for a in onto} for b, onto in MEANS.items()}
SAMPLES = {b: {a: 5 + (a == "<tv>") for a in onto} for b, onto in MEANS.items()}


def report(affinity, served=tuple(MEANS)):
    metrics = {**FULL["metrics"], "tasks": {task: FULL["metrics"]["tasks"]["click"] for task in served}}
    return page(ReportData(**{**FULL, "metrics": metrics, "history": {**FULL["history"], "affinity": affinity}}))


def test_the_picture_and_the_best_groups_for_one_to_three_networks():
    text = report({"means": MEANS, "errors": ERRORS, "samples": SAMPLES})
    Outline(text)
    assert "Task affinity" in text and "mean of 5 to 6 samples" in text and "<tv>" not in text
    assert "3 of 6 affinities between two tasks are more than two standard errors from 0" in text
    # One network: onto <tv> (-2 + 1) / 2, onto cart (3 - 4) / 2, onto click (3 - 2) / 2, in 1e-4, over three tasks.
    # Two: click and cart get 3 each, and <tv> 1 from cart alone.
    assert rows(text, "affinity")[1:] == [
        ["1", "&lt;tv&gt;, cart, click", "-1.67e-05"],
        ["2", "&lt;tv&gt; (with cart); cart, click", "2.33e-04"],
        ["3", "&lt;tv&gt; (with cart); cart, click", "2.33e-04"],
    ]
    # With click auxiliary. One network: onto <tv> (-2 + 1) / 2, onto cart (3 - 4) / 2. Two: 1 and 3, over two tasks.
    text = report({"means": MEANS, "errors": ERRORS, "samples": SAMPLES}, ["cart", "<tv>"])
    assert rows(text, "affinity")[1:] == [
        ["1", "&lt;tv&gt;, cart (with click)", "-5.00e-05"],
        ["2", "&lt;tv&gt; (with cart); cart (with click)", "2.00e-04"],
    ]


def test_a_training_without_them_has_no_section():
    assert "Task affinity" not in report({}) and "Task affinity" not in page(ReportData(recipe="shop"))


def test_too_many_tasks_have_the_picture_alone():
    means = {f"t{b}": {f"t{a}": 1e-3 for a in range(15)} for b in range(15)}
    text = report({"means": means, "errors": {}, "samples": {b: dict.fromkeys(onto, 3) for b, onto in means.items()}})
    assert "mean of 3 samples" in text and "searched for up to 14 tasks" in text
