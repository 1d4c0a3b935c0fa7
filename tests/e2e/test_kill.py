"""kill -9 in the middle of each stage, then the same command: the same model, pushed once, nothing half-written taken as good."""

from __future__ import annotations

import os
import signal
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import forked
import pytest

pytestmark = pytest.mark.slow

NO_XLA = ["--set", "training.jit_compile=false"]  # test_kubeflow.py kills a trainer that compiles

# The line after which it is killed where that is not the stage's own, and the seconds that are waited besides: in the middle
# of the work where a stage takes that long here. The trainer has a checkpoint by then, and is in its second epoch.
STAGES = {
    "EventLogs": ("", 0.2),
    "Statistics": ("", 0.1),
    "SchemaGen": ("", 0.0),
    "Validation": ("", 0.0),
    "Features": ("", 0.7),
    "Interactions": ("", 0.0),
    "References": ("", 2.0),
    "Trainer": ("epoch 1/2: ", 0.0),
    "RetrievalTrainer": ("", 2.0),
    "Evaluator": ("", 0.3),
    "Probe": ("", 2.0),
    "RetrievalEvaluator": ("", 0.3),
    "Pusher": ("", 0.0),
    "RetrievalPusher": ("", 0.0),
}


@pytest.fixture(scope="module")
def command(shop_recipe: Path, shop_logs: Path, quick: list[str]) -> Callable[[Path], list[str]]:
    gates_off = [
        text for task in ("click", "cart", "order", "order_value") for text in ("--set", f"tasks.{task}.gates=none")
    ]

    def of(root: Path) -> list[str]:
        return ["run", str(shop_recipe), "--root", str(root), "--data", str(shop_logs), *quick, *gates_off, *NO_XLA]

    return of


def killed_in(stage: str, line: str, seconds: float, arguments: list[str], project: Path, printed: Path) -> str:
    """Starts the command, kills its whole group that long after the line in the stage, and returns what it had printed."""
    process = forked.start([sys.executable, "-m", "pipeline.cli", *arguments], project, Path(os.devnull), printed)
    while process.poll() is None:
        _, begun, after = printed.read_text().partition(f"\n{stage}\n") if printed.exists() else ("", "", "")
        if begun and line in after:
            time.sleep(seconds)
            os.killpg(process.pid, signal.SIGKILL)
            break
        time.sleep(0.01)
    process.wait()
    return printed.read_text()


@pytest.fixture(scope="module")
def probed(
    command: Callable[[Path], list[str]], gatewise: Callable[..., Any], tmp_path_factory: pytest.TempPathFactory
) -> tuple[Any, Any, Path]:
    """A run whose probe is killed as the kernel does it, the same command again, and their root."""
    folder = tmp_path_factory.mktemp("probed")
    armed = folder / "armed"
    armed.touch()
    (folder / "sitecustomize.py").write_text(
        "import os, sys\n"
        f"if 'components.probe.ask' in sys.orig_argv and os.path.exists({str(armed)!r}):\n"
        f"    os.remove({str(armed)!r})\n"
        "    os.kill(os.getpid(), 9)\n"
    )
    root = folder / "root"
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("PYTHONPATH", os.pathsep.join([str(folder), os.environ.get("PYTHONPATH", "")]))
        first = gatewise(*command(root))
        assert not armed.exists() and not (root / "serving").exists()
        return first, gatewise(*command(root), "--json", folder / "again.json"), root


def test_a_probe_that_is_killed_is_no_verdict(probed: tuple[Any, Any, Path]) -> None:
    """The run ends with 3 and pushes nothing, and the same command probes again and pushes."""
    first, again, root = probed
    assert first.code == 3, first.err
    assert "was killed by SIGKILL; the kernel sends it when memory runs out" in first.err
    assert "Run the same command again" in first.err and "Traceback" not in first.err
    assert again.code == 0, again.out + again.err
    assert len(list((root / "serving" / "shop").glob("[0-9]*"))) == 1


def test_killed_in_every_stage_and_started_again(
    probed: tuple[Any, Any, Path],
    command: Callable[[Path], list[str]],
    gatewise: Callable[..., Any],
    shop_recipe: Path,
    tmp_path: Path,
) -> None:
    """The model of a run whose data stages, training and evaluation nothing had interrupted."""
    _, whole, _ = probed
    root = tmp_path / "killed"
    for stage, (line, seconds) in STAGES.items():
        printed = killed_in(stage, line, seconds, command(root), shop_recipe.parents[1], tmp_path / f"{stage}.txt")
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
