"""The recipe of each layout loads, says what is true of the logs, and refuses to guess what would shift labels."""

from __future__ import annotations

import datetime
from pathlib import Path

import polars as pl
import pytest

from models.recipe.errors import InputError
from models.recipe.features import Bucketised, Categorical, MultiValued, Numeric
from models.recipe.file import load_recipe
from models.recipe.recipe import Recipe
from pipeline.simulate import simulate
from pipeline.starting.answers import Answers
from pipeline.starting.start import start
from tests.doubles import small_layouts
from tests.doubles.small_layouts import LAYOUTS, outcomes, shown

HOUR = datetime.timedelta(hours=1)


def made(tmp_path: Path, layout: str, answers: Answers | None = None) -> tuple[Recipe, str]:
    LAYOUTS[layout](tmp_path / layout)
    found = start(tmp_path / layout, layout, answers or Answers())
    (tmp_path / "recipe.yaml").write_text(found.text)
    recipe = load_recipe(tmp_path / "recipe.yaml")
    assert recipe.tasks == found.recipe.tasks and recipe.data == str(tmp_path / layout)
    return recipe, found.text


def streams(recipe: Recipe) -> dict[str, tuple[str, tuple[str, ...], str, str | None]]:
    assert recipe.logs is not None
    return {name: (one.path, one.key, one.time.unit, one.time.zone) for name, one in recipe.logs.streams.items()}


def sides(recipe: Recipe) -> dict[str, str]:
    return {name: feature.side for name, feature in recipe.features.items()}


def windows(recipe: Recipe) -> dict[str, datetime.timedelta | None]:
    return {name: task.window for name, task in recipe.tasks.items()}


@pytest.mark.parametrize("layout", LAYOUTS)
def test_the_recipe_of_every_layout_is_valid_and_the_same_again(tmp_path: Path, layout: str) -> None:
    _, text = made(tmp_path, layout)
    assert start(tmp_path / layout, layout, Answers()).text == text


def test_deskdrop(tmp_path: Path) -> None:
    recipe, text = made(tmp_path, "deskdrop")
    at = ("interactions.parquet", ("personId", "contentId"), "s", None)
    assert streams(recipe) == {"view": at, "like": at, "comment_created": at}
    assert recipe.logs is not None and recipe.logs.impressions == "view"
    assert recipe.logs.streams["comment_created"].where == {"eventType": ("COMMENT CREATED",)}
    assert windows(recipe) == {
        "like": HOUR,
        "comment_created": HOUR,
    }  # uniform up to 3,000 s: the 95 % quantile is 2,850 s
    assert sides(recipe) == {"contentId": "item", "personId": "user", "userCountry": "user"}
    assert recipe.evaluation.group_key == "personId" and recipe.evaluation.slices == (("userCountry",),)
    assert "the impressions have the keys of 100.0% of them" in text and "# UNSURE:" not in text


def test_taobao_has_orphans_and_an_assumption(tmp_path: Path) -> None:
    recipe, text = made(tmp_path, "taobao")
    assert recipe.logs is not None and recipe.logs.impressions == "cart" and list(recipe.tasks) == ["buy"]
    table = pl.read_parquet(tmp_path / "taobao" / "fav_cart_buy.parquet")
    first: dict[tuple[int, int], int] = {}
    for user, item, at in table.filter(pl.col("behavior") == "cart").select("user", "item", "timestamp").iter_rows():
        first[user, item] = min(at, first.get((user, item), at))
    buys = table.filter(pl.col("behavior") == "buy").select("user", "item", "timestamp").rows()
    orphans = sum(first.get((user, item), at + 1) > at for user, item, at in buys) / len(buys)
    assert recipe.logs.limits.orphans == round(orphans + 0.05, 2) > 0.5
    assert "UNSURE: the impressions are an assumption. Alternatives: buy (--impressions NAME)." in text


def test_globo(tmp_path: Path) -> None:
    recipe, _ = made(tmp_path, "globo")
    assert streams(recipe)["read_on"] == ("read_on.parquet", ("user_id", "article"), "ms", None)
    assert windows(recipe) == {"read_on": 0.5 * HOUR}
    assert isinstance(recipe.features["region"], Categorical) and recipe.features["region"].side == "user"


