"""What depends on where a training runs: on a GPU, or on the CPU."""

from __future__ import annotations

import logging

import tensorflow as tf

logger = logging.getLogger(__name__)


def take_memory_as_needed() -> None:
    """Lets TensorFlow take a GPU's memory bit by bit, not all of it at the start. To be called before anything runs."""
    for device in tf.config.list_physical_devices("GPU"):
        try:
            tf.config.experimental.set_memory_growth(device, True)
        except RuntimeError as error:
            logger.warning("%s is in use already, its memory is taken as a whole: %s", device.name, error)


def compiles(jit_compile: bool, precision: str) -> bool:
    """Whether a step is worth compiling with XLA, where the recipe allows it.

    XLA on a CPU turns bfloat16 products into float32 ones and rounds afterwards, so they cost more than float32;
    TensorFlow's own kernels take the CPU's bfloat16 instructions, at twice the rate of float32.

    Args:
        jit_compile: whether the recipe allows it.
        precision: of the recipe.
    """
    return jit_compile and (precision == "float32" or bool(tf.config.list_logical_devices("GPU")))


def compiles_parts(jit_compile: bool, precision: str) -> bool:
    """Whether parts of a step that is not compiled as a whole are: those that are in float32, or in integers, always.

    Uncompiled, the update of the variables takes twice the time.
    """
    return jit_compile and not compiles(jit_compile, precision)
