"""Checks of the section `kubeflow`: stage names, mounted folders, consistent values."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import PurePosixPath
from typing import TYPE_CHECKING

from models.recipe.kubeflow import NEVER_CACHED, InfraValidator, Kubeflow, StagePlace, place_of
from models.recipe.registry import known
from models.recipe.run_day import SCHEDULED, is_macro
from models.recipe.spans import LATEST
from models.recipe.units import format_duration

if TYPE_CHECKING:
    from models.recipe.recipe import Recipe
    from models.recipe.schedule import RunParameters

from models.recipe.checks.problem import Problem

ROOT_USERS = (
    *(
        "BaselineStatistics",
        "Validation",
        "Teacher",
        "Trainer",
        "References",
        "BaselineModel",
        "InfraValidator",
        "Pusher",
    ),
    *("RetrievalTrainer", "RetrievalBaseline", "RetrievalPusher"),
)
"""The stages that read or write below the folder `kubeflow.root`."""

RETRIEVAL_STAGES = ("Interactions", "RetrievalTrainer", "RetrievalBaseline", "RetrievalEvaluator", "RetrievalPusher")
"""The stages of the section `retrieval`."""


def stages_of(recipe: Recipe) -> tuple[str, ...]:
    """Stages of the recipe's pipeline on Kubeflow, named as in `kubeflow.stages`, in pipeline order."""
    schema = "SchemaGen" if recipe.validation.schema_path is None else "CuratedSchema"
    night = ("Night",) if recipe.logs is not None and recipe.logs.span is not None else ()
    before = (*night, "EventLogs", "Statistics", schema, "BaselineStatistics", "Validation", "Features")
    server = recipe.kubeflow is not None and recipe.kubeflow.infra_validator is not None
    return (
        *before,
        *(("Teacher",) if recipe.learns_from_blessed else ()),
        "Trainer",
        *(("References",) if recipe.references else ()),
        *("BaselineModel", "Evaluator", "Probe"),
        *(("InfraValidator",) if server else ()),
        *(RETRIEVAL_STAGES if recipe.retrieval is not None else ()),
        "Pusher",
    )


def kubeflow_problems(recipe: Recipe) -> Iterator[Problem]:
    """Problems of the section `kubeflow`: (location of the key, message)."""
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
                f"{name} is never cached, because the cache does not detect new files in an existing folder. Remove the key.",
            )
    yield from _place(("kubeflow", "defaults"), kubeflow.defaults)
    for name, place in kubeflow.stages.items():
        yield from _place(("kubeflow", "stages", name), place)
    readers = (
        "EventLogs",
        *(["Evaluator"] if recipe.evaluation.truth else []),
        *(["RetrievalEvaluator"] if recipe.retrieval and recipe.retrieval.truth else []),
    )
    yield from _mounts(kubeflow, "data", readers)
    users = (*ROOT_USERS, "Evaluator") if recipe.asks_for_best else ROOT_USERS
    users = (*users, "Night", "Features") if recipe.training.start == "warm" else users
    yield from _mounts(kubeflow, "root", tuple(stage for stage in stages if stage in users))
    if kubeflow.schedule is not None:
        yield from _parameters(recipe, kubeflow.schedule.parameters)
    if kubeflow.infra_validator is not None:
        yield from _server(kubeflow.infra_validator)


def _parameters(recipe: Recipe, given: RunParameters) -> Iterator[Problem]:
    """Problems of the parameters of scheduled runs."""
    location = ("kubeflow", "schedule", "parameters")
    if given.as_of is not None and recipe.logs is None:
        yield (*location, "as_of"), "as_of applies to logs; this recipe reads labelled examples. Remove the key."
    spans = recipe.logs is not None and recipe.logs.span is not None
    if given.as_of is not None and spans:
        yield (
            (*location, "as_of"),
            "with `logs.span`, the day of a run says what it reads. Remove the key, or set `day`.",
        )
    if given.day is not None and not spans:
        yield (*location, "day"), "names a day and needs `logs.span`. Set `span: 1d`, or remove the key."
    elif given.day is not None and given.day != LATEST and not is_macro(given.day):
        yield (
            (*location, "day"),
            f'received {given.day}: all runs of the schedule would read the same day. Write "{SCHEDULED}" or {LATEST}; for one run, '
            f"gatewise schedule run-now NAME --parameter day={given.day}.",
        )


def _server(server: InfraValidator) -> Iterator[Problem]:
    name = server.image.rpartition("/")[2]
    if ":" not in name and "@" not in name:
        yield (
            ("kubeflow", "infra_validator", "image"),
            f"the image has neither tag nor digest: add the version of your server, such as {server.image}:2.19.1.",
        )


def _mounts(kubeflow: Kubeflow, key: str, stages: tuple[str, ...]) -> Iterator[Problem]:
    """Reports a folder that is not on a mounted volume: it is lost with the pod, or does not exist."""
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
            f"no volume is mounted at {folder} in the pods of {', '.join(lacking)}. Add volumes: {{{folder}: NAME_OF_THE_CLAIM}} "
            "to kubeflow.defaults or to these stages.",
        )


def _place(location: tuple[str | int, ...], place: StagePlace) -> Iterator[Problem]:
    for index, toleration in enumerate(place.tolerations or ()):
        at = (*location, "tolerations", index)
        if toleration.operator == "Exists" and toleration.value is not None:
            yield (*at, "value"), "the operator Exists takes no value: remove the value, or write operator: Equal."
        if toleration.operator == "Equal" and toleration.key is None:
            yield at, "the operator Equal needs a key: add the key, or write operator: Exists to tolerate any taint."
    if place.retries is not None and place.retries.max_backoff < place.retries.backoff:
        longest, first = format_duration(place.retries.max_backoff), format_duration(place.retries.backoff)
        yield (*location, "retries"), f"the longest wait, {longest}, is shorter than the first, {first}."
    for name in sorted(set(place.environment) & set(place.secrets)):
        yield (*location, "secrets", name), "the variable is also set in 'environment'. Keep one of the two."
