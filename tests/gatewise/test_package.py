"""What `import gatewise` loads, and what it offers."""

from __future__ import annotations

import ast
import subprocess
import sys
from importlib.metadata import version
from pathlib import Path

import pytest

import gatewise
from models.recipe.errors import InputError

ROOT = Path(__file__).resolve().parents[2]
HEAVY = (
    "tensorflow",
    "tfx",
    "keras",
    "apache_beam",
    "pandas",
    "polars",
    "pyarrow",
    "numpy",
    "pydantic",
    "yaml",
    "typer",
)


def test_the_import_loads_nothing_heavy() -> None:
    script = f"import gatewise, sys; print([name for name in {HEAVY} if name in sys.modules])"
    done = subprocess.run([sys.executable, "-c", script], cwd=ROOT, capture_output=True, text=True, check=True)
    assert done.stdout == "[]\n"


def test_recipes_and_runs_load_no_tensorflow() -> None:
    script = "import gatewise, sys; gatewise.Recipe, gatewise.run, gatewise.Comparison, gatewise.load_run, gatewise.predict; "
    script += "print([name for name in ('tensorflow', 'tfx', 'pandas') if name in sys.modules])"
    done = subprocess.run([sys.executable, "-c", script], cwd=ROOT, capture_output=True, text=True, check=True)
    assert done.stdout == "[]\n"


def test_every_name_is_there() -> None:
    assert set(gatewise.__all__) <= set(dir(gatewise))
    for name in gatewise.__all__:
        assert getattr(gatewise, name) is not None
    assert gatewise.InputError is InputError
    assert gatewise.__version__ == version("gatewise")


def test_type_checkers_see_the_same_names() -> None:
    """The imports under TYPE_CHECKING are those of the lazy table."""
    tree = ast.parse((ROOT / "gatewise" / "__init__.py").read_text())
    [block] = [node for node in tree.body if isinstance(node, ast.If)]
    seen = {alias.name: node.module for node in block.body if isinstance(node, ast.ImportFrom) for alias in node.names}
    assert seen == {name: f"gatewise.{module}" for name, module in gatewise._MODULES.items()}
    assert (ROOT / "gatewise" / "py.typed").is_file()


def test_an_unknown_name() -> None:
    with pytest.raises(AttributeError, match="has no attribute 'train'"):
        _ = gatewise.train  # type: ignore[attr-defined]


@pytest.mark.parametrize(
    "name", [name for name in gatewise.__all__ if name[0] in "RCcplr" and not name.startswith("__")]
)
def test_every_name_has_an_example(name: str) -> None:
    value = getattr(gatewise, name)
    text = value.__doc__ or ""
    members = (
        [getattr(member, "__doc__", None) or "" for member in vars(value).values()] if isinstance(value, type) else []
    )
    assert any("Example:" in one for one in (text, *members)), name
