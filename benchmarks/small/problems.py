"""The small problems: a cut of a public data set, and the recipe that a user would write for it in five minutes.

A recipe names tasks, features by kind and `architecture: mmoe`. It has no other option of the model or the training.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import polars as pl
import yaml

from benchmarks.small import cuts
from components.storage.writing import whole_file

Frames = dict[str, pl.DataFrame]
Document = dict[str, Any]
RECIPE = "recipe.yaml"

DESKDROP, CARTS = "deskdrop_interactions.parquet", "taobao_fav_cart_buy.parquet"
EVENTS, NEWS, CENSUS = "taobao_userbehavior_slice.parquet", "globo_clicks.parquet", "census_income_kdd_train.parquet"

INTEGER: Document = {"kind": "categorical", "type": "integer"}
TEXT: Document = {"kind": "categorical"}
LOG: Document = {"kind": "numeric", "transform": "log1p"}
NUMBER: Document = {"kind": "numeric"}


@dataclasses.dataclass(frozen=True, kw_only=True)
class Problem:
    """A small problem.

    Attributes:
        file: in the folder of the data.
        cut: the file's rows -> the streams of the logs, or `examples`, as the recipe reads them.
        recipe: the recipe without `name` and `data`.
        group: column of the clusters of the intervals; None if every row is one.
    """

    file: str
    cut: Callable[[pl.DataFrame], Frames]
    recipe: Document
    group: str | None = None


def prepare(name: str, data: Path, folder: Path) -> Path:
    """Writes the files and the recipe of a problem.

    Args:
        name: of PROBLEMS.
        data: folder of the data sets.
        folder: is made.

    Returns:
        The recipe's path.
    """
    problem = PROBLEMS[name]
    folder.mkdir(parents=True, exist_ok=True)
    for stream, frame in problem.cut(pl.read_parquet(data / problem.file)).items():
        with whole_file(str(folder / f"{stream}.parquet")) as temporary:
            frame.write_parquet(temporary)
    document = {"name": name, "data": ".", **problem.recipe, "model": {"architecture": "mmoe"}}
    if problem.group is not None:
        document["evaluation"] = {"group_key": problem.group}
    path = folder / RECIPE
    path.write_text(yaml.safe_dump(document, sort_keys=False), encoding="utf-8")
    return path


def _streams(impressions: str, names: tuple[str, ...], key: tuple[str, str], time: tuple[str, str]) -> Document:
    """Streams with one key and one time column, each in its own file."""
    of = {"key": list(key), "time": {"column": time[0], "unit": time[1]}}
    streams: Document = {name: {"path": f"{name}.parquet", **of} for name in names}
    # A cut is no reason to stop: it has outcomes without impressions, and days without rows.
    return {"impressions": impressions, "streams": streams, "limits": {"orphans": 1.0, "missing_days": "warn"}}


def _by_value(frame: pl.DataFrame, column: str, names: Mapping[str, str]) -> Frames:
    return {stream: frame.filter(pl.col(column) == value).drop(column) for stream, value in names.items()}


_FEED = {"view": "VIEW", "like": "LIKE", "bookmark": "BOOKMARK", "comment": "COMMENT CREATED", "follow": "FOLLOW"}


def _feed(share: float) -> Problem:
    """The first part of a company's year."""
    return Problem(
        file=DESKDROP,
        cut=lambda frame: _by_value(cuts.until(frame, "timestamp", share), "eventType", _FEED),
        recipe={
            "logs": _streams("view", tuple(_FEED), ("personId", "contentId"), ("timestamp", "s")),
            "split": {"eval_fraction": 0.25},
            "features": {
                "personId": INTEGER,
                "contentId": INTEGER,
                "userCountry": TEXT,
                "userRegion": TEXT,
                "userAgent": TEXT,
            },
            "tasks": {
                task: {"kind": "binary", "outcome": task, "window": "1d"}
                for task in ("like", "bookmark", "comment", "follow")
            },
        },
        group="personId",
    )


def _news(one_in: int, days: int, tasks: Document) -> Problem:
    """One reader in so many over some days."""
    names = {f"click_{old}": new for old, new in _READER.items()}

    def cut(frame: pl.DataFrame) -> Frames:
        known = cuts.users(frame, "user_id", one_in).filter(pl.col("hour_file") < 24 * days)
        return cuts.news(known.select("user_id", **{new: pl.col(old) for old, new in names.items()}))

    outcomes = tuple(dict.fromkeys(task["outcome"] for task in tasks.values()))
    logs = _streams("click", ("click", *outcomes), ("user_id", "article"), ("time", "ms"))
    logs["streams"]["read_on"]["value"] = "seconds"
    features = {name: INTEGER for name in _READER.values() if name != "time"}
    recipe = {"logs": logs, "split": {"eval_fraction": 0.25}, "features": features, "tasks": tasks}
    return Problem(file=NEWS, cut=cut, recipe=recipe, group="user_id")


_READER = {
    "article_id": "article",
    "timestamp": "time",
    "environment": "environment",
    "deviceGroup": "device_group",
    "os": "os",
    "country": "country",
    "region": "region",
    "referrer_type": "referrer",
}
_READ_ON: Document = {"kind": "binary", "outcome": "read_on", "window": "30m"}
_RETURN: Document = {"kind": "binary", "outcome": "return", "window": "6h"}

