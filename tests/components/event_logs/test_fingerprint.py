"""The fingerprint follows content and names, and nothing else."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from components.event_logs.fingerprint import fingerprint
from models.recipe.errors import InputError
from models.recipe.recipe import Recipe


def test_content_and_names_count_and_times_do_not(
    shop_recipe: Callable[..., Recipe], shop_log: Callable[..., None], tmp_path: Path
) -> None:
    shop_log("csv")
    recipe = shop_recipe()
    first = fingerprint(recipe)
    os.utime(tmp_path / "click.csv", (0, 0))
    assert fingerprint(recipe) == first
    (tmp_path / "click.csv").rename(tmp_path / "click.txt")
    renamed_by_ending = fingerprint(recipe)
    assert renamed_by_ending != first
    (tmp_path / "click.txt").rename(tmp_path / "elsewhere.csv")
    with pytest.raises(InputError, match=r"stream 'click': no file matches .*click\.\*\. .*elsewhere\.csv"):
        fingerprint(recipe)
    (tmp_path / "elsewhere.csv").rename(tmp_path / "click.one.csv")
    renamed = fingerprint(recipe)
    assert renamed != first
    with open(tmp_path / "click.one.csv", "a") as file:
        file.write("\n")
    assert fingerprint(recipe) != renamed


def test_moving_bytes_between_files_changes_it(
    shop_recipe: Callable[..., Recipe], write_log: Callable[..., Path]
) -> None:
    recipe = shop_recipe(streams={"click": {"path": "click/*"}})
    write_log("impression.csv", "x")
    write_log("click/1.csv", "ab")
    write_log("click/2.csv", "c")
    first = fingerprint(recipe)
    write_log("click/1.csv", "a")
    write_log("click/2.csv", "bc")
    assert fingerprint(recipe) != first


def test_labelled_examples(tmp_path: Path, write_log: Callable[..., Path]) -> None:
    fields = {
        "name": "census",
        "data": str(tmp_path),
        "examples": {"path": "train.csv", "eval_path": "test.csv"},
        "features": {"age": {"kind": "numeric"}},
        "tasks": {"income": {"kind": "binary", "label": {"column": "income"}}},
    }
    write_log("train.csv", "a")
    with pytest.raises(InputError, match=r"examples.eval_path: no file matches .*test\.csv.*it contains train\.csv"):
        fingerprint(Recipe.model_validate(fields))
    write_log("test.csv", "b")
    first = fingerprint(Recipe.model_validate(fields))
    write_log("test.csv", "c")
    assert fingerprint(Recipe.model_validate(fields)) != first


def test_it_imports_nothing_heavy() -> None:
    code = (
        "import sys, components.event_logs.fingerprint\n"
        "print([m for m in ('polars', 'pyarrow', 'numpy', 'apache_beam', 'tensorflow', 'tfx') if m in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=os.getcwd())
    assert done.stdout.strip() == "[]"
