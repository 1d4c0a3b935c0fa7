"""A catalogue with the vectors of items and users, as an exported retrieval model has them: python -m benchmarks.searches.catalogue QUESTION.

The question: rows (items), dim, seed, queries, and folder, where it is made if it is not there.
"""

from __future__ import annotations

import json
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from numpy.typing import NDArray

from benchmarks.stages.door import answer

ID, VECTOR = "item_id", "gatewise/vector"
ITEMS, NOTES, QUERIES = "assets.extra/items.parquet", "assets.extra/inputs.json", "queries.npy"

_BLOCK = 65_536
_PER_HEAP = 500  # items, about


def run(question: Mapping[str, Any]) -> dict[str, Any]:
    """Makes the catalogue; rows: items, seconds: 0 if it was there.

    Items lie in heaps of about 500 whose sizes follow Zipf's law, with directions of unlike weight, as trained vectors have:
    vectors that are drawn evenly have no neighbourhood for an approximate index to find. Their lengths differ. Users come
    from the same heaps.
    """
    folder, rows = Path(question["folder"]), int(question["rows"])
    if (folder / QUERIES).is_file():
        return {"rows": rows, "seconds": 0.0}
    begin = time.perf_counter()
    (folder / "assets.extra").mkdir(parents=True, exist_ok=True)
    random = np.random.default_rng(int(question["seed"]))
    draw = _Mixture(random, heaps=max(1, rows // _PER_HEAP), dim=int(question["dim"]))
    schema = pa.schema([(ID, pa.int64()), (VECTOR, pa.list_(pa.float32(), draw.dim))])
    with pq.ParquetWriter(folder / ITEMS, schema, compression="none", use_dictionary=False) as writer:
        for start in range(0, rows, _BLOCK):
            count = min(_BLOCK, rows - start)
            lengths = np.exp(0.3 * random.normal(size=(count, 1)))
            vectors = (draw(count) * lengths).astype(np.float32)
            column = pa.FixedSizeListArray.from_arrays(pa.array(vectors.reshape(-1)), draw.dim)
            writer.write_batch(pa.record_batch([pa.array(_ids(start, count)), column], schema=schema))
    notes = {"kind": "retrieval", "item": {"column": ID, "type": "int"}, "prior": False, "exported_at": 0}
    (folder / NOTES).write_text(json.dumps(notes))
    # The last file: what has it is whole.
    np.save(folder / QUERIES, draw(int(question["queries"])).astype(np.float32))
    return {"rows": rows, "seconds": time.perf_counter() - begin}


def read_ids(folder: Path) -> NDArray[np.int64]:
    """(item,)."""
    return pq.read_table(folder / ITEMS, columns=[ID]).column(0).to_numpy()


def read_vectors(folder: Path) -> NDArray[np.float32]:
    """(item, dim), with no second copy on the way."""
    file = pq.ParquetFile(folder / ITEMS)
    vectors = np.empty((file.metadata.num_rows, file.schema_arrow.field(VECTOR).type.list_size), np.float32)
    start = 0
    for batch in file.iter_batches(_BLOCK, columns=[VECTOR]):
        vectors[start : start + len(batch)] = batch.column(0).flatten().to_numpy().reshape(len(batch), -1)
        start += len(batch)
    return vectors


def _ids(start: int, count: int) -> NDArray[np.int64]:
    """Unlike the rows, so that an answer of rows is seen to be wrong."""
    return 10 * np.arange(start, start + count, dtype=np.int64) + 7


class _Mixture:
    def __init__(self, random: np.random.Generator, heaps: int, dim: int) -> None:
        self.dim = dim
        self._random = random
        self._weights = np.arange(1, dim + 1) ** -0.4
        self._centres = random.normal(size=(heaps, dim))
        shares = 1.0 / np.arange(1, heaps + 1) ** 0.5
        self._bounds = np.cumsum(shares / shares.sum())

    def __call__(self, count: int) -> NDArray[np.float64]:
        heaps = np.minimum(np.searchsorted(self._bounds, self._random.random(count)), len(self._bounds) - 1)
        return (self._centres[heaps] + 0.8 * self._random.normal(size=(count, self.dim))) * self._weights


if __name__ == "__main__":
    answer(run)
