"""Prefixes of the names in the history that tell what a method did in an epoch; TensorBoard and the report draw them."""

from __future__ import annotations

WEIGHT_OF = "weight_of_"
COSINE_OF = "cosine_of_"
EFFECTIVE_SHARE_OF = "effective_share_of_"

PANELS = {
    WEIGHT_OF: "weight of the task",
    COSINE_OF: "cosine of two gradients",
    EFFECTIVE_SHARE_OF: "effective share of examples",
}
"""{prefix: title of its panel in the report}."""
