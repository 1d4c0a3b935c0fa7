"""Makes an earlier version the served one: moves the newer versions away, and back. A kill at any point is repaired by the next call.

A rollback first writes its plan, then carries it out in steps that may be repeated, and removes the plan at the end. The next call
finishes a plan that it finds. Versions that are restored come first and the version to serve never moves, so there is a served version
at any time. The ranker leaves before its retrieval model and returns after it, the order of a push, so the retrieval model of a served
ranker is there. The newest version leaves last and returns first, so a server switches once.
"""

from __future__ import annotations

import contextlib
import dataclasses
import datetime
import errno
import os
from collections.abc import Iterator, Sequence
from pathlib import Path

from components.push.lock import alone_in
from components.push.serving_choice import read_choice
from components.push.withdrawn import Note, note_file, read_notes, withdrawn_folder, write_note
from models.files.version_folders import is_whole, version_folders
from models.files.whole_file import write_whole
from models.recipe.errors import InputError
from models.recipe.retrieval import SUFFIX
from models.recipe.section import Section

PLAN = "plan.json"


class Plan(Section):
    """What a rollback does. It is a file while the rollback is in progress.

    Attributes:
        at: time of the rollback, as in the notes.
        reason: the user's reason, or "".
        undo: whether it takes a rollback back.
        before: the served version before it.
        to: the served version after it.
        restore: versions to move back, ascending.
        withdraw: versions to move away, ascending.
    """

    at: str
    reason: str = ""
    undo: bool = False
    before: int
    to: int
    restore: tuple[int, ...] = ()
    withdraw: tuple[int, ...] = ()


@dataclasses.dataclass(frozen=True, kw_only=True)
class Done:
    """A plan that was carried out.

    Attributes:
        plan: the plan; with neither `restore` nor `withdraw` if the version was served already.
        models: names of the models that moved together.
        finished: whether an earlier call had begun it.
        newest: the newest version that is there now.
    """

    plan: Plan
    models: tuple[str, ...]
    finished: bool
    newest: int


def roll_back(served: Path, version: int | None = None, reason: str = "") -> Done:
    """Makes a version the newest one that servers see.

    Newer versions are withdrawn. If the version itself is withdrawn, it is restored; other withdrawn versions stay so.

    Args:
        served: folder of the ranker's versions. The retrieval model beside it moves with it.
        version: the version to serve. None: the one before the newest.
        reason: kept beside each withdrawn version.

    Raises:
        InputError: no such version, none before the newest, a version to withdraw is chosen by `gatewise serving-config`, or
            a folder cannot be moved.
    """
    with alone_in(folders_of(served)):
        folders = folders_of(served)
        unfinished = _finish(folders)
        if unfinished is not None and not unfinished.undo and version in (None, unfinished.to):
            return _done(unfinished, folders, finished=True)
        plan = _plan(folders, version, reason)
        _check_choice(folders[0], plan)
        _begin(plan, folders)
        return _done(plan, folders)


def undo(served: Path) -> Done:
    """Restores the versions that the last rollback withdrew, if it is not undone yet.

    Args:
        served: folder of the ranker's versions.

    Raises:
        InputError: no version is withdrawn, its folder is gone, or a folder cannot be moved.
    """
    with alone_in(folders_of(served)):
        folders = folders_of(served)
        unfinished = _finish(folders)
        if unfinished is not None and unfinished.undo:
            return _done(unfinished, folders, finished=True)
        notes = [(note.at, version) for folder in folders for version, note in read_notes(folder).items()]
        if not notes:
            raise InputError(f"{served}: no version is withdrawn, so there is nothing to undo.")
        last = max(at for at, _ in notes)
        restored = tuple(sorted({version for at, version in notes if at == last}))
        for version in restored:
            if not any(is_whole(withdrawn_folder(folder) / str(version)) for folder in folders):
                raise InputError(
                    f"{withdrawn_folder(folders[0]) / str(version)}: the withdrawn version is gone, so it cannot be served again."
                )
        newest = newest_of(folders)
        plan = Plan(at=_now(), undo=True, before=newest, to=max(newest, *restored), restore=restored)
        _begin(plan, folders)
        return _done(plan, folders)


def folders_of(served: Path) -> list[Path]:
    """The folders of the versions that move together: the ranker's and, if there is one, its retrieval model's."""
    partner = served.with_name(served.name + SUFFIX)
    return [served, *([partner] if version_folders(partner) or withdrawn_folder(partner).is_dir() else [])]


def common_versions(folders: Sequence[Path]) -> list[int]:
    """The versions that are whole in every folder that has versions, ascending."""
    there = [versions for folder in folders if (versions := version_folders(folder))]
    whole = [{number for number, path in versions.items() if is_whole(path)} for versions in there]
    return sorted(set.intersection(*whole)) if whole else []


def newest_of(folders: Sequence[Path]) -> int:
    """The newest version that all models have; 0 if there is none."""
    return max(common_versions(folders), default=0)


def interrupted(served: Path) -> Plan | None:
    """The plan of a rollback that was killed; None if there is none."""
    file = withdrawn_folder(served) / PLAN
    return Plan.model_validate_json(file.read_bytes()) if file.is_file() else None


