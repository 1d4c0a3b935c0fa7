"""Asking in a fresh process: what it answers is a verdict on the model; a process that dies or is silent has given none.

`ask_in_process` starts it; inside it, `end_with` and `is_of_the_machine` see to how it ends.
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
"""Where the packages `components` and `models` lie."""

LAST = 2000
"""Characters of what the process has written that go into the message."""

TRANSIENT = ("ResourceExhaustedError", "UnavailableError", "DeadlineExceededError", "AbortedError", "CancelledError")
"""Of TensorFlow: another try may end otherwise."""

_PR_SET_PDEATHSIG = 1
"""Of Linux' prctl: the signal that the system sends when the parent has ended."""


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
        The report of `ask`.

    Raises:
        NoVerdictError: the process could not be started, was killed, did not end in time, or ended without an answer.
    """
    with tempfile.TemporaryDirectory(prefix="gatewise-probe-") as folder:
        question, answer, output = (Path(folder, name) for name in ("question.json", "answer.json", "output.txt"))
        arguments = {"model": model, "files": list(files), "plan": plan.model_dump(), "warm_up": warm_up}
        question.write_text(json.dumps(arguments), encoding="utf-8")
        path = os.pathsep.join(part for part in (str(ROOT), os.environ.get("PYTHONPATH")) if part)
        environment = {**os.environ, "PYTHONPATH": path, "CUDA_VISIBLE_DEVICES": "-1", "TF_CPP_MIN_LOG_LEVEL": "2"}
        command = [sys.executable, "-m", "components.probe.ask", str(question), str(answer), str(os.getpid())]
        # Into a file, not a pipe: a pipe that a child of the killed process still holds would be waited for.
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
                raise NoVerdictError(_message(f"could not be started: {error}", output)) from None
        if code or not answer.is_file():
            raise NoVerdictError(_message(_end(code), output))
        return json.loads(answer.read_text(encoding="utf-8"))


def _message(what: str, output: Path) -> str:
    last = output.read_text(encoding="utf-8", errors="replace").strip()[-LAST:]
    said = f"It last wrote:\n{last}\n" if last else "It wrote nothing. "
    return (
        f"Probe: the process that asked the model {what}. That is no verdict on the model: it is not pushed, and nothing is "
        f"kept of the probe. {said}Run the same command again; it goes on with the probe."
    )


def _end(code: int) -> str:
    if code == -signal.SIGKILL:
        return "was killed by SIGKILL, as the kernel does when memory runs out"
    if code < 0:
        return f"was killed by {_signal(-code)}"
    return f"ended with code {code} and without an answer"


def _signal(number: int) -> str:
    try:
        return signal.Signals(number).name
    except ValueError:  # a real-time signal has no name
        return f"signal {number}"


def end_with(parent: int) -> None:
    """Has the system kill this process when its parent ends; a parent that is killed cannot do it.

    Args:
        parent: its process id. If it has ended already, this process ends now.
    """
    ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)
    if os.getppid() != parent:
        os.kill(os.getpid(), signal.SIGKILL)


def is_of_the_machine(error: BaseException) -> bool:
    """Whether the same model may well be fine: memory, disk, a file system that is away, a broken installation.

    An OSError with a number is the operating system's. One without is TensorFlow's own, about a SavedModel that it cannot
    read; that will be the same the next time. What caused an error counts as the error itself.
    """
    import tensorflow as tf

    chain: list[BaseException] = []
    cause: BaseException | None = error
    while cause is not None and cause not in chain:
        chain.append(cause)
        cause = cause.__cause__
    kinds = (MemoryError, ImportError, *(getattr(tf.errors, name) for name in TRANSIENT))
    return any(isinstance(one, kinds) or (isinstance(one, OSError) and one.errno is not None) for one in chain)
