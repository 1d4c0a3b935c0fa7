"""Growth: what a network that grows during training has changed in itself."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import keras
import numpy as np


@dataclass(frozen=True, kw_only=True)
class Growth:
    """One growth of an architecture. Variables keep their shapes: a network that grows begins to use more of their rows.

    Attributes:
        description: what has changed, for the history of the training. JSON.
        rows: pairs of a variable and the rows that it is to have: row i becomes the present row `rows[i]`. The trainer sets
            the variable, its running average and its slots in the optimizer.
    """

    description: Mapping[str, Any]
    rows: tuple[tuple[keras.Variable, np.ndarray], ...]
