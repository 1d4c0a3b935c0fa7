"""Makes an approximate index of a retrieval model's items, searched by inner product; `approximate` has how it is asked.

By faiss (Douze et al. 2024, "The Faiss library", https://arxiv.org/abs/2401.08281). Up to EXACT_UP_TO items every item is
compared: lists would save nothing. Beyond, the items lie in lists, each with the closest of the means that k-means finds, and a
search compares those of the lists whose means have the largest products with the user. Not what faiss does for inner products
by itself, means of length 1 and each item in the list of the largest product: with a prior in the last place most items then point
the same way. No graph (HNSW): greedy walks end far from the best for the same reason, its build takes several times as long,
and with threads no two are the same.
"""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Iterator, Mapping
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from numpy.typing import NDArray

from models.recipe.errors import InputError
from models.retrieval.inference import load_retrieval
from models.retrieval.plan import EXCLUDE, ITEMS_FILE, VECTOR_COLUMN
from models.serving.inputs import is_retrieval, read_inputs
from pipeline.approximate import IDS, INDEX, NOTES, Vectors, load_faiss
from pipeline.predict import read_requests, serialized

EXACT_UP_TO = 20_000
"""Items up to which all are compared: a quarter of a millisecond for 64 places."""

RECALL_AT = 100
"""Length of the lists of which recall is measured."""

_QUESTIONS = 1_000  # each for choosing how many lists are searched, and for measuring the recall of that
_COMPARED = 2_000  # items that a search compares at the least, in the mean: it may be asked for hundreds
_PER_LIST = 40  # vectors for each list that the centres are found from; faiss wants 39 at least
_BATCH_ROWS = 65_536
_SEED = 1


def build_index(version: Path, out: Path, *, queries: Vectors | None = None, recall: float = 0.95) -> dict[str, Any]:
    """Writes the index of a retrieval model's items; whole or not at all.

    Half of the queries choose how many lists a search looks into: a quarter more until `recall` of the RECALL_AT best items are
    found. The recall in the notes is that of the other half.

    Same item table and queries, same index, on machines of one kind.

    Args:
        version: folder of an exported retrieval model.
        out: folder to make; one that holds an index is replaced.
        queries: (query, dim), users' vectors, at least 2, such as `query_vectors` reads. None: the vectors of random items
            ask, with 1 in the place of the prior. They lie closer to items than users do.
        recall: in (0, 1], wanted.

    Returns:
        What index.json holds: {"kind": "flat" or "ivf", "items", "dim", "lists", "searched_lists", "recall@100",
        "queries": in words, "model": the version's folder, "exported_at": its second, "item": {"column", "type"}}.

    Raises:
        InputError: faiss is not installed; no retrieval model; or `out` is something else.
    """
    faiss = load_faiss()
    notes = read_inputs(version)
    if not is_retrieval(notes):
        raise InputError(f"{version}: expected a retrieval model, found a ranker. Its folder ends in `_retrieval`.")
    _check_replaceable(out)
    path = version / ITEMS_FILE
    table = _item_table(path, notes["item"]["column"])
    random, items = np.random.default_rng(_SEED), table.metadata.num_rows
    lists = 0 if items <= EXACT_UP_TO else round(4 * items**0.5)
    sample = _rows(table, np.sort(random.choice(items, min(items, max(2 * _QUESTIONS, _PER_LIST * lists)), False)))
    index = _trained(faiss, sample, lists)
    for vectors in _vectors(table):
        index.add(vectors)
    if lists:
        # From now on the lists are chosen by the products of their means, and nothing may be added any more.
        index.quantizer.metric_type = faiss.METRIC_INNER_PRODUCT
    asked = queries
    if asked is None:
        asked = sample[random.permutation(len(sample))[: 2 * _QUESTIONS]]
        if notes["prior"]:
            asked[:, -1] = 1.0
    found = _tuned(index, asked, lists, recall)
    about = {
        "kind": "ivf" if lists else "flat",
        "items": items,
        "dim": int(index.d),
        "lists": lists,
        **found,
        "queries": f"vectors of {len(asked)} {'random items' if queries is None else 'users'}",
        "model": str(version.resolve()),
        "exported_at": notes["exported_at"],
        "item": notes["item"],
    }
    ids = table.read([notes["item"]["column"]]).column(0)
    try:
        _write(faiss, out, index, ids, about)
    except OSError as error:
        raise InputError(f"{out}: cannot be written ({error.strerror}). Name another folder.") from None
    return about


