"""The edited text has the new values, and keeps what did not change to the letter."""

from __future__ import annotations

import copy
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.yaml_edits import dumped, with_values

SHOP = Path(__file__).resolve().parents[2] / "recipes" / "shop.yaml"
TEXT = """\
# About all.
name: shop  # the shop

# About the tasks.
tasks:
  click:  # first
    kind: binary
    window: 0030m
  # About cart.
  # More about cart.
  cart:
    kind: binary
    gates:
      - {metric: auc}   # one

      - {metric: calibration}

  order: {kind: binary,   weight: 0.10}

# About serving.
serving:
  score: click
"""


def test_what_goes_takes_its_comment_along_and_the_rest_stays() -> None:
    values = yaml.safe_load(TEXT)
    del values["tasks"]["cart"]
    assert with_values(TEXT, values) == TEXT.replace(
        """\
  # About cart.
  # More about cart.
  cart:
    kind: binary
    gates:
      - {metric: auc}   # one

      - {metric: calibration}

""",
        "\n",
    )
    del values["tasks"]["order"], values["serving"]
    assert with_values(TEXT, values) == TEXT[: TEXT.index("  # About cart.")]


def test_what_comes_stands_after_the_key_before_it() -> None:
    values = yaml.safe_load(TEXT)
    values["name"] = "other"
    click = values["tasks"]["click"]
    values["tasks"]["click"] = {"kind": "binary", "role": "auxiliary", "window": click["window"], "metrics": ["auc"]}
    values["tasks"] = {"view": {"kind": "binary"}, **values["tasks"]}
    values["tasks"]["order"]["weight"] = 0.2
    values["serving"]["weights"] = {"no": 1.0}
    values["split"] = {"eval_last": "4d"}
    assert with_values(TEXT, values) == (
        TEXT.replace("name: shop  #", "name: other  #")
        .replace("tasks:\n", "tasks:\n  view: {kind: binary}\n")
        .replace(
            "    kind: binary\n    window: 0030m\n",
            "    kind: binary\n    role: auxiliary\n    window: 0030m\n    metrics: [auc]\n",
        )
        .replace("order: {kind: binary,   weight: 0.10}", "order: {kind: binary, weight: 0.2}")
        .replace("score: click\n", "score: click\n  weights: {'no': 1.0}\nsplit: {eval_last: 4d}\n")
    )


@pytest.mark.parametrize(
    "text", ["a: &x {b: 1}\nc: *x\n", "{a: 1, b: {c: 2}}", "? a\n: b: 1\n  c: 2\n", "a: |\n  text\n\n# after\nb: 1"]
)
def test_unusual_texts(text: str) -> None:
    for values in ({"a": {"b": 2}, "c": {"b": 1}}, {"b": 1}, {"a": None}, yaml.safe_load(text)):
        assert yaml.safe_load(with_values(text, values)) == values


def places(values: Any, at: tuple[str, ...] = ()) -> list[tuple[str, ...]]:
    inner = values.items() if isinstance(values, dict) else ()
    return [place for key, value in inner for place in ((*at, key), *places(value, (*at, key)))]


@settings(max_examples=20, deadline=None)
@given(data=st.data())
def test_any_change_of_a_recipe(data: st.DataObject) -> None:
    text = SHOP.read_text()
    values = copy.deepcopy(yaml.safe_load(text))
    for _ in range(data.draw(st.integers(1, 6))):
        *above, key = data.draw(st.sampled_from(places(values)))
        section = values
        for part in above:
            section = section[part]
        change = data.draw(st.sampled_from(["remove", "new", "change"]))
        if change == "remove" and len(section) > 1:
            del section[key]
        else:
            new = data.draw(st.sampled_from([7, 0.5, "no", "a: b #c", True, None, ["x", "1"], {"on": [1]}, []]))
            section["new key" if change == "new" else key] = new
    edited = with_values(text, values)
    assert yaml.safe_load(edited) == values
    kept = {line for line in edited.splitlines() if line.startswith("# ")}
    assert kept <= set(text.splitlines()) and edited != dumped(values)
