"""Labels from a column of the impressions."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from components.event_logs.plan import EventLogsPlan
from components.example_schema import SPLITS
from models.recipe.errors import InputError
from models.recipe.recipe import Recipe

DAY = 86_400
START = 1_700_000_000
Make = Callable[..., Recipe]
Write = Callable[..., Path]
Run = Callable[..., SimpleNamespace]
CLICK = {"kind": "binary", "outcome": "click", "window": "1d", "unmeasured": "allow"}
PRICE = {"kind": "numeric"}


def impressions(**changes: list[Any]) -> list[dict[str, Any]]:
    """Ten impressions a day apart."""
    rows = [{"user": n, "item": 1, "time": START + n * DAY, "price": n / 4, "device": "pc"} for n in range(10)]
    return [row | {name: values[n] for name, values in changes.items()} for n, row in enumerate(rows)]


def found(out: SimpleNamespace, task: str) -> dict[int, tuple[float, float]]:
    """{user: (label, weight)}."""
    rows = out.examples.to_dicts()
    return {int(row["user"][0]): (row[f"label/{task}"][0], row[f"weight/{task}"][0]) for row in rows}


@pytest.fixture
def clicks(write_log: Write) -> None:
    """Every second user clicks."""
    write_log("click.csv", [{"user": n, "item": 1, "time": START + n * DAY + 10} for n in range(0, 10, 2)])


def test_labels_and_weights_by_hand(shop_recipe: Make, write_log: Write, run_stage: Run, clicks: None) -> None:
    """Observed where there is a value, though the windows of the last two are open; a word that is no number is a dead letter."""
    dwell = [0, 1, "", 3, "x", 5, 6, 7, "nan", 9]
    phones = {0, 1, 5, 6, 7, 9}
    device = ["phone" if n in phones else "pc" if n != 2 else "" for n in range(10)]
    write_log("impression.csv", [*impressions(dwell=dwell, device=device), impressions(dwell=dwell, device=device)[1]])
    tasks = {
        "click": CLICK,
        "dwell": {"kind": "regression", "label": {"column": "dwell"}},
        "phone": {"kind": "binary", "label": {"column": "device", "positive": ["phone"]}},
        "dwell_of_click": {"kind": "regression", "label": {"column": "dwell"}, "conditioned_on": "click"},
        "click_on_phone": {**CLICK, "conditioned_on": "phone"},
        "price": {"kind": "regression", "label": {"column": "price"}, "role": "auxiliary"},
    }
    features = {"user": {"kind": "categorical"}, "price": PRICE}
    recipe = shop_recipe(
        tasks=tasks,
        features=features,
        logs={"limits": {"dead_letters": 0.2}},
        split={"eval_from": "2023-11-20T00:00:00Z"},
    )
    out = run_stage(recipe)
    assert out.dead["reason"].to_list() == ["label column 'dwell': not a finite number"]
    seen = [n for n in range(10) if n != 4]
    assert out.accounts["impression"] | {"gap": 0} == dict(
        read=11, used=9, duplicate=1, orphan=0, late=0, after_as_of=0, gap=0, dead_lettered=1, other=0
    )
    assert found(out, "dwell") == {n: (float(n), 1.0) if n not in (2, 8) else (0.0, 0.0) for n in seen}
    assert found(out, "phone") == {n: (float(n in phones), float(n != 2)) for n in seen}
    assert found(out, "price") == {n: (n / 4, 1.0) for n in seen}
    assert found(out, "click") == {n: (float(n % 2 == 0 and n < 8), float(n < 8)) for n in seen}
    assert found(out, "dwell_of_click") == {n: (float(n), 1.0) if n in (0, 6) else (0.0, 0.0) for n in seen}
    assert found(out, "click_on_phone") == {
        n: (float(n % 2 == 0), 1.0) if n in phones and n < 8 else (0.0, 0.0) for n in seen
    }
    assert sorted(value for [value] in out.examples["price"].to_list()) == [n / 4 for n in seen]
    assert "dwell" not in out.examples.columns
    assert sum(out.summary["tasks"]["dwell"][split]["observed"] for split in SPLITS) == 7
    for partitions in (1, 5):
        beam = recipe.beam.model_copy(update={"partitions": partitions})
        again = run_stage(recipe.model_copy(update={"beam": beam}), f"again-{partitions}")
        assert again.examples.equals(out.examples) and again.accounts == out.accounts


def test_quantised_copies_of_a_column_and_of_outcomes(shop_recipe: Make, write_log: Write, run_stage: Run) -> None:
    """Each copy is 1 where the regression's label exceeds its number, and observed where the regression is."""
    amounts = [1, 2, "", 4, 5, 2, 4, 8, 9, 1]
    write_log("impression.csv", impressions(dwell=amounts))
    rows = [{"user": n, "item": 1, "time": START + n * DAY + 10 + i, "v": n} for n in range(8) for i in range(n % 3)]
    write_log("click.csv", rows)
    spent = {"outcome": "click", "window": "1d", "unmeasured": "allow"}
    column = {"label": {"column": "dwell"}}
    binary = {"kind": "binary", "role": "auxiliary"}
    tasks = {"spent": {"kind": "regression", **spent}, "dwell": {"kind": "regression", **column}}
    tasks |= {f"spent_{above}": {**spent, **binary, "above": above} for above in (0, 1)}
    tasks["largest_1"] = {**spent, **binary, "above": 1, "aggregate": "max"}
    tasks |= {f"dwell_{above}": {**column, **binary, "above": above} for above in (1, 2)}
    split = {"eval_from": "2023-11-20T00:00:00Z"}
    out = run_stage(shop_recipe(streams={"click": {"value": "v"}}, tasks=tasks, split=split))
    of_click = found(out, "spent")
    assert of_click == {n: (float(n * (n % 3) * (n < 7)), float(n < 7)) for n in range(10)}
    for above in (0, 1):
        assert found(out, f"spent_{above}") == {n: (float(x > above), w) for n, (x, w) in of_click.items()}
    assert found(out, "largest_1") == {n: (float(n % 3 > 0 and 1 < n < 7), float(n < 7)) for n in range(10)}
    for above in (1, 2):
        assert found(out, f"dwell_{above}") == {n: (float(x > above), w) for n, (x, w) in found(out, "dwell").items()}


