from __future__ import annotations

from pathlib import Path

import pytest

from pipeline import code_version


@pytest.fixture
def tree(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    for name, text in {
        "models/__init__.py": "",
        "models/a.py": "from models import b\n",
        "models/b.py": "def late():\n    import models.c\n",
        "models/c.py": "X = 1\n",
        "models/other.py": "Y = 1\n",
    }.items():
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text(text)
    monkeypatch.setattr(code_version, "ROOT", tmp_path)
    return tmp_path


def test_closure_follows_every_import(tree: Path) -> None:
    names = {path.name for path in code_version.closure(["models.a"])}
    assert names == {"__init__.py", "a.py", "b.py", "c.py"}


@pytest.mark.parametrize(("changed", "differs"), [("a", True), ("c", True), ("other", False)])
def test_version_changes_with_what_is_imported_only(tree: Path, changed: str, differs: bool) -> None:
    before = code_version.code_version("models.a")
    with open(tree / "models" / f"{changed}.py", "a") as file:
        file.write("Z = 2\n")
    assert (code_version.code_version("models.a") != before) == differs
