"""`gatewise runs` on records made by hand."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from pipeline import cli
from tests.doubles.run_records import A, B, record, write


def said(capsys: pytest.CaptureFixture[str], *arguments: str, code: int = 0) -> str:
    with pytest.raises(SystemExit) as end:
        cli.main(["runs", *arguments])
    captured = capsys.readouterr()
    assert (end.value.code or 0) == code, captured.err
    return captured.out if code == 0 else captured.err


@pytest.fixture
def root(tmp_path: Path) -> str:
    better = record(
        B, overrides=["model.architecture=ple"], metrics={"click": {"auc": 0.76}}, pushed=None, serving=None
    )
    better["resolved"] = better["resolved"] | {"model": {"architecture": "ple"}}
    write(tmp_path, record(A), better)
    return str(tmp_path)


def test_list_is_the_default(root: str, capsys: pytest.CaptureFixture[str]) -> None:
    listed = said(capsys, root)
    assert listed == said(capsys, "list", root)
    assert listed.index(B) < listed.index(A) and "model.architecture=ple" in listed and "blessed" in listed
    assert A not in said(capsys, "list", root, "--last", "1")
    [line] = said(capsys, root, "--last", "1", "--json").splitlines()
    assert json.loads(line)["resolved"]["model"] == {"architecture": "ple"}


def test_diff(root: str, capsys: pytest.CaptureFixture[str]) -> None:
    told = said(capsys, "diff", A, B[:8], root)
    cells = [[cell.strip() for cell in line.split("│")[1:-1]] for line in told.splitlines() if line.startswith("│")]
    assert ["model.architecture", '"mmoe"', '"ple"'] in cells
    assert ["click", "auc", "0.7500", "0.7600", "+0.0100", "-", "-"] in cells
    assert f"A: {A} (shop, pushed)" in told and f"B: {B} (shop, blessed): model.architecture=ple" in told
    assert "Data and code are equal." in told and f"no paired comparison: {A} has no eval predictions." in told


def test_errors(root: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert "--metric auc: metrics belong to tasks. Add --task NAME." in said(capsys, root, "--metric", "auc", code=1)
    assert f"did you mean '{A}'?" in said(capsys, "diff", A[:-1] + "9", B, root, code=1)


def test_help_names_both_commands(capsys: pytest.CaptureFixture[str]) -> None:
    assert {"list", "diff"} <= set(said(capsys, "--help").split())
