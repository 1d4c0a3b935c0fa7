"""Wrong recipes: each ends in one message with file, line, key, what was expected and what to write instead."""

from __future__ import annotations

from pathlib import Path

import pytest

from models.recipe.errors import InputError
from models.recipe.file import load_recipe, schema_text
from pipeline.cli import main
from pipeline.recipe_docs_text import EXAMPLE

RECIPE = """\
name: news
logs:
  impressions: shown
  as_of: '2026-01-15T00:00:00Z'
  streams:
    shown:
      path: shown/*.parquet
      key: [reader, article]
      time: {column: at, unit: ms}
      event_id: shown_id
    read:
      path: read/*.jsonl
      key: [user, article]
      time: {column: time, unit: text, zone: Europe/Vienna}
      value: seconds
split: {eval_last: 1d}
features:
  reader: {kind: categorical, side: user}
  article: {kind: categorical, side: item, embedding: article}
  last_read: {kind: multivalued, side: user, embedding: article}
  age_hours: {kind: numeric, transform: log1p}
  hour: {kind: bucketised, boundaries: [6, 12, 18]}
tasks:
  read: {kind: binary, outcome: read, window: 30m, gates: [{metric: auc, at_least: 0.6}]}
  reading_seconds: {kind: regression, outcome: read, window: 30m, conditioned_on: read}
model: {architecture: mmoe, options: {mmoe: {experts: 4}}}
evaluation: {slices: [[hour]], group_key: reader}
"""
EXAMPLES = "examples: {path: a.parquet}\nsplit: {eval_fraction: 0.2}\n"
AFTER_WINDOW = RECIPE[RECIPE.index("gates: [{metric") :]
LOGS, SPLIT = RECIPE[RECIPE.index("logs:") : RECIPE.index("split:")], "split: {eval_last: 1d}\n"

