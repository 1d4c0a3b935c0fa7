"""The exporter of the retrieval model. `models.retrieval.inference` calls an exported model.

TensorFlow Transform is imported only when a model is exported.
"""

from __future__ import annotations

import json
import logging
import os
import shutil
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import tensorflow as tf

from models.features.layout import FeatureLayout
from models.files.version_folders import WARM_UP_FILE
from models.recipe.argument_names import argument_names
from models.retrieval.exact_index import ExactIndex
from models.retrieval.inference import ITEM, QUERY
from models.retrieval.item_table import raw_batches, read_items
from models.retrieval.plan import EXCLUDE, HISTORY, ITEMS_FILE, PRIOR_COLUMN, VECTOR_COLUMN, RetrievalPlan
from models.retrieval.two_tower import TwoTower
from models.serving import named_tensors, warm_up
from models.serving.inputs import INPUTS, typical_row
from models.serving.loading import load_saved_model
from models.serving.named_rows import named_columns
from models.serving.reproducible import settle, variables_read

logger = logging.getLogger(__name__)


_DTYPES = {"bytes": tf.string, "int": tf.int64, "float": tf.float32}


def export(
    model: TwoTower, plan: RetrievalPlan, layout: FeatureLayout, transform_graph: Path, items: str, directory: Path
) -> None:
    """Writes a SavedModel with its signatures, the item table with vectors, and the notes, atomically.

    `serving_default`: the user's columns by name and `history`, the last chosen items, newest first, in the format of the
    ranker's `raw`; `exclude`, items to leave out -> "item_ids" (batch, answers) and "scores", best first. Missing items
    are `exact_index.NO_ITEM` and -inf. Absent if there are more items than the recipe's `max_exact_items`.
    `query`: examples, (batch,) serialized tf.Examples with the user's columns and `history` -> "vector" (batch, dim).
    `item`: examples with an item's columns -> "vector" (batch, dim).
    The score of an item is the inner product of the two vectors. If items have a prior, the last entry of an item vector in
    the table is the prior, that of a query vector is 1, and that of an `item` vector is 0.

    Args:
        model: the trained model.
        plan: plan from the recipe.
        layout: feature layout.
        transform_graph: folder of the TransformGraph.
        items: glob of the item table's file.
        directory: folder to create or replace.

    Raises:
        InputError: the item table is empty, or lacks columns of the plan.
    """
    table = read_items(items, plan.item)
    ids = table.column(plan.item.column).to_numpy()
    prior = table.column(PRIOR_COLUMN).to_numpy()
    module = _module(model, plan, layout, transform_graph)
    # Uses the signature of the served model, so that the vectors in the table equal its output.
    vectors = np.concatenate(
        [module.raw_items(columns).numpy() for _, columns in raw_batches(table, plan.item_inputs)], axis=0
    )
    if plan.prior:
        vectors[:, -1] = prior
    signatures = {QUERY: module.query, ITEM: module.item}
    inputs = _inputs(plan)
    exact = len(ids) <= plan.options.max_exact_items
    if exact:
        module.index = ExactIndex(vectors, ids, plan.options.candidates)
        signatures["serving_default"] = _server(module, inputs)
    else:
        logger.warning(
            "Retrieval: %d items exceed `retrieval.max_exact_items` (%d), so the model returns only vectors. `gatewise index` "
            "builds an approximate index.",
            len(ids),
            plan.options.max_exact_items,
        )
    unfinished = directory.with_name(f".{directory.name}.tmp")
    shutil.rmtree(unfinished, ignore_errors=True)
    unfinished.parent.mkdir(parents=True, exist_ok=True)
    tf.saved_model.save(module, str(unfinished), signatures=signatures)
    settle(unfinished)
    (unfinished / "assets.extra").mkdir()
    notes = {
        "kind": "retrieval",
        "inputs": inputs,
        "arguments": argument_names(inputs),
        "user": plan.user.model_dump(),
        "item": plan.item.model_dump(),
        "item_inputs": {column: about.model_dump() for column, about in plan.item_inputs.items()},
        "dim": int(vectors.shape[1]),
        "prior": plan.prior,
        "items": len(ids),
        "answers": module.index.answers if exact else 0,
        "exported_at": int(time.time()),
    }
    (unfinished / INPUTS).write_text(json.dumps(notes, indent=2), encoding="utf-8")
    column = pa.FixedSizeListArray.from_arrays(pa.array(vectors.reshape(-1)), vectors.shape[1])
    pq.write_table(table.append_column(VECTOR_COLUMN, column), unfinished / ITEMS_FILE)
    if exact:
        warm_up.write(unfinished / WARM_UP_FILE, _warm_up_requests(inputs))
    shutil.rmtree(directory, ignore_errors=True)
    os.rename(unfinished, directory)


def _inputs(plan: RetrievalPlan) -> dict[str, dict[str, Any]]:
    """The named inputs of the signature serving_default."""
    items = {"type": plan.item.type, "multivalued": True, "side": "user", "separator": None}
    return {
        **{column: about.model_dump() for column, about in plan.user_inputs.items()},
        HISTORY: items,
        EXCLUDE: items,
    }


