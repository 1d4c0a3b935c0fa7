"""The checks across sections of a recipe: names that must exist, windows that must agree, labels that must not leak."""

from __future__ import annotations

import os.path
import zoneinfo
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

from models.architectures import ARCHITECTURES
from models.balancing import BALANCERS
from models.beam_runners import beam_problems
from models.errors import InputError, masked
from models.locations import SECRET, bucket_and_key, has_secret, is_url
from models.loss_names import LOSS_KINDS
from models.penalties import PENALTIES
from models.recipe import (
    COUNTS,
    LOWER_IS_BETTER,
    METRICS,
    Bucketised,
    Categorical,
    MultiValued,
    Numeric,
    Recipe,
    Stream,
    Time,
    column_of,
    feature_columns,
    metrics_of,
    raw_type,
)
from models.recipe_kubeflow_checks import kubeflow_problems
from models.recipe_name_checks import name_problems
from models.recipe_retrieval_checks import retrieval_problems
from models.registry import check_options, known
from models.score import names, parse
from models.table_optimizers import TABLE_OPTIMIZERS
from models.units import format_duration

Problem = tuple[tuple[str | int, ...], str]

_OF_DATA = {"where", "positive", "slice", "nulls"}
"""Keys that hold values of the data, which may be URLs of any kind."""


def problems(recipe: Recipe) -> list[Problem]:
    """Everything that contradicts itself: (the key's location, what is wrong and what to write instead)."""
    checks: tuple[Callable[[Recipe], Iterator[Problem]], ...] = (
        _source,
        _data,
        _values,
        _streams,
        _tasks,
        _gates,
        _split,
        _features,
        _validation,
        _model,
        _training,
        _evaluation,
        retrieval_problems,
        name_problems,
        _serving,
        beam_problems,
        kubeflow_problems,
    )
    return [problem for check in checks for problem in check(recipe)]


def _source(recipe: Recipe) -> Iterator[Problem]:
    if (recipe.logs is None) == (recipe.examples is None):
        both = "both" if recipe.logs else "neither"
        yield (), f"expected either 'logs' (event streams) or 'examples' (already labelled), received {both}."
    if recipe.name == "serving":
        yield ("name",), "'serving' is the folder of the pushed models, beside the recipes' own. Choose another."


def _data(recipe: Recipe) -> Iterator[Problem]:
    if is_url(recipe.data):
        try:
            bucket_and_key(recipe.data)
        except InputError as error:
            yield ("data",), str(error)


def _values(recipe: Recipe) -> Iterator[Problem]:
    """What no array and no random generator holds would end in a crash somewhere on the way; a secret in what many read."""

    def check(value: object, location: tuple[str | int, ...]) -> Iterator[Problem]:
        if isinstance(value, Mapping | list | tuple):
            for key, inner in value.items() if isinstance(value, Mapping) else enumerate(value):
                yield from check(inner, (*location, key))
        elif isinstance(value, str) and location[:1] != ("data",) and not _OF_DATA & {*location} and has_secret(value):
            yield location, f"{masked(value)}: {SECRET}"
        elif isinstance(value, int) and not -(2**63) <= value < 2**63:
            yield location, f"expected a whole number of 64 bits, received one of {value.bit_length()}."

    yield from check(recipe.model_dump(by_alias=True), ())
    if 2**32 <= recipe.training.seed < 2**63:
        yield ("training", "seed"), f"expected a whole number below {2**32}, received {recipe.training.seed}."


def _streams(recipe: Recipe) -> Iterator[Problem]:
    if recipe.examples and recipe.examples.time:
        yield from _time(("examples", "time"), recipe.examples.time)
    if recipe.logs is None:
        return
    logs, at = recipe.logs, ("logs", "streams")
    if logs.impressions not in logs.streams:
        yield (
            ("logs", "impressions"),
            f"no stream is called {logs.impressions!r}; {known(logs.impressions, logs.streams)}",
        )
        return
    used = {logs.impressions} | {task.outcome for task in recipe.tasks.values()}
    expected = logs.streams[logs.impressions].key
    for name, stream in logs.streams.items():
        if name not in used:
            yield (*at, name), "no task names this stream as its outcome. Remove it, or add a task."
        if len(stream.key) != len(expected):
            yield (
                (*at, name, "key"),
                f"has {len(stream.key)} columns, the impressions' key has {len(expected)} ({', '.join(expected)}); "
                "they are compared one by one.",
            )
        yield from _time((*at, name, "time"), stream.time)
        yield from _same_rows(name, stream, recipe)


