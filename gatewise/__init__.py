"""gatewise in Python, for notebooks and scripts: recipes, runs, comparisons and predictions as pandas data frames.

Importing the package loads neither TensorFlow, TFX nor pandas. A name loads what it needs when it is first used.

Example:
    import gatewise

    run = gatewise.run("recipes/shop.yaml", root="runs", push=False)
    run.metrics
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

from models.recipe.errors import GatewiseError, InputError

if TYPE_CHECKING:
    from gatewise.comparisons import Comparison, compare
    from gatewise.predictions import predict, rank, recommend
    from gatewise.recipes import Recipe
    from gatewise.running import run
    from gatewise.runs import Run, load_run

    __version__: str

__all__ = [
    "Comparison",
    "GatewiseError",
    "InputError",
    "Recipe",
    "Run",
    "__version__",
    "compare",
    "load_run",
    "predict",
    "rank",
    "recommend",
    "run",
]

_MODULES = {
    "Comparison": "comparisons",
    "compare": "comparisons",
    "predict": "predictions",
    "rank": "predictions",
    "recommend": "predictions",
    "Recipe": "recipes",
    "run": "running",
    "Run": "runs",
    "load_run": "runs",
}
"""Name -> the module of this package that defines it."""


def __getattr__(name: str) -> Any:
    if name == "__version__":
        from importlib.metadata import version

        return version("gatewise")
    if name not in _MODULES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    value = getattr(importlib.import_module(f"{__name__}.{_MODULES[name]}"), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
