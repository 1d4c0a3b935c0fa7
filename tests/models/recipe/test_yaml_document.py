"""What YAML 1.1 makes of unquoted texts, and documents that would grow without end."""

from __future__ import annotations

import time
from pathlib import Path

import pytest

from models.recipe import yaml_document
from models.recipe.errors import InputError
from models.recipe.file import load_recipe

RECIPE = """\
name: news
logs:
  impressions: shown
  streams:
    shown:
      path: shown.csv
      key: [reader, article]
      time: {column: at, unit: s}
    read:
      path: read.csv
      key: [reader, article]
      time: {column: at, unit: s}
      where: {country: [SE]}
split: {eval_fraction: 0.2}
features:
  reader: {kind: categorical, side: user}
  hour: {kind: numeric, column: hour}
tasks:
  read: {kind: binary, outcome: read, window: 30m, gates: [{metric: auc, at_least: 0.5, slice: {reader: u1}}]}
evaluation: {slices: [[reader]]}
"""

LABELLED = """\
name: census
examples: {path: a.csv}
split: {eval_fraction: 0.2}
features: {age: {kind: numeric}}
tasks:
  income: {kind: binary, label: {column: income, positive: [rich]}}
"""

MISREAD = {
    "NO": "the truth value false",
    "yes": "the truth value true",
    "Off": "the truth value false",
    "True": "the truth value true",
    "007": "the number 7",
    "0x1F": "the number 31",
    "0b11": "the number 3",
    "1_000": "the number 1000",
    "12:30": "the number 750",
    "1.10": "the number 1.1",
    "+1": "the number 1",
    "1.": "the number 1.0",
    "2026-01-01": "the value 2026-01-01",
    "~": "null, no value",
    "Null": "null, no value",
    ".inf": "the number inf",
}
"""What was written -> what YAML 1.1 makes of it."""

DATA = {
    "where": (RECIPE, "country: [SE]", "country: [SE, {}]", "logs.streams.read.where.country.1", 13),
    "slice": (RECIPE, "slice: {reader: u1}", "slice: {reader: {}}", "tasks.read.gates.0.slice.reader", 19),
    "positive": (LABELLED, "[rich]", "[{}]", "tasks.income.label.positive.0", 6),
}
TEXTS = {
    "column": (RECIPE, "column: hour", "column: {}", "features.hour.column", 17),
    "key": (
        RECIPE,
        "key: [reader, article]\n      time: {column: at, unit: s}\n    read",
        "key: [reader, {}]\n      time: {column: at, unit: s}\n    read",
        "logs.streams.shown.key.1",
        7,
    ),
    "name": (LABELLED, "name: census", "name: {}", "name", 1),
    "zone": (RECIPE, "unit: s}\n      where", "unit: s, zone: {}}\n      where", "logs.streams.read.time.zone", 12),
    "outcome": (RECIPE, "outcome: read", "outcome: {}", "tasks.read.outcome", 19),
    "slices": (RECIPE, "[[reader]]", "[[reader, {}]]", "evaluation.slices.0.1", 20),
}
KEYS = {
    "where": (RECIPE, "{country: [SE]}", "{? {} : [SE]}", 13),
    "feature": (RECIPE, "  hour:", "  ? {}\n  :", 17),
    "task": (LABELLED, "  income: {kind", "  ? {}\n  : {kind", 6),
    "unknown section": (LABELLED, "split:", "? {}\n: 1\nsplit:", 3),
}


def fails(tmp_path: Path, text: str, *overrides: str) -> str:
    (tmp_path / "recipe.yaml").write_text(text)
    with pytest.raises(InputError) as error:
        load_recipe(tmp_path / "recipe.yaml", overrides)
    return str(error.value)


def changed(base: str, old: str, new: str, written: str) -> str:
    assert base.count(old) == 1
    return base.replace(old, new.replace("{}", written))


@pytest.mark.parametrize("written", MISREAD)
@pytest.mark.parametrize("place", DATA)
def test_a_value_of_data_is_what_was_written(place: str, written: str, tmp_path: Path) -> None:
    base, old, new, key, line = DATA[place]
    message = fails(tmp_path, changed(base, old, new, written))
    assert message.startswith(
        f"{tmp_path}/recipe.yaml:{line}: {key}: {written} without quotes is {MISREAD[written]}, in YAML 1.1. "
        f"Put it in quotes: '{written}'"
    )
    load_text(tmp_path, changed(base, old, new, f"'{written}'"), place)


