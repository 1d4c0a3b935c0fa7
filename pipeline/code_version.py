"""The version of a stage's code. TFX's cache does not detect a changed executor, so each stage has it as a property."""

from __future__ import annotations

import ast
import hashlib
from collections.abc import Iterable, Iterator
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
PACKAGES = ("models", "components", "pipeline")


def code_version(*modules: str) -> str:
    """Hash of the source files of the modules and of all gatewise modules that they import, directly or indirectly.

    Args:
        modules: dotted names, such as "components.event_logs.executor".

    Returns:
        16 hexadecimal digits. The hash covers the files' bytes, including comments.
    """
    digest = hashlib.sha256()
    for path in sorted(closure(modules)):
        digest.update(str(path.relative_to(ROOT)).encode() + b"\0" + path.read_bytes() + b"\0")
    return digest.hexdigest()[:16]


def closure(modules: Iterable[str]) -> set[Path]:
    """Source files of the modules and of all gatewise modules below them in the import graph."""
    found: set[Path] = set()
    waiting = [path for module in modules if (path := _source(module)) is not None]
    while waiting:
        path = waiting.pop()
        if path not in found:
            found.add(path)
            waiting.extend(_imports(path))
    return found


def _imports(path: Path) -> Iterator[Path]:
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        names: list[str] = []
        if isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom) and node.module is not None and node.level == 0:
            names = [node.module, *(f"{node.module}.{alias.name}" for alias in node.names)]
        for name in names:
            if (source := _source(name)) is not None:
                yield source


def _source(module: str) -> Path | None:
    if module.split(".")[0] not in PACKAGES:
        return None
    path = ROOT.joinpath(*module.split("."))
    for candidate in (path.with_suffix(".py"), path / "__init__.py"):
        if candidate.is_file():
            return candidate
    return None
