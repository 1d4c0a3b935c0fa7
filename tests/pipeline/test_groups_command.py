"""`gatewise groups` on records made by hand: what it prints, what it writes, and what it refuses."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from models.recipe import formula
from models.recipe.file import load_recipe
from pipeline import cli
from tests.doubles.run_records import A, B, C, measured, record, write

SHOP = Path(__file__).resolve().parents[2] / "recipes" / "shop.yaml"
# Clicks and carts help each other, as orders and their value do; across, a step harms.
NEAR, FAR = {("click", "cart"), ("order", "order_value")}, -1e-3
TASKS = ("click", "cart", "order", "order_value")
MEANS = {b: {a: 1.0 if a == b else 2e-3 if (a, b) in NEAR or (b, a) in NEAR else FAR for a in TASKS} for b in TASKS}


def said(capsys: pytest.CaptureFixture[str], *arguments: object, code: int = 0) -> str:
    with pytest.raises(SystemExit) as end:
        cli.main(["groups", *map(str, arguments)])
    captured = capsys.readouterr()
    assert (end.value.code or 0) == code, captured.err
    return captured.out if code == 0 else captured.err


def cells(told: str) -> list[list[str]]:
    return [[cell.strip() for cell in line.split("│")[1:-1]] for line in told.splitlines() if line.startswith("│")]


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """A run with affinities, and a newer one without."""
    measured(tmp_path / "runs", A, SHOP, MEANS, ("training.affinity_every=10", "training.epochs=3"))
    write(tmp_path / "runs", record(B))
    return tmp_path / "runs"


def test_the_newest_run_with_affinities_is_shown_and_nothing_is_written(
    root: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    told = said(capsys, root)
    assert f"Affinities of run {A} (shop)" in told and "written" not in told
    assert ["click", "+1.00e+00", "+2.00e-03", "-1.00e-03", "-1.00e-03"] in cells(told)
    assert cells(told)[-2:] == [
        ["shop_group_1", "click, cart", "-", "+4.00e-03"],
        ["shop_group_2", "order, order_value", "click", "+4.00e-03"],
    ]
    # In one model, onto each task (2 - 1 - 1) / 3.
    assert "In all +8.00e-03; the best single model +0.00e+00." in told
    assert "shop_group_2: click is not in the best group; it is trained because it is the condition of order." in told
    assert "No group has all tasks of the retrieval model: train it with the recipe shop." in told
    assert "Score over the predictions of shop_group_1, shop_group_2: click * (1 + cart" in told
    alone = said(capsys, root, "--networks", 1)
    assert cells(alone)[-1] == ["shop_group_1", "click, cart, order, order_value", "-", "+0.00e+00"]
    assert "retrieval" not in alone and "Score over" not in alone


def test_what_is_written_loads_and_the_score_follows(
    root: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "deep" / "groups"
    told = said(capsys, root, "--run", A[:10], "--write", out)
    names = ["shop_group_1.yaml", "shop_group_2.yaml", "shop_groups.json"]
    assert sorted(file.name for file in out.iterdir()) == names and told.count(": written") == 3
    first, second = (load_recipe(out / name) for name in names[:2])
    assert list(first.tasks) == ["click", "cart"] and list(second.main_tasks) == ["order", "order_value"]
    assert second.tasks["click"].role == "auxiliary" and first.training.epochs == second.training.epochs == 3
    assert first.data == load_recipe(SHOP).data and not (out / names[0]).read_text().count("\ndata: /")
    assert f"run {A}" in (out / names[0]).read_text() and "# The demo: a simulated shop" in (out / names[0]).read_text()
    blend = json.loads((out / names[2]).read_text())
    assert blend == {
        "run": A,
        "models": {"shop_group_1": ["click", "cart"], "shop_group_2": ["order", "order_value"]},
        "score": "click * (1 + cart + margin * order * order_value)",
        "weights": {"margin": 0.2},
    }
    # As docs/learning.md shows: the tasks of each model's answer, and the formula over all of them.
    answers = {"click": np.float32([0.5, 0.1]), "cart": np.float32([0.2, 0.4]), "order": np.float32([0.1, 0.2])}
    values = {**answers, "order_value": np.float32([10, 20]), **blend["weights"]}
    tasks = [task for served in blend["models"].values() for task in served]
    scores = formula.evaluate(formula.parse(blend["score"], tasks, blend["weights"]), values)
    assert np.allclose(scores, [0.5 * (1 + 0.2 + 0.2 * 0.1 * 10), 0.1 * (1 + 0.4 + 0.2 * 0.2 * 20)])
    # Again: the same bytes. Edited: refused, and nothing changes.
    said(capsys, root, "--write", out)
    (out / names[1]).write_text("edited")
    assert "shop_group_2.yaml: exists, and may have been edited" in said(capsys, root, "--write", out, code=1)
    assert (out / names[1]).read_text() == "edited"


def test_a_file_that_has_changed_gives_way_to_the_record(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    recipe, out = tmp_path / "mine.yaml", tmp_path / "out"
    recipe.write_text(SHOP.read_text())
    measured(tmp_path / "runs", A, recipe, MEANS)
    data = load_recipe(recipe).data
    recipe.write_text(SHOP.read_text().replace("epochs: 2", "epochs: 9"))
    said(capsys, tmp_path / "runs", "--write", out)
    loaded, text = load_recipe(out / "shop_group_1.yaml"), (out / "shop_group_1.yaml").read_text()
    assert loaded.training.epochs == 2 and loaded.data == data
    assert "mine.yaml is gone or has changed since the run" in text.replace("\n# ", " ") and "# The demo" not in text
    assert "embedding_optimizer" not in text, "defaults are left out"


def test_refusals(root: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    hint = "--set training.affinity_every=10 --no-push"
    told = said(capsys, root, "--run", B, code=1)
    assert f"run {B}: no affinities" in told and f"gatewise run shop.yaml {hint}" in told
    assert f"did you mean '{A}'?" in said(capsys, root, "--run", A[:-1] + "9", code=1)
    assert "no record of a run found" in said(capsys, tmp_path / "nowhere", code=1)
    assert "is not a folder" in said(capsys, root, "--write", SHOP, code=1)
    write(tmp_path / "empty", record(B), record(C))
    assert "2 runs: no affinities" in (told := said(capsys, tmp_path / "empty", code=1)) and hint in told


def test_nothing_is_written_if_one_group_is_no_recipe(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    # Without relations but one, an architecture for funnels has nothing to pass on in the other group.
    overrides = (
        "model.architecture=aitm", "tasks.cart.conditioned_on=null", "tasks.cart.after=click",
        "tasks.order.conditioned_on=null", "tasks.order_value.conditioned_on=null",
    )  # fmt: skip
    measured(tmp_path / "runs", A, SHOP, MEANS, overrides)
    told = said(capsys, tmp_path / "runs", "--write", tmp_path / "out", code=1)
    assert "group 2 cannot be a recipe of its own, so nothing is written" in told
    assert "shop_group_2.yaml:" in told and "model.architecture: 'aitm'" in told
    assert not (tmp_path / "out").exists()


def test_help_teaches(capsys: pytest.CaptureFixture[str]) -> None:
    told = " ".join(said(capsys, "--help").split())
    assert "training.affinity_every=10 --no-push" in told and "gatewise groups runs --networks 2 --write" in told
