"""The stock way to feed a trainer: TFRecords of tf.Example, shuffled in a buffer, parsed by `tf.io.parse_example`.

python -m benchmarks.stock.input_pipeline QUESTION, with `inputs`, the folder of `benchmarks.stock.tfrecords` (transformed), and
`batch_size`.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import tensorflow as tf

from benchmarks.stages.door import answer, clock

BUFFER = 100_000


def run(question: Mapping[str, Any]) -> dict[str, Any]:
    """One epoch of shuffled batches; the first batch of the process comes before the clock starts."""
    files = sorted(str(path) for path in (Path(question["inputs"]) / "tfrecords" / "Split-train").glob("*"))
    first = next(iter(tf.data.TFRecordDataset(files, "GZIP")))
    spec = {
        name: _column(feature) for name, feature in tf.train.Example.FromString(first.numpy()).features.feature.items()
    }
    data = (
        tf.data.Dataset.from_tensor_slices(files)
        .interleave(lambda file: tf.data.TFRecordDataset(file, "GZIP"), num_parallel_calls=tf.data.AUTOTUNE)
        .shuffle(BUFFER, seed=1)
        .batch(question["batch_size"])
        .map(lambda batch: tf.io.parse_example(batch, spec), num_parallel_calls=tf.data.AUTOTUNE)
        .prefetch(tf.data.AUTOTUNE)
    )
    next(iter(data))
    with clock() as seconds:
        rows = sum(int(batch["labels"].shape[0]) for batch in data)
    bytes_ = sum(Path(file).stat().st_size for file in files)
    return {"rows": rows, "seconds": seconds[0], "bytes": bytes_, "features": len(spec)}


def _column(feature: Any) -> tf.io.FixedLenFeature:
    kind = feature.WhichOneof("kind")
    dtype = {"int64_list": tf.int64, "float_list": tf.float32}[kind]
    return tf.io.FixedLenFeature([len(getattr(feature, kind).value)], dtype)


if __name__ == "__main__":
    answer(run)
