"""RandomStates: saves the states of a model's random generators."""

from __future__ import annotations

from typing import Any

import keras


class RandomStates:
    """For a Keras model: also saves the states of its random generators (dropout, PCGrad), which Keras omits, so that a
    resumed training gives the same result."""

    non_trainable_variables: list[keras.Variable]

    def save_own_variables(self, store: Any) -> None:
        super().save_own_variables(store)  # type: ignore[misc]
        for i, state in enumerate(self._random_states()):
            store[f"random_{i}"] = state

    def load_own_variables(self, store: Any) -> None:
        stored = dict(store)
        for i, state in enumerate(self._random_states()):
            state.assign(stored.pop(f"random_{i}"))
        super().load_own_variables(stored)  # type: ignore[misc]

    def _random_states(self) -> list[keras.Variable]:
        return [variable for variable in self.non_trainable_variables if variable.name == "seed_generator_state"]
