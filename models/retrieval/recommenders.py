"""The only import of TensorFlow Recommenders."""

from __future__ import annotations

import functools
from types import ModuleType

import tensorflow as tf


@functools.cache
def load_recommenders() -> ModuleType:
    """Imports `tensorflow_recommenders`, whatever `tf.keras` is in this process."""
    # TensorFlow Recommenders derives its classes from `tf.keras` and requires Keras 2. After the import of TFX, `tf.keras`
    # is Keras 3, and the variable TF_USE_LEGACY_KERAS would also change it for TFX. So `tf.keras` is tf_keras only during
    # this import. The classes that we use have no trainable weights.
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
    """The Keras 2 package that TensorFlow Recommenders uses."""
    import tf_keras

    return tf_keras
