"""The recipes of groups: every group of the included recipes is a recipe, and what names other tasks is gone."""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest

from models.recipe.checks import problems
from models.recipe.errors import InputError
from models.recipe.file import load_recipe, written_values
from models.recipe.recipe import Recipe
from pipeline.group_files import recipes_of, write_files
from pipeline.group_recipe import GroupRecipe, group_recipe, keeps_retrieval
from pipeline.run_affinities import RanRecipe
from pipeline.task_groups import Group

RECIPES = Path(__file__).resolve().parents[2] / "recipes"
SHOP = RECIPES / "shop.yaml"


def groups_of(tasks: Sequence[str]) -> Iterator[Group]:
    """Every group with every choice of what it serves."""
    for size in range(1, len(tasks) + 1):
        for group in itertools.combinations(tasks, size):
            for count in range(1, size + 1):
                for served in itertools.combinations(group, count):
                    yield Group(group, served)


def ran(file: Path, *overrides: str) -> RanRecipe:
    return RanRecipe(load_recipe(file, overrides), written_values(file, overrides), file.read_text(), file)


def made(group: Group, *overrides: str, file: Path = SHOP) -> GroupRecipe:
    of = ran(file, *overrides)
    return group_recipe(of.values, of.recipe, group, 1, retrieval=keeps_retrieval(of.recipe, group))


def written(folder: Path, one: GroupRecipe, of: RanRecipe) -> Recipe:
    write_files(folder, of, [one], "RUN")
    return load_recipe(folder / f"{one.name}.yaml")


@pytest.mark.parametrize("name", ["shop", "deskdrop"])
def test_every_group_is_a_recipe(name: str) -> None:
    of = ran(RECIPES / f"{name}.yaml", "training.affinity_every=10")
    for group in groups_of(list(of.recipe.tasks)):
        one = group_recipe(of.values, of.recipe, group, 3, retrieval=keeps_retrieval(of.recipe, group))
        recipe = Recipe.model_validate(one.values)
        assert problems(recipe) == []
        assert recipe.name == f"{name}_group_3" and recipe.training.affinity_every is None
        assert set(recipe.main_tasks) == set(group.served) and set(group.tasks) <= set(recipe.tasks)
        before = {task.conditioned_on for task in recipe.tasks.values()} - {None}
        assert set(recipe.tasks) - set(group.tasks) <= before <= set(recipe.tasks)
        for task, about in recipe.tasks.items():
            same = of.recipe.tasks[task]
            assert about == (
                same if task in group.served else same.model_copy(update={"role": "auxiliary", "gates": None})
            )
        assert recipe.features == of.recipe.features and recipe.model == of.recipe.model
        assert (recipe.serving == of.recipe.serving) == (
            name == "deskdrop" or len(group.served) == len(of.values["tasks"])
        )


def test_every_written_group_loads_with_its_comments(tmp_path: Path) -> None:
    of = ran(SHOP)
    for group in groups_of(list(of.recipe.tasks)):
        if group.served == group.tasks:
            folder, one = tmp_path / "-".join(group.tasks), made(group)
            recipe = written(folder, one, of)
            assert set(recipe.main_tasks) == set(group.served) and recipe.data == of.recipe.data
            text = (folder / f"{one.name}.yaml").read_text()
            assert text.startswith("# Group 1 of 1 of the tasks of shop, by the affinities that run RUN measured")
            assert all(comment in text for comment in ("# Chosen on the validate split", "# On a cluster"))
            assert ("# The score ranks by clicks" in text) == (len(group.tasks) == 4)


def test_by_hand(tmp_path: Path) -> None:
    of = ran(SHOP)
    one = made(Group(("cart", "order_value"), ("order_value",)))
    recipe = written(tmp_path, one, of)
    assert {name: task.role for name, task in recipe.tasks.items()} == {
        "click": "auxiliary", "cart": "auxiliary", "order": "auxiliary", "order_value": "main",
    }  # fmt: skip
    assert recipe.logs is not None and list(recipe.logs.streams) == ["impression", "click", "cart", "order"]
    assert recipe.evaluation.truth is not None and list(recipe.evaluation.truth.columns) == ["order_value"]
    assert recipe.retrieval is not None and recipe.serving.score is None and recipe.kubeflow == of.recipe.kubeflow
    assert one.notes == (
        "click is not in the best group; it is trained because it is the condition of cart and order.",
        "order is not in the best group; it is trained because it is the condition of order_value.",
        "serving.score needs click, cart and order from another model; here the score is order_value.",
    )
    clicks = written(tmp_path / "click", made(Group(("click",), ("click",))), of)
    assert clicks.logs is not None and list(clicks.logs.streams) == ["impression", "click"] and clicks.retrieval is None


