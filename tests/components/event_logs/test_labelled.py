"""Labelled examples: labels, twins, splits."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import polars as pl
import pytest

from components.example_schema import SPLITS
from models.recipe.errors import InputError
from models.recipe.recipe import Recipe

Run = Callable[..., SimpleNamespace]


def recipe(folder: Path, **changes: Any) -> Recipe:
    fields: dict[str, Any] = {
        "name": "census",
        "data": str(folder),
        "examples": {"path": "train.csv"},
        "split": {"eval_fraction": 0.3},
        "features": {"age": {"kind": "numeric"}},
        "tasks": {"rich": {"kind": "binary", "label": {"column": "income", "positive": ["50000+."]}}},
    }
    return Recipe.model_validate(fields | changes)


def rows(count: int) -> list[dict[str, Any]]:
    return [{"age": n % 7, "income": "50000+." if n % 3 == 0 else "- 50000.", "paid": n % 5} for n in range(count)]


def test_twins_stay_and_have_ids_of_their_own(tmp_path: Path, write_log: Callable, run_stage: Run) -> None:
    write_log("train.csv", rows(300))
    out = run_stage(recipe(tmp_path))
    assert out.accounts == {
        "examples": dict(
            read=300, used=300, duplicate=0, orphan=0, late=0, after_as_of=0, gap=0, dead_lettered=0, other=0
        )
    }
    assert out.examples["gatewise/example_id"].explode().n_unique() == 300
    assert "gatewise/event_time" not in out.examples.columns
    assert out.examples["label/rich"].explode().sum() == 100
    # 105 distinct rows, of which a split has all copies or none: further from 90 than single rows would be.
    assert 45 < out.splits["eval"].height < 135
    again = run_stage(recipe(tmp_path, beam={"partitions": 5}), "again")
    assert again.examples.equals(out.examples) and again.summary == out.summary


def test_equal_rows_are_in_one_split(tmp_path: Path, write_log: Callable, run_stage: Run) -> None:
    distinct = [row | {"age": n} for n, row in enumerate(rows(40))]
    write_log("train.csv", distinct * 3)
    out = run_stage(recipe(tmp_path))
    ages = {split: set(out.splits[split]["age"].list.first()) for split in SPLITS}
    assert sum(map(len, ages.values())) == len(set.union(*ages.values())) == 40 and len(ages["eval"]) >= 4
    assert all(out.splits[split].height == 3 * len(ages[split]) for split in SPLITS)


def test_the_eval_file_may_not_be_one_of_the_train_files(tmp_path: Path, write_log: Callable, run_stage: Run) -> None:
    write_log("a.csv", rows(20))
    write_log("b.csv", rows(10))
    with pytest.raises(InputError, match=r"'eval_examples': its `path` and that of 'examples' both match .*b\.csv"):
        run_stage(recipe(tmp_path, examples={"path": "*.csv", "eval_path": "b.csv"}, split={}))


def test_a_fixed_eval_file_is_the_eval_split(tmp_path: Path, write_log: Callable, run_stage: Run) -> None:
    write_log("train.csv", rows(20))
    write_log("test.csv", rows(10))
    out = run_stage(recipe(tmp_path, examples={"path": "train.csv", "eval_path": "test.csv"}, split={}))
    assert out.splits["train"].height + out.splits["validate"].height == 20 and out.splits["eval"].height == 10
    assert list(out.accounts) == ["examples", "eval_examples"]
    assert out.examples["gatewise/example_id"].explode().n_unique() == 30
    write_log("validate.csv", rows(5))
    examples = {"path": "train.csv", "validate_path": "validate.csv", "eval_path": "test.csv"}
    out = run_stage(recipe(tmp_path, examples=examples, split={}), "three")
    assert [out.splits[split].height for split in SPLITS] == [20, 5, 10]
    assert list(out.accounts) == ["examples", "validate_examples", "eval_examples"]
    out = run_stage(recipe(tmp_path, examples=examples | {"eval_path": None}, split={"eval_fraction": 0.3}), "two")
    assert out.splits["validate"].height == 5 and out.splits["eval"].height not in (0, 20)


def test_a_fixed_eval_file_with_times(tmp_path: Path, write_log: Callable, run_stage: Run) -> None:
    """The newest of the files of `path` validate, although the eval file is of the same time."""
    for name, count in (("train.csv", 20), ("test.csv", 10)):
        write_log(name, [row | {"at": 1_700_000_000 + n} for n, row in enumerate(rows(count))])
    examples = {"path": "train.csv", "eval_path": "test.csv", "time": {"column": "at", "unit": "s"}}
    out = run_stage(recipe(tmp_path, examples=examples, split={"validate_fraction": 0.2, "gap": "3s"}))
    times = {
        split: sorted(time // 1_000_000 - 1_700_000_000 for time in out.splits[split]["gatewise/event_time"].explode())
        for split in SPLITS
    }
    assert times == {"train": list(range(13)), "validate": [16, 17, 18, 19], "eval": list(range(10))}
    assert (out.accounts["examples"]["used"], out.accounts["examples"]["gap"]) == (17, 3)


def test_weights_of_labelled_examples(tmp_path: Path, write_log: Callable, run_stage: Run) -> None:
    weights = ["0.5", "0", "", "-1", "inf", "nan", "x", "1e39", "3", "2"]
    write_log("train.csv", [{"age": n, "income": n % 2, "w": w} for n, w in enumerate(weights)])
    write_log("validate.csv", [{"age": 50, "income": 1, "w": 1}])
    write_log("test.csv", [{"age": n, "income": n % 2, "w": 7} for n in range(100, 102)])
    tasks = {
        "rich": {"kind": "binary", "label": {"column": "income"}},
        "same": {"kind": "regression", "label": {"column": "income"}, "conditioned_on": "rich", "unmeasured": "allow"},
    }
    examples = {"path": "train.csv", "validate_path": "validate.csv", "eval_path": "test.csv", "weight": "w"}
    examples |= {"limits": {"dead_letters": 0.9}}
    out = run_stage(recipe(tmp_path, tasks=tasks, examples=examples, split={}))
    assert out.dead.group_by("reason").len().sort("len").rows() == [
        ("no value in weight column 'w'", 2),
        ("weight column 'w': not a finite number of at least 0", 4),
    ]
    names = ("label/rich", "weight/rich", "label/same", "weight/same")
    by_age = {row["age"][0]: tuple(row[name][0] for name in names) for row in out.examples.to_dicts()}
    assert by_age == {
        0: (0, 0.5, 0, 0),
        1: (0, 0, 0, 0),
        8: (0, 3, 0, 0),
        9: (1, 2, 1, 2),
        50: (1, 1, 1, 1),
        100: (0, 7, 0, 0),
        101: (1, 7, 1, 7),
    }
    assert "w" not in out.examples.columns
    assert out.summary["zero_weight"] == {"train": 1, "validate": 0, "eval": 0}
    assert out.summary["tasks"]["rich"]["train"] == {"examples": 4, "observed": 3, "positives": 1}
    write_log("test.csv", [{"age": 1, "income": 1}])
    with pytest.raises(InputError, match=r"test\.csv: no column 'w' \(weight of stream 'eval_examples'\)"):
        run_stage(recipe(tmp_path, tasks=tasks, examples=examples, split={}), "without")
    write_log("test.csv", [{"age": 1, "income": 1, "w": 0}])
    with pytest.raises(InputError, match="'rich': none of 1 eval examples is observed.* 'w' is 0 in all of them"):
        run_stage(recipe(tmp_path, tasks=tasks, examples=examples, split={}), "zero")


def test_numeric_labels_missing_labels_and_given(tmp_path: Path, write_log: Callable, run_stage: Run) -> None:
    labels = ["0", "1", "", "1", "2", "0", "1", "0"]
    write_log("train.csv", [{"age": n, "income": x, "paid": n + 0.5 if n != 3 else ""} for n, x in enumerate(labels)])
    tasks = {
        "rich": {"kind": "binary", "label": {"column": "income"}},
        "paid": {"kind": "regression", "label": {"column": "paid"}, "conditioned_on": "rich"},
    }
    write_log("more.csv", [{"age": 100, "income": 1, "paid": 2}])
    examples = {"path": "train.csv", "validate_path": "more.csv", "limits": {"dead_letters": 0.2}}
    out = run_stage(recipe(tmp_path, tasks=tasks, examples=examples, split={"eval_fraction": 0.3}))
    assert out.dead["reason"].to_list() == ["label column 'income': not 0 or 1"]
    by_age = {
        row["age"][0]: tuple(row[name][0] for name in ("label/rich", "weight/rich", "label/paid", "weight/paid"))
        for row in out.examples.to_dicts()
    }
    assert by_age == {
        0: (0, 1, 0, 0),
        1: (1, 1, 1.5, 1),
        2: (0, 0, 0, 0),
        3: (1, 1, 0, 0),
        5: (0, 1, 0, 0),
        6: (1, 1, 6.5, 1),
        7: (0, 1, 0, 0),
        100: (1, 1, 2, 1),
    }


def test_an_auxiliary_task_predicts_a_feature(tmp_path: Path, write_log: Callable, run_stage: Run) -> None:
    write_log("train.csv", rows(60))
    income = {"kind": "binary", "label": {"column": "income", "positive": ["50000+."]}}
    age = {"kind": "regression", "role": "auxiliary", "label": {"column": "age"}}
    old = {"kind": "binary", "role": "auxiliary", "label": {"column": "age"}, "above": 3}
    out = run_stage(recipe(tmp_path, tasks={"rich": income, "age": age, "old": old}))
    assert out.examples["label/age"].to_list() == out.examples["age"].to_list()
    assert out.examples["label/old"].to_list() == [[float(age > 3)] for [age] in out.examples["age"].to_list()]


def test_with_a_time_the_newest_evaluate(tmp_path: Path, write_log: Callable, run_stage: Run) -> None:
    write_log("train.csv", [row | {"t": 1_700_000_000 + n} for n, row in enumerate(rows(20))])
    examples = {"path": "train.csv", "time": {"column": "t", "unit": "s"}}
    out = run_stage(recipe(tmp_path, examples=examples))
    assert out.splits["eval"]["gatewise/event_time"].explode().sort().to_list() == [
        (1_700_000_000 + n) * 1_000_000 for n in range(14, 20)
    ]
    last = run_stage(recipe(tmp_path, examples=examples, split={"eval_last": "3s"}), "last")
    assert last.splits["eval"].height == 4
    assert last.summary["as_of"] == "2023-11-14T22:13:39Z"


def test_a_positive_that_is_not_there(tmp_path: Path, write_log: Callable, run_stage: Run) -> None:
    write_log("train.csv", rows(30))
    tasks = {"rich": {"kind": "binary", "label": {"column": "income", "positive": ["50000+"]}}}
    with pytest.raises(
        InputError,
        match=r"task 'rich' \(label column 'income'\): none of .* is positive.*contains - 50000\., 50000\+\.; check",
    ):
        run_stage(recipe(tmp_path, tasks=tasks))


def test_census(shared_data: Path, run_stage: Run) -> None:
    features = {
        "age": {"kind": "numeric"},
        "education": {"kind": "categorical"},
        "industry_code": {"kind": "categorical", "type": "integer"},
    }
    tasks = {
        "income": {"kind": "binary", "label": {"column": "income", "positive": ["50000+."]}},
        "single": {"kind": "binary", "label": {"column": "marital_status", "positive": ["Never married"]}},
    }
    examples = {"path": "census_income_kdd_train.parquet", "eval_path": "census_income_kdd_test.parquet"}
    out = run_stage(recipe(shared_data, features=features, tasks=tasks, examples=examples, split={}))
    assert out.summary["examples"] == {"train": 179_748, "validate": 19_775, "eval": 99_762}
    assert out.examples["gatewise/example_id"].explode().n_unique() == 299_285
    raw = pl.read_parquet(shared_data / "census_income_kdd_test.parquet")
    assert (
        out.summary["tasks"]["income"]["eval"]["positives"]
        == raw.filter(pl.col("income").str.contains("50000+.", literal=True)).height
    )
    assert out.summary["tasks"]["single"]["eval"]["positives"] == raw.filter(marital_status="Never married").height


@pytest.mark.parametrize("positive", [[1], [True], ["1"]])
def test_labels_of_files_that_write_them_differently(
    tmp_path: Path, write_log: Callable, run_stage: Run, positive: list[Any]
) -> None:
    numbers = not isinstance(positive[0], bool)
    ways = (["1", "0"], ["1.0", "0.0"]) if numbers else (["true", "false"], ["True", "False"])
    for file, (yes, no) in enumerate(ways):
        values = [{"age": n + 100 * file, "clicked": ("" if n == 4 else yes if n % 3 == 0 else no)} for n in range(60)]
        write_log(f"train-{file}.csv", values)
    task = {"kind": "binary", "label": {"column": "clicked", "positive": positive}}
    out = run_stage(recipe(tmp_path, examples={"path": "train-*.csv"}, tasks={"clicked": task}))
    labels = {int(row["age"][0]): row["label/clicked"][0] for row in out.examples.to_dicts()}
    assert labels == {n + 100 * file: float(n % 3 == 0) for file in (0, 1) for n in range(60)}
    weights = {int(row["age"][0]): row["weight/clicked"][0] for row in out.examples.to_dicts()}
    assert [age for age, weight in weights.items() if not weight] in ([4, 104], [104, 4])


@pytest.mark.parametrize("ending", ["csv", "jsonl", "parquet"])
def test_truth_values_are_labels_in_every_format(
    tmp_path: Path, write_log: Callable, run_stage: Run, ending: str
) -> None:
    write_log(f"train.{ending}", [{"age": n, "clicked": None if n == 4 else n % 3 == 0} for n in range(60)])
    task = {"kind": "binary", "label": {"column": "clicked"}}
    out = run_stage(recipe(tmp_path, examples={"path": f"train.{ending}"}, tasks={"clicked": task}))
    found = {int(row["age"][0]): (row["label/clicked"][0], row["weight/clicked"][0]) for row in out.examples.to_dicts()}
    assert found == {n: (float(n % 3 == 0), float(n != 4)) for n in range(60)}


def test_missing_labels_are_not_observed(tmp_path: Path, write_log: Callable, run_stage: Run) -> None:
    nan = float("nan")
    frame = pl.DataFrame(
        {"age": range(60), "paid": [nan if n % 10 == 3 else None if n == 5 else n - 9.0 for n in range(60)]}
    )
    write_log("train.parquet", frame)
    task = {"kind": "regression", "label": {"column": "paid"}}
    out = run_stage(recipe(tmp_path, examples={"path": "train.parquet"}, tasks={"paid": task}))
    unseen = out.examples.filter(pl.col("weight/paid").list.first() == 0)["age"].explode().sort().to_list()
    assert unseen == [3, 5, 13, 23, 33, 43, 53] and out.accounts["examples"]["used"] == 60
