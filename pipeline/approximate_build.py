"""Builds an approximate index of a retrieval model's items for inner-product search. `approximate` searches it.

Uses faiss (Douze et al. 2024, "The Faiss library", https://arxiv.org/abs/2401.08281). Up to EXACT_UP_TO items, the search is
exact, because inverted lists would save nothing. Above that, k-means assigns each item to the list of its closest centroid, and a
search scans the lists of the centroids with the largest inner products. By default, faiss normalizes the centroids for inner
products and assigns each item by the largest product. This index does not: with a prior in the last dimension, most items point
in the same direction. For the same reason, greedy search in a graph (HNSW) ends far from the best items. A graph also takes
several times as long to build, and is not reproducible with threads.
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
"""Maximum number of items for exact search: 0.25 ms at 64 dimensions."""

RECALL_AT = 100
"""Number of best items over which recall is measured."""

_QUESTIONS = 1_000  # for choosing the number of searched lists, and as many for measuring the recall
_COMPARED = 2_000  # minimum mean number of items that a search compares; a request may ask for hundreds
_PER_LIST = 40  # training vectors per list; faiss requires at least 39
_BATCH_ROWS = 65_536
_SEED = 1


def build_index(version: Path, out: Path, *, queries: Vectors | None = None, recall: float = 0.95) -> dict[str, Any]:
    """Writes the index of a retrieval model's items atomically.

    Half of the queries choose the number of searched lists: it grows by a quarter until the search finds `recall` of the
    RECALL_AT best items. The recall in the notes is measured on the other half.

    The same item table and queries give the same index on machines of the same kind.

    Args:
        version: folder of an exported retrieval model.
        out: output folder. An index in it is replaced.
        queries: (query, dim), at least 2 user vectors, such as those of `query_vectors`. None: vectors of random items, with
            1 as prior. They are closer to items than user vectors are.
        recall: target recall, in (0, 1].

    Returns:
        Content of index.json: {"kind": "flat" or "ivf", "items", "dim", "lists", "searched_lists", "recall@100",
        "queries": description, "model": the version's folder, "exported_at": its export time in seconds, "item": {"column",
        "type"}}.

    Raises:
        InputError: faiss is not installed, `version` is not a retrieval model, or `out` has other content.
    """
    faiss = load_faiss()
    notes = read_inputs(version)
    if not is_retrieval(notes):
        raise InputError(
            f"{version}: expected a retrieval model, found a ranker. The folder of a retrieval model ends in `_retrieval`."
        )
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
        # From here on, lists are chosen by the inner product with their centroid. No item may be added any more.
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
        raise InputError(f"{out}: cannot be written ({error.strerror}). Choose another folder.") from None
    return about


def query_vectors(version: Path, queries: Path) -> Vectors:
    """(query, dim) float32: user vectors.

    Args:
        version: folder of an exported retrieval model.
        queries: JSON lines file, one object of user columns per line, as for `recommend`.

    Raises:
        InputError: `version` is not a retrieval model, or the file has less than 2 lines or an invalid line.
    """
    model = load_retrieval(version)
    inputs = {column: about for column, about in model.notes["inputs"].items() if column != EXCLUDE}
    rows = {
        number: {column: value for column, value in row.items() if column != EXCLUDE}
        for number, row in read_requests(queries).items()
    }
    if len(rows) < 2:
        raise InputError(f"{queries}: expected at least 2 lines with user columns; found {len(rows)}.")
    try:
        return model.query_vectors(serialized(rows, inputs))
    except InputError as error:
        raise InputError(f"{queries}: {error}") from None


def _check_replaceable(out: Path) -> None:
    if out.is_dir() and any(out.iterdir()) and not (out / NOTES).is_file():
        raise InputError(f"{out}: contains something other than an index. Choose a new folder.")
    if out.exists() and not out.is_dir():
        raise InputError(f"{out}: expected a folder to write to, found a file. Choose a new folder.")


def _item_table(path: Path, item: str) -> pq.ParquetFile:
    try:
        table = pq.ParquetFile(path)
    except (OSError, pa.ArrowInvalid) as error:
        raise InputError(
            f"{path}: expected the item table of a retrieval model; it cannot be read ({error})."
        ) from None
    missing = [name for name in (item, VECTOR_COLUMN) if name not in table.schema_arrow.names]
    if missing or not table.metadata.num_rows:
        raise InputError(
            f"{path}: expected an item table with the columns {item!r} and {VECTOR_COLUMN!r} and one row per item; found "
            f"{table.metadata.num_rows} rows of {', '.join(table.schema_arrow.names)}."
        )
    return table


def _vectors(table: pq.ParquetFile) -> Iterator[Vectors]:
    """Yields the vectors in batches of rows."""
    for batch in table.iter_batches(_BATCH_ROWS, columns=[VECTOR_COLUMN]):
        yield batch.column(0).flatten().to_numpy().reshape(batch.num_rows, -1)


def _rows(table: pq.ParquetFile, rows: NDArray[np.int64]) -> Vectors:
    """The vectors of the given rows; `rows` is in ascending order."""
    parts, start = [], 0
    for vectors in _vectors(table):
        first, last = np.searchsorted(rows, (start, start + len(vectors)))
        parts.append(vectors[rows[first:last] - start])
        start += len(vectors)
    return np.concatenate(parts)


def _trained(faiss: ModuleType, sample: Vectors, lists: int) -> Any:
    """A trained index without items. 0 lists give a flat index."""
    dim = sample.shape[1]
    if not lists:
        return faiss.IndexFlatIP(dim)
    # L2 quantizer: each item is assigned to the nearest centroid.
    index = faiss.IndexIVFFlat(faiss.IndexFlat(dim, faiss.METRIC_L2), dim, lists, faiss.METRIC_INNER_PRODUCT)
    index.cp.spherical, index.cp.seed, index.cp.max_points_per_centroid = False, _SEED, _PER_LIST
    index.train(sample)
    return index


def _tuned(index: Any, queries: Vectors, lists: int, wanted: float) -> dict[str, Any]:
    """Sets the number of searched lists; returns it and the recall."""
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
    """Mean share of results that score at least as high as the worst of the exact results. Ties therefore count as found."""
    return float(np.mean(scores >= worst))


def _write(faiss: ModuleType, out: Path, index: Any, ids: pa.ChunkedArray, about: Mapping[str, Any]) -> None:
    out = out.resolve()  # keeps a link to a folder
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
