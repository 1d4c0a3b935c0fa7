"""ESMM: trains a conditioned task by the probability of the whole way, over all impressions."""

from __future__ import annotations

from typing import Any

from models.losses.base import Loss
from models.objectives.base import Objective, TaskBatch, entire_space_values


class ESMM(Objective):
    """Fits the product of the probabilities along the funnel to all impressions; suits rare outcomes behind frequent ones, without weights.

        p(click and order | x) = p(click | x) p(order | click, x)
        value = cross-entropy of that product and (click and order), over all impressions

    The click keeps its own loss. Every impression trains the order's network, as a negative of the product where nothing was clicked.
    Its gradient there is p(order) p(click) times a small number: it is not a claim that the unclicked would not order. The product may
    fit while its factors are off: too small a click network makes up for its error in the order's.

    Ma, Zhao, Huang, Wang, Hu, Zhu, Gai, Entire Space Multi-Task Model, SIGIR 2018 (https://arxiv.org/abs/1804.07931).
    """

    def values(self, batch: TaskBatch, loss: Loss) -> Any:
        return entire_space_values(batch)
