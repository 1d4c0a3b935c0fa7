"""Exports the exact search of a catalogue as our exporter does, without the towers: python -m benchmarks.searches.served QUESTION.

In a process of its own, as what serves a model has not made it: it has its vectors in memory once. The question: folder of the
catalogue, k, and model, the folder to write.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import tensorflow as tf

from benchmarks.searches.catalogue import read_ids, read_vectors
from benchmarks.stages.door import answer, clock
from models.retrieval.exact_index import ExactIndex
from models.retrieval.recommenders import load_recommenders


def run(question: Mapping[str, Any]) -> dict[str, Any]:
    """The signature `serving_default`: queries (batch, dim), and ids to exclude (batch, any number) -> item_ids (batch, k).

    Returns:
        rows: items. seconds: from the item table to the exported model.
    """
    load_recommenders()
    folder = Path(question["folder"])
    with clock() as seconds:
        module = tf.Module()
        module.index = ExactIndex(read_vectors(folder), read_ids(folder), int(question["k"]))
        dim = module.index.variables_of_index[-1].shape[1]
        specs = [
            tf.TensorSpec((None, dim), tf.float32, name="queries"),
            tf.TensorSpec((None, None), tf.int64, name="exclude"),
        ]
        search = tf.function(
            lambda queries, exclude: {"item_ids": module.index(queries, exclude)[0]}, input_signature=specs
        )
        tf.saved_model.save(module, question["model"], signatures=search)
    return {"rows": module.index.items, "seconds": seconds[0]}


if __name__ == "__main__":
    answer(run)
