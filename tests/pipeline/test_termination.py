"""SIGTERM ends a command as Ctrl-C does, with 143: nothing of it stays behind."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest

from pipeline import cli
from pipeline.kubeflow import entrypoint
from pipeline.termination import sigterm_interrupts

PROBING = """
from components.probe.plan import ProbePlan
from components.probe.process import ask_in_process
from pipeline import cli

def probe(*_, **__):
    ask_in_process("nowhere", [], ProbePlan.model_construct(tasks={}), None, 60)

cli.load_on_day = probe
cli.main(["validate", "any.yaml"])
"""


def test_the_probes_process_ends_its_folder_goes_and_one_line_is_said(tmp_path: Path) -> None:
    root = Path(cli.__file__).resolve().parents[1]
    running = subprocess.Popen(
        [sys.executable, "-c", PROBING],
        env={**os.environ, "TMPDIR": str(tmp_path)},
        stderr=subprocess.PIPE,
        text=True,
        cwd=root,
    )
    children = Path(f"/proc/{running.pid}/task/{running.pid}/children")
    deadline = time.monotonic() + 60
    while not children.read_text() and time.monotonic() < deadline:
        time.sleep(0.05)
    [child] = children.read_text().split()
    assert len(list(tmp_path.glob("gatewise-probe-*"))) == 1
    running.send_signal(signal.SIGTERM)
    _, said = running.communicate(timeout=60)
    assert running.returncode == 143
    assert said == "gatewise: stopped. Run the command again to resume from the last finished stage\n"
    assert not list(tmp_path.iterdir())
    deadline = time.monotonic() + 10
    while _runs(child) and time.monotonic() < deadline:
        time.sleep(0.05)
    assert not _runs(child)


def _runs(process: str) -> bool:
    """A process that nobody has asked for its end yet runs no more."""
    try:
        return Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except (FileNotFoundError, ProcessLookupError):
        return False


def test_a_step_on_kubeflow(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    def run(*_: Any) -> None:
        os.kill(os.getpid(), signal.SIGTERM)
        time.sleep(60)

    (tmp_path / "termination-log").touch()
    monkeypatch.setattr(entrypoint, "run", run)
    monkeypatch.setattr(entrypoint, "log_as_json", lambda stage: None)
    monkeypatch.setattr(entrypoint, "TERMINATION_LOG", tmp_path / "termination-log")
    needed = ("stage", "executor_class_path", "json_serialized_invocation_args", "json_serialized_inputs_spec_args")
    assert entrypoint.main([part for name in needed for part in (f"--{name}", "EventLogs")]) == 143
    assert "EventLogs: stopped by SIGTERM" in (tmp_path / "termination-log").read_text()


def test_what_was_there_before_comes_back() -> None:
    before = signal.getsignal(signal.SIGTERM)
    with pytest.raises(KeyboardInterrupt), sigterm_interrupts() as termination:
        os.kill(os.getpid(), signal.SIGTERM)
        time.sleep(60)
    assert termination.came and signal.getsignal(signal.SIGTERM) is before