def test_one_group_keeps_the_retrieval_model() -> None:
    all_but = Group(("cart", "click", "order"), ("cart",))
    first, second, third = recipes_of(ran(SHOP), [Group(("click",), ("click",)), all_but, all_but])
    assert "retrieval" in second.values
    assert "retrieval" not in first.values and "retrieval" not in third.values
    positive = recipes_of(ran(SHOP, "retrieval.positives={impression: 1}"), [Group(("click",), ("click",)), all_but])
    assert ["retrieval" in one.values for one in positive] == [True, False]


OPTIONS: list[tuple[list[str], str, Any]] = [
    (["model.balancer=metabalance", "model.balancer_options.metabalance.target=order"], "balancer_options", {"metabalance": {}}),
    (
        ["model.architecture=home", "model.options.home.groups=[[click, cart], [order], [order_value]]"],
        "home",
        {"groups": (("click", "cart"),)},
    ),
    (["model.options.joint_many_task.order=[cart, order, click]"], "joint_many_task", {"order": ("cart", "click")}),
    (["model.options.low_supervision.level={order: 1}"], "low_supervision", {}),
    (["model.options.dbmtl.parents={cart: [click], order: [click]}"], "dbmtl", {"parents": {"cart": ("click",)}}),
    (["model.regularizers.clustered.clusters=[[order, order_value], [click]]"], "regularizers", {"clustered": {"clusters": (("click",),)}}),
]  # fmt: skip


@pytest.mark.parametrize(("overrides", "where", "expected"), OPTIONS)
def test_options_name_only_tasks_of_the_group(overrides: list[str], where: str, expected: Any, tmp_path: Path) -> None:
    of, one = ran(SHOP, *overrides), made(Group(("cart", "click"), ("cart", "click")), *overrides)
    recipe = written(tmp_path, one, of)
    found = getattr(recipe.model, where, None) or recipe.model.options.get(where, {})
    assert {key: plain(value) for key, value in found.items()} == {key: plain(value) for key, value in expected.items()}
    assert any(note.startswith("model.") for note in one.notes)


def plain(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: plain(one) for key, one in value.items()}
    return [plain(one) for one in value] if isinstance(value, list | tuple) else value


def test_other_sections(tmp_path: Path) -> None:
    overrides = (
        "model.architecture=aitm", "serving.model_name=best", "serving.score=click * 2", "serving.weights={}",
        "serving.tunable_weights=false", "training.distill={teacher: blessed, tasks: [order, click]}",
        "tasks.order.conditioned_on=null", "tasks.order.after=cart", "validation.drift={label/order: 0.1, device: 0.1}",
        "kubeflow.stages.Teacher={memory: 4Gi}", "kubeflow.stages.Pusher={memory: 4Gi}", "kubeflow.stages.RetrievalPusher={memory: 4Gi}",
    )  # fmt: skip
    of = ran(SHOP, *overrides)
    # `after: cart` passes over cart, and the teacher stays for click alone.
    recipe = written(tmp_path / "1", made(Group(("click", "order"), ("click", "order")), *overrides), of)
    assert recipe.tasks["order"].after == "click" and recipe.serving.score == "click * 2"
    assert recipe.serving.model_name == "best_group_1"
    # What only tasks outside of the group need is gone.
    recipe = written(tmp_path / "2", made(Group(("cart",), ("cart",)), *overrides), of)
    assert recipe.training.distill is None and set(recipe.validation.drift) == {"device"}
    assert recipe.kubeflow is not None and set(recipe.kubeflow.stages) == {"Trainer", "Pusher"}
    recipe = written(tmp_path / "3", made(Group(("cart", "click"), ("cart", "click")), *overrides), of)
    assert recipe.training.distill is not None and recipe.training.distill.tasks == ("click",)
    # An architecture for funnels has nothing to do with one task: nothing is written.
    with pytest.raises(
        InputError, match=r"(?s)group 1 cannot be a recipe.*shop_group_1.yaml:\d+: model.architecture.*--networks"
    ):
        written(tmp_path / "4", made(Group(("click",), ("click",)), *overrides), of)
    assert not (tmp_path / "4").exists()


def test_adversarial_and_auxiliary_tasks_and_their_relations(tmp_path: Path) -> None:
    overrides = (
        "tasks.hidden={kind: binary, role: adversarial, outcome: cart, window: 1d}",
        "tasks.dear={kind: binary, role: auxiliary, outcome: order, window: 2d, above: 30.0, conditioned_on: click}",
        "tasks.order.objective=esmm",
    )
    one = made(Group(("dear", "order_value"), ("order_value",)), *overrides)
    recipe = written(tmp_path, one, ran(SHOP, *overrides))
    roles = {name: task.role for name, task in recipe.tasks.items()}
    assert roles == {
        "click": "auxiliary", "order": "auxiliary", "order_value": "main", "hidden": "adversarial", "dear": "auxiliary",
    }  # fmt: skip
    assert recipe.tasks["order"].objective == "esmm"
