"""What TensorFlow Serving loads, as its model config: one file for the stable server, one for the canary's.

The two are servers of their own, and the configs have no labels. A request that names no version gets the largest that its
server has loaded, so a canary beside the stable version would take all of them. And a config that moves a label to a version
which is not loaded yet is refused whole: going back would never happen.
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
    """TensorFlow Serving's ModelServerConfig, in protobuf's text format.

    Args:
        choice: the version that is loaded, or `newest`: then the server follows each push.
        names: of the models: folders below `mount`.
        mount: where the server sees them.
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
    """{model: its whole versions}: the ranker's, and its retrieval model's if there is one beside it.

    Raises:
        InputError: there is no pushed version, or `served` is the folder of a retrieval model beside its ranker.
    """
    ranker = served.with_name(served.name.removesuffix(SUFFIX))
    if ranker != served and version_folders(ranker):
        raise InputError(f"{served}: is the retrieval model of {ranker}; both are chosen together there.")
    partner = served.with_name(served.name + SUFFIX)
    found = {served.name: version_folders(served)}
    if version_folders(partner):
        found[partner.name] = version_folders(partner)
    if not found[served.name]:
        raise InputError(
            f"{served}: no pushed version here; expected the folder of one model's versions, ROOT/serving/MODEL, with "
            "VERSION/saved_model.pb. gatewise run or the pipeline's Pusher makes them."
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
    """Changes the choice where an argument is given, and writes it and both configs into the ranker's folder.

    The choice comes first: killed in between, the servers have their old configs, whose versions the choice names as
    `previous`, so that no push removes them; the same call again writes the rest.

    Args:
        served: folder of the ranker's versions.
        stable: the new stable version.
        canary: the new canary.
        no_canary: the canary's server gets the stable version.
        keep: versions that are never pruned, instead of those so far.
        mount: where the servers see the folder above `served`.

    Raises:
        InputError: a version is not there, or not whole in each of the models.
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
            _check(wanted, served, models_of(served))  # a push may have pruned one before it saw the choice
        except InputError:
            write_choice(served, old)
            raise
        for file, version in ((STABLE_CONFIG, new.stable), (CANARY_CONFIG, new.canary or new.stable)):
            write_whole(served / file, model_server_config(version, models, new.mount))
    except OSError as error:
        raise InputError(
            f"{error.filename or served}: cannot be written ({error.strerror}). The choice lies beside the versions: run this "
            "where that folder can be written, and run it again."
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
                        f"{folder}: is not whole, it has no {file}; a server could not load it. Choose another version, or "
                        "remove the folder and push that model again."
                    )


def describe(served: Path, choice: ServingChoice) -> list[str]:
    """The choice in words, and how to go back."""
    models = models_of(served.resolve())
    lines = [
        f"{' and '.join(models)}: stable {choice.stable}, canary {choice.canary or 'none'}, kept "
        f"{', '.join(map(str, choice.keep)) or 'none'}; pushed: {', '.join(map(str, models[served.resolve().name]))}"
    ]
    if choice.previous:
        before = ", ".join(map(str, choice.previous))
        lines.append(f"before: {before}. To go back: gatewise serving-config {served} --stable {choice.previous[0]}")
    return lines
