from __future__ import annotations

import numpy as np
import polars as pl

from benchmarks.peers.polars_encoding import Encoder

FEATURES = {
    "age": {"kind": "numeric", "transform": "none", "scale": "minmax"},
    "price": {"kind": "numeric", "transform": "log1p", "scale": "zscore"},
    "rank": {"kind": "bucketised", "buckets": 3, "boundaries": None},
    "years": {"kind": "bucketised", "buckets": None, "boundaries": [20.0, 30.0]},
    "shop": {"kind": "categorical", "vocabulary": 2, "min_count": 1},
    "tags": {"kind": "multivalued", "vocabulary": 9, "min_count": 2, "separator": "|", "max_length": 2},
}
TRAIN = pl.DataFrame(
    {
        "age": [0.0, 5.0, 10.0, None],
        "price": [0.0, 0.0, np.e - 1, np.e - 1],
        "rank": [1.0, 2.0, 3.0, 4.0],
        "years": [10.0, 20.0, 40.0, None],
        "shop": ["b", "a", "", "b"],
        "tags": ["x|y|z", "x", "", "y"],
    }
)


def test_by_hand() -> None:
    encoder = Encoder(FEATURES, TRAIN)
    # Limits 2 and 3; shops b, a; tags x and y, which come twice, equally often. Each with missing and outside before.
    assert encoder.tables == {"rank": 4, "years": 4, "shop": 4, "tags": 4}
    assert encoder.offsets == {"rank": 1, "years": 5, "shop": 9, "tags": 13}
    found = encoder.encode(TRAIN)
    assert (found.ids - [1, 5, 9]).tolist() == [[1, 1, 2], [2, 2, 3], [3, 3, 0], [3, 0, 2]]
    assert found.lists["tags"].tolist() == [[15, 16], [15, 0], [0, 0], [16, 0]]
    assert found.numbers.tolist() == [
        [0.0, 0.0, -1.0, 0.0],
        [0.5, 0.0, -1.0, 0.0],
        [1.0, 0.0, 1.0, 0.0],
        [0.0, 1.0, 1.0, 0.0],
    ]


def test_values_that_the_train_split_does_not_have() -> None:
    encoder = Encoder(FEATURES, TRAIN)
    other = pl.DataFrame(
        {"age": [20.0], "price": [None], "rank": [None], "years": [99.0], "shop": ["c"], "tags": ["z|x"]},
        schema=TRAIN.schema,
    )
    found = encoder.encode(other)
    assert (found.ids - [1, 5, 9]).tolist() == [[0, 3, 1]]
    assert found.lists["tags"].tolist() == [[14, 15]]
    assert found.numbers.tolist() == [[2.0, 0.0, 0.0, 1.0]]
