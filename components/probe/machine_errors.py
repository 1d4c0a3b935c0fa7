"""Which errors tell of the machine and not of the model that was asked on it."""

from __future__ import annotations

TRANSIENT = ("ResourceExhaustedError", "UnavailableError", "DeadlineExceededError", "AbortedError", "CancelledError")
"""Of TensorFlow: another try may end otherwise."""


def is_of_the_machine(error: BaseException) -> bool:
    """Whether the same model may well be fine: memory, disk, a file system that is away, a broken installation.

    An OSError with a number is the operating system's. One without is TensorFlow's own, about a SavedModel that it cannot
    read; that will be the same the next time. What caused an error counts as the error itself.
    """
    import tensorflow as tf

    chain: list[BaseException] = []
    cause: BaseException | None = error
    while cause is not None and cause not in chain:
        chain.append(cause)
        cause = cause.__cause__
    kinds = (MemoryError, ImportError, *(getattr(tf.errors, name) for name in TRANSIENT))
    return any(isinstance(one, kinds) or (isinstance(one, OSError) and one.errno is not None) for one in chain)
