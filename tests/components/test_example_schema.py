"""The names in the examples' files: artifacts of other versions, and what stock TFX parts read, have them too."""

from __future__ import annotations

from components.example_schema import ARROW_TYPES, EVENT_ID, EXAMPLE_ID, SPLITS, TIME, label_of, weight_of
from models.recipe.checks.served_names import OWN


def test_names_are_those_of_the_artifacts_that_users_have() -> None:
    assert SPLITS == ("train", "validate", "eval")
    assert (EXAMPLE_ID, EVENT_ID, TIME) == ("gatewise/example_id", "gatewise/event_id", "gatewise/event_time")
    assert (label_of("click"), weight_of("click")) == ("label/click", "weight/click")
    assert all(name.startswith(OWN) for name in (EXAMPLE_ID, EVENT_ID, TIME))


def test_types_are_those_of_tf_example() -> None:
    assert {name: str(type) for name, type in ARROW_TYPES.items()} == {
        "bytes": "large_binary",
        "int": "int64",
        "float": "float",
    }
