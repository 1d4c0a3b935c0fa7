"""Looks up methods by name, and reads their options and properties from source code.

The tables of methods (ARCHITECTURES, BALANCERS, REGULARIZERS, LOSSES) map a name to the dotted path of a class. The tables
hold paths, so that `gatewise validate` checks a recipe without importing Keras. The name, type and default of an option
are read from the source of the class's `__init__`. The type is a name in `models.recipe.option_types`, which has its
range. Class variables with literal values are read in the same way.
"""

from __future__ import annotations

import ast
import difflib
import importlib
import importlib.util
from collections.abc import Iterable, Mapping
from functools import cache
from pathlib import Path
from types import MappingProxyType
from typing import Any, Literal

import pydantic

from models.recipe import option_types
from models.recipe.errors import InputError, shown


def lookup(name: str, table: Mapping[str, Any], what: str, where: str = "") -> Any:
    """Looks up a name in a table.

    Args:
        name: the name to look up.
        table: {known name: value}.
        what: description of the values for the message ("architecture").
        where: location of the name, as a prefix of the message.

    Raises:
        InputError: the name is unknown. The message lists the known names and the nearest one.
    """
    if name in table:
        return table[name]
    raise InputError(f"{where}{': ' if where else ''}unknown {what} {name!r}; {known(name, table)}")


def path_of(name: str, table: Mapping[str, str], what: str) -> str:
    """The dotted path of a method, from its row in the table, or the name itself if it is a path.

    Args:
        name: name in the table, or the dotted path of a class in another package.
        table: table of methods.
        what: description of the methods for the message ("architecture").

    Raises:
        InputError: the table has no such name, or the path has no class.
    """
    if "." not in name:
        return lookup(name, table, what)
    try:
        _class(name)
    except (ImportError, StopIteration, SyntaxError, ValueError) as error:
        reason = "no such class in it" if isinstance(error, StopIteration) else str(error)
        raise InputError(
            f"{name!r} is not the path of a class that can be imported: {reason}. Expected one of "
            f"{', '.join(sorted(table))}, or a path such as package.module.Class."
        ) from None
    return name


def known(name: str, names: Iterable[str]) -> str:
    """End of a message about an unknown name: the nearest known name, and all known names."""
    candidates = sorted(names)
    near = difflib.get_close_matches(str(name), candidates, n=1, cutoff=0.5)
    hint = f"did you mean {near[0]!r}? " if near else ""
    return f"{hint}Known: {', '.join(candidates) or 'none'}."


def load(path: str) -> Any:
    """The object at a dotted path such as `models.architectures.mmoe.MMoE`."""
    module, _, name = path.rpartition(".")
    return getattr(importlib.import_module(module), name)


@cache
def signature(path: str) -> dict[str, tuple[str, Any]]:
    """Options of a class: {name: (annotation as written, default)}, without importing the class.

    Options are the keyword-only parameters of `__init__`. The arguments from the trainer (the tasks) are positional.
    A class that does not define `__init__` has the options of its base class.
    """
    init = _init(path)
    if init is None:
        return {}
    return {
        argument.arg: (ast.unparse(argument.annotation) if argument.annotation else "object", ast.literal_eval(default))
        for argument, default in zip(init.args.kwonlyargs, init.args.kw_defaults, strict=True)
        if default is not None
    }


def defaults(path: str) -> dict[str, Any]:
    """Options of the class at a dotted path: {name: default}."""
    return {option: default for option, (_, default) in signature(path).items()}


@cache
def paragraphs(path: str) -> tuple[str, ...]:
    """The paragraphs of the docstring of the class at a dotted path, each in one line."""
    return tuple(" ".join(part.split()) for part in (ast.get_docstring(_class(path)) or "").split("\n\n"))


def summary(path: str) -> str:
    """First paragraph of the docstring of the class at a dotted path."""
    return paragraphs(path)[0]


@cache
def facts(path: str, root: str) -> Mapping[str, Any]:
    """Class variables of a class and its bases: {name: value}, read from the sources without importing the class.

    Variables that are not literals are omitted.

    Args:
        path: dotted path of a class.
        root: dotted path of its base class, which has the defaults.

    Raises:
        InputError: the class does not derive from `root`.
    """
    found = _facts(path, root)
    if found is None:
        raise InputError(
            f"{path!r} is not a subclass of {root}. Expected a class with it, or one of its subclasses, as a base that is "
            "imported from the module that defines it."
        )
    return MappingProxyType(found)


def _facts(path: str, root: str) -> dict[str, Any] | None:
    """Facts of a class, or None if it does not derive from `root` or has no source."""
    class_ = _class_or_none(path)
    if class_ is None:
        return None
    inherited: dict[str, Any] | None = {} if path == root else None
    for base in reversed(_bases(path, class_)) if path != root else ():
        of_base = _facts(base, root)
        inherited = inherited if of_base is None else {**(inherited or {}), **of_base}
    return None if inherited is None else _with_own_facts(inherited, class_)


