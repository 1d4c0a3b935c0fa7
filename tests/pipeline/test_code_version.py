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


def test_a_method_from_outside_counts_with_its_own_package(
    tree: Path, tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch
) -> None:
    outside = tmp_path_factory.mktemp("site") / "ournets"
    outside.mkdir()
    (outside / "__init__.py").write_text("")
    (outside / "net.py").write_text("import numpy\nfrom models.a import X\nfrom .parts import gate\n")
    (outside / "parts.py").write_text("def gate(): ...\n")
    (outside / "unused.py").write_text("")
    monkeypatch.syspath_prepend(outside.parent)
    names = set(code_version.closure(["models.other", "ournets.net"]).values())
    assert names == {
        "models",
        "models.other",
        "models.a",
        "models.b",
        "models.c",
        "ournets.net",
        "ournets.parts",
    }
    before = code_version.code_version("ournets.net")
    (outside / "unused.py").write_text("Y = 1\n")
    assert code_version.code_version("ournets.net") == before
    (outside / "parts.py").write_text("def gate(): return 1\n")
    assert code_version.code_version("ournets.net") != before
