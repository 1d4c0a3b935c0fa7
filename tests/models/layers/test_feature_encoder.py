import keras
import numpy as np
import pytest
import tensorflow as tf

from models.layers.feature_encoder import FeatureEncoder, pooled

TABLE = np.array([[9.0, -9.0], [1.0, -2.0], [3.0, 4.0], [5.0, -6.0]], "float32")


@pytest.mark.parametrize(
    ("how", "expected"),
    [
        # rows 1, 3 and padding; row 2 twice; the missing id 0 alone; nothing
        ("sum", [[6, -8], [6, 8], [9, -9], [0, 0]]),
        ("mean", [[3, -4], [3, 4], [9, -9], [0, 0]]),
        ("max", [[5, -2], [3, 4], [9, -9], [0, 0]]),
        ("sqrtn", [[6 / 2**0.5, -8 / 2**0.5], [6 / 2**0.5, 8 / 2**0.5], [9, -9], [0, 0]]),
    ],
)
def test_pooling_by_hand(how, expected):
    ids = np.array([[1, -1, 3], [2, 2, -1], [0, -1, -1], [-1, -1, -1]], "int32")
    np.testing.assert_allclose(pooled(TABLE, ids, how), expected, rtol=1e-6)


@pytest.mark.parametrize("how", ["sum", "mean", "max", "sqrtn"])
def test_padding_and_empty_lists_move_nothing(how):
    table = tf.Variable(TABLE)
    with tf.GradientTape() as tape:
        out = tf.reduce_sum(pooled(table, tf.constant([[1, -1], [-1, -1]]), how))
    gradient = tf.convert_to_tensor(tape.gradient(out, table))
    np.testing.assert_array_equal(gradient, [[0, 0], [1, 1], [0, 0], [0, 0]])


def encoder():
    return FeatureEncoder(
        {"user": (3, 1), "item": (4, 2)},
        ("user", "item", "item"),
        {"history": ("item", "mean"), "tags": ("user", "sum")},
        2,
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
    layer.set_weights([np.array([[100.0], [10.0], [20.0]]), TABLE])
    expected = [
        # user 2 | item 1 | item 3 | mean of items 1, 3 | users 1 + 2 | numeric
        [20, 1, -2, 5, -6, 3, -4, 30, 0.5, -1],
        [100, 9, -9, 3, 4, 0, 0, 100, 7, 8],
    ]
    np.testing.assert_allclose(layer(FEATURES), expected)
    assert layer.dim == 10
    assert layer.compute_output_shape({k: v.shape for k, v in FEATURES.items()}) == (2, 10)


def test_columns_of_one_table_share_it():
    assert [tuple(v.shape) for v in encoder_built().trainable_variables] == [(3, 1), (4, 2)]


def encoder_built():
    layer = encoder()
    layer.build()
    return layer


@pytest.mark.parametrize(
    ("arguments", "features", "dim"),
    [
        (({"t": (4, 2)}, ("t",)), {"categorical": np.zeros((3, 1), "int32")}, 2),
        (({}, (), {}, 2), {"numeric": np.zeros((3, 2), "float32")}, 2),
        (({"t": (4, 2)}, (), {"m": ("t", "max")}), {"multivalued/m": np.zeros((3, 5), "int32")}, 2),
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
        (({"t": (4, 2)}, ("t", "u")), r"no embedding table for \['u'\]; tables: \['t'\]"),
        (
            ({"t": (4, 2)}, (), {"m": ("t", "last")}),
            r"unknown pooling \['last'\]; known: \['max', 'mean', 'sqrtn', 'sum'\]",
        ),
        (({"t": (4, 2)},), "no categorical, multivalued or numeric input"),
    ],
)
def test_refuses(arguments, words):
    with pytest.raises(ValueError, match=words):
        FeatureEncoder(*arguments)
