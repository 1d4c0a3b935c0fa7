"""Arrow tables and polars frames as pandas data frames, and back."""

from __future__ import annotations

from collections.abc import Collection
from typing import TYPE_CHECKING

from models.recipe.errors import InputError

if TYPE_CHECKING:
    import pandas as pd
    import polars as pl
    import pyarrow as pa


def to_pandas(frame: pl.DataFrame) -> pd.DataFrame:
    """A data frame with the same columns. Integers with missing values are `Int64`, so that they stay exact. Categories are texts."""
    import pandas as pd
    import polars as pl

    frame = frame.with_columns(pl.col(pl.Categorical, pl.Enum).cast(pl.String))
    with_nulls = [one for one in frame.get_columns() if one.dtype.is_integer() and one.null_count()]
    others = frame.drop(one.name for one in with_nulls).to_arrow(compat_level=pl.CompatLevel.oldest()).to_pandas()
    if not with_nulls:
        return others
    made = {
        one.name: pd.arrays.IntegerArray(
            one.fill_null(0).cast(pl.Int64).to_numpy(writable=True), one.is_null().to_numpy()
        )
        for one in with_nulls
    }
    return others.assign(**made)[frame.columns]


def to_arrow(frame: pd.DataFrame, what: str, wanted: Collection[str]) -> pa.Table:
    """Columns of a data frame, without its index.

    Args:
        frame: the data frame.
        what: the data frame, for messages.
        wanted: names of the columns; those that the data frame lacks are left out.

    Raises:
        InputError: it is none, a column occurs twice, or has values of several types.
    """
    import pandas as pd
    import pyarrow as pa

    if not isinstance(frame, pd.DataFrame):
        raise InputError(f"{what}: expected a pandas DataFrame, received {type(frame).__name__}.")
    names = [name for name in wanted if name in frame.columns]
    twice = [name for name in names if list(frame.columns).count(name) > 1]
    if twice:
        raise InputError(f"{what}: two columns have the name {twice[0]!r}. Give each column a unique name.")
    arrays = []
    for name in names:
        try:
            arrays.append(pa.Array.from_pandas(frame[name]))
        except (pa.ArrowException, OverflowError) as error:
            raise InputError(
                f"{what}, column {name!r}: expected values of one type: {str(error).splitlines()[0]}. Convert the column."
            ) from None
    return pa.table(arrays, names=names)
