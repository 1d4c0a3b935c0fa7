"""The parts of docs/recipe.md that are written by hand."""

from __future__ import annotations

EXAMPLE = """\
# yaml-language-server: $schema=recipe.schema.json
name: news
data: /data/news                      # or: gatewise run news.yaml --data /data/news
logs:
  impressions: shown                  # each row of this stream becomes one example
  streams:
    shown:
      path: shown/*.parquet
      key: [reader, article]          # joins a read to its impression
      time: {column: at, unit: ms}
      event_id: shown_id
    read:
      path: read/**/*.jsonl
      key: [user, article_id]         # other names, the same order
      time: {column: time, unit: text, zone: Europe/Vienna}
      value: seconds
split: {eval_last: 1d}                # the newest day is the eval split, a tenth before it the validate split
features:
  reader: {kind: categorical, side: user, min_count: 5}
  article: {kind: categorical, side: item, embedding: article}
  last_read: {kind: multivalued, side: user, separator: "|", embedding: article}
  section: {kind: categorical, side: item, dim: 8}
  article_age_hours: {kind: numeric, side: item, transform: log1p}
  hour: {kind: bucketised, boundaries: [6, 12, 18]}
tasks:
  read:
    kind: binary
    outcome: read
    window: 30m
    gates: [{metric: auc, at_least: 0.6}, {metric: auc, max_loss_to_baseline: 0.005}]
  reading_seconds:
    kind: regression
    outcome: read
    window: 30m
    conditioned_on: read            # observed only if the article was read
    loss: squared_log_error
model: {architecture: mmoe, options: {mmoe: {experts: 4}}}
evaluation: {slices: [[section]], group_key: reader}
"""

HEAD = """\
<!-- Written by `python -m pipeline.recipe_docs`; change models/recipe instead. -->
# Recipe reference

A recipe is one YAML file that declares a problem: logs, features, tasks, model, gates, serving. `gatewise validate RECIPE` checks
it in half a second. Each error names file, line, key, the expected value and the nearest known name.

An editor with the YAML language server completes the keys if the file starts with
`# yaml-language-server: $schema=recipe.schema.json`. The schema is in `recipes/`.

## A complete recipe for your own logs

```yaml
{example}```

## How labels are made

- A stream is one kind of event, such as clicks. One stream has the impressions, and each impression becomes one example. The events of
  the other streams are outcomes. A task predicts whether, or with which value, an outcome follows an impression.
- An outcome is credited to the last impression with the same key at or before it, if that impression is within the task's attribution
  window (the longest time from the impression to the outcome). Each outcome is credited at most once per task.
- A task with `label` instead of `outcome` and `window` reads its label from a column of the impression. With `above`, a binary label is
  made of a number. With `match: user`, an auxiliary task learns what the user does later, whatever the item.
- An impression is masked for a task, with weight 0, if its window is still open at `as_of` or if its `conditioned_on` task did not
  happen. A masked example is neither positive nor negative.
- Rows that cannot be used are counted: duplicates, orphans (no impression before them), late rows (outside every window), rows after
  `as_of`, and dead letters (malformed rows, kept with file, row and reason). Per stream,
  read = used + duplicate + orphan + late + after-as-of + dead-lettered. [logs.md](logs.md) has all rules.

## How complete the logs are

- The watermark of a stream is the time of its latest event. `as_of: latest` is the smallest watermark of the impressions and of the
  outcome streams that tasks use.
- If a stream lags by twelve hours, the windows that end in these twelve hours therefore stay open. A stream with few events leaves a
  few more windows open than necessary. Both mask examples, but make no false negatives.
- With `as_of: latest`, a row that is two days or more after all others stops the run, because its clock probably runs ahead. The
  message names file and row.
- With a moment as `as_of`, the result is the same as if the logs ended there. `eval_last` counts back from that moment, or from the
  smallest watermark.

## Values and units

Units are part of the value. A duration is a whole number with `s`, `m`, `h`, `d` or `w` (`30m`, `7d`). A moment has its offset from
UTC (`2026-01-15T00:00:00Z`). A share is a number from 0 to 1. Durations and moments work with or without quotes.

YAML 1.1 converts some texts without quotes: `NO`, `yes` and `on` become truth values, `007` becomes 7, `12:30` becomes 750, `1.10`
becomes 1.1, `2026-01-15` becomes a date.

- A key that expects a text or a value of the data (`where`, `positive`, `slice`, names, columns, keys) refuses such a conversion.
  The message shows the text and the converted value. Put the text in quotes. `true`, `false` and numbers that YAML does not change
  (`1`, `0.5`) are accepted as values of the data.
- A key that expects a number refuses truth values, octal `010` (8) and base 60 `12:30`. It accepts `0x10`, `1_000` and `1e-3`.

A recipe has at most 512 KiB and at most 20,000 keys, items and values. Each repetition by an alias or a merge key counts.
A URL with credentials (`s3://KEY:SECRET@BUCKET`, `?Signature=...`) is refused, and masked in every message.

"""


OWN_METHODS = """\
## Methods of your own

`model.architecture`, `model.backbone`, `model.balancer`, `model.regularizers`, `tasks.NAME.loss` and `tasks.NAME.objective` take a
name from the tables below, or the dotted path of a class in your own package. Options of such a class are under the same path:

```yaml
model:
  architecture: shop.networks.Attention
  options: {shop.networks.Attention: {heads: 4}}
  regularizers: {shop.penalties.Sparse: {strength: 0.001}}
tasks:
  spend: {kind: regression, outcome: order, window: 7d, loss: shop.losses.Gamma}
```

- The class derives from the base class of its kind, such as `models.losses.base.Loss`. [CONTRIBUTING.md](../CONTRIBUTING.md#add-a-method-or-a-stage)
  has the contract.
- The package must be importable, for example with `PYTHONPATH=/path/to/folder`. On Kubeflow, add it to the image.
- After a change in your package, the next run trains again.
- `training.embedding_optimizer` takes names only.

"""


LOSSES_HEAD = """\
## Losses

`tasks.NAME.loss`; options in `tasks.NAME.loss_options.LOSS`. Some balancers need losses that are never below 0. `gatewise validate` refuses
any other loss with them. A loss that is linear in the label can learn from a teacher (`training.distill`). The number of logits is that of
the default options.

| name | kind | what it is, and what for | labels | logits | can be below 0 | linear in the label | options (type and range; default) |
|---|---|---|---|---|---|---|---|
"""
