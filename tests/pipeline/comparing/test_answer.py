"""The answer's cases."""

import pytest

from pipeline.comparing.answer import answer, direction, percent, simplest, visible, would_have_seen
from tests.doubles.comparison import NOT_MEASURED, comparison, gain

INTERVAL = "95 % interval"


def method(result, name):
    return next(found for found in result["methods"] if found["name"] == name)


def choose(result, name, significant, **gains):
    """The result with another choice, whose gains over the twins are replaced."""
    result["chosen"] = {"method": name, "significant": significant, "why": "It has the lowest score."}
    if gains:
        method(result, name)["against"]["single_task"] |= gains
    return result


def test_a_significant_method_is_shipped_with_its_gains():
    result = choose(comparison(), "ple", True, like=gain(0.005), share=gain(0.001))
    found = answer(result)
    assert (found.kind, found.headline) == ("good", "Ship ple.")
    assert found.sentences == (
        f"ple against single_task: better on like (auc gain +0.0050, {INTERVAL} +0.0022 to +0.0078); no difference on share; mean "
        f"relative gain over the tasks +2.86 % ({INTERVAL} +1.53 % to +4.19 %).",
        "It has the lowest score.",
        "With 3 seeds and 12,077 eval examples of 1,283 groups (personId), the test finds a difference from single_task of at least "
        "0.0040 auc on like and 0.0040 auc on share with probability 0.8.",
    )


def test_without_a_difference_the_simpler_is_kept():
    result = choose(comparison(), "stem", False, like=gain(0.001), share=gain(0.001))
    found = answer(result)
    assert found.kind == "open"
    assert found.headline == "No difference: keep the simpler single_task (40,960 multiply-adds an example)."
    assert (
        found.sentences[0] == "stem was chosen on the validate split, but its gain over single_task is not significant."
    )
    assert found.sentences[1].startswith(
        "stem against single_task: no difference on like and share; mean relative gain"
    )
    assert found.sentences[-1].startswith("With 3 seeds")


def test_the_simpler_is_twins_or_shared_bottom_and_worse_on_no_task():
    result = comparison()
    method(result, "mmoe")["flops"] = 1
    assert simplest(result)["name"] == "single_task"
    method(result, "shared_bottom")["flops"] = 2
    assert simplest(result)["name"] == "shared_bottom"
    method(result, "shared_bottom")["flops"] = None
    method(result, "shared_bottom")["cost"]["seconds_per_pass"] = 0.5
    assert simplest(result)["name"] == "shared_bottom", "not all multiply-adds are known: the seconds decide"
    result = choose(result, "stem", False, like=gain(0.001), share=gain(0.001))
    assert answer(result).headline == "No difference: keep the simpler shared_bottom (0.50 s a pass)."
    method(result, "shared_bottom")["against"]["single_task"]["like"] = gain(-0.03)
    assert simplest(result)["name"] == "single_task", "the shared bottom is worse than the twins"


def test_the_twins_are_best():
    found = answer(choose(comparison(), "single_task", False))
    assert found.kind == "open"
    assert found.headline == "Ship the single-task twins (single_task): no method that shares layers is preferable."
    assert found.sentences[0] == (
        "Of the other 13 methods, 4 are significantly better and 1 is significantly worse than single_task on at least one task."
    )


@pytest.mark.parametrize(
    ("significant", "headline"),
    [
        (True, "Ship ple only if a loss on share is acceptable."),
        (False, "Do not ship ple: it is worse than single_task on share. Keep single_task."),
    ],
)
def test_a_chosen_method_that_is_worse_on_a_task_is_negative_transfer(significant, headline):
    found = answer(choose(comparison(), "ple", significant, like=gain(0.005), share=gain(-0.005)))
    assert (found.kind, found.headline) == ("bad", headline)
    assert "Negative transfer: ple is worse than single_task on share." in found.sentences
    assert any(f"worse on share (auc gain −0.0050, {INTERVAL} −0.0078 to −0.0022)" in line for line in found.sentences)


def test_a_task_that_was_not_measured_is_named():
    result = choose(comparison(), "ple", True, like=NOT_MEASURED, share=gain(0.005))
    found = answer(result)
    assert found.sentences[0].startswith("ple against single_task: better on share (")
    assert "); not measured on like; mean" in found.sentences[0]
    result["methods"][3]["delta_m"] = NOT_MEASURED
    assert answer(result).sentences[0].endswith("); not measured on like.")


def test_the_visible_difference_is_that_of_the_method_where_it_is_largest():
    result = comparison(tasks=4)
    method(result, "mmoe")["against"]["single_task"]["like"] = gain(0.001, visible=0.0091)
    assert visible(result) == {"like": 0.0091, "share": 0.004, "comment": 0.004, "minutes": 0.041}
    assert "0.0091 auc on like, 0.0040 auc on share, 0.0040 auc on comment and 0.0410 rmse on minutes" in (
        would_have_seen(result)
    )


def test_nothing_compared_and_no_groups():
    result = comparison(tasks=1, missing=True) | {"seeds": [1]}
    assert would_have_seen(result).startswith("With 1 seed and 12,077 eval examples, the test")
    for found in result["methods"]:
        found["against"] = {}
    assert visible(result) == {} and would_have_seen(result) == ""
    assert answer(choose(result, "ple", True)).sentences == ("It has the lowest score.",)


def test_directions_and_percentages():
    assert [direction(name) for name in ("auc", "rmse", "log_loss", "normalized_entropy")] == [
        "higher is better",
        "lower is better",
        "lower is better",
        "lower is better",
    ]
    assert [percent(value) for value in (0.01234, -0.5, 0.0, -0.00001, None)] == [
        "+1.23 %",
        "−50.00 %",
        "0.00 %",
        "0.00 %",
        "–",
    ]