def _plan(folders: Sequence[Path], version: int | None, reason: str) -> Plan:
    common, withdrawn = common_versions(folders), set(read_notes(folders[0]))
    newest = max(common, default=0)
    if version is None:
        if len(common) < 2:
            raise InputError(
                f"{folders[0]}: nothing earlier to serve; its versions are {_listed(common)}."
                + (
                    f" Withdrawn: {_listed(sorted(withdrawn))}; gatewise rollback {folders[0]} --undo."
                    if withdrawn
                    else ""
                )
            )
        version = common[-2]
    elif version not in common:
        _check_restorable(folders, version, common, withdrawn)
    live = {number for folder in folders for number in version_folders(folder)}
    return Plan(
        at=_now(),
        reason=reason,
        before=newest,
        to=version,
        restore=() if version in common else (version,),
        withdraw=tuple(sorted(number for number in live if number > version)),
    )


def _check_restorable(folders: Sequence[Path], version: int, common: list[int], withdrawn: set[int]) -> None:
    known = sorted({*common, *withdrawn})
    if version not in known:
        lacking = [folder.name for folder in folders if not (folder / str(version)).exists()]
        if len(lacking) < len(folders):
            raise InputError(
                f"{folders[0]}: version {version} is incomplete or missing in {' and '.join(lacking) or folders[0].name}, so the "
                f"models cannot be served together. Choose one of {_listed(common)}."
            )
        near = f" Did you mean {min(known, key=lambda number: abs(number - version))}?" if known else ""
        raise InputError(
            f"{folders[0]}: no version {version}; there are {_listed(common)}, and withdrawn {_listed(sorted(withdrawn))}.{near}"
        )
    for folder in folders:
        hidden = withdrawn_folder(folder) / str(version)
        if not is_whole(hidden) and (folder == folders[0] or version_folders(folder)):
            raise InputError(
                f"{hidden}: the withdrawn version is not there or incomplete, so it cannot be served again."
            )


def _check_choice(served: Path, plan: Plan) -> None:
    choice = read_choice(served)
    for option, number in (("stable", choice.stable), ("canary", choice.canary)) if choice else ():
        if number in plan.withdraw:
            raise InputError(
                f"{served}: {option}.config has version {number} by its number, and its servers would be left without it. First run "
                f"gatewise serving-config {served} --{option} {plan.to}, wait until they serve {plan.to}, and roll back again."
            )


def _begin(plan: Plan, folders: Sequence[Path]) -> None:
    if plan.restore or plan.withdraw:
        with _told():
            write_whole(withdrawn_folder(folders[0]) / PLAN, plan.model_dump_json(indent=1) + "\n")
        _carry_out(plan, folders)


def _finish(folders: Sequence[Path]) -> Plan | None:
    plan = interrupted(folders[0])
    if plan is not None:
        _carry_out(plan, folders)
    return plan


def _carry_out(plan: Plan, folders: Sequence[Path]) -> None:
    """Every step may be repeated. Until the last one, the plan stays."""
    ranker_last = list(reversed(folders))
    with _told():
        for version in reversed(plan.restore):
            for folder in ranker_last:
                _move(withdrawn_folder(folder) / str(version), folder / str(version))
        for folder in folders:
            there = version_folders(folder)
            if plan.withdraw and there and not is_whole(folder / str(plan.to)):
                raise InputError(
                    f"{folder / str(plan.to)}: the version to serve is gone or incomplete. Nothing was withdrawn. "
                    f"Remove {withdrawn_folder(folders[0]) / PLAN} and choose another version."
                )
            for version in plan.withdraw:
                if version in there:
                    note = Note(at=plan.at, served=plan.to, reason=plan.reason)
                    write_note(folder, version, note)
        for version in plan.withdraw:
            for folder in folders:
                _move(folder / str(version), withdrawn_folder(folder) / str(version))
        for folder in folders:
            for version in plan.restore:
                note_file(folder, version).unlink(missing_ok=True)
        (withdrawn_folder(folders[0]) / PLAN).unlink(missing_ok=True)


def _move(source: Path, target: Path) -> None:
    if not source.exists():
        return
    if os.path.lexists(target):
        raise InputError(f"{target}: exists, so {source} cannot be moved there. Compare them and remove one of them.")
    target.parent.mkdir(parents=True, exist_ok=True)
    os.rename(source, target)


@contextlib.contextmanager
def _told() -> Iterator[None]:
    """A failure of the file system becomes an `InputError`."""
    try:
        yield
    except OSError as error:
        why = (
            "it is on another file system, and a version moves by a rename: mount the folder above the models' folders"
            if error.errno == errno.EXDEV
            else error.strerror
        )
        raise InputError(
            f"{error.filename2 or error.filename}: cannot be written ({why}). Then run the same command again; it goes on."
        ) from None


def _done(plan: Plan, folders: Sequence[Path], finished: bool = False) -> Done:
    names = tuple(folder.name for folder in folders)
    return Done(plan=plan, models=names, finished=finished, newest=newest_of(folders))


def _now() -> str:
    return datetime.datetime.now(datetime.UTC).isoformat(timespec="microseconds")


def _listed(versions: Sequence[int]) -> str:
    return ", ".join(map(str, versions)) or "none"
