from __future__ import annotations

import re
import subprocess
import sys

import pytest

from models.architectures import ARCHITECTURES
from models.balancing import BALANCERS
from models.recipe import registry
from models.recipe.errors import InputError
from models.regularizers import REGULARIZERS

PATHS = [*ARCHITECTURES.values(), *BALANCERS.values(), *REGULARIZERS.values()]


def test_lookup_refuses_with_the_nearest_name() -> None:
    with pytest.raises(InputError, match="here: unknown fruit 'aple'; did you mean 'apple'\\? Known: apple, pear"):
        registry.lookup("aple", {"pear": 1, "apple": 2}, "fruit", "here")
    assert registry.lookup("pear", {"pear": 1}, "fruit") == 1


@pytest.mark.parametrize("path", PATHS)
def test_signature_read_from_source_is_the_class_s_own(path: str) -> None:
    import inspect

    real = inspect.signature(registry.load(path).__init__).parameters.values()
    options = {name: default for name, (_, default) in registry.signature(path).items()}
    assert options == {p.name: p.default for p in real if p.kind is p.KEYWORD_ONLY and p.default is not p.empty}
    assert registry.summary(path).endswith(".")


@pytest.mark.parametrize("path", PATHS)
def test_defaults_are_of_their_own_type(path: str) -> None:
    defaults = {name: default for name, (_, default) in registry.signature(path).items()}
    assert registry.check_options(defaults, path, "here") == defaults


@pytest.mark.parametrize("value", [float("nan"), float("inf")])
def test_an_option_is_a_finite_number(value: float) -> None:
    with pytest.raises(InputError, match=f"here.strength: expected float from 0 to 1e\\+06, received {value!r}"):
        registry.check_options({"strength": value}, REGULARIZERS["l2"], "here")


def test_options_are_checked_without_keras() -> None:
    code = (
        "import sys; from models.recipe.registry import check_options; from models.architectures import ARCHITECTURES; "
        "print(check_options({'experts': 3, 'units': [8, 4]}, ARCHITECTURES['mmoe'], 'model')); "
        "assert not {'keras', 'tensorflow'} & set(sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "{'experts': 3, 'units': (8, 4)}"


def test_a_method_is_a_row_or_a_path() -> None:
    table = {"mmoe": "models.architectures.mmoe.MMoE"}
    assert registry.path_of("mmoe", table, "architecture") == table["mmoe"]
    assert registry.path_of("models.architectures.ple.PLE", table, "architecture") == "models.architectures.ple.PLE"


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("mmo", "unknown architecture 'mmo'; did you mean 'mmoe'"),
        ("models.architectures.ple.Plea", "no such class in it"),
        ("models.architectures.plea.PLE", "no module models.architectures.plea"),
        ("nowhere.PLE", "no module nowhere"),
        ("nowhere.at.all.PLE", "No module named 'nowhere'"),
    ],
)
def test_what_is_no_method(name: str, words: str) -> None:
    with pytest.raises(InputError, match=re.escape(words)):
        registry.path_of(name, {"mmoe": "models.architectures.mmoe.MMoE"}, "architecture")
