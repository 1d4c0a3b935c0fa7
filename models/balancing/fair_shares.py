"""Fair shares: coefficients of task gradients under which the gains of the tasks are alpha-fair."""

from __future__ import annotations

from typing import Any

from keras import ops

from models.balancing.cosines import cosines
from models.balancing.small_systems import solved, times

STEPS = 32


def fair_shares(products: Any, alpha: float) -> Any:
    """The positive a with M a = a^(-1 / alpha), multiplied so that a' M a = T |M|_F.

    M are the inner products, T is the number of gradients other than 0, and |M|_F the Frobenius norm. Up to its factor, a
    is the minimum of the convex function a' M a / 2 - sum_i phi(a_i), where phi'(a) = a^(-1 / alpha). The function takes
    32 damped Newton steps,
    after which both sides agree within 1e-4 of each other; within 1e-3 if two gradients have a cosine near -0.995.

    Args:
        products: (task, task) inner products of the task gradients.
        alpha: 0.5 to 10.

    Returns:
        (task,); 0 for a gradient of 0, and 1 for each of several equal gradients.
    """
    lengths, present, matrix = cosines(products)
    longest = ops.max(present * lengths)
    longest = ops.where(longest > 0, longest, 1.0)
    norm = ops.sqrt(ops.sum(ops.square(products / longest / longest)))
    lengths = lengths / longest / ops.sqrt(ops.where(norm > 0, norm, 1.0))
    lengths = ops.where(present > 0, lengths, 1.0)
    # y_i = a_i |g_i| = unit_i v_i, with v_i = 1 for orthogonal gradients of any length.
    unit = ops.power(lengths, (1.0 - alpha) / (1.0 + alpha))

    def step(_: Any, v: Any) -> Any:
        marginal = ops.power(v, -1.0 / alpha)
        curvature = ops.expand_dims(marginal / v / alpha, -1) * ops.eye(int(v.shape[0]), dtype="float32")
        move = solved(matrix + curvature, unit * marginal - times(matrix, unit * v)) / unit
        fastest = ops.max(ops.abs(move / v))
        return v + ops.where(fastest > 0.5, 1.0 / (1.0 + fastest), 1.0) * move

    v = ops.fori_loop(0, STEPS, step, ops.ones_like(lengths))
    shares = present * unit * v
    square = ops.sum(shares * times(matrix, shares))
    return ops.sqrt(ops.divide_no_nan(ops.sum(present), square)) * shares / lengths
