"""The version of a stage's code. TFX's cache does not detect a changed executor, so each stage has it as a property."""

from __future__ import annotations

import ast
import functools
import hashlib
import importlib.util
from collections.abc import Iterable
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
PACKAGES = ("models", "components", "pipeline")


def code_version(*modules: str) -> str:
    """Hash of the source files of the modules and of all modules that they import, directly or indirectly.

    Only modules of gatewise count, and modules of the packages of the arguments: a method from outside is hashed together
    with the modules of its own package.

    Args:
        modules: dotted names, such as "components.event_logs.executor".

    Returns:
        16 hexadecimal digits. The hash covers the files' bytes, including comments.
    """
    digest = hashlib.sha256()
    for path, module in sorted(closure(modules).items()):
        name = str(path.relative_to(ROOT)) if path.is_relative_to(ROOT) else module
        digest.update(name.encode() + b"\0" + path.read_bytes() + b"\0")
    return digest.hexdigest()[:16]


def closure(modules: Iterable[str]) -> dict[Path, str]:
    """Source files, with their modules, of the modules and of everything below them in the import graph."""
    modules = list(modules)
    packages = {*PACKAGES, *(module.split(".")[0] for module in modules)}
    found: dict[Path, str] = {}
    waiting = modules
    while waiting:
        module = waiting.pop()
        path = _source(module, packages)
        if path is not None and path not in found:
            found[path] = module
            package = module if path.name == "__init__.py" else module.rpartition(".")[0]
            waiting.extend(_imports(path.read_bytes(), package))
    return found


# The stages of a pipeline share most modules, and parsing is most of the work.
@functools.cache
def _imports(source: bytes, package: str) -> tuple[str, ...]:
    """Names of the modules that a module of `package` imports; an imported function or class is among them."""
    found: list[str] = []
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            found.extend(alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            name = "." * node.level + (node.module or "")
            name = importlib.util.resolve_name(name, package) if node.level else name
            found.extend((name, *(f"{name}.{alias.name}" for alias in node.names)))
    return tuple(dict.fromkeys(found))


def _source(module: str, packages: set[str]) -> Path | None:
    top = module.split(".")[0]
    if top not in packages:
        return None
    if top in PACKAGES:
        path = ROOT.joinpath(*module.split("."))
        return next((one for one in (path.with_suffix(".py"), path / "__init__.py") if one.is_file()), None)
    try:
        spec = importlib.util.find_spec(module)
    except (ImportError, ValueError):  # a function or a class, not a module
        return None
    return Path(spec.origin) if spec and spec.origin and spec.origin.endswith(".py") else None
