"""The two types of balancer. The training step distinguishes them by type, never by name."""

from __future__ import annotations

import abc
from typing import TYPE_CHECKING, Any, ClassVar, Literal

import keras

from models.balancing.evidence import Evidence

if TYPE_CHECKING:
    from models.recipe.option_types import CombinedPlace


class Balancer(keras.layers.Layer, abc.ABC):
    """Base class of both types: the tasks, their fixed weights, and state in Keras variables, which are checkpointed.

    Options of a subclass are keyword-only with literal defaults. A variable that the balancer updates itself, not by a
    gradient of the step, has `trainable=False` and `aggregation="only_first_replica"`.

    Attributes:
        over: what the balancer needs the gradients of each task for. "shared": the variables of backbone and architecture that
            more than one task updates. "last_shared": the last layer of these; `models.training.sharing` finds both.
            "encoded": the encoded features that the architecture reads, example by example. None: no gradients.
        changes: whether the weights of the tasks change during the training, so that the history has them.
        needs_non_negative: whether the balancer requires losses of 0 or more. A recipe with another loss is refused.

    Args:
        tasks: names of the tasks, in the order of the losses.
        weights: weight of each task in the recipe, stored as `task_weights`.
    """

    over: Literal["shared", "last_shared", "encoded"] | None = None
    changes: ClassVar[bool] = True
    needs_non_negative: ClassVar[bool] = False

    def __init__(self, tasks: tuple[str, ...], weights: tuple[float, ...], **layer: Any) -> None:
        super().__init__(**layer)
        self.tasks = tuple(tasks)
        self.task_weights = tuple(float(weight) for weight in weights)
        if len(self.tasks) != len(self.task_weights):
            raise ValueError(f"{type(self).__name__}: {len(self.tasks)} tasks but {len(self.task_weights)} weights.")

    def build(self, input_shape: Any = None) -> None:
        """Creates the state. A balancer with variables overrides this method."""

    def add_state(self, name: str, initializer: str = "zeros") -> Any:
        """A float32 variable of one number per task, (task,), that the balancer updates itself.

        Every replica computes the same update from the whole batch, so the first one's is kept.
        """
        return self.add_weight(
            shape=(len(self.tasks),),
            initializer=initializer,
            dtype="float32",
            trainable=False,
            autocast=False,
            aggregation="only_first_replica",
            name=name,
        )

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "tasks": self.tasks, "weights": self.task_weights}


class Weighting(Balancer):
    """A balancer that weights the losses: the step follows the gradient of sum_t w_t L_t plus its `add_loss` terms.

    The gradient also flows through the weights into the losses and all other inputs except `evidence.gradients`. Wrap
    weights that are computed from the losses in `keras.ops.stop_gradient` if they must not be differentiated.

    Call: evidence=Evidence -> (task,) weights, including the fixed task weights. (`weights` is Keras' list of variables.)
    """

    @abc.abstractmethod
    def weigh(self, evidence: Evidence) -> Any:
        """Weights: (task,)."""

    def call(self, evidence: Evidence) -> Any:
        return self.weigh(evidence)


class GradientCombiner(Balancer):
    """A balancer that combines the task gradients into one gradient, at the place that its option `over` names.

    over="shared": the shared variables get the combined gradient. All other variables, including the embedding tables, get the
    gradient of sum_t w_t L_t. If an architecture has no such variables, it is trained on that sum alone, and `combine` is never
    called.

    over="encoded": the gradients with respect to the encoded features are combined, for all examples of the batch, and what lies
    below the features, backbone and embedding tables, gets the combined gradient in one backward pass. The architecture gets the
    gradient of sum_t w_t L_t. The passes of the tasks compute no gradients of variables. With Z the encoded features of the batch
    and theta what they depend on, each g_t is a gradient of Z, and the step in theta follows (dZ / dtheta)' d: a d that has a
    positive inner product with each g_t improves all tasks as far as Z is free, not necessarily in theta (Sener and Koltun's
    upper bound, MGDA-UB, https://arxiv.org/abs/1810.04650).

    Args:
        tasks: names of the tasks.
        weights: weight of each task's loss.
        over: "shared" or "encoded".
    """

    def __init__(
        self, tasks: tuple[str, ...], weights: tuple[float, ...], *, over: CombinedPlace = "shared", **layer: Any
    ) -> None:
        super().__init__(tasks, weights, **layer)
        self.over = over

    @abc.abstractmethod
    def combine(self, evidence: Evidence) -> Any:
        """The combined gradient: (parameter,)."""

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "over": self.over}
