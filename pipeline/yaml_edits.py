"""Changes the values of a YAML text and keeps its comments, order and style where nothing changes."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import yaml

from models.recipe import yaml_document
from models.recipe.errors import InputError

_Edit = tuple[int, int, str]
"""Start and end of the characters to replace, and what replaces them."""


def with_values(text: str, values: Mapping[str, Any]) -> str:
    """The text with other values.

    A key that goes away takes the lines of its value and the comment above it along. A new key stands after the key that precedes it
    in `values`. A changed value that is no block mapping is written anew on one line. A text with anchors, or one that cannot be
    edited so, is written anew without its comments.

    Args:
        text: a YAML document whose value is a mapping.
        values: the values that the text shall have.
    """
    text = text.removeprefix("\ufeff").replace("\r\n", "\n").rstrip("\n") + "\n"
    root = yaml.compose(text, Loader=yaml.SafeLoader)
    if isinstance(root, yaml.MappingNode) and not _has_aliases(root):
        edited = _edited(text, root, values)
        if _read(edited) == values:
            return edited
    return dumped(values)


def dumped(values: Mapping[str, Any]) -> str:
    """The values as YAML: mappings of single values on one line."""
    return yaml.safe_dump(dict(values), sort_keys=False, allow_unicode=True, width=120, default_flow_style=None)


def _read(text: str) -> Any:
    try:
        document = yaml_document.parse(text, str)
    except InputError:
        return None
    return document and document.value


def _has_aliases(root: yaml.Node) -> bool:
    """Whether a node stands in two places."""
    seen, left = set(), [root]
    while left:
        node = left.pop()
        if id(node) in seen:
            return True
        seen.add(id(node))
        if isinstance(node, yaml.MappingNode):
            left += [part for pair in node.value for part in pair]
        elif isinstance(node, yaml.SequenceNode):
            left += node.value
    return False


def _edited(text: str, root: yaml.MappingNode, values: Mapping[str, Any]) -> str:
    edits = _of_mapping(text, root, _read(text), values)
    for start, end, new in sorted(edits, key=lambda edit: edit[:2], reverse=True):
        before, after = text[:start], text[end:]
        if not new and before.endswith("\n\n") and after.startswith("\n"):
            after = after[1:]
        text = before + new + after
    return text.rstrip("\n") + "\n"


def _of_mapping(text: str, node: yaml.MappingNode, old: Mapping[str, Any], new: Mapping[str, Any]) -> list[_Edit]:
    """The edits of a block mapping. An edit inside a value precedes an insertion after it, and stands before it."""
    edits: list[_Edit] = []
    after: dict[str | None, int] = {None: _line_start(text, node.start_mark.index)}
    indent = " " * node.start_mark.column
    for key_node, value_node in node.value:
        key, (start, end) = key_node.value, (key_node.start_mark.index, _content_end(key_node, value_node))
        after[key] = _next_line(text, end)
        if key not in new:
            edits.append((_with_comment(text, start), after[key], ""))
        elif old[key] != new[key]:
            block = isinstance(value_node, yaml.MappingNode) and not value_node.flow_style
            if block and isinstance(new[key], Mapping) and new[key]:
                edits += _of_mapping(text, value_node, old[key], new[key])
            else:
                colon = text.index(":", key_node.end_mark.index) + 1
                edits.append((colon, max(end, colon), f" {_flow(new[key])}"))
    inserted: dict[int, str] = {}
    place = after[None]
    for key in new:
        if key in old:
            place = after[key]
        else:
            inserted[place] = inserted.get(place, "") + f"{indent}{_flow(key)}: {_flow(new[key])}\n"
    # Of insertions at one place, the first is applied first and so comes to stand last.
    return [*((place, place, lines) for place, lines in inserted.items()), *edits]


def _flow(value: Any) -> str:
    """The value on one line."""
    text = yaml.safe_dump(value, sort_keys=False, allow_unicode=True, width=float("inf"), default_flow_style=True)
    return text.removesuffix("\n").removesuffix("\n...")


def _content_end(key: yaml.Node, node: Any) -> int:
    """Where the last character of a value is. PyYAML ends a block collection where the next token begins."""
    while isinstance(node, yaml.CollectionNode) and not node.flow_style and node.value:
        key, node = node.value[-1] if isinstance(node, yaml.MappingNode) else (node.value[-1], node.value[-1])
    return max(int(key.end_mark.index), int(node.end_mark.index) - (getattr(node, "style", None) in ("|", ">")))


def _line_start(text: str, index: int) -> int:
    return text.rfind("\n", 0, index) + 1


def _next_line(text: str, index: int) -> int:
    end = text.find("\n", index)
    return len(text) if end < 0 else end + 1


def _with_comment(text: str, index: int) -> int:
    """Start of the lines of a key with the comment lines directly above that have its indentation."""
    start = _line_start(text, index)
    indent = text[start:index]
    while start and text[_line_start(text, start - 1) : start].startswith(f"{indent}#"):
        start = _line_start(text, start - 1)
    return start
