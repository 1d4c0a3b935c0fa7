"""The names of the losses, what kind of task and which labels each is for, known without importing Keras."""

from __future__ import annotations

import math
from dataclasses import dataclass

LOSS_KINDS = {
    "binary_crossentropy": "binary",
    "squared_error": "regression",
    "absolute_error": "regression",
    "huber": "regression",
    "squared_log_error": "regression",
    "poisson": "regression",
}
"""{name of the loss: "binary" (the prediction is a probability) or "regression" (the prediction is an amount)}."""


@dataclass(frozen=True)
class Domain:
    """The labels that a loss is defined for: `label > above`, or `label >= at_least`."""

    words: str
    above: float = -math.inf
    at_least: float = -math.inf


LOSS_DOMAINS = {
    "squared_log_error": Domain("greater than -1, because of log(1 + y)", above=-1.0),
    "poisson": Domain("0 or more, as counts are", at_least=0.0),
}
"""{name of a loss that is not defined for every number: the labels it is for}."""
