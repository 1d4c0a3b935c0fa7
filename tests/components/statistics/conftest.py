"""A small Examples artifact in the layout of the first stage."""

from __future__ import annotations

import os

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from tfx.components.util import examples_utils
from tfx.proto import example_gen_pb2
from tfx.types import standard_artifacts


def _lists(values, value_type):
    return pa.array(
        [None if value is None else np.atleast_1d(value).tolist() for value in values], pa.large_list(value_type)
    )


def make_table(rows: int, seed: int) -> pa.Table:
    generator = np.random.default_rng(seed)
    device = [None if number < 0.1 else f"device_{int(number * 4)}".encode() for number in generator.random(rows)]
    tags = [[f"t{tag}".encode() for tag in generator.integers(0, 5, size)] for size in generator.integers(1, 4, rows)]
    return pa.table(
        {
            "device": _lists(device, pa.large_binary()),
            "tags": pa.array(tags, pa.large_list(pa.large_binary())),
            "item": _lists(generator.choice([3, 5, 8], rows, p=[0.5, 0.3, 0.2]), pa.int64()),
            "price": _lists(generator.normal(10.0, 2.0, rows).astype(np.float32), pa.float32()),
            "label/click": _lists((generator.random(rows) < 0.3).astype(np.float32), pa.float32()),
            "weight/click": _lists(np.ones(rows, np.float32), pa.float32()),
            "gatewise/example_id": _lists(np.arange(rows), pa.int64()),
            "gatewise/event_time": _lists(np.arange(rows), pa.int64()),
        }
    )


@pytest.fixture
def make_examples(tmp_path):
    """Makes an Examples artifact: two files a split, several row groups a file."""

    def make(splits: dict[str, int]) -> standard_artifacts.Examples:
        artifact = standard_artifacts.Examples()
        artifact.uri = str(tmp_path / "examples")
        artifact.split_names = '["train", "eval"]'
        artifact.span = 7
        examples_utils.set_payload_format(artifact, example_gen_pb2.PayloadFormat.FORMAT_PARQUET)
        for seed, (split, rows) in enumerate(splits.items()):
            folder = os.path.join(artifact.uri, f"Split-{split}")
            os.makedirs(folder)
            table = make_table(rows, seed)
            half = rows // 2
            for index, part in enumerate((table.slice(0, half), table.slice(half))):
                path = os.path.join(folder, f"examples-{index:05d}-of-00002.parquet")
                pq.write_table(part, path, row_group_size=120)
        return artifact

    return make