def _same_rows(name: str, stream: Stream, recipe: Recipe) -> Iterator[Problem]:
    """Two streams over the same files and rows would count each event twice."""
    streams = recipe.logs.streams if recipe.logs else {}
    for other_name, other in streams.items():
        if other_name < name and (other.path, other.where) == (stream.path, stream.where):
            yield (
                ("logs", "streams", name),
                f"reads the same rows as the stream {other_name!r}. Tell them apart with 'where', or use one stream for both.",
            )


def _time(location: tuple[str | int, ...], time: Time) -> Iterator[Problem]:
    zone = time.zone
    if time.format is not None and time.unit != "text":
        yield (
            (*location, "format"),
            f"a format is for texts, and `unit: {time.unit}` says that the column holds numbers. Write `unit: text`, or "
            "remove 'format'.",
        )
    if time.format is not None and "%" not in time.format:
        yield (
            (*location, "format"),
            f"expected codes of strptime, such as '%d.%m.%Y %H:%M:%S', received {time.format!r}.",
        )
    if zone is not None and zone not in zoneinfo.available_timezones():
        yield (
            (*location, "zone"),
            f"unknown time zone {zone!r}; expected an IANA name such as 'Europe/Vienna' or 'UTC'.",
        )


def _tasks(recipe: Recipe) -> Iterator[Problem]:
    for name, task in recipe.tasks.items():
        at = ("tasks", name)
        if recipe.logs is not None:
            if task.label is not None:
                yield (
                    (*at, "label"),
                    "labels come from the outcome stream here; 'label' is for recipes that start from 'examples'.",
                )
            if task.outcome is None:
                yield (
                    at,
                    f"the key 'outcome' is missing: the stream whose events are the positives; {known('', recipe.logs.streams)}",
                )
            elif task.outcome not in recipe.logs.streams:
                yield (
                    (*at, "outcome"),
                    f"no stream is called {task.outcome!r}; {known(task.outcome, recipe.logs.streams)}",
                )
            elif task.outcome == recipe.logs.impressions:
                yield (
                    (*at, "outcome"),
                    f"{task.outcome!r} is the impression stream; an impression cannot be its own outcome.",
                )
            elif task.kind == "regression" and recipe.logs.streams[task.outcome].value is None:
                yield (
                    (*at, "outcome"),
                    f"a regression task needs numbers: name the column in logs.streams.{task.outcome}.value.",
                )
            if task.window is None:
                yield (
                    at,
                    "the key 'window' is missing: how long after the impression an outcome still counts. Example: 7d.",
                )
        else:
            for key in ("outcome", "window"):
                if getattr(task, key) is not None:
                    yield (
                        (*at, key),
                        f"'{key}' is for recipes that start from 'logs'; labelled examples name the label's column in 'label'.",
                    )
            if task.label is None:
                yield (
                    at,
                    "the key 'label' is missing: the column with the task's label. "
                    "Example: {column: income, positive: ['50000+.']}.",
                )
            elif task.kind == "regression" and task.label.positive:
                yield (
                    (*at, "label", "positive"),
                    "a regression task learns the column's number; 'positive' is for binary tasks.",
                )
        if task.loss is not None and task.loss not in LOSS_KINDS:
            yield (*at, "loss"), f"unknown loss {task.loss!r}; {known(task.loss, LOSS_KINDS)}"
        elif task.loss is not None and LOSS_KINDS[task.loss] != task.kind:
            fitting = [loss for loss, kind in LOSS_KINDS.items() if kind == task.kind]
            yield (
                (*at, "loss"),
                f"{task.loss!r} is a loss for {LOSS_KINDS[task.loss]} tasks, this one is {task.kind}; {known('', fitting)}",
            )
        yield from _given(name, recipe)


