"""`gatewise init`: what it prints, what it writes, and what it refuses."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from models.recipe.file import load_recipe
from pipeline import cli
from pipeline.init_command import ask
from tests.doubles.small_layouts import LAYOUTS


def said(capsys: pytest.CaptureFixture[str], *arguments: object, code: int = 0) -> str:
    with pytest.raises(SystemExit) as end:
        cli.main(["init", *map(str, arguments)])
    captured = capsys.readouterr()
    assert (end.value.code or 0) == code, captured.err
    return captured.out if code == 0 else captured.err


def test_it_writes_a_recipe_whose_data_is_relative_to_it(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    LAYOUTS["taobao"](tmp_path / "logs" / "taobao")
    out = tmp_path / "recipes" / "mine.yaml"
    told = said(capsys, tmp_path / "logs" / "taobao", "--out", out, "--yes")
    assert (
        "fav_cart_buy.parquet: 14,605 rows" in told
        and "mine.yaml: 2 features, tasks buy; 1 to check, marked UNSURE" in told
    )
    assert "data: ../logs/taobao\n" in out.read_text()
    assert load_recipe(out).data == str(tmp_path / "logs" / "taobao")
    before = out.read_text()
    assert "exists already" in said(capsys, tmp_path / "logs", "--out", out, code=1)
    assert out.read_text() == before


def test_nothing_is_written_if_it_refuses(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    LAYOUTS["globo"](tmp_path / "logs")
    (tmp_path / "logs" / "read_on.parquet").unlink()
    out = tmp_path / "recipe.yaml"
    told = said(capsys, tmp_path / "logs", "--out", out, "--yes", code=1)
    assert "no name of a column says that it is a label" in told and "--label COLUMN" in told
    assert not out.exists()


def test_a_question_is_asked_again_until_its_answer_is_known(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    given = iter(["neither", "buy"])
    asked: list[str] = []
    monkeypatch.setattr("typer.prompt", lambda text, default: asked.append(text) or next(given))
    assert ask("Which stream?", ["cart", "buy"], "cart") == "buy"
    assert asked == ["Which stream? [cart, buy]"] * 2
    assert capsys.readouterr().out == "Expected one of cart, buy; received 'neither'.\n"


def test_a_terminal_is_asked_unless_yes(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    LAYOUTS["taobao"](tmp_path / "logs")
    monkeypatch.setattr("sys.stdin.isatty", lambda: True, raising=False)
    monkeypatch.setattr("typer.prompt", lambda text, default: "buy" if default == "cart" else default)
    said(capsys, tmp_path / "logs", "--out", tmp_path / "asked.yaml")
    said(capsys, tmp_path / "logs", "--out", tmp_path / "yes.yaml", "--yes")
    found = {name: load_recipe(tmp_path / f"{name}.yaml").logs for name in ("asked", "yes")}
    assert {name: logs and logs.impressions for name, logs in found.items()} == {"asked": "buy", "yes": "cart"}


def test_init_needs_no_tensorflow(tmp_path: Path) -> None:
    LAYOUTS["globo"](tmp_path / "logs")
    code = (
        "import sys; from pathlib import Path; from pipeline.starting.answers import Answers; from pipeline.starting.start import start; "
        f"start(Path({str(tmp_path / 'logs')!r}), 'logs', Answers()); sys.exit(bool({{'tensorflow', 'tfx', 'apache_beam'}} & {{*sys.modules}}))"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
