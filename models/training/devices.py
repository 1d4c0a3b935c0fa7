"""What depends on where a training runs: on the CPU, on a GPU, or on several."""

from __future__ import annotations

import functools
import logging
from collections.abc import Sequence

import tensorflow as tf

from models.recipe.errors import InputError

logger = logging.getLogger(__name__)


def take_memory_as_needed() -> None:
    """Lets TensorFlow take a GPU's memory bit by bit, not all of it at the start. To be called before anything runs."""
    for device in tf.config.list_physical_devices("GPU"):
        try:
            tf.config.experimental.set_memory_growth(device, True)
        except RuntimeError as error:
            logger.warning("%s is in use already, its memory is taken as a whole: %s", device.name, error)


def strategy_on(devices: Sequence[str] = ()) -> tf.distribute.Strategy:
    """Where the variables of a training are: on one device, or the same on each of several, of which each takes its
    part of every batch.

    Args:
        devices: names such as "GPU:0"; by default all GPUs that are visible.
    """
    devices = devices or [device.name for device in tf.config.list_logical_devices("GPU")]
    return _mirrored(tuple(devices)) if len(devices) > 1 else tf.distribute.get_strategy()


@functools.cache
def _mirrored(devices: tuple[str, ...]) -> tf.distribute.Strategy:
    # One for all trainings of a process: two would give their messages the same numbers, and TensorFlow then stops.
    return tf.distribute.MirroredStrategy(list(devices))


def batch_of(batch_size: int, examples: int, replicas: int) -> int:
    """The size of the batches of a split: the recipe's, or a smaller one that holds the whole split.

    Args:
        batch_size: of the recipe: of all replicas together.
        examples: of the split.
        replicas: that divide each batch in equal parts.

    Raises:
        InputError: the batch cannot be divided.
    """
    if batch_size % replicas:
        near = max(round(batch_size / replicas), 1) * replicas
        raise InputError(
            f"training.batch_size: expected a multiple of {replicas}, because each of {replicas} GPUs takes an equal part "
            f"of every batch; received {batch_size}. Write for example {near}, or let TensorFlow see one GPU only "
            "(CUDA_VISIBLE_DEVICES=0)."
        )
    return min(batch_size, -(-examples // replicas) * replicas)


def compiles(jit_compile: bool, precision: str, replicas: int = 1) -> bool:
    """Whether a step is worth compiling with XLA, where the recipe allows it.

    XLA on a CPU turns bfloat16 products into float32 ones and rounds afterwards, so they cost more than float32;
    TensorFlow's own kernels take the CPU's bfloat16 instructions, at twice the rate of float32.
    Several replicas meet in the middle of a step, which a compiled one cannot.

    Args:
        jit_compile: whether the recipe allows it.
        precision: of the recipe.
        replicas: that make a step together.
    """
    fast = precision == "float32" or bool(tf.config.list_logical_devices("GPU"))
    return jit_compile and fast and replicas == 1


def compiles_parts(jit_compile: bool, precision: str, replicas: int = 1) -> bool:
    """Whether parts of a step that is not compiled as a whole are: those that are in float32, or in integers, always.

    Uncompiled, the update of the variables takes twice the time.
    """
    return jit_compile and replicas == 1 and not compiles(jit_compile, precision)
