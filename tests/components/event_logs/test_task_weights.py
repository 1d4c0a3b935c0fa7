"""`weight_column`: weights of one task."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from components.event_logs.events import WEIGHT
from components.event_logs.examples import weighted
from components.event_logs.labelled import weight_column
from components.event_logs.plan import TaskPlan
from components.event_logs.values import FLOAT32_MAX
from components.event_logs.writing import unweighted
from components.example_schema import SPLITS
from models.recipe.errors import InputError
from models.recipe.recipe import Recipe

DAY = 86_400
START = 1_700_000_000
Make = Callable[..., Recipe]
Write = Callable[..., Path]
Run = Callable[..., SimpleNamespace]
CLICK = {"kind": "binary", "outcome": "click", "window": "1d", "unmeasured": "allow", "weight_column": "p"}
BUY = {"kind": "binary", "outcome": "buy", "window": "1d", "unmeasured": "allow", "conditioned_on": "click"}


def found(out: SimpleNamespace, task: str, by: str) -> dict[int, tuple[float, float]]:
    """{value of a column: (label, weight)}."""
    rows = out.examples.to_dicts()
    return {int(row[by][0]): (row[f"label/{task}"][0], row[f"weight/{task}"][0]) for row in rows}


def test_labelled_examples_by_hand(tmp_path: Path, write_log: Write, run_stage: Run) -> None:
    """A missing weight is one of 0; a negative or infinite one, one beyond 32 bits and a word are dead letters."""
    weights = ["0.5", "0", "", "-1", "inf", "nan", "x", "1e39", "3", "2"]
    write_log(
        "train.csv", [{"age": n, "rich": n % 2, "five": int(n % 5 == 0), "w": 2, "p": p} for n, p in enumerate(weights)]
    )
    write_log("validate.csv", [{"age": 50, "rich": 1, "five": 1, "w": 1, "p": 1}])
    test = [{"age": n, "rich": 1 - n % 2, "five": int(n % 5 == 0), "w": w, "p": 7} for n, w in ((100, 0.5), (101, 0))]
    write_log("test.csv", test)
    tasks = {
        "plain": {"kind": "binary", "label": {"column": "rich"}},
        "rich": {"kind": "binary", "label": {"column": "rich"}, "weight_column": "p"},
        "of_rich": {"kind": "binary", "label": {"column": "five"}, "conditioned_on": "rich"},
    }
    examples = {"path": "train.csv", "validate_path": "validate.csv", "eval_path": "test.csv", "weight": "w"}
    fields: dict[str, Any] = {
        "name": "census",
        "data": str(tmp_path),
        "examples": examples | {"limits": {"dead_letters": 0.9}},
        "features": {"age": {"kind": "numeric"}},
        "tasks": tasks,
    }
    out = run_stage(Recipe.model_validate(fields))
    assert out.dead["reason"].to_list() == ["weight column 'p': not a finite number of at least 0"] * 4
    seen = {0: (0, 2), 1: (1, 2), 2: (0, 2), 5: (1, 2), 8: (0, 2), 9: (1, 2), 50: (1, 1), 100: (1, 0.5), 101: (0, 0)}
    assert found(out, "plain", "age") == seen
    own = {0: (0, 1), 1: (0, 0), 2: (0, 0), 5: (0, 0), 8: (0, 6), 9: (1, 4), 50: (1, 1), 100: (1, 3.5), 101: (0, 0)}
    assert found(out, "rich", "age") == own
    # What a task is conditioned on is the label, not its weight.
    assert found(out, "of_rich", "age") == {
        n: (float(n % 5 == 0 and label > 0), label * weight) for n, (label, weight) in seen.items()
    }
    assert out.summary["tasks"]["rich"]["train"] == {"examples": 6, "observed": 3, "positives": 1, "unweighted": 3}
    assert "unweighted" not in out.summary["tasks"]["plain"]["train"]
    assert not {"p", "w"} & {*out.examples.columns}
    write_log("test.csv", [test[0] | {"p": ""}])
    words = (
        "'rich': none of 1 eval examples is observed.* Of 1 examples with a label, the weight column 'p' is 0 or has no"
    )
    with pytest.raises(InputError, match=words):
        run_stage(Recipe.model_validate(fields), "unweighted")


def test_a_column_that_is_not_there(tmp_path: Path, shop_recipe: Make, shop_log: Any, run_stage: Run) -> None:
    shop_log("csv")
    with pytest.raises(InputError, match=r"impression\.csv: no column 'p' \(weight_column of task 'click'\)"):
        run_stage(shop_recipe(tasks={"click": CLICK}))


def test_logs_by_a_slow_reference_whatever_the_partitions(shop_recipe: Make, write_log: Write, run_stage: Run) -> None:
    """Weights of two tasks from columns of the impressions, with repeated rows, open windows and missing weights."""
    random = np.random.default_rng(3)
    seen = []
    for n in range(120):
        at = START + int(random.integers(0, 8 * DAY))
        p = None if random.random() < 0.2 else float(np.float32(random.choice([0.0, 0.25, 1.5, 40.0])))
        seen.append({"user": n, "item": 1, "time": at, "p": p, "q": float(random.integers(0, 3))})
    clicks = [row for row in seen if random.random() < 0.6]
    buys = [row for row in clicks if random.random() < 0.5]
    write_log("impression.jsonl", seen + seen[:9])
    for name, rows in (("click", clicks), ("buy", buys)):
        write_log(f"{name}.jsonl", [{"user": row["user"], "item": 1, "time": row["time"] + 5} for row in rows])
    recipe = shop_recipe(
        tasks={"click": CLICK, "buy": {**BUY, "weight_column": "q"}},
        streams={"impression": {"weight": None}, "buy": {}},
        logs={"as_of": "2023-11-22T00:00:00Z"},
        split={"eval_from": "2023-11-18T00:00:00Z"},
    )
    as_of = 1_700_611_200
    expected: dict[str, dict[int, tuple[float, float]]] = {"click": {}, "buy": {}}
    clicked, bought = ({row["user"] for row in rows} for rows in (clicks, buys))
    for row in seen:
        if row["time"] > as_of:
            continue
        closed, click, buy = row["time"] + DAY <= as_of, row["user"] in clicked, row["user"] in bought
        of_click, of_buy = (row["p"] or 0.0) * closed, row["q"] * (closed and click)
        expected["click"][row["user"]] = (float(click and of_click > 0), of_click)
        expected["buy"][row["user"]] = (float(buy and of_buy > 0), of_buy)
    one, five = (
        run_stage(recipe.model_copy(update={"beam": recipe.beam.model_copy(update={"partitions": n})}), f"of-{n}")
        for n in (1, 5)
    )
    for task, rows in expected.items():
        assert found(one, task, "user") == rows
        counts = [one.summary["tasks"][task][split] for split in SPLITS]
        assert sum(count["observed"] for count in counts) == sum(weight > 0 for _, weight in rows.values())
    assert one.examples.equals(five.examples) and one.summary == five.summary


NUMBERS = st.one_of(st.none(), st.just(0.0), st.floats(0, FLOAT32_MAX, width=32))


@given(rows=st.lists(st.tuples(st.booleans(), st.booleans(), NUMBERS, NUMBERS.filter(lambda w: w is not None))))
def test_a_weight_is_finite_and_a_label_has_one(rows: list[tuple[bool, bool, float | None, float]]) -> None:
    """Float32 in, float32 out, whatever the product: the largest float instead of infinity, not observed where it vanishes."""
    task = TaskPlan(name="t", kind="binary", weight="p")
    frame = pl.DataFrame(
        {
            "label/t": [float(label and observed) for label, observed, _, _ in rows],
            "weight/t": [float(observed) for _, observed, _, _ in rows],
            weight_column(task): [own for _, _, own, _ in rows],
            WEIGHT: [common for _, _, _, common in rows],
        },
        schema=dict.fromkeys(["label/t", "weight/t", weight_column(task), WEIGHT], pl.Float32),
    )
    out = weighted(frame, [task])
    assert out.schema["label/t"] == out.schema["weight/t"] == pl.Float32
    for (label, observed, own, common), (y, w, lost) in zip(
        rows, out.select("label/t", "weight/t", unweighted("t")).rows(), strict=True
    ):
        assert w == np.float32(min(observed * (own or 0.0) * common, FLOAT32_MAX))
        assert y == float(label and w > 0) and lost == (observed and not own)
