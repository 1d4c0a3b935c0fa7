"""Which task moves which variable of an architecture: found from its gradients, declared nowhere."""

from __future__ import annotations

from typing import Any, Literal

import numpy as np
import tensorflow as tf

from models.architectures.base import Architecture


def moved_by_tasks(architecture: Architecture, *inputs: Any) -> np.ndarray:
    """(task, variable) bool: whether the task's output has a gradient of the trainable variable.

    One trace of the architecture, in which nothing is computed: a gradient that is None is no gradient, one that would
    be 0 for these inputs is one. So it is in training: dropout and whatever else is on only there is on. A variable
    that is reached only by way of `add_loss`, or behind a `stop_gradient`, is moved by no task. The architecture's
    variables, random generators and losses stay as they are.

    Args:
        architecture: built.
        inputs: of its `call`, of one example; the values do not matter.
    """
    found: list[list[bool]] = []

    def trace() -> None:
        # In place of the variables: a replica has its own, and here is none.
        variables = [tf.zeros(variable.shape, variable.dtype) for variable in architecture.trainable_variables]
        others = [tf.zeros(variable.shape, variable.dtype) for variable in architecture.non_trainable_variables]
        with tf.GradientTape(persistent=True) as tape:
            tape.watch(variables)
            outputs, _ = architecture.stateless_call(variables, others, *inputs, training=True)
        for task in architecture.names:
            found.append([gradient is not None for gradient in tape.gradient(outputs[task], variables)])

    tf.function(trace, autograph=False).get_concrete_function()
    return np.array(found, bool)


def positions_over(
    over: Literal["shared", "last_shared"] | None, architecture: Architecture, *inputs: Any
) -> tuple[int, ...]:
    """Positions, among the architecture's trainable variables, of those that a balancer's `over` names.

    "shared": more than one task moves them. "last_shared": of these, the last one and the others of its layer, a
    layer's bias beside its kernel. The last by position: Keras lists a layer's parts as they were made, and an
    architecture makes them from the input to the towers. It is the bottom's last layer in shared_bottom, the experts'
    in mmoe, that of the shared experts of the top level in ple, and the last stitch in cross_stitch.
    Where no variable is shared (single_task, soft_sharing, or one task alone) there are none of either.

    Args:
        over: of the balancer; for None there is nothing to look for.
        architecture, inputs: of `moved_by_tasks`.
    """
    if over is None:
        return ()
    shared = np.flatnonzero(moved_by_tasks(architecture, *inputs).sum(axis=0) > 1).tolist()
    if over == "shared":
        return tuple(shared)
    layers = [variable.path.rpartition("/")[0] for variable in architecture.trainable_variables]
    return tuple(position for position in shared if layers[position] == layers[shared[-1]])
