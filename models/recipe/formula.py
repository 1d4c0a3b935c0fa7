"""The ranking score: parses the recipe's formula into a tree and evaluates it.

A formula has numbers, names of tasks and weights, `+ - *`, `/` by terms without tasks, powers (`**` or `^`, which are
the same) and parentheses:

    click * (0.3 + order) ^ taste + 0.1 * cart

The formula is parsed, not executed; all other Python syntax is refused. The same tree works with TensorFlow and NumPy,
because both overload Python's operators. This module does not import TensorFlow, so a recipe is checked without it.
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
"""Outputs of the signature `rank` besides the tasks."""

LONGEST = 1000
"""Maximum number of characters of a formula."""

DEEPEST = 100
"""Maximum nesting depth of operations, well below the limit of Python's stack."""


@dataclasses.dataclass(frozen=True)
class Number:
    """A number in the formula."""

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
    """Two operands and an operator: a key of OPERATIONS."""

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
    """Parses a formula into a tree.

    Args:
        text: the formula.
        tasks: names of the tasks, whose values are predictions.
        weights: names of the weights, whose values are numbers.

    Raises:
        InputError: the text is not a formula, has an unknown name, or is not finite if every task is 0.5 and every
            weight is 1.
    """
    if len(text) > LONGEST:
        raise InputError(f"expected a formula of at most {LONGEST} characters, received {len(text)}.")
    try:
        # In Python `^` binds more loosely than `+`; in a formula it means the same as `**`.
        tree = ast.parse(text.strip().replace("^", "**"), mode="eval")
        node = _node(tree.body, (*tasks, *weights), DEEPEST)
    except SyntaxError as error:
        raise InputError(
            f"not a formula: {error.msg}; received {text!r}. Example: click * (0.3 + order) ^ 0.5."
        ) from None
    except (RecursionError, MemoryError, ValueError, OverflowError):
        raise InputError(
            f"not a formula: nested too deeply, or a number has too many digits; received {text!r}."
        ) from None
    for part in _walk(node):
        if isinstance(part, Operation) and part.sign in ("/", "**") and names(part.right) & set(tasks):
            what = "divided by" if part.sign == "/" else "raised to the power of"
            raise InputError(
                f"a term cannot be {what} a task, because its prediction may be 0 or large; received {text!r}. Use only "
                "numbers and weights there."
            )
    used = names(node)
    if not used & set(tasks):
        raise InputError(f"the formula has no task, so all candidates would have the same score; {known('', tasks)}")
    with np.errstate(all="ignore"), warnings.catch_warnings(action="ignore"):
        value = evaluate(node, {**dict.fromkeys(tasks, np.float32(0.5)), **dict.fromkeys(weights, np.float32(1))})
    if not np.isfinite(value):
        raise InputError(f"the formula is {value} if every task is 0.5 and every weight is 1; received {text!r}.")
    return node


def names(node: Node) -> set[str]:
    """Names of the tasks and weights in a formula."""
    return {part.name for part in _walk(node) if isinstance(part, Name)}


def evaluate(node: Node, values: Mapping[str, Any], number: Callable[[float], Any] = np.float32) -> Any:
    """Evaluates a formula with NumPy or TensorFlow values.

    Args:
        node: tree from `parse`.
        values: {task or weight: scalar or (candidate,) float32}, as NumPy or TensorFlow arrays.
        number: function that makes a constant of the same library: `np.float32`, or `tf.constant` of float32.
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