# Of two hours too few views have an outcome: what is predicted is the kind of an event.
_SHOP_EVENTS = Problem(
    file=EVENTS,
    cut=lambda frame: {"examples": cuts.users(frame, "user_id", 2)},
    recipe={
        "examples": {"path": "examples.parquet", "time": {"column": "timestamp", "unit": "s"}},
        "split": {"eval_fraction": 0.3},
        "features": {"user_id": INTEGER, "item_id": INTEGER, "category_id": INTEGER},
        "tasks": {
            name: {"kind": "binary", "label": {"column": "behavior", "positive": [name]}}
            for name in ("cart", "fav", "buy")
        },
    },
    group="user_id",
)
_SHOP_CARTS = Problem(
    file=CARTS,
    cut=lambda frame: _by_value(cuts.users(frame, "user", 4), "behavior", {"cart": "cart", "buy": "buy"}),
    recipe={
        "logs": _streams("cart", ("cart", "buy"), ("user", "item"), ("timestamp", "s")),
        "split": {"eval_last": "3d"},
        "features": {"user": INTEGER, "item": INTEGER},
        "tasks": {
            "buy_1h": {"kind": "binary", "outcome": "buy", "window": "1h"},
            "buy_1d": {"kind": "binary", "outcome": "buy", "window": "1d"},
        },
    },
    group="user",
)

_AMOUNTS = ("wage_per_hour", "capital_gains", "capital_losses", "dividends_from_stocks")
_COUNTS = ("age", "num_persons_worked_for_employer", "weeks_worked_in_year")
_CODES = ("industry_code", "occupation_code", "own_business_or_self_employed", "veterans_benefits", "year")
_NAMES = (
    "class_of_worker",
    "education",
    "enrolled_in_edu_inst_last_wk",
    "major_industry_code",
    "major_occupation_code",
    "race",
    "hispanic_origin",
    "sex",
    "member_of_labor_union",
    "reason_for_unemployment",
    "full_or_part_time_employment_stat",
    "tax_filer_status",
    "region_of_previous_residence",
    "state_of_previous_residence",
    "detailed_household_and_family_stat",
    "detailed_household_summary",
    "migration_code_change_in_msa",
    "migration_code_change_in_reg",
    "migration_code_move_within_reg",
    "live_in_this_house_1_year_ago",
    "migration_prev_res_in_sunbelt",
    "family_members_under_18",
    "country_of_birth_father",
    "country_of_birth_mother",
    "country_of_birth_self",
    "citizenship",
    "fill_inc_questionnaire_veterans",
)


def _census(rows: int, tasks: Document, without: tuple[str, ...] = (), **made: pl.Expr) -> Problem:
    """Every n-th person of a survey.

    Args:
        rows: how many.
        tasks: of the recipe.
        without: columns that are no features, besides the labels of the public benchmark.
        made: {label column: its value}.
    """
    features = {
        **dict.fromkeys(_COUNTS, NUMBER),
        **dict.fromkeys(_AMOUNTS, LOG),
        **dict.fromkeys(_CODES, INTEGER),
        **dict.fromkeys(_NAMES, TEXT),
    }
    return Problem(
        file=CENSUS,
        cut=lambda frame: {"examples": cuts.every(frame, rows).with_columns(**made)},
        recipe={
            "examples": {"path": "examples.parquet"},
            "split": {"eval_fraction": 0.3, "validate_fraction": 0.15},
            "features": {name: feature for name, feature in features.items() if name not in without},
            "tasks": tasks,
        },
    )


_INCOME: Document = {"kind": "binary", "label": {"column": "income", "positive": ["50000+."]}}
_NEVER: Document = {"kind": "binary", "label": {"column": "marital_status", "positive": ["Never married"]}}


PROBLEMS: dict[str, Problem] = {
    "feed_12k": _feed(0.2),
    "feed_42k": _feed(0.5),
    "events_55k": _SHOP_EVENTS,
    "carts_35k": _SHOP_CARTS,
    "news_9k": _news(50, 2, {"read_on": _READ_ON, "return": _RETURN}),
    "news_30k": _news(
        30,
        4,
        {
            "read_on": _READ_ON,
            "next_click": {"kind": "regression", "outcome": "read_on", "window": "30m", "conditioned_on": "read_on"},
        },
    ),
    "census_3k": _census(3_000, {"income": _INCOME, "never_married": _NEVER}),
    "census_40k": _census(40_000, {"income": _INCOME, "never_married": _NEVER}),
    "losses_15k": _census(
        15_000,
        {
            "losses": {"kind": "binary", "label": {"column": "has_losses"}},
            "union": {"kind": "binary", "label": {"column": "in_union"}},
        },
        without=("capital_losses", "member_of_labor_union"),
        has_losses=(pl.col("capital_losses") > 0).cast(pl.Int8),
        in_union=(pl.col("member_of_labor_union") == "Yes").cast(pl.Int8),
    ),
    "dividends_20k": _census(
        20_000,
        {
            "income": _INCOME,
            "dividends": {
                "kind": "regression",
                "label": {"column": "dividends_from_stocks"},
                "loss": "squared_log_error",
            },
        },
        without=("dividends_from_stocks",),
    ),
}