def test_census_is_labelled_and_the_copy_of_the_label_is_left_out(tmp_path: Path) -> None:
    recipe, text = made(tmp_path, "census")
    assert recipe.examples is not None and recipe.logs is None
    assert (recipe.examples.path, recipe.examples.eval_path) == ("census_train.parquet", "census_test.parquet")
    assert recipe.tasks["income"].label is not None and recipe.tasks["income"].label.positive == ("50000+.",)
    assert list(recipe.features) == ["age", "education", "occupation_code", "weeks_worked_in_year"]
    assert isinstance(recipe.features["age"], Bucketised) and isinstance(
        recipe.features["occupation_code"], Categorical
    )
    assert "tax_band: its values tell the label of income in 100.00% of the rows" in text
    assert "Alternative: weight: instance_weight" in text
    recipe, text = made(tmp_path / "again", "census", Answers(labels=("income", "tax_band")))
    assert list(recipe.tasks) == ["income", "tax_band"] and "the label is an assumption" not in text


def test_hive_days_with_other_names_in_each_stream(tmp_path: Path) -> None:
    recipe, text = made(
        tmp_path,
        "hive",
        Answers(ask=lambda question, answers, default: "yes" if "predict" in question else str(default)),
    )
    assert streams(recipe) == {
        "product_view": ("product_views/*/part-*.csv", ("user_id", "product_id"), "text", None),
        "order": ("orders/*/part-*.csv", ("customer_id", "sku"), "text", None),
    } or streams(recipe) == {
        "product_view": ("product_views/*/*.csv", ("user_id", "product_id"), "text", None),
        "order": ("orders/*/*.csv", ("customer_id", "sku"), "text", None),
    }
    assert windows(recipe) == {"order": 12 * HOUR, "order_value": 12 * HOUR}
    assert (
        recipe.tasks["order_value"].conditioned_on == "order"
        and recipe.logs
        and recipe.logs.streams["order"].value == "order_value"
    )
    assert sides(recipe) == {
        "user_id": "user",
        "product_id": "item",
        "country": "user",
        "price": "item",
        "device": "context",
    }
    assert "ISO times with an offset from UTC" in text and "# UNSURE: order_value" not in text
    recipe, text = made(tmp_path / "unasked", "hive")
    assert list(recipe.tasks) == ["order"] and recipe.logs is not None and recipe.logs.streams["order"].value is None
    keys = "kind: regression, outcome: order, window: 12h, conditioned_on: order, loss: tweedie"
    assert f"`value: order_value` in the stream order, and here.\n  # order_value: {{{keys}}}\n" in text


def test_json_lines_with_mixed_events(tmp_path: Path) -> None:
    recipe, text = made(tmp_path, "json_events")
    assert streams(recipe)["click"] == ("events.jsonl", ("userId", "itemId"), "us", None)
    tags = recipe.features["tags"]
    assert isinstance(tags, MultiValued) and tags.separator is None and tags.max_length == 3 and tags.side == "item"
    assert (
        "clicked" not in recipe.features
        and "clicked: its name says that it is known only after the impression" not in text
    )
    assert "clicked: it has one value only, 0" in text


def test_csv_with_semicolons(tmp_path: Path) -> None:
    recipe, _ = made(tmp_path, "epoch_csv")
    assert recipe.logs is not None
    stream = recipe.logs.streams["impression"]
    assert stream.csv.delimiter == ";" and stream.nulls == ("NA",) and stream.path == "impressions.csv"
    genres, price = recipe.features["genres"], recipe.features["price"]
    assert isinstance(genres, MultiValued) and genres.separator == "|" and genres.side == "item"
    assert isinstance(price, Numeric) and price.side == "item"
    assert windows(recipe) == {"click": 0.25 * HOUR}


def test_labelled_impressions_with_a_time(tmp_path: Path) -> None:
    recipe, text = made(tmp_path, "labelled_days")
    assert recipe.examples is not None and recipe.examples.path == "log_*.csv.gz"
    assert recipe.examples.time is not None and (recipe.examples.time.unit, recipe.examples.time.zone) == (
        "text",
        "UTC",
    )
    assert "UNSURE: zone UTC is an assumption" in text
    assert {name: task.label and task.label.column for name, task in recipe.tasks.items()} == {
        "clicked": "clicked",
        "liked": "liked",
    }
    assert "in_stock" in recipe.features and "dwell_seconds" not in recipe.features
    assert recipe.split.eval_fraction == 0.2 and recipe.evaluation.group_key == "user"


def test_the_simulated_shop(tmp_path: Path) -> None:
    simulate(tmp_path / "shop", 6000, 3)
    recipe = start(tmp_path / "shop", "shop", Answers()).recipe
    assert recipe.logs is not None and recipe.logs.impressions == "impression"
    assert set(recipe.logs.streams) >= {"impression", "click", "cart"}
    of_shop = {
        "segment": "user",
        "country": "user",
        "age": "user",
        "price": "item",
        "tags": "item",
        "brand": "item",
        "device": "context",
    }
    assert {name: side for name, side in sides(recipe).items() if name in of_shop} == of_shop
    position = recipe.features["position"]
    assert isinstance(position, Categorical) and position.served_as == 1
    assert next(iter(recipe.tasks)) == "click"


