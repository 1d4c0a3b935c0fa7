"""The section `retrieval`: wrong values, each refused with file, line, key and what to write; and what its names mean."""

from __future__ import annotations

from pathlib import Path

import pytest

from components.event_logs.plan import EventLogsPlan
from models.recipe.errors import InputError
from models.recipe.file import load_recipe
from models.recipe.recipe import Recipe
from models.recipe.retrieval import Retrieval, metric_names
from models.recipe.retrieval_columns import column_type, history_feature, item_features, user_features

RECIPE = """\
name: news
logs:
  impressions: shown
  streams:
    shown: {path: shown/*.parquet, key: [reader, article], time: {column: at, unit: ms}}
    read: {path: read/*.jsonl, key: [user, article], time: {column: at, unit: ms}, value: seconds}
split: {eval_last: 1d}
features:
  reader: {kind: categorical, side: user}
  article: {kind: categorical, side: item, type: integer}
  section: {kind: categorical, side: item}
  device: {kind: categorical}
  hour: {kind: bucketised, boundaries: [6, 12, 18]}
tasks:
  read: {kind: binary, outcome: read, window: 30m}
  reading_seconds: {kind: regression, outcome: read, window: 30m, conditioned_on: read}
retrieval:
  user: reader
  item: article
  positives: {read: 2.0, shown: 0.5}
  context: [device]
  history: 5
  k: [10, 100]
  gates:
  - {metric: recall@100, beats: popular}
"""
LOGS = RECIPE[RECIPE.index("logs:") : RECIPE.index("split:")]
ARTICLE, READER = "{kind: categorical, side: item, type: integer}", "{kind: categorical, side: user}"

TRUTH = "{path: best/*.csv, user: u, item: i, value: v}"

