"""The object store: whole folders up and down, by the S3 protocol."""

from __future__ import annotations

from pathlib import Path
from typing import Any


class Store:
    """Folders at `s3://BUCKET/KEY`.

    Args:
        client: of boto3.
    """

    def __init__(self, client: Any) -> None:
        self._client = client

    def upload(self, source: Path, uri: str) -> None:
        """A file, or the files of a folder. Empty folders vanish; a folder that is a link fails, as in the launcher."""
        bucket, key = _split(uri)
        if source.is_file():
            self._client.upload_file(str(source), bucket, key)
        for path in sorted(source.rglob("*")):
            if path.is_symlink() and path.is_dir():
                raise OSError(f"read {path}: is a directory")
            if path.is_file():
                self._client.upload_file(str(path), bucket, f"{key}/{path.relative_to(source).as_posix()}")

    def download(self, uri: str, target: Path) -> None:
        """What lies at or below `uri`; nothing, and no error, where there is nothing."""
        bucket, key = _split(uri)
        for name in self.keys(uri):
            file = target if name == key else target / name.removeprefix(key + "/")
            file.parent.mkdir(parents=True, exist_ok=True)
            self._client.download_file(bucket, name, str(file))

    def keys(self, uri: str) -> list[str]:
        """Keys of the objects at or below `uri`."""
        bucket, key = _split(uri)
        pages = self._client.get_paginator("list_objects_v2").paginate(Bucket=bucket, Prefix=key)
        names = [entry["Key"] for page in pages for entry in page.get("Contents", [])]
        return [name for name in names if name == key or name.startswith(key + "/")]


def _split(uri: str) -> tuple[str, str]:
    bucket, _, key = uri.removeprefix("s3://").partition("/")
    return bucket, key
