from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from components.event_logs.measurable import eval_from
from components.event_logs.plan import EventLogsPlan
from components.event_logs.tally import Tally
from components.event_logs.timeline import HOUR
from components.example_schema import SPLITS
from models.recipe.errors import InputError
from models.recipe.recipe import Recipe

Make = Callable[..., Recipe]
Run = Callable[..., SimpleNamespace]
HOURS_OF_CLICK = {"kind": "binary", "outcome": "click", "window": "5d"}


def refused(run_stage: Run, recipe: Recipe) -> str:
    with pytest.raises(InputError) as error:
        run_stage(recipe)
    return str(error.value)


def test_a_window_longer_than_the_eval_span_is_refused_with_a_split_that_works(
    shop_recipe: Make, shop_log: Callable, run_stage: Run
) -> None:
    shop_log()
    tasks = {"click": {**HOURS_OF_CLICK, "window": "4d"}}
    recipe = shop_recipe(tasks=tasks, split={"eval_last": "3d"})
    message = refused(run_stage, recipe)
    for words in (
        "task 'click': none of 4 eval examples is observed, so it cannot be measured",
        "Its window of 4 days is still open at logs.as_of, 2023-11-22T22:13:30Z",
        "the eval split, which begins at 2023-11-19T22:13:30Z, 3 days before",
        "`as_of: latest` is 2023-11-22T22:13:30Z, the end of stream 'click'",
        "`unmeasured: allow`",
    ):
        assert words in message, message
    moment = re.search(r"eval_from: (\S+)}", message)
    assert moment is not None
    done = run_stage(shop_recipe(tasks=tasks, split={"eval_from": moment[1]}), "mended")
    assert all(done.summary["tasks"]["click"][split]["observed"] for split in SPLITS)


def test_the_recipe_may_say_in_so_many_words_that_a_task_is_not_measured(
    shop_recipe: Make, shop_log: Callable, run_stage: Run
) -> None:
    shop_log()
    allowed = {"click": {**HOURS_OF_CLICK, "unmeasured": "allow"}}
    done = run_stage(shop_recipe(tasks=allowed, split={"eval_last": "3d"}))
    assert done.summary["tasks"]["click"]["eval"]["observed"] == 0
    assert any("none of 4 eval examples is observed" in warning for warning in done.summary["warnings"])


def test_a_task_without_an_observed_validate_example_causes_a_warning(
    shop_recipe: Make, shop_log: Callable, run_stage: Run
) -> None:
    shop_log()
    allowed = {"click": {**HOURS_OF_CLICK, "unmeasured": "allow"}}
    split = {"eval_last": "3d", "validate_last": "2d"}
    done = run_stage(shop_recipe(tasks=allowed, split=split))
    assert [done.summary["tasks"]["click"][split]["observed"] for split in SPLITS] == [4, 0, 0]
    assert done.summary["warnings"][0].startswith(
        "task 'click': none of 2 validate examples is observed, so early stopping ignores it. Its window of 5 days is still "
        "open at logs.as_of, 2023-11-22T22:13:30Z, for every impression of the validate split, which begins at "
        "2023-11-17T22:13:30Z, 5 days before."
    )
    assert done.summary["warnings"][0].endswith(
        " Begin the validate split earlier. Or shorten the window, or add later logs."
    )


def test_one_class_in_the_validate_split_causes_a_warning(
    shop_recipe: Make, shop_log: Callable, run_stage: Run
) -> None:
    shop_log()
    for last, kind, count in (("1d", "negative", 1), ("2d", None, 2)):
        split = {"eval_from": "2023-11-19T12:00:00Z", "validate_last": last}
        warnings = run_stage(shop_recipe(split=split), last).summary["warnings"]
        told = [f"task 'click': none of {count} observed validate examples is {kind}"] if kind else []
        assert [warning.partition(", so")[0] for warning in warnings] == told


