"""Methods to search a catalogue. Each imports its packages and returns a function that prepares the search; imports are not timed."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from benchmarks.searches.catalogue import read_ids, read_vectors

Search = Callable[[NDArray[np.float32]], NDArray[np.int64]]
"""(query, dim) -> (query, k) ids, the best first."""

Ready = Callable[[], tuple[Search, dict[str, Any]]]
"""Gets ready to search, from the item table on; and what there is to say."""

MODEL = "served"
"""Folder of the exported model, in a catalogue's."""

_STREAMED = 65_536  # items that TFRS Streaming compares at once


def served(folder: Path, k: int, out: Path) -> Ready:
    """What our exported model does when it is asked, after the user's tower: TFRS BruteForce, and the place of the ids to exclude.

    Of a model that `benchmarks.searches.served` has exported to MODEL in the catalogue's folder.
    """
    import tensorflow as tf

    def ready() -> tuple[Search, dict[str, Any]]:
        signature = tf.saved_model.load(str(folder / MODEL)).signatures["serving_default"]

        def search(queries: NDArray[np.float32]) -> NDArray[np.int64]:
            nothing = tf.zeros((len(queries), 0), tf.int64)
            return signature(queries=tf.constant(queries), exclude=nothing)["item_ids"].numpy()

        return search, {}

    return ready


def streaming(folder: Path, k: int, out: Path) -> Ready:
    """TFRS Streaming over the items in memory: no score but those of a part of the items, and the best so far."""
    import tensorflow as tf

    from models.retrieval.recommenders import load_recommenders

    layer = load_recommenders().layers.factorized_top_k.Streaming(k=k)

    def ready() -> tuple[Search, dict[str, Any]]:
        vectors, ids = read_vectors(folder), read_ids(folder)

        # Not `from_tensor_slices`, which would hold all vectors once more.
        def parts() -> Iterator[tuple[NDArray[np.int64], NDArray[np.float32]]]:
            for start in range(0, len(ids), _STREAMED):
                yield ids[start : start + _STREAMED], vectors[start : start + _STREAMED]

        specs = (tf.TensorSpec((None,), tf.int64), tf.TensorSpec((None, vectors.shape[1]), tf.float32))
        layer.index_from_dataset(tf.data.Dataset.from_generator(parts, output_signature=specs))
        call = tf.function(layer.call, input_signature=[tf.TensorSpec((None, vectors.shape[1]), tf.float32)])
        return lambda queries: call(tf.constant(queries))[1].numpy(), {}

    return ready


def numpy(folder: Path, k: int, out: Path) -> Ready:
    """A matrix product, `argpartition` of each query's scores, and a sort of the k."""

    def ready() -> tuple[Search, dict[str, Any]]:
        items, ids = read_vectors(folder).T, read_ids(folder)

        def search(queries: NDArray[np.float32]) -> NDArray[np.int64]:
            scores = queries @ items
            found = np.empty((len(queries), k), np.int64)
            # A query after the other: the places of all scores would take twice the memory of the scores.
            for answers, line in zip(found, scores, strict=True):
                best = np.argpartition(line, len(line) - k)[len(line) - k :]
                answers[:] = ids[best[np.argsort(-line[best], kind="stable")]]
            return found

        return search, {}

    return ready


def faiss_flat(folder: Path, k: int, out: Path) -> Ready:
    """faiss' exact index."""
    import faiss

    def ready() -> tuple[Search, dict[str, Any]]:
        vectors, ids = read_vectors(folder), read_ids(folder)
        index = faiss.IndexFlatIP(vectors.shape[1])
        index.add(vectors)
        return lambda queries: ids[index.search(queries, k)[1]], {}

    return ready


def approximate(folder: Path, k: int, out: Path) -> Ready:
    """`gatewise index`, tuned for 95% with users' vectors, other ones than those that ask here."""
    from benchmarks.searches.catalogue import QUERIES
    from pipeline.approximate import load_index
    from pipeline.approximate_build import build_index

    def ready() -> tuple[Search, dict[str, Any]]:
        users = np.load(folder / QUERIES)
        about = build_index(folder, out / "index", queries=users[: len(users) // 2])
        index = load_index(out / "index")
        return lambda queries: index.search(queries, k)[0], about

    return ready


WAYS = {
    "served": served,
    "streaming": streaming,
    "numpy": numpy,
    "faiss": faiss_flat,
    "approximate": approximate,
}
