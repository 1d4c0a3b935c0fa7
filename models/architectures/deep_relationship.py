"""DeepRelationship: task layers under a common prior that learns which tasks are alike."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar

import keras
from keras import ops

from models.architectures.base import Architecture, same_places
from models.architectures.encoded import Encoded
from models.architectures.task_info import TaskInfo
from models.layers.mlp import MLP
from models.layers.task_norms import matrix
from models.recipe.errors import InputError

if TYPE_CHECKING:
    from models.recipe.option_types import Activation, Dropout, LayersOrNone, Rate, Strength


@keras.saving.register_keras_serializable(package="gatewise")
class DeepRelationship(Architecture):
    """Learns from the weights of the tasks' layers which tasks are alike or opposite; suits tasks of unknown relation, some with little data.

        out_t = tower_t(bottom(x))
        loss term = strength * sum over the layers of the towers of (tr(S^-1 W W') + P ln det S) / 2
        S = W W' / P + ridge * mean diagonal of W W' / P * I

    W (task, P) holds the kernels of a layer with P parameters, and S (task, task) is their covariance between tasks: the
    loss term is the negative log likelihood of the matrix normal distribution. S is computed from the weights in every
    training step, has no gradient, and is saved. A task follows the tasks with which its weights correlate, also negatively.
    `task_correlations` has the correlations.

    Long et al., Learning Multiple Tasks with Multilinear Relationship Networks, NIPS 2017 (https://arxiv.org/abs/1506.02117).
    Deviations: the paper's tensor normal distribution also has covariances of the inputs and of the outputs of a layer,
    which are the identity here, because their inverses cost more than the layer itself if it is wide; the ridge is relative
    to the size of the weights; the last layer takes part if all tasks have the same number of logits.

    Args:
        tasks: tasks in the order of the label columns.
        units: sizes of the layers of the shared network.
        tower_units: sizes of the hidden layers of each task's tower.
        strength: factor of the loss term, 0 or more. The posterior of the weights has 1 / number of examples.
        ridge: part of the mean variance that is added to each task's variance, above 0. Smaller: closer tasks pull harder.
        activation: name of the activation.
        dropout: dropout rate of each layer.

    Raises:
        InputError: `strength` is negative, or `ridge` is not above 0.
    """

    user_once: ClassVar[bool] = True

    def __init__(
        self,
        tasks: tuple[TaskInfo, ...],
        *,
        units: LayersOrNone = (256, 128),
        tower_units: LayersOrNone = (32,),
        strength: Strength = 1e-6,
        ridge: Rate = 0.1,
        activation: Activation = "relu",
        dropout: Dropout = 0.0,
        **layer: Any,
    ) -> None:
        super().__init__(tasks, **layer)
        if strength < 0:
            raise InputError(f"deep_relationship: expected a strength of 0 or more, received {strength}.")
        if ridge <= 0:
            raise InputError(f"deep_relationship: expected a ridge above 0, received {ridge}.")
        self.units = tuple(units)
        self.tower_units = tuple(tower_units)
        self.strength = strength
        self.ridge = ridge
        self.activation = activation
        self.dropout = dropout
        self.bottom = MLP(self.units, activation=activation, dropout=dropout, name="bottom", dtype=self.dtype_policy)
        self.towers = self.make_towers(self.tower_units, activation, dropout)

    def build(self, input_shape: Encoded) -> None:
        shape = input_shape.x
        self.bottom.build(shape)
        for tower in self.towers:
            tower.build(self.bottom.compute_output_shape(shape))
        self.covariances = [
            self.add_weight(
                shape=(len(self.tasks), len(self.tasks)),
                initializer="identity",
                dtype="float32",
                trainable=False,
                autocast=False,
                name=f"task_covariance_{i}",
            )
            for i in range(len(same_places(self.towers)))
        ]

    def call(self, inputs: Encoded, training: bool | None = None) -> dict[str, Any]:
        layers = zip(self.covariances, same_places(self.towers), strict=True)
        terms = [self._term(covariance, kernels, training) for covariance, kernels in layers]
        self.add_loss(self.strength * sum(terms, start=ops.zeros(())))
        x = self.bottom(inputs.x, training=training)
        return self.logits(self.towers, [x] * len(self.towers), training)

    def _term(self, covariance: keras.Variable, kernels: list[keras.Variable], training: bool | None) -> Any:
        """Negative log likelihood of the kernels of one layer, up to a constant."""
        stack = ops.cast(ops.stack([kernel.value for kernel in kernels]), "float32")
        weights = matrix(stack)
        products, parameters = ops.matmul(weights, ops.transpose(weights)), weights.shape[1]
        now = ops.convert_to_tensor(covariance)
        if training:
            now = ops.stop_gradient(products) / parameters
            now = now + (self.ridge * ops.mean(ops.diagonal(now)) + _SMALLEST) * ops.eye(len(kernels))
            covariance.assign(now)  # without an aggregation: each replica has the same weights, and none waits
        values, vectors = ops.eigh(now)
        values = ops.maximum(values, _SMALLEST)
        precision = ops.matmul(vectors / values, ops.transpose(vectors))
        return 0.5 * (ops.sum(precision * products) + parameters * ops.sum(ops.log(values)))

    def task_correlations(self) -> list[Any]:
        """Correlations of the tasks' weights in each layer of the towers, as of the last training step: (task, task)."""
        covariances = [ops.convert_to_tensor(covariance) for covariance in self.covariances]
        deviations = [ops.sqrt(ops.diagonal(each)) for each in covariances]
        return [each / ops.outer(root, root) for each, root in zip(covariances, deviations, strict=True)]

    def get_config(self) -> dict[str, Any]:
        return {
            **super().get_config(),
            "units": self.units,
            "tower_units": self.tower_units,
            "strength": self.strength,
            "ridge": self.ridge,
            "activation": self.activation,
            "dropout": self.dropout,
        }


_SMALLEST = 1e-12
