"""The checks of a recipe's section `kubeflow`: names of stages, folders that must be mounted, values that must agree."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import PurePosixPath
from typing import TYPE_CHECKING

from models.recipe.kubeflow import NEVER_CACHED, InfraValidator, Kubeflow, StagePlace, place_of
from models.recipe.registry import known
from models.recipe.units import format_duration

if TYPE_CHECKING:
    from models.recipe.recipe import Recipe

from models.recipe.checks.problem import Problem

ROOT_USERS = (
    *("BaselineStatistics", "Validation", "Trainer", "BaselineModel", "InfraValidator", "Pusher"),
    *("RetrievalTrainer", "RetrievalBaseline", "RetrievalPusher"),
)
"""The stages that read or write below the folder `kubeflow.root`."""

RETRIEVAL_STAGES = ("Interactions", "RetrievalTrainer", "RetrievalBaseline", "RetrievalEvaluator", "RetrievalPusher")
"""The stages of the section `retrieval`."""


def stages_of(recipe: Recipe) -> tuple[str, ...]:
    """The stages of the recipe's pipeline on Kubeflow, by the names that `kubeflow.stages` knows, in the order of the data."""
    schema = "SchemaGen" if recipe.validation.schema_path is None else "CuratedSchema"
    before = ("EventLogs", "Statistics", schema, "BaselineStatistics", "Validation", "Features", "Trainer")
    server = recipe.kubeflow is not None and recipe.kubeflow.infra_validator is not None
    return (
        *(*before, "BaselineModel", "Evaluator", "Probe"),
        *(("InfraValidator",) if server else ()),
        *(RETRIEVAL_STAGES if recipe.retrieval is not None else ()),
        "Pusher",
    )


def kubeflow_problems(recipe: Recipe) -> Iterator[Problem]:
    """What contradicts itself in the section `kubeflow`: (the key's location, what is wrong and what to write instead)."""
    kubeflow = recipe.kubeflow
    if kubeflow is None:
        return
    stages = stages_of(recipe)
    for name in kubeflow.stages:
        if name not in stages:
            yield ("kubeflow", "stages", name), f"the pipeline has no stage {name!r}; {known(name, stages)}"
        elif name in NEVER_CACHED and kubeflow.stages[name].caching:
            yield (
                ("kubeflow", "stages", name, "caching"),
                f"{name} is never taken from the cache, which does not see new files in an old folder. Remove the key.",
            )
    yield from _place(("kubeflow", "defaults"), kubeflow.defaults)
    for name, place in kubeflow.stages.items():
        yield from _place(("kubeflow", "stages", name), place)
    yield from _mounts(kubeflow, "data", ("EventLogs", "Evaluator") if recipe.evaluation.truth else ("EventLogs",))
    users = (*ROOT_USERS, "Evaluator") if recipe.asks_for_best else ROOT_USERS
    yield from _mounts(kubeflow, "root", tuple(stage for stage in stages if stage in users))
    if kubeflow.schedule is not None and kubeflow.schedule.parameters.as_of is not None and recipe.logs is None:
        yield (
            ("kubeflow", "schedule", "parameters", "as_of"),
            "labelled examples have no moment up to which logs are complete. Remove the key.",
        )
    if kubeflow.infra_validator is not None:
        yield from _server(kubeflow.infra_validator)


def _server(server: InfraValidator) -> Iterator[Problem]:
    name = server.image.rpartition("/")[2]
    if ":" not in name and "@" not in name:
        yield (
            ("kubeflow", "infra_validator", "image"),
            f"the image has neither tag nor digest: write the version that serves, such as {server.image}:2.19.1.",
        )


def _mounts(kubeflow: Kubeflow, key: str, stages: tuple[str, ...]) -> Iterator[Problem]:
    """A folder that no volume is mounted at or above ends with the pod, or is never there."""
    folder = getattr(kubeflow, key)
    if not folder.startswith("/"):
        return
    lacking = [
        stage
        for stage in stages
        if not any(PurePosixPath(folder).is_relative_to(volume) for volume in place_of(kubeflow, stage).volumes)
    ]
    if lacking:
        yield (
            ("kubeflow", key),
            f"no volume holds {folder} in the pods of {', '.join(lacking)}. Write volumes: {{{folder}: NAME_OF_THE_CLAIM}} "
            "in kubeflow.defaults, or for these stages.",
        )


def _place(location: tuple[str | int, ...], place: StagePlace) -> Iterator[Problem]:
    for index, toleration in enumerate(place.tolerations or ()):
        at = (*location, "tolerations", index)
        if toleration.operator == "Exists" and toleration.value is not None:
            yield (*at, "value"), "an operator Exists has no value: remove it, or write operator: Equal."
        if toleration.operator == "Equal" and toleration.key is None:
            yield at, "an operator Equal compares the taint of a key: write the key, or operator: Exists for any taint."
    if place.retries is not None and place.retries.max_backoff < place.retries.backoff:
        longest, first = format_duration(place.retries.max_backoff), format_duration(place.retries.backoff)
        yield (*location, "retries"), f"the longest wait, {longest}, is shorter than the first, {first}."
    for name in sorted(set(place.environment) & set(place.secrets)):
        yield (*location, "secrets", name), "the same variable stands in 'environment'. Keep one."
