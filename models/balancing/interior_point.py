"""Minimum of a convex function of a few non-negative numbers, by a fixed number of steps that XLA compiles."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from keras import ops

from models.balancing.small_systems import solved

STEPS = 24
CENTERING = 0.1
SMALLEST = 1e-10
"""Of the products x_i z_i, so that no divisor underflows."""


def minimum(derivatives: Callable[[Any], tuple[Any, Any]], start: Any, normal: Any = None) -> Any:
    """argmin f(x) subject to x >= 0 and, if `normal` is given, normal . x = 1.

    A primal-dual interior point method (Nocedal and Wright, Numerical Optimization, 2nd edition, chapter 16.6) with 24
    Newton steps, centering 0.1 and one length for both steps. If f is quadratic with a Hessian of diagonal 1, the result
    is within 1e-4 of the exact minimum in x, times the condition number of the Hessian over 1000 if that is larger.

    Args:
        derivatives: x -> gradient (..., task) and Hessian (..., task, task) of f, positive definite and of the order of 1.
        start: (..., task) positive, with normal . start = 1.
        normal: (task,) non-negative.

    Returns:
        (..., task)
    """

    def step(_: Any, state: tuple[Any, Any]) -> tuple[Any, Any]:
        x, z = state
        gradient, hessian = derivatives(x)
        target = ops.maximum(CENTERING * ops.mean(x * z, axis=-1, keepdims=True), SMALLEST)
        matrix = hessian + ops.expand_dims(z / x, -1) * ops.eye(int(x.shape[-1]), dtype="float32")
        move = solved(matrix, target / x - gradient)
        if normal is not None:
            along = solved(matrix, ops.broadcast_to(normal, ops.shape(x)))
            missing = 1.0 - ops.sum(normal * (x + move), axis=-1, keepdims=True)
            move += ops.divide_no_nan(missing, ops.sum(normal * along, axis=-1, keepdims=True)) * along
        dual_move = (target - z * move) / x - z
        fastest = ops.max(ops.maximum(-move / x, -dual_move / z), axis=-1, keepdims=True)
        length = 1.0 / ops.maximum(1.0, fastest / 0.95)
        return x + length * move, z + length * dual_move

    return ops.fori_loop(0, STEPS, step, (start, ops.ones_like(start)))[0]
