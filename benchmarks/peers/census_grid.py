"""The choice of a peer's parameters on the validate split, made once for all seeds."""

from __future__ import annotations

import itertools
import json
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any


def best_of(
    grid: Mapping[str, Sequence[Any]], score: Callable[[Mapping[str, Any]], float], kept: Path
) -> dict[str, Any]:
    """The parameters with the largest score; of equal ones the first.

    Args:
        grid: {parameter: its values}. All combinations are tried.
        score: of the validate split.
        kept: JSON lines of the finished combinations. They are not tried again.
    """
    kept.parent.mkdir(parents=True, exist_ok=True)
    lines = kept.read_text(encoding="utf-8").splitlines() if kept.is_file() else []
    scores = {json.dumps(entry["options"]): entry["score"] for entry in map(json.loads, lines)}
    for values in itertools.product(*grid.values()):
        options = dict(zip(grid, values, strict=True))
        if (name := json.dumps(options)) not in scores:
            scores[name] = score(options)
            with open(kept, "a", encoding="utf-8") as file:
                file.write(json.dumps({"options": options, "score": scores[name]}) + "\n")
    found: dict[str, Any] = json.loads(max(scores, key=scores.__getitem__))
    return found
