"""Labels that a loss is not defined for, in logs and in labelled examples."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from components.event_logs.plan import EventLogsPlan
from models.losses import LOSS, LOSSES
from models.recipe.errors import InputError
from models.recipe.recipe import Recipe
from models.recipe.registry import facts, load

DAY = 86_400
START = 1_700_000_000
Make = Callable[..., Recipe]
Write = Callable[..., Path]
Run = Callable[..., SimpleNamespace]


@pytest.fixture
def sales(shop_recipe: Make, write_log: Write) -> Callable[..., Recipe]:
    """Ten impressions a day apart; `values[user]` are the values of a user's outcomes."""

    def make(loss: str | None, values: dict[int, list[float]], aggregate: str = "sum", **options: Any) -> Recipe:
        write_log("impression.csv", [{"user": u, "item": 1, "time": START + u * DAY} for u in range(10)])
        rows = [
            {"user": user, "item": 1, "time": START + user * DAY + 10 + n, "amount": amount}
            for user, amounts in values.items()
            for n, amount in enumerate(amounts)
        ]
        write_log("click.csv", rows)
        spent = {"kind": "regression", "outcome": "click", "window": "1h", "loss": loss, "aggregate": aggregate}
        spent |= {"loss_options": {loss: options}} if options else {}
        # All windows but the last have closed.
        logs = {"as_of": "2023-11-23T22:13:30Z"}
        return shop_recipe(streams={"click": {"value": "amount"}}, tasks={"spent": spent}, logs=logs)

    return make


def test_a_label_outside_of_the_domain_stops_with_its_place(sales: Callable[..., Recipe], run_stage: Run) -> None:
    with pytest.raises(InputError) as error:
        run_stage(sales("squared_log_error", {1: [4.5], 2: [-5.0], 3: [2.0], 4: [-1.0], 6: [-0.5]}))
    message = str(error.value)
    assert message.startswith(
        "task 'spent' (stream 'click'): 2 of 9 observed labels, the sums of an impression's outcomes, are outside the domain of the "
        "loss 'squared_log_error': expected numbers greater than -1, because of log(1 + y), received "
        "-5, -1 (the smallest). The first negative number in column 'amount' is in "
    )
    assert "click.csv, row 1: -5. Correct the values, remove these rows" in message
    assert message.endswith("a loss for any number: `loss: squared_error`, 'absolute_error', 'huber', 'quantile'.")


@pytest.mark.parametrize(
    ("loss", "values", "aggregate", "count"),
    [
        # A sum leaves the domain where no value does, and comes back where one does.
        ("squared_log_error", {2: [-0.5, -0.6], 3: [1.0]}, "sum", 1),
        ("squared_log_error", {2: [-5.0, 4.5], 3: [1.0]}, "sum", 0),
        ("squared_log_error", {2: [-5.0, 4.5], 3: [1.0]}, "max", 0),
        ("squared_log_error", {2: [-1.0, -7.0], 3: [1.0]}, "max", 1),
        ("poisson", {2: [-0.25], 3: [-0.25, 1.0]}, "sum", 1),
        ("poisson", {2: [0.0], 3: [0.5]}, "sum", 0),
        ("huber", {2: [-5.0]}, "sum", 0),
        (None, {2: [-5.0]}, "sum", 0),
        # From outside, for labels above 0: those without an outcome are outside, too.
        ("outside_losses.GammaPlus", {2: [-0.25], 3: [0.5]}, "sum", 8),
    ],
)
def test_the_label_counts_not_the_value(
    sales: Callable[..., Recipe],
    run_stage: Run,
    loss: str | None,
    values: dict[int, list[float]],
    aggregate: str,
    count: int,
) -> None:
    recipe = sales(loss, values, aggregate)
    if not count:
        run_stage(recipe)
        return
    with pytest.raises(InputError, match=rf"{count} of 9 observed labels.* outside the domain of the loss '{loss}'"):
        run_stage(recipe)


def test_a_label_that_is_none_of_the_classes_stops(sales: Callable[..., Recipe], run_stage: Run) -> None:
    """Stars of 0 (no outcome) to 5 and a tenth, which is another number in 32 bits. A sum of two may be a class, or none."""
    stars = {1: [5.0], 2: [1.0, 2.0], 3: [0.1]}
    run_stage(sales("softmax", stars, classes=[0, 0.1, 3, 5]))
    with pytest.raises(InputError) as error:
        run_stage(sales("softmax", stars | {4: [-2.0], 5: [4.0, 2.0], 6: [2.5]}, classes=[0, 0.1, 3, 5]))
    message = str(error.value)
    assert (
        "3 of 9 observed labels, the sums of an impression's outcomes, are outside the domain of the loss 'softmax': "
        in message
    )
    assert (
        "expected numbers from the option 'classes': 0, 0.1, 3, 5, received -2, 2.5, 6 (the smallest). Correct"
        in message
    )


def test_labelled_examples(tmp_path: Path, write_log: Write, run_stage: Run) -> None:
    rows: list[dict[str, Any]] = [{"age": n, "visits": n % 4} for n in range(60)]
    rows[17]["visits"], rows[40]["visits"], rows[50]["visits"] = -1, None, "nan"
    write_log("train.csv", rows)
    recipe = Recipe.model_validate(
        {
            "name": "visits",
            "data": str(tmp_path),
            "examples": {"path": "train.csv"},
            "split": {"eval_fraction": 0.3},
            "features": {"age": {"kind": "numeric"}},
            "tasks": {"visits": {"kind": "regression", "label": {"column": "visits"}, "loss": "poisson"}},
        }
    )
    with pytest.raises(InputError) as error:
        run_stage(recipe)
    message = str(error.value)
    assert (
        "task 'visits' (label column 'visits'): 1 of 58 observed labels are outside the domain of the loss 'poisson': "
        "expected numbers 0 or more, such as counts, received -1 (the smallest)." in message
    )
    assert "train.csv, row 17: -1." in message


def test_only_a_change_of_the_domain_reads_the_logs_again(shop_recipe: Make) -> None:
    def plan(loss: str | None, **options: Any) -> EventLogsPlan:
        spent = {"kind": "regression", "outcome": "click", "window": "1h", "loss": loss}
        spent |= {"loss_options": {loss: options}} if options else {}
        return EventLogsPlan.from_recipe(shop_recipe(streams={"click": {"value": "amount"}}, tasks={"spent": spent}))

    assert plan(None) == plan("squared_error") == plan("huber") != plan("poisson")
    classes = [plan("softmax").tasks[0].domain, plan("softmax", classes=(1, 2, 3)).tasks[0].domain]
    assert [about and about.values for about in classes] == [(1.0, 2.0, 3.0, 4.0, 5.0), (1.0, 2.0, 3.0)]


@pytest.mark.parametrize("loss", [name for name, path in LOSSES.items() if facts(path, LOSS)["kind"] == "regression"])
def test_the_domains_are_those_of_the_losses(loss: str) -> None:
    kind = load(LOSSES[loss])
    labels = np.array([-5.0, -1.0, -0.5, 0.0, 3.0], np.float32)
    fits = np.ones(5, bool)
    if kind.above is not None:
        fits &= labels > kind.above
    if kind.at_least is not None:
        fits &= labels >= kind.at_least
    logits = np.full((5,) if kind.outputs == 1 else (5, kind.outputs), 0.5, np.float32)
    with np.errstate(all="ignore"):
        values = np.array(kind().value(logits, labels))
    assert fits[-2:].all(), "every domain holds the numbers from 0 on"
    assert np.isfinite(values[fits]).all()
