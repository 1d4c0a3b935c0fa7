"""The results of a run as data frames, from a root that is made by hand."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import polars as pl
import pytest
from full_report import FULL

import gatewise
from pipeline import lineage
from tests.doubles.run_records import A, B, C, record, write

HUGE = 2**53 + 1


@pytest.fixture
def root(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Three runs of the shop: a pushed one, one that is not blessed, and a failed one."""
    evaluation, examples = tmp_path / "evaluation", tmp_path / "examples"
    (evaluation / "predictions").mkdir(parents=True)
    (examples / "Split-eval").mkdir(parents=True)
    (evaluation / "metrics.json").write_text(json.dumps(FULL["metrics"]))
    (examples / "accounts.json").write_text(json.dumps(FULL["accounts"]))
    (examples / "days.json").write_text(json.dumps(FULL["days"]))
    for number, ids in enumerate(([1, 2], [HUGE])):
        frame = pl.DataFrame(
            {"gatewise/example_id": ids, "device": ["tv"] * len(ids), "prediction/click": [0.5] * len(ids)}
        )
        frame.with_columns(
            pl.col("device").cast(pl.Categorical), pl.col("prediction/click").cast(pl.Float32)
        ).write_parquet(evaluation / "predictions" / f"{number}.parquet")
        pl.DataFrame(
            {
                "device": [[b"tv"]] * len(ids),
                "item": [[one] for one in ids[:-1]] + [[]],
                "tags": [[b"new"]] * len(ids),
                "odd": [[b"\xff"]] * len(ids),
                "age": [[0.5]] * len(ids),
                "gatewise/event_time": [[1_000_000]] * len(ids),
            },
            schema_overrides={"item": pl.List(pl.Int64)},
        ).write_parquet(examples / "Split-eval" / f"{number}.parquet")
    about = {"evaluation": str(evaluation), "predictions": str(evaluation / "predictions")}
    resolved = {"features": {"device": {"kind": "categorical"}, "topics": {"kind": "multivalued", "column": "tags"}}}
    gates = {
        "gates": [{"metric": "coverage@100", "limit": "at least 0.02", "value": 0.1, "held": True, "message": "fine"}]
    }
    faults = {"blessed": False, "failed_gates": ["probe: too slow", "retrieval: poor"]}
    runs = tmp_path / "runs"
    write(
        runs,
        record(A, **about, resolved=resolved),
        record(B, **about, **faults, retrieval=gates, serving=None, pushed=None),
        record(C, state="failed", error="no space", serving=None, metrics=None),
    )
    made = lineage.Run(stages=(), artifacts={"EventLogs.examples": examples}, properties={}, id=A)
    void = lineage.Run(stages=(), artifacts={}, properties={}, id=C)
    monkeypatch.setattr(lineage, "read_run", lambda where, run: made if run == A else void)
    return runs


def test_runs_by_id_and_the_newest(root: Path) -> None:
    assert gatewise.load_run(root).id == C == gatewise.load_run(root / "shop").id
    first = gatewise.load_run(root, A[:8])
    assert (first.id, first.outcome, first.version) == (A, "pushed", 1)
    assert repr(first) == f"Run({A}: shop, pushed)"
    second = gatewise.load_run(str(root), B)
    assert (second.outcome, second.version) == ("not blessed", None)
    with pytest.raises(gatewise.InputError, match="unknown run"):
        gatewise.load_run(root, "2025")
    with pytest.raises(gatewise.InputError, match="no record of a run found"):
        gatewise.load_run(root / "nothing")


def test_metrics(root: Path) -> None:
    made = gatewise.load_run(root, A).metrics
    assert list(made.columns) == ["task", "metric", "slice", "value", "lower", "upper"]
    auc = made.query("metric == 'auc' and slice == 'all'").iloc[0]
    assert (auc["task"], auc["value"], auc["lower"], auc["upper"]) == ("click", 0.75, 0.7312, 0.7688)
    assert made.query("metric == 'log_loss' and slice == 'all'")["lower"].isna().all(), (
        "there is a reason instead of an interval"
    )
    assert np.isnan(made.query("metric == 'gauc'")["value"].iloc[0])
    phone = made.query("slice == 'device=phone'").set_index("metric")["value"]
    assert dict(phone) == {"auc": 0.8, "log_loss": 0.3, "example_count": 9, "positive_count": 3}
    assert set(made["slice"]) == {"all", *(f"device={one}" for one in ("phone", "tv", "desktop", "watch"))}


