"""kubeflow/README.md: its commands of gatewise, run in their order against a server that speaks Kubeflow Pipelines' API."""

from __future__ import annotations

import re
import shlex
from pathlib import Path
from typing import Any

import pytest
import yaml
from kubeflow_api.server import Server

from components.push.serving_choice import read_choice
from models.recipe.file import load_recipe
from pipeline import cli

ROOT = Path(__file__).resolve().parents[3]
PAGE = (ROOT / "kubeflow" / "README.md").read_text(encoding="utf-8")
BLOCKS = re.findall(r"^```(\w*)\n(.*?)^```", PAGE, re.MULTILINE | re.DOTALL)


def commands() -> list[list[str]]:
    lines = [line.strip() for kind, block in BLOCKS if not kind for line in block.splitlines()]
    return [shlex.split(line, comments=True)[1:] for line in lines if line.startswith(".venv/bin/gatewise ")]


def test_its_commands_leave_no_schedule_behind(
    server: Server,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    tmp_path: Path,
) -> None:
    monkeypatch.setenv("KF_PIPELINES_ENDPOINT", server.url)
    monkeypatch.chdir(tmp_path)
    for name in ("recipes", "kubeflow"):
        (tmp_path / name).symlink_to(ROOT / name)
    ran = [command[:2] for command in commands()]
    assert ["compile", "recipes/shop.yaml"] in ran
    assert {what for kind, what in ran if kind == "schedule"} == {
        "create",
        "list",
        "pause",
        "resume",
        "run-now",
        "delete",
    }
    states = []
    for command in commands():
        if command[0] not in ("compile", "schedule"):
            continue
        with pytest.raises(SystemExit) as end:
            cli.main(command)
        assert not end.value.code, (command, capsys.readouterr())
        states.append([row["status"] for row in server.store.recurring_runs.values()])
    assert (tmp_path / "pipeline.yaml").is_file()
    assert ["ENABLED"] in states and ["DISABLED"] in states and max(map(len, states)) == 1
    assert states[-1] == []


def in_the_cluster() -> list[list[str]]:
    """What is run in the pod gatewise-shell."""
    return [shlex.split(line, comments=True) for line in re.findall(r"^kubectl exec .* -- gatewise (.*)$", PAGE, re.M)]


def test_its_way_back_and_its_canary(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    commands = in_the_cluster()
    served = tmp_path / "serving" / "shop"
    named = {word for command in commands for word in command if word.isdigit()}
    for version in {*named, "1700172800"}:
        (served / version / "variables").mkdir(parents=True)
        (served / version / "saved_model.pb").touch()
        (served / version / "variables" / "variables.index").touch()
    states = []
    for command in commands:
        with pytest.raises(SystemExit) as end:
            cli.main([part.replace("/gatewise", str(tmp_path)) for part in command])
        assert not end.value.code, (command, capsys.readouterr())
        if command[0] != "serving-config":
            continue
        choice = read_choice(served)
        assert choice is not None
        states.append((choice.stable, choice.canary))
    assert {command[0] for command in commands} == {"serving-config", "versions", "rollback"}
    assert "1700172800" not in {path.name for path in served.iterdir()}, "the rollback has withdrawn it"
    assert states == [("newest", None), (1700000000, None), (1700000000, "newest"), (1700086400, None)]


def test_its_parts_of_a_recipe_are_right(tmp_path: Path) -> None:
    """Each block of YAML, put into the shop's recipe in place of what is there."""
    parts: list[dict[str, Any]] = [yaml.safe_load(block) for kind, block in BLOCKS if kind == "yaml"]
    assert {"kubeflow", "beam"} <= {key for part in parts for key in part}
    for number, part in enumerate(parts):
        document = yaml.safe_load((ROOT / "recipes" / "shop.yaml").read_text(encoding="utf-8"))
        for key, value in part.items():
            document[key] = {**document.get(key, {}), **value}
        path = tmp_path / f"{number}.yaml"
        path.write_text(yaml.safe_dump(document), encoding="utf-8")
        load_recipe(path)


def test_the_files_that_it_applies_are_there() -> None:
    applied = re.findall(r"kubectl apply [^`\n]*-f ([^`\s]+)", PAGE)
    assert set(applied) == {
        f"kubeflow/{name}.yaml" for name in ("home", "serving", "serving-canary", "serving-rows", "monitoring", "dask")
    }
    for file in (*applied, *re.findall(r"file://(\S+)", PAGE)):
        assert (ROOT / file).is_file(), file
