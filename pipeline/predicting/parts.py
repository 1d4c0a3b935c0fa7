"""Finished predictions beside the output file, so that a killed command goes on where it was.

.OUTPUT.parts/manifest.json    fingerprints of the input, the model and the options
.OUTPUT.parts/00000.arrow      predictions of the first `rows` rows, 00001.arrow of the next ones, ...
"""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pyarrow as pa

from models.files.whole_file import write_whole

MANIFEST = "manifest.json"


class Parts:
    """The parts of one output.

    Args:
        folder: their folder, which exists.
        manifest: what they depend on. Parts of another manifest are removed.
        rows: of each part; the last one may have fewer.
    """

    def __init__(self, folder: Path, manifest: Mapping[str, Any], rows: int) -> None:
        self._folder, self._rows = folder, rows
        text = json.dumps({**manifest, "rows": rows}, indent=1, sort_keys=True)
        path = folder / MANIFEST
        if not path.is_file() or path.read_text(encoding="utf-8") != text:
            for old in folder.glob("*.arrow"):
                old.unlink()
            write_whole(path, text)
        self._sizes = list(self._whole())

    @property
    def count(self) -> int:
        """Number of finished parts."""
        return len(self._sizes)

    @property
    def predicted(self) -> int:
        """Rows of the finished parts."""
        return sum(self._sizes)

    @property
    def complete(self) -> bool:
        """Whether no part can follow, because the last one has fewer rows."""
        return bool(self._sizes) and self._sizes[-1] < self._rows

    def append(self, table: pa.Table) -> None:
        """Writes the next part."""
        path = self._path(self.count)
        temporary = path.with_suffix(".tmp")
        with pa.OSFile(str(temporary), "wb") as file, pa.ipc.new_file(file, table.schema) as writer:
            writer.write_table(table)
        os.replace(temporary, path)
        self._sizes.append(table.num_rows)

    def tables(self) -> Iterator[pa.Table]:
        """The predictions, part by part."""
        for number in range(self.count):
            yield _read(self._path(number))

    def remove(self) -> None:
        """Removes the folder."""
        shutil.rmtree(self._folder, ignore_errors=True)

    def _path(self, number: int) -> Path:
        return self._folder / f"{number:05}.arrow"

    def _whole(self) -> Iterator[int]:
        number, rows = 0, self._rows
        while rows == self._rows and self._path(number).is_file():
            try:
                rows = _read(self._path(number)).num_rows
            except pa.ArrowException:  # the machine has lost power
                return
            yield rows
            number += 1


def _read(path: Path) -> pa.Table:
    with pa.OSFile(str(path), "rb") as file:
        return pa.ipc.open_file(file).read_all()
