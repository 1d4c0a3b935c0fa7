"""Every option of every method has a range: what lies outside is refused before anything is learned."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from models.architectures import ARCHITECTURES
from models.backbones import BACKBONES
from models.balancing import BALANCERS
from models.embedding_optimizers import EMBEDDING_OPTIMIZERS
from models.losses import LOSSES
from models.objectives import OBJECTIVES
from models.recipe import registry
from models.recipe.errors import InputError
from models.recipe.file import load_recipe
from models.regularizers import REGULARIZERS
from tests.models.recipe.test_yaml_document import LABELLED

TABLES = [ARCHITECTURES, BACKBONES, BALANCERS, LOSSES, OBJECTIVES, REGULARIZERS, EMBEDDING_OPTIMIZERS]
OPTIONS = [(path, option) for table in TABLES for path in table.values() for option in registry.signature(path)]


def schema_of(path: str, option: str) -> dict[str, Any]:
    return registry.json_schema(registry.signature(path)[option][0])


def inside(schema: dict[str, Any]) -> Any:
    """A value of a type that an array may have."""
    kinds = {
        "array": lambda: [inside(schema["items"])],
        "string": lambda: "click",
        "integer": lambda: schema["minimum"],
        "number": lambda: 0.5,
    }
    return kinds[schema["type"]]()


def outside(schema: dict[str, Any]) -> list[Any]:
    """The values just outside of a range."""
    if schema["type"] == "object":
        return [[], 1, *({"click": value} for value in outside(schema["additionalProperties"]))]
    if schema["type"] == "string":
        return [1, None]
    if schema["type"] == "boolean":
        return ["none", 2]
    if schema["type"] == "array":
        items = [[value] for value in outside(schema["items"])]
        one = inside(schema["items"])
        few = [[one] * (schema["minItems"] - 1)] if schema.get("minItems") else []
        return [*items, *few, [one] * (schema["maxItems"] + 1)]
    if schema["type"] == "number" and not schema.keys() & {"minimum", "exclusiveMinimum"}:
        return [float("nan"), "much", None]
    step = 1 if schema["type"] == "integer" else 1e-9
    least = schema["minimum"] - step if "minimum" in schema else schema["exclusiveMinimum"]
    most = schema["maximum"] * (1 + step) + step if "maximum" in schema else schema["exclusiveMaximum"]
    return [least, least - 1, most, most * 1000 + 1e11] if schema["type"] == "integer" else [least, -1.0, most, 1e11]


@pytest.mark.parametrize(("path", "option"), OPTIONS)
def test_every_option_has_a_range_and_its_default_lies_inside(path: str, option: str) -> None:
    schema, (annotation, default) = schema_of(path, option), registry.signature(path)[option]
    assert registry.check_options({option: default}, path, "here") == {option: default}
    if "enum" in schema:
        assert default in schema["enum"]
        wrong: list[Any] = ["none", 1]
    else:
        wrong = outside(schema)
    for value in wrong:
        with pytest.raises(InputError, match=f"here.{option}: expected ") as error:
            registry.check_options({option: value}, path, "here")
        assert registry.in_words(annotation) in str(error.value)


PARENTS = "for each task the list of the tasks that it reads, without a cycle"
WRONG = [
    ("dbmtl", "parents: {click: click}", f"parents: expected {PARENTS}, received {{'click': 'click'}}"),
    ("dbmtl", "parents: {a: [b], b: [a]}", f"parents: expected {PARENTS}, received {{'a': ['b'], 'b': ['a']}}"),
    ("dbmtl", "parents: {a: [a]}", f"parents: expected {PARENTS}, received {{'a': ['a']}}"),
    ("shared_bottom", "towers: {click: [0]}", "towers: expected dict of task to list of 0 to 32 int from 1 to 65536"),
    (
        "low_supervision",
        "level: {click: 17}",
        "level: expected dict of task to int from 1 to 16, received {'click': 17}",
    ),
    ("mmoe", "units: [1e11]", "units: expected list of 1 to 32 int from 1 to 65536, received ['1e11']"),
    ("mmoe", "units: [100000000000]", "units: expected list of 1 to 32 int from 1 to 65536, received [100000000000]"),
    ("mmoe", "units: []", "units: expected list of 1 to 32 int from 1 to 65536, received []"),
    ("mmoe", "experts: 0", "experts: expected int from 1 to 256, received 0"),
    ("ple", "levels: 0", "levels: expected int from 1 to 16, received 0"),
    ("ple", "shared_experts: -1", "shared_experts: expected int from 1 to 256, received -1"),
    ("shared_bottom", "dropout: -0.1", "dropout: expected float from 0 and below 1, received -0.1"),
    ("shared_bottom", "dropout: 1", "dropout: expected float from 0 and below 1, received 1"),
    ("mmoe", "gate: topk", "gate: expected one of softmax, top_k, dselect_k, received 'topk'"),
    ("home", "groups: [[income], [incom]]", "groups: no task is called 'incom'; did you mean 'income'?"),
    ("home", "groups: [click]", "groups: expected list of groups of tasks, each a list of the names of its tasks"),
    ("soft_sharing", "strength: -1", "strength: expected float from 0 to 1e+06, received -1"),
    ("cross_stitch", "self_weight: 1.5", "self_weight: expected float from 0 to 1, received 1.5"),
    (
        "single_task",
        "activation: rellu",
        "activation: expected the name of one of Keras' activations, received 'rellu'",
    ),
]


@pytest.mark.parametrize(("architecture", "option", "words"), WRONG)
def test_validate_names_the_range(architecture: str, option: str, words: str, tmp_path: Path) -> None:
    text = f"{LABELLED}model: {{architecture: {architecture}, options: {{{architecture}: {{{option}}}}}}}\n"
    (tmp_path / "recipe.yaml").write_text(text)
    with pytest.raises(InputError) as error:
        load_recipe(tmp_path / "recipe.yaml")
    assert str(error.value).startswith(f"{tmp_path}/recipe.yaml:7: model.options.{architecture}.{words}")


def test_names_within_lists_of_lists_are_names_of_the_recipe(tmp_path: Path) -> None:
    text = f"{LABELLED}model: {{regularizers: {{clustered: {{clusters: [[nobody]]}}}}}}\n"
    (tmp_path / "recipe.yaml").write_text(text)
    with pytest.raises(InputError, match=r"model\.regularizers\.clustered\.clusters: no task is called 'nobody'"):
        load_recipe(tmp_path / "recipe.yaml")


@pytest.mark.filterwarnings("ignore:You are using a softmax")
def test_the_ends_of_each_range_make_a_network() -> None:
    """What `validate` lets through is what the layers take: no layer at all where the range says so, 1 of everything."""
    import numpy as np
    from tasks import binary

    from models.architectures.encoded import Encoded

    x = np.ones((3, 2), "float32")
    for name, path in ARCHITECTURES.items():
        least: dict[str, Any] = {}
        for option in registry.signature(path):
            schema = schema_of(path, option)
            if schema.get("type") == "array":
                least[option] = (1,) * schema.get("minItems", 0)
            elif schema.get("type") == "object":
                least[option] = {}
            elif "enum" not in schema:
                least[option] = schema.get("minimum", schema.get("exclusiveMinimum", 0.0) + 1e-3)
            if schema.get("type") == "boolean":
                least[option] = False
        logits = registry.load(path)(binary("a", "b"), **least)(Encoded(x, by_task=(x, x)))
        assert {task: value.shape for task, value in logits.items()} == {"a": (3,), "b": (3,)}, name


def test_every_activation_is_one_of_keras() -> None:
    import keras
    import numpy as np

    for name in registry.json_schema("Activation")["enum"]:
        assert keras.activations.get(name)(keras.ops.convert_to_tensor(np.ones((2, 4), "float32"))).shape == (2, 4), (
            name
        )
