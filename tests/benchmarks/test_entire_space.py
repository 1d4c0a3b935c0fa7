"""The distance of predictions to the truth over the entire space, and the choice of the weight."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from benchmarks import entire_space
from benchmarks.entire_space import CASES, LOGS, VARIANTS, Variant, distance, distances, measure, recipe_of, table
from pipeline.simulate_entire_space import EntireSpace


def test_the_distance_by_hand() -> None:
    """Ratio (0.3 + 2 * 0.3) / (0.2 + 2 * 0.5) = 0.75; squares 0.01 and 0.04; a tie, so AUC 0.5."""
    found = distance(np.array([0.3, 0.3]), np.array([0.2, 0.5]), np.array([1.0, 2.0]))
    assert found["ratio"] == pytest.approx(0.75)
    assert found["rmse"] == pytest.approx(np.sqrt((0.01 + 2 * 0.04) / 3))
    assert found["auc"] == pytest.approx(0.5)


def test_the_auc_is_over_all_pairs_of_drawn_labels() -> None:
    """a = (0.2, 1.0), b = (0.8, 1.0). Pairs: (1, 1) tie 0.16, (1, 2) lost, (2, 1) won 0.8, (2, 2) tie 1: (0.8 + 1.16 / 2) / 2.16."""
    found = distance(np.array([0.1, 0.9]), np.array([0.2, 0.5]), np.array([1.0, 2.0]))
    assert found["auc"] == pytest.approx((0.8 + 0.58) / 2.16)


def test_the_auc_is_the_mean_of_those_of_draws() -> None:
    random = np.random.default_rng(2)
    truth = random.uniform(0.1, 0.6, 400)
    predicted = truth + random.normal(scale=0.1, size=400)
    labels = random.random((300, 400)) < truth
    drawn = [np.mean(np.greater.outer(predicted[one], predicted[~one])) for one in labels]
    assert distance(predicted, truth, np.ones(400))["auc"] == pytest.approx(np.mean(drawn), abs=0.005)


def test_each_space_has_its_truth_and_weights() -> None:
    """Of four impressions the last two: entire 0.3 / 0.4, clicked (0.1 * 0.1 + 0.3 * 0.2) / (0.1 * 0.2 + 0.3 * 0.4) = 0.5."""
    space = EntireSpace(
        click=np.array([0.9, 0.9, 0.1, 0.3]),
        order=np.array([0.9, 0.9, 0.1, 0.3]),
        order_given_click=np.array([0.9, 0.9, 0.2, 0.4]),
    )
    found = distances(np.array([0.1, 0.2]), space, slice(2, 4))
    assert found["entire"]["ratio"] == pytest.approx(0.75)
    assert found["clicked"]["ratio"] == pytest.approx(0.5)


def test_the_weight_is_chosen_on_the_clicked_validate_impressions_of_the_first_seed(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The weight 0.1 has the better predictions of the eval split, and 1 of the validate split: 1 is taken for both seeds."""
    calls = []

    def trained(recipe: Any, labels: str, rows: Any) -> tuple[Any, float, float]:
        weight = recipe.tasks["order"].weight
        calls.append((recipe.training.seed, weight, labels))
        truth = rows.space.order[rows.part("eval")]
        return truth * (1.0 if weight == 0.1 else 1.5), 0.3 if weight == 0.1 else 0.2, 7.0

    monkeypatch.setattr(entire_space, "train", trained)
    found = measure(CASES["fits"], ["click_space"], 2_000, 2)
    assert calls == [(1, 0.1, "logs"), (1, 1.0, "logs"), (2, 1.0, "logs")]
    about = found["click_space"]
    assert about["weight"] == 1.0 and about["cpu_seconds"] == [7.0] * 3
    assert about["metrics"]["entire"]["ratio"] == pytest.approx([1.5, 1.5])
    assert found[LOGS]["metrics"]["entire"]["rmse"] == [0.0, 0.0], "nothing is hidden"


