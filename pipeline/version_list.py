"""The versions of the served models under a root: created, run, outcome, metrics, and what is served. Pure functions on folders."""

from __future__ import annotations

import datetime
import itertools
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from rich.table import Table

from components.push.nights import Record as NightRecord
from components.push.nights import read_records as read_nights
from components.push.rollback import common_versions, folders_of
from components.push.serving_choice import read_choice
from components.push.withdrawn import read_notes, withdrawn_folder, withdrawn_names
from models.files.version_folders import is_whole, model_folders, version_folders
from models.recipe.errors import InputError
from models.recipe.retrieval import SUFFIX
from pipeline.run_records import Record, main_metric, outcome, read_records

HEAD = ("version", "created (UTC)", "state", "models", "run", "outcome", "metrics", "night")
_LARGEST_SECOND = 4_102_444_799
"""The end of 2099. A larger version is no number of seconds."""


def served_models(root: Path) -> list[Path]:
    """The folders of versions of the rankers under a root, sorted by name. A retrieval model belongs to its ranker.

    Args:
        root: the --root of runs, its folder `serving`, or the folder of one model's versions.

    Raises:
        InputError: there is no pushed version.
    """
    root = root.resolve()
    if version_folders(root) or root.name in withdrawn_names(root.parent):
        found = [root]
    else:
        base = root / "serving" if (root / "serving").is_dir() else root
        found = [*model_folders(root), *(base / name for name in withdrawn_names(base))]
    rankers = {_ranker(folder) for folder in found}
    if not rankers:
        raise InputError(
            f"{root}: no pushed version here; expected the --root of gatewise run, or ROOT/serving/MODEL, the folder of one model's "
            "versions."
        )
    return sorted(rankers)


def rows(served: Path) -> list[dict[str, Any]]:
    """The versions of a ranker and its retrieval model, newest first.

    Args:
        served: folder of the ranker's versions.

    Returns:
        For each version {"model": the ranker's name, "version", "created": ISO 8601 or None, "served_by": names of the models of
        which it is the served version, "canary": whether `gatewise serving-config` gives it to the canary, "models": names of
        the models that have it where servers see it, "withdrawn": {"at", "reason"} or None, "incomplete": names of the models
        whose folder of it is incomplete, "day": of a night or None,
        "ancestor": the version that it went on from or None,
        "run": id or None, "outcome": that of the run or None, "metrics": {task: {main metric:
        value}}, "folder": of the ranker's version}.
    """
    folders = folders_of(served)
    there = {folder.name: version_folders(folder) for folder in folders}
    hidden = {folder.name: version_folders(withdrawn_folder(folder)) for folder in folders}
    notes = read_notes(served)
    choice = read_choice(served)
    stable = choice.stable if choice and isinstance(choice.stable, int) else None
    newest = {name: stable or max(versions, default=0) for name, versions in there.items()}
    canary = choice.canary if choice else None
    if canary == "newest":
        canary = max(common_versions(folders), default=0)
    pushed_by = _pushed_by(_records(served))
    nights = nights_beside(served)
    found = []
    for version in sorted({*itertools.chain(*there.values()), *notes}, reverse=True):
        paths = [places[name][version] for places in (there, hidden) for name in places if version in places[name]]
        record = pushed_by.get(str(served / str(version))) or {}
        note = notes.get(version)
        found.append(
            {
                "model": served.name,
                "version": version,
                "created": _created(version),
                "served_by": [name for name, number in newest.items() if number == version and version in there[name]],
                "canary": version == canary,
                "models": [name for name, versions in there.items() if version in versions],
                "withdrawn": {"at": note.at, "reason": note.reason} if note else None,
                "incomplete": [path.parent.name for path in paths if not is_whole(path)],
                "day": nights[version].day if version in nights else None,
                "ancestor": nights[version].ancestor if version in nights else None,
                "run": record.get("id"),
                "outcome": outcome(record) if record else None,
                "metrics": _main_metrics(record),
                "folder": str(
                    (withdrawn_folder(served) if note and version not in there[served.name] else served) / str(version)
                ),
            }
        )
    return found


