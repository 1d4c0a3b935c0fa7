"""`gatewise predict` as a user calls it."""

from __future__ import annotations

import json
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from pipeline import cli

LINES = '{"age": 3, "item": 8, "tags": "a|b"}\n\n{"item": 16}\n'


def gatewise(*arguments: object) -> int:
    with pytest.raises(SystemExit) as end:
        cli.main(["predict", *map(str, arguments)])
    return int(end.value.code or 0)


def test_requests_as_json_lines(ranker: Path, tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    """Each line may have other columns; an unknown column is an error; nothing passes through."""
    path = tmp_path / "r.jsonl"
    path.write_text(LINES)
    assert gatewise(ranker.parent, "--input", path) == 0
    said = capfd.readouterr()
    assert said.out == '{"click": 6.0}\n{"click": 3.0}\n' and said.err == ""
    assert gatewise(ranker, "--input", path, "--output", tmp_path / "out.jsonl", "--json", tmp_path / "s.json") == 0
    assert (tmp_path / "out.jsonl").read_text() == said.out
    summary = json.loads((tmp_path / "s.json").read_text())
    assert (summary["rows_in"], summary["rows_out"], summary["model"]) == (2, 2, str(ranker))
    path.write_text('{"itm": 8}\n')
    assert gatewise(ranker, "--input", path) == 1
    assert "did you mean 'item'" in capfd.readouterr().err


def test_a_table(ranker: Path, tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    pq.write_table(pa.table({"item": [8, 16], "row": [1, 2], "click": [0, 1]}), tmp_path / "in.parquet")
    options = ["--input", tmp_path / "in.parquet", "--missing", "who,age, tags"]
    output = tmp_path / "out.parquet"
    assert gatewise(ranker.parent, *options, "--output", output) == 1
    assert "--prefix predicted_" in capfd.readouterr().err and not output.exists()
    more = ["--prefix", "p_", "--json", tmp_path / "s.json"]
    assert gatewise(ranker.parent, *options, *more, "--output", output) == 0
    assert f"2 rows in, 2 rows out to {output} in " in capfd.readouterr().err
    expected = {"item": [8, 16], "row": [1, 2], "click": [0, 1], "p_click": [2.0, 3.0], "p_score": [4.0, 6.0]}
    assert pq.read_table(output).to_pydict() == expected
    summary = json.loads((tmp_path / "s.json").read_text())
    assert summary["rows_in"] == summary["rows_out"] == 2 and summary["columns"] == list(expected)
    assert gatewise(ranker, *options, "--columns", "row") == 0
    said = capfd.readouterr()
    assert [json.loads(line) for line in said.out.splitlines()] == [
        {"row": 1, "click": 2.0, "score": 4.0},
        {"row": 2, "click": 3.0, "score": 6.0},
    ]
    assert "2 rows in, 2 rows out to standard output" in said.err
    assert gatewise(ranker, *options, "--columns", "row,,") == 1
    assert "expected names separated by commas" in capfd.readouterr().err


def test_columns_of_json_lines(ranker: Path, tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "r.jsonl").write_text(LINES)
    assert gatewise(ranker, "--input", tmp_path / "r.jsonl", "--missing", "who", "--columns", "*") == 0
    assert [json.loads(line) for line in capfd.readouterr().out.splitlines()] == [
        {"age": 3, "item": 8, "tags": "a|b", "click": 6.0, "score": 12.0},
        {"age": None, "item": 16, "tags": None, "click": 3.0, "score": 6.0},
    ]
    assert gatewise(ranker, "--input", tmp_path / "r.jsonl", "--missing", "who") == 0
    assert capfd.readouterr().out == '{"click":6.0,"score":12.0}\n{"click":3.0,"score":6.0}\n'


def test_a_reader_that_closes_the_pipe(ranker: Path, tmp_path: Path) -> None:
    """As `gatewise predict ... | head`: no message, no traceback."""
    import subprocess
    import sys

    pq.write_table(pa.table({"item": range(200_000)}), tmp_path / "in.parquet")
    command = [sys.executable, "-m", "pipeline.cli", "predict", ranker, "--input", tmp_path / "in.parquet"]
    with subprocess.Popen(
        [*map(str, command), "--missing", "who,age,tags"],
        cwd=Path(cli.__file__).resolve().parents[1],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as process:
        assert process.stdout is not None and process.stderr is not None
        assert process.stdout.readline() == '{"item":0,"click":1.0,"score":2.0}\n'
        process.stdout.close()
        said = process.stderr.read()
    assert "Traceback" not in said and process.returncode == 141
