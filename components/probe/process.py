"""Runs the probe in a fresh process. Its answer is a verdict on the model; a process without an answer gives no verdict.

`ask_in_process` starts the process. `end_with` and `is_of_the_machine` run inside it.
"""

from __future__ import annotations

import ctypes
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
from models.recipe.errors import NoVerdictError

ROOT = Path(__file__).parents[2]
"""Parent folder of the packages `components` and `models`."""

LAST = 2000
"""Number of last characters of the process's output in the message."""

TRANSIENT = ("ResourceExhaustedError", "UnavailableError", "DeadlineExceededError", "AbortedError", "CancelledError")
"""TensorFlow errors that may not occur again in another attempt."""

_PR_SET_PDEATHSIG = 1
"""Option of Linux' prctl: the signal that the process receives when its parent ends."""


def ask_in_process(
    model: str, files: Sequence[str], plan: ProbePlan, warm_up: str | None, timeout: float
) -> dict[str, Any]:
    """`components.probe.ask.ask` in a new Python process.

    The new process shares nothing with this one: no object, no registered Keras class, no variable. It uses no GPU, because
    this process may hold it.

    Args:
        model, files, plan, warm_up: arguments of `ask`.
        timeout: seconds after which the process is killed.

    Returns:
        The report of `ask`.

    Raises:
        NoVerdictError: the process could not start, was killed, did not end in time, or ended without an answer.
    """
    with tempfile.TemporaryDirectory(prefix="gatewise-probe-") as folder:
        question, answer, output = (Path(folder, name) for name in ("question.json", "answer.json", "output.txt"))
        arguments = {"model": model, "files": list(files), "plan": plan.model_dump(), "warm_up": warm_up}
        question.write_text(json.dumps(arguments), encoding="utf-8")
        path = os.pathsep.join(part for part in (str(ROOT), os.environ.get("PYTHONPATH")) if part)
        environment = {**os.environ, "PYTHONPATH": path, "CUDA_VISIBLE_DEVICES": "-1", "TF_CPP_MIN_LOG_LEVEL": "2"}
        command = [sys.executable, "-m", "components.probe.ask", str(question), str(answer), str(os.getpid())]
        # A file, not a pipe: subprocess.run would wait for a pipe that a child of the killed process still holds.
        with output.open("wb") as written:
            try:
                code = subprocess.run(
                    command,
                    env=environment,
                    stdin=subprocess.DEVNULL,
                    stdout=written,
                    stderr=subprocess.STDOUT,
                    timeout=timeout,
                    check=False,
                ).returncode
            except subprocess.TimeoutExpired:
                raise NoVerdictError(_message(f"did not answer within {timeout:g} seconds", output)) from None
            except OSError as error:
                raise NoVerdictError(_message(f"could not start: {error}", output)) from None
        if code or not answer.is_file():
            raise NoVerdictError(_message(_end(code), output))
        return json.loads(answer.read_text(encoding="utf-8"))


def _message(what: str, output: Path) -> str:
    last = output.read_text(encoding="utf-8", errors="replace").strip()[-LAST:]
    said = f"Its last output:\n{last}\n" if last else "It wrote no output. "
    return (
        f"Probe: the process that runs the model {what}. That is not a verdict on the model: the model is not pushed, and the "
        f"result of the probe is not kept. {said}Run the same command again; it resumes at the probe."
    )


def _end(code: int) -> str:
    if code == -signal.SIGKILL:
        return "was killed by SIGKILL; the kernel sends it when memory runs out"
    if code < 0:
        return f"was killed by {_signal(-code)}"
    return f"ended with code {code} and without an answer"


def _signal(number: int) -> str:
    try:
        return signal.Signals(number).name
    except ValueError:  # a real-time signal has no name
        return f"signal {number}"


def end_with(parent: int) -> None:
    """Asks the system to kill this process when its parent ends. A killed parent cannot do that itself.

    Args:
        parent: process id of the parent. If the parent has already ended, this process ends now.
    """
    ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)
    if os.getppid() != parent:
        os.kill(os.getpid(), signal.SIGKILL)


def is_of_the_machine(error: BaseException) -> bool:
    """Whether an error comes from the machine and not from the model: memory, disk, file system, or a broken installation.

    An OSError with an errno comes from the operating system. One without comes from TensorFlow, about a SavedModel that it
    cannot read, and would occur again. The causes of an error are checked, too.
    """
    import tensorflow as tf

    chain: list[BaseException] = []
    cause: BaseException | None = error
    while cause is not None and cause not in chain:
        chain.append(cause)
        cause = cause.__cause__
    kinds = (MemoryError, ImportError, *(getattr(tf.errors, name) for name in TRANSIENT))
    return any(isinstance(one, kinds) or (isinstance(one, OSError) and one.errno is not None) for one in chain)
