"""Which pushed version a candidate is compared with."""

from __future__ import annotations

from pathlib import Path


def newest_before(served: Path, version: int) -> Path | None:
    """The newest whole version below `served` that is older than `version`, or None.

    Every pushed version was blessed, and versions rise with the time at which the models were made.

    Args:
        served: folder of the versions, which TF Serving polls; may be missing.
        version: of the candidate, the second at which it was made.
    """
    if not served.is_dir():
        return None
    older = [
        path
        for path in served.iterdir()
        if path.name.isascii()
        and path.name.isdecimal()
        and int(path.name) < version
        and (path / "saved_model.pb").is_file()
    ]
    return max(older, key=lambda path: int(path.name), default=None)
