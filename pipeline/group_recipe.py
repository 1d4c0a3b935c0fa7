"""The recipe of one group of tasks: the values of a recipe without the tasks outside of the group and all that names them."""

from __future__ import annotations

import copy
import dataclasses
from collections.abc import Collection, Mapping
from typing import Any

from models.architectures import ARCHITECTURES
from models.backbones import BACKBONES
from models.balancing import BALANCERS
from models.losses import LOSSES
from models.objectives import OBJECTIVES
from models.recipe.checks.distill import distillable
from models.recipe.checks.kubeflow import RETRIEVAL_STAGES
from models.recipe.checks.tasks import OF_MAIN_TASKS
from models.recipe.formula import names, parse
from models.recipe.names_in_options import only_names
from models.recipe.recipe import Recipe
from models.recipe.registry import path_of
from models.recipe.tasks import after_of, funnel_of
from models.regularizers import REGULARIZERS
from pipeline.task_groups import Group

_OPTIONS: Mapping[tuple[str, ...], tuple[Mapping[str, str], str]] = {
    ("model", "options"): (ARCHITECTURES, "architecture"),
    ("model", "backbone_options"): (BACKBONES, "backbone"),
    ("model", "balancer_options"): (BALANCERS, "balancer"),
    ("model", "regularizers"): (REGULARIZERS, "regularizer"),
    ("training", "distill", "options"): (ARCHITECTURES, "architecture"),
}
_OPTIONS_OF_TASK = {"loss_options": (LOSSES, "loss"), "objective_options": (OBJECTIVES, "objective")}


@dataclasses.dataclass(frozen=True)
class GroupRecipe:
    """The recipe of a group.

    Attributes:
        name: its name.
        values: its values, as they are written in a file.
        group: the tasks that it trains, which may be more than those of the best group, and those that it serves.
        notes: what a reader should know about how it differs from the recipe of all tasks, a sentence each.
    """

    name: str
    values: dict[str, Any]
    group: Group
    notes: tuple[str, ...]


def group_recipe(
    values: Mapping[str, Any], recipe: Recipe, group: Group, number: int, retrieval: bool = False
) -> GroupRecipe:
    """The recipe of a group.

    A task that is trained and not served becomes auxiliary. The tasks that a task is `conditioned_on` stay, as auxiliary
    tasks if the group does not have them, and so do adversarial tasks. `after` passes over tasks that are not in the group. The
    score stays if the group serves all of its tasks.

    Args:
        values: the values of the recipe of all tasks, as written in its file.
        recipe: the same, checked.
        group: the group.
        number: its number, from 1.
        retrieval: whether it keeps the retrieval model.
    """
    edit = _Edit(values, recipe, group, f"_group_{number}")
    edit.relations()
    edit.tasks()
    edit.streams()
    edit.options()
    edit.training()
    edit.evaluation()
    edit.serving()
    if not retrieval:
        edit.without_retrieval()
    return edit.done()


def keeps_retrieval(recipe: Recipe, group: Group) -> bool:
    """Whether a group trains all tasks whose positives the retrieval model of the recipe learns."""
    named = set(recipe.retrieval.positives) & set(recipe.tasks) if recipe.retrieval else set()
    return recipe.retrieval is not None and named <= _kept(recipe, group)


def _kept(recipe: Recipe, group: Group) -> set[str]:
    hidden = {name for name, task in recipe.tasks.items() if task.role == "adversarial"}
    return {one for name in hidden.union(group.tasks) for one in (name, *funnel_of(name, recipe.tasks))}


