"""Writes TensorFlow Serving's model configs: one file for the stable server, one for the canary server.

Stable and canary run on separate servers, and the configs have no labels. A request without a version gets the largest version
that its server has loaded, so a canary on the stable server would receive all requests. TensorFlow Serving also refuses a whole
config that moves a label to a version that is not loaded yet, so a rollback would never take effect.
"""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from google.protobuf import text_format
from tensorflow_serving.config import model_server_config_pb2

from components.push.serving_choice import Served, ServingChoice, read_choice, write_choice
from models.files.version_folders import WHOLE, version_folders
from models.files.whole_file import write_whole
from models.recipe.errors import InputError
from models.recipe.retrieval import SUFFIX

STABLE_CONFIG, CANARY_CONFIG = "stable.config", "canary.config"


def model_server_config(choice: Served, names: Iterable[str], mount: str) -> str:
    """TensorFlow Serving's ModelServerConfig in protobuf text format.

    Args:
        choice: the version to load, or `newest` to follow each push.
        names: names of the models, which are folders below `mount`.
        mount: path of the folder above the models, as the server sees it.
    """
    config = model_server_config_pb2.ModelServerConfig()
    for name in names:
        model = config.model_config_list.config.add(
            name=name, base_path=f"{mount.rstrip('/')}/{name}", model_platform="tensorflow"
        )
        if choice == "newest":
            model.model_version_policy.latest.num_versions = 1
        else:
            model.model_version_policy.specific.versions.append(choice)
    return str(text_format.MessageToString(config))


def models_of(served: Path) -> dict[str, dict[int, Path]]:
    """{model: {version: folder}} of the ranker and, if it has one, its retrieval model. Only complete versions.

    Raises:
        InputError: there is no pushed version, or `served` is the folder of a ranker's retrieval model.
    """
    ranker = served.with_name(served.name.removesuffix(SUFFIX))
    if ranker != served and version_folders(ranker):
        raise InputError(f"{served}: is the retrieval model of {ranker}. Pass the ranker's folder to configure both.")
    partner = served.with_name(served.name + SUFFIX)
    found = {served.name: version_folders(served)}
    if version_folders(partner):
        found[partner.name] = version_folders(partner)
    if not found[served.name]:
        raise InputError(
            f"{served}: no pushed version here; expected the folder of one model's versions, ROOT/serving/MODEL, with "
            "VERSION/saved_model.pb. gatewise run or the pipeline's Pusher writes them."
        )
    return found


def choose(
    served: Path,
    *,
    stable: Served | None = None,
    canary: Served | None = None,
    no_canary: bool = False,
    keep: tuple[int, ...] | None = None,
    mount: str | None = None,
) -> ServingChoice:
    """Updates the choice with the arguments that are not None, and writes it and both configs into the ranker's folder.

    The choice is written first. If the process is killed before the configs are written, the servers keep their old configs.
    The choice lists the old versions as `previous`, so no push removes them. The same call again completes the change.

    Args:
        served: folder of the ranker's versions.
        stable: new stable version.
        canary: new canary version.
        no_canary: ends the canary: its server gets the stable version.
        keep: versions that are never pruned. Replaces the current list.
        mount: path of the folder above `served`, as the servers see it.

    Raises:
        InputError: a version does not exist or is incomplete in one of the models.
    """
    served = served.resolve()
    models = models_of(served)
    before = read_choice(served)
    old = before or ServingChoice()
    changes: dict[str, object] = {}
    for name, value in (("stable", stable), ("canary", canary), ("keep", keep), ("mount", mount)):
        if value is not None:
            changes[name] = value
    if no_canary:
        changes["canary"] = None
    new = ServingChoice(**{**old.model_dump(), **changes})
    moved = (new.stable, new.canary) != (old.stable, old.canary)
    newest = max(set.intersection(*(set(versions) for versions in models.values())), default=None)
    if before is not None and moved:
        left = (newest if version == "newest" else version for version in (old.stable, old.canary, *old.previous))
        gone = dict.fromkeys(version for version in left if version and version not in (new.stable, new.canary))
        new = new.model_copy(update={"previous": tuple(gone)[:3]})
    named = {newest if version == "newest" else version for version in (new.stable, new.canary, *(keep or ()))}
    wanted = {version for version in named if version is not None}
    _check(wanted, served, models)
    try:
        write_choice(served, new)
        try:
            _check(wanted, served, models_of(served))  # a concurrent push may have pruned a version
        except InputError:
            write_choice(served, old)
            raise
        for file, version in ((STABLE_CONFIG, new.stable), (CANARY_CONFIG, new.canary or new.stable)):
            write_whole(served / file, model_server_config(version, models, new.mount))
    except OSError as error:
        raise InputError(
            f"{error.filename or served}: cannot be written ({error.strerror}). The choice is stored next to the versions: run the "
            "command again where that folder is writable."
        ) from None
    return new


def _check(wanted: set[int], served: Path, models: dict[str, dict[int, Path]]) -> None:
    for version in sorted(wanted):
        for name, versions in models.items():
            folder = served.with_name(name) / str(version)
            if not folder.is_dir():
                there = ", ".join(map(str, versions)) or "none"
                raise InputError(f"{folder}: no such version of {name}; expected one of {there}, or newest.")
            for file in WHOLE:
                if not (folder / file).is_file():
                    raise InputError(
                        f"{folder}: is incomplete: it has no {file}, so a server cannot load it. Choose another version, or "
                        "remove the folder and push the model again."
                    )


def describe(served: Path, choice: ServingChoice) -> list[str]:
    """Describes the choice, and the command that rolls it back."""
    models = models_of(served.resolve())
    lines = [
        f"{' and '.join(models)}: stable {choice.stable}, canary {choice.canary or 'none'}, kept "
        f"{', '.join(map(str, choice.keep)) or 'none'}; pushed: {', '.join(map(str, models[served.resolve().name]))}"
    ]
    if choice.previous:
        before = ", ".join(map(str, choice.previous))
        lines.append(
            f"previous: {before}. To roll back: gatewise serving-config {served} --stable {choice.previous[0]}"
        )
    return lines