def test_one_unmeasured_task_among_measured_ones_is_refused_too(
    shop_recipe: Make, shop_log: Callable, run_stage: Run
) -> None:
    shop_log()
    tasks = {"soon": {**HOURS_OF_CLICK, "window": "1h"}, "click": HOURS_OF_CLICK}
    assert refused(run_stage, shop_recipe(tasks=tasks, split={"eval_last": "3d"})).startswith("task 'click': none of 4")


def test_a_window_longer_than_the_logs_has_no_split_that_works(
    shop_recipe: Make, shop_log: Callable, run_stage: Run
) -> None:
    shop_log()
    message = refused(run_stage, shop_recipe(tasks={"click": {**HOURS_OF_CLICK, "window": "30d"}}))
    assert "none of 4 train examples is observed, so it cannot be trained" in message
    assert "still open at logs.as_of" in message and "No split at a full hour gives both splits" in message


def test_the_window_of_a_given_task_counts(shop_recipe: Make, shop_log: Callable, run_stage: Run) -> None:
    shop_log()
    again = {**HOURS_OF_CLICK, "window": "1h", "conditioned_on": "click"}
    tasks = {"click": {**HOURS_OF_CLICK, "unmeasured": "allow"}, "again": again}
    message = refused(run_stage, shop_recipe(tasks=tasks, split={"eval_last": "3d"}))
    assert (
        message.startswith("task 'again'")
        and "Its window of 5 days (that of 'click', its `conditioned_on`) is" in message
    )


def test_a_given_task_that_never_happens_in_the_eval_split(
    shop_recipe: Make, write_log: Callable, run_stage: Run
) -> None:
    day, start = 86_400, 1_700_000_000
    write_log("impression.csv", [{"user": u, "item": 1, "time": start + u * day} for u in range(10)])
    write_log("click.csv", [{"user": u, "item": 1, "time": start + u * day + 9} for u in (0, 2, 4)])
    write_log("other.csv", [{"user": u, "item": 1, "time": start + u * day + 9} for u in (0, 9)])
    tasks: dict[str, Any] = {
        "click": {**HOURS_OF_CLICK, "window": "1h"},
        "other": {"kind": "binary", "outcome": "other", "window": "1h", "conditioned_on": "click"},
    }
    recipe = shop_recipe(
        tasks=tasks,
        streams={"other": {}},
        logs={"as_of": "2023-11-25T00:00:00Z"},
        split={"eval_from": "2023-11-20T00:00:00Z"},
    )
    message = refused(run_stage, recipe)
    assert "task 'other': none of 4 eval examples is observed" in message
    assert "Some windows have closed, but 'click', the task's `conditioned_on`, is never positive there." in message


def test_why_nothing_of_a_given_task_is_observed(shop_recipe: Make, write_log: Callable, run_stage: Run) -> None:
    """Item 2 alone is carted, and its impressions are the eval split: in the train split "cart" never happens."""
    day, start = 86_400, 1_700_000_000
    seen = [{"user": user, "item": 1 + (user >= 8), "time": start + user * day} for user in range(12)]
    write_log("impression.csv", seen)
    write_log("click.csv", [row | {"time": row["time"] + 9} for row in seen if row["user"] % 2])
    write_log("cart.csv", [row | {"time": row["time"] + 9} for row in seen if row["user"] in (9, 11)])
    hour = {"kind": "binary", "outcome": "click", "window": "1h"}

    def told(**tasks: Any) -> str:
        split = {"eval_from": "2023-11-22T00:00:00Z"}
        recipe = shop_recipe(streams={"cart": {}}, tasks=tasks, split=split, logs={"as_of": "2023-11-27T00:00:00Z"})
        return refused(run_stage, recipe)

    cart = {**hour, "outcome": "cart"}
    message = told(z={**hour, "conditioned_on": "y"}, y={**hour, "conditioned_on": "cart"}, cart=cart, click=hour)
    assert message.startswith("task 'z': none of 7 train examples is observed, so it cannot be trained.")
    assert "but 'cart', which 'y', the task's `conditioned_on`, needs, is never positive there." in message
    # Windows of a day have closed by then, but of no impression after the split: its impressions come later.
    write_log("impression.csv", [row if row["user"] < 8 else row | {"time": start + 12 * day - 3600} for row in seen])
    for name in ("click", "cart"):
        write_log(f"{name}.csv", [{"user": 1, "item": 1, "time": start + day + 9}])
    message = told(click={**hour, "window": "1d"})
    assert "Its window of 1 day is still open at logs.as_of, 2023-11-27T00:00:00Z, for every impression of" in message


