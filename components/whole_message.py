"""Protobuf messages in files that are there whole or not at all, on any file system that TFX knows."""

from __future__ import annotations

import os

from google.protobuf.message import Message
from tfx.dsl.io import fileio


def write_message(path: str, message: Message) -> None:
    """Writes a message, serialized deterministically, under a temporary name beside it and renames it; makes its folder."""
    fileio.makedirs(os.path.dirname(path))
    with fileio.open(path + ".partial", "wb") as file:
        file.write(message.SerializeToString(deterministic=True))
    fileio.rename(path + ".partial", path, overwrite=True)
