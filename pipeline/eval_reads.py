"""How often the eval split was read, in words for the console and the report."""

from __future__ import annotations


def in_words(reads: int) -> str:
    """The count and what follows from it."""
    if reads == 1:
        return "The eval split was read once: no other model of this recipe was measured on it in this root."
    return (
        f"The eval split was read {reads} times in this root. If you choose among the models by their metrics on the eval split, "
        "the metrics of the chosen one are too good. Choose by the validate split."
    )
