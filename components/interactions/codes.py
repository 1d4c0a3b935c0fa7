"""Dense integer codes of ids, in the order of the ids, so they do not depend on files or time."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import polars as pl
from numpy.typing import NDArray

Codes = NDArray[np.int32]


def dense_codes(parts: Sequence[pl.Series]) -> tuple[pl.Series, list[Codes]]:
    """The distinct ids of all parts, rising (texts by their bytes), and the place in them of every id of each part.

    Args:
        parts: of texts as bytes, or of int64, without nulls.
    """
    every = pl.concat(parts, rechunk=True)
    distinct = every.unique().sort()
    # A join takes a tenth of what ranking texts does.
    codes = places_in(every, distinct)
    return distinct, np.split(codes, np.cumsum([len(part) for part in parts])[:-1])


def places_in(ids: pl.Series, table: pl.Series) -> Codes:
    """(id,) the row of each id in a table of distinct ids, -1 where it is not there."""
    rows = pl.DataFrame({"id": table}).with_row_index("row")
    found = pl.DataFrame({"id": ids}).join(rows, on="id", how="left", maintain_order="left")["row"]
    return found.cast(pl.Int32).fill_null(-1).to_numpy()