def test_a_perfect_fit_of_the_logs_is_biased_if_something_is_hidden() -> None:
    found = measure(CASES["hidden"], [], 2_000, 1)[LOGS]["metrics"]
    assert 1.3 < found["entire"]["ratio"][0] < 1.6 and found["clicked"]["ratio"] == [pytest.approx(1.0)]
    assert found["entire"]["rmse"][0] > 0.01 and found["clicked"]["rmse"] == [0.0]


def test_what_is_trained_on_all_impressions_is_not_conditioned() -> None:
    for name in ("all_clicked", "unclicked_as_negatives"):
        assert recipe_of(CASES["fits"], VARIANTS[name], 0.1, 1).tasks["order"].conditioned_on is None
    ours = recipe_of(CASES["too_small"], Variant(), 0.1, 2)
    assert ours.tasks["order"].conditioned_on == "click" and ours.tasks["order"].weight == 0.1
    assert ours.model.architecture == "linear" and ours.training.seed == 2


def test_training_learns_from_the_labels_of_the_variant(monkeypatch: pytest.MonkeyPatch) -> None:
    """The parts that training and predictions receive, without a training."""
    import components.references.training as training
    from benchmarks.entire_space_rows import rows_of

    rows, seen = rows_of(1_000, 3, 0.0, 0.0), {}

    def trained(plan: Any, name: str, layout: Any, data: Any, validate: Any, asked: Any, checkpoint: Any) -> Any:
        seen.update(data=data, validate=validate, asked=asked)
        return SimpleNamespace(predictions={"order": np.linspace(0.1, 0.5, len(asked.labels), dtype=np.float32)})

    monkeypatch.setattr(training, "train_reference", trained)
    recipe = recipe_of(CASES["fits"], VARIANTS["all_clicked"], 0.1, 1)
    predicted, loss, _ = entire_space.train(recipe, "all_clicked", rows)
    assert [len(seen[name].labels) for name in ("data", "validate", "asked")] == [600, 100, 400]
    np.testing.assert_array_equal(seen["data"].labels[:, 1], rows.would_order[:600])
    np.testing.assert_allclose(predicted, np.linspace(0.1, 0.5, 400)[100:], rtol=1e-6)
    clicked, chance = rows.clicked[600:700], np.linspace(0.1, 0.5, 400)[:100]
    expected = np.where(rows.ordered[600:700], -np.log(chance), -np.log1p(-chance))[clicked].mean()
    assert loss == pytest.approx(expected, rel=1e-5)


def test_the_table_is_markdown_with_the_difference_over_the_same_seed() -> None:
    def about(ratios: list[float], seconds: list[float]) -> dict[str, Any]:
        metrics = {"ratio": ratios, "rmse": [0.01, 0.03], "auc": [0.7, 0.8]}
        return {"weight": 0.1, "cpu_seconds": seconds, "metrics": {"entire": metrics, "clicked": metrics}}

    found = {
        "click_space": about([1.2, 1.1], [5.0]),
        "esmm": about([1.1, 1.3], [6.0, 8.0]),
        LOGS: about([1.0, 1.0], []),
    }
    lines = table({"fits": found}).splitlines()
    assert len({line.count("|") for line in lines}) == 1
    others = "2.00 | 0.7500 |"
    assert lines[2] == f"| `fits` | `click_space` | 1.150 (1.100, 1.200) |  | {others} 1.150 | {others} 5.0 |"
    paired = "+0.050 (-0.100, +0.200)"
    assert lines[3] == f"| `fits` | `esmm` | 1.200 (1.100, 1.300) | {paired} | {others} 1.200 | {others} 7.0 |"
    assert lines[4].startswith(f"| `fits` | {LOGS} | 1.000 (1.000, 1.000) |  |") and lines[4].endswith("|  |")
    assert "fits" in table({"fits": {"esmm": found["esmm"]}}), "also without click_space"
