"""The one door to TensorFlow Recommenders."""

from __future__ import annotations

import functools
from types import ModuleType

import tensorflow as tf


@functools.cache
def load_recommenders() -> ModuleType:
    """The package `tensorflow_recommenders`, whatever `tf.keras` is in this process."""
    # TensorFlow Recommenders derives its classes from `tf.keras` and refuses any but Keras 2. In this process it is Keras 3
    # from the moment that TFX is imported, and the variable TF_USE_LEGACY_KERAS would change it for TFX as well. So
    # `tf.keras` is tf_keras while the classes are made, and for nobody else; what we use of them owns no weights that train.
    import tf_keras

    kept = tf.keras
    tf.keras = tf_keras
    try:
        import tensorflow_recommenders
    finally:
        tf.keras = kept
    return tensorflow_recommenders


@functools.cache
def load_keras_2() -> ModuleType:
    """The Keras that TensorFlow Recommenders is made of."""
    import tf_keras

    return tf_keras