@pytest.mark.parametrize("written", ["true", "false", "1", "-3", "0.5", "0.0", "SE", "1e3", "08", "=", "<<", "y"])
@pytest.mark.parametrize("place", DATA)
def test_a_value_that_reads_as_it_is_written_is_fine(place: str, written: str, tmp_path: Path) -> None:
    base, old, new, _, _ = DATA[place]
    load_text(tmp_path, changed(base, old, new, written), place)


def load_text(folder: Path, text: str, place: str) -> None:
    (folder / "recipe.yaml").write_text(text)
    load_recipe(folder / "recipe.yaml")


@pytest.mark.parametrize("written", [*(text for text in MISREAD if MISREAD[text][:4] != "null"), "true", "7", "0.5"])
@pytest.mark.parametrize("place", TEXTS)
def test_a_name_is_what_was_written(place: str, written: str, tmp_path: Path) -> None:
    base, old, new, key, line = TEXTS[place]
    message = fails(tmp_path, changed(base, old, new, written))
    assert f"recipe.yaml:{line}: {key}: {written} without quotes is the " in message
    assert f"Put it in quotes: '{written}'." in message


@pytest.mark.parametrize("written", [*MISREAD, "true", "7", "0.5"])
@pytest.mark.parametrize("place", KEYS)
def test_a_key_is_a_text(place: str, written: str, tmp_path: Path) -> None:
    base, old, new, line = KEYS[place]
    message = fails(tmp_path, changed(base, old, new, written))
    assert message.startswith(f"{tmp_path}/recipe.yaml:{line}: ")
    assert f"expected a text as key. {written} without quotes is " in message
    assert message.endswith(f"Put it in quotes: '{written}'.")


@pytest.mark.parametrize("written", MISREAD)
def test_an_override_is_read_by_the_same_rule(written: str, tmp_path: Path) -> None:
    message = fails(tmp_path, RECIPE, f"logs.streams.read.where={{country: [{written}]}}")
    assert message.startswith(f"--set logs.streams.read.where={{country: [{written}]}}: {written} without quotes is")


def test_an_override_replaces_what_was_misread(tmp_path: Path) -> None:
    (tmp_path / "recipe.yaml").write_text(RECIPE.replace("[SE]", "[NO]"))
    recipe = load_recipe(tmp_path / "recipe.yaml", ["logs.streams.read.where={country: ['NO']}"])
    assert recipe.logs is not None and recipe.logs.streams["read"].where == {"country": ("NO",)}


def test_numbers_durations_and_booleans_are_read_as_before(tmp_path: Path) -> None:
    text = RECIPE.replace("at_least: 0.5", "at_least: .50").replace("split: {", "training: {jit_compile: no}\nsplit: {")
    (tmp_path / "recipe.yaml").write_text(text + "logs_: 1\n".replace("logs_: 1\n", ""))
    recipe = load_recipe(tmp_path / "recipe.yaml", ["training.epochs=0x10"])
    assert recipe.tasks["read"].gates[0].at_least == 0.5
    assert (recipe.training.jit_compile, recipe.training.epochs) == (False, 16)


@pytest.mark.parametrize(
    ("override", "words"),
    [
        ("training.epochs=yes", "expected a number, received the truth value true"),
        ("training.learning_rate=on", "expected a number, received the truth value true"),
        ("tasks.read.gates=[{metric: auc, at_least: NO}]", "expected a number, received the truth value false"),
        ("serving.weights={taste: true}", "expected a number, received the truth value true"),
        ("model.options.mmoe.experts=yes", "expected int from 1 to 256, received True"),
        ("model.options.mmoe.units=[yes]", "received [True]"),
        (
            "model.options.mmoe.experts=010",
            "010 is the number 8 in YAML 1.1, because a leading 0 means octal. Write 8 or 10.",
        ),
        ("model.embedding_dim=0_12", "0_12 is the number 10 in YAML 1.1"),
        ("training.learning_rate=12:30", "12:30 is the number 750 in base 60 in YAML 1.1. Write its decimal digits."),
        ("training.clip_norm=1:30.5", "1:30.5 is the number 90.5 in base 60 in YAML 1.1"),
    ],
)
def test_a_number_is_the_one_that_is_written(override: str, words: str, tmp_path: Path) -> None:
    message = fails(tmp_path, RECIPE, override)
    assert message.startswith(f"--set {override}: ") and words in message


