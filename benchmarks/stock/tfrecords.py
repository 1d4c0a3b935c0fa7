"""Our examples as the TFRecords of tf.Example that stock components and a stock input pipeline read.

python -m benchmarks.stock.tfrecords QUESTION, with `inputs`, the folder that holds our artifacts, `rows`, and `what`:
`raw`: the eval split with its lists, labels and weights, for the Evaluator; `transformed`: the train split, a key for each
feature, as the stock Transform writes it, for a trainer.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import tensorflow as tf
from tfx_bsl.coders import example_coder

from benchmarks.stages.door import answer, clock
from benchmarks.stages.ours import files
from models.features.layout import FeatureLayout

FILES = 4
SPLITS = {"raw": "eval", "transformed": "train"}
_BATCH = 4096


def run(question: Mapping[str, Any]) -> dict[str, Any]:
    """Writes `tfrecords/Split-...`, a few gzipped files."""
    inputs, what = Path(question["inputs"]), question["what"]
    folder = Path(question["out"]) / "tfrecords" / f"Split-{SPLITS[what]}"
    folder.mkdir(parents=True)
    encoder, rows = example_coder.RecordBatchToExamplesEncoder(), 0
    with clock() as seconds:
        writers = [
            tf.io.TFRecordWriter(str(folder / f"data_tfrecord-{number:05d}-of-{FILES:05d}.gz"), "GZIP")
            for number in range(FILES)
        ]
        batches = _raw(inputs) if what == "raw" else _transformed(inputs)
        for number, batch in enumerate(batches):
            batch = batch.slice(0, question["rows"] - rows)
            for example in encoder.encode(batch):
                writers[number % FILES].write(example)
            rows += batch.num_rows
            if rows >= question["rows"]:
                break
        for writer in writers:
            writer.close()
    return {"rows": rows, "seconds": seconds[0]}


def _raw(inputs: Path) -> Iterator[pa.RecordBatch]:
    for path in files(inputs, "examples", "eval"):
        with pq.ParquetFile(path) as parquet:
            names = [name for name in parquet.schema_arrow.names if not name.startswith("gatewise/")]
            yield from parquet.iter_batches(_BATCH, columns=names)


def _transformed(inputs: Path) -> Iterator[pa.RecordBatch]:
    layout = FeatureLayout.load(inputs / "transform_graph")
    for path in files(inputs, "transformed_examples", "train"):
        with pa.memory_map(str(path)) as source:
            reader = pa.ipc.open_file(source)
            for number in range(reader.num_record_batches):
                whole = reader.get_batch(number)
                for start in range(0, whole.num_rows, _BATCH):
                    yield _by_feature(whole.slice(start, _BATCH), layout)


def _by_feature(batch: pa.RecordBatch, layout: FeatureLayout) -> pa.RecordBatch:
    named = {
        "categorical": [name for name, _ in layout.categorical],
        "numeric": list(layout.numeric),
    }
    columns: dict[str, pa.Array] = {}
    for name in batch.schema.names:
        if name == "example_id":
            continue
        column = batch.column(name)
        values = column.flatten().to_numpy().reshape(len(column), -1)
        if name in named:
            columns |= {key: _lists(values[:, place : place + 1]) for place, key in enumerate(named[name])}
        else:
            columns[name.rpartition("/")[2]] = _lists(values)
    return pa.RecordBatch.from_arrays(list(columns.values()), names=list(columns))


def _lists(values: Any) -> pa.Array:
    kind = pa.float32() if values.dtype.kind == "f" else pa.int64()
    offsets = pa.array(range(0, values.size + 1, values.shape[1]), pa.int64())
    return pa.LargeListArray.from_arrays(offsets, pa.array(values.reshape(-1), kind))


if __name__ == "__main__":
    answer(run)
