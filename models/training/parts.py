"""Checks that the parts of a MultiTaskModel fit together."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from models.architectures.base import REPRESENTATION, Architecture
from models.architectures.encoded import Encoded
from models.balancing.base import GradientCombiner, Weighting
from models.layers.adversaries import Adversaries
from models.losses import LOSSES
from models.losses.base import Loss
from models.recipe.errors import InputError
from models.recipe.registry import load, path_of
from models.training.objectives import Objectives
from models.training.sharing import zeros_of


def named_loss(name: str, options: Mapping[str, Any]) -> Loss:
    """The loss with a name in LOSSES, or at a dotted path, with its options."""
    loss: Loss = load(path_of(name, LOSSES, "loss"))(**options)
    return loss


def checked_losses(
    architecture: Architecture,
    balancer: Weighting | GradientCombiner,
    losses: Mapping[str, str],
    options: Mapping[str, Mapping[str, Any]],
    adversaries: Adversaries | None,
) -> tuple[Loss, ...]:
    """Makes the losses, and checks tasks, numbers of logits and types.

    Args:
        architecture: for the tasks that are not adversarial.
        balancer: for the same tasks.
        losses: {task: name of its loss}, in the order of the label columns.
        options: {task: options of its loss}; a task without options may be missing.
        adversaries: for the adversarial tasks.

    Returns:
        The losses, in the order of the label columns.

    Raises:
        InputError: an unknown loss.
        ValueError: the parts disagree on tasks or logits, or the balancer has neither type.
    """
    made = {task: named_loss(name, options.get(task, {})) for task, name in losses.items()}
    outputs = {task.name: task.outputs for task in architecture.tasks} | dict(
        adversaries.outputs if adversaries else ()
    )
    names = tuple(task for task in losses if task in architecture.names)
    if not balancer.tasks == architecture.names == names or set(losses) != set(outputs):
        raise ValueError(
            f"MultiTaskModel: architecture for tasks {architecture.names}, balancer for {balancer.tasks}, losses for "
            f"{tuple(losses)}; expected the same tasks in the same order, and losses also for adversaries "
            f"{adversaries.names if adversaries else ()}."
        )
    if not isinstance(balancer, Weighting | GradientCombiner):
        raise ValueError(f"{type(balancer).__name__}: expected a Weighting or a GradientCombiner as balancer.")
    wanted = {task: loss.outputs for task, loss in made.items()}
    if wanted != outputs:
        raise ValueError(f"MultiTaskModel: the losses need {wanted} logits, the tasks have {outputs}.")
    return tuple(made.values())


def build_on_representation(
    parts: Sequence[Adversaries | Objectives | None], architecture: Architecture, shapes: Encoded
) -> None:
    """Builds the networks that read the representation for its width, and checks that there is one.

    Args:
        parts: may be built already.
        architecture: a built one.
        shapes: of its input.

    Raises:
        InputError: the architecture `represents`, and its outputs have no representation.
    """
    if not architecture.represents:
        return
    outputs = architecture(zeros_of(shapes), training=False)
    if REPRESENTATION not in outputs:
        raise InputError(
            f"{type(architecture).__name__}: adversarial tasks, objectives with towers and regularizers of the representation read "
            "what its last layers read, and its `call` does not return it. End `call` with `return self.outputs(logits, read)`, or "
            "choose another architecture."
        )
    for part in parts:
        if part is not None and not part.built:
            part.build(tuple(outputs[REPRESENTATION].shape))