def write(folder: Path, **tables: pl.DataFrame) -> Path:
    folder.mkdir(parents=True)
    for name, table in tables.items():
        table.write_parquet(folder / f"{name}.parquet")
    return folder


def test_a_column_that_knows_the_label_is_left_out_and_named(tmp_path: Path) -> None:
    views = shown()
    clicks = outcomes(views, 0.2, 100, 2)
    views = views.join(
        clicks.select("user", "item", pl.col("at").alias("seen")).unique(["user", "item"]),
        on=["user", "item"],
        how="left",
    )
    hit = ((views["seen"] - views["at"]) > 0) & ((views["seen"] - views["at"]) <= 100)
    rng = pl.Series(range(views.height))
    views = views.drop("seen").with_columns(
        hit.fill_null(False).cast(pl.Int64).alias("outcome_flag_x"),
        pl.when(hit).then(rng / 7.0).alias("seconds_read"),
        pl.lit(1.5).alias("watch_time") * rng,
    )
    only = views.filter(pl.col("outcome_flag_x") == 1).select("user", "item", pl.col("at") + 5)
    found = start(write(tmp_path / "logs", views=views, clicks=only), "logs", Answers())
    assert set(found.recipe.features) == {"user", "item", "country", "price", "device"}
    for column in ("outcome_flag_x: its values tell", "seconds_read: its values tell", "watch_time: its name says"):
        assert f"#   {column}" in found.text


@pytest.mark.parametrize(
    ("change", "answers", "message"),
    [
        (
            {"ended_at": pl.col("at") + 60},
            {},
            r"impressions?: 2 columns may be the time of the event\..*at, ended_at.*--time impression=COLUMN",
        ),
        (
            {"at": pl.when(pl.col("item") % 2 == 0).then(pl.col("at") * 1000).otherwise("at")},
            {},
            r"the unit of 'at' is not clear.*--unit impression=UNIT",
        ),
        (
            {"at": pl.from_epoch("at")},
            {},
            r"no offset from UTC, but those of click are known in UTC.*--zone impression=ZONE",
        ),
        (
            {"at": pl.col("at") - small_layouts.START},
            {},
            r"'at' may be its time, but its values, such as .* are neither ISO 8601 nor epochs",
        ),
        ({"item": pl.col("item") + 10**6}, {}, r"no columns join click to it.*--key COLUMN,COLUMN"),
        ({}, {"key": {"": "user,itm"}}, r"--key: no column is called 'itm'"),
        ({}, {"impressions": "shows"}, r"--impressions shows: no stream has this name\. It may be click, impression"),
        ({}, {"labels": ("sold",)}, r"--label: no file has the columns sold"),
        (
            {},
            {"zone": {"shows": "UTC"}},
            r"--zone shows=UTC: no stream or file has this name; Known: click, impression",
        ),
        ({}, {"events": "kind"}, r"--events: no column is called 'kind'"),
    ],
)
def test_what_would_shift_labels_is_not_guessed(tmp_path: Path, change: dict, answers: dict, message: str) -> None:
    views = shown()
    clicks = outcomes(views, 0.2, 100, 2)
    folder = write(tmp_path / "logs", impressions=views.with_columns(**change), clicks=clicks)
    with pytest.raises(InputError, match=message):
        start(folder, "logs", Answers(**answers))


def test_names_that_a_recipe_does_not_allow(tmp_path: Path) -> None:
    views = shown().with_columns(
        pl.col("price").alias("price_missing"),
        pl.col("device").alias('Gerät: "neu" #1'),
        pl.col("country").alias("Device"),
    )
    recipe = start(write(tmp_path / "1 logs!", views=views, clicks=outcomes(views, 0.2, 100, 2)), ".", Answers()).recipe
    columns = {name: feature.column or name for name, feature in recipe.features.items()}
    assert (
        columns["ger_t_neu_1"] == 'Gerät: "neu" #1'
        and columns["price_2"] == "price_missing"
        and columns["device_2"] == "Device"
    )
    assert recipe.name == "x_1_logs"


