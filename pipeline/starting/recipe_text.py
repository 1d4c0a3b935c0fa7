"""The text of a recipe with the reasons as comments."""

from __future__ import annotations

import textwrap
from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import Any

import yaml

from models.recipe.units import format_duration
from pipeline.starting.complete import Complete
from pipeline.starting.features import FoundFeature
from pipeline.starting.joins import Join
from pipeline.starting.labelled import FoundExamples
from pipeline.starting.sampling import Sample
from pipeline.starting.streams import FoundStream
from pipeline.starting.times import FoundTime
from pipeline.starting.windows import FoundTask, FoundTasks

_WIDTH = 130


def flow(value: Any) -> str:
    """A value of YAML on one line. Line breaks and the like in a text are escaped."""
    text = _dumped(value, escaped=False)
    return text if yaml.safe_load(text) == value else _dumped(value, escaped=True)


def _dumped(value: Any, escaped: bool) -> str:
    text: str = yaml.safe_dump(value, default_flow_style=True, sort_keys=False, allow_unicode=not escaped, width=10**9)
    return text.strip().removesuffix("...").strip()


def comment(text: str, indent: int = 0) -> list[str]:
    """The text as lines of a comment. Control characters are escaped."""
    plain = "".join(mark if mark.isprintable() else repr(mark)[1:-1] for mark in text)
    return textwrap.wrap(
        plain, _WIDTH, initial_indent=" " * indent + "# ", subsequent_indent=" " * indent + "# ", break_long_words=False
    )


def unsure(text: str, indent: int = 0) -> list[str]:
    """The alternatives of a decision as a comment; no line for ""."""
    return comment(f"UNSURE: {text}.", indent) if text else []


def header(name: str, data: str, samples: Sequence[Sample], notes: Iterable[str]) -> list[str]:
    """The first lines: what was looked at, and what is not read."""
    lines = comment(
        "Written by gatewise init. A comment gives the reason for what follows it; UNSURE marks what to check."
    )
    for sample in samples:
        rows, of = sample.frame.height, sample.total
        said = f"all {of:,} rows" if rows == of else f"a sample of {rows:,} of {of:,} rows"
        lines += comment(f"{sample.source.path}: {said}.")
    for note in notes:
        lines += comment(note)
    return [*lines, f"name: {flow(name)}", f"data: {flow(data)}", ""]


def of_logs(join: Join, tasks: FoundTasks, complete: Complete, valued: Collection[str]) -> list[str]:
    """The sections `logs` and `split`. The streams in `valued` have a regression task on their value."""
    impressions = join.impressions
    lines = ["logs:", *unsure(join.unsure, 2), f"  impressions: {impressions.name}", "  streams:"]
    used = [impressions, *(task.stream for task in tasks.tasks)]
    worst = max(task.orphans for task in tasks.tasks)
    for stream in used:
        value = next((task.value for task in tasks.tasks if task.stream is stream and stream.name in valued), None)
        if stream is not impressions:
            share = join.contained[stream.name]
            lines += comment(f"{stream.rows:,} rows; the impressions have the keys of {share:.1%} of them.", 4)
        lines += _stream(stream, join.keys[stream.name], value)
    dropped = {**join.left_out, **tasks.left_out}
    for name, why in dropped.items():
        lines += comment(f"The stream {name} is left out: {why}.", 2)
    if complete.as_of is not None:
        lines += comment(f"{_first_upper(complete.note)}, as from a clock that runs ahead.", 2)
        lines += unsure(
            "as_of is the end of the other rows. Alternative: the moment up to which the logs are complete", 2
        )
        lines.append(f"  as_of: {flow(complete.as_of)}")
    if worst > 0.4:
        limit = min(1.0, round(worst + 0.05, 2))
        lines += comment(f"Up to {worst:.1%} of a stream's outcomes have no impression before them.", 2)
        lines += [f"  limits: {{orphans: {limit}}}"]
    lines += [
        "",
        *comment(f"By time, the newest impressions are the eval split. {_first_upper(tasks.note)}."),
    ]
    return [*lines, f"split: {{validate_fraction: 0.1, eval_fraction: {tasks.eval_share}}}", ""]


def of_examples(examples: FoundExamples) -> list[str]:
    """The sections `examples` and `split`."""
    source = examples.sample.source
    lines = ["examples:", f"  path: {flow(source.path)}"]
    for key, path in (("eval_path", examples.eval_path), ("validate_path", examples.validate_path)):
        if path is not None:
            lines.append(f"  {key}: {flow(path)}")
    lines += _dialect(examples.sample, 2)
    if examples.time is not None:
        lines += _time(examples.time, 2)
    if examples.weight is not None:
        lines += unsure(
            f"{examples.weight} may be the weight of the examples. Alternative: weight: {flow(examples.weight)}", 2
        )
    split = {} if examples.validate_path else {"validate_fraction": 0.1}
    if examples.eval_path is None:
        split["eval_fraction"] = 0.2
    how = "by time" if examples.time is not None else "by a hash of the row"
    divided = f"The examples of `path` are divided {how}." if split else "Each split has its own files."
    return [*lines, "", *comment(divided), f"split: {flow(split)}" if split else "split: {}", ""]


