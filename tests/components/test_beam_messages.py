from __future__ import annotations

import apache_beam as beam
import pytest

from components.beam_messages import plain_messages
from models.errors import InputError


def refuse(element: int) -> int:
    raise InputError(f"row {element}: expected less")


def test_the_step_is_taken_off_and_the_rest_stays() -> None:
    with (
        pytest.raises(InputError) as raised,
        plain_messages(),
        beam.Pipeline(argv=["--runner=FnApiRunner"]) as pipeline,
    ):
        _ = pipeline | "rows" >> beam.Create([7]) | "refuse" >> beam.Map(refuse)
    assert str(raised.value) == "row 7: expected less"


def test_other_errors_pass_unchanged() -> None:
    with pytest.raises(KeyError, match="while running"), plain_messages():
        raise KeyError("x [while running 'a']")