@pytest.mark.parametrize(("written", "number"), [("007", 7), ("0x10", 16), ("'12'", 12), ("1_000", 1000), ("+3", 3)])
def test_a_number_in_another_spelling_is_read(written: str, number: int, tmp_path: Path) -> None:
    (tmp_path / "recipe.yaml").write_text(RECIPE)
    assert load_recipe(tmp_path / "recipe.yaml", [f"training.epochs={written}"]).training.epochs == number


@pytest.mark.parametrize(
    ("override", "words"),
    [
        ("logs.streams=7", "expected a mapping (key: value); received 7"),
        ("features.reader=7", "expected a mapping (key: value); received 7"),
        ("evaluation.slices=reader", "expected a list; received 'reader'"),
        ("training.epochs=many", "expected a whole number; received 'many'"),
        ("training.epochs=1.5", "expected a whole number; received 1.5"),
        ("training.jit_compile=7", "expected true or false; received 7"),
        ("training.learning_rate=0", "expected a number above 0.0; received 0"),
        (
            "tasks.read.gates=[{metric: auc, slice: {reader: [u1]}}]",
            "expected a text or a number or a truth value; received",
        ),
        ("logs.streams.read.key=[[reader]]", "expected a text; received ['reader']"),
    ],
)
def test_what_was_expected_is_said_once_and_in_terms_of_yaml(override: str, words: str, tmp_path: Path) -> None:
    (message,) = fails(tmp_path, RECIPE, override).splitlines()
    assert words in message


@pytest.mark.parametrize(
    ("text", "words"),
    [
        (
            RECIPE[:200] + "\0" + RECIPE[200:],
            f"recipe.yaml:{RECIPE[:200].count(chr(10)) + 1}: invalid YAML: the char",
        ),
        (RECIPE + "---\n" + RECIPE, "expected a single document in the stream, but found another document"),
        ("name: " + "[" * 100_000, "nested too deeply"),
        ("name: " + "{a: " * 5_000 + "}" * 5_000, "nested too deeply"),
    ],
    ids=["NUL", "two documents", "brackets", "braces"],
)
def test_what_is_no_recipe_is_refused_at_once(text: str, words: str, tmp_path: Path) -> None:
    started = time.process_time()
    assert words in fails(tmp_path, text)
    assert time.process_time() - started < 1.0


@pytest.mark.parametrize("override", ["..=1", "training.=1", ".epochs=1", "=1", "training..epochs=1"])
def test_an_override_names_each_key(override: str, tmp_path: Path) -> None:
    assert fails(tmp_path, RECIPE, override).startswith(f"--set {override}: expected section.key=value")


def test_an_override_inside_of_a_list_says_that_it_is_one(tmp_path: Path) -> None:
    message = fails(tmp_path, RECIPE, "tasks.read.gates.0.at_least=0.6")
    assert "'gates' is a list in the recipe and has no key 'at_least'. Set the whole list." in message


def test_a_character_above_the_basic_plane_may_be_written_as_json_does(tmp_path: Path) -> None:
    """JSON is YAML, and its libraries write such characters as a pair of surrogates, which no column can be called."""
    assert parsed('a: "\\ud83c\\udf89"').value == {"a": "\U0001f389"}
    assert parsed('"\\ud83c\\udf89": 1').value == {"\U0001f389": 1}
    message = fails(tmp_path, RECIPE + 'description: "\\ud83c"\n')
    assert "has an unpaired surrogate" in message and "Write the character itself." in message


@pytest.mark.parametrize(
    "override",
    [
        "logs.streams.read.event_id=''",
        "logs.streams.read.key=['']",
        "logs.streams.read.path=''",
        "logs.streams.read.where={'': [1]}",
        "logs.streams.read.time.column=''",
        "features.hour.column=''",
        "evaluation.group_key=''",
        "evaluation.slices=[['']]",
        'features.hour.column="a\\0b"',
        'logs.streams.read.path="a\\0b"',
    ],
)
def test_no_column_and_no_file_has_an_empty_name_or_one_with_a_nul(override: str, tmp_path: Path) -> None:
    message = fails(tmp_path, RECIPE, override)
    assert "expected at least 1 characters" in message or "expected a name without the character U+0000" in message


def parsed(text: str) -> yaml_document.Document:
    document = yaml_document.parse(text, lambda line: f"a.yaml:{line}")
    assert document is not None
    return document


