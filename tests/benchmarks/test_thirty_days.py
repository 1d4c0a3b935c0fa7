"""The benchmark of thirty nights: what arrives when, and its page."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import polars as pl
import pytest

from benchmarks.thirty_days import HISTORY, Scenario, _day, deliver
from benchmarks.thirty_days_page import page


@pytest.fixture
def source(tmp_path: Path) -> Path:
    for number in range(-HISTORY, 6):
        for stream in ("impressions", "clicks"):
            folder = tmp_path / "source" / stream / f"dt={_day(number)}"
            folder.mkdir(parents=True)
            pl.DataFrame({"row": range(9)}).write_parquet(folder / "part-0.parquet")
    return tmp_path / "source"


def test_days_arrive_late_and_by_half(source: Path, tmp_path: Path) -> None:
    logs, scenario = tmp_path / "logs", Scenario(poisoned=None, late=1, half=3)

    def there(night: int) -> dict[tuple[str, int], int]:
        deliver(source, logs, night, scenario)
        return {
            (stream, number): pl.read_parquet(logs / stream / f"dt={_day(number)}" / "*.parquet").height
            for stream in ("impressions", "clicks")
            for number in range(-HISTORY, 6)
            if (logs / stream / f"dt={_day(number)}").is_dir()
        }

    assert there(0) == {(stream, number): 9 for stream in ("impressions", "clicks") for number in range(-HISTORY, 1)}
    late = there(1)
    assert ("clicks", 1) not in late and late["impressions", 1] == 9
    assert there(2)["clicks", 1] == 9
    assert there(3)["impressions", 3] == 3 and there(3)["clicks", 3] == 9
    assert there(4)["impressions", 3] == 9
    assert set(there(5).values()) == {9}


def test_the_page_has_each_night_and_the_means() -> None:
    def night(number: int, **more: Any) -> dict[str, Any]:
        return {
            "day": str(_day(number)),
            "exit_code": 0,
            "reason": "pushed",
            "seconds": 20.0 + number,
            "peak_bytes": 2**30,
            "visits": 100,
            "train_rows": 100,
            "auc": {"click": 0.75},
            "gap": {"click": 0.010},
            **more,
        }

    nights = [night(number) for number in range(8)]
    nights[4]["cold"] = {"visits": 1000, "gap": {"click": 0.012}}
    nights[5] = {
        "day": str(_day(5)),
        "exit_code": 2,
        "reason": "refused: auc | low",
        "seconds": 9.0,
        "peak_bytes": 2**30,
    }
    result = {
        "commands": ["gatewise run recipes/shop_days.yaml --day DAY"],
        "nights": nights,
        "faults": {"poisoned": "2026-01-12", "late": "2026-01-13", "half": "2026-01-14"},
        "impressions": 20_000,
        "cores": 2,
    }
    text = page(result)
    assert "8 nights of about 20,000 impressions, on 2 cores: 7 pushed, 1 not." in text
    assert "| mean of warm less cold | -0.00200 | 0.100 of the visits |" in text
    assert "Median of the first third of the warm nights and of the last: 21.5 and 26.5 s" in text
    assert "| 2026-01-13 | refused: auc / low | - | 0 | 9 | 1.00 GiB |" in text
    assert text.count("| pushed |") == 7
