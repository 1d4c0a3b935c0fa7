"""From a folder of logs to the text of a recipe."""

from __future__ import annotations

import dataclasses
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from models.recipe.errors import InputError
from models.recipe.file import load_recipe
from models.recipe.recipe import Recipe
from models.recipe.units import format_duration
from pipeline.starting import recipe_text as text
from pipeline.starting import words
from pipeline.starting.answers import Answers, refuse
from pipeline.starting.complete import complete
from pipeline.starting.features import find_features, slices
from pipeline.starting.joins import find_join
from pipeline.starting.labelled import find_examples, split_files
from pipeline.starting.sampling import MOST_ROWS, Sample, columns, head, sampled, thinned
from pipeline.starting.sources import find_sources, plain_name
from pipeline.starting.streams import AT, event_column, find_streams
from pipeline.starting.times import time_columns, unreadable_time
from pipeline.starting.windows import LABEL, FoundTask, find_tasks


@dataclasses.dataclass(frozen=True, kw_only=True)
class Start:
    """What `gatewise init` writes.

    Attributes:
        text: the recipe.
        recipe: the same, checked.
        samples: the sampled sources.
        unsure: number of decisions to check.
    """

    text: str
    recipe: Recipe
    samples: tuple[Sample, ...]
    unsure: int


def start(folder: Path, data: str, answers: Answers, limit: int = MOST_ROWS, name: str = "") -> Start:
    """Looks at the files of a folder and writes the text of a recipe for them.

    Args:
        folder: the logs.
        data: the recipe's key `data`.
        answers: the options, and the questions on a terminal.
        limit: maximum number of rows of a source that are looked at.
        name: of the recipe; "": that of the folder.

    Raises:
        InputError: a file cannot be read, or a guess could shift labels. The message names the option that decides.
    """
    samples = _samples(folder, answers, limit)
    name = plain_name(name or folder.resolve().name or "logs", ("serving",))
    timed = [sample for sample in samples if _is_timed(sample, answers)]
    mixed = [sample for sample in timed if event_column(sample.frame, answers)]
    if answers.events is not None and not any(answers.events in columns(sample.frame) for sample in samples):
        refuse(str(folder), f"--events: no column is called {answers.events!r}.", (), "--events COLUMN")
    fixed = split_files(samples)
    if answers.labels or (not mixed and (len(timed) < 2 or fixed)):
        lines, looked_at = _examples(name, data, samples, timed, fixed, answers)
    else:
        lines, looked_at = _logs(name, data, samples, answers)
    return _checked("\n".join(lines).rstrip() + "\n", looked_at)


def _is_timed(sample: Sample, answers: Answers) -> bool:
    name, frame = sample.source.name, sample.frame
    return bool(time_columns(frame) or answers.of(answers.time, name) or unreadable_time(frame, name))


def _samples(folder: Path, answers: Answers, limit: int) -> list[Sample]:
    """The sources with columns. All have the same users."""
    heads = [found for found in map(head, find_sources(folder)) if found.frame.width]
    if not heads:
        raise InputError(f"{folder}: the files have no rows. Choose a folder with logs.")
    samples = [sampled(found.source, _user(found, answers), limit) for found in heads]
    every = max(
        (sample.every for sample in samples if _user(sample, answers) and time_columns(sample.frame)), default=1
    )
    return [thinned(sample, every) if _user(sample, answers) and sample.every < every else sample for sample in samples]


def _user(sample: Sample, answers: Answers) -> str | None:
    names = columns(sample.frame)
    return answers.user if answers.user in names else words.user_column(names)


def _logs(name: str, data: str, samples: Sequence[Sample], answers: Answers) -> tuple[list[str], list[Sample]]:
    streams, notes = find_streams(samples, answers)
    answers.check([*(stream.name for stream in streams), *(sample.source.name for sample in samples)])
    known = complete(streams)
    join = find_join(known.streams, answers)
    tasks = find_tasks(join)
    values = _values(tasks.tasks)
    wanted = {
        name: keys
        for name, keys in values.items()
        if answers.choose(f"Shall the model predict {name} of {keys['outcome']}, too?", ["no", "yes"], "no") == "yes"
    }
    if not tasks.tasks:
        said = "; ".join(f"{stream}: {why}" for stream, why in tasks.left_out.items())
        refuse(
            join.impressions.name,
            f"no stream has enough outcomes for a task ({said}).",
            (),
            "--impressions NAME or --key COLUMN,COLUMN",
        )
    used = list(
        {
            id(stream.sample): stream.sample for stream in (join.impressions, *(task.stream for task in tasks.tasks))
        }.values()
    )
    impressions = join.impressions
    roles = {impressions.time.column: "it is the time"}
    if impressions.where:
        roles[impressions.where[0]] = "it selects the stream"
    if impressions.event_id:
        roles[impressions.event_id] = "it is the id of the event"
    labels = {task.stream.name: LABEL + task.stream.name for task in tasks.tasks}
    frame = tasks.labelled
    features, none = find_features(frame, roles, labels, join.user, join.item, answers)
    _require(features, impressions.name)
    lines = text.header(name, data, used, notes)
    lines += text.of_logs(join, tasks, known, {keys["outcome"] for keys in wanted.values()}) + text.of_features(
        features, none
    )
    lines += text.of_log_tasks(tasks.tasks, values, wanted, asked=answers.ask is not None)
    lines += text.of_score([task.stream.name for task in tasks.tasks])
    return lines + text.of_evaluation(slices(features, frame), join.user), used