WRONG = {
    "a gate of an auxiliary task": (
        "gates: [{metric: auc, at_least: 0.6}]}",
        "role: auxiliary, gates: [{metric: auc, at_least: 0.6}]}",
        ["tasks.read.gates: a task with `role: auxiliary` is not measured", "Remove it, or the role."],
    ),
    "auxiliary tasks alone": (
        "gates: [{metric: auc, at_least: 0.6}]}\n  reading_seconds: {",
        "role: auxiliary}\n  reading_seconds: {role: auxiliary, ",
        ["tasks: no task is a main task, so there is nothing to serve. Give one of them `role: main`."],
    ),
    "a task after an adversarial one": (
        "gates: [{metric: auc, at_least: 0.6}]}\n  reading_seconds: {",
        "role: adversarial}\n  reading_seconds: {after: read, ",
        ["tasks.reading_seconds.after: 'read' is an adversarial task, from which no task learns. Name another task"],
    ),
    "an auxiliary task in the score": (
        "conditioned_on: read}\n",
        "conditioned_on: read, role: auxiliary}\nserving: {score: read * reading_seconds}\n",
        ["serving.score: ", "reading_seconds"],
    ),
    "unknown section": ("split:", "splitt:", ["recipe.yaml:16: splitt: unknown key 'splitt'; did you mean 'split'?"]),
    "unknown key": (
        "zone: Europe",
        "zoone: Europe",
        ["recipe.yaml:14: logs.streams.read.time.zoone: unknown key", "did you mean 'zone'?"],
    ),
    "missing key": (
        "      key: [user, article]\n",
        "",
        ["recipe.yaml:11: logs.streams.read: the key 'key' is missing."],
    ),
    "unknown unit": (
        "unit: ms",
        "unit: msec",
        [":9: logs.streams.shown.time.unit: received 'msec'; did you mean 'ms'?"],
    ),
    "format of numbers": (
        "unit: ms",
        "unit: ms, format: '%d.%m.%Y'",
        [":9: logs.streams.shown.time.format: a format applies to text, but `unit: ms` declares", "Write `unit: text`"],
    ),
    "format without codes": (
        "zone: Europe/Vienna",
        "zone: Europe/Vienna, format: DD.MM.YYYY",
        ["expected strptime codes, such as '%d.%m.%Y %H:%M:%S', received 'DD.MM.YYYY'"],
    ),
    "unknown zone": ("Europe/Vienna", "Europe/Wien", ["unknown time zone 'Europe/Wien'; expected an IANA name"]),
    "impressions name no stream": (
        "impressions: shown",
        "impressions: show",
        ["no stream is called 'show'; did you mean 'shown'? Known: read, shown."],
    ),
    "task names a missing stream": (
        "outcome: read, window: 30m, gates",
        "outcome: reads, window: 30m, gates",
        [":24: tasks.read.outcome: no stream is called 'reads'; did you mean 'read'?"],
    ),
    "impression as outcome": (
        "kind: binary, outcome: read",
        "kind: binary, outcome: shown",
        ["an impression cannot be its own outcome"],
    ),
    "unused stream": (
        "  streams:\n",
        "  streams:\n    skip: {path: a.csv, key: [a, b], time: {column: t, unit: s}}\n",
        ["logs.streams.skip: no task uses this stream"],
    ),
    "keys of two lengths": (
        "key: [user, article]",
        "key: [user]",
        [":13: logs.streams.read.key: has 1 columns, the impressions' key has 2 (reader, article)"],
    ),
    "the same rows twice": (
        "path: read/*.jsonl",
        "path: shown/*.parquet",
        ["reads the same rows as the stream 'read'. Separate them with 'where'"],
    ),
    "an outcome and a label": (
        "outcome: read, window: 30m, gates",
        "outcome: read, label: {column: seconds}, window: 30m, gates",
        [
            "tasks.read.label: the task has both an outcome, 'read', and a label, the column 'seconds' of the impressions."
        ],
    ),
    "a window of a label": (
        "outcome: read, window: 30m, gates",
        "label: {column: seconds}, window: 30m, gates",
        [
            "tasks.read.window: the label is the column 'seconds' of the impression, which is known at once. Remove 'window'."
        ],
    ),
    "neither outcome nor label": (
        "outcome: read, window: 30m, gates",
        "gates",
        [
            "tasks.read: the key 'outcome' is missing: the stream of the positive events",
            "A label that the impression itself has is in 'label: {column: ...}'.",
        ],
    ),
    "a number that is one of the values": (
        "outcome: read, window: 30m, conditioned_on: read}",
        "label: {column: seconds, positive: [1]}}",
        ["tasks.reading_seconds.label.positive: a regression task learns the column's number"],
    ),
    "a feature of the label": (
        "outcome: read, window: 30m, conditioned_on: read}",
        "label: {column: age_hours}}",
        [
            "features.age_hours: the column 'age_hours' is the label of the task 'reading_seconds': the feature would leak the "
            "label. Remove the feature, or write `role: auxiliary` in the task.",
        ],
    ),
    "above in a regression": (
        "window: 30m, conditioned_on: read}",
        "window: 30m, conditioned_on: read, above: 3}",
        ["tasks.reading_seconds.above: a regression task learns the number itself; 'above' is for binary tasks."],
    ),
    "above and positive": (
        "outcome: read, window: 30m, gates",
        "label: {column: seconds, positive: [long]}, above: 3, gates",
        ["tasks.read.above: 'above' compares numbers, 'label.positive' lists values. A task has one of them"],
    ),
    "above without numbers": (
        RECIPE[RECIPE.index("      value: seconds") : RECIPE.index("  reading_seconds")],
        RECIPE[RECIPE.index("split:") : RECIPE.index("  reading_seconds")].replace(
            "read, window", "read, above: 3, window"
        ),
        ["tasks.read.outcome: 'above' compares numbers: set logs.streams.read.value to a column."],
    ),
    "a user's future that is served": (
        "window: 30m, gates",
        "window: 30m, match: user, gates",
        [
            "tasks.read.match: what the user does later, whatever the item, is not an outcome of the impression",
            "Write 'role: auxiliary' to train with it.",
            "logs.streams.shown: the key 'user' is missing, which the task 'read' with 'match: user' needs.",
            "logs.streams.read: the key 'user' is missing",
        ],
    ),
    "users of two columns and of one": (
        RECIPE,
        RECIPE.replace("      event_id: shown_id\n", "      user: [reader]\n")
        .replace("      value: seconds\n", "      value: seconds\n      user: [user, tenant]\n")
        .replace("30m, conditioned_on", "30m, role: auxiliary, match: user, conditioned_on"),
        [
            "logs.streams.read.user: has 2 columns, the impressions' user has 1 (reader). Users are compared column by column."
        ],
    ),
    "numbers of later impressions": (
        "outcome: read, window: 30m, conditioned_on: read}",
        "outcome: shown, window: 30m, role: auxiliary, match: user}",
        [
            "tasks.reading_seconds.outcome: 'shown' is the impression stream; of the user's later impressions only whether there "
            "is one can be predicted."
        ],
    ),
    "a match without an outcome": (
        "outcome: read, window: 30m, conditioned_on: read}",
        "label: {column: seconds}, role: auxiliary, match: user}",
        ["tasks.reading_seconds.match: 'match' chooses among the events of an outcome stream."],
    ),
    "window without unit": (
        "window: 30m, gates",
        "window: 30, gates",
        ["tasks.read.window: expected a whole number and a unit, such as 30m, 12h or 7d; received 30"],
    ),
    "no window": (
        "window: 30m, gates",
        "gates",
        ["tasks.read: the key 'window' is missing: the attribution window after the impression"],
    ),
    "window shorter than that of given": (
        "window: 30m, conditioned_on",
        "window: 10m, given",
        ["10m is shorter than the window 30m of 'read', which must happen first"],
    ),
    "given names no task": (
        "conditioned_on: read",
        "conditioned_on: reed",
        ["tasks.reading_seconds.conditioned_on: no task is called 'reed'; did you mean 'read'?"],
    ),
    "circle of given": (
        "kind: binary, outcome",
        "kind: binary, conditioned_on: read, outcome",
        ["the tasks form a cycle: read -> read. Remove one of these links."],
    ),
    "descriptors of two lengths": (
        "conditioned_on: read}",
        "conditioned_on: read, descriptor: [0.2, 1]}",
        [
            "recipe.yaml:25: tasks.reading_seconds.descriptor: expected as many numbers as in the descriptor of 'read', 0, "
            "received [0.2, 1.0]. Give every task as many numbers, or none."
        ],
    ),
    "a descriptor of one task alone": (
        "window: 30m, gates",
        "window: 30m, descriptor: [1], gates",
        ["tasks.reading_seconds.descriptor: expected as many numbers as in the descriptor of 'read', 1, received []."],
    ),
    "regression without value": ("      value: seconds\n", "", ["set logs.streams.read.value to a column"]),
    "loss of the other kind": (
        "conditioned_on: read}",
        "conditioned_on: read, loss: binary_crossentropy}",
        ["'binary_crossentropy' is a loss for binary tasks, this task is regression; Known:"],
    ),
    "unknown loss": (
        "conditioned_on: read}",
        "conditioned_on: read, loss: poison}",
        [
            "recipe.yaml:25: tasks.reading_seconds.loss: unknown loss 'poison'; did you mean 'poisson'? Known: absolute_error"
        ],
    ),
    "loss from outside of the other kind": (
        "window: 30m, gates",
        "window: 30m, loss: outside_losses.GammaPlus, gates",
        [
            "tasks.read.loss: 'outside_losses.GammaPlus' is a loss for regression tasks, this task is binary; Known: "
            "binary_crossentropy, focal, jrc, lambda_ndcg, ranknet."
        ],
    ),
    "a loss within groups, without groups": (
        AFTER_WINDOW,
        AFTER_WINDOW.replace("gates", "loss: ranknet, gates").replace(", group_key: reader", ""),
        [
            "tasks.read.loss: 'ranknet' compares the examples of a group, and there are no groups: set evaluation.group_key to a "
            "column"
        ],
    ),
    "a loss within groups of rows that are drawn one by one": (
        AFTER_WINDOW,
        AFTER_WINDOW.replace("gates", "loss: jrc, gates") + "training: {sampling: tasks}\n",
        [
            "tasks.read.loss: 'jrc' compares the examples of a group, and 'training.sampling: tasks' draws single rows. Write "
            "'sampling: rows', or choose another loss."
        ],
    ),
    "a loss within groups and an objective": (
        "  reading_seconds:",
        "  long: {kind: binary, above: 9, outcome: read, window: 30m, conditioned_on: read, objective: esmm, loss: ranknet}\n"
        "  reading_seconds:",
        [
            "tasks.long.loss: 'ranknet' compares the examples of a group, and the objective 'esmm' trains its task without groups. "
            "Choose another loss, or remove 'objective'."
        ],
    ),
    "unknown option of a loss": (
        "conditioned_on: read}",
        "conditioned_on: read, loss: quantile, loss_options: {quantile: {share: 0.9}}}",
        ["recipe.yaml:25: tasks.reading_seconds.loss_options.quantile.share: unknown option 'share'; Known: quantile."],
    ),
    "option of a loss out of range": (
        "conditioned_on: read}",
        "conditioned_on: read, loss: cread, loss_options: {cread: {thresholds: [0, 5, 5]}}}",
        [
            "tasks.reading_seconds.loss_options.cread.thresholds: expected list of 3 to 256 numbers, each greater than the one "
            "before, received [0, 5, 5]."
        ],
    ),
    "options of an unknown loss": (
        "conditioned_on: read}",
        "conditioned_on: read, loss_options: {quantil: {quantile: 0.9}}}",
        ["tasks.reading_seconds.loss_options.quantil: unknown loss 'quantil'; did you mean 'quantile'?"],
    ),
    "negatives of a regression": (
        "conditioned_on: read}",
        "conditioned_on: read, negative_rate: 0.1}",
        ["recipe.yaml:25: tasks.reading_seconds.negative_rate: a regression task has no negatives. Remove"],
    ),
    "a share of the negatives under a loss that is not their likelihood": (
        "window: 30m, gates",
        "window: 30m, negative_rate: 0.1, loss: focal, gates",
        [
            "tasks.read.negative_rate: the probabilities are corrected by a shift of the logit",
            "That of 'focal' with these options is not. Expected the loss 'binary_crossentropy' with label_smoothing 0 or "
            "'focal' with gamma 0.",
        ],
    ),
    "a share of the negatives and smooth labels": (
        "window: 30m, gates",
        "window: 30m, negative_rate: 0.1, loss_options: {binary_crossentropy: {label_smoothing: 0.1}}, gates",
        ["tasks.read.negative_rate: ", "That of 'binary_crossentropy' with these options is not."],
    ),
    "more than all negatives": (
        "window: 30m, gates",
        "window: 30m, negative_rate: 1.5, gates",
        ["tasks.read.negative_rate"],
    ),
    "a feature that reads the weights of a task": (
        "window: 30m, gates",
        "window: 30m, weight_column: hour, gates",
        ["features.hour: the column 'hour' is the weight of the task 'read', which a request does not have"],
    ),
    "loss from outside that is not there": (
        "conditioned_on: read}",
        "conditioned_on: read, loss: outside_losses.Gama}",
        ["loss: 'outside_losses.Gama' is not the path of a class that can be imported: no such class in it."],
    ),
    "loss from outside that is none": (
        "conditioned_on: read}",
        "conditioned_on: read, loss: outside_losses.NoLoss}",
        ["'outside_losses.NoLoss' is not a subclass of models.losses.base.Loss."],
    ),
    "loss from outside that does not say its kind": (
        "conditioned_on: read}",
        "conditioned_on: read, loss: outside_losses.Unsaid}",
        ['has no `kind`: add the literal `kind = "regression"` to its class.'],
    ),
    "loss that can be below 0 under a balancer of sizes": (
        "conditioned_on: read}\nmodel: {",
        "conditioned_on: read, loss: outside_losses.BelowZero}\nmodel: {balancer: uncertainty, ",
        [
            "recipe.yaml:25: tasks.reading_seconds.loss: the balancer 'uncertainty' needs losses that are never below 0, but "
            "'outside_losses.BelowZero' can be negative. Choose another `model.balancer` (fixed, pcgrad, ",
            "), or another loss for the task.",
        ],
    ),
    "an objective of a task without one before it": (
        "window: 30m, gates",
        "window: 30m, objective: esmm, gates",
        ["tasks.read.objective: 'esmm' relates a task to the one before it. Write `conditioned_on: TASK`"],
    ),
    "an objective of a number": (
        "conditioned_on: read}",
        "conditioned_on: read, objective: escm2}",
        [
            "tasks.reading_seconds.objective: 'escm2' multiplies probabilities, and the loss of 'reading_seconds', 'squared_error' "
            "with its options, has none"
        ],
    ),
    "an objective after a smoothed label": (
        "window: 30m, gates: [{metric: auc, at_least: 0.6}]}",
        "window: 30m, loss_options: {binary_crossentropy: {label_smoothing: 0.1}}}\n"
        "  long: {kind: binary, outcome: read, above: 30, window: 30m, conditioned_on: read, objective: dcmt}",
        [
            "tasks.long.objective: 'dcmt' multiplies probabilities, and the loss of 'read', 'binary_crossentropy' with its"
        ],
    ),
    "an objective without all negatives": (
        "window: 30m, gates: [{metric: auc, at_least: 0.6}]}",
        "window: 30m, negative_rate: 0.5}\n"
        "  long: {kind: binary, outcome: read, above: 30, window: 30m, conditioned_on: read, objective: esmm}",
        ["tasks.long.objective: 'read' has a `negative_rate`, and 'esmm' needs all impressions"],
    ),
    "negatives left out of mixed labels": (
        "conditioned_on: read}\n",
        "conditioned_on: read}\n"
        "  long: {kind: binary, outcome: read, above: 30, window: 30m, negative_rate: 0.5}\n"
        "training: {distill: {teacher: ple}}\n",
        [
            "tasks.long.negative_rate: chooses among the labels that are 0, and under `training.distill` labels are mixed"
        ],
    ),
    "an objective of mixed labels": (
        "conditioned_on: read}\n",
        "conditioned_on: read}\n"
        "  long: {kind: binary, outcome: read, above: 30, window: 30m, conditioned_on: read, objective: esmm}\n"
        "training: {distill: {teacher: ple, tasks: [read]}}\n",
        ["tasks.long.objective: 'esmm' needs to know whether each task of the funnel happened, and the teacher's"],
    ),
    "an unknown objective": (
        "conditioned_on: read}",
        "conditioned_on: read, objective: esm, objective_options: {esmm: {clip: 1}}}",
        [
            "tasks.reading_seconds.objective: unknown objective 'esm'; did you mean 'esmm'?",
            "tasks.reading_seconds.objective_options.esmm.clip: unknown option 'clip'; Known: none.",
        ],
    ),
    "unknown metric in a gate": (
        "metric: auc",
        "metric: ac",
        ["tasks.read.gates.0.metric: the task does not report 'ac'; did you mean 'auc'?"],
    ),
    "no gates by an empty list": (
        "gates: [{metric: auc, at_least: 0.6}]",
        "gates: []",
        [
            "tasks.read.gates: expected a list of gates, `none` or `default`; received []. `gates: none` lets every model"
        ],
    ),
    "no gates by nothing": (
        "gates: [{metric: auc, at_least: 0.6}]",
        "gates: ",
        ["tasks.read.gates: expected a list of gates, `none` or `default`; received None."],
    ),
    "no gates by another word": (
        "gates: [{metric: auc, at_least: 0.6}]",
        "gates: None",
        ["tasks.read.gates: expected a list of gates, `none` or `default`; received 'None'."],
    ),
    "the constant by auc": (
        "at_least: 0.6",
        "beats: constant",
        ["tasks.read.gates.0.beats: a comparison with the constant works for log_loss, rmse, mae, not for 'auc'"],
    ),
    "the best count": (
        "metric: auc, at_least: 0.6",
        "metric: example_count, max_loss_to_best: 1",
        ["tasks.read.gates.0.max_loss_to_best: example_count is a size of the eval split"],
    ),
    "unmeasured": (
        "window: 30m, gates",
        "window: 30m, unmeasured: allowed, gates",
        ["tasks.read.unmeasured: received 'allowed'; did you mean 'allow'?"],
    ),
    "gate without limit": (
        ", at_least: 0.6",
        "",
        ["a gate needs a limit: at_least, at_most, beats, max_loss_to_baseline or max_loss_to_best."],
    ),
    "gate nothing can hold": (
        "at_least: 0.6",
        "at_least: 0.6, at_most: 0.5",
        ["no value can be at least 0.6 and at most 0.5"],
    ),
    "gate on a slice that is not made": (
        "at_least: 0.6",
        "at_least: 0.6, slice: {article: a1}",
        ["evaluation.slices has no entry with exactly the columns ['article']"],
    ),
    "no split": (SPLIT, "", ["expected one of eval_fraction, eval_last, eval_from; received none"]),
    "two splits": ("eval_last: 1d", "eval_last: 1d, eval_fraction: 0.2", ["received eval_fraction and eval_last"]),
    "split after the end": (
        "eval_last: 1d",
        "eval_from: '2026-01-16T00:00:00Z'",
        ["is not before logs.as_of (2026-01-15T00:00:00+00:00)"],
    ),
    "two validate keys": (
        "eval_last: 1d",
        "eval_last: 1d, validate_last: 1d, validate_fraction: 0.1",
        ["expected at most one of validate_fraction, validate_last, validate_from; received validate_fraction and"],
    ),
    "validate split after the start of the eval split": (
        "eval_last: 1d",
        "eval_last: 1d, validate_from: '2026-01-14T00:00:00Z'",
        [
            "split.validate_from: expected a moment before the start of the eval split (2026-01-14T00:00:00+00:00), received"
        ],
    ),
    "gap as long as the validate split": (
        "eval_last: 1d",
        "eval_last: 1d, validate_last: 12h, gap: 12h",
        ["split.gap: expected less than validate_last"],
    ),
    "moment without offset": (
        "'2026-01-15T00:00:00Z'",
        "'2026-01-15 00:00:00'",
        [":4: logs.as_of: expected a moment with its offset from UTC"],
    ),
    "unknown kind of feature": (
        "kind: numeric",
        "kind: numerical",
        ["features.age_hours: unknown kind 'numerical'; did you mean 'numeric'?"],
    ),
    "key of another kind of feature": (
        "transform: log1p",
        "vocabulary: 5",
        ["features.age_hours.vocabulary: unknown key 'vocabulary'"],
    ),
    "text and numbers": (
        "transform: log1p",
        "side: user, column: reader",
        [
            ":21: features.age_hours: 'reader' reads the column 'reader' as text, 'age_hours' as numbers.",
            "write 'type: integer' (whole numbers) or 'type: number' in 'reader'; otherwise log the column twice",
        ],
    ),
    "numbers and text": (
        "  hour:",
        "  age_text: {kind: categorical, column: age_hours}\n  hour:",
        ["features.age_text: 'age_text' reads the column 'age_hours' as text, 'age_hours' as numbers."],
    ),
    "one value and a list": (
        "transform: log1p",
        "side: user, column: last_read",
        [
            "features.age_hours: 'last_read' reads the column 'last_read' as multivalued, this feature as numeric.",
            "use one kind, or log the column twice",
        ],
    ),
    "a vector and a number of one column": (
        "  hour:",
        "  text: {kind: vector, dim: 3, column: age_hours}\n  hour:",
        ["features.text: 'age_hours' reads the column 'age_hours' as numeric, this feature as vector."],
    ),
    "vectors of one column that differ": (
        "  hour:",
        "  text: {kind: vector, dim: 3}\n  topic: {kind: vector, dim: 4, column: text}\n  hour:",
        [
            "features.topic.dim: reads the same column as 'text', so dim must agree: 'text' has 3, this feature 4.",
        ],
    ),
    "a cross of one column": (
        "  hour:",
        "  both: {kind: cross, columns: [a], hash_buckets: 9}\n  hour:",
        ["features.both.columns"],
    ),
    "a cross of a column with itself": (
        "  hour:",
        "  both: {kind: cross, columns: [a, a], hash_buckets: 9}\n  hour:",
        ["features.both.columns: expected distinct columns, received ['a', 'a']."],
    ),
    "a cross of numbers": (
        "  hour:",
        "  both: {kind: cross, columns: [a, age_hours], hash_buckets: 9}\n  hour:",
        [
            "features.both.columns.1: another feature reads the column 'age_hours' as numbers.",
            "'kind: categorical, type: integer'",
        ],
    ),
    "a cross of a list": (
        "  hour:",
        "  both: {kind: cross, columns: [last_read, a], hash_buckets: 9}\n  hour:",
        ["features.both.columns.0: another feature reads the column 'last_read' as multivalued"],
    ),
    "a cross of a served column": (
        "  hour:",
        "  place: {kind: categorical, served_as: a}\n  both: {kind: cross, columns: [a, place], hash_buckets: 9}\n  hour:",
        ["features.both.columns.1: the column 'place' has 'served_as' in another feature"],
    ),
    "a cross of two sides": (
        "  hour:",
        "  both: {kind: cross, columns: [reader, article], hash_buckets: 9, side: user}\n  hour:",
        ["features.both.side: the column 'article' is of side item", "Write 'side: context'."],
    ),
    "a cross of a reserved column": (
        "  hour:",
        "  both: {kind: cross, columns: [a, label/read], hash_buckets: 9}\n  hour:",
        ["features.both.columns: the name of the column 'label/read' is reserved"],
    ),
    "a vector without its length": (
        "  hour:",
        "  text: {kind: vector}\n  hour:",
        ["features.text: the key 'dim' is missing. Number of components."],
    ),
    "a served vector": (
        "  hour:",
        "  text: {kind: vector, dim: 3, served_as: 1}\n  hour:",
        ["features.text.served_as: a feature with several values per example has no single served value."],
    ),
    "a name that a vector reserves": (
        "  hour:",
        "  text: {kind: vector, dim: 3}\n  text_missing: {kind: numeric}\n  hour:",
        ["features.text_missing: the name is reserved for the input that marks missing values of 'text'."],
    ),
    "a weight of outcomes": (
        "value: seconds",
        "weight: seconds",
        [
            "recipe.yaml:15: logs.streams.read.weight: a weight belongs to an example, and the examples are the impressions.",
            "Set 'weight' in the stream 'shown', or remove it.",
        ],
    ),
    "a feature of the weight": (
        "event_id: shown_id",
        "weight: age_hours",
        ["features.age_hours: the column 'age_hours' is the weight of the examples, which a request does not have."],
    ),
    "a feature of the weight of labelled examples": (
        LOGS + SPLIT,
        EXAMPLES.replace("a.parquet", "a.parquet, weight: reader"),
        ["features.reader: the column 'reader' is the weight of the examples"],
    ),
    "served values of one column that differ": (
        "  hour:",
        "  hours: {kind: numeric, column: hour, served_as: 12}\n  hour:",
        [
            "features.hour: reads the same column as 'hours', so served_as must agree: 'hours' has 12, this feature None."
        ],
    ),
    "a served list": (
        "kind: multivalued, side: user",
        "kind: multivalued, served_as: a",
        ["features.last_read.served_as: a feature with several values per example has no single served value."],
    ),
    "a served value of the user": (
        "reader: {kind: categorical, side: user}",
        "reader: {kind: categorical, side: user, served_as: a}",
        ["features.reader.served_as: the feature is of side user, which a request knows."],
    ),
    "a served text of a number": (
        "transform: log1p",
        "served_as: new",
        ["features.age_hours.served_as: expected a number, as the feature reads its column; received 'new'."],
    ),
    "a served fraction of an integer": (
        "  hour:",
        "  place: {kind: categorical, type: integer, served_as: 1.5}\n  hour:",
        ["features.place.served_as: expected a whole number, as the feature reads its column; received 1.5."],
    ),
    "the name of a missing input": (
        "  hour: {kind: bucketised, boundaries: [6, 12, 18]}",
        "  hour: {kind: periodic, period: 24}\n  hour_missing: {kind: categorical}",
        ["features.hour_missing: the name is reserved for the input that marks missing values of 'hour'"],
    ),
    "no period": (
        "kind: bucketised, boundaries: [6, 12, 18]",
        "kind: periodic",
        ["features.hour", "'period' is missing"],
    ),
    "a period of zero": (
        "kind: bucketised, boundaries: [6, 12, 18]",
        "kind: periodic, period: 0",
        ["features.hour.period: "],
    ),
    "one boundary": (
        "kind: bucketised, boundaries: [6, 12, 18]",
        "kind: piecewise_linear, boundaries: [6]",
        ["features.hour.boundaries: expected at least two increasing numbers, received [6.0]"],
    ),
    "pieces without boundaries": (
        "kind: bucketised, boundaries: [6, 12, 18]",
        "kind: piecewise_linear",
        ["features.hour: expected either 'buckets'"],
    ),
    "boundaries fall": (
        "[6, 12, 18]",
        "[12, 6, 18]",
        ["features.hour.boundaries: expected increasing numbers, received [12.0, 6.0, 18.0]"],
    ),
    "buckets and boundaries": ("boundaries: [6, 12, 18]", "boundaries: [6], buckets: 3", ["expected either 'buckets'"]),
    "shared embedding disagrees": (
        "side: item, embedding: article",
        "side: item, embedding: article, dim: 4",
        ["so dim must agree"],
    ),
    "neither vocabulary nor hash": (
        "side: item, embedding: article",
        "side: item, vocabulary: null",
        ["a feature without a vocabulary needs 'hash_buckets', the number of ids that its values share"],
    ),
    "vocabulary and hash": (
        "side: item, embedding: article",
        "side: item, hash_buckets: 100",
        [".hash_buckets: gives every value an id by its hash", "Write 'vocabulary: null', or remove 'hash_buckets'"],
    ),
    "hash of the frequent values only": (
        "side: item, embedding: article",
        "side: item, vocabulary: null, hash_buckets: 100, min_count: 2, oov_buckets: 5",
        [
            ".min_count: applies to a vocabulary; a feature with 'hash_buckets' has none. Remove 'min_count'.",
            "Remove 'oov_buckets'",
        ],
    ),
    "two tables of a vocabulary": (
        "side: item, embedding: article",
        "side: item, quotient_remainder: true",
        [".quotient_remainder: requires a feature without a vocabulary"],
    ),
    "shared embedding of another hash": (
        "side: item, embedding: article",
        "side: item, embedding: article, vocabulary: null, hash_buckets: 100",
        ["so vocabulary must agree", "so hash_buckets must agree"],
    ),
    "unknown embedding optimizer": (
        "model:",
        "training: {embedding_optimizer: adagard}\nmodel:",
        [
            "training.embedding_optimizer: unknown embedding optimizer 'adagard'; did you mean 'adagrad'? Known: adagrad, adam, sgd"
        ],
    ),
    "affinities of one task": (
        "  reading_seconds: {kind: regression, outcome: read, window: 30m, conditioned_on: read}\nmodel:",
        "  reading_seconds: {kind: regression, outcome: read, window: 30m, role: adversarial}\ntraining: {affinity_every: 9}\nmodel:",
        [
            "training.affinity_every: affinities are measured between tasks: expected at least 2 that are not adversarial, received 1."
        ],
    ),
    "affinities in half precision": (
        "model:",
        "training: {affinity_every: 9, precision: mixed_bfloat16}\nmodel:",
        [
            "training.affinity_every: one step changes a loss by less than mixed_bfloat16 can tell. Write `training.precision: float32`"
        ],
    ),
    "affinities of a loss below 0": (
        "conditioned_on: read}\nmodel:",
        "conditioned_on: read, loss: zero_inflated_lognormal}\ntraining: {affinity_every: 9}\nmodel:",
        [
            "training.affinity_every: an affinity is a ratio of losses that are never below 0, but 'zero_inflated_lognormal', the loss "
            "of the task 'reading_seconds', can be negative. Choose another loss"
        ],
    ),
    "an unknown teacher": (
        "model:",
        "training: {distill: {teacher: pel}}\nmodel:",
        ["training.distill.teacher: unknown architecture 'pel'; did you mean 'ple'? Known: adatt, aitm"],
    ),
    "an option of a blessed teacher": (
        "model:",
        "training: {distill: {teacher: blessed, balancer: fixed}}\nmodel:",
        ["training.distill.balancer: the blessed model is as it was trained, so 'balancer' has no effect. Remove it."],
    ),
    "an option of the teacher": (
        "model:",
        "training: {distill: {teacher: ple, options: {ple: {unit: [8]}}}}\nmodel:",
        ["training.distill.options.ple.unit: unknown option 'unit'; did you mean 'units'?"],
    ),
    "a teacher for funnels without one": (
        "conditioned_on: read}\nmodel:",
        "}\ntraining: {distill: {teacher: aitm}}\nmodel:",
        ["training.distill.teacher: 'aitm' passes on what one task knows to the next, and no task follows another."],
    ),
    "a balancer of the teacher": (
        "conditioned_on: read}\nmodel:",
        "loss: zero_inflated_lognormal}\ntraining: {distill: {teacher: ple, balancer: gradnorm}}\nmodel:",
        ["training.distill.balancer: the balancer 'gradnorm' needs losses that are never below 0"],
    ),
    "a distilled task whose loss is not linear": (
        "conditioned_on: read}\nmodel:",
        "loss: huber}\ntraining: {distill: {teacher: ple, tasks: [reading_seconds]}}\nmodel:",
        [
            "training.distill.tasks: the loss 'huber' of 'reading_seconds' is not linear in the label",
            "Expected tasks of: read. Losses that are linear: binary_crossentropy, squared_error, poisson, focal, tweedie.",
        ],
    ),
    "a distilled task that is not there": (
        "model:",
        "training: {distill: {teacher: ple, tasks: [reads]}}\nmodel:",
        ["training.distill.tasks: no task is called 'reads'; did you mean 'read'? Known: read, reading_seconds"],
    ),
    "a distilled auxiliary task": (
        "conditioned_on: read}\nmodel:",
        "role: auxiliary}\ntraining: {distill: {teacher: ple, tasks: [reading_seconds]}}\nmodel:",
        ["training.distill.tasks: 'reading_seconds' has `role: auxiliary`, and a teacher predicts main tasks only."],
    ),
    "nothing to distil": (
        "gates: [{metric: auc, at_least: 0.6}]}\n  reading_seconds: {kind: regression, outcome: read, window: 30m, conditioned_on: read}",
        "role: auxiliary}\n  reading_seconds: {kind: regression, outcome: read, window: 30m, loss: huber}\ntraining: {distill: {teacher: ple}}",
        ["training.distill: no main task has a loss that is linear in the label, so there is nothing to distil."],
    ),
    "unknown architecture": (
        "architecture: mmoe",
        "architecture: mmo",
        ["model.architecture: unknown architecture 'mmo'; did you mean 'mmoe'? Known: adatt, aitm"],
    ),
    "unknown option": (
        "experts: 4",
        "expert: 4",
        ["model.options.mmoe.expert: unknown option 'expert'; did you mean 'experts'?"],
    ),
    "option of another type": (
        "experts: 4",
        "experts: four",
        ["model.options.mmoe.experts: expected int from 1 to 256, received 'four'"],
    ),
    "unknown balancer": ("architecture: mmoe", "balancer: pcgrd", ["unknown balancer 'pcgrd'; did you mean 'pcgrad'?"]),
    "drift from a weekday without days": (
        "model:",
        "validation: {drift_from: weekday}\nmodel:",
        ["validation.drift_from: `weekday` compares days and needs `logs.span`."],
    ),
    "drift of no column": (
        "model:",
        "validation: {drift: {readr: 0.1}}\nmodel:",
        ["validation.drift.readr: the examples have no column 'readr'; did you mean 'reader'?"],
    ),
    "no such schema file": (
        "model:",
        "validation: {schema: none.pbtxt}\nmodel:",
        ["validation.schema: no such file:", "none.pbtxt"],
    ),
    "truth without event id": ("      event_id: shown_id\n", "", ["set 'event_id' in the impression stream"]),
    "logs and examples": (
        "split:",
        "examples: {path: a.parquet}\nsplit:",
        ["expected either 'logs' (event streams) or 'examples' (already labelled), received both"],
    ),
    "examples without label": (
        LOGS + SPLIT,
        EXAMPLES,
        [
            "tasks.read: the key 'label' is missing",
            "tasks.read.outcome: 'outcome' is for recipes that start from 'logs'",
        ],
    ),
    "times without a time": (
        LOGS + SPLIT,
        "examples: {path: a.parquet, validate_path: v.parquet}\nsplit: {eval_fraction: 0.2, validate_last: 1d, gap: 1h}\n",
        [
            "split.validate_last: examples.validate_path already sets the validate split",
            "split.validate_last: the examples have no time column; set examples.time, or use validate_fraction.",
            "split.gap: the examples have no time column; set examples.time, or remove it.",
        ],
    ),
    "a start that an eval file does not tell": (
        LOGS + SPLIT,
        "examples: {path: a.parquet, eval_path: e.parquet, time: {column: t, unit: s}}\nsplit: {validate_last: 1d}\n",
        ["split.validate_last: counts back from the start of the eval split, which examples.eval_path does not tell"],
    ),
    "a key twice": ("model:", "name: other\nmodel:", ["recipe.yaml:26: name: duplicate key, first on line 1"]),
    "no YAML": ("split: {", "split: {{", ["invalid YAML"]),
    "no such date": (
        "name: news",
        "name: news\ndescription: 2026-13-45",
        ["recipe.yaml:2: '2026-13-45' looks like a value of YAML's type timestamp, but is invalid", "put it in quotes"],
    ),
    "no such truth value": (
        "name: news",
        "name: news\ndescription: !!bool x",
        ["recipe.yaml:2: 'x' looks like a value"],
    ),
    "a number without end": (
        "experts: 4",
        f"experts: {'9' * 5000}",
        ["recipe.yaml:26: '999", "type int, but is invalid"],
    ),
    "a list as key": (
        "name: news",
        "name: news\n[a, b]: 1",
        ["recipe.yaml:2: expected a text as key, received ['a', 'b']"],
    ),
    "an alias inside of itself": ("name: news", "name: news\ndescription: &a [*a]", ["an alias contains itself"]),
    "lists without end": ("name: news", f"name: news\ndescription: {'[' * 3000}", ["nested too deeply"]),
    "a kind that is a list": (
        "kind: numeric",
        "kind: []",
        ["recipe.yaml:21: features.age_hours: unknown kind '[]'; Known: bucketised"],
    ),
    "a window beyond all time": (
        "window: 30m, gates",
        "window: 99999999999999999d, gates",
        ["tasks.read.window: expected a duration of less than three million years; received '99999999999999999d'"],
    ),
    "a moment beyond all time": (
        "'2026-01-15T00:00:00Z'",
        "'9999-12-31T23:59:59-12:00'",
        ["logs.as_of: expected a moment in the years 1 to 9999 UTC"],
    ),
    "a number of more than 64 bits": (
        "experts: 4",
        "experts: 99999999999999999999",
        ["recipe.yaml:26: model.options.mmoe.experts: expected a whole number of 64 bits, received one of 67"],
    ),
    "a seed of more than 32 bits": (
        "model:",
        "training: {seed: 4294967296}\nmodel:",
        ["training.seed: expected a whole number below 4294967296, received 4294967296"],
    ),
    "an option that is no number": (
        "experts: 4",
        "dropout: .nan",
        ["model.options.mmoe.dropout: expected float from 0 and below 1, received nan"],
    ),
    "groups of several values": (
        "group_key: reader",
        "group_key: last_read",
        ["evaluation.group_key: the column 'last_read' has several values per example"],
    ),
    "a gate against twins that are not trained": (
        "group_key: reader",
        "group_key: reader, not_below_single_task: {}",
        [
            "evaluation.not_below_single_task: the gate compares with the single-task twin, which is not trained: write "
            "evaluation.references: [linear, single_task]."
        ],
    ),
    "the name of the pushed models' folder": ("name: news", "name: serving", ["recipe.yaml:1: name: 'serving' is"]),
    "a file name that is none": (
        "model:",
        'validation: {schema: "\\0"}\nmodel:',
        ["'data' or 'validation.schema' cannot be the name of a file"],
    ),
    "data at a URL that is none of a store": (
        "model:",
        "data: hdfs://logs/news\nmodel:",
        [": data: hdfs://logs/news: expected a path or a URL of an object store: s3://BUCKET/..."],
    ),
    "a file name that is too long": (
        "model:",
        f"validation: {{schema: {'x' * 5000}}}\nmodel:",
        ["validation.schema: no such file"],
    ),
    "a list": (RECIPE, "- name\n", ["recipe.yaml:1: expected a mapping of sections"]),
    "empty": (RECIPE, "# nothing\n", ["recipe.yaml: the file is empty"]),
    "a score over what is no task": (
        "evaluation:",
        "serving: {score: raed * 2}\nevaluation:",
        ["recipe.yaml:27: serving.score: unknown task or weight 'raed'; did you mean 'read'?"],
    ),
    "a score that is no formula": (
        "evaluation:",
        "serving: {score: 'read * * 2'}\nevaluation:",
        ["serving.score: not a formula: invalid syntax; received 'read * * 2'."],
    ),
    "a weight without a formula": (
        "evaluation:",
        "serving: {weights: {taste: 1}}\nevaluation:",
        ["serving.weights: weights need a formula: set 'score', or remove the weights."],
    ),
    "a weight that nothing uses": (
        "evaluation:",
        "serving: {score: read, weights: {taste: 1}}\nevaluation:",
        ["serving.weights.taste: the formula in 'score' does not use this weight."],
    ),
    "a weight called like a column": (
        "evaluation:",
        "serving: {score: read * hour, weights: {hour: 1}}\nevaluation:",
        ["serving.weights.hour: a column already has this name."],
    ),
    "nothing to tune": (
        "evaluation:",
        "serving: {score: read, tunable_weights: true}\nevaluation:",
        ["serving.tunable_weights: there is no weight to tune"],
    ),
    "a task called like an output of the ranking": (
        "  reading_seconds:",
        "  ranking:",
        ["tasks.ranking: the signature `rank` already has an output of this name"],
    ),
    "a column on two sides": (
        "  hour:",
        "  reader_again: {kind: categorical, column: reader}\n  hour:",
        [
            "features.reader_again: another feature reads the column 'reader' on the side 'user', this one on the side 'context'"
        ],
    ),
}


