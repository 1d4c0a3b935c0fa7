"""docs/leaderboard.md: what it shows of a comparison, and that it is what its JSON says."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from comparison import comparison

from benchmarks import leaderboard
from benchmarks.leaderboard import LOGS, PAGE, RESULTS, reduced, shown
from benchmarks.leaderboard_page import page
from models.recipe.errors import InputError
from models.recipe.file import load_recipe

ROOT = Path(__file__).parents[2]


def result() -> dict[str, Any]:
    return {"failed": {}, **comparison(tasks=2, trials=False)}


def test_a_row_has_the_metrics_the_verdicts_and_the_costs() -> None:
    of = shown(LOGS["shop"], result())
    text = page({"shop": of})
    assert ".venv/bin/gatewise simulate recipes/shop.yaml --impressions 100000 --seed 7" in text
    assert f"--architectures all --seeds {len(of['seeds'])}" in text
    [row] = [line for line in text.splitlines() if line.startswith("| `ple`")]
    own = next(one for one in of["methods"] if one["name"] == "ple")
    for task, value in own["metrics"].items():
        sign = {"better": "+", "worse": "−", "no difference": "="}[own["against_twins"][task]["verdict"]]
        assert f"{value:.4f}** {sign}" in row or f"{value:.4f} {sign}" in row
    assert f"{own['page_ms']['p99']:.1f}" in row
    assert of["chosen"]["why"] in text and "of training" in text


def test_the_best_of_each_task_is_marked_and_the_table_is_whole() -> None:
    of = shown(LOGS["deskdrop"], result())
    rows = [line for line in page({"deskdrop": of}).splitlines() if line.startswith("| ")]
    assert len({line.count("|") for line in rows}) == 1
    for task in of["tasks"]:
        best = max(row["metrics"][task] for row in of["methods"])
        assert sum(f"**{best:.4f}**" in line for line in rows) >= 1


def test_missing_values_do_not_stop_the_page() -> None:
    of = shown(LOGS["deskdrop"], {"failed": {"ple": "loss is nan"}, **comparison(tasks=4, truth=False, missing=True)})
    assert "Failed: ple (loss is nan)" in page({"deskdrop": of})


def test_a_log_that_fails_keeps_the_others(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    results, written = tmp_path / "results.json", tmp_path / "page.md"
    monkeypatch.setattr(leaderboard, "RESULTS", results)
    monkeypatch.setattr(leaderboard, "PAGE", written)
    (tmp_path / "compare.json").write_text(json.dumps(result()))
    leaderboard.main(take=[f"deskdrop={tmp_path / 'compare.json'}"])
    before = results.read_text()
    with pytest.raises(InputError, match="unknown log 'nowhere'"):
        leaderboard.main(logs="nowhere")
    assert results.read_text() == before and "Deskdrop" in written.read_text()


def test_the_page_in_the_docs_is_what_its_results_say() -> None:
    results = json.loads(RESULTS.read_text())
    assert PAGE.read_text() == page({name: results[name] for name in LOGS if name in results})


def test_each_row_in_the_docs_is_a_recipe() -> None:
    for name, of in json.loads(RESULTS.read_text()).items():
        for row in of["methods"]:
            load_recipe(ROOT / LOGS[name]["recipe"], row["overrides"])


def test_what_is_kept_is_a_part_of_the_result() -> None:
    kept, whole = reduced(result()), result()
    assert kept["tasks"] == whole["tasks"] and len(kept["methods"]) == len(whole["methods"])
    assert len(json.dumps(kept)) < len(json.dumps(whole))
