"""Balancers and batches for their tests."""

from __future__ import annotations

from typing import Any

import numpy as np

from models.balancing.base import Weighting
from models.balancing.evidence import Evidence


def made(kind: Any, weights: tuple[float, ...] = (1.0, 1.0), **options: Any) -> Any:
    """A built balancer for up to three tasks, a, b and c."""
    balancer = kind(("a", "b", "c")[: len(weights)], weights, **options)
    balancer.build()
    return balancer


def see(balancer: Weighting, losses: Any, observed: Any = None) -> np.ndarray:
    """The weights of a batch with these losses; by default all tasks are observed."""
    losses = np.float32(losses)
    observed = np.ones(len(losses), bool) if observed is None else np.array(observed)
    return np.asarray(balancer(evidence=Evidence(losses=losses, observed=observed)))
