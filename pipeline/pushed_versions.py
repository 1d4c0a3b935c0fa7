"""The versions of a pushed model: folders named by a number, with a SavedModel in each."""

from __future__ import annotations

from pathlib import Path


def pushed_versions(folder: Path) -> dict[int, Path]:
    """{version: its folder} of the model whose versions lie in `folder`, in ascending order; none where it is no such folder."""
    found = {
        int(version.name): version
        for version in folder.glob("*")
        if version.name.isascii() and version.name.isdigit() and (version / "saved_model.pb").is_file()
    }
    return dict(sorted(found.items()))


def model_folders(root: Path) -> list[Path]:
    """The folders of versions under a root, by name: a run's --root, the folder of all pushed models in it, or one model's
    folder itself."""
    root = root.resolve()
    if pushed_versions(root):
        return [root]
    base = root / "serving" if (root / "serving").is_dir() else root
    return sorted(folder for folder in base.glob("*") if folder.is_dir() and pushed_versions(folder))
