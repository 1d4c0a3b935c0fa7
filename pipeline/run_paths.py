"""The folders and files of a run under one root folder."""

from __future__ import annotations

import dataclasses
from pathlib import Path

from models.recipe.recipe import Recipe
from models.recipe.retrieval import SUFFIX

COMPARISON = "compare-"
"""Beginning of the id of a run of the data stages alone, for a comparison."""


@dataclasses.dataclass(frozen=True, kw_only=True)
class RunPaths:
    """Folders and files of one recipe under a root.

    Attributes:
        home: everything of this recipe except the pushed versions.
        metadata: the ML Metadata store.
        artifacts: outputs of the stages.
        logs: the log of each run, and its record.
        tensorboard: of each run, what TensorBoard shows.
        compiled: training steps compiled by XLA, reused by the next run. May be removed.
        served: the folder of versions that TF Serving polls.
    """

    home: Path
    metadata: Path
    artifacts: Path
    logs: Path
    tensorboard: Path
    compiled: Path
    served: Path

    @property
    def states(self) -> Path:
        """The folder of the nights of the ranker, each with its record and the state of its model."""
        return self.served.parent.with_name("states") / self.served.name

    @property
    def served_retrieval(self) -> Path:
        """The folder of the retrieval model's versions."""
        return self.served.with_name(self.served.name + SUFFIX)


def run_paths(recipe: Recipe, root: str | Path) -> RunPaths:
    """The paths of `recipe` under `root`."""
    base = Path(root).resolve()
    return run_paths_in(base / recipe.name, recipe.serving.model_name)


def run_paths_in(home: Path, model_name: str | None = None) -> RunPaths:
    """The paths of the recipe whose folder is `home`."""
    home = home.resolve()
    return RunPaths(
        home=home,
        metadata=home / "metadata.sqlite",
        artifacts=home / "artifacts",
        logs=home / "logs",
        tensorboard=home / "tensorboard",
        compiled=home / "compiled",
        served=home.parent / "serving" / (model_name or home.name),
    )
