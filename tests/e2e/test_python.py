"""docs/python.md: its blocks in their order, on a small shop."""

from __future__ import annotations

import re
import warnings
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from pipeline.comparing.selection import Source
from pipeline.comparing.written import recipe_text

pytestmark = pytest.mark.slow

PROJECT = Path(__file__).resolve().parents[2]
SMALL = "{units: [16], tower_units: [8]}"
NETWORKS = (
    f"model.options.single_task={SMALL}",
    f"model.options.shared_bottom={SMALL}",
    "model.options.ple={levels: 1, units: [8], tower_units: [8]}",
)


def test_every_block_of_the_page(
    shop_recipe: Path,
    shop_logs: Path,
    quick: list[str],
    gates_off: list[str],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    small = (*quick[1::2], *gates_off[1::2], *NETWORKS, f"data={shop_logs}", "training.jit_compile=false")
    recipe = tmp_path / "recipes" / "shop.yaml"
    recipe.parent.mkdir()
    recipe.write_text(recipe_text(Source(file=str(shop_recipe)), small, recipe, "A small shop."))
    monkeypatch.chdir(tmp_path)
    blocks = re.findall(
        r"^```python\n(.*?)^```$", (PROJECT / "docs" / "python.md").read_text(), re.MULTILINE | re.DOTALL
    )
    assert len(blocks) == 7
    names: dict[str, Any] = {}
    for block in blocks:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # a notebook shows them and goes on
            exec(compile(block, f"docs/python.md: {block[:60]}", "exec"), names)
    run, scored, found = names["run"], names["scored"], names["found"]
    assert run.outcome == "pushed" and run.version == int(run.model.name) and names["recipe"].training.seed == 2
    assert run.record["overrides"] == ["training.seed=2"]
    printed = capsys.readouterr()
    assert "unknown architecture 'pel'" in printed.out and names["comparison"].verdict in printed.out
    assert "Trainer" in printed.err

    assert set(run.metrics["task"]) == {"click", "cart", "order", "order_value"}
    by_hand = run.predictions().query("`weight/click` > 0")
    whole = run.metrics.query("slice == 'all' and task == 'click'").set_index("metric")["value"]
    assert whole["example_count"] == len(by_hand) and whole["positive_count"] == by_hand["label/click"].sum()
    assert list(names["by_device"].columns) == ["label/click", "prediction/click"]
    assert len(names["page"].read_text()) > 10_000

    # The predictions of the Evaluator, but for the logged position, which requests do not have.
    examples = names["examples"]
    first = examples[examples["position"] == 1].index.intersection(scored.index)
    logged = run.predictions().set_index("gatewise/example_id").loc[examples.loc[first, "gatewise/example_id"]]
    assert len(first) > 10
    assert scored.loc[first, "click"].to_numpy() == pytest.approx(logged["prediction/click"].to_numpy(), abs=1e-6)
    assert {name for name in examples if examples[name].map(type).eq(pd.Series([[]]).map(type)[0]).any()} <= {"tags"}

    assert names["page_of_user"]["score"].is_monotonic_decreasing and len(found) == 5 and found["item"].is_unique
    assert set(names["comparison"].table["method"]) == {"single_task", "shared_bottom", "ple"}
    assert not names["comparison"].failed
