"""TokenMixer: groups of features as tokens, mixed without parameters, each with a feed-forward network of its own."""

from __future__ import annotations

import itertools
from typing import TYPE_CHECKING, Any

import keras
from keras import ops

from models.backbones.base import Backbone
from models.layers.stacked_dense import StackedDense

if TYPE_CHECKING:
    from models.recipe.option_types import ExpertCount, Levels, Size


@keras.saving.register_keras_serializable(package="gatewise")
class TokenMixer(Backbone):
    """Mixes groups of features (tokens) without parameters, with a network for each, as in RankMixer; suits large logs and GPUs.

    Tokens: h_t = W_t [features of group t] + b_t, t < T, of T `head_dim` numbers: T heads.
    Each level: s = LN(mix(h) + h), h = LN(FFN(s) + s), FFN(s)_t = V_t gelu(U_t s_t + c_t) + d_t, with maps of its own for
    each token. mix exchanges tokens and heads: mix(h)_t = [head t of h_1, ..., head t of h_T].
    out = mean_t h_t.

    The groups are neighbours in the recipe's order within each kind of feature, of about equal width. The output has
    T `head_dim` numbers, whatever the width of x.

    Zhu et al., RankMixer: Scaling Up Ranking Models in Industrial Recommenders, CIKM 2025
    (https://arxiv.org/abs/2507.15551), without the sparse mixture of experts. Deviation: a group consists of
    whole features, so groups may differ in width; the paper cuts x into equal parts.

    Args:
        levels: number of levels.
        tokens: number T of tokens and of heads, or of features if there are fewer.
        head_dim: width of a head. A token has T times as many numbers.
        expansion: size of the hidden layer of the feed-forward networks, in multiples of the width of a token.
    """

    def __init__(
        self, *, levels: Levels = 2, tokens: ExpertCount = 8, head_dim: Size = 8, expansion: Levels = 2, **layer: Any
    ) -> None:
        super().__init__(**layer)
        self.levels = levels
        self.tokens = tokens
        self.head_dim = head_dim
        self.expansion = expansion
        self.norms = [
            keras.layers.LayerNormalization(name=f"norm_{level}_{place}", dtype=self.dtype_policy)
            for level in range(levels)
            for place in ("mix", "feed")
        ]

    def build(self, input_shape: tuple[int | None, ...]) -> None:
        self.groups = groups(self._widths(input_shape), self.tokens)
        count, width = len(self.groups), len(self.groups) * self.head_dim
        policy = self.dtype_policy
        self.embed = StackedDense(count, width, kernel_initializer="glorot_uniform", name="tokens", dtype=policy)
        self.embed.build((None, count, max(end - start for start, end in self.groups)))
        self.feed = [
            StackedDense(count, size, activation=activation, name=f"feed_{level}_{place}", dtype=policy)
            for level in range(self.levels)
            for place, size, activation in (("in", self.expansion * width, "gelu"), ("out", width, None))
        ]
        for place, (layer, norm) in enumerate(zip(self.feed, self.norms, strict=True)):
            layer.build((None, count, width if place % 2 == 0 else self.expansion * width))
            norm.build((None, count, width))

    def call(self, x: Any, training: bool | None = None) -> Any:
        widest, count = max(end - start for start, end in self.groups), len(self.groups)
        parts = [ops.pad(x[:, start:end], ((0, 0), (0, widest - end + start))) for start, end in self.groups]
        h = self.embed(ops.stack(parts, axis=1))  # (batch, token, width)
        for level in range(self.levels):
            heads = ops.reshape(h, (-1, count, count, self.head_dim))
            mixed = ops.reshape(ops.transpose(heads, (0, 2, 1, 3)), (-1, count, count * self.head_dim))
            s = self.norms[2 * level](mixed + h)
            h = self.norms[2 * level + 1](self.feed[2 * level + 1](self.feed[2 * level](s)) + s)
        return ops.mean(h, axis=1)

    def _widths(self, input_shape: tuple[int | None, ...]) -> tuple[int, ...]:
        return (*self.fields, *[1] * ((input_shape[-1] or 0) - sum(self.fields)))

    def compute_output_shape(self, input_shape: tuple[int | None, ...]) -> tuple[int | None, ...]:
        return (*input_shape[:-1], len(groups(self._widths(input_shape), self.tokens)) * self.head_dim)

    def get_config(self) -> dict[str, Any]:
        options = {
            "levels": self.levels,
            "tokens": self.tokens,
            "head_dim": self.head_dim,
            "expansion": self.expansion,
        }
        return {**super().get_config(), **options}


def groups(widths: tuple[int, ...], count: int) -> tuple[tuple[int, int], ...]:
    """(first column, last column + 1) of groups of adjacent features, of about equal width, each of one feature or more.

    Args:
        widths: widths of the features.
        count: number of groups. As many as features if there are fewer.
    """
    ends = (0, *itertools.accumulate(widths))
    count = min(count, len(widths))
    cuts = [0]
    for group in range(1, count):
        wanted = ends[-1] * group / count
        allowed = range(cuts[-1] + 1, len(widths) - (count - group) + 1)
        cuts.append(min(allowed, key=lambda cut: abs(ends[cut] - wanted)))
    cuts.append(len(widths))
    return tuple((ends[first], ends[last]) for first, last in itertools.pairwise(cuts))
