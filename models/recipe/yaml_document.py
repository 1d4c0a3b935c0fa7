"""Parses YAML with the line of each key and the source text of scalars that YAML converts."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import yaml

from models.recipe.errors import InputError, shown
from models.recipe.registry import known

Location = tuple[str | int, ...]

LARGEST_FILE = 512 * 1024
"""Maximum size of a file in bytes: about a hundred times a long recipe."""

MOST_VALUES = 20_000
"""Maximum number of keys, items and values of a document, including those repeated by aliases and merge keys (`<<`)."""

_DEEPEST = 100
"""Maximum nesting depth of brackets and braces."""

_TOO_DEEP = "not a recipe: its lists and mappings are nested too deeply, or an alias contains itself."
_MERGE, _NULL = "tag:yaml.org,2002:merge", "tag:yaml.org,2002:null"


@dataclasses.dataclass(frozen=True)
class Document:
    """A parsed document.

    Attributes:
        value: mappings, lists and scalars, by YAML 1.1.
        lines: line of each key and item.
        written: {location of a scalar: source text}, for unquoted scalars that YAML does not read as text.
    """

    value: Any
    lines: dict[Location, int]
    written: dict[Location, str]


def read(path: Path) -> str:
    """Reads a text file.

    Raises:
        InputError: the file does not exist, is not UTF-8, or is larger than LARGEST_FILE.
    """
    try:
        with path.open("rb") as file:
            content = file.read(LARGEST_FILE + 1)
        if len(content) > LARGEST_FILE:
            raise InputError(
                f"{path}: larger than {LARGEST_FILE // 1024} KiB, the limit of a recipe. Is it a recipe? Put data into the "
                "files that a recipe refers to."
            )
        return content.decode("utf-8-sig")
    except FileNotFoundError:
        nearby = sorted(str(other) for other in path.parent.glob("*.yaml")) if path.parent.is_dir() else []
        raise InputError(f"{path}: no such recipe file. {known(str(path), nearby)}") from None
    except (OSError, ValueError) as error:
        raise InputError(f"{path}: cannot be read as a UTF-8 text file: {error}") from None


def parse(text: str, where: Callable[[int], str]) -> Document | None:
    """Parses a YAML document. Returns None for an empty text.

    The keys of a mapping override keys merged by `<<`, and an earlier merged mapping overrides a later one.

    Args:
        text: YAML 1.1.
        where: function from a line to the prefix of an error message.

    Raises:
        InputError: invalid YAML, a duplicate key, a key that is not text, or more than MOST_VALUES values.
    """
    try:
        root = _compose(text)
        if root is None:
            return None
        return _Converter(where).document(root)
    except RecursionError:
        raise InputError(f"{where(0)}: {_TOO_DEEP}") from None
    except yaml.MarkedYAMLError as error:
        line = error.problem_mark.line + 1 if error.problem_mark else 1
        problem = f"{error.context}, {error.problem}" if str(error.problem).startswith("but ") else error.problem
        raise InputError(f"{where(line)}: invalid YAML: {problem}. Check the indentation and the quotes.") from None
    except yaml.reader.ReaderError as error:
        line = text.count("\n", 0, error.position) + 1
        raise InputError(
            f"{where(line)}: invalid YAML: the character U+{error.character:04X} is not allowed. Save the file as "
            "UTF-8 text."
        ) from None
    except _TooMany as error:
        raise InputError(
            f"{where(error.line)}: more than {MOST_VALUES:,} keys, items and values, including those repeated by aliases. "
            "Is it a recipe? Put data into the files that a recipe refers to."
        ) from None


def parse_option(text: str, where: str) -> Document:
    """Parses the value of a command line option. An empty text is None.

    Args:
        text: YAML 1.1.
        where: the option, as a prefix of error messages.

    Raises:
        InputError: as `parse`.
    """
    return parse(text, lambda line: where) or Document(None, {}, {})


def is_text_of(written: str, value: object) -> bool:
    """Whether a value is a bool or number in YAML's canonical form: 7 and true, but not 007, True or NO."""
    return isinstance(value, bool | int | float) and _text(value) == written


def another_base(written: str, value: object) -> str:
    """Message about a number in another base: 010 is 8, and 1:30 is 90. Empty for any other value."""
    digits = written.lstrip("+-").replace("_", "")
    if not isinstance(value, int | float) or isinstance(value, bool):
        return ""
    if ":" in digits:
        return f"{shown(written)[1:-1]} is the number {value} in base 60 in YAML 1.1. Write its decimal digits."
    if digits.isdecimal() and int(digits) != abs(value):
        return f"{shown(written)[1:-1]} is the number {value} in YAML 1.1, because a leading 0 means octal. Write {value} or {written.lstrip('0')}."
    return ""


def misread(written: str, value: object, *, or_value: bool) -> str:
    """Message about an unquoted text that YAML reads as another value.

    Args:
        written: the text.
        value: the value that YAML reads.
        or_value: whether the value may also be the intended one.
    """
    kind = _KINDS.get(type(value), "value")
    meaning = "null, no value" if value is None else f"the {kind} {_text(value)}"
    quoted = written.replace("'", "''")
    cure = f", or write {_text(value)} if you mean the {kind}" if or_value and type(value) in _KINDS else ""
    return f"{shown(written)[1:-1]} without quotes is {meaning}, in YAML 1.1. Put it in quotes: '{quoted}'{cure}."


_KINDS: dict[type, str] = {bool: "truth value", int: "number", float: "number"}


def _text(value: object) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)


