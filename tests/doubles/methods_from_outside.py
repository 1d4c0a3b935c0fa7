"""Methods as somebody else would write them, in a package of their own; a recipe names them by their path."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar, Literal

import keras
from keras import ops

from models.architectures.base import Architecture
from models.architectures.encoded import Encoded, Wants
from models.architectures.task_info import TaskInfo
from models.backbones.base import Backbone

if TYPE_CHECKING:
    from models.recipe.option_types import FeatureName, TaskNames


@keras.saving.register_keras_serializable(package="outside")
class Squared(Architecture):
    """Reads the squares of the encoded features."""

    def __init__(self, tasks: tuple[TaskInfo, ...], *, scale: float = 1.0, **layer: Any) -> None:
        super().__init__(tasks, **layer)
        self.scale = scale
        self.towers = self.make_towers((4,), "relu", 0.0)

    def build(self, input_shape: Encoded) -> None:
        for tower in self.towers:
            tower.build(input_shape.x)

    def call(self, inputs: Encoded, training: bool | None = None) -> dict[str, Any]:
        return self.logits(self.towers, [self.scale * ops.square(inputs.x)] * len(self.tasks), training)

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "scale": self.scale}


@keras.saving.register_keras_serializable(package="outside")
class WronglyOnce(Squared):
    """Squares, and says that the user's part may be computed once."""

    user_once: ClassVar[bool] = True


@keras.saving.register_keras_serializable(package="outside")
class Crossed(Architecture):
    """Every encoded feature times every other; and the values of a list one by one, each weighed by another feature."""

    def __init__(
        self,
        tasks: tuple[TaskInfo, ...],
        *,
        weighed: FeatureName = "tags",
        by: FeatureName = "device",
        first: TaskNames = (),
        how: Literal["sum", "mean"] = "sum",
        **layer: Any,
    ) -> None:
        super().__init__(tasks, **layer)
        self.weighed, self.by, self.first, self.how = weighed, by, tuple(first), how
        self.query = keras.layers.Dense(3, name="query", dtype=self.dtype_policy)
        self.towers = self.make_towers((), "relu", 0.0)

    def wants(self) -> Wants:
        return Wants(parts=(self.by,), rows=(self.weighed,))

    def build(self, input_shape: Encoded) -> None:
        (_, dim), (_, _, width) = input_shape.x, input_shape.rows[self.weighed][0]
        self.query.build(input_shape.parts[self.by])
        for tower in self.towers:
            tower.build((None, dim * dim + width))

    def call(self, inputs: Encoded, training: bool | None = None) -> dict[str, Any]:
        x = inputs.x
        crosses = ops.reshape(ops.expand_dims(x, 1) * ops.expand_dims(x, 2), (-1, x.shape[1] ** 2))
        tags, present = inputs.rows[self.weighed]
        fit = ops.sum(tags * ops.expand_dims(self.query(inputs.parts[self.by]), 1), axis=-1)
        attended = ops.sum(
            ops.expand_dims(ops.where(present, fit, 0.0), -1) * ops.where(present[..., None], tags, 0.0), axis=1
        )
        return self.logits(self.towers, [ops.concatenate([crosses, attended], axis=-1)] * len(self.tasks), training)

    def get_config(self) -> dict[str, Any]:
        options = {"weighed": self.weighed, "by": self.by, "first": self.first, "how": self.how}
        return {**super().get_config(), **options}


@keras.saving.register_keras_serializable(package="outside")
class Doubled(Backbone):
    """The features, and their neighbours' products beside them."""

    def __init__(self, *, power: float = 1.0, **layer: Any) -> None:
        super().__init__(**layer)
        self.power = power

    def call(self, x: Any, training: bool | None = None) -> Any:
        return ops.concatenate([x, self.power * x * ops.roll(x, 1, axis=-1)], axis=-1)

    def compute_output_shape(self, input_shape: tuple[int | None, ...]) -> tuple[int | None, ...]:
        return (input_shape[0], 2 * (input_shape[1] or 0))

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "power": self.power}


class Unreadable(Squared):
    """Its option has a type that nobody but itself knows."""

    def __init__(self, tasks: tuple[TaskInfo, ...], *, shape: Doubled = None, **layer: Any) -> None:  # type: ignore[assignment]
        super().__init__(tasks, **layer)


class NoMethod:
    """Not of the type of any table."""
