"""The device of a TensorFlow subject."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import tensorflow as tf

from models.training.devices import take_memory_as_needed


def choose(question: Mapping[str, Any]) -> str:
    """Chooses the question's `device`, cpu or gpu; the card's name, or cpu. To be called before anything runs."""
    gpus = tf.config.list_physical_devices("GPU")
    if question.get("device", "cpu") != "gpu":
        tf.config.set_visible_devices([], "GPU")
        return "cpu"
    if not gpus:
        raise SystemExit("TensorFlow finds no GPU: install the `gpu` extra on a machine with a GPU")
    take_memory_as_needed()
    details = tf.config.experimental.get_device_details(gpus[0])
    return str(details.get("device_name", "GPU"))