def test_merge_keys_and_anchors() -> None:
    """What stands in the mapping itself wins, then the earlier of those merged."""
    text = "a: &a {x: 1, y: 1}\nb: &b {y: 2, z: 2}\nc:\n  <<: [*a, *b]\n  x: 3\nd: *a\ne: {<<: *b, y: 4}\n"
    document = parsed(text)
    assert document.value["c"] == {"x": 3, "y": 1, "z": 2}
    assert document.value["d"] == {"x": 1, "y": 1}
    assert document.value["e"] == {"y": 4, "z": 2}
    assert [document.lines["c", key] for key in "xyz"] == [5, 1, 2]


def test_what_is_merged_must_be_a_mapping() -> None:
    with pytest.raises(InputError, match="a.yaml:2: b.<<: expected an alias"):
        parsed("a: &a [1]\nb: {<<: *a, x: 1}\n")


def doubling(depth: int, pair: str) -> str:
    start = "a0: &a0 {x: 1}\n" if "<<" in pair else "a0: &a0 [1]\n"
    return start + "".join(f"a{i}: &a{i} {pair.replace('%', f'*a{i - 1}')}\n" for i in range(1, depth))


GROWING = {
    "aliases": doubling(60, "[%, %]"),
    "aliases in mappings": doubling(60, "{x: %, y: %}"),
    "merge keys": doubling(60, "{<<: [%, %]}"),
    "many values": "a: [" + "1," * 100_000 + "1]\n",
    "many keys": "".join(f"k{i}: 1\n" for i in range(30_000)),
}


@pytest.mark.parametrize("name", GROWING)
def test_more_values_than_a_recipe_has(name: str, tmp_path: Path) -> None:
    began = time.perf_counter()
    message = fails(tmp_path, GROWING[name])
    assert "more than 20,000 keys, items and values, including those repeated by aliases. Is it a recipe?" in message
    assert len(message) < 500
    assert time.perf_counter() - began < 10  # a second on a free machine; without the bound never


def test_a_file_larger_than_a_recipe(tmp_path: Path) -> None:
    assert "recipe.yaml: larger than 512 KiB, the limit of a recipe" in fails(tmp_path, "# " + "x" * 2**20)


@pytest.mark.parametrize(
    "text",
    [
        "name: " + "x" * 500_000,
        "name: [" + ", ".join(["abcdefghij"] * 15_000) + "]",
        "- " + "x" * 500_000,
        "x" * 500_000,
        "? [" + "x" * 100_000 + "]\n: 1",
        "name: 1\n" + "x" * 100_000 + ": 2",
        "".join(f"key_{i}: 1\n" for i in range(9_000)),
        LABELLED.replace("kind: numeric", f"kind: {'x' * 100_000}"),
        LABELLED.replace("kind: numeric", f"kind: numeric, scale: {'x' * 100_000}"),
        LABELLED.replace("kind: binary", f"kind: binary, window: {'1' * 100_000}d"),
        LABELLED.replace("kind: binary", f"kind: binary, loss: {'x' * 100_000}"),
        LABELLED + f"model: {{architecture: {'x' * 100_000}, options: {{mmoe: {{experts: {'x' * 100_000}}}}}}}\n",
        LABELLED + f"model: {{options: {{mmoe: {{experts: 0x{'F' * 5000}}}}}}}\n",
        LABELLED + f"serving: {{score: {'x' * 100_000}}}\n",
        LABELLED.replace("[rich]", f"[0x{'F' * 3000}]"),
    ],
)
def test_a_message_stays_short_whatever_was_received(text: str, tmp_path: Path) -> None:
    message = fails(tmp_path, text)
    assert max(map(len, message.splitlines())) < 2_200
    assert len(message.splitlines()) <= 60


def test_a_variable_of_the_environment_is_what_was_written(tmp_path: Path) -> None:
    kubeflow = "kubeflow: {image: a, root: /g, data: /d, pipeline_root: s3://b, defaults: {volumes: {/g: c, /d: c}, environment: {A: %}}}\n"
    message = fails(tmp_path, LABELLED + kubeflow.replace("%", "007"))
    assert "recipe.yaml:7: kubeflow.defaults.environment.A: 007 without quotes is the number 7, in YAML 1.1." in message
    assert "Put it in quotes: 'on'." in fails(tmp_path, LABELLED + kubeflow.replace("%", "on"))
    load_text(tmp_path, LABELLED + kubeflow.replace("%", "7"), "")