def _given(name: str, recipe: Recipe) -> Iterator[Problem]:
    task = recipe.tasks[name]
    if task.given is None:
        return
    at = ("tasks", name, "given")
    if task.given not in recipe.tasks:
        yield (
            at,
            f"no task is called {task.given!r}; {known(task.given, [other for other in recipe.tasks if other != name])}",
        )
        return
    given = recipe.tasks[task.given]
    if given.kind != "binary":
        yield at, f"{task.given!r} is a regression task; only a binary task can have happened or not."
    seen: list[str] = [name]
    link: str | None = task.given
    while link is not None and link in recipe.tasks:
        if link in seen:
            yield at, f"the tasks wait for one another: {' -> '.join([*seen, link])}. Break the circle."
            return
        seen.append(link)
        link = recipe.tasks[link].given
    if task.window and given.window and task.window < given.window:
        yield (
            ("tasks", name, "window"),
            f"{format_duration(task.window)} is shorter than the {format_duration(given.window)} of {task.given!r}, "
            "which must have happened first. Make it at least as long.",
        )


LIMITS = ("at_least", "at_most", "beats", "max_loss_to_baseline", "max_loss_to_best")


def _gates(recipe: Recipe) -> Iterator[Problem]:
    sliced = {frozenset(entry) for entry in recipe.evaluation.slices}
    for name, task in recipe.tasks.items():
        for index, metric in enumerate(task.metrics or ()):
            if metric not in METRICS[task.kind]:
                yield (
                    ("tasks", name, "metrics", index),
                    f"unknown metric {metric!r} of a {task.kind} task; {known(metric, METRICS[task.kind])}",
                )
            elif metric == "gauc" and recipe.evaluation.group_key is None:
                yield ("tasks", name, "metrics", index), "gauc needs groups: name the column in evaluation.group_key."
        for index, gate in enumerate(task.gates or ()):
            at = ("tasks", name, "gates", index)
            reported = [metric for metric in metrics_of(task) if metric != "gauc" or recipe.evaluation.group_key]
            if gate.metric not in (*reported, *COUNTS):
                yield (
                    (*at, "metric"),
                    f"the task does not report {gate.metric!r}; {known(gate.metric, (*reported, *COUNTS))}",
                )
            if all(getattr(gate, limit) is None for limit in LIMITS):
                yield at, f"a gate needs a limit: {', '.join(LIMITS[:-1])} or {LIMITS[-1]}."
            if gate.beats is not None and gate.metric not in LOWER_IS_BETTER:
                yield (
                    (*at, "beats"),
                    f"the constant is compared by {', '.join(LOWER_IS_BETTER)}, not by {gate.metric!r}: its AUC is 0.5 "
                    "whatever the data, and its calibration is good by construction. Write at_least instead.",
                )
            if gate.metric in COUNTS and gate.max_loss_to_best is not None:
                yield (
                    (*at, "max_loss_to_best"),
                    f"{gate.metric} is a size of the eval split, and of no model; write at_least instead.",
                )
            if gate.at_least is not None and gate.at_most is not None and gate.at_least > gate.at_most:
                yield at, f"no value can be at least {gate.at_least} and at most {gate.at_most}."
            if gate.slice and frozenset(gate.slice) not in sliced:
                yield (
                    (*at, "slice"),
                    f"evaluation.slices has no entry with just the columns {sorted(gate.slice)}; add one.",
                )


def _split(recipe: Recipe) -> Iterator[Problem]:
    split, at = recipe.split, ("split",)
    given = [key for key in ("eval_fraction", "eval_last", "eval_from") if getattr(split, key) is not None]
    if recipe.examples is not None and recipe.examples.eval_path is not None:
        if given:
            yield (*at, given[0]), "examples.eval_path already names the eval split; remove one of the two."
    elif len(given) != 1:
        yield at, f"expected one of eval_fraction, eval_last, eval_from; received {' and '.join(given) or 'none'}."
    elif recipe.examples is not None and recipe.examples.time is None and given != ["eval_fraction"]:
        yield (*at, given[0]), "the examples have no time; name it in examples.time, or use eval_fraction."
    if recipe.logs and split.eval_from and recipe.logs.as_of != "latest" and split.eval_from >= recipe.logs.as_of:
        yield (
            (*at, "eval_from"),
            f"is not before logs.as_of ({recipe.logs.as_of.isoformat()}): the eval split would be empty.",
        )