def test_gates(root: Path) -> None:
    first = gatewise.load_run(root, A).gates
    assert list(first["slice"]) == ["all", "device=tv"] and list(first["held"]) == [True, False]
    assert list(first["model"]) == ["ranker"] * 2 and first["message"][1] == "tv is poor"
    second = gatewise.load_run(root, B).gates
    assert list(second["model"]) == ["ranker", "ranker", "ranker", "retrieval"]
    assert list(second["metric"]) == ["auc", "auc", "probe", "coverage@100"]
    assert second["message"][2] == "probe: too slow" and not second["held"][2] and second["task"][2] == ""


def test_accounts_and_days(root: Path) -> None:
    run = gatewise.load_run(root, A)
    accounts = run.accounts
    assert accounts.index.name == "stream" and accounts.loc["click", "orphan"] == 2
    assert dict(accounts.loc["click"]) == {**dict.fromkeys(accounts.columns, 0), **FULL["accounts"]["click"]}  # type: ignore[index]
    assert (accounts.dtypes == "int64").all()
    days = run.days
    assert days.index[0] == pd.Timestamp("2026-01-12", tz="UTC") and days.index.is_monotonic_increasing
    assert list(days["click"]) == [40, 0, 57] and list(days["impression"]) == [0, 500, 520]


def test_predictions(root: Path) -> None:
    made = gatewise.load_run(root, A).predictions()
    assert list(made["gatewise/example_id"]) == [1, 2, HUGE] and list(made["device"]) == ["tv"] * 3
    assert made["prediction/click"].dtype == np.float32


def test_examples_are_scalars(root: Path) -> None:
    """Only the multi-valued column keeps lists, also where each has one value; no number loses digits."""
    made = gatewise.load_run(root, A).examples("eval")
    assert list(made["device"]) == ["tv"] * 3 and list(made["odd"]) == [b"\xff"] * 3
    assert [list(one) for one in made["tags"]] == [["new"]] * 3
    assert made["item"].dtype == "Int64" and list(made["item"].isna()) == [False, True, True] and made["item"][0] == 1
    assert made["gatewise/event_time"][0] == pd.Timestamp("1970-01-01 00:00:01", tz="UTC")
    with pytest.raises(gatewise.InputError, match="unknown split 'test'"):
        gatewise.load_run(root, A).examples("test")
    with pytest.raises(gatewise.InputError, match="has no examples in the split 'train'"):
        gatewise.load_run(root, A).examples("train")


@pytest.mark.parametrize("what", ["metrics", "gates", "accounts", "days", "model", "predictions", "examples"])
def test_what_a_failed_run_lacks(what: str, root: Path) -> None:
    run = gatewise.load_run(root, C)
    with pytest.raises(gatewise.InputError, match=rf"run {C} \(failed\): has no .*It ended with: no space"):
        found: Any = getattr(run, what)
        found()


def test_the_model_is_the_pushed_one_or_the_trained_one(root: Path, tmp_path: Path) -> None:
    trained, served = tmp_path / "model", tmp_path / "serving" / "shop" / "7"
    for folder in (trained / "Format-Serving", served):
        folder.mkdir(parents=True)
        (folder / "saved_model.pb").touch()
    pushed = record(A, model=str(trained), serving=str(served))
    assert gatewise.Run(pushed).model == served and gatewise.Run(pushed).version == 7
    assert gatewise.Run({**pushed, "serving": None}).model == trained / "Format-Serving"
    (served / "saved_model.pb").unlink()
    assert gatewise.Run(pushed).model == trained / "Format-Serving", "the version was removed"


def test_the_report_is_of_this_run(root: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from pipeline import report_data

    asked: list[Any] = []
    monkeypatch.setattr(report_data, "write_reports", lambda *given: asked.append(given) or [Path("page.html")])
    assert gatewise.load_run(root, A).report(tmp_path / "x.html") == Path("page.html")
    gatewise.load_run(root, A).report()
    assert asked == [(root / "shop", tmp_path / "x.html", A), (root / "shop", None, A)]
