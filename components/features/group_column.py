"""The group of each example as a hash, for losses that compare the examples of a group."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import tensorflow as tf
from numpy.typing import NDArray

from components.features.columns import distinct_values, lengths
from models.features.groups import HASHES, as_pairs


def group_hashes(column: pa.Array, name: str) -> NDArray[np.int32]:
    """(row, 2): a hash of the text of each row's value, the same in every file and run; 0 for a row without a value.

    Args:
        column: raw column: a list per row.
        name: its name.

    Raises:
        ValueError: a row has several values.
    """
    counts = lengths(column)
    if (counts > 1).any():
        raise ValueError(f"the group column {name!r} must have at most one value in every row")
    values = column.flatten()
    if not (pa.types.is_binary(values.type) or pa.types.is_large_binary(values.type)):
        values = values.cast(pa.large_string())
    distinct, places = distinct_values(pa.LargeListArray.from_arrays(pa.array([0, len(values)], pa.int64()), values))
    hashes = np.zeros(len(column), np.int64)
    hashes[counts > 0] = 1 + tf.strings.to_hash_bucket_fast(distinct, HASHES).numpy()[places]
    return as_pairs(hashes)