def _features(recipe: Recipe) -> Iterator[Problem]:
    columns = feature_columns(recipe.features)
    tables: dict[str, str] = {}
    for name, feature in recipe.features.items():
        at = ("features", name)
        column = column_of(name, feature)
        first = columns[column]
        if raw_type(first) != raw_type(feature) or isinstance(first, MultiValued) != isinstance(feature, MultiValued):
            yield (
                at,
                f"another feature reads the column {column!r} as {first.kind} {raw_type(first)}, this one as "
                f"{feature.kind} {raw_type(feature)}. A column has one type: agree on it, or log it twice.",
            )
        if (first.side == "user") != (feature.side == "user"):
            yield (
                at,
                f"another feature reads the column {column!r} on the side {first.side!r}, this one on the side "
                f"{feature.side!r}: a ranking request has it once, or once for each candidate. Agree on the side.",
            )
        if f"{name}_missing" in recipe.features and isinstance(feature, Numeric):
            yield (
                ("features", f"{name}_missing"),
                f"the name is taken by the input that says whether {name!r} is missing. Choose another.",
            )
        if isinstance(feature, Bucketised):
            if (feature.buckets is None) == (feature.boundaries is None):
                yield at, "expected either 'buckets' (how many, at quantiles) or 'boundaries' (the limits themselves)."
            if feature.boundaries is not None and (
                not feature.boundaries or list(feature.boundaries) != sorted(set(feature.boundaries))
            ):
                yield (*at, "boundaries"), f"expected rising numbers, received {list(feature.boundaries)}."
        if isinstance(feature, Categorical | MultiValued):
            yield from _hashed(at, feature)
        if isinstance(feature, Categorical | MultiValued) and feature.embedding is not None:
            if (
                feature.embedding in recipe.features
                and feature.embedding != name
                and getattr(recipe.features[feature.embedding], "embedding", None) != feature.embedding
            ):
                yield (
                    (*at, "embedding"),
                    f"a feature is called {feature.embedding!r} and has its own table. To share it, write "
                    f"'embedding: {feature.embedding}' there as well.",
                )
            other = tables.setdefault(feature.embedding, name)
            for key in ("type", "vocabulary", "min_count", "oov_buckets", "hash_buckets", "compositional", "dim"):
                ours, theirs = getattr(feature, key), getattr(recipe.features[other], key)
                if ours != theirs:
                    yield (
                        at,
                        f"shares the embedding {feature.embedding!r} with {other!r}, so {key} must agree: "
                        f"{theirs!r} there, {ours!r} here.",
                    )
        for task_name, task in recipe.tasks.items():
            if task.label is not None and task.label.column == column:
                yield (
                    at,
                    f"the column {column!r} is the label of the task {task_name!r}: the model would read the answer. "
                    "Remove the feature.",
                )


def _hashed(at: tuple[str, str], feature: Categorical | MultiValued) -> Iterator[Problem]:
    if feature.hash_buckets is None:
        if feature.vocabulary is None:
            yield at, "without a vocabulary it needs 'hash_buckets': how many ids its values share. Example: 1000000."
        if feature.compositional:
            yield (
                (*at, "compositional"),
                "is for features without a vocabulary: write 'vocabulary: null' and 'hash_buckets: <rows of each table>'.",
            )
        return
    if feature.vocabulary is not None:
        yield (
            (*at, "hash_buckets"),
            "gives every value an id by its hash, a vocabulary the frequent ones an id of their own. Write "
            "'vocabulary: null' beside it, or remove it and give the rare values 'oov_buckets'.",
        )
    for key in ("min_count", "oov_buckets"):
        if getattr(feature, key) != 1:
            yield (
                (*at, key),
                f"says which values a vocabulary leaves out; with 'hash_buckets' there is none. Remove '{key}'.",
            )


def _is_text(path: str) -> bool:
    try:
        Path(path).read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError):
        return False
    return True


