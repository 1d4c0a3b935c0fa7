"""InnerProducts: combines task gradients by coefficients that follow from their inner products."""

from __future__ import annotations

import abc
from typing import Any

from keras import ops

from models.balancing.base import GradientCombiner
from models.balancing.evidence import Evidence


class InnerProducts(GradientCombiner):
    """A combiner whose direction is a sum of the task gradients with coefficients: d = sum_i a_i g_i.

    The coefficients need only the inner products, so that a small problem of (task, task) numbers is solved, with one pass
    over the parameters before and one after it. A task without an observed example has a gradient of 0: its row and column
    of the products are 0, and it must neither get an infinite coefficient nor change those of the others.
    """

    def combine(self, evidence: Evidence) -> Any:
        gradients = ops.cast(evidence.gradients, "float32")
        products = ops.matmul(gradients, ops.transpose(gradients))
        # A linear solver outside XLA raises an error for NaN. The direction still becomes NaN, and the step is reported.
        products = ops.where(ops.isfinite(products), products, 0.0)
        coefficients = self.coefficients(products, evidence)
        return ops.matmul(ops.expand_dims(coefficients, 0), gradients)[0]

    @abc.abstractmethod
    def coefficients(self, products: Any, evidence: Evidence) -> Any:
        """The coefficients a: (task,).

        Args:
            products: (task, task) float32 inner products of the task gradients, with the recipe's weights in them.
            evidence: of the batch.
        """
