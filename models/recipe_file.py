"""Reads a recipe file. Whatever is wrong with it ends in one message: file, line, key, expected, received, nearest name."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pydantic
import yaml

from models import recipe_checks
from models.errors import InputError
from models.locations import is_url
from models.recipe import Recipe
from models.registry import known

Location = tuple[str | int, ...]

_TOO_DEEP = "no recipe: its lists and mappings are nested too deeply, or an alias stands inside of what it names."


def load_recipe(
    path: str | Path,
    overrides: Sequence[str] = (),
    data: str | Path | None = None,
    parts: Mapping[str, Path] | None = None,
) -> Recipe:
    """The recipe in a file, with overrides applied, every name checked and its paths made absolute.

    Args:
        path: the YAML file.
        overrides: texts "section.key=value"; the value is read as YAML.
        data: the folder or URL of the data files, instead of the recipe's `data`; relative to the working directory.
        parts: sections that stand in files of their own, instead of the recipe's: {"kubeflow.schedule": file}.

    Raises:
        InputError: everything that is wrong with the recipe, each with its file, line and key.
    """
    path = Path(path)
    document, lines = _parse(_read(path), path)
    origin = dict.fromkeys(lines, "")
    for name, file in (parts or {}).items():
        part, part_lines = _parse(_read(file), file)
        keys = tuple(name.split("."))
        _put(document, keys, part, f"{file}")
        origin.update({(*keys, *location): f"{file}:{line}" for location, line in part_lines.items()})
    for override in overrides:
        _override(document, override, origin)
    source = _Source(path, document, lines, origin)
    try:
        recipe = Recipe.model_validate(document)
    except pydantic.ValidationError as error:
        problems = sorted((source.describe(detail) for detail in error.errors()), key=lambda problem: problem[0])
        raise InputError("\n".join(dict.fromkeys(message for _, message in problems))) from None
    try:
        recipe = recipe.model_copy(
            update={
                "data": _absolute(Path(), str(data)) if data is not None else _absolute(path.parent, recipe.data),
                "validation": _absolute_schema(recipe, path),
            }
        )
    except ValueError as error:
        raise InputError(f"{path}: 'data' or 'validation.schema' cannot be the name of a file: {error}.") from None
    if found := recipe_checks.problems(recipe):
        raise InputError("\n".join(f"{source.place(location)}{message}" for location, message in found))
    return recipe


def schema_text() -> str:
    """The JSON Schema of a recipe, for editors: what `recipes/recipe.schema.json` holds."""
    schema = Recipe.model_json_schema(by_alias=True)
    schema["$schema"] = "https://json-schema.org/draft/2020-12/schema"
    return json.dumps(schema, indent=1, ensure_ascii=False, sort_keys=True) + "\n"


def _absolute(folder: Path, data: str) -> str:
    return data if is_url(data) else str((folder / data).resolve())


def _absolute_schema(recipe: Recipe, path: Path) -> Any:
    validation = recipe.validation
    if validation.schema_path is None:
        return validation
    return validation.model_copy(update={"schema_path": str((path.parent / validation.schema_path).resolve())})


def _read(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8")
    except FileNotFoundError:
        nearby = sorted(str(other) for other in path.parent.glob("*.yaml")) if path.parent.is_dir() else []
        raise InputError(f"{path}: no such recipe file. {known(str(path), nearby)}") from None
    except (OSError, UnicodeDecodeError) as error:
        raise InputError(f"{path}: cannot be read as a UTF-8 text file: {error}") from None


def _parse(text: str, path: Path) -> tuple[dict[str, Any], dict[Location, int]]:
    """The document as plain values, and the line of each key and item."""
    try:
        root = yaml.compose(text, Loader=yaml.SafeLoader)
    except yaml.MarkedYAMLError as error:
        line = error.problem_mark.line + 1 if error.problem_mark else 1
        raise InputError(
            f"{path}:{line}: no valid YAML: {error.problem}. Check the indentation and the quotes."
        ) from None
    except yaml.YAMLError as error:
        raise InputError(f"{path}: no valid YAML: {error}") from None
    except RecursionError:
        raise InputError(f"{path}: {_TOO_DEEP}") from None
    if root is None:
        raise InputError(f"{path}: the file is empty; expected a recipe. docs/recipe.md explains every key.")
    lines: dict[Location, int] = {}
    constructor = yaml.SafeLoader("")

    def construct(node: yaml.Node) -> Any:
        try:
            return constructor.construct_object(node, deep=True)
        except (yaml.YAMLError, RecursionError):
            raise
        except Exception:  # PyYAML's constructors fail in many ways: ValueError, KeyError, AttributeError
            kind = node.tag.rpartition(":")[2]
            raise InputError(
                f"{path}:{node.start_mark.line + 1}: {str(node.value)[:80]!r} looks like a value of YAML's type {kind}, but "
                "is none. If it is a text, put it in quotes."
            ) from None

    def convert(node: yaml.Node, location: Location) -> Any:
        lines.setdefault(location, node.start_mark.line + 1)
        if isinstance(node, yaml.MappingNode):
            values: dict[Any, Any] = {}
            for key_node, value_node in node.value:
                key = construct(key_node)
                if isinstance(key, list | dict | set):
                    raise InputError(
                        f"{path}:{key_node.start_mark.line + 1}: expected a text as key, received {key!r}. "
                        "Check the braces and brackets."
                    )
                here = (*location, key)
                if key in values:
                    raise InputError(
                        f"{path}:{key_node.start_mark.line + 1}: {'.'.join(map(str, here))}: the key stands twice, "
                        f"first on line {lines[here]}. Keep one."
                    )
                lines[here] = key_node.start_mark.line + 1
                values[key] = convert(value_node, here)
            return values
        if isinstance(node, yaml.SequenceNode):
            return [convert(item, (*location, index)) for index, item in enumerate(node.value)]
        return construct(node)

    try:
        document = convert(root, ())
    except RecursionError:
        raise InputError(f"{path}: {_TOO_DEEP}") from None
    except yaml.MarkedYAMLError as error:
        line = error.problem_mark.line + 1 if error.problem_mark else 1
        raise InputError(f"{path}:{line}: no valid YAML value: {error.problem}.") from None
    if not isinstance(document, dict):
        raise InputError(
            f"{path}:1: expected a mapping of sections (name, logs, features, tasks ...), received {document!r}."
        )
    return document, lines


def _override(document: dict[str, Any], override: str, origin: dict[Location, str]) -> None:
    name, equals, text = override.partition("=")
    if not equals or not name.strip():
        raise InputError(f"--set {override}: expected section.key=value, such as --set model.architecture=ple.")
    try:
        value = yaml.safe_load(text)
    except Exception:  # PyYAML fails in many ways, see `_parse`
        raise InputError(f"--set {override}: the value is no valid YAML; put it in quotes.") from None
    keys = tuple(name.strip().split("."))
    _put(document, keys, value, f"--set {override}")
    origin[keys] = f"--set {override}"


def _put(document: dict[str, Any], keys: tuple[str, ...], value: Any, where: str) -> None:
    """Writes the value at a key, with the sections around it where there are none."""
    place: Any = document
    for key in keys[:-1]:
        if place.get(key) is None:
            place[key] = {}
        place = place[key]
        if not isinstance(place, dict):
            raise InputError(f"{where}: {key!r} is a single value in the recipe, it has no {keys[-1]!r} inside.")
    place[keys[-1]] = value


class _Source:
    """Where each key of a document was written."""

    def __init__(
        self, path: Path, document: Any, lines: Mapping[Location, int], origin: Mapping[Location, str]
    ) -> None:
        self._path, self._document, self._lines, self._origin = path, document, lines, origin
        self._schema = Recipe.model_json_schema(by_alias=True)

    def place(self, location: Location) -> str:
        """ "file:line: section.key: ", or the `--set` that wrote it."""
        for end in range(len(location), -1, -1):
            if self._origin.get(location[:end]):
                return f"{self._origin[location[:end]]}: "
        line = next(
            self._lines[location[:end]] for end in range(len(location), -1, -1) if location[:end] in self._lines
        )
        dotted = ".".join(map(str, location))
        return f"{self._path}:{line}: {dotted + ': ' if dotted else ''}"

    def describe(self, detail: Any) -> tuple[int, str]:
        """One of pydantic's findings in our words, with its line for sorting."""
        location, schema = self._walk(detail["loc"])
        kind, received = detail["type"], detail["input"]
        if kind == "extra_forbidden":
            message = f"unknown key {location[-1]!r}; {known(str(location[-1]), schema.get('properties', {}))}"
        elif kind == "missing":
            missing = detail["loc"][-1]
            field = schema.get("properties", {}).get(missing, {})
            message = f"the key {missing!r} is missing. {self._deref(field).get('description', '')}{_example(field)}"
        elif kind == "union_tag_not_found":
            message = f"the key 'kind' is missing; {known('', self._kinds(schema))}"
        elif kind == "union_tag_invalid":
            message = f"unknown kind {detail['ctx']['tag']!r}; {known(detail['ctx']['tag'], self._kinds(schema))}"
        elif kind == "string_pattern_mismatch":
            message = (
                f"expected a name of letters, digits and underscores that starts with a letter; received {received!r}."
            )
        elif kind in ("enum", "literal_error"):
            allowed = self._deref(schema).get("enum", [])
            message = f"received {received!r}; " + (
                known(str(received), allowed) if allowed else f"expected {detail['ctx']['expected']}."
            )
        else:
            reason = str(detail["ctx"]["error"]) if kind == "value_error" else detail["msg"]
            message = f"{reason}{'' if kind == 'value_error' else f'; received {received!r}'}.{_example(schema)}"
        line = next(
            (self._lines[location[:end]] for end in range(len(location), -1, -1) if location[:end] in self._lines), 0
        )
        return line, f"{self.place(location)}{message}"

    def _kinds(self, schema: Mapping[str, Any]) -> list[str]:
        return list(schema.get("discriminator", {}).get("mapping", {}))

    def _deref(self, schema: Mapping[str, Any]) -> Mapping[str, Any]:
        while "$ref" in schema:
            schema = self._schema["$defs"][schema["$ref"].rpartition("/")[2]]
        return schema

    def _walk(self, loc: Sequence[Any]) -> tuple[Location, Mapping[str, Any]]:
        """The place in the document, and the schema there (for a missing or unknown key: of the section around it)."""
        location: Location = ()
        value, schema = self._document, self._deref(self._schema)
        for part in loc:
            if (isinstance(value, dict) and part in value) or (
                isinstance(value, list) and isinstance(part, int) and part < len(value)
            ):
                named = schema.get("properties", {}).get(part)
                patterned = next(iter(schema.get("patternProperties", {}).values()), None)
                inner = named or patterned or schema.get("additionalProperties") or schema.get("items")
                location, value = (*location, part), value[part]
                if isinstance(inner, Mapping):
                    schema = self._choose(inner, value)
        return location, schema

    def _choose(self, schema: Mapping[str, Any], value: Any) -> Mapping[str, Any]:
        """The schema itself, or of several the one that fits the value's kind."""
        described = schema
        schema = self._deref(schema)
        kinds = schema.get("discriminator", {}).get("mapping", {})
        if isinstance(value, dict) and isinstance(value.get("kind"), str) and value["kind"] in kinds:
            return self._deref({"$ref": kinds[value["kind"]]})
        for branch in schema.get("anyOf", ()):
            resolved = self._deref(branch)
            if isinstance(value, dict) == ("properties" in resolved) and resolved.get("type") != "null":
                return {**resolved, **{key: described[key] for key in ("examples",) if key in described}}
        return {**schema, **{key: described[key] for key in ("examples",) if key in described}}


def _example(schema: Mapping[str, Any]) -> str:
    examples = schema.get("examples")
    return f" Example: {json.dumps(examples[0], ensure_ascii=False)}." if examples else ""
