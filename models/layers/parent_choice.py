"""ParentChoice: each child reads one of several parents, which it learns to choose."""

from __future__ import annotations

from typing import Any

import keras
import numpy as np
from keras import ops

from models.layers.random_bits import uniform


@keras.saving.register_keras_serializable(package="gatewise")
class ParentChoice(keras.layers.Layer):
    """Gives each child the output of one parent, chosen by learned logits.

    Training:  choice[j] = one_hot(argmax_i(logits[j, i] + g[j, i])), g ~ Gumbel(0, 1); one draw per child and step
               gradient: of softmax((logits[j] + g[j]) / t), t = max(0.5, temperature exp(-step / anneal_steps))
    Inference: choice[j] = one_hot(argmax_i logits[j, i])
    out[b, j] = sum_i choice[j, i] x[b, i]

    All examples and all replicas of a step share a draw. The step is the number of calls in training, which Keras'
    `seed_generator_state` holds: a resumed training continues with its temperature. Choices are float32 in any precision.

    The logits start at 0, so that the first draws are uniform, but for a child's own position: 0.01, so that the first
    choices are all different if there are as many parents as children.

    Jang et al., Categorical Reparameterization with Gumbel-Softmax, ICLR 2017 (https://arxiv.org/abs/1611.01144).

    Args:
        children: number of children.
        parents: number of parents.
        own: position among the parents that the first child prefers; the next child prefers the next parent.
        temperature: temperature of the first step.
        anneal_steps: steps in which the temperature falls to 1/e, until 0.5.
        seed: seed of the layer. Default: derived from `keras.utils.set_random_seed`.

    Call: (batch, parent, dim) -> (batch, child, dim).
    """

    def __init__(
        self,
        children: int,
        parents: int,
        *,
        own: int = 0,
        temperature: float = 5.0,
        anneal_steps: int = 1000,
        seed: int | None = None,
        **layer: Any,
    ) -> None:
        super().__init__(**layer)
        self.children = children
        self.parents = parents
        self.own = own
        self.temperature = temperature
        self.anneal_steps = anneal_steps
        self.seed = seed
        self.seed_generator = keras.random.SeedGenerator(seed)

    def build(self, input_shape: Any = None) -> None:
        def start(shape: tuple[int, ...], dtype: Any = None) -> Any:
            return ops.convert_to_tensor(0.01 * np.eye(self.children, self.parents, self.own), dtype)

        self.logits = self.add_weight(
            shape=(self.children, self.parents), initializer=start, dtype="float32", autocast=False, name="logits"
        )

    def call(self, x: Any, training: bool | None = None) -> Any:
        return ops.einsum("ji,bid->bjd", ops.cast(self.choices(training), x.dtype), x)

    def choices(self, training: bool | None = None) -> Any:
        """(child, parent): 1 for the parent of each child, 0 for the others."""
        logits, temperature = ops.convert_to_tensor(self.logits), 1.0
        if training:
            state = self.seed_generator.next()
            logits = logits - ops.log(-ops.log(uniform(state, (self.children, self.parents))))
            step = ops.cast(state[1], "float32")
            temperature = ops.maximum(0.5, self.temperature * ops.exp(-step / self.anneal_steps))
        scaled = logits / temperature
        soft = ops.exp(
            scaled - ops.logsumexp(scaled, axis=-1, keepdims=True)
        )  # Keras' softmax warns of a single parent
        hard = ops.one_hot(ops.argmax(logits, axis=-1), self.parents, dtype="float32")
        return hard + (soft - ops.stop_gradient(soft))

    def compute_output_shape(self, input_shape: tuple[Any, ...]) -> tuple[Any, ...]:
        return (input_shape[0], self.children, input_shape[2])

    def get_config(self) -> dict[str, Any]:
        return {
            **super().get_config(),
            "children": self.children,
            "parents": self.parents,
            "own": self.own,
            "temperature": self.temperature,
            "anneal_steps": self.anneal_steps,
            "seed": self.seed,
        }
