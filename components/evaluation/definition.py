"""What makes two runs' values of one task comparable."""

from __future__ import annotations

import hashlib
import json
from typing import Any

from models.recipe.recipe import Recipe

# What moves from night to night in an unchanged problem: where the files lie, and fixed moments.
_MOVES = {"streams": {"path", "format"}, "examples": {"path", "eval_path", "format", "limits"}}


def definition_of(recipe: Recipe, task: str) -> str:
    """Fingerprint of what the task's labels and the eval split mean: 16 hexadecimal digits.

    Of the task, and of those it is `conditioned_on`: kind, outcome, window, aggregate, label. Of the data: the streams or the
    labelled examples, without their paths; which key splits them, and its value unless that is a moment. The rows
    themselves are other ones every night.
    """
    examples, logs, split = recipe.examples, recipe.logs, recipe.split
    meaning = {
        "task": _labels(recipe, task),
        "examples": examples and examples.model_dump(mode="json", exclude=_MOVES["examples"]),
        "logs": logs
        and {
            "impressions": logs.impressions,
            "streams": {
                name: stream.model_dump(mode="json", exclude=_MOVES["streams"])
                for name, stream in sorted(logs.streams.items())
            },
        },
        "split": {
            "eval_fraction": split.eval_fraction,
            "eval_last": split.eval_last and split.eval_last.total_seconds(),
            "eval_from": split.eval_from is not None,
        },
    }
    return hashlib.sha256(json.dumps(meaning, sort_keys=True).encode()).hexdigest()[:16]


def _labels(recipe: Recipe, task: str) -> dict[str, Any]:
    about = recipe.tasks[task]
    own = about.model_dump(mode="json", include={"kind", "outcome", "aggregate", "label"})
    window = about.window and about.window.total_seconds()
    given = about.conditioned_on and about.conditioned_on in recipe.tasks and _labels(recipe, about.conditioned_on)
    return {**own, "window": window, "conditioned_on": given}
