"""The nights of a recipe, from the records of its runs, and the report's section about them."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from pipeline.night_list import nights_of
from pipeline.report_nights import nights


def _record(tmp_path: Path, day: str, auc: float | None, before: float | None = None, **more: Any) -> dict[str, Any]:
    evaluation = tmp_path / f"{day}-{len(list(tmp_path.iterdir()))}"
    evaluation.mkdir()
    (evaluation / "metrics.json").write_text(
        json.dumps({"baseline": None if before is None else {"click": {"auc": before}}})
    )
    return {
        "state": "finished",
        "push": True,
        "blessed": True,
        "pushed": "there",
        "serving": "there",
        "metrics": {"click": {"auc": auc, "calibration": 1.0}},
        "evaluation": str(evaluation),
        "resolved": {"logs": {"day": day}, "training": {"start": "warm"}},
        **more,
    }


def _training(tmp_path: Path) -> str:
    folder = tmp_path / "training"
    folder.mkdir()
    before = {"click": {"labels": 9000, "loss": 0.31}, "order": {"labels": 40, "loss": 0.5}}
    (folder / "history.json").write_text(json.dumps({"start": {"evaluation": {"before_learning": before}}}))
    return str(folder)


def test_nights_in_order_with_the_age_of_the_last_pushed_model(tmp_path: Path) -> None:
    refused = {"blessed": False, "pushed": None, "serving": None}
    records = [
        _record(tmp_path, "2026-01-12", 0.9),  # after the day of the report
        _record(tmp_path, "2026-01-11", 0.74, 0.71, training=_training(tmp_path)),
        _record(tmp_path, "2026-01-10", None, state="failed", **refused, metrics=None),
        _record(tmp_path, "2026-01-09", 0.60, 0.73, **refused),
        _record(tmp_path, "2026-01-08", 0.1, push=False),  # an experiment
        _record(tmp_path, "2026-01-08", 0.72),
        _record(tmp_path, "2026-01-08", 0.5, state="failed"),  # an earlier attempt
        _record(tmp_path, "2026-01-07", 0.2, resolved={"logs": {"day": "2026-01-07"}, "training": {"start": "cold"}}),
    ]
    found = nights_of(records, "2026-01-11")
    assert [(night.day, night.outcome, night.metrics, night.baseline, night.baseline_age) for night in found] == [
        ("2026-01-08", "pushed", {"click": 0.72}, {}, None),
        ("2026-01-09", "not blessed", {"click": 0.60}, {"click": 0.73}, 1.0),
        ("2026-01-10", "failed", {}, {}, None),
        ("2026-01-11", "pushed", {"click": 0.74}, {"click": 0.71}, 3.0),
    ]
    assert [night.learned for night in found] == [{}, {}, {}, {"click": (9000, 0.31), "order": (40, 0.5)}]
    page = nights(found)
    assert "9,000" in page and "0.3100" in page and "loss before" in page
    assert "click auc" in page and page.count("<svg") == 1
    assert "click: +0.1300 at 1 days (1 night), −0.0300 at 3 days (1 night)" in page
    assert page.index("2026-01-11") < page.rindex("2026-01-08")


def test_one_night_has_no_section(tmp_path: Path) -> None:
    assert nights(nights_of([_record(tmp_path, "2026-01-08", 0.7)], "2026-01-08")) == ""
    assert nights_of([], "2026-01-08") == []
