"""Which pushed version a candidate is compared with."""

from __future__ import annotations

from pathlib import Path

from models.files.version_folders import version_folders


def newest_before(served: Path, version: int) -> Path | None:
    """The newest whole version below `served` that is older than `version`, or None.

    Every pushed version was blessed, and versions rise with the time at which the models were made.

    Args:
        served: folder of the versions, which TF Serving polls; may be missing.
        version: of the candidate, the second at which it was made.
    """
    older = [path for number, path in version_folders(served).items() if number < version]
    return older[-1] if older else None