def query_vectors(version: Path, queries: Path) -> Vectors:
    """(query, dim) float32: the vectors of users.

    Args:
        version: folder of an exported retrieval model.
        queries: file of JSON lines, a user's columns each, as `recommend` takes them.

    Raises:
        InputError: no retrieval model, less than 2 lines, or one that does not fit.
    """
    model = load_retrieval(version)
    inputs = {column: about for column, about in model.notes["inputs"].items() if column != EXCLUDE}
    rows = {
        number: {column: value for column, value in row.items() if column != EXCLUDE}
        for number, row in read_requests(queries).items()
    }
    if len(rows) < 2:
        raise InputError(f"{queries}: expected at least 2 lines, a user's columns each; found {len(rows)}.")
    try:
        return model.query_vectors(serialized(rows, inputs))
    except InputError as error:
        raise InputError(f"{queries}: {error}") from None


def _check_replaceable(out: Path) -> None:
    if out.is_dir() and any(out.iterdir()) and not (out / NOTES).is_file():
        raise InputError(f"{out}: holds something that is no index. Name a folder that is not there yet.")
    if out.exists() and not out.is_dir():
        raise InputError(f"{out}: expected a folder to write to, found a file. Name a folder that is not there yet.")


def _item_table(path: Path, item: str) -> pq.ParquetFile:
    try:
        table = pq.ParquetFile(path)
    except (OSError, pa.ArrowInvalid) as error:
        raise InputError(f"{path}: expected the item table of a retrieval model; it can't be read ({error}).") from None
    missing = [name for name in (item, VECTOR_COLUMN) if name not in table.schema_arrow.names]
    if missing or not table.metadata.num_rows:
        raise InputError(
            f"{path}: expected an item table with the columns {item!r} and {VECTOR_COLUMN!r} and a row for each item; found "
            f"{table.metadata.num_rows} rows of {', '.join(table.schema_arrow.names)}."
        )
    return table


def _vectors(table: pq.ParquetFile) -> Iterator[Vectors]:
    """Some rows at a time."""
    for batch in table.iter_batches(_BATCH_ROWS, columns=[VECTOR_COLUMN]):
        yield batch.column(0).flatten().to_numpy().reshape(batch.num_rows, -1)


def _rows(table: pq.ParquetFile, rows: NDArray[np.int64]) -> Vectors:
    """The vectors of some rows, in ascending order."""
    parts, start = [], 0
    for vectors in _vectors(table):
        first, last = np.searchsorted(rows, (start, start + len(vectors)))
        parts.append(vectors[rows[first:last] - start])
        start += len(vectors)
    return np.concatenate(parts)


def _trained(faiss: ModuleType, sample: Vectors, lists: int) -> Any:
    """An empty index; of as many lists, or none."""
    dim = sample.shape[1]
    if not lists:
        return faiss.IndexFlatIP(dim)
    # Items go where the distance is smallest.
    index = faiss.IndexIVFFlat(faiss.IndexFlat(dim, faiss.METRIC_L2), dim, lists, faiss.METRIC_INNER_PRODUCT)
    index.cp.spherical, index.cp.seed, index.cp.max_points_per_centroid = False, _SEED, _PER_LIST
    index.train(sample)
    return index


def _tuned(index: Any, queries: Vectors, lists: int, wanted: float) -> dict[str, Any]:
    """Sets how many lists are searched; that, and the recall."""
    if not lists:
        return {"searched_lists": 0, "recall@100": 1.0}
    choosing, measuring = queries[::2], queries[1::2]
    # With all lists the search is exact.
    index.nprobe = lists
    best, others = (index.search(part, RECALL_AT)[0][:, -1:] for part in (choosing, measuring))
    index.nprobe = min(lists, -(-_COMPARED * lists // index.ntotal))
    while index.nprobe < lists and _recall(index.search(choosing, RECALL_AT)[0], best) < wanted:
        index.nprobe = min(max(index.nprobe + 1, index.nprobe * 5 // 4), lists)
    measured = _recall(index.search(measuring, RECALL_AT)[0], others)
    return {"searched_lists": index.nprobe, "recall@100": round(measured, 4)}


def _recall(scores: Vectors, worst: Vectors) -> float:
    """The mean share of answers that are as good as the worst of the best: of items alike, any will do."""
    return float(np.mean(scores >= worst))


def _write(faiss: ModuleType, out: Path, index: Any, ids: pa.ChunkedArray, about: Mapping[str, Any]) -> None:
    out = out.resolve()  # a link to a folder stays one
    unfinished = out.with_name(f".{out.name}.{os.getpid()}")
    shutil.rmtree(unfinished, ignore_errors=True)
    unfinished.mkdir(parents=True)
    try:
        faiss.write_index(index, str(unfinished / INDEX))
        table = pa.table({about["item"]["column"]: ids}).combine_chunks()
        with pa.OSFile(str(unfinished / IDS), "wb") as sink, pa.ipc.new_file(sink, table.schema) as writer:
            writer.write_table(table)
        (unfinished / NOTES).write_text(json.dumps(about, indent=2) + "\n", encoding="utf-8")
        shutil.rmtree(out, ignore_errors=True)
        os.rename(unfinished, out)
    finally:
        shutil.rmtree(unfinished, ignore_errors=True)
