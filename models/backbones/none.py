"""NoBackbone: the architecture reads the encoded features directly."""

from __future__ import annotations

from typing import Any, ClassVar

import keras

from models.backbones.base import Backbone


@keras.saving.register_keras_serializable(package="gatewise")
class NoBackbone(Backbone):
    """Passes the encoded features on unchanged (default); suits networks that are deep enough to learn the feature crosses."""

    user_once: ClassVar[bool] = True

    def __init__(self, **layer: Any) -> None:
        super().__init__(**layer)

    def call(self, x: Any, training: bool | None = None) -> Any:
        return x

    def compute_output_shape(self, input_shape: tuple[int | None, ...]) -> tuple[int | None, ...]:
        return tuple(input_shape)