@pytest.fixture
def recipe_file(tmp_path: Path) -> Path:
    path = tmp_path / "recipe.yaml"
    path.write_text(RECIPE)
    return path


@pytest.mark.parametrize("name", WRONG)
def test_wrong_recipe(name: str, recipe_file: Path, capsys: pytest.CaptureFixture[str]) -> None:
    old, new, words = WRONG[name]
    text = RECIPE
    if name == "truth without event id":
        text = text.replace(
            "group_key: reader}", "group_key: reader, truth: {path: t.parquet, event_id: shown_id, columns: {read: p}}}"
        )
        load_recipe_text(recipe_file, text)
    assert old in text
    recipe_file.write_text(text.replace(old, new, 1))
    with pytest.raises(SystemExit) as exit_:
        main(["validate", str(recipe_file)])
    assert exit_.value.code == 1
    message = capsys.readouterr().err
    assert message.startswith("gatewise: ") and "Traceback" not in message
    for word in words:
        assert word in message


def load_recipe_text(path: Path, text: str) -> None:
    """The changed recipe must be fine but for the fault that the test plants."""
    path.write_text(text)
    load_recipe(path)


def test_right_recipe(recipe_file: Path) -> None:
    recipe = load_recipe(recipe_file)
    assert recipe.data == str(recipe_file.parent)
    assert list(recipe.tasks) == ["read", "reading_seconds"]
    assert recipe.model.options["mmoe"]["experts"] == 4