class _Edit:
    """A recipe on its way to the recipe of a group."""

    def __init__(self, values: Mapping[str, Any], recipe: Recipe, group: Group, suffix: str) -> None:
        self.values, self.recipe, self.group, self.suffix = copy.deepcopy(dict(values)), recipe, group, suffix
        self.kept = _kept(recipe, group)
        self.served = [name for name in recipe.main_tasks if name in group.served]
        self.notes: list[str] = []
        self.values["name"] = f"{recipe.name}{suffix}"

    def done(self) -> GroupRecipe:
        tasks = tuple(name for name in self.recipe.tasks if name in self.kept)
        return GroupRecipe(self.values["name"], self.values, Group(tasks, tuple(self.served)), tuple(self.notes))

    def relations(self) -> None:
        for name in (name for name in self.recipe.tasks if name in self.kept - set(self.group.tasks)):
            if self.recipe.tasks[name].role != "adversarial":
                on = [one for one in self.recipe.tasks if self.recipe.tasks[one].conditioned_on == name]
                on = [one for one in on if one in self.kept]
                self.notes.append(
                    f"{name} is not in the best group; it is trained because it is the condition of {_and(on)}."
                )

    def tasks(self) -> None:
        self.values["tasks"] = {
            name: self._task(name, task) for name, task in self.values["tasks"].items() if name in self.kept
        }

    def _task(self, name: str, task: Mapping[str, Any]) -> dict[str, Any]:
        about, left = self.recipe.tasks[name], dict(task)
        if about.role == "main" and name not in self.served:
            left = {}
            for key in [key for key in task if key not in (*OF_MAIN_TASKS, "role")]:
                left[key] = task[key]
                if key == "kind":
                    left["role"] = "auxiliary"
        if about.after is not None and about.after not in self.kept:
            before: str | None = about.after
            while before is not None and before not in self.kept:
                before = after_of(self.recipe.tasks[before])
            _put(left, ("after",), before)
        for key, (table, what) in _OPTIONS_OF_TASK.items():
            if left.get(key):
                _put(left, (key,), self._only(left[key], table, what, f"tasks.{name}.{key}"))
        return left

    def streams(self) -> None:
        """Without the streams that no task needs any more, which the checks of a recipe refuse."""
        logs = self.recipe.logs
        if logs is not None:
            used = {logs.impressions} | {self.recipe.tasks[name].outcome for name in self.kept}
            streams = {name: about for name, about in self.values["logs"]["streams"].items() if name in used}
            self.values["logs"]["streams"] = streams
        gone = {f"{part}/{task}" for part in ("label", "weight") for task in set(self.recipe.tasks) - self.kept}
        self._filter(("validation", "drift"), lambda column: column not in gone)

    def options(self) -> None:
        for place, (table, what) in _OPTIONS.items():
            if options := _get(self.values, place):
                _put(self.values, place, self._only(options, table, what, ".".join(place)))

    def _only(self, options: Mapping[str, Any], table: Mapping[str, str], what: str, where: str) -> dict[str, Any]:
        kept = [name for name in self.kept if self.recipe.tasks[name].role != "adversarial"]
        made: dict[str, Any] = {}
        for method, values in options.items():
            path, made[method] = path_of(method, table, what), {}
            for option, value in (values or {}).items():
                left = only_names(path, option, value, "task", kept)
                if left is not None or value is None:
                    made[method][option] = left
                if left != value:
                    shown = "has its default" if left is None else "names only tasks of the group"
                    self.notes.append(f"{where}.{method}.{option} {shown}.")
        return made

    def training(self) -> None:
        _put(self.values, ("training", "affinity_every"), None)
        distill = self.recipe.training.distill
        if distill is None:
            return
        wanted = [name for name in distill.tasks or distillable(self.recipe) if name in self.served]
        if not wanted:
            self.notes.append("No task of the group learns from a teacher, so it has no training.distill.")
            _put(self.values, ("training", "distill"), None)
            _put(self.values, ("kubeflow", "stages", "Teacher"), None)
        elif distill.tasks is not None:
            _put(self.values, ("training", "distill", "tasks"), wanted)

    def evaluation(self) -> None:
        self._filter(("evaluation", "truth", "columns"), lambda task: task in self.served)
        if self.recipe.evaluation.truth and not _get(self.values, ("evaluation", "truth", "columns")):
            _put(self.values, ("evaluation", "truth"), None)

    def serving(self) -> None:
        serving = self.recipe.serving
        if serving.model_name is not None:
            self.values["serving"]["model_name"] = f"{serving.model_name}{self.suffix}"
        if serving.score is None:
            return
        used = names(parse(serving.score, tuple(self.recipe.main_tasks), tuple(serving.weights)))
        missing = [name for name in self.recipe.main_tasks if name in used and name not in self.served]
        if missing:
            self.notes.append(
                f"serving.score needs {_and(missing)} from another model; here the score is {self.served[0]}."
            )
            for key in ("score", "weights", "tunable_weights"):
                _put(self.values, ("serving", key), None)

    def without_retrieval(self) -> None:
        if self.recipe.retrieval is not None:
            _put(self.values, ("retrieval",), None)
            for stage in RETRIEVAL_STAGES:
                _put(self.values, ("kubeflow", "stages", stage), None)

    def _filter(self, place: tuple[str, ...], keeps: Any) -> None:
        if values := _get(self.values, place):
            _put(self.values, place, {key: value for key, value in values.items() if keeps(key)})


def _get(values: Any, place: Collection[str]) -> Any:
    for key in place:
        values = values.get(key) if isinstance(values, Mapping) else None
    return values


def _put(values: dict[str, Any], place: tuple[str, ...], new: Any) -> None:
    """Puts a value at a place, or removes what is there: for None or {}, with the sections that become empty."""
    key, *inner = place
    if key not in values:
        return
    if inner:
        if not isinstance(values[key], dict):
            return
        _put(values[key], tuple(inner), new)
        new = values[key]
    if new is None or new == {}:
        del values[key]
    else:
        values[key] = new


def _and(words: list[str]) -> str:
    return " and ".join([", ".join(words[:-1]), words[-1]] if words[1:] else words)