WRONG = {
    "a gate on an unknown truth": (
        "recall@100",
        "true_recall@100",
        [":25: retrieval.gates.0.metric: true_recall@100 needs the truly best items", "Set 'retrieval.truth', or"],
    ),
    "a gate on the truth of a length that is not measured": (
        "{metric: recall@100, beats: popular}",
        f"{{metric: true_recall@50, at_least: 0.1}}\n  truth: {TRUTH}",
        [":25: retrieval.gates.0.metric: unknown metric 'true_recall@50'; did you mean 'true_recall@10'?"],
    ),
    "a truth without values": (
        "  history: 5",
        "  truth: {path: best/*.csv, user: u, item: i}",
        ["retrieval.truth: the key 'value' is missing"],
    ),
    "a user's column that the examples have": (
        "user: reader",
        "user: gatewise/time",
        [":18: retrieval.user: the name of the column 'gatewise/time' is reserved"],
    ),
    "an item's column that the examples have": (
        "item: article",
        "item: label/read",
        [":19: retrieval.item: the name of the column 'label/read' is reserved"],
    ),
    "labelled examples": (
        LOGS,
        "examples: {path: a.parquet}\n",
        ["retrieval: a retrieval model learns from interactions with user, item and time", "Start from 'logs'"],
    ),
    "users that are items": (
        "item: article",
        "item: reader",
        ["recipe.yaml:19: retrieval.item: 'reader' is already the user column."],
    ),
    "an item that is a number": (
        ARTICLE,
        "{kind: numeric, side: item}",
        [
            "recipe.yaml:19: retrieval.item: a feature reads the column 'article' as numeric, so it cannot identify a single item"
        ],
    ),
    "a user that is several": (
        READER,
        "{kind: multivalued, side: user}",
        [":18: retrieval.user: a feature reads the column 'reader' as multivalued", "Make the feature categorical"],
    ),
    "positives of no task": (
        "{read: 2.0",
        "{reed: 2.0",
        [
            "recipe.yaml:20: retrieval.positives.reed: 'reed' is neither a binary task nor the impression stream; "
            "did you mean 'read'? Known: read, shown."
        ],
    ),
    "positives that are values": (
        "{read: 2.0",
        "{reading_seconds: 2.0",
        [":20: retrieval.positives.reading_seconds: 'reading_seconds' is a regression task"],
    ),
    "a positive of the user, not of the item": (
        RECIPE[RECIPE.index("  reading_seconds:") :],
        "  back: {kind: binary, outcome: shown, window: 1d, match: user, role: auxiliary}\n"
        + RECIPE[RECIPE.index("  reading_seconds:") :].replace("{read: 2.0", "{back: 2.0"),
        ["retrieval.positives.back: 'back' has 'match: user': it says what the user does later"],
    ),
    "no positives": ("{read: 2.0, shown: 0.5}", "{}", [":20: retrieval.positives:"]),
    "a positive that weighs nothing": ("shown: 0.5", "shown: 0", [":20: retrieval.positives.shown:", "received 0"]),
    "positives that mean two things": (
        "  reading_seconds:",
        "  shown: {kind: binary, outcome: read, window: 30m}\n  reading_seconds:",
        ["retrieval.positives.shown: both a task and the impression stream have this name. Rename the task."],
    ),
    "context of no feature": (
        "[device]",
        "[devise]",
        [
            ":21: retrieval.context.0: no feature is called 'devise'; features of side context: did you mean 'device'? Known: device, hour."
        ],
    ),
    "context of the user": ("[device]", "[device, reader]", [":21: retrieval.context.1: 'reader' is of side user"]),
    "context that is served as a constant": (
        "device: {kind: categorical}",
        "device: {kind: categorical, served_as: phone}",
        [
            ":21: retrieval.context.0: 'device' has 'served_as', so no request has its value. Remove it from the context."
        ],
    ),
    "context of the item": (
        "[device]",
        "[section]",
        [":21: retrieval.context.0: 'section' is of side item: the user tower would read the label."],
    ),
    "context twice": ("[device]", "[device, device]", [":21: retrieval.context.1: 'device' is listed twice."]),
    "context that is the answer": (
        "  device: {kind: categorical}",
        "  device: {kind: categorical, column: section}",
        [":21: retrieval.context.0: its column 'section' describes the item: the user tower would read the label."],
    ),
    "a user's feature that is the answer": (
        "  device: {kind: categorical}",
        "  last: {kind: categorical, type: integer, side: user, column: article}\n  device: {kind: categorical}",
        ["features.last: its column 'article' describes the item"],
    ),
    "an item's feature that is the user": (
        READER,
        "{kind: categorical, side: item}",
        [":9: features.reader: its column 'reader' identifies the user, but the item tower reads only the item."],
    ),
    "an item without features": (
        f"  article: {ARTICLE}\n  section: {{kind: categorical, side: item}}\n",
        "",
        ["retrieval: the item tower has no input: no feature is of side item."],
    ),
    "a history without ids": (
        ARTICLE,
        "{kind: bucketised, side: item, buckets: 9}",
        [":22: retrieval.history: needs a categorical feature of side item that reads the column 'article'"],
    ),
    "a history of two ids": (
        ARTICLE,
        "{kind: categorical, side: item, type: integer, vocabulary: null, hash_buckets: 9, quotient_remainder: true}",
        [
            ":22: retrieval.history: needs a categorical feature",
            "and without quotient_remainder",
            "or write 'history: 0'",
        ],
    ),
    "a history of several ids": (
        ARTICLE,
        "{kind: multivalued, side: item, type: integer}",
        [":22: retrieval.history:"],
    ),
    "a column called like an input": (
        READER,
        "{kind: categorical, side: user}\n  exclude: {kind: multivalued, side: user}",
        [":10: features.exclude: the name of its column 'exclude' is reserved for the retrieval model"],
    ),
    "context called like an input": (
        "  device: {kind: categorical}",
        "  device: {kind: categorical, column: history}",
        [":12: features.device: the name of its column 'history' is reserved for the retrieval model"],
    ),
    "context called like an input in capital letters": (
        "  device: {kind: categorical}",
        "  device: {kind: categorical, column: History}",
        [":12: features.device: the name of its column 'History' is reserved for the retrieval model"],
    ),
    "a user called like an input": (
        "user: reader",
        "user: seen",
        [
            ":18: retrieval.user: the column has a reserved name. Rename it; reserved names are history, exclude, examples, seen, relevant."
        ],
    ),
    "two corrections for one thing": (
        "  history: 5",
        "  history: 5\n  batches: by_time",
        ["retrieval.log_q: corrects for the sampling probability", "Write 'log_q: false'; a 'prior' usually helps."],
    ),
    "popularity learned and added": (
        "  history: 5",
        "  history: 5\n  prior: {kind: popularity, window: 1d}",
        ["retrieval.log_q: makes the model learn the popularity of items", "Write 'log_q: false', or remove 'prior'."],
    ),
    "more negatives than there are": (
        "  history: 5",
        "  history: 5\n  batch_size: 64\n  hard_negatives: 64",
        [":24: retrieval.hard_negatives: a batch of 64 rows has 63 negatives per row."],
    ),
    "a batch without negatives": ("  history: 5", "  batch_size: 1", [":22: retrieval.batch_size:", "received 1"]),
    "a gate at a length that is not measured": (
        "recall@100",
        "recall@50",
        [":25: retrieval.gates.0.metric: unknown metric 'recall@50'; did you mean 'recall@10'?"],
    ),
    "a gate on no metric": (
        "recall@100",
        "auc",
        ["retrieval.gates.0.metric: unknown metric 'auc'; ", "Known: coverage@10"],
    ),
    "a gate without a limit": (
        ", beats: popular",
        "",
        [":25: retrieval.gates.0: a gate needs a limit: at_least, at_most, beats or max_loss_to_baseline."],
    ),
    "a gate that nothing can hold": (
        "beats: popular",
        "at_least: 0.5, at_most: 0.4",
        [":25: retrieval.gates.0: no value can be at least 0.5 and at most 0.4."],
    ),
    "a gate against a prior that there is not": (
        "beats: popular",
        "beats: prior",
        [":25: retrieval.gates.0.beats: the section has no prior to beat. Add 'prior', or choose another method."],
    ),
    "a gate against nobody": (
        "beats: popular",
        "beats: ranker",
        [":25: retrieval.gates.0.beats:", "received 'ranker'"],
    ),
    "a window of no time": (
        "  history: 5",
        "  prior: {kind: rate, window: 0d}",
        [":22: retrieval.prior.window: expected a whole number and a unit"],
    ),
    "the folder of other models": (
        "name: news",
        "name: news\nserving: {model_name: news_retrieval}",
        [
            ":2: serving.model_name: the folder 'news_retrieval' is reserved for the retrieval models of a ranker 'news'."
        ],
    ),
    "the name of other models": (
        "name: news",
        "name: a_retrieval",
        [":1: name: the folder 'a_retrieval' is reserved for"],
    ),
}


