"""BlockSparse: the tasks select the same inputs."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, Literal

import keras
from keras import ops

from models.regularizers.base import ProximalTaskRegularizer, check_strength

if TYPE_CHECKING:
    from models.recipe.option_types import Strength


@keras.saving.register_keras_serializable(package="gatewise")
class BlockSparse(ProximalTaskRegularizer):
    """Sets all weights of an input to 0 in every task at once; suits tasks that need the same few of many inputs.

        loss term = strength * sum over the layers of each task, over their inputs i, of |w_i|_q

    w_i holds the weights of input i in all tasks, over all outputs. After each update of the optimizer, the proximal step of
    the term with threshold c = learning rate * strength replaces w_i:

        q = 2:    w_i * max(0, 1 - c / |w_i|_2)
        q = inf:  w_i - its projection on the L1 ball of radius c, which is 0 if |w_i|_1 <= c

    So unused inputs have weights of exactly 0. The training history has their share as `zeroed_rows`.

    q = 2: Argyriou et al., Multi-task feature learning, NIPS 2006; Lounici et al., Taking advantage of sparsity in
    multi-task learning, COLT 2009 (https://arxiv.org/abs/0903.1468). q = inf: Negahban and Wainwright, Joint support
    recovery under high-dimensional scaling, NIPS 2008; it also makes the largest weights of a row equal. Deviations: a row
    has the weights of all outputs of a layer, because the papers' linear models have one output; with Adam, the threshold is
    not divided by the root of the second moment, as in AdamW's weight decay: `strength` then competes with steps of size 1,
    not with gradients. x holds embeddings that are learned too and may grow where their row is small.

    Args:
        strength: factor, 0 or more. A row without a gradient shrinks by learning rate * strength in each step.
        q: norm of a row: 2, or inf for its largest absolute value.

    Raises:
        InputError: `strength` is negative.
    """

    def __init__(self, *, strength: Strength = 0.1, q: Literal[2, "inf"] = 2) -> None:
        check_strength("block_sparse", strength)
        self.strength = strength
        self.q = q

    def call(self, stacks: Sequence[Any], tasks: tuple[str, ...]) -> Any:
        return self.strength * sum((ops.sum(_NORMS[self.q](_rows(stack))) for stack in stacks), start=ops.zeros(()))

    def proximal(self, stack: Any, rate: Any) -> Any:
        rows = _rows(stack)
        shrunk = _PROXIMAL[self.q](rows, ops.cast(rate, rows.dtype) * self.strength)
        in_front = ops.reshape(shrunk, (stack.shape[-2], *stack.shape[:-2], stack.shape[-1]))
        return ops.moveaxis(in_front, 0, -2)

    def logs(self, stacks: Sequence[Any]) -> dict[str, Any]:
        rows = [ops.all(_rows(stack) == 0.0, axis=1) for stack in stacks]
        return {"zeroed_rows": ops.mean(ops.cast(ops.concatenate(rows), "float32"))}

    def get_config(self) -> dict[str, Any]:
        return {"strength": self.strength, "q": self.q}


def _rows(stack: Any) -> Any:
    """(task, ..., in, out) -> (in, weights of the input)."""
    return ops.reshape(ops.moveaxis(stack, -2, 0), (stack.shape[-2], -1))


def _euclidean(rows: Any) -> Any:
    squares = ops.sum(ops.square(rows), axis=1)
    used = squares > 0.0
    return ops.where(used, ops.sqrt(ops.where(used, squares, 1.0)), 0.0)


def _largest(rows: Any) -> Any:
    return ops.max(ops.abs(rows), axis=1)


def _shrunk(rows: Any, threshold: Any) -> Any:
    norms = _euclidean(rows)
    factors = ops.where(norms > threshold, 1.0 - threshold / ops.maximum(norms, threshold + 1e-30), 0.0)
    return rows * ops.expand_dims(factors, 1)


def _clipped(rows: Any, threshold: Any) -> Any:
    """Clips each row to the height at which the parts above it add up to the threshold (Duchi et al., Efficient
    projections onto the L1-ball, ICML 2008)."""
    sizes = ops.abs(rows)
    down = ops.flip(ops.sort(sizes, axis=1), axis=1)
    heights = (ops.cumsum(down, axis=1) - threshold) / ops.arange(1, rows.shape[1] + 1, dtype=rows.dtype)
    height = ops.maximum(ops.max(heights, axis=1, keepdims=True), 0.0)
    return ops.sign(rows) * ops.minimum(sizes, height)


_NORMS: dict[Any, Any] = {2: _euclidean, "inf": _largest}
_PROXIMAL: dict[Any, Any] = {2: _shrunk, "inf": _clipped}
