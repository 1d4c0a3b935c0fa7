"""Columns from disk, and their order in training."""

from __future__ import annotations

import dataclasses
import gc
import json
import weakref
from pathlib import Path

import keras
import numpy as np
import pyarrow as pa
import pytest
import tensorflow as tf

from models.features import byte_packing, input_pipeline
from models.features.balanced_rows import probabilities
from models.features.byte_packing import Compact
from models.features.epoch_orders import balanced_order, epoch_order
from models.features.groups import GROUP, as_pairs
from models.recipe.errors import InputError


def write(path: Path, ids: list[int], tasks: tuple[str, ...] = ("click", "buy"), batches: int = 1) -> Path:
    """A file in which every number follows from the row's id."""
    numbers = np.array(ids, np.int64)

    def matrix(values: list[np.ndarray], dtype: str) -> pa.Array:
        flat = np.stack(values, axis=1).astype(dtype)
        return pa.FixedSizeListArray.from_arrays(pa.array(flat.reshape(-1)), flat.shape[1])

    columns = {
        "categorical": matrix([numbers % 5, numbers % 7, numbers % 3], "int32"),
        "numeric": matrix([numbers / 4, numbers * 0], "float32"),
        "multivalued/tags": matrix([numbers % 2, -np.ones(len(ids))], "int32"),
        "labels": matrix([numbers % 2] * len(tasks), "float32"),
        "weights": matrix([numbers * 0 + 1 + i for i in range(len(tasks))], "float32"),
        "example_id": pa.array(numbers),
    }
    table = pa.table(columns).replace_schema_metadata({"tasks": json.dumps(tasks)})
    path.parent.mkdir(parents=True, exist_ok=True)
    with pa.ipc.new_file(path, table.schema) as writer:
        writer.write_table(table, max_chunksize=max(-(-len(ids) // batches), 1))
    return path


def ids_of(columns: input_pipeline.Columns, dataset: tf.data.Dataset) -> list[list[int]]:
    """The examples of every batch, told by their features; padding as -1."""
    batches = []
    for features, _, weights in dataset:
        ids = (features["numeric"].numpy()[:, 0] * 4).astype(int)
        batches.append([int(i) if weight else -1 for i, weight in zip(ids, weights.numpy()[:, 0], strict=True)])
    return batches


def test_the_columns_share_their_rows(tmp_path: Path) -> None:
    write(tmp_path / "a.arrow", [1, 4, 9])
    columns = input_pipeline.read_split(str(tmp_path / "*"))
    assert columns.tasks == ("click", "buy")
    assert columns.example_id.tolist() == [1, 4, 9]
    assert columns.arrays.keys() == {"categorical", "numeric", "multivalued/tags"}
    assert columns.arrays["categorical"][:].tolist() == [[1, 1, 1], [4, 4, 1], [4, 2, 0]]
    assert columns.arrays["numeric"][:].tolist() == [[0.25, 0.0], [1.0, 0.0], [2.25, 0.0]]
    assert columns.arrays["multivalued/tags"][:].tolist() == [[1, -1], [0, -1], [1, -1]]
    assert columns.labels[:].tolist() == [[1, 1], [0, 0], [1, 1]]
    assert columns.weights[:].tolist() == [[1, 2]] * 3
    # A byte each of 3 + 1 + 2 features, 2 labels and 2 weights, and a number that takes 4 bytes: the only copy.
    arrays = (*columns.arrays.values(), columns.labels, columns.weights)
    assert all(isinstance(array, Compact) for array in arrays)
    [rows] = {id(array.rows): array.rows for array in arrays}.values()
    assert rows.shape == (3, 14)


def test_a_split_larger_than_the_limit_lies_in_a_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write(tmp_path / "a.arrow", [1, 4, 9])
    monkeypatch.setattr(byte_packing, "MEMORY_BYTES", 3 * 14)
    assert not isinstance(input_pipeline.read_split(str(tmp_path / "*")).labels.rows, np.memmap)
    monkeypatch.setattr(byte_packing, "MEMORY_BYTES", 3 * 14 - 1)
    assert isinstance(input_pipeline.read_split(str(tmp_path / "*")).labels.rows, np.memmap)


def test_labels_put_in_their_place_count(tmp_path: Path) -> None:
    write(tmp_path / "a.arrow", list(range(10)))
    columns = input_pipeline.read_split(str(tmp_path / "*"))
    order = epoch_order(10, 1, 0)
    changed = dataclasses.replace(columns, labels=columns.labels[:] + 5)
    features, labels, weights = input_pipeline.batch(changed, 4, order, 1)
    assert labels.tolist() == (columns.labels[order[4:8]] + 5).tolist()
    assert weights.tolist() == columns.weights[order[4:8]].tolist()
    for name, array in columns.arrays.items():
        assert features[name].tolist() == array[order[4:8]].tolist()


def test_a_data_set_does_not_keep_the_columns(tmp_path: Path) -> None:
    """TensorFlow keeps the Python function that gathers; what it trained with must go all the same."""
    write(tmp_path / "a.arrow", list(range(10)))
    columns = input_pipeline.read_split(str(tmp_path / "*"))
    rows = weakref.ref(columns.labels.rows)
    dataset = input_pipeline.dataset(columns, 4, 1)
    assert len(ids_of(columns, dataset.take(3))) == 3
    del columns
    gc.collect()
    assert rows() is None
    with pytest.raises(tf.errors.UnknownError, match="the columns of this data set were released"):
        next(iter(dataset))


@pytest.mark.parametrize("memory", [2**30, 0])
def test_files_and_batches_do_not_matter(tmp_path: Path, memory: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(byte_packing, "MEMORY_BYTES", memory)
    ids = list(range(0, 60, 3))
    write(tmp_path / "one" / "a.arrow", ids)
    write(tmp_path / "many" / "a.arrow", ids[1::2])
    write(tmp_path / "many" / "b.arrow", ids[0::4], batches=3)
    write(tmp_path / "many" / "c.arrow", ids[2::4][::-1])
    write(tmp_path / "many" / "d.arrow", [])
    one, many = (
        input_pipeline.read_split(str(tmp_path / "one/*")),
        input_pipeline.read_split(str(tmp_path / "many/*.arrow")),
    )
    assert many.example_id.tolist() == ids
    np.testing.assert_array_equal(one.labels[:], many.labels[:])
    np.testing.assert_array_equal(one.weights[:], many.weights[:])
    for name, array in one.arrays.items():
        np.testing.assert_array_equal(array[:], many.arrays[name][:])
    first = ids_of(one, input_pipeline.dataset(one, 8, 3).take(9))
    assert first == ids_of(many, input_pipeline.dataset(many, 8, 3).take(9))


def test_evaluation_is_one_pass_in_order_with_a_padded_end(tmp_path: Path) -> None:
    write(tmp_path / "a.arrow", list(range(10)))
    columns = input_pipeline.read_split(str(tmp_path / "*"))
    dataset = input_pipeline.dataset(columns, 4, None)
    assert ids_of(columns, dataset) == [[0, 1, 2, 3], [4, 5, 6, 7], [8, 9, -1, -1]]
    assert ids_of(columns, dataset) == ids_of(columns, dataset)
    assert dataset.cardinality() == 3
    assert columns.weights[:].tolist() == [[1, 2]] * 10
    features, labels, weights = list(dataset)[-1]
    assert weights.numpy().tolist() == [[1, 2], [1, 2], [0, 0], [0, 0]]
    assert (labels.shape, features["categorical"].shape) == ((4, 2), (4, 3))
    assert features["categorical"].numpy().min() >= 0
    features, labels, weights = dataset.element_spec
    assert (labels.shape, weights.shape, features["multivalued/tags"].shape) == ((4, 2), (4, 2), (4, 2))


def test_a_batch_larger_than_the_split(tmp_path: Path) -> None:
    write(tmp_path / "a.arrow", [3, 5])
    columns = input_pipeline.read_split(str(tmp_path / "*"))
    assert ids_of(columns, input_pipeline.dataset(columns, 5, None)) == [[3, 5, -1, -1, -1]]


def test_every_epoch_has_every_example_once_in_an_order_of_its_own(tmp_path: Path) -> None:
    write(tmp_path / "a.arrow", list(range(50)))
    columns = input_pipeline.read_split(str(tmp_path / "*"))
    batches = ids_of(columns, input_pipeline.dataset(columns, 8, 1).take(21))
    epochs = [[i for batch in batches[start : start + 7] for i in batch if i >= 0] for start in (0, 7, 14)]
    assert all(sorted(epoch) == list(range(50)) for epoch in epochs)
    assert [sum(i < 0 for i in batch) for batch in batches] == [0, 0, 0, 0, 0, 0, 6] * 3
    assert len({tuple(epoch) for epoch in epochs}) == 3
    for number, epoch in enumerate(epochs):
        assert epoch == epoch_order(50, 1, number).tolist()


def test_same_seed_same_order_other_seed_other_order(tmp_path: Path) -> None:
    write(tmp_path / "a.arrow", list(range(50)))
    columns = input_pipeline.read_split(str(tmp_path / "*"))
    first = ids_of(columns, input_pipeline.dataset(columns, 8, 1).take(14))
    assert ids_of(columns, input_pipeline.dataset(columns, 8, 1).take(14)) == first
    assert ids_of(columns, input_pipeline.dataset(columns, 8, 2).take(14)) != first


def test_a_resumed_training_sees_the_same_batches(tmp_path: Path) -> None:
    write(tmp_path / "a.arrow", list(range(50)))
    columns = input_pipeline.read_split(str(tmp_path / "*"))
    whole = ids_of(columns, input_pipeline.dataset(columns, 8, 1).take(28))
    assert ids_of(columns, input_pipeline.dataset(columns, 8, 1, first_epoch=2).take(14)) == whole[14:]
    assert ids_of(columns, input_pipeline.dataset(columns, 8, 1, first_epoch=1, first_step=3).take(18)) == whole[10:]
    assert ids_of(columns, input_pipeline.dataset(columns, 8, 1, first_step=7).take(2)) == whole[7:9]


def test_balanced_batches_have_corrected_weights_and_can_be_resumed(tmp_path: Path) -> None:
    """Task `buy` is observed on 5 of 50 rows; its rows are drawn more often, with smaller weights."""
    write(tmp_path / "a.arrow", list(range(50)))
    columns = input_pipeline.read_split(str(tmp_path / "*"))
    few = np.ones((50, 2), np.float32)
    few[5:, 1] = 0
    columns = dataclasses.replace(columns, weights=few)
    whole = list(input_pipeline.dataset(columns, 8, 1, balanced=True).take(14))
    order = balanced_order(probabilities(few), 1, 0)
    # p = (1/50 + 1/5) / 2 and 1/100; N q = 45 p + 0.1 = 5.05 and 0.55.
    for number, (features, _, weights) in enumerate(whole[:7]):
        ids = (features["numeric"].numpy()[:, 0] * 4).astype(int)
        rows = order[8 * number : 8 * number + 8]
        assert ids[: len(rows)].tolist() == rows.tolist()
        expected = [[1 / 5.05, 1 / 5.05] if i < 5 else [1 / 0.55, 0] for i in rows] + [[0, 0]] * (8 - len(rows))
        np.testing.assert_allclose(weights, expected, rtol=1e-6)
    for start, resumed in (
        (9, input_pipeline.dataset(columns, 8, 1, first_epoch=1, first_step=2, balanced=True)),
        (3, input_pipeline.dataset(columns, 8, 1, first_step=3, balanced=True)),
    ):
        for one, other in zip(whole[start:], resumed.take(14 - start), strict=True):
            np.testing.assert_array_equal(one[0]["numeric"], other[0]["numeric"])
            np.testing.assert_array_equal(one[2], other[2])
    # Batches of another size have the same rows.
    other = list(input_pipeline.dataset(columns, 25, 1, balanced=True).take(2))
    np.testing.assert_array_equal(
        np.concatenate([features["numeric"] for features, *_ in other]),
        np.concatenate([features["numeric"] for features, *_ in whole[:7]])[:50],
    )
    assert (columns.weights == few).all()


def test_the_order_never_changes() -> None:
    # Written down: models of the same seed must come out equal after an upgrade, too.
    assert epoch_order(8, 1, 0).tolist() == EXPECTED_ORDER


EXPECTED_ORDER = [5, 0, 1, 4, 2, 6, 3, 7]


def test_an_iterators_end_waits_for_no_tuner(tmp_path: Path) -> None:
    """tf.data's tuner sleeps twice as long each time, and an iterator is gone only when it wakes."""
    write(tmp_path / "a.arrow", list(range(6)))
    columns = input_pipeline.read_split(str(tmp_path / "*"))
    for seed in (None, 1):
        assert input_pipeline.dataset(columns, 4, seed).options().autotune.enabled is False
        assert input_pipeline.dataset(columns, 4, seed).take(1).options().autotune.enabled is False


def test_keras_fits_from_it(tmp_path: Path) -> None:
    write(tmp_path / "a.arrow", list(range(10)))
    columns = input_pipeline.read_split(str(tmp_path / "*"))
    inputs = keras.Input((2,), name="numeric")
    model = keras.Model({"numeric": inputs}, keras.layers.Dense(2)(inputs))
    model.compile(loss="mse")

    def only_numeric(features: dict[str, tf.Tensor], labels: tf.Tensor, weights: tf.Tensor) -> tuple[object, ...]:
        return {"numeric": features["numeric"]}, labels, weights[:, 0]

    training = input_pipeline.dataset(columns, 4, 1).map(only_numeric)
    validation = input_pipeline.dataset(columns, 4, None).map(only_numeric)
    fitted = model.fit(training, steps_per_epoch=3, epochs=2, validation_data=validation, shuffle=False, verbose=0)
    assert len(fitted.history["loss"]) == len(fitted.history["val_loss"]) == 2


def test_what_cannot_be_read(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"nothing/\*: expected the Arrow files of a split, no file matches"):
        input_pipeline.read_split(str(tmp_path / "nothing/*"))
    (tmp_path / "text").mkdir()
    (tmp_path / "text" / "a.arrow").write_text("no arrow")
    with pytest.raises(InputError, match=r"a\.arrow: expected an Arrow file of the features stage; it cannot be read"):
        input_pipeline.read_split(str(tmp_path / "text/*"))
    with pa.ipc.new_file(tmp_path / "other.arrow", pa.schema({"x": pa.int64()})):
        pass
    with pytest.raises(InputError, match=r"with the columns labels, weights, example_id .* found the columns x"):
        input_pipeline.read_split(str(tmp_path / "other.arrow"))
    write(tmp_path / "empty" / "a.arrow", [])
    with pytest.raises(InputError, match="the split has no examples"):
        input_pipeline.read_split(str(tmp_path / "empty/*"))
    write(tmp_path / "mixed" / "a.arrow", [1])
    write(tmp_path / "mixed" / "b.arrow", [2], tasks=("click", "order"))
    with pytest.raises(InputError, match=r"b\.arrow: its columns or tasks differ from those of .*a\.arrow"):
        input_pipeline.read_split(str(tmp_path / "mixed/*"))
    write(tmp_path / "twice" / "a.arrow", [1, 7])
    write(tmp_path / "twice" / "b.arrow", [7, 8])
    with pytest.raises(InputError, match="the example id 7 occurs more than once"):
        input_pipeline.read_split(str(tmp_path / "twice/*"))


def test_the_groups_of_a_split_are_read_and_stay_together(tmp_path: Path) -> None:
    """From files in any division. The batches have the codes, also a batch after a resume and one of a pass without a seed."""
    ids = np.arange(30)
    hashes = np.random.default_rng(0).integers(1, 2**63, 4)[ids * 11 % 4]
    for folder, parts in {"one": [ids], "two": [ids[::-2], ids[::2]]}.items():
        for number, part in enumerate(parts):
            path = write(tmp_path / folder / f"{number}.arrow", part.tolist())
            table = pa.ipc.open_file(path.read_bytes()).read_all()
            pairs = pa.FixedSizeListArray.from_arrays(pa.array(as_pairs(hashes[part]).reshape(-1)), 2)
            table = table.append_column(GROUP, pairs)
            with pa.ipc.new_file(path, table.schema) as writer:
                writer.write_table(table)
    one, two = (input_pipeline.read_split(str(tmp_path / folder / "*")) for folder in ("one", "two"))
    assert GROUP not in one.arrays
    for columns in (one, two):
        np.testing.assert_array_equal(columns.groups[:, None] == columns.groups, hashes[:, None] == hashes)
    whole = list(input_pipeline.dataset(one, 8, 1).take(8))
    for found, (features, _, _) in zip(ids_of(two, input_pipeline.dataset(two, 8, 1).take(8)), whole, strict=True):
        seen = (features["numeric"].numpy()[:, 0] * 4).astype(int)
        assert [i for i in found if i >= 0] == seen[: np.count_nonzero(np.array(found) >= 0)].tolist()
        np.testing.assert_array_equal(features[GROUP], one.groups[seen])
    resumed = ids_of(one, input_pipeline.dataset(one, 8, 1, first_epoch=1, first_step=1).take(3))
    assert resumed == ids_of(one, input_pipeline.dataset(one, 8, 1).take(8))[5:]
    for dataset in (input_pipeline.dataset(one, 8, 1).take(4), input_pipeline.dataset(one, 8, None)):
        order = [i for batch in ids_of(one, dataset) for i in batch if i >= 0]
        assert sorted(order) == ids.tolist()
        assert np.count_nonzero(np.diff(hashes[order])) == 3
