"""Detects a file's type by its first bytes, because its name may be wrong or have no ending."""

from __future__ import annotations

import re

from models.recipe.errors import InputError

LENGTH = 16
"""Number of bytes needed to detect the type."""

_PACKED = {
    rb"\x1f\x8b": "gzip",
    rb"BZh[1-9](?:1AY&SY|\x17rE8P\x90)": "bz2",
    rb"\x28\xb5\x2f\xfd": "zstd",
    rb"\x04\x22\x4d\x18": "lz4",
    rb"\xfd7zXZ\x00": "xz",
}
_NO_TEXT = {
    rb"PAR1[\x00-\x1f\x80-\xff]": ("Parquet", "Set `format: parquet`, or give the file that ending."),
    rb"\xff\xfe|\xfe\xff|[\x20-\x7e]\x00[\x20-\x7e]\x00|\x00[\x20-\x7e]\x00[\x20-\x7e]": (
        "UTF-16 text",
        "Save the file as UTF-8: `iconv -f UTF-16 -t UTF-8`.",
    ),
    rb"PK\x03\x04": ("a ZIP archive or a spreadsheet", "Unpack it, or save the sheet as CSV."),
    rb"ORC.[\x00-\x08\x0e-\x1f]": ("ORC", "Write it as Parquet."),
    rb"Obj\x01": ("Avro", "Write it as Parquet."),
    rb"ARROW1\x00": ("Arrow or Feather", "Write it as Parquet."),
    rb"SQLite format 3\x00": ("an SQLite database", "Export its table as CSV."),
    rb"(?i:<!doctype|<html|<\?xml)": ("HTML or XML", "Was an error page saved instead of the file?"),
}


def packing_of(first: bytes) -> str | None:
    """The compression of a file, by Arrow's name or "xz"; None if it is not compressed."""
    return next((codec for magic, codec in _PACKED.items() if re.match(magic, first, re.DOTALL)), None)


def refuse_no_text(file: str, first: bytes) -> None:
    """Refuses a file if its first bytes are not UTF-8 text.

    Raises:
        InputError: names the detected type and a remedy.
    """
    for magic, (name, cure) in _NO_TEXT.items():
        if re.match(magic, first, re.DOTALL):
            raise InputError(
                f"{file}: expected text in UTF-8 (CSV or JSON lines), but its first bytes, {first[:8]!r}, are those of {name}. {cure}"
            )