def _validation(recipe: Recipe) -> Iterator[Problem]:
    path = recipe.validation.schema_path
    if path is not None and not os.path.isfile(path):
        yield ("validation", "schema"), f"no such file: {path}. Expected a TFDV schema as text proto."
    elif path is not None and not _is_text(path):
        yield ("validation", "schema"), f"{path} is no UTF-8 text. Expected a TFDV schema as text proto."
    columns = [
        *feature_columns(recipe.features),
        *(f"{part}/{task}" for task in recipe.tasks for part in ("label", "weight")),
    ]
    for column in recipe.validation.drift:
        if column not in columns:
            yield ("validation", "drift", column), f"the examples have no column {column!r}; {known(column, columns)}"


def _model(recipe: Recipe) -> Iterator[Problem]:
    model = recipe.model
    for key, name, table, options in (
        ("architecture", model.architecture, ARCHITECTURES, ("options", model.options)),
        ("balancer", model.balancer, BALANCERS, ("balancer_options", model.balancer_options)),
    ):
        if name not in table:
            yield ("model", key), f"unknown {key} {name!r}; {known(name, table)}"
        yield from _options(("model", options[0]), options[1], table, key)
    yield from _options(("model", "penalties"), model.penalties, PENALTIES, "penalty")


def _training(recipe: Recipe) -> Iterator[Problem]:
    name = recipe.training.table_optimizer
    if name is not None and name not in TABLE_OPTIMIZERS:
        yield ("training", "table_optimizer"), f"unknown table optimizer {name!r}; {known(name, TABLE_OPTIMIZERS)}"


def _options(at: tuple[str | int, ...], options: object, table: dict[str, str], what: str) -> Iterator[Problem]:
    for name, values in dict(options).items():  # type: ignore[call-overload]
        if name not in table:
            yield (*at, name), f"unknown {what} {name!r}; {known(name, table)}"
            continue
        for option, value in values.items():
            try:
                check_options({option: value}, table[name], ".".join(map(str, (*at, name))))
            except InputError as error:
                yield (*at, name, option), str(error).split(": ", 1)[1]


def _evaluation(recipe: Recipe) -> Iterator[Problem]:
    for index, entry in enumerate(recipe.evaluation.slices):
        if not entry or len(set(entry)) != len(entry):
            yield ("evaluation", "slices", index), f"expected one or several different columns, received {list(entry)}."
        for column in entry:
            if isinstance(feature_columns(recipe.features).get(column), MultiValued):
                yield (
                    ("evaluation", "slices", index),
                    f"the column {column!r} has several values for one example; slice by a column with one.",
                )
    group_key = recipe.evaluation.group_key
    if group_key and isinstance(feature_columns(recipe.features).get(group_key), MultiValued):
        yield (
            ("evaluation", "group_key"),
            f"the column {group_key!r} has several values for one example; group by a column with one.",
        )
    truth = recipe.evaluation.truth
    if truth is None:
        return
    if (
        recipe.logs is None
        or recipe.logs.impressions not in recipe.logs.streams
        or recipe.logs.streams[recipe.logs.impressions].event_id is None
    ):
        yield (
            ("evaluation", "truth"),
            "the truth is joined by the impression's event id: name it in the impression stream's 'event_id'.",
        )
    for task in truth.columns:
        if task not in recipe.tasks:
            yield ("evaluation", "truth", "columns", task), f"no task is called {task!r}; {known(task, recipe.tasks)}"


def _serving(recipe: Recipe) -> Iterator[Problem]:
    serving, tasks = recipe.serving, tuple(recipe.tasks)
    if serving.score is None:
        if serving.weights:
            yield ("serving", "weights"), "weights are for a formula: write it in 'score', or remove them."
    else:
        try:
            used = names(parse(serving.score, tasks, tuple(serving.weights)))
        except InputError as error:
            yield ("serving", "score"), str(error)
        else:
            for weight in serving.weights:
                if weight not in used:
                    yield ("serving", "weights", weight), "the formula in 'score' does not use it. Remove it."
    if serving.tunable_weights and not serving.weights:
        yield (
            ("serving", "tunable_weights"),
            "there is no weight to tune: name one in 'weights', and use it in 'score'.",
        )
