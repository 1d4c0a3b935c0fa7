from __future__ import annotations

import pytest

from models.recipe.quantities import parse_cpu, parse_memory


@pytest.mark.parametrize(
    ("written", "parsed"), [(4, "4"), (0.5, "0.5"), ("500m", "500m"), ("2", "2"), (" 1.25 ", "1.25")]
)
def test_processors(written: object, parsed: str) -> None:
    assert parse_cpu(written) == parsed


@pytest.mark.parametrize("written", [0, "0m", "", "two", "4 cores", "1.2345", -1, "-1", True, None, "4Gi", [4]])
def test_what_is_no_number_of_processors(written: object) -> None:
    with pytest.raises(ValueError, match="expected a number of processors, such as 4, 0.5 or 500m; received"):
        parse_cpu(written)


@pytest.mark.parametrize("written", ["16Gi", "512Mi", "1.5Gi", "100M", "2T", "64k", "8Ki"])
def test_memory(written: str) -> None:
    assert parse_memory(written) == written


@pytest.mark.parametrize("written", [8, "8", "8GB", "8gi", "Gi", "0Gi", "0.0M", "-1Gi", "500m", None, True])
def test_what_is_no_memory(written: object) -> None:
    with pytest.raises(ValueError, match="expected an amount of memory with its unit, such as 512Mi or 16Gi; received"):
        parse_memory(written)