def test_a_share_of_the_negatives_and_weights_of_a_task(recipe_file: Path) -> None:
    """With each loss whose logit is the log odds, in the spelling of YAML, too."""
    for loss in ("", "loss: focal, loss_options: {focal: {gamma: '0'}}, "):
        own = f"window: 30m, negative_rate: 0.1, weight_column: inverse_propensity, {loss}gates"
        load_recipe_text(recipe_file, RECIPE.replace("window: 30m, gates", own, 1))
    weight = RECIPE.replace("window: 30m, gates", "window: 30m, weight_column: w, gates", 1)
    where = "event_id: shown_id\n"
    with pytest.raises(
        InputError, match="tasks.read.weight_column: the column 'w' is already the weight of every example"
    ):
        load_recipe_text(recipe_file, weight.replace(where, f"{where}      weight: w\n", 1))


def test_an_auxiliary_task_may_be_the_future_of_the_user(recipe_file: Path) -> None:
    """With a stream that only such tasks read, whose key is its own, a shorter window than that of its given, and the impressions."""
    search = "    search: {path: s.csv, key: [who], user: [who], time: {column: at, unit: s}}\nsplit:"
    future = "role: auxiliary, match: user, kind: binary"
    tasks = f"  again: {{{future}, outcome: shown, window: 1d}}\n  searches: {{{future}, outcome: search, window: 10m, "
    tasks += "conditioned_on: read}\nmodel:"
    text = RECIPE.replace("      event_id: shown_id\n", "      event_id: shown_id\n      user: [reader]\n")
    recipe_file.write_text(text.replace("split:", search).replace("model:", tasks))
    assert {name: task.match for name, task in load_recipe(recipe_file).tasks.items()} == {
        "read": "key",
        "reading_seconds": "key",
        "again": "user",
        "searches": "user",
    }
    recipe_file.write_text(recipe_file.read_text().replace("match: user, kind", "kind"))
    with pytest.raises(InputError, match="logs.streams.search.key: has 1 columns"):
        load_recipe(recipe_file)