def _whole_characters(text: str) -> str:
    """Joins surrogate pairs such as `\\uD83C\\uDF89`, as JSON writes characters above U+FFFF, into single characters.

    Raises:
        UnicodeDecodeError: an unpaired surrogate.
    """
    return text if text.isascii() else text.encode("utf-16", "surrogatepass").decode("utf-16")


class _TooMany(Exception):
    def __init__(self, line: int) -> None:
        super().__init__(line)
        self.line = line


def _compose(text: str) -> yaml.Node | None:
    loader = _Loader(text)
    try:
        return loader.get_single_node()
    finally:
        loader.dispose()


class _Loader(yaml.SafeLoader):
    """A loader that stops at the limits of nodes and nested brackets, because a full read takes too long."""

    nodes = 0

    def fetch_flow_collection_start(self, token: Any) -> None:
        if self.flow_level >= _DEEPEST:
            raise RecursionError
        super().fetch_flow_collection_start(token)

    def compose_node(self, parent: Any, index: Any) -> Any:
        self.nodes += 1
        if self.nodes > MOST_VALUES:
            raise _TooMany(self.peek_event().start_mark.line + 1)
        return super().compose_node(parent, index)


class _Converter:
    """Converts nodes to plain values, with lines and source texts, which PyYAML's constructor discards."""

    def __init__(self, where: Callable[[int], str]) -> None:
        self._where = where
        self._constructor = yaml.SafeLoader("")
        self._count = 0
        self._lines: dict[Location, int] = {}
        self._written: dict[Location, str] = {}

    def document(self, root: yaml.Node) -> Document:
        value = self._value(root, ())
        return Document(value, self._lines, self._written)

    def _value(self, node: Any, location: Location) -> Any:
        self._count += 1
        if self._count > MOST_VALUES:
            raise _TooMany(node.start_mark.line + 1)
        self._lines.setdefault(location, node.start_mark.line + 1)
        if isinstance(node, yaml.MappingNode):
            values: dict[str, Any] = {}
            self._fill(values, node, location)
            return values
        if isinstance(node, yaml.SequenceNode):
            return [self._value(item, (*location, index)) for index, item in enumerate(node.value)]
        value = self._scalar(node)
        if node.style is None and not isinstance(value, str) and node.value:
            self._written[location] = node.value
        return value

    def _fill(self, values: dict[str, Any], node: yaml.MappingNode, location: Location) -> None:
        """Adds the keys of a mapping that are not yet in `values`."""
        own: dict[str, int] = {}
        for key_node, value_node in node.value:
            if key_node.tag == _MERGE:
                continue
            line = key_node.start_mark.line + 1
            key = self._key(key_node, location)
            here = (*location, key)
            if key in own:
                raise InputError(
                    f"{self._where(line)}: {'.'.join(map(str, here))}: duplicate key, first on line {own[key]}. "
                    "Keep one."
                )
            own[key] = line
            if key not in values:
                self._lines[here] = line
                values[key] = self._value(value_node, here)
        for key_node, value_node in node.value:
            if key_node.tag == _MERGE:
                for merged in self._merged(key_node, value_node, location):
                    self._fill(values, merged, location)

    def _merged(self, key: yaml.Node, node: yaml.Node, location: Location) -> Iterator[yaml.MappingNode]:
        for merged in node.value if isinstance(node, yaml.SequenceNode) else (node,):
            self._count += 1
            if self._count > MOST_VALUES:
                raise _TooMany(key.start_mark.line + 1)
            if not isinstance(merged, yaml.MappingNode):
                raise InputError(
                    f"{self._where(key.start_mark.line + 1)}: {'.'.join(map(str, (*location, '<<')))}: expected an "
                    "alias of a mapping (<<: *name), or a list of aliases."
                )
            yield merged

    def _key(self, node: yaml.Node, location: Location) -> str:
        if not isinstance(node, yaml.ScalarNode):
            parts = node.value if isinstance(node, yaml.SequenceNode) else ()
            key = [part.value for part in parts if isinstance(part, yaml.ScalarNode)] or "a list or mapping"
            raise InputError(
                f"{self._where(node.start_mark.line + 1)}: expected a text as key, received {str(key)[:80]}. "
                "Check the braces and brackets."
            )
        key = self._scalar(node)
        if isinstance(key, str):
            return key
        if node.style is not None:
            raise InputError(f"{self._where(node.start_mark.line + 1)}: expected a text as key, received {key!r}.")
        place = ".".join(map(str, location))
        raise InputError(
            f"{self._where(node.start_mark.line + 1)}: {place + ': ' if place else ''}expected a text as key. "
            f"{misread(node.value, key, or_value=False)}"
        )

    def _scalar(self, node: yaml.ScalarNode) -> Any:
        if node.tag in ("tag:yaml.org,2002:value", _MERGE) and node.style is None:
            return node.value  # `=` and `<<` are special values in YAML 1.1; here they are text
        try:
            value = self._constructor.construct_object(node, deep=True)
            str(value)  # fails for an integer with too many digits
            return _whole_characters(value) if isinstance(value, str) else value
        except (yaml.YAMLError, RecursionError):
            raise
        except UnicodeDecodeError:
            raise InputError(
                f"{self._where(node.start_mark.line + 1)}: {shown(node.value)} has an unpaired surrogate: \\uD800 to \\uDFFF are "
                "valid only in pairs. Write the character itself."
            ) from None
        except Exception:  # PyYAML's constructors fail in many ways: ValueError, KeyError, AttributeError
            kind = node.tag.rpartition(":")[2]
            raise InputError(
                f"{self._where(node.start_mark.line + 1)}: {str(node.value)[:80]!r} looks like a value of YAML's type {kind}, "
                "but is invalid. If it is a text, put it in quotes."
            ) from None
