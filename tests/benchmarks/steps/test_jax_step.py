from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from benchmarks import gpu_step, measure
from benchmarks.steps.problem import StepProblem

pytestmark = pytest.mark.slow
SMALL = StepProblem(
    features=4, table_rows=50, tables=2, dim=4, batch=64, steps=3, experts=3, units=(8, 4), tower_units=(4,)
)


def test_it_runs_where_there_is_no_tensorflow(jax_alone: Path, tmp_path: Path) -> None:
    found = subprocess.run([str(jax_alone), "-c", "import tensorflow"], capture_output=True, text=True)
    assert "No module named 'tensorflow'" in found.stderr
    subject = gpu_step.on_jax("small", SMALL, jax_alone, "cpu")
    answer, _ = measure.fresh(subject, tmp_path)
    again, _ = measure.fresh(subject, tmp_path)
    assert answer["rows"] == 192 and answer["version"].startswith("jax")
    # Two tasks, each with a loss near -log(1/2) at the start.
    assert 0.8 < answer["loss"] < 1.45
    assert again["loss"] == answer["loss"]


def test_another_backend_is_refused(jax_alone: Path, tmp_path: Path) -> None:
    subject = gpu_step.on_jax("small", SMALL, jax_alone, "cpu")
    numpy = measure.Subject(
        name="numpy",
        module=subject.module,
        question=subject.question,
        python=jax_alone,
        environment={"KERAS_BACKEND": "numpy"},
    )
    with pytest.raises(RuntimeError, match="expected KERAS_BACKEND=jax, Keras runs on numpy"):
        measure.fresh(numpy, tmp_path)