def test_a_task_that_need_not_be_measured_has_no_part_in_the_split(
    shop_recipe: Make, shop_log: Callable, run_stage: Run
) -> None:
    shop_log()
    longer = {**HOURS_OF_CLICK, "window": "7d", "unmeasured": "allow"}
    tasks = {"click": {**HOURS_OF_CLICK, "window": "4d"}, "longer": longer}
    moment = re.search(r"eval_from: (\S+)}", refused(run_stage, shop_recipe(tasks=tasks, split={"eval_last": "3d"})))
    assert moment is not None
    done = run_stage(shop_recipe(tasks=tasks, split={"eval_from": moment[1]}), "mended").summary["tasks"]
    assert done["click"]["eval"]["observed"] >= 1 and done["longer"]["train"]["observed"] >= 1


@pytest.mark.parametrize(
    ("train", "evaluation", "words"),
    [
        (
            [{"x": i, "y": i % 2, "z": i % 3} for i in range(40)],
            "x,y,z\n1,,1\n2,,2\n",
            "task 'y': none of 2 eval examples is observed, so it cannot be measured. The label column 'y' has no value",
        ),
        (
            [{"x": i, "y": i % 2, "z": ""} for i in range(40)],
            "x,y,z\n1,1,1\n2,0,2\n",
            "task 'z': none of 37 train examples is observed, so it cannot be trained",
        ),
    ],
)
def test_labelled_examples_without_a_label_in_one_split(
    tmp_path: Path, write_log: Callable, run_stage: Run, train: list[dict[str, Any]], evaluation: str, words: str
) -> None:
    write_log("train.csv", train)
    write_log("eval.csv", evaluation)
    fields = {
        "name": "labelled",
        "data": str(tmp_path),
        "examples": {"path": "train.csv", "eval_path": "eval.csv"},
        "features": {"x": {"kind": "numeric"}},
        "tasks": {
            "y": {"kind": "binary", "label": {"column": "y"}},
            "z": {"kind": "regression", "label": {"column": "z"}},
        },
    }
    assert words in refused(run_stage, Recipe.model_validate(fields))


@pytest.mark.parametrize("seed", range(20))
def test_the_suggested_moment_leaves_closed_windows_on_both_sides(shop_recipe: Make, seed: int) -> None:
    random = np.random.default_rng(seed)
    window, as_of = int(random.integers(1, 40)), int(random.integers(20, 60)) * HOUR + int(random.integers(0, HOUR))
    plan = EventLogsPlan.from_recipe(shop_recipe(tasks={"click": {**HOURS_OF_CLICK, "window": f"{window}h"}}))
    tally = Tally()
    counts = {int(hour): int(random.integers(1, 9)) for hour in random.choice(60, int(random.integers(0, 12)), False)}
    tally.timeline("impression").hours.update(counts)
    found = eval_from(plan, tally, as_of)
    # Slow: every impression at the last moment of its hour.
    closed = [hour for hour in sorted(counts) for _ in range(counts[hour]) if (hour + 1 + window) * HOUR <= as_of]
    if found is None:
        assert len(set(closed)) < 2
        return
    shares = {hour: sum(at >= hour for at in closed) / len(closed) for hour in set(closed) - {closed[0]}}
    assert abs(shares[found // HOUR] - 0.2) == pytest.approx(min(abs(share - 0.2) for share in shares.values()))
