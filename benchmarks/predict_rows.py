"""Predicts the rows of a Parquet file in a fresh process: python -m benchmarks.predict_rows QUESTION.

The question has `out`, `folder` and
    what: "make" exports the model and writes the file into the folder; "ours" is `gatewise predict`; "loop" is a loop over
    batches of `batch` rows to the signature `raw`, with a Python object for each text, as a short script would have it.
    rows, and the sizes of a RankingProblem: for "make".
"""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

MODEL, INPUT = "once/1", "rows.parquet"
_GROUP = 131_072


def run(question: Mapping[str, Any]) -> dict[str, Any]:
    """The answer to the question; "sum" adds up the predictions of each task."""
    folder, out = Path(question["folder"]), Path(question["out"]) / "scored.parquet"
    if question["what"] == "make":
        return _make(question, folder)
    seconds = {"ours": _ours, "loop": _loop}[question["what"]](folder, out, question)
    found = pq.read_table(out, columns=["click", "order"])
    sums = {name: float(np.sum(found[name].to_numpy(), dtype=np.float64)) for name in found.column_names}
    return {"rows": found.num_rows, "seconds": seconds, "sum": sums, "columns": len(pq.read_schema(out).names)}


def _ours(folder: Path, out: Path, question: Mapping[str, Any]) -> float:
    from pipeline.predicting.predict_table import predict_table

    begin = time.perf_counter()
    predict_table(folder / MODEL, str(folder / INPUT), out)
    return time.perf_counter() - begin


def _loop(folder: Path, out: Path, question: Mapping[str, Any]) -> float:
    import tensorflow as tf

    begin = time.perf_counter()
    loaded = tf.saved_model.load(str(folder / MODEL))
    ask = loaded.signatures["raw"]
    names = [name for name in pq.read_schema(folder / INPUT).names if name != "row"]
    with pq.ParquetFile(folder / INPUT) as file:
        schema = file.schema_arrow
        for task in ("click", "order"):
            schema = schema.append(pa.field(task, pa.float32()))
        with pq.ParquetWriter(out, schema, compression="zstd") as writer:
            for batch in file.iter_batches(question["batch"]):
                answers = ask(**{name: tf.constant(batch.column(name).to_pylist()) for name in names})
                added = [pa.array(answers[task].numpy()) for task in ("click", "order")]
                writer.write_table(pa.table([*batch.columns, *added], schema=schema))
    return time.perf_counter() - begin


def _make(question: Mapping[str, Any], folder: Path) -> dict[str, Any]:
    from benchmarks.ranking_model import RankingProblem, export_models

    begin, problem = time.perf_counter(), RankingProblem.of({**question, "rows": question["values"]})
    export_models(problem, folder)
    random, rows = np.random.default_rng(problem.seed), int(question["rows"])
    names = [*(f"u{i}" for i in range(problem.users)), *(f"i{i}" for i in range(problem.items))]
    known = pa.array([f"v{value}" for value in range(problem.rows)])
    schema = pa.schema([("row", pa.int64()), *((name, pa.string()) for name in names)])
    with pq.ParquetWriter(folder / INPUT, schema) as writer:
        for start in range(0, rows, _GROUP):
            count = min(_GROUP, rows - start)
            # Small numbers more often, as in logs.
            places = (problem.rows * random.random((len(names), count)) ** 3).astype(np.int64)
            columns = [pa.array(np.arange(start, start + count)), *(known.take(pa.array(one)) for one in places)]
            writer.write_table(pa.table(columns, schema=schema))
    return {"rows": rows, "seconds": time.perf_counter() - begin}


if __name__ == "__main__":
    print(json.dumps(run(json.loads(sys.argv[1]))))
