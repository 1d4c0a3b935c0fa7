"""The formula of the score: what it gives, in NumPy and in TensorFlow, and what is no formula."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from models.recipe.errors import InputError
from models.recipe.formula import LONGEST, evaluate, names, parse

TASKS = ("click", "order", "value")


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("click", 0.25),
        ("2 * click + 3", 3.5),
        ("click * (0.25 + order) ^ 0.5", 0.25 * 0.5**0.5),
        ("click * (0.25 + order) ** 0.5", 0.25 * 0.5**0.5),
        # a power binds more tightly than a sign and a product, and to the right
        ("-click ^ 2", -0.0625),
        ("3 * order ^ 2 ^ 3", 3 * 0.25**8),
        ("+click - order - value", 0.25 - 0.25 - 8),
        ("value / 4 / 2", 1.0),
        ("1e1 * click", 2.5),
        ("  click\n", 0.25),
    ],
)
def test_worked_by_hand(text: str, expected: float) -> None:
    values = {"click": np.float32(0.25), "order": np.float32(0.25), "value": np.float32(8)}
    assert evaluate(parse(text, TASKS), values) == pytest.approx(expected, rel=1e-6)


def test_weights_are_names_like_tasks() -> None:
    node = parse("click * (a + order) ^ taste", TASKS, ("a", "taste"))
    assert names(node) == {"click", "order", "a", "taste"}
    values = {"click": np.array([0.5, 1.0], "f4"), "order": np.array([0.75, 0.0], "f4"), "a": 0.25, "taste": 2.0}
    np.testing.assert_allclose(evaluate(node, values), [0.5, 0.0625])


def formulas() -> st.SearchStrategy[str]:
    leaves = st.sampled_from([*TASKS, "taste", "0.5", "2", "1.25"])
    exponents = st.sampled_from(["2", "0.5", "taste", "(1 + taste)"])

    def grow(inner: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
        return st.one_of(
            st.tuples(inner, st.sampled_from("+-*"), inner).map(lambda part: f"({part[0]} {part[1]} {part[2]})"),
            st.tuples(inner, exponents).map(lambda part: f"({part[0]}) ** {part[1]}"),
            st.tuples(inner, exponents).map(lambda part: f"({part[0]}) / {part[1]}"),
            inner.map(lambda part: f"-({part})"),
        )

    return st.recursive(leaves, grow, max_leaves=8)


@settings(max_examples=60, deadline=None)
@given(formulas(), st.integers(0, 1000))
def test_numpy_and_tensorflow_agree_with_python(text: str, seed: int) -> None:
    """Python itself is the slow and obvious reference: of these formulas it may evaluate the text."""
    import tensorflow as tf

    random = np.random.default_rng(seed)
    values = {name: random.uniform(0.1, 2, 5).astype("f4") for name in TASKS} | {"taste": np.float32(0.75)}
    try:
        node = parse(text, TASKS, ("taste",))
    except InputError:
        return
    with np.errstate(all="ignore"):
        ours = evaluate(node, values)
        theirs = eval(text, {}, {name: np.asarray(value, "f8") for name, value in values.items()})
    tensors = {name: tf.constant(value) for name, value in values.items()}
    graph = evaluate(node, tensors, lambda value: tf.constant(value, tf.float32))
    safe = np.isfinite(theirs) & (np.abs(theirs) < 1e6)
    scale = np.maximum(1, np.abs(theirs))
    assert (np.abs(ours - theirs)[safe] <= 1e-3 * scale[safe]).all()
    assert (np.abs(graph.numpy() - theirs)[safe] <= 1e-3 * scale[safe]).all()


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("clik * 2", "unknown task or weight 'clik'; did you mean 'click'? Known: click, order, taste, value."),
        ("", "not a formula: "),
        ("click *", "not a formula: invalid syntax; received 'click *'. Example: click"),
        ("click; order", "not a formula: invalid syntax"),
        ("max(click, order)", "found 'max(click, order)'"),
        ("click.real", "found 'click.real'"),
        ("__import__('os').system('true')", "expected numbers, names of tasks and weights"),
        ("[click][0]", "found '[click][0]'"),
        ("click if order else value", "found 'click if order else value'"),
        ("click == 1", "found 'click == 1'"),
        ("click // 2", "found 'click // 2'"),
        ("(lambda: click)()", "expected numbers"),
        ("click * True", "found 'True'"),
        ("click * 1j", "found '1j'"),
        ("click * 'a'", "found \"'a'\""),
        ("order / click", "a term cannot be divided by a task"),
        ("2 ^ click", "a term cannot be raised to the power of a task"),
        ("click / (1 + order)", "a term cannot be divided by a task"),
        ("2 * taste", "the formula has no task, so all candidates would have the same score"),
        ("click * 10 ^ 99", "the formula is inf"),
        ("click / 0", "the formula is inf"),
        ("(click - 1) ^ 0.5", "the formula is nan"),
        ("click * 1e999", "the formula is inf"),
        ("click * " + "9" * 500, "not a formula: nested too deeply, or a number has too many digits"),
        ("(" * 400 + "click" + ")" * 400, "not a formula"),
        ("-" * 900 + "click", "not a formula: nested too deeply"),
        ("click + " * LONGEST + "click", f"at most {LONGEST} characters"),
        ("click\x00", "not a formula"),
    ],
)
def test_what_is_no_formula(text: str, words: str) -> None:
    with pytest.raises(InputError) as error:
        parse(text, TASKS, ("taste",))
    assert words in str(error.value)
