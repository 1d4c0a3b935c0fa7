"""The process that asks does not outlive the one that waits for its answer."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[3]
PARENT = """
import os, subprocess, sys
question, answer = sys.argv[1:]
asking = subprocess.Popen([sys.executable, "-m", "components.probe.ask", question, answer, str(os.getpid())])
with open(question, "w"):  # it is there, and reads what never comes
    os.kill(os.getpid(), 9)
"""


def test_a_killed_parent_leaves_nobody(tmp_path: Path) -> None:
    question = tmp_path / "question"
    os.mkfifo(question)
    holding = os.open(question, os.O_RDWR)  # so that the question has no end
    try:
        # A child that lives on would hold standard output, and be waited for.
        done = subprocess.run(
            [sys.executable, "-c", PARENT, str(question), str(tmp_path / "answer")],
            cwd=ROOT,
            capture_output=True,
            timeout=60,
        )
    finally:
        os.close(holding)
    assert done.returncode == -9 and not (tmp_path / "answer").exists()


def test_a_parent_that_was_gone_before(tmp_path: Path) -> None:
    arguments = [sys.executable, "-m", "components.probe.ask", str(tmp_path / "no"), str(tmp_path / "answer"), "1"]
    assert subprocess.run(arguments, cwd=ROOT, capture_output=True, timeout=60).returncode == -9
