"""Serves the newest version of each model under a folder, and switches to another one once it is loaded."""

from __future__ import annotations

import contextlib
import dataclasses
import logging
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from tensorflow_serving.apis import get_model_status_pb2

from models.files.version_folders import LARGEST, mistaken_folders, model_folders, version_folders
from models.recipe.errors import InputError
from pipeline.serving.servable import Servable
from pipeline.serving.status import Refusal, refusal_of

logger = logging.getLogger(__name__)

LABELS = ("stable", "canary")
"""The labels of TensorFlow Serving's documentation. Here, both select the served version."""

_STATE = get_model_status_pb2.ModelVersionStatus.State


_Content = frozenset[tuple[str, int, int]]
"""Name, size and modification time of each file of a version."""


@dataclasses.dataclass
class _Model:
    """A model's folder and its served version.

    Attributes:
        versions: {version: (state, code, message)}.
        failed: content of the versions that could not be loaded.
        mistaken: folders with an invalid version number that were reported.
    """

    folder: Path
    served: Servable | None = None
    versions: dict[int, tuple[Any, int, str]] = dataclasses.field(default_factory=dict)
    failed: dict[int, _Content] = dataclasses.field(default_factory=dict)
    mistaken: set[Path] = dataclasses.field(default_factory=set)


class Models:
    """All models under a root.

    Args:
        root: a run's --root, the folder of all pushed models in it, or one model's folder of versions.

    Raises:
        InputError: there is no model.
    """

    def __init__(self, root: Path) -> None:
        self._root, self._models = root, {}
        self._polling = threading.Lock()
        self.poll()
        if not any(model.served for model in self._models.values()):
            reasons = [f"\n{folder}: {why}" for folder, why in self._failures()]
            raise InputError(
                f"{root}: no exported model here that can be served; expected ROOT/serving/MODEL/VERSION/saved_model.pb, as "
                f"a run pushes it.{''.join(reasons)}"
            )

    _models: dict[str, _Model]

    @property
    def served(self) -> dict[str, int]:
        """{model: version}."""
        return {name: model.served.version for name, model in sorted(self._models.items()) if model.served}

    def poll(self) -> None:
        """Looks for the newest versions, and loads and warms them up.

        The old version serves until the other one is ready, and completes its requests. After a rollback the newest version is an
        older one. A version that cannot be loaded is reported once, and tried again when its files change, because it may have
        been incomplete.
        """
        with self._polling:
            for folder in model_folders(self._root):
                model = self._models.setdefault(folder.name, _Model(folder))
                for path in set(mistaken_folders(folder)) - model.mistaken:
                    logger.warning(
                        "%s: not a version: expected a number from 1 to %d without leading zeros", path, LARGEST
                    )
                    model.mistaken.add(path)
                newest = max(version_folders(folder), default=0)
                if newest and not _is_served(model, newest) and (newest not in model.failed or _changed(model, newest)):
                    self._load(folder.name, model, newest)

    def get(self, name: str, version: int | None = None, label: str = "") -> Servable:
        """The served version of a model.

        Raises:
            Refusal: no such model, version or label is served.
        """
        model = self._models.get(name)
        served = model.served if model else None
        if label and label not in LABELS:
            raise Refusal("INVALID_ARGUMENT", f"Unrecognized servable version label: {label}")
        if served is None or (version is not None and version != served.version):
            wanted = f"Latest({name})" if version is None else f"Specific({name}, {version})"
            raise Refusal("NOT_FOUND", f"Servable not found for request: {wanted}")
        return served

    def for_spec(self, spec: Any) -> Servable:
        """The served version for a ModelSpec.

        Raises:
            Refusal: no such model, version or label is served.
        """
        if not spec.name:
            raise Refusal("INVALID_ARGUMENT", "ModelSpec has no name specified.")
        return self.get(spec.name, spec.version.value if spec.HasField("version") else None, spec.version_label)

    def status(self, name: str, version: int | None = None, label: str = "") -> Any:
        """The GetModelStatusResponse for a model or one of its versions.

        Raises:
            Refusal: the model or version does not exist.
        """
        model = self._models.get(name)
        if label:
            version = self.get(name, label=label).version
        if version is not None and (model is None or version not in model.versions):
            raise Refusal("NOT_FOUND", f"Could not find version {version} of model {name}")
        if model is None or not model.versions:
            raise Refusal("NOT_FOUND", f"Could not find any versions of model {name}")
        response = get_model_status_pb2.GetModelStatusResponse()
        for number, (state, code, message) in sorted(model.versions.items(), reverse=True):
            if version in (None, number):
                entry = response.model_version_status.add(version=number, state=state)
                entry.status.error_code, entry.status.error_message = code, message
        return response

    def _load(self, name: str, model: _Model, version: int) -> None:
        model.versions[version] = (_STATE.LOADING, 0, "")
        content = _content(model.folder / str(version))
        try:
            loaded = Servable(name, model.folder / str(version))
        except Exception as error:
            logger.exception("%s: version %d cannot be served", name, version)
            model.versions[version] = (_STATE.END, 2, refusal_of(error).message)
            model.failed[version] = content
            return
        model.failed.pop(version, None)
        model.versions[version] = (_STATE.AVAILABLE, 0, "")
        old, model.served = model.served, loaded
        if old is not None:
            model.versions[old.version] = (_STATE.END, 0, "")
        logger.info("%s: serving version %d", name, version)

    def _failures(self) -> Iterator[tuple[Path, str]]:
        for model in self._models.values():
            for version, (_, code, message) in model.versions.items():
                if code:
                    yield model.folder / str(version), message


def _is_served(model: _Model, version: int) -> bool:
    return model.served is not None and model.served.version == version


def _changed(model: _Model, version: int) -> bool:
    return model.failed[version] != _content(model.folder / str(version))


def _content(folder: Path) -> _Content:
    found = set()
    for path in folder.rglob("*"):
        with contextlib.suppress(FileNotFoundError):
            status = path.stat()
            found.add((str(path.relative_to(folder)), status.st_size, status.st_mtime_ns))
    return frozenset(found)
