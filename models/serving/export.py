"""The only exporter of ranking models. `models.serving.inference` calls an exported model.

TFX and TensorFlow Transform are imported only when a model is exported.
"""

from __future__ import annotations

import json
import os
import shutil
import time
from collections.abc import Callable, Collection, Mapping
from pathlib import Path
from typing import Any, Protocol

import tensorflow as tf

from models.features.layout import FeatureLayout
from models.files.version_folders import WARM_UP_FILE
from models.recipe import formula
from models.recipe.argument_names import argument_names
from models.serving import named_tensors, warm_up
from models.serving.inference import LOGGED, PREDICTOR, RANK, RAW, SERVER, argument
from models.serving.inputs import EXPECTED, INPUTS, typical_row
from models.serving.loading import load_saved_model
from models.serving.plan import ServingPlan
from models.serving.reproducible import settle, variables_read

Predictions = Callable[[Mapping[str, Any]], Mapping[str, Any]]
"""Packed columns -> {task: (batch,)}, in TensorFlow: `MultiTaskModel.predictions` of a trained model."""


class ForOneUser(Protocol):
    """The predictions for one user and many candidates: `UserOnce` of a trained model."""

    user_layout: FeatureLayout
    candidate_layout: FeatureLayout

    def __call__(self, user: Mapping[str, Any], candidates: Mapping[str, Any]) -> Mapping[str, Any]:
        """Packed columns of the user, (1, ...), and of the candidates, (candidate, ...) -> {task: (candidate,)}."""


def export(
    predictions: Predictions,
    transform_graph: Path,
    layout: FeatureLayout,
    directory: Path,
    *,
    inputs: Mapping[str, Mapping[str, Any]],
    kinds: Mapping[str, str],
    expected: Mapping[str, Any],
    plan: ServingPlan | None = None,
    for_one_user: ForOneUser | None = None,
    served: Mapping[str, Any] | None = None,
    shared: Collection[str] = (),
) -> None:
    """Writes a SavedModel with its signatures and its notes, atomically.

    `serving_default`: examples, (batch,) serialized tf.Examples with the raw columns -> {task: (batch,) float32}: a
    probability or a value. Absent columns are missing values.
    `raw`: the raw columns by name, (batch,) or, for lists, (batch, longest) -> the same. `named_rows.MISSING` marks
    a missing value. A single row is repeated for all rows. An absent column is missing (gRPC only; REST requires all inputs).
    `rank`: the user's columns with one row, the others with a row for each candidate or one for all of them ->
    {task: (candidate,) float32}, "score": (candidate,) float32, the score of the recipe, and "ranking": (candidate,) int32,
    the candidates' positions, best first, ties in request order. NaN scores come last. Tunable weights of the score are
    optional inputs, () float32.
    `transformed`: the packed columns of the trainer's data -> {task: (batch,) float32}.
    `logged`, only with `served` columns: as `serving_default`, with the values of the examples in these columns.
    All except `transformed` begin with the transform graph of the training data.

    Args:
        predictions: predictions of the trained model.
        transform_graph: folder of the TransformGraph.
        layout: feature layout from this folder.
        directory: folder to create or replace.
        inputs: {raw column: {"type", "multivalued", "side"}}.
        kinds: {task: "binary" or "regression"}.
        expected: {"example_ids": [...], "predictions": {task: [...]}}, for the probe.
        plan: score and weights. Default: the first task.
        for_one_user: the same predictions with the user's part computed once. Default: computed for each candidate.
        served: {raw column: value} that `serving_default`, `raw` and `rank` use in every row, whatever the request has.
        shared: user columns that features of the candidates read, too.
    """
    plan = plan or ServingPlan(score=next(iter(kinds)))
    tasks = tuple(kinds)
    module = _module(predictions, transform_graph, layout, inputs, tasks, plan, for_one_user, served or {}, shared)
    unfinished = directory.with_name(f".{directory.name}.tmp")
    shutil.rmtree(unfinished, ignore_errors=True)
    unfinished.parent.mkdir(parents=True, exist_ok=True)
    signatures = {SERVER: module.serve, RAW: module.raw, RANK: module.rank, PREDICTOR: module.transformed}
    if served:
        signatures[LOGGED] = module.logged
    tf.saved_model.save(module, str(unfinished), signatures=signatures)
    settle(unfinished)
    (unfinished / "assets.extra").mkdir()
    notes = {
        "inputs": inputs,
        "arguments": argument_names(inputs),
        "tasks": kinds,
        "weights": plan.tunable,
        "score": plan.score,
        "score_weights": dict(plan.weights),
        "served": sorted(served or {}),
        "exported_at": int(time.time()),
    }
    (unfinished / INPUTS).write_text(json.dumps(notes, indent=2), encoding="utf-8")
    (unfinished / EXPECTED).write_text(json.dumps(expected, indent=2), encoding="utf-8")
    rows = [{}, typical_row(inputs)]
    warm_up.write(unfinished / WARM_UP_FILE, warm_up.requests(rows, inputs, plan.tunable))
    shutil.rmtree(directory, ignore_errors=True)
    os.rename(unfinished, directory)


