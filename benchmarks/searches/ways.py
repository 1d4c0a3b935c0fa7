"""The ways to search a catalogue. Each imports what it needs and then hands back how it gets ready: imports are not timed."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from benchmarks.searches.catalogue import read_ids, read_vectors

Search = Callable[[NDArray[np.float32]], NDArray[np.int64]]
"""(query, dim) -> (query, k) ids, the best first."""

Ready = Callable[[], tuple[Search, dict[str, Any]]]
"""Gets ready to search, from the item table on; and what there is to say."""

_STREAMED = 65_536  # items that TFRS Streaming compares at once


def served(folder: Path, k: int, out: Path) -> Ready:
    """What our exported model does when it is asked, after the user's tower: TFRS BruteForce, and the place of the ids to exclude."""
    import tensorflow as tf

    from models.retrieval.exact_index import ExactIndex
    from models.retrieval.recommenders import load_recommenders

    load_recommenders()

    def ready() -> tuple[Search, dict[str, Any]]:
        index = ExactIndex(read_vectors(folder), read_ids(folder), k)
        nothing = tf.constant([], tf.int64)
        call = tf.function(
            lambda queries: index(queries, tf.tile(nothing[tf.newaxis], (tf.shape(queries)[0], 1)))[0],
            input_signature=[tf.TensorSpec((None, index.variables_of_index[-1].shape[1]), tf.float32)],
        )
        return lambda queries: call(tf.constant(queries)).numpy(), {}

    return ready


def streaming(folder: Path, k: int, out: Path) -> Ready:
    """TFRS Streaming over the items in memory: no score but those of a part of the items, and the best so far."""
    import tensorflow as tf

    from models.retrieval.recommenders import load_recommenders

    layer = load_recommenders().layers.factorized_top_k.Streaming(k=k)

    def ready() -> tuple[Search, dict[str, Any]]:
        vectors = read_vectors(folder)
        items = tf.data.Dataset.from_tensor_slices((read_ids(folder), vectors)).batch(_STREAMED)
        layer.index_from_dataset(items)
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
