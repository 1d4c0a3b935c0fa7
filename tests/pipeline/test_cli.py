from __future__ import annotations

import subprocess
import sys
import time
from importlib import metadata
from pathlib import Path
from typing import Any

import pytest

from pipeline import cli
from pipeline.command_groups import GROUPS


def run(*arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run([sys.executable, "-m", "pipeline.cli", *arguments], capture_output=True, text=True)


@pytest.mark.parametrize(
    "command", ["validate", "simulate", "fetch", "run", "compile", "predict", "recommend", "report", "dead-letters"]
)
def test_help_teaches_with_an_example(command: str) -> None:
    done = run(command, "--help")
    assert done.returncode == 0 and "Example: gatewise" in done.stdout.replace("\n", " ").replace("  ", " ")


def test_each_command_has_one_title() -> None:
    listed = [name for names in GROUPS.values() for name in names]
    assert len(listed) == len(set(listed))
    done = run("--help")
    assert done.returncode == 0 and "Others:" not in done.stdout
    lines = done.stdout.splitlines()
    assert max(map(len, lines)) <= 80
    titles = [line.removesuffix(":") for line in lines if line.removesuffix(":") in GROUPS]
    assert titles == list(GROUPS)


def test_the_version() -> None:
    done = run("--version")
    assert (done.returncode, done.stdout) == (0, f"gatewise {metadata.version('gatewise')}\n")
    both = run("-v", "-q", "validate", "recipes/shop.yaml")
    assert both.returncode == 1 and "--verbose and --quiet: give one of them." in both.stderr


def test_validate_answers_at_once_and_imports_nothing_heavy() -> None:
    code = (
        "import sys; from pipeline.cli import main\n"
        "try: main(['validate', 'recipes/shop.yaml'])\n"
        "except SystemExit as end: assert not end.code\n"
        "assert not {'tensorflow', 'keras', 'tfx', 'apache_beam', 'polars', 'pyarrow'} & set(sys.modules)"
    )
    root = Path(cli.__file__).resolve().parents[1]
    started = time.monotonic()
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, cwd=root)
    assert done.returncode == 0, done.stderr
    assert (
        "recipes/shop.yaml: valid. 4 streams, 13 features, tasks click, cart, order, order_value; mmoe" in done.stdout
    )
    assert time.monotonic() - started < 10


def test_a_defect_ends_with_3_and_its_traceback(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def broken(*_: Any, **__: Any) -> None:
        raise KeyError("a defect")

    monkeypatch.setattr(cli, "load_on_day", broken)
    with pytest.raises(SystemExit) as end:
        cli.main(["validate", "any.yaml"])
    message = capsys.readouterr().err
    assert (
        end.value.code == 3 and "KeyError: 'a defect'" in message and "resume from the last finished stage" in message
    )


def test_reports_of_nothing(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as end:
        cli.main(["report", str(tmp_path)])
    assert end.value.code == 1 and "no run found; expected the --root" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["simulate", "recipes/census_income.yaml"], "starts from labelled examples"),
        (["simulate", "recipes/deskdrop.yaml"], "the simulator does not write 'deskdrop_interactions.parquet'"),
        (["simulate", "recipes/shop.yaml", "--impressions", "0"], "impressions"),
        (["simulate", "recipes/shop.yaml", "--conflict", "2"], "conflict"),
        (["fetch", "census"], "unknown data set 'census'; did you mean 'census_income'?"),
        (["predict", "nowhere", "--input", "r.jsonl"], "nowhere: no exported model here"),
    ],
)
def test_wrong_arguments(
    arguments: list[str],
    words: str,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.chdir(Path(cli.__file__).resolve().parents[1])
    more = ["--out", str(tmp_path / "out")] if arguments[0] == "simulate" else []
    with pytest.raises(SystemExit) as end:
        cli.main([*arguments, *more])
    message = capsys.readouterr().err
    assert end.value.code == 1 and words in message and "Traceback" not in message
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["run"], "Missing argument 'RECIPE'"),
        (["run", "recipes/shop.yaml", "--sett", "a=1"], "No such option: --sett"),
        (["rum"], "No such command 'rum'"),
        (["simulate", "recipes/shop.yaml", "--impressions", "many"], "Invalid value for '--impressions'"),
    ],
)
def test_a_mistyped_command_is_not_taken_for_a_model_that_is_not_blessed(
    arguments: list[str], words: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as end:
        cli.main(arguments)
    assert end.value.code == 1 and words in capsys.readouterr().err


def test_an_interruption_says_how_to_go_on(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    def interrupted(*_: Any, **__: Any) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(cli, "load_on_day", interrupted)
    with pytest.raises(SystemExit) as end:
        cli.main(["validate", "any.yaml"])
    assert end.value.code == 3 and "interrupted. Run the command again to resume" in capsys.readouterr().err


def test_a_root_that_is_no_folder(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(Path(cli.__file__).resolve().parents[1])
    (tmp_path / "file").touch()
    with pytest.raises(SystemExit) as end:
        cli.main(["run", "recipes/shop.yaml", "--root", str(tmp_path / "file")])
    assert (
        end.value.code == 1
        and "cannot create the folder (Not a directory). Choose another --root" in capsys.readouterr().err
    )
