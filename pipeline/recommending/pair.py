"""A ranker and the retrieval model that was pushed with it."""

from __future__ import annotations

import dataclasses
from pathlib import Path

from models.files.version_folders import model_folders, version_folders
from models.recipe.errors import InputError
from models.recipe.retrieval import SUFFIX

_NO_RETRIEVAL = (
    "To train a retrieval model, add the section `retrieval` to the recipe (docs/retrieval.md) and run it again."
)


@dataclasses.dataclass(frozen=True)
class Pair:
    """The folders of one version of both models."""

    ranker: Path
    retrieval: Path

    @property
    def name(self) -> str:
        """Model name and version, for messages."""
        return f"{self.ranker.parent.name} version {self.ranker.name}"


def newest_pair(root: Path) -> Pair:
    """The newest version that both models have.

    Args:
        root: the ranker's folder of versions, or one version in it; or a folder that contains one ranker and its
            retrieval model: the folder of all pushed models, or a run's --root.

    Raises:
        InputError: there is no model, no retrieval model, more than one pair, or no common version.
    """
    root = root.resolve()
    if (root / "saved_model.pb").is_file():
        ranker, only = _with_sibling(root.parent), root.name
    else:
        ranker, only = _ranker_below(root), None
    sibling = ranker.with_name(ranker.name + SUFFIX)
    rankers, others = version_folders(ranker), version_folders(sibling)
    common = [version for version in rankers if version in others and only in (None, rankers[version].name)]
    if not common:
        wanted = "a version that both models have" if only is None else f"version {only} of both models"
        raise InputError(
            f"{root}: expected {wanted}, found {_listed(rankers)} in {ranker.name} and {_listed(others)} in {sibling.name}. "
            "A run pushes both under one version: run the recipe again, or restore the missing version."
        )
    return Pair(rankers[common[-1]], others[common[-1]])


def _ranker_below(root: Path) -> Path:
    if version_folders(root):
        return _with_sibling(root)
    folders = model_folders(root)
    if not folders:
        raise InputError(
            f"{root}: no exported model here; expected the folder of a ranker's versions, or its parent folder. A run "
            "pushes to ROOT/serving/MODEL_NAME."
        )
    names = {folder.name for folder in folders}
    pairs = [folder for folder in folders if folder.name + SUFFIX in names]
    if not pairs:
        raise InputError(
            f"{root}: expected a ranker and its retrieval model, NAME and NAME{SUFFIX}; found {', '.join(sorted(names))}. "
            + _NO_RETRIEVAL
        )
    if len(pairs) > 1:
        raise InputError(
            f"{root}: {len(pairs)} rankers here have a retrieval model; choose one of them: "
            f"{', '.join(str(folder) for folder in pairs)}."
        )
    return pairs[0]


def _with_sibling(folder: Path) -> Path:
    """Returns the ranker's folder after checking that its retrieval model exists."""
    sibling = folder.with_name(folder.name + SUFFIX)
    if version_folders(sibling):
        return folder
    if folder.name.endswith(SUFFIX):
        ranker = folder.with_name(folder.name.removesuffix(SUFFIX))
        raise InputError(
            f"{folder}: this folder has the retrieval model's versions; pass the ranker's folder, {ranker}."
        )
    raise InputError(f"{folder}: expected a retrieval model in {sibling}, found none. " + _NO_RETRIEVAL)


def _listed(versions: dict[int, Path]) -> str:
    return ", ".join(map(str, versions)) or "none"
