"""Checks of the section `retrieval`: undefined names, towers that read the label, impossible limits."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from models.recipe.features import column_types, columns_of, feature_columns, has_list
from models.recipe.registry import known
from models.recipe.retrieval import SUFFIX, TRUE_RECALL, Retrieval, metric_names
from models.recipe.retrieval_columns import history_feature, item_features, user_features

if TYPE_CHECKING:
    from models.recipe.recipe import Recipe

from models.recipe.checks.problem import Problem

TAKEN = ("history", "exclude", "examples", "seen", "relevant")
"""Reserved names: inputs of the served model and columns of the eval queries."""


def retrieval_problems(recipe: Recipe) -> Iterator[Problem]:
    """Problems of the section `retrieval`: (location of the key, message)."""
    yield from _folder(recipe)
    section = recipe.retrieval
    if section is None:
        return
    if recipe.logs is None:
        yield (
            ("retrieval",),
            "a retrieval model learns from interactions with user, item and time, which labelled examples lack. Start from "
            "'logs', or remove the section.",
        )
    yield from _ids(recipe, section)
    yield from _positives(recipe, section)
    yield from _context(recipe, section)
    yield from _towers(recipe, section)
    yield from _history(recipe, section)
    yield from _taken(recipe, section)
    yield from _training(section)
    yield from _gates(section)


def _folder(recipe: Recipe) -> Iterator[Problem]:
    """Prevents two recipes under one root from pushing a ranker and a retrieval model to the same folder."""
    key = ("name",) if recipe.serving.model_name is None else ("serving", "model_name")
    served = recipe.serving.model_name or recipe.name
    if served.endswith(SUFFIX):
        yield (
            key,
            f"the folder {served!r} is reserved for the retrieval models of a ranker {served.removesuffix(SUFFIX)!r}. Choose a "
            f"serving.model_name that does not end in {SUFFIX}.",
        )


def _ids(recipe: Recipe, section: Retrieval) -> Iterator[Problem]:
    columns, types = feature_columns(recipe.features), column_types(recipe.features)
    if section.user == section.item:
        yield ("retrieval", "item"), f"{section.item!r} is already the user column. Set the column of the item ids."
    for key, column in (("user", section.user), ("item", section.item)):
        feature = columns.get(column)
        if feature is None:
            continue
        if types[column] == "float" or has_list(feature):
            yield (
                ("retrieval", key),
                f"a feature reads the column {column!r} as {feature.kind}, so it cannot identify a single {key}. Make the feature "
                "categorical, of type string or integer.",
            )


def _positives(recipe: Recipe, section: Retrieval) -> Iterator[Problem]:
    impressions = recipe.logs.impressions if recipe.logs else None
    binary = [name for name, task in recipe.tasks.items() if task.kind == "binary"]
    names = [*binary, *([impressions] if impressions else [])]
    for name in section.positives:
        at = ("retrieval", "positives", name)
        if name in recipe.tasks and name == impressions:
            yield at, "both a task and the impression stream have this name. Rename the task."
        elif name in recipe.tasks and name not in binary:
            yield at, f"{name!r} is a regression task; positives need a binary task. {known('', names)}"
        elif name in recipe.tasks and recipe.tasks[name].match == "user":
            yield (
                at,
                f"{name!r} has 'match: user': it says what the user does later, not that the item was right. Choose a task with "
                "outcomes of the impression.",
            )
        elif name not in names:
            yield at, f"{name!r} is neither a binary task nor the impression stream; {known(name, names)}"


def _context(recipe: Recipe, section: Retrieval) -> Iterator[Problem]:
    of_context = [name for name, feature in recipe.features.items() if feature.side == "context"]
    for index, name in enumerate(section.context):
        at = ("retrieval", "context", index)
        if name not in recipe.features:
            yield at, f"no feature is called {name!r}; features of side context: {known(name, of_context)}"
        elif recipe.features[name].side == "user":
            yield at, f"{name!r} is of side user; the user tower already reads it. Remove it."
        elif recipe.features[name].side == "item":
            yield at, f"{name!r} is of side item: the user tower would read the label. Remove it."
        elif recipe.features[name].served_as is not None:
            yield at, f"{name!r} has 'served_as', so no request has its value. Remove it from the context."
        elif name in section.context[:index]:
            yield at, f"{name!r} is listed twice. Remove one."


def _towers(recipe: Recipe, section: Retrieval) -> Iterator[Problem]:
    of_user, of_item = user_features(recipe, section), item_features(recipe)
    if not of_item:
        yield (
            ("retrieval",),
            "the item tower has no input: no feature is of side item. Write 'side: item' for the features that describe the "
            f"item, such as a categorical feature of the column {section.item!r}.",
        )
    if not of_user and not section.history:
        yield (
            ("retrieval",),
            "the user tower has no input. Write 'side: user' for a feature that describes the user, list features in "
            "'context', or set 'history' above 0.",
        )
    answers = {section.item, *(column for name, feature in of_item.items() for column in columns_of(name, feature))}
    for name, feature in of_user.items():
        for column in answers.intersection(columns_of(name, feature)) if feature.side != "item" else ():
            at = (
                ("retrieval", "context", section.context.index(name)) if name in section.context else ("features", name)
            )
            yield at, f"its column {column!r} describes the item: the user tower would read the label. Remove it."
    for name, feature in of_item.items():
        if section.user in columns_of(name, feature):
            yield (
                ("features", name),
                f"its column {section.user!r} identifies the user, but the item tower reads only the item. Write 'side: user'.",
            )


def _history(recipe: Recipe, section: Retrieval) -> Iterator[Problem]:
    if section.history and not history_feature(recipe, section):
        yield (
            ("retrieval", "history"),
            f"needs a categorical feature of side item that reads the column {section.item!r}, with a vocabulary or "
            "hash_buckets and without quotient_remainder: the history uses its ids. Add one, or write 'history: 0'.",
        )


def _taken(recipe: Recipe, section: Retrieval) -> Iterator[Problem]:
    columns = {
        column: name for name, feature in user_features(recipe, section).items() for column in columns_of(name, feature)
    }
    for column in columns:
        if column.lower() in TAKEN:  # TensorFlow ignores case
            yield (
                ("features", columns[column]),
                f"the name of its column {column!r} is reserved for the retrieval model and its eval queries. "
                f"Rename the column; reserved names are {', '.join(TAKEN)}.",
            )
    if section.user in TAKEN and section.user not in columns:
        yield (
            ("retrieval", "user"),
            f"the column has a reserved name. Rename it; reserved names are {', '.join(TAKEN)}.",
        )


def _training(section: Retrieval) -> Iterator[Problem]:
    if section.prior is not None and section.log_q:
        yield (
            ("retrieval", "log_q"),
            "makes the model learn the popularity of items, which 'prior' would add a second time. Items without a train "
            "positive learn nothing. Write 'log_q: false', or remove 'prior'.",
        )
    elif section.batches == "by_time" and section.log_q:
        yield (
            ("retrieval", "log_q"),
            "corrects for the sampling probability of an item over the whole train split, but 'batches: by_time' samples "
            "negatives from the same time only. Write 'log_q: false'; a 'prior' usually helps.",
        )
    if section.hard_negatives is not None and section.hard_negatives >= section.batch_size:
        yield (
            ("retrieval", "hard_negatives"),
            f"a batch of {section.batch_size} rows has {section.batch_size - 1} negatives per row. Write fewer, or remove the key.",
        )


def _gates(section: Retrieval) -> Iterator[Problem]:
    names = metric_names(section.k, truth=section.truth is not None)
    for index, gate in enumerate(section.gates):
        at = ("retrieval", "gates", index)
        if gate.metric.split("@")[0] == TRUE_RECALL and section.truth is None:
            yield (
                (*at, "metric"),
                f"{gate.metric} needs the truly best items, which are known only for simulated logs. Set 'retrieval.truth', or "
                "choose weighted_recall or recall.",
            )
        elif gate.metric not in names:
            yield (*at, "metric"), f"unknown metric {gate.metric!r}; {known(gate.metric, names)}"
        if all(limit is None for limit in (gate.at_least, gate.at_most, gate.beats, gate.max_loss_to_baseline)):
            yield at, "a gate needs a limit: at_least, at_most, beats or max_loss_to_baseline."
        if gate.beats == "prior" and section.prior is None:
            yield (*at, "beats"), "the section has no prior to beat. Add 'prior', or choose another method."
        if gate.at_least is not None and gate.at_most is not None and gate.at_least > gate.at_most:
            yield at, f"no value can be at least {gate.at_least} and at most {gate.at_most}."
