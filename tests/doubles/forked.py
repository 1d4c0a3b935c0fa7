"""Processes that begin with everything imported: forks of one that has imported, and done nothing else.

A new interpreter needs ten seconds and more to load TFX and TensorFlow; a fork starts at once. In all else it is a process of
its own: its environment, working directory, streams and group, and a TensorFlow that has not begun to work.
"""

from __future__ import annotations

import functools
import multiprocessing
import os
import runpy
import signal
import sys
import threading
from collections.abc import Mapping, Sequence
from multiprocessing import connection
from multiprocessing.context import ForkServerContext, ForkServerProcess
from pathlib import Path

LOADED = [
    "pipeline.cli",
    "pipeline.local_runner",
    "pipeline.predict",
    "pipeline.kubeflow.compile",
    "pipeline.kubeflow.entrypoint",
    "models.training.trainer",
    "models.retrieval.trainer",
    "components.retrieval_evaluation.executor",
    "tests.doubles.parsed",
]
"""What the commands and the steps on Kubeflow import when they run; and the source of the stages is parsed."""

_ALONE = threading.Lock()  # a start looks after all forks, and an exit code can be read once


class Fork:
    """A started process, with as much of `subprocess.Popen` as is needed.

    Args:
        process: that has been started.
    """

    def __init__(self, process: ForkServerProcess) -> None:
        self._process, self.pid = process, process.pid

    def wait(self, timeout: float | None = None) -> int:
        """The exit code, or minus the signal that ended it; after `timeout` seconds its whole group is killed."""
        if not connection.wait([self._process.sentinel], timeout):
            os.killpg(self.pid, signal.SIGKILL)
            connection.wait([self._process.sentinel])
        with _ALONE:
            self._process.join()
            return self._process.exitcode

    def poll(self) -> int | None:
        """The same, or None while it runs."""
        with _ALONE:
            return self._process.exitcode


def start(
    command: Sequence[str], cwd: Path, stdout: Path, stderr: Path, environment: Mapping[str, str] | None = None
) -> Fork:
    """Starts `python -m MODULE ARGUMENT ...` in a fork that leads a group of its own.

    Args:
        command: interpreter, "-m", module, arguments.
        cwd: working directory.
        stdout: file for standard output.
        stderr: file for standard error; it may be the same.
        environment: by default this process's.
    """
    _interpreter, flag, module, *arguments = command
    if flag != "-m":
        raise ValueError(f"expected INTERPRETER -m MODULE ..., received {command}")
    settings = dict(os.environ if environment is None else environment)
    process = _context().Process(target=_run, args=(module, arguments, cwd, stdout, stderr, settings))
    with _ALONE:
        process.start()
        return Fork(process)


@functools.cache
def _context() -> ForkServerContext:
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(LOADED)
    return context


def _run(module: str, arguments: list[str], cwd: Path, stdout: Path, stderr: Path, environment: dict[str, str]) -> None:
    os.setsid()
    os.chdir(cwd)
    os.environ.clear()
    os.environ.update(environment)
    for number, file in ((1, stdout), (2, stderr)):
        opened = os.open(file, os.O_WRONLY | os.O_CREAT | os.O_APPEND)
        os.dup2(opened, number)
        os.close(opened)
    sys.argv = [module, *arguments]
    sys.modules.pop(module, None)  # it runs as __main__, as `python -m` has it
    runpy.run_module(module, run_name="__main__", alter_sys=True)