@pytest.mark.parametrize("from_logs", [True, False])
def test_an_auxiliary_task_may_predict_a_feature(from_logs: bool, recipe_file: Path) -> None:
    task = "  age: {kind: regression, role: auxiliary, label: {column: age_hours}, conditioned_on: read}\nmodel:"
    text = RECIPE.replace("model:", task)
    if not from_logs:
        text = text.replace(LOGS + SPLIT, EXAMPLES)
        for old in ("outcome: read, window: 30m, gates", "outcome: read, window: 30m, conditioned_on"):
            text = text.replace(old, f"label: {{column: seen}}, {old.rpartition(' ')[2]}")
    recipe_file.write_text(text)
    assert load_recipe(recipe_file).tasks["age"].label is not None


@pytest.mark.parametrize(("loss", "balancer"), [("GammaPlus", "uncertainty"), ("BelowZero", "pcgrad")])
def test_a_loss_from_outside_that_fits(loss: str, balancer: str, recipe_file: Path) -> None:
    overrides = [f"tasks.reading_seconds.loss=outside_losses.{loss}", f"model.balancer={balancer}"]
    assert load_recipe(recipe_file, overrides).tasks["reading_seconds"].loss == f"outside_losses.{loss}"


def test_overrides(recipe_file: Path, tmp_path: Path) -> None:
    recipe = load_recipe(
        recipe_file,
        ["model.architecture=ple", "training.seed=2", "logs.streams.read.where={type: [READ]}"],
        tmp_path / "x",
    )
    assert (recipe.model.architecture, recipe.training.seed) == ("ple", 2)
    assert recipe.logs is not None and recipe.logs.streams["read"].where == {"type": ("READ",)}
    assert recipe.data == str(tmp_path / "x")


