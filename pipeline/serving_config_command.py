"""`gatewise serving-config`: the command."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

import typer

from components.push.serving_choice import Served
from models.recipe.errors import InputError


def serving_config(
    served: Annotated[
        Path,
        typer.Argument(
            metavar="SERVED",
            help="Folder of a model's versions, ROOT/serving/MODEL. A retrieval model beside it is configured together with it.",
        ),
    ],
    stable: Annotated[
        str | None,
        typer.Option("--stable", metavar="VERSION", help="Version for all clients, or newest to follow each push."),
    ] = None,
    canary: Annotated[
        str | None,
        typer.Option(
            "--canary", metavar="VERSION", help="Version for the canary server, newest, or none to end the canary."
        ),
    ] = None,
    keep: Annotated[
        list[str] | None,
        typer.Option(
            "--keep",
            metavar="VERSION",
            help="Version that serving.keep_versions never removes. Repeatable. none: clear the list.",
        ),
    ] = None,
    mount: Annotated[
        str | None,
        typer.Option(
            "--mount", metavar="DIR", help="Path of the folder above SERVED as the servers see it. Initially /models."
        ),
    ] = None,
) -> None:
    """Choose which pushed versions TensorFlow Serving loads. It loads them within a minute. A push does not change the choice.

    Writes serving.json, stable.config and canary.config into SERVED, for the flag --model_config_file of two servers
    (kubeflow/serving.yaml, kubeflow/serving-canary.yaml). An option that is left out keeps its value.

    Roll back to an earlier version. Example: gatewise serving-config runs/serving/shop --stable 1700000000
    """
    from pipeline.serving_config import choose, describe

    end = canary == "none"
    choice = choose(
        served,
        stable=_version("--stable", stable),
        canary=None if end else _version("--canary", canary),
        no_canary=end,
        keep=_kept(keep or None),
        mount=_mount(mount),
    )
    typer.echo("\n".join(describe(served, choice)))


def _kept(values: list[str] | None) -> tuple[int, ...] | None:
    if values is None:
        return None
    if values == ["none"]:
        return ()
    return tuple(sorted({_number("--keep", value, "a version, or none alone") for value in values}))


def _version(option: str, value: str | None) -> Served | None:
    expected = "a version, newest, or none" if option == "--canary" else "a version or newest"
    newest: Literal["newest"] = "newest"
    return value if value is None else newest if value == newest else _number(option, value, expected)


def _number(option: str, value: str, expected: str) -> int:
    if not (value.isascii() and value.isdecimal() and int(value) > 0):
        raise InputError(
            f"{option}: expected {expected}, received {value!r}. A version is the name of its folder, a number."
        )
    return int(value)


def _mount(value: str | None) -> str | None:
    if value is not None and (not value.startswith("/") or any(character in value for character in '"\\\n')):
        raise InputError(
            f"--mount: expected an absolute path as the servers see it, such as /models, received {value!r}."
        )
    return value
