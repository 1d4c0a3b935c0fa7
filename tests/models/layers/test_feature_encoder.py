import keras
import numpy as np
import pytest
import tensorflow as tf

from models.layers.feature_encoder import FeatureEncoder

TABLE = np.array([[9.0, -9.0], [1.0, -2.0], [3.0, 4.0], [5.0, -6.0]], "float32")


def encoder():
    return FeatureEncoder(
        {"user": (3, 1), "item": (4, 2)},
        {"user": "user", "item": "item", "last": "item"},
        {"history": ("item", "mean"), "tags": ("user", "sum")},
        ("price", "age"),
    )


FEATURES = {
    "categorical": np.array([[2, 1, 3], [0, 0, 2]], "int32"),
    "numeric": np.array([[0.5, -1.0], [7.0, 8.0]], "float32"),
    "multivalued/history": np.array([[1, 3, -1], [-1, -1, -1]], "int32"),
    "multivalued/tags": np.array([[1, 2], [0, -1]], "int32"),
}


def test_all_parts_by_hand():
    layer = encoder()
    layer.build()
    layer.set_weights([with_padding([[100.0], [10.0], [20.0]]), with_padding(TABLE)])
    expected = [
        # user 2 | item 1 | item 3 | mean of items 1, 3 | users 1 + 2 | numeric
        [20, 1, -2, 5, -6, 3, -4, 30, 0.5, -1],
        [100, 9, -9, 3, 4, 0, 0, 100, 7, 8],
    ]
    np.testing.assert_allclose(layer(FEATURES), expected)
    assert layer.dim == 10
    assert layer.compute_output_shape({k: v.shape for k, v in FEATURES.items()}) == (2, 10)


def test_where_each_feature_stands():
    layer = encoder()
    assert layer.slices == (
        ("user", 0, 1),
        ("item", 1, 3),
        ("last", 3, 5),
        ("history", 5, 7),
        ("tags", 7, 8),
        ("price", 8, 9),
        ("age", 9, 10),
    )
    assert layer.fields == (1, 2, 2, 2, 1)


def test_the_columns_of_one_feature_are_one_slice():
    layer = FeatureEncoder({}, numeric=("price", "age/1", "age/2", "age_missing"))
    assert layer.slices == (("price", 0, 1), ("age", 1, 3), ("age_missing", 3, 4))


def test_lists_before_they_are_pooled():
    layer = encoder()
    layer.build()
    layer.set_weights([with_padding([[100.0], [10.0], [20.0]]), with_padding(TABLE)])
    ids = layer.row_ids(FEATURES)
    found = layer.unpooled(layer.gather(ids), ids, FEATURES, ("history",))
    assert list(found) == ["history"]
    rows, present = found["history"]
    np.testing.assert_array_equal(present, [[True, True, False], [False, False, False]])
    np.testing.assert_array_equal(rows[0, :2], [[1, -2], [5, -6]])


def with_padding(rows):
    """A fused table: its first row is never to be seen."""
    return np.concatenate([np.full((1, len(rows[0])), np.nan), rows])


def test_tables_of_one_width_are_one_variable():
    layer = FeatureEncoder(
        {"a": (3, 2), "b": (5, 4), "c": (6, 2)}, dict(zip("wxyz", "abca", strict=True)), {"l": ("c", "sum")}, ("n",)
    )
    layer.build()
    assert [tuple(v.shape) for v in layer.trainable_variables] == [(1 + 3 + 6, 2), (1 + 5, 4)]
    numbers = with_padding(np.arange(18).reshape(9, 2)), with_padding(100 + np.arange(20).reshape(5, 4))
    layer.set_weights(numbers)
    features = {
        "categorical": np.array([[1, 4, 0, 2]], "int32"),
        "numeric": np.array([[0.5]], "float32"),
        "multivalued/l": np.array([[5, -1, 0]], "int32"),
    }
    # a 1 | b 4 | c 0, the fourth row below a | a 2 | c 5 + c 0 | numeric
    expected = [2, 3, 116, 117, 118, 119, 6, 7, 4, 5, 16 + 6, 17 + 7, 0.5]
    np.testing.assert_array_equal(layer(features), [expected])
    ids = layer.row_ids(features)
    assert [one.numpy().tolist() for one in ids] == [[[2, 4, 3, 9, 0, 4]], [[5]]]
    np.testing.assert_array_equal(layer.assemble(layer.gather(ids), ids, features), [expected])