def table(served: Path, versions: Sequence[Mapping[str, Any]]) -> Table:
    """One row per version. The column of the nights is there if a version is of a night."""
    made = Table(title=" and ".join(folder.name for folder in folders_of(served)), title_justify="left")
    nights = any(one["day"] for one in versions)
    for name in HEAD if nights else HEAD[:-1]:
        made.add_column(
            name, justify="right" if name == "version" else "left", no_wrap=name != "state", overflow="fold"
        )
    for one in versions:
        made.add_row(
            str(one["version"]),
            (one["created"] or "-")[:16].replace("T", " "),
            state(one),
            "\n".join(one["models"]) or "-",
            one["run"] or "-",
            one["outcome"] or "-",
            "\n".join(
                f"{task} {name} {value:.4f}"
                for task, values in one["metrics"].items()
                for name, value in values.items()
            ),
            *([_day(one)] if nights else []),
        )
    return made


def refused(served: Path) -> list[str]:
    """The nights whose models were refused, newest first, in words."""
    found = [record for record in nights_beside(served).values() if not record.pushed]
    return [
        f"Refused: {record.day}. {' '.join(record.reasons)}"
        + (f" Left out of later trainings: {', '.join(record.left_out)}." if record.left_out else "")
        for record in sorted(found, key=lambda record: (record.day, record.version), reverse=True)
    ]


def nights_beside(served: Path) -> dict[int, NightRecord]:
    """{version: record} of the nights of the model whose versions are in `served`."""
    real = served.resolve()
    return read_nights(real.parent.with_name("states") / real.name)


def _day(version: Mapping[str, Any]) -> str:
    if version["day"] is None:
        return "-"
    return f"{version['day']}" + (f"\nafter {version['ancestor']}" if version["ancestor"] else "\ncold")


def state(version: Mapping[str, Any]) -> str:
    """Whether a version is served, the canary or withdrawn, in words."""
    words = []
    if version["served_by"]:
        alone = version["served_by"] != version["models"]
        words.append("served" + (f" ({', '.join(version['served_by'])} alone)" if alone else ""))
    if version["canary"]:
        words.append("canary")
    if version["withdrawn"]:
        about = version["withdrawn"]
        words.append(
            f"withdrawn {about['at'][:16].replace('T', ' ')}" + (f": {about['reason']}" if about["reason"] else "")
        )
    if version["incomplete"]:
        words.append(f"incomplete in {', '.join(version['incomplete'])}")
    return "; ".join(words) or "not served"


def _ranker(folder: Path) -> Path:
    ranker = folder.with_name(folder.name.removesuffix(SUFFIX))
    return ranker if version_folders(ranker) or read_notes(ranker) else folder


def _created(version: int) -> str | None:
    """A version is the second at which the later of the models was created."""
    return datetime.datetime.fromtimestamp(version, datetime.UTC).isoformat() if version <= _LARGEST_SECOND else None


def _records(served: Path) -> list[Record]:
    root = served.resolve().parents[1]
    return read_records(root) if any(root.glob("*/logs/*.json")) else []


def _pushed_by(records: Iterable[Record]) -> dict[str, Record]:
    """{folder of a version: the record of the first run that pushed it}."""
    found: dict[str, Record] = {}
    for record in sorted(records, key=lambda one: (not one.get("pushed"), one["started"])):
        if record.get("serving"):
            found.setdefault(str(Path(record["serving"]).resolve()), record)
    return found


def _main_metrics(record: Record) -> dict[str, dict[str, float]]:
    found = {}
    for task, values in (record.get("metrics") or {}).items():
        name = main_metric(record, task)
        if name is not None and values[name] is not None:
            found[task] = {name: values[name]}
    return found