def read(folder: Path, text: str = RECIPE) -> Recipe:
    path = folder / "recipe.yaml"
    path.write_text(text)
    return load_recipe(path)


@pytest.mark.parametrize("case", WRONG)
def test_wrong_values_are_refused_where_they_stand(case: str, tmp_path: Path) -> None:
    old, new, words = WRONG[case]
    assert RECIPE.count(old) == 1
    with pytest.raises(InputError) as error:
        read(tmp_path, RECIPE.replace(old, new))
    for word in words:
        assert word in str(error.value), f"{word!r} is not in: {error.value}"


def test_a_user_of_whom_nothing_is_known(tmp_path: Path) -> None:
    text = RECIPE.replace(f"  reader: {READER}\n", "").replace("  context: [device]\n", "")
    assert list(user_features(*section_of(read(tmp_path, text)))) == []  # the history is enough
    with pytest.raises(InputError, match="retrieval: the user tower has no input") as error:
        read(tmp_path, text.replace("history: 5", "history: 0"))
    assert "recipe.yaml:16:" in str(error.value)


def test_without_the_section_there_is_nothing_to_check(tmp_path: Path) -> None:
    assert read(tmp_path, RECIPE[: RECIPE.index("retrieval:")]).retrieval is None


@pytest.mark.parametrize(
    ("old", "new"),
    [
        (ARTICLE, "{kind: categorical, side: item, type: integer, vocabulary: null, hash_buckets: 9}"),
        ("  history: 5", "  batches: by_time\n  log_q: false"),
        ("  history: 5", "  log_q: false\n  prior: {kind: rate, window: 7d}"),
        ("  history: 5", "  batch_size: 64\n  hard_negatives: 63"),
        ("{metric: recall@100, beats: popular}", "{metric: mrr, max_loss_to_baseline: 0}"),
        ("{metric: recall@100, beats: popular}", "{metric: weighted_recall@100, beats: popular}"),
        ("{metric: recall@100, beats: popular}", f"{{metric: true_recall@10, at_least: 0.1}}\n  truth: {TRUTH}"),
        ("name: news", "name: news\nserving: {model_name: retrieval}"),
    ],
)
def test_right_values(old: str, new: str, tmp_path: Path) -> None:
    assert RECIPE.count(old) == 1
    assert read(tmp_path, RECIPE.replace(old, new)).retrieval is not None


