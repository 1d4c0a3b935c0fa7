"""`gatewise versions` and `gatewise rollback`: the commands. They read folders and records, and import no TensorFlow."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from models.recipe.errors import InputError

if TYPE_CHECKING:
    from components.push.rollback import Done

Place = typer.Argument(
    metavar="ROOT_OR_MODEL",
    help="--root of runs, or the folder of one model's versions, ROOT/serving/MODEL. A retrieval model belongs to its ranker.",
)


def versions(
    place: Annotated[Path, Place] = Path("runs"),
    as_json: Annotated[bool, typer.Option("--json", help="Print each version as a line of JSON.")] = False,
) -> None:
    """List the pushed versions of each model, newest first.

    With creation time, state, run and its outcome, and the main metric of each task.

    The state is served, canary (see serving-config), withdrawn (see rollback), incomplete or not served. A ranker and its
    retrieval model share a version.

    Example: gatewise versions runs/serving/shop --json
    """
    from rich.console import Console

    from components.push.rollback import interrupted
    from pipeline.output import write_lines
    from pipeline.version_list import refused, rows, served_models, table

    models = served_models(place)
    if as_json:
        write_lines((row for served in models for row in rows(served)), None)
        return
    out = Console(highlight=False, markup=False, width=max(140, Console().width))
    for served in models:
        out.print(table(served, rows(served)))
        for line in refused(served):
            out.print(line, soft_wrap=True)
        if plan := interrupted(served):
            what = "undo of a rollback" if plan.undo else f"rollback to version {plan.to}"
            out.print(
                f"The {what} was interrupted. To finish it: {_command(served, plan.undo, plan.to)}", soft_wrap=True
            )


def rollback(
    place: Annotated[Path, Place],
    version: Annotated[
        int | None,
        typer.Argument(metavar="VERSION", min=1, help="The version to serve. Default: the one before the newest."),
    ] = None,
    undo: Annotated[
        bool, typer.Option("--undo", help="Restore the versions that the last rollback has withdrawn.")
    ] = False,
    reason: Annotated[str, typer.Option("--reason", metavar="TEXT", help="Kept beside each withdrawn version.")] = "",
) -> None:
    """Serve an earlier version again. Servers that follow the newest version switch without a gap.

    The newer versions of the model and of its retrieval model move to serving/.withdrawn/MODEL, which no server reads. No file is
    lost. A withdrawn model is no baseline, no teacher and no source of best values of later runs, and no run pushes it
    again. If VERSION is withdrawn, it is restored. A rollback that was killed is finished by the same command.

    Example: gatewise rollback runs/serving/shop 1700000000 --reason "clicks fell"
    """
    from components.push import rollback as moving
    from pipeline.version_list import served_models

    if undo and (version is not None or reason):
        raise InputError(
            "--undo restores what the last rollback has withdrawn and takes neither VERSION nor --reason. To serve one version, "
            "leave --undo out."
        )
    models = served_models(place)
    if len(models) > 1:
        commands = "\n".join(f"  gatewise rollback {served}" for served in models)
        raise InputError(f"{place}: has {len(models)} models. Name the one to roll back:\n{commands}")
    [served] = models
    with _no_run(served):
        done = moving.undo(served) if undo else moving.roll_back(served, version, reason)
    typer.echo("\n".join(_told(served, done)))


def _told(served: Path, done: Done) -> Iterator[str]:
    from components.push.serving_choice import read_choice

    plan, names = done.plan, " and ".join(done.models)
    if done.finished:
        yield "Finished what an interrupted command had begun."
    if not plan.restore and not plan.withdraw:
        yield f"{names}: version {plan.to} is the newest already. Nothing was moved."
    for verb, moved in (("restored", plan.restore), ("withdrawn", plan.withdraw)):
        if moved:
            yield f"{names}: {verb} {', '.join(map(str, moved))}."
    choice = read_choice(served)
    if choice and isinstance(choice.stable, int):
        yield (
            f"The newest version is {done.newest}, but stable.config has version {choice.stable} by its number. To follow the newest: "
            f"gatewise serving-config {served} --stable newest"
        )
    else:
        yield f"Served now: version {done.newest}. Before: {plan.before}. Servers switch at their next look into the folder."
    if plan.withdraw:
        yield f"To undo: {_command(served, True)}"
    elif plan.restore and plan.before:
        yield f"To undo: {_command(served, False, plan.before)}"


def _command(served: Path, undo: bool, version: int = 0) -> str:
    return f"gatewise rollback {served} " + ("--undo" if undo else str(version))


@contextlib.contextmanager
def _no_run(served: Path) -> Iterator[None]:
    """Locks the folders of the recipes that push to this model, so that no run starts or goes on during the rollback.

    Raises:
        InputError: a run is in progress.
    """
    from pipeline.run_lock import LOCK, alone

    root = served.parents[1]
    with contextlib.ExitStack() as stack:
        for home in sorted(lock.parent for lock in root.glob(f"*/{LOCK}")):
            if _pushes_to(home, served.name):
                stack.enter_context(
                    alone(
                        home,
                        f"{home}: a run is in progress that may push to {served.name}. Wait until it ends, or stop it, then run the "
                        f"same command again. gatewise runs {root} shows it.",
                    )
                )
        yield


def _pushes_to(home: Path, model: str) -> bool:
    """Whether the newest run of a recipe pushes to a model; True if its record does not say."""
    from pipeline.run_records import read_records

    if not any(home.glob("logs/*.json")):
        return True
    newest = read_records(home)[0]
    name = (newest["resolved"].get("serving") or {}).get("model_name") or newest["recipe"]
    return bool(name == model)
