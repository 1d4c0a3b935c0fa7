"""Settings that depend on the devices of a training: the CPU, one GPU or several GPUs."""

from __future__ import annotations

import functools
import logging
from collections.abc import Sequence

import tensorflow as tf

from models.recipe.errors import InputError

logger = logging.getLogger(__name__)


def take_memory_as_needed() -> None:
    """Enables memory growth on all GPUs. Call it before TensorFlow uses a GPU."""
    for device in tf.config.list_physical_devices("GPU"):
        try:
            tf.config.experimental.set_memory_growth(device, True)
        except RuntimeError as error:
            logger.warning("%s is already in use; TensorFlow reserves all of its memory: %s", device.name, error)


def strategy_on(devices: Sequence[str] = ()) -> tf.distribute.Strategy:
    """Distribution strategy of a training: one device, or a mirrored strategy in which each device computes an equal
    part of every batch.

    Args:
        devices: names such as "GPU:0". Default: all visible GPUs.
    """
    devices = devices or [device.name for device in tf.config.list_logical_devices("GPU")]
    return _mirrored(tuple(devices)) if len(devices) > 1 else tf.distribute.get_strategy()


@functools.cache
def _mirrored(devices: tuple[str, ...]) -> tf.distribute.Strategy:
    # One strategy per process: two would number their collectives alike, and TensorFlow would fail.
    return tf.distribute.MirroredStrategy(list(devices))


def batch_of(batch_size: int, examples: int, replicas: int) -> int:
    """Batch size of a split: the recipe's batch size, or a smaller one that holds the whole split.

    Args:
        batch_size: batch size of the recipe, summed over replicas.
        examples: number of examples of the split.
        replicas: number of replicas. Each takes an equal part of every batch.

    Raises:
        InputError: the batch size is not a multiple of the number of replicas.
    """
    if batch_size % replicas:
        near = max(round(batch_size / replicas), 1) * replicas
        raise InputError(
            f"training.batch_size: expected a multiple of {replicas}, because each of {replicas} GPUs takes an equal part "
            f"of every batch; received {batch_size}. Write for example {near}, or make only one GPU visible "
            "(CUDA_VISIBLE_DEVICES=0)."
        )
    return min(batch_size, -(-examples // replicas) * replicas)


def compiles(jit_compile: bool, precision: str, replicas: int = 1) -> bool:
    """Whether to compile the whole step with XLA.

    On a CPU, XLA computes bfloat16 products in float32 and rounds them, which costs more than float32. TensorFlow's own
    kernels use the CPU's bfloat16 instructions, at twice the rate of float32. With several replicas the step
    synchronizes in the middle, which a compiled step cannot do.

    Args:
        jit_compile: whether the recipe allows XLA.
        precision: precision of the recipe.
        replicas: number of replicas.
    """
    fast = precision == "float32" or bool(tf.config.list_logical_devices("GPU"))
    return jit_compile and fast and replicas == 1


def compiles_parts(jit_compile: bool, precision: str, replicas: int = 1) -> bool:
    """Whether to compile the float32 and integer parts of a step that is not compiled as a whole.

    Without compilation, the update of the variables takes twice the time.
    """
    return jit_compile and replicas == 1 and not compiles(jit_compile, precision)