def test_days_without_an_hour_are_a_time_if_there_is_no_other(tmp_path: Path) -> None:
    views = shown(days=60)
    day = pl.from_epoch("at").dt.strftime("%Y-%m-%d")
    clicks = outcomes(views, 0.3, small_layouts.DAY, 2).with_columns(day=day).drop("at")
    recipe = start(
        write(tmp_path / "logs", views=views.with_columns(day=day).drop("at"), clicks=clicks), "logs", Answers()
    ).recipe
    assert recipe.logs is not None and recipe.logs.streams["view"].time.column == "day"
    assert windows(recipe) == {"click": 24 * HOUR}


def test_the_logs_end_before_a_clock_that_runs_ahead(tmp_path: Path) -> None:
    views = shown()
    clicks = outcomes(views, 0.2, 100, 2).sort("at")
    end = clicks["at"].max()
    late = clicks.tail(2).with_columns(pl.col("at") + 9 * small_layouts.DAY)
    found = start(write(tmp_path / "logs", views=views, clicks=pl.concat([clicks, late])), "logs", Answers())
    last = min(int(end), int(views["at"].max()))  # type: ignore[call-overload]
    assert found.recipe.logs is not None and found.recipe.logs.as_of == datetime.datetime.fromtimestamp(
        last + 1, datetime.UTC
    )
    assert "The last 2 sampled rows of click came 9.0 days after the others" in found.text
    assert (
        start(write(tmp_path / "clean", views=views, clicks=clicks), "clean", Answers()).recipe.logs.as_of == "latest"
    )  # type: ignore[union-attr]


def test_the_largest_stream_without_a_known_name_has_the_impressions_if_it_has_the_keys(tmp_path: Path) -> None:
    views = shown().with_columns(pl.col("user").cast(pl.Float64))
    likes = outcomes(shown(), 0.2, 100, 2)
    found = start(write(tmp_path / "logs", feed=views, likes=likes), "logs", Answers())
    assert found.recipe.logs is not None and found.recipe.logs.impressions == "feed"
    assert "the impressions have the keys of 100.0% of them" in found.text
    few = write(
        tmp_path / "few", feed=views.with_columns(pl.col("item") + pl.int_range(pl.len()) % 4 * 1000), likes=likes
    )
    with pytest.raises(
        InputError,
        match=r"feed: no name says which stream .* too few keys of the others \(\d+% of like\).*--impressions NAME",
    ):
        start(few, "few", Answers())


def test_a_key_of_the_user_alone_is_marked(tmp_path: Path) -> None:
    views = shown().rename({"item": "slate"})
    clicks = outcomes(shown(), 0.2, 100, 2).drop("item")
    found = start(write(tmp_path / "logs", views=views, clicks=clicks), "logs", Answers())
    assert found.recipe.logs is not None and found.recipe.logs.streams["view"].key == ("user",)
    assert "UNSURE: the key is the user alone" in found.text


def test_an_option_decides(tmp_path: Path) -> None:
    views = shown().with_columns(ended_at=pl.col("at") + 60)
    folder = write(tmp_path / "logs", impressions=views, clicks=outcomes(views, 0.2, 100, 2))
    recipe = start(folder, "logs", Answers(time={"impression": "at"})).recipe
    assert recipe.logs is not None and recipe.logs.streams["impression"].time.column == "at"
    local = views.drop("ended_at").with_columns(pl.from_epoch("at"))
    folder = write(tmp_path / "local", impressions=local, clicks=outcomes(views, 0.2, 100, 2))
    recipe = start(folder, "local", Answers(zone={"impression": "UTC"})).recipe
    assert recipe.logs is not None and recipe.logs.streams["impression"].time.zone == "UTC"


def test_a_terminal_is_asked_what_is_unsure(tmp_path: Path) -> None:
    asked: list[str] = []

    def ask(question: str, answers: object, default: str | None) -> str:
        asked.append(question)
        return "buy" if "impressions" in question else str(default)

    recipe, text = made(tmp_path, "taobao", Answers(ask=ask))
    assert asked[0] == "Which stream has the impressions?"
    assert (
        recipe.logs is not None and recipe.logs.impressions == "buy" and "the impressions are an assumption" not in text
    )


def test_a_sample_keeps_whole_users(tmp_path: Path) -> None:
    LAYOUTS["deskdrop"](tmp_path / "logs")
    whole = start(tmp_path / "logs", "logs", Answers())
    part = start(tmp_path / "logs", "logs", Answers(), limit=1500)
    assert part.samples[0].frame.height <= 1500 < part.samples[0].total == whole.samples[0].frame.height
    assert "a sample of " in part.text and "the impressions have the keys of 100.0% of them" in part.text
    assert windows(part.recipe) == windows(whole.recipe) and sides(part.recipe) == sides(whole.recipe)
