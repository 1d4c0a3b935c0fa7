"""Minimum of a convex function of a few non-negative numbers, by a fixed number of steps that XLA compiles."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from keras import ops

from models.balancing.small_systems import solved

CENTERING = 0.1
SMALLEST = 1e-10
"""Of the products x_i z_i, so that no divisor underflows."""


def minimum(derivatives: Callable[[Any], tuple[Any, Any]], start: Any, normal: Any = None, steps: int = 20) -> Any:
    """argmin f(x) subject to x >= 0 and, if `normal` is given, normal . x = 1.

    A primal-dual interior point method (Nocedal and Wright, Numerical Optimization, 2nd edition, chapter 16.6) with a fixed
    number of Newton steps, centering 0.1 and the same step length for x and z. z are the multipliers of x >= 0. The
    products x_i z_i end at 1e-10, so that f is within 1e-10 times the number of tasks of its minimum, up to the precision
    of float32.

    Args:
        derivatives: x -> gradient (..., task) and Hessian (..., task, task) of f, of the order of 1. A larger matrix in
            place of the Hessian makes shorter steps.
        start: (..., task) positive, with normal . start = 1.
        normal: (task,) non-negative.
        steps: number of steps; 20 suffice if f is quadratic.

    Returns:
        (..., task)
    """

    tasks = int(start.shape[-1])
    bound = ops.zeros((tasks,), dtype="float32") if normal is None else normal

    def step(_: Any, state: tuple[Any, Any, Any]) -> tuple[Any, Any, Any]:
        x, z, multiplier = state
        gradient, hessian = derivatives(x)
        target = ops.maximum(CENTERING * ops.mean(x * z, axis=-1, keepdims=True), SMALLEST)
        matrix = hessian + ops.expand_dims(z / x, -1) * ops.eye(tasks, dtype="float32")
        # Of what is left of the optimality conditions: small numbers, which keeps the precision of float32.
        move = solved(matrix, target / x - gradient + multiplier * bound)
        more = ops.zeros_like(multiplier)
        if normal is not None:
            along = solved(matrix, ops.broadcast_to(bound, x.shape))
            missing = 1.0 - ops.sum(bound * (x + move), axis=-1, keepdims=True)
            more = ops.divide_no_nan(missing, ops.sum(bound * along, axis=-1, keepdims=True))
            move += more * along
        dual_move = (target - z * move) / x - z
        fastest = ops.max(ops.maximum(-move / x, -dual_move / z), axis=-1, keepdims=True)
        length = 1.0 / ops.maximum(1.0, fastest / 0.95)
        return x + length * move, z + length * dual_move, multiplier + length * more

    return ops.fori_loop(0, steps, step, (start, ops.ones_like(start), ops.zeros_like(start[..., :1])))[0]
