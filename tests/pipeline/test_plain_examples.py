"""`gatewise examples`: the examples of a run as plain Parquet, as pandas and Polars read them."""

from __future__ import annotations

import datetime
from pathlib import Path

import pandas as pd
import polars as pl
import pytest

from pipeline import cli, lineage
from tests.doubles.run_records import A, B, record, write

NUMBERS = [3, None, 2**53 + 1]


@pytest.fixture
def root(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A run with a train split of two files and an eval split of one, and a run without examples."""
    examples, predictions = tmp_path / "examples", tmp_path / "predictions"
    for split, parts in (("train", 2), ("eval", 1)):
        (examples / f"Split-{split}").mkdir(parents=True)
        for part in range(parts):
            frame = pl.DataFrame(
                {
                    "device": [[b"tv"], [], ["\u00e9".encode()]],
                    "odd": [[b"a"], [b"b"], [b"\xff" if part else b"c"]],
                    "number": [[one] if one is not None else [] for one in NUMBERS],
                    "tags": [[b"new", b"red"], [], [b"new"]],
                    "picture": [[0.5, 1.0]] * 3,
                    "label/click": [[1.0], [0.0], [0.0]],
                    "gatewise/event_time": [[1_767_225_600_000_000]] * 3,
                },
                schema_overrides={"number": pl.List(pl.Int64), "picture": pl.List(pl.Float32)},
            )
            frame.write_parquet(examples / f"Split-{split}" / f"part-{part}.parquet")
    predictions.mkdir()
    pl.DataFrame({"prediction/click": [0.25, 0.5]}).write_parquet(predictions / "0.parquet")
    kinds = {"device": "categorical", "odd": "categorical", "number": "categorical", "tags": "multivalued"}
    features = {name: {"kind": kind} for name, kind in kinds.items()} | {
        "look": {"kind": "vector", "column": "picture"}
    }
    runs = tmp_path / "runs"
    about = {"predictions": str(predictions), "resolved": {"features": features}}
    write(runs, record(A, **about), record(B, **about))
    made = lineage.Run(stages=(), artifacts={"EventLogs.examples": examples}, properties={}, id=A)
    void = lineage.Run(stages=(), artifacts={}, properties={}, id=B)
    monkeypatch.setattr(lineage, "read_run", lambda where, run: made if run == A else void)
    return runs


def _run(*arguments: object) -> int:
    with pytest.raises(SystemExit) as end:
        cli.main(["examples", *map(str, arguments)])
    return int(end.value.code or 0)


def test_one_value_in_each_cell(root: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    out = tmp_path / "out" / "here"
    assert _run(root, "--run", A, "--out", out) == 0
    said = capsys.readouterr().out.splitlines()
    assert said == [
        f"{out / name}.parquet: {rows} rows" for name, rows in (("train", 6), ("eval", 3), ("predictions", 2))
    ]
    assert sorted(path.name for path in out.iterdir()) == ["eval.parquet", "predictions.parquet", "train.parquet"]
    train = pl.read_parquet(out / "train.parquet")
    assert train["device"].to_list() == ["tv", None, "\u00e9"] * 2
    assert train["number"].to_list() == NUMBERS * 2
    assert train["tags"].to_list() == [["new", "red"], [], ["new"]] * 2
    assert train["picture"].to_list() == [[0.5, 1.0]] * 6
    assert train["gatewise/event_time"][0] == datetime.datetime(2026, 1, 1, tzinfo=datetime.UTC)
    # Of one column all values are text, of the other not: it stays bytes in all rows of the file.
    assert train.schema["odd"] == pl.Binary and pl.read_parquet(out / "eval.parquet").schema["odd"] == pl.String
    frame = pd.read_parquet(out / "eval.parquet")
    assert list(frame["label/click"]) == [1.0, 0.0, 0.0] and frame["device"][0] == "tv"
    assert list(pd.read_parquet(out / "predictions.parquet")["prediction/click"]) == [0.25, 0.5]
    assert _run(root, "--run", A, "--out", out) == 0, "again over what is there"


def test_a_run_without_examples(root: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert _run(root, "--run", B, "--out", tmp_path / "out") == 1
    assert f"run {B}: has no examples" in capsys.readouterr().err and not (tmp_path / "out").exists()
    (tmp_path / "file").touch()
    assert _run(root, "--run", A, "--out", tmp_path / "file") == 1
    assert "cannot be written" in capsys.readouterr().err
