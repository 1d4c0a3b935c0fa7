"""A pushed version: the folders of its models, and what the record of its run says of them. Imports no TensorFlow."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from models.files.version_folders import version_folders
from models.recipe.errors import InputError
from models.recipe.registry import lookup
from models.recipe.retrieval import SUFFIX
from pipeline.run_records import Record, read_records
from pipeline.version_list import rows, served_models


@dataclasses.dataclass(frozen=True, kw_only=True)
class Pushed:
    """One version of a ranker, with the retrieval model that was pushed with it.

    Attributes:
        model, version: name of the ranker, and its version.
        ranker, retrieval: folders of the SavedModels; `retrieval` is None if there is none of this version.
        run, home: id of the run that pushed it, and the folder of its recipe; None if no record tells.
        score: formula of the score; "" if unknown.
        user, item: columns that identify a user and an item; None if unknown.
        actions: outcomes that make an item part of a user's history, such as "click".
        fixed: columns that the model does not read from a request, because their features have `served_as`.
    """

    model: str
    version: int
    ranker: Path
    retrieval: Path | None
    run: str | None
    home: Path | None
    score: str
    user: str | None
    item: str | None
    actions: tuple[str, ...]
    fixed: frozenset[str]


def models_of(root: Path) -> dict[str, Path]:
    """{name: folder of versions} of the rankers with a version that servers see."""
    try:
        found = served_models(root)
    except InputError:
        return {}
    return {folder.name: folder for folder in found if version_folders(folder)}


def pushed_version(root: Path, model: str | None = None, version: int | None = None) -> Pushed:
    """A version under a root.

    Args:
        root: the --root of runs.
        model: name of the ranker. None: the first.
        version: its version. None: the newest that the ranker and its retrieval model have, or the newest of a ranker alone.

    Raises:
        InputError: there is no such model or version.
    """
    models = models_of(root)
    if not models:
        raise InputError(f"{root}: no pushed model. Push one with: gatewise run RECIPE --root {root}")
    folder = lookup(model, models, "model", "model") if model is not None else next(iter(models.values()))
    rankers, others = version_folders(folder), version_folders(folder.with_name(folder.name + SUFFIX))
    if version is None:
        version = max(rankers.keys() & others.keys(), default=max(rankers))
    if version not in rankers:
        raise InputError(f"{folder}: no version {version}; it has {', '.join(map(str, rankers))}.")
    record = _record(root, folder, version)
    resolved: Mapping[str, Any] = (record or {}).get("resolved") or {}
    retrieval = resolved.get("retrieval") or {}
    return Pushed(
        model=folder.name,
        version=version,
        ranker=rankers[version],
        retrieval=others.get(version),
        run=record["id"] if record else None,
        home=Path(record["home"]) if record else None,
        score=(resolved.get("serving") or {}).get("score") or "",
        user=retrieval.get("user") or (resolved.get("evaluation") or {}).get("group_key"),
        item=retrieval.get("item") or _item(resolved),
        actions=tuple(retrieval.get("positives") or _outcomes(resolved)),
        fixed=frozenset(
            about.get("column") or name
            for name, about in (resolved.get("features") or {}).items()
            if about.get("served_as") is not None
        ),
    )


def _record(root: Path, served: Path, version: int) -> Record | None:
    run = next((row["run"] for row in rows(served) if row["version"] == version), None)
    if run is None:
        return None
    return next((record for record in read_records(root) if record["id"] == run), None)


def _item(resolved: Mapping[str, Any]) -> str | None:
    """The last column of the impressions' key that is a feature of the item, such as item_id of [user_id, item_id]."""
    logs, features = resolved.get("logs") or {}, resolved.get("features") or {}
    of_items = {about.get("column") or name for name, about in features.items() if about.get("side") == "item"}
    stream = (logs.get("streams") or {}).get(logs.get("impressions")) or {}
    keys = [column for column in stream.get("key") or [] if column in of_items]
    return keys[-1] if keys else None


def _outcomes(resolved: Mapping[str, Any]) -> list[str]:
    """The outcomes of the binary tasks, in their order."""
    tasks = (resolved.get("tasks") or {}).values()
    return list(
        dict.fromkeys(task["outcome"] for task in tasks if task.get("kind") == "binary" and task.get("outcome"))
    )