def _module(
    predictions: Predictions,
    transform_graph: Path,
    layout: FeatureLayout,
    inputs: Mapping[str, Mapping[str, Any]],
    tasks: tuple[str, ...],
    plan: ServingPlan,
    for_one_user: ForOneUser | None,
    served: Mapping[str, Any],
    shared: Collection[str],
) -> tf.Module:
    """The signatures over one set of variables.

    The module owns the variables that the predictions read, not the Keras model. With the model, Keras would trace its own
    signatures and save the optimizer.
    """
    import tensorflow_transform as tft

    from models.features.preprocessing import pack

    # Without AutoGraph, whose analysis takes most of a trace: branches and loops depend only on the layout.
    module = tf.Module()
    module.transform = load_saved_model(tft.TFTransformOutput(str(transform_graph)).transform_savedmodel_dir)
    spec = tft.TFTransformOutput(str(transform_graph)).raw_feature_spec()
    specs, missing = named_tensors.specs(inputs), named_tensors.missing_columns(inputs)
    parsed = formula.parse(plan.score, tasks, tuple(plan.weights))
    fixed = {name: tf.constant(value, tf.float32) for name, value in plan.weights.items()}
    tunable = {name: tf.TensorSpec((), tf.float32, name=name) for name in plan.tunable}

    def flat(answers: Mapping[str, Any]) -> dict[str, Any]:
        return {task: tf.reshape(answers[task], (-1,)) for task in tasks}

    def as_served(count: Any) -> dict[str, Any]:
        return {name: named_tensors.one_value(value, specs[name].dtype, count) for name, value in served.items()}

    def features(columns: Mapping[str, Any], count: Any) -> dict[str, Any]:
        """Outputs of the transform graph, (count, ...). Absent columns have no values."""
        given = {
            name: named_tensors.sparse(named_tensors.repeated(columns[name], count))
            if name in columns
            else named_tensors.no_values(spec.dtype, count)
            for name, spec in specs.items()
        }
        return module.transform.transform_fn({**given, **as_served(count)})

    def of_examples(columns: Mapping[str, Any]) -> dict[str, Any]:
        return flat(predictions(pack(module.transform.transform_fn(columns), layout)))

    asked = {name: about for name, about in spec.items() if name not in served}
    text = tf.TensorSpec((None,), tf.string, name="examples")

    @tf.function(input_signature=[text], autograph=False)
    def serve(examples: Any) -> dict[str, Any]:
        # A recipe that serves all of its columns as constants has nothing to parse.
        parsed = tf.io.parse_example(examples, asked) if asked else {}
        return of_examples({**parsed, **as_served(tf.size(examples))})

    @tf.function(input_signature=[text], autograph=False)
    def logged(examples: Any) -> dict[str, Any]:
        return of_examples(tf.io.parse_example(examples, spec))

    @tf.function(input_signature=[specs], autograph=False)
    def raw(columns: Any = missing) -> dict[str, Any]:
        return flat(predictions(pack(features(columns, named_tensors.rows(columns)), layout)))

    @tf.function(input_signature=[{**specs, **tunable}], autograph=False)
    def rank(columns: Any = {**missing, **{name: fixed[name] for name in tunable}}) -> dict[str, Any]:  # noqa: B006
        users = {name: columns[name] for name, about in inputs.items() if about["side"] == "user"}
        each = {name: columns[name] for name in inputs if name not in users}
        checks = [_one_row(users)] if users else []
        with tf.control_dependencies(checks):
            count = named_tensors.rows(each) if each else tf.constant(1)
        if for_one_user is None:
            answers = flat(predictions(pack(features({**users, **each}, count), layout)))
        else:
            # Two passes through the graph, because in one pass all columns have the same number of rows.
            user = pack(features(users, tf.constant(1)), for_one_user.user_layout)
            joined = {**each, **{name: users[name] for name in shared}}
            candidates = pack(features(joined, count), for_one_user.candidate_layout)
            answers = flat(for_one_user(user, candidates))
        weights = {name: columns[name] if name in tunable else fixed[name] for name in plan.weights}
        blend = formula.evaluate(parsed, {**answers, **weights}, lambda value: tf.constant(value, tf.float32))
        # The top_k below keeps the order of equal scores.
        best_first = tf.argsort(tf.where(tf.math.is_nan(blend), -float("inf"), blend), direction="DESCENDING")
        return {**answers, "score": blend, "ranking": best_first}

    @tf.function(input_signature=[packed_spec(layout)], autograph=False)
    def transformed(columns: Any) -> dict[str, Any]:
        return flat(predictions(columns))

    module.serve, module.logged, module.raw, module.rank, module.transformed = serve, logged, raw, rank, transformed
    module.model_variables = variables_read(transformed, rank)
    return module


def _one_row(columns: Mapping[str, Any]) -> tf.Operation:
    counts = tf.stack([tf.shape(values)[0] for values in columns.values()])
    names = ", ".join(sorted(columns))
    return tf.debugging.assert_equal(counts, 1, f"rank: expected one row for each user column: {names}.")


def packed_spec(layout: FeatureLayout) -> dict[str, tf.TensorSpec]:
    """Shapes and types of the packed columns, without empty ones."""
    shapes = {
        "categorical": (len(layout.categorical), tf.int32),
        "numeric": (len(layout.numeric), tf.float32),
        **{f"multivalued/{name}": (length, tf.int32) for name, (_, _, length) in layout.multivalued.items()},
    }
    return {
        name: tf.TensorSpec((None, width), dtype, name=argument(name))
        for name, (width, dtype) in shapes.items()
        if width
    }