def test_data_at_a_url_stays_as_it_is_written(recipe_file: Path) -> None:
    assert load_recipe(recipe_file, ["data=s3://logs/news/2026"]).data == "s3://logs/news/2026"
    assert load_recipe(recipe_file, data="gs://logs").data == "gs://logs"


@pytest.mark.parametrize(
    ("override", "words"),
    [
        ("model.architecture", "--set model.architecture: expected section.key=value"),
        ("model.architecture=nope", "--set model.architecture=nope: unknown architecture 'nope'"),
        ("training.sed=2", "--set training.sed=2: unknown key 'sed'; did you mean 'seed'?"),
        ("name.x=2", "--set name.x=2: 'name' is a single value"),
        ("name=2026-13-45", "--set name=2026-13-45: '2026-13-45' looks like a value of YAML's type timestamp"),
        (
            "name=!!int x",
            "--set name=!!int x: 'x' looks like a value of YAML's type int, but is invalid. If it is a text, put",
        ),
        ("training.epochs=0", "--set training.epochs=0: expected at least 1; received 0"),
    ],
)
def test_wrong_override(override: str, words: str, recipe_file: Path) -> None:
    with pytest.raises(InputError) as error:
        load_recipe(recipe_file, [override])
    assert words in str(error.value)


def test_missing_file(recipe_file: Path) -> None:
    with pytest.raises(InputError, match="no such recipe file. did you mean '.*recipe.yaml'"):
        load_recipe(recipe_file.with_name("recipes.yaml"))


