"""Reads a recipe file. An error message has file, line, key, expected and received value, and the nearest name."""

from __future__ import annotations

import functools
import json
import logging
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pydantic

from models.recipe import checks, findings, yaml_document
from models.recipe.errors import InputError, shown
from models.recipe.locations import is_url
from models.recipe.recipe import Recipe
from models.recipe.registry import known
from models.recipe.renamed_keys import new_names, rename_keys
from models.recipe.section import DATA
from models.recipe.yaml_document import Document, Location

logger = logging.getLogger(__name__)

_JSON_TYPES: dict[type, str] = {bool: "boolean", int: "number", float: "number"}

_SCALARS = {"string": "a text", "number": "a number", "boolean": "a truth value"}
"""Description of each JSON type of a data value."""

_LISTED = 50
"""Maximum number of problems in a message."""

_DESCRIBED = 1000
"""Maximum number of pydantic errors that are described: the search for the nearest name takes time."""


def load_recipe(
    path: str | Path,
    overrides: Sequence[str] = (),
    data: str | Path | None = None,
    parts: Mapping[str, Path] | None = None,
) -> Recipe:
    """Loads a recipe, applies overrides, checks all names and makes paths absolute.

    Args:
        path: the YAML file.
        overrides: strings "section.key=value". The value is YAML.
        data: folder or URL of the data files, in place of the recipe's `data`. Relative to the working directory.
        parts: files of sections that replace the recipe's sections: {"kubeflow.schedule": file}.

    Raises:
        InputError: the recipe has errors. The message lists all of them, each with file, line and key.
    """
    path = Path(path)
    source = _sourced(path, overrides, parts or {})
    problems = source.misread()
    try:
        recipe = Recipe.model_validate(source.document.value)
    except pydantic.ValidationError as error:
        refused = {location for location, _ in problems}
        details = error.errors(include_url=False, include_context=True)
        found = [source.describe(detail) for detail in details[:_DESCRIBED] if not _follows(detail)]
        problems += [(location, message) for location, message in found if location not in refused]
    if problems:
        raise InputError(source.listed(problems))
    try:
        recipe = recipe.model_copy(
            update={
                "data": _absolute(Path(), str(data)) if data is not None else _absolute(path.parent, recipe.data),
                "validation": _absolute_schema(recipe, path),
            }
        )
    except ValueError as error:
        raise InputError(f"{path}: 'data' or 'validation.schema' cannot be the name of a file: {error}.") from None
    if found := checks.problems(recipe):
        raise InputError(source.listed(found, sort=False))
    return recipe


def written_values(path: str | Path, overrides: Sequence[str] = ()) -> dict[str, Any]:
    """The values of a recipe file with overrides, as they are written there, unchecked. Old names of keys become the new ones.

    Raises:
        InputError: the file or an override cannot be read.
    """
    return dict(_sourced(Path(path), overrides, {}).document.value)


def schema_text() -> str:
    """JSON Schema of a recipe, for editors: the content of `recipes/recipe.schema.json`."""
    schema = Recipe.model_json_schema(by_alias=True)
    schema["$schema"] = "https://json-schema.org/draft/2020-12/schema"
    return json.dumps(schema, indent=1, ensure_ascii=False, sort_keys=True) + "\n"


def _sourced(path: Path, overrides: Sequence[str], parts: Mapping[str, Path]) -> _Source:
    document = _parse(path)
    origin: dict[Location, str] = dict.fromkeys(document.lines, "")
    for name, file in parts.items():
        part = _parse(file)
        keys = tuple(name.split("."))
        _put(document, keys, part, f"{file}")
        origin.update({(*keys, *location): f"{file}:{line}" for location, line in part.lines.items()})
    source = _Source(path, document, origin)
    for override in (None, *overrides):
        if override is not None:
            _override(document, override, origin)
        for message in rename_keys(document, origin, source.place):
            logger.warning("%s", message)
    return source


@functools.cache
def _schema() -> dict[str, Any]:
    return Recipe.model_json_schema(by_alias=True)


def _absolute(folder: Path, data: str) -> str:
    return data if is_url(data) else str((folder / data).resolve())


def _absolute_schema(recipe: Recipe, path: Path) -> Any:
    validation = recipe.validation
    if validation.schema_path is None:
        return validation
    return validation.model_copy(update={"schema_path": str((path.parent / validation.schema_path).resolve())})


def _parse(path: Path) -> Document:
    """Parses a file whose document is a mapping."""
    document = yaml_document.parse(yaml_document.read(path), lambda line: f"{path}:{line}" if line else f"{path}")
    if document is None:
        raise InputError(f"{path}: the file is empty; expected a recipe. See docs/recipe.md for all keys.")
    if not isinstance(document.value, dict):
        raise InputError(
            f"{path}:1: expected a mapping of sections (name, logs, features, tasks ...), received "
            f"{shown(document.value)}."
        )
    return document


def _override(document: Document, override: str, origin: dict[Location, str]) -> None:
    name, equals, text = override.partition("=")
    where = f"--set {override}"
    keys = tuple(name.strip().split("."))
    if not equals or not all(keys):
        raise InputError(f"{where}: expected section.key=value, such as --set model.architecture=ple.")
    part = yaml_document.parse_option(text, where)
    if keys != (new := new_names(keys)):
        logger.warning("%s: the key was renamed to %s; the old name still works.", where, ".".join(new))
    _put(document, new, part, where)
    origin[new] = where