def test_copies_are_side_by_side_in_a_row():
    """Each copy reads its part of the rows as an encoder of its own would; the numbers are in every copy."""
    layer = FeatureEncoder(
        {"user": (3, 1), "item": (4, 2)},
        {"user": "user", "item": "item", "last": "item"},
        {"history": ("item", "mean"), "tags": ("user", "sum")},
        ("price", "age"),
        copies=2,
    )
    layer.build()
    tables = [with_padding([[100.0], [10.0], [20.0]]), with_padding(TABLE)]
    assert layer.table_shapes == [(4, 2), (5, 4)]
    layer.set_weights([np.concatenate([table, 7 * table], axis=1) for table in tables])
    ids = layer.row_ids(FEATURES)
    first, second = (layer.assemble(layer.gather(ids), ids, FEATURES, copy) for copy in (0, 1))
    alone = encoder()
    alone.build()
    alone.set_weights(tables)
    expected = alone(FEATURES).numpy()
    np.testing.assert_allclose(first, expected)
    np.testing.assert_allclose(layer(FEATURES), expected)
    np.testing.assert_allclose(second[:, :8], 7 * expected[:, :8])
    np.testing.assert_allclose(second[:, 8:], expected[:, 8:])
    history, _ = layer.unpooled(layer.gather(ids), ids, FEATURES, ["history"])["history"]
    np.testing.assert_allclose(history[0, :2], TABLE[[1, 3]])
    assert FeatureEncoder.from_config(layer.get_config()).copies == 2


def test_compositional_features_sum_two_rows():
    layer = FeatureEncoder({"t": (4, 2)}, {}, {"one": ("t", "sum"), "many": ("t", "max")}, (), ("one", "many"))
    layer.build()
    layer.set_weights([with_padding(TABLE)])
    features = {
        "multivalued/one": np.array([[1, 3], [0, -1]], "int32"),
        "multivalued/many": np.array([[1, 3, 2, 2], [2, 3, -1, -1]], "int32"),
    }
    # row 1 + row 3; the missing id alone | max of (row 1 + row 3) and twice row 2; row 2 + row 3
    np.testing.assert_array_equal(layer(features), [[6, -8, 6, 8], [9, -9, 8, -2]])
    assert layer.dim == 4


def test_mixed_precision_casts_the_rows_and_not_the_table():
    layer = FeatureEncoder({"t": (4, 2)}, {"t": "t"}, numeric=("n",), dtype="mixed_bfloat16")
    features = {"categorical": np.zeros((3, 1), "int32"), "numeric": np.zeros((3, 1), "float32")}
    assert layer(features).dtype == tf.bfloat16
    assert layer.embeddings[0].dtype == "float32"
    assert layer.gather(layer.row_ids(features))[0].dtype == tf.float32


def encoder_built():
    layer = encoder()
    layer.build()
    return layer


@pytest.mark.parametrize(
    ("arguments", "features", "dim"),
    [
        (({"t": (4, 2)}, {"f": "t"}), {"categorical": np.zeros((3, 1), "int32")}, 2),
        (({}, {}, {}, ("n", "m")), {"numeric": np.zeros((3, 2), "float32")}, 2),
        (({"t": (4, 2)}, {}, {"m": ("t", "max")}), {"multivalued/m": np.zeros((3, 5), "int32")}, 2),
    ],
)
def test_absent_parts(arguments, features, dim):
    assert FeatureEncoder(*arguments)(features).shape == (3, dim)


def test_under_jit_compile():
    layer = encoder_built()
    compiled = tf.function(lambda features: layer(features), jit_compile=True)
    np.testing.assert_allclose(compiled(FEATURES), layer(FEATURES), rtol=1e-6)


def test_config_round_trip_and_stored_weights():
    keras.utils.set_random_seed(1)
    layer = encoder_built()
    assert FeatureEncoder.from_config(layer.get_config()).get_config() == layer.get_config()
    store = {}
    layer.save_own_variables(store)
    loaded = encoder_built()
    assert not np.array_equal(loaded(FEATURES), layer(FEATURES))
    loaded.load_own_variables(store)
    np.testing.assert_array_equal(loaded(FEATURES), layer(FEATURES))


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (({"t": (4, 2)}, {"f": "t", "g": "u"}), r"no embedding table for \['u'\]; tables: \['t'\]"),
        (
            ({"t": (4, 2)}, {}, {"m": ("t", "last")}),
            r"unknown pooling \['last'\]; known: \['max', 'mean', 'sqrtn', 'sum'\]",
        ),
        ((({"t": (4, 2)}), {"t": "t"}, {}, (), ("t",)), r"quotient_remainder \['t'\] are not among the multi-valued"),
        (({"t": (4, 2)},), "no categorical, multivalued or numeric input"),
    ],
)
def test_refuses(arguments, words):
    with pytest.raises(ValueError, match=words):
        FeatureEncoder(*arguments)