def test_several_faults_in_one_message(recipe_file: Path) -> None:
    recipe_file.write_text(RECIPE.replace("unit: ms", "unit: x").replace("kind: numeric", "kind: y"))
    with pytest.raises(InputError) as error:
        load_recipe(recipe_file)
    lines = str(error.value).splitlines()
    assert [line.split(": ")[1] for line in lines] == ["logs.streams.shown.time.unit", "features.age_hours"]


def test_the_example_of_the_docs_is_a_recipe(tmp_path: Path) -> None:
    path = tmp_path / "news.yaml"
    path.write_text(EXAMPLE)
    assert load_recipe(path).name == "news"


def test_a_schema_that_is_no_text(tmp_path: Path) -> None:
    (tmp_path / "schema.pb").write_bytes(b"\xff\xfe\x00")
    (tmp_path / "recipe.yaml").write_text(RECIPE + "validation: {schema: schema.pb}\n")
    with pytest.raises(InputError, match=r"validation.schema: .*schema.pb is not UTF-8 text. Expected a TFDV schema"):
        load_recipe(tmp_path / "recipe.yaml")


def test_schema_accepts_what_the_recipe_accepts(recipe_file: Path) -> None:
    import json

    import jsonschema
    import yaml

    schema = json.loads(schema_text())
    document = yaml.safe_load(RECIPE)
    jsonschema.validate(document, schema)
    document["training"] = {"epoch": 2}
    with pytest.raises(jsonschema.ValidationError, match="epoch"):
        jsonschema.validate(document, schema)


def test_a_cross_may_not_read_the_label(tmp_path: Path) -> None:
    path = tmp_path / "recipe.yaml"
    cross = "  both: {kind: cross, columns: [age, seconds], hash_buckets: 9}\n"
    tasks = "tasks:\n  long: {kind: binary, label: {column: seconds, positive: [9]}}\n"
    path.write_text(f"name: labels\n{EXAMPLES}features:\n{cross}{tasks}")
    with pytest.raises(InputError, match=r"features\.both: the column 'seconds' is the label of the task 'long'"):
        load_recipe(path)
