"""The rows that remain, their weights, and that the choice depends on nothing else."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest

from models.features.byte_packing import Compact, Extent, layouts
from models.features.input_pipeline import Columns, batch
from models.features.thinned_rows import kept, thinned
from models.recipe.errors import InputError

ROWS = 20_000


def split(rows: int = ROWS, seed: int = 0) -> Columns:
    """`click` observed everywhere; `buy` on clicks only, with weights that are no whole numbers."""
    random = np.random.default_rng(seed)
    click = random.random(rows) < 0.1
    labels = np.stack([click, click & (random.random(rows) < 0.5)], axis=1).astype(np.float32)
    weights = np.stack([np.ones(rows), click * random.uniform(0.5, 2.0, rows)], axis=1).astype(np.float32)
    ids = np.sort(random.choice(2**62, rows, replace=False))
    return Columns({"numeric": ids[:, None].astype(np.float32)}, labels, weights, ids, ("click", "buy"))


def packed(columns: Columns) -> Columns:
    """The same split as `read_split` makes it: all arrays in shared rows of bytes."""
    arrays = {**columns.arrays, "labels": columns.labels, "weights": columns.weights}
    extents = {name: Extent(array.shape[1], array.dtype) for name, array in arrays.items()}
    for name, array in arrays.items():
        extents[name].add(np.asarray(array))
    found, size = layouts(extents)
    rows = np.empty((len(columns.labels), size), np.uint8)
    for name, array in arrays.items():
        found[name].pack(np.asarray(array), rows)
    compact = {name: Compact(rows, layout) for name, layout in found.items()}
    return dataclasses.replace(
        columns, arrays={"numeric": compact["numeric"]}, labels=compact["labels"], weights=compact["weights"]
    )


def test_a_share_of_the_negatives_by_a_slow_reference() -> None:
    columns = split(2000)
    found = thinned(columns, {"click": 0.25, "buy": 0.5}, 7)
    expected = []
    for i, example in enumerate(columns.example_id):
        weights = columns.weights[i].copy()
        for task, rate in enumerate([0.25, 0.5]):
            if columns.labels[i, task] == 0 and not kept(np.array([example]), rate, 7)[0]:
                weights[task] = 0
        if weights.any():
            expected.append((example, columns.arrays["numeric"][i, 0], *columns.labels[i], *weights))
    columns_found = found.example_id, found.arrays["numeric"][:, 0], *found.labels.T, *found.weights.T
    assert list(zip(*columns_found, strict=True)) == expected
    assert (found.weights[:, 1] == 0).sum() > 0 and found.tasks == columns.tasks


def test_positives_stay_and_about_the_share_of_the_negatives() -> None:
    columns = split()
    found = thinned(columns, {"click": 0.1}, 1)
    positives = int(columns.labels[:, 0].sum())
    assert int(found.labels[:, 0].sum()) == positives
    negatives = ROWS - positives
    assert len(found.labels) - positives == pytest.approx(0.1 * negatives, abs=4 * (0.09 * negatives) ** 0.5)
    # A row on which another task is observed stays, only without the negative.
    both = dataclasses.replace(columns, weights=np.ones_like(columns.weights))
    stays = thinned(both, {"click": 0.1}, 1)
    assert len(stays.labels) == ROWS and (stays.weights[:, 1] == 1).all()
    np.testing.assert_array_equal(stays.example_id[stays.weights[:, 0] > 0], found.example_id)


def test_the_groups_of_the_rows_that_are_left() -> None:
    columns = split(2000)
    columns = dataclasses.replace(columns, groups=(np.arange(2000) // 20).astype(np.int32))
    found = thinned(columns, {"click": 0.02}, 1)
    groups = dict(zip(columns.example_id.tolist(), columns.groups.tolist(), strict=True))
    expected = [groups[example] for example in found.example_id.tolist()]
    assert len(set(expected)) < 100, "some groups are gone"
    assert found.groups.tolist() == [sorted(set(expected)).index(group) for group in expected]


def test_packed_rows_give_the_same_and_leave_the_split_as_it_was() -> None:
    columns = split(3000)
    compact = packed(columns)
    plain, found = (thinned(one, {"click": 0.2, "buy": 0.3}, 3) for one in (columns, compact))
    assert isinstance(found.weights, Compact) and found.weights.rows is found.labels.rows
    for one, other in zip(batch(plain, 64, None, 2)[1:], batch(found, 64, None, 2)[1:], strict=True):
        np.testing.assert_array_equal(one, other)
    for name in ("labels", "weights", "example_id"):
        np.testing.assert_array_equal(np.asarray(getattr(plain, name)), np.asarray(getattr(found, name)))
        np.testing.assert_array_equal(np.asarray(getattr(columns, name)), np.asarray(getattr(compact, name)))
    np.testing.assert_array_equal(plain.arrays["numeric"], np.asarray(found.arrays["numeric"]))


def test_the_choice_depends_on_seed_and_id_alone() -> None:
    ids = split().example_id
    chosen = kept(ids, 0.3, 1)
    order = np.random.default_rng(0).permutation(len(ids))
    np.testing.assert_array_equal(kept(ids[order], 0.3, 1), chosen[order])
    assert not (kept(ids, 0.1, 1) & ~chosen).any(), "a smaller rate keeps a part of the larger one's"
    assert np.mean(kept(ids, 0.3, 2) & chosen) == pytest.approx(0.09, abs=0.01), "independent"
    # Ids in a row, as small ones might be, are chosen as any others.
    assert kept(np.arange(100_000), 0.3, 1).mean() == pytest.approx(0.3, abs=0.006)
    assert kept(ids, 1.0, 1).all()


def test_without_a_rate_below_1_nothing_is_copied() -> None:
    columns = split(100)
    assert thinned(columns, {"click": 1.0}, 1) is columns and thinned(columns, {}, 1) is columns


def test_no_negative_left() -> None:
    with pytest.raises(InputError, match=r"tasks\.click\.negative_rate: 1e-12 leaves none of the .* Choose a larger"):
        thinned(split(100), {"click": 1e-12}, 1)