def section_of(recipe: Recipe) -> tuple[Recipe, Retrieval]:
    assert recipe.retrieval is not None
    return recipe, recipe.retrieval


def test_what_each_tower_reads(tmp_path: Path) -> None:
    recipe, section = section_of(read(tmp_path))
    assert list(user_features(recipe, section)) == ["reader", "device"]
    assert list(item_features(recipe)) == ["article", "section"]


def test_the_history_is_in_the_ids_of_the_first_plain_feature_of_the_item(tmp_path: Path) -> None:
    others = "".join(
        f"  {name}: {{kind: {kind}, column: article, type: integer{more}}}\n"
        for name, kind, more in (
            ("of_context", "categorical", ""),
            ("two_ids", "categorical", ", side: item, vocabulary: null, hash_buckets: 9, quotient_remainder: true"),
            ("first", "categorical", ", side: item, vocabulary: 9"),
        )
    )
    recipe, section = section_of(read(tmp_path, RECIPE.replace("features:\n", "features:\n" + others)))
    assert history_feature(recipe, section) == "first"


def test_an_id_is_of_the_type_of_the_feature_that_reads_it(tmp_path: Path) -> None:
    recipe = read(tmp_path)
    types = {column: column_type(recipe, column) for column in ("article", "reader", "session")}
    assert types == {"article": "int", "reader": "bytes", "session": "bytes"}
    first = "features:\n  size: {kind: numeric, side: item, column: article}\n"
    assert column_type(read(tmp_path, RECIPE.replace("features:\n", first)), "article") == "int"


def test_the_examples_have_the_columns_of_users_and_items(tmp_path: Path) -> None:
    text = RECIPE.replace("user: reader", "user: session")
    columns = EventLogsPlan.from_recipe(read(tmp_path, text)).columns
    assert [column.name for column in columns] == ["reader", "article", "section", "device", "hour", "session"]
    added = columns[-1]
    assert (added.type, added.multivalued) == ("bytes", False)
    without = EventLogsPlan.from_recipe(read(tmp_path, RECIPE[: RECIPE.index("retrieval:")]))
    assert without.columns == columns[:-1]
    # Features read both already: the section alone does not make the examples anew.
    assert EventLogsPlan.from_recipe(read(tmp_path)).model_dump_json() == without.model_dump_json()


def test_metrics_by_name() -> None:
    assert metric_names((100, 10, 10)) == (
        *("recall@10", "recall@100", "weighted_recall@10", "weighted_recall@100", "ndcg@10", "ndcg@100", "mrr"),
        *("coverage@10", "coverage@100", "popularity_bias@10", "popularity_bias@100"),
    )
    assert metric_names((5,), truth=True)[:3] == ("true_recall@5", "recall@5", "weighted_recall@5")
