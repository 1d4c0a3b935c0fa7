from __future__ import annotations

import importlib
from pathlib import Path

import pytest
import typer.main
from typer.testing import CliRunner

from benchmarks import measure
from benchmarks.measure import Measured, Subject
from benchmarks.session import Session, beyond

BENCHMARKS = ("event_logs", "statistics", "features", "input_pipeline", "evaluation", "pipeline", "growth", "wide_logs")


def test_further_rows_are_without_what_comes_before_the_first() -> None:
    small = Measured(name="peer", rows=100, seconds=(31.0,), peak_bytes=1)
    large = Measured(name="peer", rows=1_000, seconds=(40.0,), peak_bytes=2)
    found = beyond(small, large)
    assert (found.rows, found.median, found.rate, found.peak_bytes) == (900, 9.0, 100.0, 2)
    with pytest.raises(ValueError, match="expected more rows than 1,000"):
        beyond(large, small)


def test_the_target_is_held_against_the_further_rows_of_a_slow_peer(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    answers = {1_000: {"rows": 1_000, "seconds": 40.0}, 100: {"rows": 100, "seconds": 31.0}}
    monkeypatch.setattr(measure, "fresh", lambda subject, out: (answers[subject.question["rows"]], 1))
    ours = Measured(name="ours", rows=100, seconds=(0.1,), peak_bytes=1)
    make = lambda rows: Subject(name="peer", module="m", question={"rows": rows})  # noqa: E731
    whole, further = Session(rows=1_000, work=tmp_path).slow_peer(make, 1_000, ours, ratio=10)
    assert (whole.ratio, list(whole.verdicts())) == (40.0, [])
    assert (further.ratio, list(further.verdicts())) == (10.0, [(">= 10 x", True)])
    [whole] = Session(rows=1_000, work=tmp_path, further=False).slow_peer(make, 1_000, ours, ratio=50)
    assert list(whole.verdicts()) == [(">= 50 x", False)]


def test_targets_are_for_a_million_rows() -> None:
    assert Session(rows=1_000_000).judged and not Session(rows=999_999).judged


@pytest.mark.parametrize("name", BENCHMARKS)
def test_each_has_a_command_line_that_explains_itself(name: str) -> None:
    app = typer.Typer()
    app.command()(importlib.import_module(f"benchmarks.{name}").main)
    shown = CliRunner().invoke(app, ["--help"])
    assert shown.exit_code == 0 and "--rows" in shown.output and "--seed" in shown.output
