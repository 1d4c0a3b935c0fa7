"""Asking in a fresh process: whatever happens there, a crash or silence included, comes back as a report."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from components.probe.plan import ProbePlan

ROOT = Path(__file__).parents[2]
"""Where the packages `components` and `models` lie."""


def ask_in_process(
    model: str, files: Sequence[str], plan: ProbePlan, warm_up: str | None, timeout: float
) -> dict[str, Any]:
    """`components.probe.ask.ask` in a new Python process.

    Nothing of this process helps it: no object, no registered Keras class, no variable. It gets no GPU, which this
    process may hold.

    Args:
        model, files, plan, warm_up: of `ask`.
        timeout: seconds after which it is killed.

    Returns:
        The report of `ask`; "faults" also tells of a process that crashed, was killed, or did not answer in time.
    """
    with tempfile.TemporaryDirectory(prefix="gatewise-probe-") as folder:
        question, answer = Path(folder, "question.json"), Path(folder, "answer.json")
        arguments = {"model": model, "files": list(files), "plan": plan.model_dump(), "warm_up": warm_up}
        question.write_text(json.dumps(arguments), encoding="utf-8")
        path = os.pathsep.join(part for part in (str(ROOT), os.environ.get("PYTHONPATH")) if part)
        environment = {**os.environ, "PYTHONPATH": path, "CUDA_VISIBLE_DEVICES": "-1", "TF_CPP_MIN_LOG_LEVEL": "2"}
        command = [sys.executable, "-m", "components.probe.ask", str(question), str(answer)]
        try:
            done = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=timeout)
        except subprocess.TimeoutExpired:
            return {"requests": 0, "faults": [f"the model did not answer within {timeout:g} seconds"]}
        if done.returncode or not answer.is_file():
            return {"requests": 0, "faults": [f"{_end(done.returncode)}: {done.stderr.strip()[-2000:]}"]}
        return json.loads(answer.read_text(encoding="utf-8"))


def _end(code: int) -> str:
    if code < 0:
        return f"the process that asked the model was killed by {signal.Signals(-code).name}"
    return f"the process that asked the model ended with code {code}"
