"""How the values of raw columns lie in the examples' files: each column is a list of one of tf.Example's three types."""

from __future__ import annotations

import pyarrow as pa

ARROW_TYPES = {"bytes": pa.large_binary(), "int": pa.int64(), "float": pa.float32()}
"""`models.recipe.raw_type` -> Arrow type of the list's values."""