def _warm_up_requests(inputs: Mapping[str, Mapping[str, Any]]) -> list[Any]:
    names = argument_names(inputs)
    requests = []
    several: tuple[list[dict[str, Any]], ...] = ([{}], [{}, typical_row(inputs)])
    for rows in several:
        columns = named_columns(rows, inputs, inputs, "warm-up")
        requests.append(warm_up.request("serving_default", {names[name]: array for name, array in columns.items()}))
    return requests


def _module(model: TwoTower, plan: RetrievalPlan, layout: FeatureLayout, transform_graph: Path) -> tf.Module:
    """The signatures over one set of variables. As in `models.serving.export`, the module owns them, not the Keras model."""
    import tensorflow_transform as tft

    from models.features.preprocessing import pack

    output = tft.TFTransformOutput(str(transform_graph))
    module = tf.Module()
    module.transform = load_saved_model(output.transform_savedmodel_dir)
    spec = output.raw_feature_spec()
    users, items = model.sides

    def features(columns: Mapping[str, tf.SparseTensor], count: Any) -> dict[str, Any]:
        """Outputs of the transform graph for (count, ...) rows. Absent columns have no values."""
        return module.transform.transform_fn(
            {name: columns.get(name, named_tensors.no_values(about.dtype, count)) for name, about in spec.items()}
        )

    def history_ids(history: tf.SparseTensor) -> tf.Tensor:
        """(batch, length) int32: ids of the last items, newest first, padded with -1."""
        length = plan.options.history
        # Empty texts and missing numbers are not items.
        real = tf.not_equal(history.values, _missing(history.dtype))
        rows = tf.boolean_mask(history.indices[:, 0], real)
        ragged = tf.RaggedTensor.from_value_rowids(tf.boolean_mask(history.values, real), rows, history.dense_shape[0])
        ragged = ragged[:, :length]
        # Encodes each id by the same graph, as an item without other columns.
        count = tf.size(ragged.flat_values)
        places = tf.stack([tf.range(tf.cast(count, tf.int64)), tf.zeros([count], tf.int64)], axis=1)
        shape = tf.stack([tf.cast(count, tf.int64), tf.constant(1, tf.int64)])
        outputs = features({plan.item.column: tf.SparseTensor(places, ragged.flat_values, shape)}, count)
        ids = tf.cast(outputs[plan.history_feature], tf.int32)
        return ragged.with_flat_values(ids).to_tensor(-1, shape=(None, length))

    def user_vectors(columns: Mapping[str, tf.SparseTensor], history: tf.SparseTensor, count: Any) -> tf.Tensor:
        packed = pack(features(columns, count), users.layout)
        if users.history is not None:
            packed[f"multivalued/{HISTORY}"] = history_ids(history)
        vectors = model.user_vectors(packed)
        return tf.concat([vectors, tf.ones_like(vectors[:, :1])], axis=1) if plan.prior else vectors

    def item_vectors(columns: Mapping[str, tf.SparseTensor]) -> tf.Tensor:
        count = next(iter(columns.values())).dense_shape[0]
        vectors = model.item_vectors(pack(features(columns, tf.cast(count, tf.int32)), items.layout))
        return tf.concat([vectors, tf.zeros_like(vectors[:, :1])], axis=1) if plan.prior else vectors

    of_user = {column: tf.io.VarLenFeature(_DTYPES[about.type]) for column, about in plan.user_inputs.items()}
    of_item = {column: tf.io.VarLenFeature(_DTYPES[about.type]) for column, about in plan.item_inputs.items()}
    of_user[HISTORY] = tf.io.VarLenFeature(_DTYPES[plan.item.type])

    @tf.function(input_signature=[tf.TensorSpec((None,), tf.string, name="examples")], autograph=False)
    def query(examples: Any) -> dict[str, Any]:
        columns = dict(tf.io.parse_example(examples, of_user))
        history = columns.pop(HISTORY)
        return {"vector": user_vectors(columns, history, tf.size(examples))}

    @tf.function(input_signature=[tf.TensorSpec((None,), tf.string, name="examples")], autograph=False)
    def item(examples: Any) -> dict[str, Any]:
        return {"vector": item_vectors(tf.io.parse_example(examples, of_item))}

    @tf.function(
        input_signature=[{name: tf.SparseTensorSpec((None, None), about.dtype) for name, about in of_item.items()}],
        autograph=False,
    )
    def raw_items(columns: Any) -> Any:
        return item_vectors(columns)

    module.query, module.item, module.raw_items, module.user_vectors = query, item, raw_items, user_vectors
    module.model_variables = variables_read(query, item)
    return module


def _server(module: tf.Module, inputs: Mapping[str, Mapping[str, Any]]) -> Any:
    specs, missing = named_tensors.specs(inputs), named_tensors.missing_columns(inputs)

    @tf.function(input_signature=[specs], autograph=False)
    def serve(columns: Any = missing) -> dict[str, Any]:
        count = named_tensors.rows(columns)
        whole = {name: named_tensors.repeated(values, count) for name, values in columns.items()}
        sparse = {name: named_tensors.sparse(values) for name, values in whole.items() if name != EXCLUDE}
        history = sparse.pop(HISTORY)
        ids, scores = module.index(module.user_vectors(sparse, history, count), whole[EXCLUDE])
        return {"item_ids": ids, "scores": scores}

    module.serve = serve
    return serve


def _missing(dtype: tf.DType) -> Any:
    return tf.constant(b"" if dtype == tf.string else -(2**63), dtype)
