from __future__ import annotations

import numpy as np
import pytest

from components.columnar.float_order import numbers_of, rising_keys


@pytest.mark.parametrize(
    ("dtype", "kind", "one"), [(np.float32, np.uint32, 0xBF800000), (np.float64, np.uint64, 0xBFF << 52)]
)
def test_keys_sort_like_the_numbers_and_give_them_back(dtype: type, kind: type, one: int) -> None:
    numbers = np.array([-np.inf, -3e38, -1.5, -1e-40, -0.0, 0.0, 1e-40, 1.0, 3e38, np.inf], dtype)
    keys = rising_keys(numbers)
    assert keys.dtype == kind and (np.diff(keys.astype(object)) > 0).all()
    assert int(keys[7]) == one
    assert numbers_of(keys).tobytes() == numbers.tobytes()
