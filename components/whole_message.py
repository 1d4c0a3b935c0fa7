"""Protobuf messages in files that are there whole or not at all."""

from __future__ import annotations

from google.protobuf.message import Message

from components.storage.writing import write_bytes


def write_message(path: str, message: Message) -> None:
    """Writes a message, serialized deterministically, to a path or URL; makes its folder."""
    write_bytes(path, message.SerializeToString(deterministic=True))