def _values(tasks: Sequence[FoundTask]) -> dict[str, dict[str, Any]]:
    """Regression tasks on the values of outcomes: name -> keys."""
    found: dict[str, dict[str, Any]] = {}
    names = [task.stream.name for task in tasks]
    for task in tasks:
        if task.value is None:
            continue
        name = task.stream.name
        numbers = task.stream.frame[task.value].drop_nulls()
        keys: dict[str, Any] = {"kind": "regression", "outcome": name, "window": format_duration(task.window)}
        keys["conditioned_on"] = name
        if float(numbers.min() or 0) >= 0:  # type: ignore[arg-type]
            keys["loss"] = "tweedie"  # predicts the mean, as calibration and rmse of the default gates ask for
        found[plain_name(task.value, [*names, *found])] = keys
    return found


def _examples(
    name: str,
    data: str,
    samples: Sequence[Sample],
    timed: Sequence[Sample],
    fixed: tuple[Sample, Sample | None, Sample | None] | None,
    answers: Answers,
) -> tuple[list[str], list[Sample]]:
    train, evaluate, validate = fixed or (_table(samples, timed, answers), None, None)
    answers.check([sample.source.name for sample in samples])
    found = find_examples(train, evaluate, validate, answers)
    used = [sample for sample in (train, evaluate, validate) if sample]
    notes = [f"{sample.source.path} is not read." for sample in samples if sample not in used]
    roles = {label.column: f"it is the label of {label.task}" for label in found.labels}
    if found.time is not None:
        roles[found.time.column] = "it is the time"
    if found.weight is not None:
        roles[found.weight] = "its name is that of a weight"
    user = answers.user or words.user_column(columns(found.frame))
    item = answers.item or words.item_column(columns(found.frame))
    labels = {label.task: LABEL + label.task for label in found.labels if label.kind == "binary"}
    features, none = find_features(found.frame.drop(AT, strict=False), roles, labels, user, item, answers)
    _require(features, train.source.name)
    lines = text.header(name, data, used, notes) + text.of_examples(found)
    lines += text.of_features(features, none) + text.of_label_tasks(found)
    return lines + text.of_evaluation(slices(features, found.frame), user), used


def _table(samples: Sequence[Sample], timed: Sequence[Sample], answers: Answers) -> Sample:
    """The source with the examples: the one with the labels, or the only one with a time, or the only one."""
    labelled = [sample for sample in samples if answers.labels and set(answers.labels) <= set(columns(sample.frame))]
    guessed = [sample for sample in samples if any(words.is_label(column) for column in columns(sample.frame))]
    for few in (labelled, timed, guessed, samples):
        if len(few) == 1:
            return few[0]
    names = ", ".join(sample.source.path for sample in samples)
    if answers.labels and not labelled:
        refuse(names, f"--label: no file has the columns {', '.join(answers.labels)}.", (), "--label COLUMN")
    raise InputError(
        f"{names}: expected event logs (two or more with a time), or one table of labelled examples; several files may be the table. "
        "Put one of them into a folder of its own, or name its label with --label COLUMN."
    )


def _require(features: Sequence[object], where: str) -> None:
    if not features:
        raise InputError(
            f"{where}: no column can be a feature. Expected columns that are known with the impression, such as the item."
        )


def _checked(written: str, samples: Sequence[Sample]) -> Start:
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "recipe.yaml"
        file.write_text(written, encoding="utf-8")
        try:
            recipe = load_recipe(file)
        except InputError as error:
            raise InputError(
                f"the folder needs a recipe by hand, because the one from its columns is refused:\n{error}"
            ) from None
    return Start(text=written, recipe=recipe, samples=tuple(samples), unsure=written.count("# UNSURE:"))
