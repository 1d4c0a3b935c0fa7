"""What a person sees of a run."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from models.recipe_file import load_recipe
from pipeline.console import RunConsole

ROOT = Path(__file__).resolve().parents[2]


def test_folders_are_no_markup(tmp_path: Path, capfd: pytest.CaptureFixture[str], monkeypatch: Any) -> None:
    monkeypatch.setattr("warnings.simplefilter", lambda action, *more: None)
    folder = tmp_path / "[bold]" / "[" / "x]"
    with RunConsole(load_recipe(ROOT / "recipes" / "shop.yaml", data=folder), folder):
        pass
    said = capfd.readouterr().err
    assert f"data in {folder}; log in {folder}/" in said