def _put(document: Document, keys: tuple[str, ...], part: Document, where: str) -> None:
    """Writes the part at a key, and creates missing sections around it."""
    place: Any = document.value
    for key in keys[:-1]:
        if place.get(key) is None:
            place[key] = {}
        place = place[key]
        if not isinstance(place, dict):
            kind = "list" if isinstance(place, list) else "single value"
            raise InputError(
                f"{where}: {key!r} is a {kind} in the recipe and has no key {keys[-1]!r}. Set the whole {kind}."
            )
    place[keys[-1]] = part.value
    for location in [location for location in document.written if location[: len(keys)] == keys]:
        del document.written[location]
    document.written.update({(*keys, *location): text for location, text in part.written.items()})


class _Source:
    """The location of each key of a document in its files and options."""

    def __init__(self, path: Path, document: Document, origin: dict[Location, str]) -> None:
        self._path, self.document, self.origin = path, document, origin
        self._lines = document.lines
        self._schema = _schema()

    def misread(self) -> list[tuple[Location, str]]:
        """Values that YAML reads differently from how they are written: [NO, SE] as [false, "SE"], 010 as 8."""
        found = []
        for location, written in self.document.written.items():
            place, schema = self._walk(location)
            value = _at(self.document.value, location)
            if place != location:
                continue
            if schema.get("format") == DATA and not yaml_document.is_text_of(written, value):
                meant = _JSON_TYPES.get(type(value)) in schema["type"]
                found.append((location, yaml_document.misread(written, value, or_value=meant)))
            elif schema.get("type") != "string" and (message := yaml_document.another_base(written, value)):
                found.append((location, message))
        return found

    def listed(self, problems: Sequence[tuple[Location, str]], sort: bool = True) -> str:
        """The message of all problems with their locations, in line order, up to _LISTED."""
        ordered = sorted(problems, key=lambda problem: self._line(problem[0])) if sort else problems
        messages = list(dict.fromkeys(f"{self.place(location)}{message}" for location, message in ordered))
        return "\n".join(messages[:_LISTED] + ["... and more."] * (len(messages) > _LISTED))

    def _line(self, location: Location) -> int:
        ends = range(len(location), -1, -1)
        return next((self._lines[location[:end]] for end in ends if location[:end] in self._lines), 0)

    def place(self, location: Location) -> str:
        """ "file:line: section.key: ", or the `--set` that wrote it."""
        for end in range(len(location), -1, -1):
            if self.origin.get(location[:end]):
                return f"{self.origin[location[:end]]}: "
        line = self._line(location)
        dotted = ".".join(map(str, location))
        return f"{self._path}:{line}: {dotted + ': ' if dotted else ''}"

    def describe(self, detail: Any) -> tuple[Location, str]:
        """Location and message of a pydantic error."""
        location, schema = self._walk(detail["loc"])
        kind, received = detail["type"], detail["input"]
        if kind == "string_type" and location in self.document.written:
            message = yaml_document.misread(self.document.written[location], received, or_value=False)
        elif schema.get("format") == DATA and kind.endswith("_type"):
            kinds = " or ".join(_SCALARS[name] for name in schema["type"] if name in _SCALARS)
            message = f"expected {kinds}; received {shown(received)}.{_example(schema)}"
        elif kind == "extra_forbidden":
            message = f"unknown key {location[-1]!r}; {known(str(location[-1]), schema.get('properties', {}))}"
        elif kind == "missing":
            missing = detail["loc"][-1]
            field = schema.get("properties", {}).get(missing, {})
            message = f"the key {missing!r} is missing. {self._deref(field).get('description', '')}{_example(field)}"
        elif kind == "union_tag_not_found":
            message = f"the key 'kind' is missing; {known('', self._kinds(schema))}"
        elif kind == "union_tag_invalid":
            message = f"unknown kind {shown(detail['ctx']['tag'])}; {known(detail['ctx']['tag'], self._kinds(schema))}"
        elif kind == "string_pattern_mismatch":
            message = f"expected a name of letters, digits and underscores that starts with a letter; received {shown(received)}."
        elif kind in ("enum", "literal_error"):
            allowed = self._deref(schema).get("enum", [])
            message = f"received {shown(received)}; " + (
                known(str(received), allowed) if allowed else f"expected {detail['ctx']['expected']}."
            )
        else:
            said = "" if kind == "value_error" else f"; received {shown(received)}"
            message = f"{findings.in_words(detail)}{said}.{_example(schema)}"
        return location, message

    def _kinds(self, schema: Mapping[str, Any]) -> list[str]:
        return list(schema.get("discriminator", {}).get("mapping", {}))

    def _deref(self, schema: Mapping[str, Any]) -> Mapping[str, Any]:
        while "$ref" in schema:
            schema = self._schema["$defs"][schema["$ref"].rpartition("/")[2]]
        return schema

    def _walk(self, loc: Sequence[Any]) -> tuple[Location, Mapping[str, Any]]:
        """Location in the document and its schema. For a missing or unknown key, those of the section around it."""
        location: Location = ()
        value, schema = self.document.value, self._deref(self._schema)
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
        """The schema, or the alternative that matches the value's kind."""
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


def _follows(detail: Mapping[str, Any]) -> bool:
    """Whether a list is too short only because of invalid items, which are reported separately."""
    return detail["type"] == "too_short" and len(detail["input"]) > detail["ctx"]["actual_length"]


def _at(value: Any, location: Location) -> Any:
    for part in location:
        value = value[part]
    return value
