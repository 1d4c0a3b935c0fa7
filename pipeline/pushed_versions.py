"""Where the pushed models are below what a person names."""

from __future__ import annotations

from pathlib import Path

from models.version_folders import version_folders as pushed_versions

__all__ = ["model_folders", "pushed_versions"]


def model_folders(root: Path) -> list[Path]:
    """The folders of versions under a root, by name: a run's --root, the folder of all pushed models in it, or one model's
    folder itself."""
    root = root.resolve()
    if pushed_versions(root):
        return [root]
    base = root / "serving" if (root / "serving").is_dir() else root
    return sorted(folder for folder in base.glob("*") if folder.is_dir() and pushed_versions(folder))
