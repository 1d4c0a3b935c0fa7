"""What names of columns and streams say: words of users, items, times and events."""

from __future__ import annotations

import re
from collections.abc import Iterable

_USERS = "user|person|member|customer|visitor|viewer|reader|listener|player|buyer|shopper|subscriber|client|account|uid|guest|profile"
_ITEMS = (
    "item|content|article|product|sku|asin|video|movie|film|song|track|ad|creative|page|document|doc|post|listing|news|book|offer"
    "|good|hotel|restaurant|game|job|recipe|clip|story|podcast|episode|business|place|poi|show|photo|course|app"
)
_ID = r"(?:id|key|uuid|guid|hash|number|code|no|nr)?s?"
_TIME = re.compile(
    r"(?:^|_)(?:time|timestamp|ts|date|datetime|day|at|when|created|logged|start|end|millis|epoch)(?:$|_)"
)
_ID_LIKE = re.compile(r"(?:^|_)(?:id|ids|key|uuid|guid|hash|code|sku|asin|zip|postcode)$|\Buuid$|\Bid$")
_EVENT_OF = re.compile(
    r"^(?:impression|request|exposure|view|pageview|page_view|event|rec|recommendation|slate)_?(?:id|uuid|key)$"
)
_EVENTS = re.compile(
    r"^(?:event|action|behaviou?r|interaction|activity|feedback)(?:_(?:type|name|kind|category))?$|^type$|^verb$"
)
_QUANTITY = re.compile(
    r"(?:^|_)(?:price|amount|cost|revenue|value|total|count|num|number|age|length|size|duration|seconds|score|rating|weeks|days|hours"
    r"|minutes|distance|weight|height|width|balance|income|salary|wage|gains|losses|dividends|quantity|qty|per|rate|ctr|ratio|share)(?:$|_)"
)
_CODE = re.compile(
    r"(?:^|_)(?:region|country|city|state|zone|os|platform|type|kind|category|class|group|brand|language|lang|segment|channel|source|status|gender"
    r"|sex|hour|weekday|month|occupation|industry|genre|topic|tag)$"
)
_AFTER = re.compile(
    r"^(?:is_|has_|was_|did_)?(?:clicked|click|purchased?|bought|ordered|converted|conversion|liked|label|labels|target|outcome|skipped"
    r"|shared|saved|added_to_cart|carted|installed|watched|finished|completed|dwell(?:_.*)?|watch_(?:time|seconds|ms)|time_spent(?:_.*)?"
    r"|play_(?:time|duration)|watch_ratio|long_view|reward|response)$"
)
_LABELS = re.compile(
    r"^(?:is_|has_|was_|did_)?(?:label|labels|target|y|click|clicked|clicks|like|liked|follow|followed|comment|share|shared|forward"
    r"|purchased?|bought|order|ordered|conversion|converted|convert|install|installed|income|churn|long_view|outcome|response|read_comment)$"
)
_STAGES = (
    (
        "impression",
        "impress",
        "exposure",
        "expose",
        "shown",
        "show",
        "display",
        "displayed",
        "served",
        "recommendation",
        "slate",
    ),
    ("view", "pv", "pageview", "page_view", "viewed", "detail_view", "product_view"),
    ("click", "clicked", "clk", "open", "play", "watch", "read"),
    (
        "cart",
        "fav",
        "like",
        "favorite",
        "favourite",
        "bookmark",
        "save",
        "share",
        "comment",
        "follow",
        "add_to_cart",
        "addtocart",
    ),
    ("buy", "order", "purchase", "transaction", "payment", "conversion", "checkout", "booking", "install", "refund"),
)
POSITION = re.compile(r"(?:^|_)(?:position|pos|rank|slot)$")


def snake(name: str) -> str:
    """The name in lower case with underscores: personId -> person_id."""
    name = re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", name)
    return re.sub(r"\W+", "_", name).strip("_").lower()


def user_column(columns: Iterable[str]) -> str | None:
    """The column with the id of the user, by name."""
    return _named(columns, _USERS)


def item_column(columns: Iterable[str]) -> str | None:
    """The column with the id of the item, by name."""
    return _named(columns, _ITEMS)


def _named(columns: Iterable[str], words: str) -> str | None:
    """The first column whose whole name is one of the words, with or without `id`; else the first whose end is."""
    columns = list(columns)
    for pattern in (rf"(?:{words})_?{_ID}", rf".*_(?:{words})_id"):
        for column in columns:
            if re.fullmatch(pattern, snake(column)):
                return column
    return None


def is_time(column: str) -> bool:
    return bool(_TIME.search(snake(column)))


def is_id(column: str) -> bool:
    return bool(_ID_LIKE.search(snake(column)))


def is_event_id(column: str) -> bool:
    """Whether the name is that of an impression's own id, which its outcomes may carry, too."""
    return bool(_EVENT_OF.match(snake(column)))


def is_event_type(column: str) -> bool:
    return bool(_EVENTS.match(snake(column)))


def is_code(column: str) -> bool:
    """Whether whole numbers of this name are codes, such as those of regions."""
    return bool(_CODE.search(snake(column)))


def is_quantity(column: str) -> bool:
    return bool(_QUANTITY.search(snake(column)))


def is_label(column: str) -> bool:
    return bool(_LABELS.match(snake(column)))


def is_known_after(column: str) -> bool:
    """Whether the name is that of something that happens after the impression, such as `clicked` or `dwell_seconds`."""
    return bool(_AFTER.match(snake(column)))


def stage(name: str) -> int | None:
    """Place of a stream in the funnel by its name, 0 for impressions; None if the name says nothing."""
    words = {snake(name), *snake(name).split("_")}
    return next((place for place, stage in enumerate(_STAGES) if words & {*stage, *(f"{w}s" for w in stage)}), None)
