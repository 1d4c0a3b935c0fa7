"""The examples of the shop in memory."""

from __future__ import annotations

import numpy as np
import pytest

from benchmarks.entire_space_rows import LABELS, TASKS, Rows, rows_of
from pipeline.simulate_affinity import Shop

ALL = slice(None)


@pytest.fixture(scope="module")
def rows() -> Rows:
    return rows_of(4_000, 3, 0.0, 1.0)


def test_the_labels_are_the_simulators(rows: Rows) -> None:
    shop = Shop(4_000, seed=3, hidden=1.0)
    assert 250 < rows.clicked.sum() < 600 and 15 < rows.ordered.sum() < 90
    assert (rows.clicked | ~rows.ordered).all(), "an order needs a click"
    assert rows.would_order.mean() == pytest.approx(shop.truth.order_given_click.mean(), abs=0.015)
    np.testing.assert_array_equal(rows.would_order[rows.clicked], rows.ordered[rows.clicked])


def test_who_sees_which_label(rows: Rows) -> None:
    by = {labels: rows.columns(ALL, labels) for labels in LABELS}
    for columns in by.values():
        assert columns.tasks == TASKS
        np.testing.assert_array_equal(columns.labels[:, 0], rows.clicked)
        np.testing.assert_array_equal(columns.weights[:, 0], 1.0)
    np.testing.assert_array_equal(by["logs"].weights[:, 1], rows.clicked)
    np.testing.assert_array_equal(by["logs"].labels[:, 1], rows.ordered)
    np.testing.assert_array_equal(by["unclicked_as_negatives"].weights[:, 1], 1.0)
    np.testing.assert_array_equal(by["unclicked_as_negatives"].labels[:, 1], rows.ordered)
    np.testing.assert_array_equal(by["all_clicked"].weights[:, 1], 1.0)
    assert by["all_clicked"].labels[:, 1].sum() > 2 * rows.ordered.sum()


def test_the_splits_follow_each_other(rows: Rows) -> None:
    assert [rows.part(split) for split in ("train", "validate", "eval")] == [
        slice(0, 2_400),
        slice(2_400, 2_800),
        slice(2_800, 4_000),
    ]
    assert rows.part("validate", "eval") == slice(2_400, 4_000)
    np.testing.assert_array_equal(rows.columns(rows.part("eval"), "logs").labels[:, 0], rows.clicked[2_800:])


def test_the_features_are_the_logged_columns_and_do_not_show_the_interest(rows: Rows) -> None:
    shop, without = Shop(4_000, seed=3), rows_of(4_000, 3, 0.0, 0.0)
    for name, values in rows.arrays.items():
        np.testing.assert_array_equal(without.arrays[name], values)
    ids = rows.arrays["categorical"]
    for column, (feature, table) in enumerate(rows.layout.categorical):
        count, _ = rows.layout.tables[table]
        assert ids[:, column].min() >= 0 and ids[:, column].max() < count, feature
    known = [feature for feature, _ in rows.layout.categorical]
    np.testing.assert_array_equal(ids[:, known.index("category")], shop.logged.codes["category"] + 1)
    missing = np.isnan(shop.logged.numbers["age"])
    np.testing.assert_array_equal(ids[:, known.index("age")] == 0, missing)
    assert missing.any()
    tags, lists = shop.logged.population.item_tags[shop.logged.item], rows.arrays["multivalued/tags"]
    for row in range(50):
        assert sorted(lists[row][lists[row] >= 0] - 1) == np.flatnonzero(tags[row]).tolist()
    numeric = rows.arrays["numeric"]
    assert numeric.shape == (4_000, len(rows.layout.numeric))
    np.testing.assert_allclose(numeric[:, [0, 2]].mean(axis=0), 0.0, atol=1e-5)
