"""kill -9 in the middle of each stage, then the same command: the same model, pushed once, nothing half-written taken as good."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

pytestmark = pytest.mark.slow

# Seconds into the stage at which it is killed: in the middle of the work where a stage takes that long here.
STAGES = {
    "EventLogs": 0.2,
    "Statistics": 0.1,
    "SchemaGen": 0.0,
    "Validation": 0.0,
    "Features": 0.7,
    "Interactions": 0.0,
    "Trainer": 6.0,
    "RetrievalTrainer": 2.0,
    "Evaluator": 0.3,
    "Probe": 2.0,
    "RetrievalEvaluator": 0.3,
    "Pusher": 0.0,
    "RetrievalPusher": 0.0,
}


@pytest.fixture(scope="module")
def command(shop_recipe: Path, shop_logs: Path, quick: list[str]) -> Callable[[Path], list[str]]:
    gates_off = [
        text for task in ("click", "cart", "order", "order_value") for text in ("--set", f"tasks.{task}.gates=none")
    ]

    def of(root: Path) -> list[str]:
        return ["run", str(shop_recipe), "--root", str(root), "--data", str(shop_logs), *quick, *gates_off]

    return of


def killed_in(stage: str, seconds: float, arguments: list[str], project: Path) -> str:
    """Starts the command, kills its whole group that long into the stage, and returns what it had printed."""
    printed = []
    with subprocess.Popen(
        [sys.executable, "-m", "pipeline.cli", *arguments],
        cwd=project,
        stderr=subprocess.PIPE,
        stdout=subprocess.DEVNULL,
        text=True,
        start_new_session=True,
    ) as process:
        assert process.stderr is not None
        for line in process.stderr:
            printed.append(line)
            if line.strip() == stage:
                time.sleep(seconds)
                break
        os.killpg(process.pid, signal.SIGKILL)
        printed.append(process.stderr.read())
    return "".join(printed)


def test_killed_in_every_stage_and_started_again(
    command: Callable[[Path], list[str]], gatewise: Callable[..., Any], shop_recipe: Path, tmp_path: Path
) -> None:
    whole = gatewise(*command(tmp_path / "whole"), "--json", tmp_path / "whole.json")
    assert whole.code == 0, whole.out + whole.err
    root = tmp_path / "killed"
    for stage, seconds in STAGES.items():
        printed = killed_in(stage, seconds, command(root), shop_recipe.parents[1])
        assert f"\n{stage}\n" in printed, printed
        assert f"{stage} done" not in printed, f"{stage} was done before it could be killed"
    done = gatewise(*command(root), "--json", tmp_path / "done.json")
    assert done.code == 0, done.out + done.err
    assert done.result["metrics"] == whole.result["metrics"]
    assert done.result["retrieval"]["methods"] == whole.result["retrieval"]["methods"]
    pushed = [list((root / "serving" / model).glob("[0-9]*")) for model in ("shop", "shop_retrieval")]
    assert [len(versions) for versions in pushed] == [1, 1] and pushed[0][0].name == pushed[1][0].name
    assert all((versions[0] / "saved_model.pb").is_file() for versions in pushed)
    again = gatewise(*command(root), "--json", tmp_path / "again.json")
    assert again.result["all_cached"] is True and list((root / "serving" / "shop").glob("[0-9]*")) == pushed[0]


def test_a_probe_that_is_killed_is_no_verdict(
    command: Callable[[Path], list[str]],
    gatewise: Callable[..., Any],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """As the kernel kills it when memory runs out: the run ends with 3, and the same command probes again and pushes."""
    armed = tmp_path / "armed"
    armed.touch()
    (tmp_path / "sitecustomize.py").write_text(
        "import os, sys\n"
        f"if 'components.probe.ask' in sys.orig_argv and os.path.exists({str(armed)!r}):\n"
        f"    os.remove({str(armed)!r})\n"
        "    os.kill(os.getpid(), 9)\n"
    )
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join([str(tmp_path), os.environ.get("PYTHONPATH", "")]))
    arguments = [*command(tmp_path / "root"), "--set", "retrieval=null"]
    first = gatewise(*arguments)
    assert first.code == 3 and not armed.exists(), first.err
    assert "was killed by SIGKILL, as the kernel does when memory runs out" in first.err
    assert "Run the same command again" in first.err and "Traceback" not in first.err
    assert not (tmp_path / "root" / "serving").exists()
    again = gatewise(*arguments, "--json", tmp_path / "again.json")
    assert again.code == 0, again.out + again.err
    assert len(list((tmp_path / "root" / "serving" / "shop").glob("[0-9]*"))) == 1