def test_logs_without_an_outcome_stream(shop_recipe: Make, write_log: Write, run_stage: Run) -> None:
    write_log("impression.jsonl", impressions(liked=[n % 2 for n in range(10)]))
    recipe = shop_recipe(tasks={"liked": {"kind": "binary", "label": {"column": "liked"}}})
    assert recipe.logs is not None
    alone = {"impression": recipe.logs.streams["impression"]}
    logs = recipe.logs.model_copy(update={"streams": alone})
    out = run_stage(recipe.model_copy(update={"logs": logs}))
    assert found(out, "liked") == {n: (float(n % 2), 1.0) for n in range(10)}
    assert out.summary["as_of"] == "2023-11-23T22:13:20Z"


def test_weights_of_impressions_count(shop_recipe: Make, write_log: Write, run_stage: Run, clicks: None) -> None:
    write_log("impression.csv", impressions(liked=[n % 2 for n in range(10)], w=[n / 2 for n in range(10)]))
    tasks = {"click": CLICK, "liked": {"kind": "binary", "label": {"column": "liked"}}}
    out = run_stage(shop_recipe(tasks=tasks, streams={"impression": {"weight": "w"}}))
    assert found(out, "liked") == {n: (float(n % 2), n / 2) for n in range(10)}


@pytest.mark.parametrize(
    ("label", "given", "words"),
    [
        ({"column": "device", "positive": ["Phone"]}, None, "The column contains pc, phone; check `label.positive`"),
        ({"column": "dwel"}, None, "no row of impression.* has the column 'dwel' .label of task 'extra'.*'dwell'"),
        ({"column": "empty"}, None, "'extra': none of .* The label column 'empty' has no value in any of them. Fill"),
        ({"column": "empty"}, "click", "The label column 'empty' has no value in any of them, or 'click'"),
        ({"column": "late"}, "click", "'extra': none of .* Some windows have closed, but 'click'.* is never positive"),
        ({"column": "dwell"}, None, "label column 'dwell': not 0 or 1"),
        ({"column": "dwell", "above": 9}, None, "'extra' .label column 'dwell'.: none of .* exceeds `above: 9`"),
    ],
)
def test_refusals(
    shop_recipe: Make, write_log: Write, run_stage: Run, label: dict[str, Any], given: str | None, words: str
) -> None:
    rows = impressions(dwell=list(range(10)), empty=[None] * 10, late=[1] * 10, device=["pc", "phone"] * 5)
    write_log("impression.jsonl", [*rows, *({**row, "time": row["time"] + 1, "user": "z"} for row in rows)])
    # Either everybody clicks in the first nine days, or only those on the last day do.
    users = range(10) if label["column"] != "late" else [9]
    write_log("click.jsonl", [{"user": n, "item": 1, "time": START + n * DAY + 10} for n in users])
    limits = {"limits": {"dead_letters": 0.1}} if label["column"] == "dwell" else {}
    above = label.pop("above", None)
    extra = {"kind": "binary", "label": label, "conditioned_on": given, "above": above}
    with pytest.raises(InputError, match=words):
        run_stage(shop_recipe(tasks={"extra": extra, "click": CLICK}, logs=limits))


def test_the_place_of_a_number_outside_the_domain(
    shop_recipe: Make, write_log: Write, run_stage: Run, clicks: None
) -> None:
    """Of the label's column in the impressions, not of the clicks' column of the same name."""
    write_log("impression.csv", impressions(amount=[1, 2, -3, 4, 5, 6, 7, 8, 9, 10]))
    write_log("click.csv", [{"user": n, "item": 1, "time": START + n * DAY + 10, "amount": -1} for n in range(9)])
    tasks = {
        "spent": {"kind": "regression", "outcome": "click", "window": "1h"},
        "amount": {"kind": "regression", "label": {"column": "amount"}, "loss": "poisson", "unmeasured": "allow"},
    }
    with pytest.raises(InputError) as error:
        run_stage(shop_recipe(tasks=tasks, streams={"click": {"value": "amount"}}))
    assert "task 'amount' (label column 'amount'): 1 of 10 observed labels are outside" in str(error.value)
    assert "impression.csv, row 2: -3." in str(error.value) and "click.csv" not in str(error.value)


def test_a_label_column_is_part_of_the_plan(shop_recipe: Make) -> None:
    def plan(**label: Any) -> EventLogsPlan:
        return EventLogsPlan.from_recipe(shop_recipe(tasks={"click": CLICK, "x": {"kind": "binary", "label": label}}))

    assert plan(column="a") != plan(column="b") != plan(column="b", positive=["yes"])