def of_features(features: Sequence[FoundFeature], none: Mapping[str, str]) -> list[str]:
    """The section `features`, and the columns that are no features."""
    lines = ["features:"]
    for feature in features:
        column = {} if feature.column == feature.name else {"column": feature.column}
        side = {} if feature.side == "context" else {"side": feature.side}
        values = dict(feature.values)
        values = {"kind": values.pop("kind"), **column, **side, **values}
        lines += comment(f"{_first_upper(feature.note)}.", 2) + unsure(feature.unsure, 2)
        lines.append(f"  {flow(feature.name)}: {flow(values)}")
    if none:
        lines += comment("Columns that are no features:", 2)
        for name, why in none.items():
            lines += comment(f"  {name}: {why}.", 2)
    return [*lines, ""]


def of_log_tasks(
    tasks: Sequence[FoundTask], values: Mapping[str, Mapping[str, Any]], wanted: Collection[str], asked: bool
) -> list[str]:
    """The section `tasks` of logs.

    Args:
        tasks: the binary tasks.
        values: name of a possible regression task -> its keys.
        wanted: the names of those that the recipe has. The others are comments.
        asked: whether the user has refused the others.
    """
    lines = ["tasks:"]
    for task in tasks:
        name, window = task.stream.name, format_duration(task.window)
        lines += comment(f"{_first_upper(task.note)}. {task.positives:,} sampled impressions have one.", 2)
        lines += unsure(task.unsure, 2)
        lines.append(f"  {name}: {flow({'kind': 'binary', 'outcome': name, 'window': window})}")
        for other, keys in values.items():
            line = f"{other}: {flow(dict(keys))}"
            if keys["outcome"] == name and other in wanted:
                lines.append(f"  {line}")
            elif keys["outcome"] == name and not asked:
                lines += unsure(
                    f"{task.value} may be a task of its own. Alternative: `value: {flow(task.value)}` in the stream {name}, and here",
                    2,
                )
                lines.append(f"  # {line}")
    return [*lines, ""]


def of_label_tasks(examples: FoundExamples) -> list[str]:
    """The section `tasks` of labelled examples."""
    lines = ["tasks:"]
    for label in examples.labels:
        of = {"column": label.column} | ({"positive": list(label.positive)} if label.positive else {})
        lines += comment(f"{_first_upper(label.note)}.", 2) + unsure(label.unsure, 2)
        lines.append(f"  {label.task}: {flow({'kind': label.kind, 'label': of})}")
    return [*lines, ""]


def of_score(tasks: Sequence[str]) -> list[str]:
    """The served score, as a comment: the recipe's default, and an alternative if there are several tasks."""
    if len(tasks) < 2:
        return []
    score = " + ".join(tasks)
    return [
        *comment(f"The served score is the first task, {tasks[0]}. To weigh several, write:"),
        f"# serving: {{score: {score}}}",
    ]


def of_evaluation(slices: Sequence[str], group_key: str | None) -> list[str]:
    """The section `evaluation`."""
    keys: dict[str, Any] = {}
    if slices:
        keys["slices"] = [[column] for column in slices]
    if group_key is not None:
        keys["group_key"] = group_key
    return ["evaluation:", *(f"  {key}: {flow(value)}" for key, value in keys.items())] if keys else []


def _stream(stream: FoundStream, key: Sequence[str], value: str | None) -> list[str]:
    lines = [f"    {stream.name}:", f"      path: {flow(stream.sample.source.path)}", *_dialect(stream.sample, 6)]
    if stream.where is not None:
        lines.append(f"      where: {flow({stream.where[0]: [stream.where[1]]})}")
    lines += [f"      key: {flow(list(key))}", *_time(stream.time, 6)]
    if stream.event_id is not None:
        lines.append(f"      event_id: {flow(stream.event_id)}")
    if value is not None:
        lines.append(f"      value: {flow(value)}")
    return lines


def _dialect(sample: Sample, indent: int) -> list[str]:
    lines = []
    if sample.delimiter != ",":
        lines.append(f"csv: {flow({'delimiter': sample.delimiter})}")
    if sample.nulls:
        lines.append(f"nulls: {flow(list(sample.nulls))}")
    return [" " * indent + line for line in lines]


def _time(time: FoundTime, indent: int) -> list[str]:
    values = {"column": time.column, "unit": time.unit} | ({"zone": time.zone} if time.zone else {})
    lines = comment(f"{_first_upper(time.note)}.", indent) + unsure(time.unsure, indent)
    return [*lines, f"{' ' * indent}time: {flow(values)}"]


def _first_upper(text: str) -> str:
    return text[:1].upper() + text[1:]
