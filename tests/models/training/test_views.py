"""Masked views: whole features are masked, by seed, and differently in the two views."""

import keras
import numpy as np
import tensorflow as tf
from tasks import binary

from models.architectures.base import REPRESENTATION
from models.architectures.encoded import Wants
from models.architectures.shared_bottom import SharedBottom
from models.balancing.fixed import Fixed
from models.layers.feature_encoder import FeatureEncoder
from models.regularizers.masked_views import MaskedViews
from models.training.multi_task_model import MultiTaskModel
from models.training.views import feature_of_columns

FEATURES = {
    "categorical": np.array([[1], [2], [3], [1]] * 8, "int32"),
    "multivalued/tags": np.array([[1, 2, -1], [2, -1, -1], [3, 1, 2], [1, 1, 1]] * 8, "int32"),
    "numeric": np.ones((32, 3), "float32"),
}


class Reads(SharedBottom):
    """Represents x and the unpooled list as they come."""

    def wants(self):
        return Wants(parts=("item",), rows=("tags",))

    def call(self, inputs, training=None):
        rows, _ = inputs.rows["tags"]
        read = keras.ops.concatenate(
            [inputs.x, inputs.parts["item"], keras.ops.reshape(rows, (keras.ops.shape(rows)[0], -1))], axis=-1
        )
        return {**super().call(inputs, training), REPRESENTATION: read}


class Seen(MaskedViews):
    """Keeps the views."""

    def call(self, first, second):
        self.views = first.numpy(), second.numpy()
        return super().call(first, second)


def views_of(seed, batch=32):
    keras.utils.set_random_seed(seed)
    encoder = FeatureEncoder(
        {"item": (5, 2), "tag": (5, 2)},
        {"item": "item"},
        {"tags": ("tag", "sum")},
        ("age", "hour/sin", "hour/cos"),
    )
    seen = Seen(masked=0.5)
    architecture = Reads(binary("click"), represents=True, units=(4,))
    model = MultiTaskModel(encoder, architecture, Fixed(("click",), (1.0,)), {"click": "binary_crossentropy"}, [seen])
    model.build()
    for table in encoder.embeddings:
        table.assign(tf.ones_like(table.value))
    model.compile(keras.optimizers.SGD(0.0), run_eagerly=True)
    labels = np.ones((batch, 1), "float32")
    model.train_on_batch({name: array[:batch] for name, array in FEATURES.items()}, labels, labels)
    return encoder, seen.views


def test_features_are_masked_as_a_whole_and_the_others_are_scaled():
    encoder, (first, second) = views_of(1)
    assert feature_of_columns(encoder).tolist() == [0, 0, 1, 1, 2, 3, 3]
    for view in (first, second):
        item, tags, age, hour = view[:, 0:2], view[:, 2:4], view[:, 4], view[:, 5:7]
        assert set(np.unique(age)) == {0.0, 2.0}
        np.testing.assert_array_equal(hour[:, 0], hour[:, 1])
        np.testing.assert_array_equal(item[:, 0], item[:, 1])
        np.testing.assert_array_equal(view[:, 7:9], item)  # a part of its own is masked with x
        kept = tags[:, 0] > 0
        rows = view[:, 9:].reshape(-1, 3, 2)
        np.testing.assert_array_equal(rows[:, 0, 0] > 0, kept)  # and so is the list that is not pooled
        assert 4 < kept.sum() < 28
    assert not np.array_equal(first, second)


def test_the_masks_go_by_seed():
    (_, one), (_, same), (_, other) = views_of(1), views_of(1), views_of(2)
    np.testing.assert_array_equal(one[0], same[0])
    assert not np.array_equal(one[0], other[0])
