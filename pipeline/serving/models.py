"""The models under a folder: the newest version of each is served, and a newer one takes over when it is loaded."""

from __future__ import annotations

import dataclasses
import logging
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from tensorflow_serving.apis import get_model_status_pb2

from models.errors import InputError
from pipeline.pushed_versions import model_folders, pushed_versions
from pipeline.serving.servable import Servable
from pipeline.serving.status import Refusal, refusal_of

logger = logging.getLogger(__name__)

LABELS = ("stable", "canary")
"""The labels that TensorFlow Serving's documentation uses: both are the version that is served here."""

_STATE = get_model_status_pb2.ModelVersionStatus.State


@dataclasses.dataclass
class _Model:
    """A model's folder, what is served of it, and what became of each version: (state, code, message)."""

    folder: Path
    served: Servable | None = None
    versions: dict[int, tuple[Any, int, str]] = dataclasses.field(default_factory=dict)


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
        """Looks for newer versions. One is loaded and warmed up beside the old one, which answers until then, and ends
        what it has begun. One that cannot be loaded is told once, and the old one stays."""
        with self._polling:
            for folder in model_folders(self._root):
                model = self._models.setdefault(folder.name, _Model(folder))
                newest = max(pushed_versions(folder), default=0)
                if newest and newest not in model.versions:
                    self._load(folder.name, model, newest)

    def get(self, name: str, version: int | None = None, label: str = "") -> Servable:
        """The version that answers.

        Raises:
            Refusal: none of that name, version or label is served.
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
        """The version that a ModelSpec means.

        Raises:
            Refusal: none.
        """
        if not spec.name:
            raise Refusal("INVALID_ARGUMENT", "ModelSpec has no name specified.")
        return self.get(spec.name, spec.version.value if spec.HasField("version") else None, spec.version_label)

    def status(self, name: str, version: int | None = None, label: str = "") -> Any:
        """The GetModelStatusResponse for a model, or one version of it.

        Raises:
            Refusal: there is none.
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
        try:
            loaded = Servable(name, model.folder / str(version))
        except Exception as error:
            logger.exception("%s: version %d cannot be served", name, version)
            model.versions[version] = (_STATE.END, 2, refusal_of(error).message)
            return
        model.versions[version] = (_STATE.AVAILABLE, 0, "")
        old, model.served = model.served, loaded
        if old is not None:
            model.versions[old.version] = (_STATE.END, 0, "")
        logger.info("%s: version %d is served", name, version)

    def _failures(self) -> Iterator[tuple[Path, str]]:
        for model in self._models.values():
            for version, (_, code, message) in model.versions.items():
                if code:
                    yield model.folder / str(version), message