def _with_own_facts(found: dict[str, Any], class_: ast.ClassDef) -> dict[str, Any]:
    for node in class_.body:
        target = node.targets[0] if isinstance(node, ast.Assign) else getattr(node, "target", None)
        if isinstance(node, ast.Assign | ast.AnnAssign) and isinstance(target, ast.Name) and node.value is not None:
            try:
                found[target.id] = ast.literal_eval(node.value)
            except ValueError:
                found.pop(target.id, None)
    return found


def _imported(module: str) -> dict[str, str]:
    """{name in a module: dotted path of its origin}."""
    found: dict[str, str] = {}
    for node in _tree(module).body:
        if isinstance(node, ast.Import):
            found |= {alias.asname or alias.name: alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            source = "." * node.level + (node.module or "")
            source = importlib.util.resolve_name(source, module.rpartition(".")[0]) if node.level else source
            found |= {alias.asname or alias.name: f"{source}.{alias.name}" for alias in node.names}
    return found


def check_options(options: Mapping[str, Any], path: str, where: str) -> dict[str, Any]:
    """Validates options by the signature of the class at `path`, and converts them to their types.

    Raises:
        InputError: an option is unknown, has the wrong type, or is out of range.
    """
    expected = signature(path)
    checked = {}
    for name, value in options.items():
        annotation, _ = lookup(name, expected, "option", where)
        try:
            checked[name] = _adapter(annotation).validate_python(value)
        except pydantic.ValidationError:
            raise InputError(f"{where}.{name}: expected {in_words(annotation)}, received {shown(value)}.") from None
    return checked


def in_words(annotation: str) -> str:
    """Type and range of an option in words: "int from 1 to 256"."""
    return _schema_in_words(json_schema(annotation))


@cache
def json_schema(annotation: str) -> dict[str, Any]:
    """JSON Schema of the type of an option."""
    return _adapter(annotation).json_schema()


def _schema_in_words(schema: Mapping[str, Any]) -> str:
    if "title" in schema:
        return str(schema["title"])
    if "enum" in schema:
        return f"one of {', '.join(map(str, schema['enum']))}"
    if schema.get("type") == "array":
        least, most = schema.get("minItems", 0), schema.get("maxItems")
        many = f"{least} to {most}" if most is not None else f"{least} or more"
        return f"list of {many} {_schema_in_words(schema['items'])}"
    if "propertyNames" in schema:
        key = schema["propertyNames"].get("format", "str")
        return f"dict of {key} to {_schema_in_words(schema['additionalProperties'])}"
    least, above = schema.get("minimum"), schema.get("exclusiveMinimum")
    most, below = schema.get("maximum"), schema.get("exclusiveMaximum")
    limits = [
        f" from {least:g}" if least is not None else f" above {above:g}" if above is not None else "",
        f" to {most:g}" if most is not None else f" and below {below:g}" if below is not None else "",
    ]
    name = {"integer": "int", "number": "float", "boolean": "bool", "string": "str"}.get(
        schema.get("type", ""), "value"
    )
    return name + "".join(limits)


@cache
def _adapter(annotation: str) -> pydantic.TypeAdapter:
    try:
        type_ = eval(annotation, {"__builtins__": {}}, _TYPES)
    except (NameError, SyntaxError, TypeError) as error:
        raise InputError(
            f"an option has the type {annotation}, which the recipe's checks do not know ({error}). Expected a type of "
            f"models.recipe.option_types, or one made of {', '.join(sorted(_BUILT_IN))}."
        ) from None
    return pydantic.TypeAdapter(type_, config=pydantic.ConfigDict(allow_inf_nan=False))


_BUILT_IN = {
    "int": int,
    "float": float,
    "bool": bool,
    "str": str,
    "tuple": tuple,
    "dict": dict,
    "None": None,
    "Literal": Literal,
}
_TYPES = vars(option_types) | _BUILT_IN


@cache
def _class(path: str) -> ast.ClassDef:
    module, _, name = path.rpartition(".")
    return next(node for node in _tree(module).body if isinstance(node, ast.ClassDef) and node.name == name)


def _class_or_none(path: str) -> ast.ClassDef | None:
    """The class at a dotted path, or None if it has no readable source, such as `abc.ABC` of a compiled module."""
    try:
        return _class(path)
    except (ImportError, StopIteration, SyntaxError, ValueError, OSError):
        return None


@cache
def _tree(module: str) -> ast.Module:
    spec = importlib.util.find_spec(module)
    if spec is None or spec.origin is None:
        raise ImportError(f"no module {module}")
    return ast.parse(Path(spec.origin).read_text(encoding="utf-8"))


def _init(path: str) -> ast.FunctionDef | None:
    """The `__init__` of the class or of the first class that it derives from which has one; None if no source has one."""
    class_ = _class_or_none(path)
    if class_ is None:
        return None
    own = (node for node in class_.body if isinstance(node, ast.FunctionDef) and node.name == "__init__")
    return next(own, None) or next(filter(None, map(_init, _bases(path, class_))), None)


def _bases(path: str, class_: ast.ClassDef) -> list[str]:
    """Dotted paths of the classes that a class derives from."""
    module, paths = path.rpartition(".")[0], []
    for base in class_.bases:
        first, _, rest = ast.unparse(base).partition(".")
        paths.append(".".join(filter(None, (_imported(module).get(first, f"{module}.{first}"), rest))))
    return paths
