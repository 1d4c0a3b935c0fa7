from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import Any

import pytest
import typer

from benchmarks import gpu_step, measure
from benchmarks.gpu_step import Grid, Pythons
from benchmarks.session import Session
from benchmarks.steps.problem import StepProblem
from benchmarks.steps.shares import BANDWIDTH, PRODUCTS

measure_in_a_process = measure.fresh


def test_without_a_gpu_it_says_so(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setattr(gpu_step, "has_gpu", lambda: False)
    with pytest.raises(typer.Exit) as ended:
        gpu_step.main()
    assert ended.value.exit_code == 1
    assert "no NVIDIA GPU found" in capsys.readouterr().err


def test_the_vocabulary_is_that_of_all_tables() -> None:
    problems = list(Grid().problems(StepProblem()))
    assert len(problems) == 2 * 2 * 2 * 3
    assert {problem.table_rows * problem.table_count for problem in problems} == {1_000_000, 50_000_000}
    assert {(problem.architecture, problem.features) for problem in problems} == {
        *(("mmoe", 30), ("mmoe", 200)),
        *(("ple", 30), ("ple", 200)),
    }


def stand_in(subject: measure.Subject, out: Path | str) -> tuple[dict[str, Any], int]:
    """Our layers on JAX run; test_training_step.py runs the other subjects, on PLE and on tables that features share."""
    if subject.module == gpu_step.JAX_STEP:
        return measure_in_a_process(subject, out)
    rows = StepProblem.of(subject.question).examples
    seconds = {"seconds": 2.0, "step_seconds": 1.0}
    return {"rows": rows, **seconds, "rates": {"float32": 1e9, "bfloat16": 2e9, "bytes": 1e9}}, 1


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore")
def test_runs_on_a_cpu(tiny: Session, jax_alone: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(measure, "fresh", stand_in)
    monkeypatch.setattr(gpu_step, "ARCHITECTURES", {"ple": "PLE"})
    base = StepProblem(dim=4, experts=3, units=(8, 4), tower_units=(4,))
    grid, pythons = (
        Grid(features=(12,), vocabularies=(100,), batches=(32,)),
        Pythons(peers=Path("peers"), jax=jax_alone),
    )
    figures, rates = gpu_step.run(dataclasses.replace(tiny, rows=64, peer_rows=32), grid, base, pythons, "cpu")
    assert [figure.measured.name.partition(": ")[2] for figure in figures] == [
        *("ours", "ours, bfloat16", "ours on JAX", "torch-rechub", "torch-rechub, no loader")
    ]
    assert [figure.measured.rows for figure in figures] == [64, 64, 64, 32, 32]
    assert [figure.measured.median for figure in (figures[0], *figures[3:])] == [2.0, 2.0, 1.0]
    assert all(figure.shares[PRODUCTS] > 0 and figure.shares[BANDWIDTH] > 0 for figure in figures)
    assert figures[1].shares[PRODUCTS] == pytest.approx(figures[0].shares[PRODUCTS] / 2), "of bfloat16's own rate"
    assert rates == {"12 features, batch 32": {"float32": 1e9, "bfloat16": 2e9, "bytes": 1e9}}
