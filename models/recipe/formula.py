"""The score that blends the tasks into one number to rank by: the recipe's formula as a tree, and its value.

A formula has numbers, names of tasks and of weights, `+ - *`, `/` by what holds no task, powers (`**` or `^`, which
mean the same) and parentheses:

    click * (0.3 + order) ^ taste + 0.1 * cart

It is parsed, never run: whatever else Python would understand is refused. One tree serves TensorFlow and NumPy, as the
operators of both are Python's. No TensorFlow here: a recipe is checked without it.
"""

from __future__ import annotations

import ast
import dataclasses
import operator
import warnings
from collections.abc import Callable, Collection, Iterator, Mapping
from typing import Any

import numpy as np

from models.recipe.errors import InputError
from models.recipe.registry import known

RANK_OUTPUTS = ("score", "ranking")
"""What the signature `rank` answers besides the tasks' values."""

LONGEST = 1000
"""Characters of a formula."""

DEEPEST = 100
"""Operations inside of one another: Python's own stack is no good place to find the limit."""


@dataclasses.dataclass(frozen=True)
class Number:
    """A number as it stands in the formula."""

    value: float


@dataclasses.dataclass(frozen=True)
class Name:
    """A task or a weight."""

    name: str


@dataclasses.dataclass(frozen=True)
class Negative:
    """-operand."""

    operand: Node


@dataclasses.dataclass(frozen=True)
class Operation:
    """Two operands and the sign between them: a key of OPERATIONS."""

    sign: str
    left: Node
    right: Node


Node = Number | Name | Negative | Operation

OPERATIONS: dict[str, Callable[[Any, Any], Any]] = {
    "+": operator.add,
    "-": operator.sub,
    "*": operator.mul,
    "/": operator.truediv,
    "**": operator.pow,
}

_SIGNS: dict[type, str] = {ast.Add: "+", ast.Sub: "-", ast.Mult: "*", ast.Div: "/", ast.Pow: "**"}


def parse(text: str, tasks: Collection[str], weights: Collection[str] = ()) -> Node:
    """The formula as a tree.

    Args:
        text: the formula.
        tasks: names that stand for the tasks' predictions.
        weights: names that stand for numbers.

    Raises:
        InputError: it is no such formula, names what is unknown, or gives no finite number where every task is 0.5 and
            every weight 1.
    """
    if len(text) > LONGEST:
        raise InputError(f"expected a formula of at most {LONGEST} characters, received {len(text)}.")
    try:
        # In Python `^` binds more loosely than `+`; here it is the other way of writing a power.
        tree = ast.parse(text.strip().replace("^", "**"), mode="eval")
        node = _node(tree.body, (*tasks, *weights), DEEPEST)
    except SyntaxError as error:
        raise InputError(f"no formula: {error.msg}; received {text!r}. Example: click * (0.3 + order) ^ 0.5.") from None
    except (RecursionError, MemoryError, ValueError, OverflowError):
        raise InputError(
            f"no formula: nested too deeply, or with a number of too many digits; received {text!r}."
        ) from None
    for part in _walk(node):
        if isinstance(part, Operation) and part.sign in ("/", "**") and names(part.right) & set(tasks):
            what = "divided by" if part.sign == "/" else "raised to the power of"
            raise InputError(
                f"nothing may be {what} a task, whose prediction may be 0 or large; received {text!r}. Put numbers and "
                "weights there."
            )
    used = names(node)
    if not used & set(tasks):
        raise InputError(f"the formula names no task, so all candidates would be equal; {known('', tasks)}")
    with np.errstate(all="ignore"), warnings.catch_warnings(action="ignore"):
        value = evaluate(node, {**dict.fromkeys(tasks, np.float32(0.5)), **dict.fromkeys(weights, np.float32(1))})
    if not np.isfinite(value):
        raise InputError(f"where every task is 0.5 and every weight 1 the formula gives {value}; received {text!r}.")
    return node


def names(node: Node) -> set[str]:
    """The tasks and weights in a formula."""
    return {part.name for part in _walk(node) if isinstance(part, Name)}


def evaluate(node: Node, values: Mapping[str, Any], number: Callable[[float], Any] = np.float32) -> Any:
    """The formula's value, in the arithmetic of the values.

    Args:
        node: of `parse`.
        values: {task or weight: scalar or (candidate,) float32}, NumPy's or TensorFlow's.
        number: makes a constant of the same kind: `np.float32`, or `tf.constant` of float32.
    """
    if isinstance(node, Number):
        return number(node.value)
    if isinstance(node, Name):
        return values[node.name]
    if isinstance(node, Negative):
        return -evaluate(node.operand, values, number)
    return OPERATIONS[node.sign](evaluate(node.left, values, number), evaluate(node.right, values, number))


def _node(tree: ast.expr, allowed: Collection[str], depth: int) -> Node:
    if not depth:
        raise RecursionError
    if isinstance(tree, ast.Constant) and isinstance(tree.value, int | float) and not isinstance(tree.value, bool):
        return Number(float(tree.value))
    if isinstance(tree, ast.Name):
        if tree.id not in allowed:
            raise InputError(f"unknown task or weight {tree.id!r}; {known(tree.id, allowed)}")
        return Name(tree.id)
    if isinstance(tree, ast.UnaryOp) and isinstance(tree.op, ast.UAdd):
        return _node(tree.operand, allowed, depth - 1)
    if isinstance(tree, ast.UnaryOp) and isinstance(tree.op, ast.USub):
        return Negative(_node(tree.operand, allowed, depth - 1))
    if isinstance(tree, ast.BinOp) and type(tree.op) in _SIGNS:
        left, right = (_node(side, allowed, depth - 1) for side in (tree.left, tree.right))
        return Operation(_SIGNS[type(tree.op)], left, right)
    raise InputError(
        f"expected numbers, names of tasks and weights, + - * / ^ and parentheses, found {ast.unparse(tree)!r}."
    )


def _walk(node: Node) -> Iterator[Node]:
    yield node
    if isinstance(node, Negative):
        yield from _walk(node.operand)
    elif isinstance(node, Operation):
        yield from _walk(node.left)
        yield from _walk(node.right)
