"""The impressions among the streams, and the columns that join outcomes to them."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence

import polars as pl

from pipeline.starting import words
from pipeline.starting.answers import Answers
from pipeline.starting.streams import FoundStream

_LEAST = 0.01  # share of the outcomes' keys below which a stream does not join
_CLEAR = 0.5
_KEYED = "\0key"


@dataclasses.dataclass(frozen=True, kw_only=True)
class Join:
    """How the streams join.

    Attributes:
        impressions: the stream of the impressions.
        outcomes: the streams that join to it, the largest containment first.
        keys: stream -> columns of the key.
        user, item: columns of the impressions; None if there is none.
        contained: outcome stream -> share of its rows whose key is one of the impressions' keys.
        left_out: streams that do not join -> why.
        unsure: alternatives for the impressions, or "".
    """

    impressions: FoundStream
    outcomes: tuple[FoundStream, ...]
    keys: Mapping[str, tuple[str, ...]]
    user: str | None
    item: str | None
    contained: Mapping[str, float]
    left_out: Mapping[str, str]
    unsure: str = ""


def find_join(streams: Sequence[FoundStream], answers: Answers) -> Join:
    """Chooses the impressions and the key.

    The impressions are the stream whose name comes first in the funnel (impression, view, click, cart, purchase); among several of the
    same place, the largest one. If no name says impression or view, and the name of the largest stream says nothing: the largest
    stream, if it has the keys of at least half of the rows of each other stream.

    Raises:
        InputError: no column joins, or the impressions are not clear, and no option decides.
    """
    impressions, unsure = _impressions(streams, answers)
    others = [stream for stream in streams if stream is not impressions]
    keys, contained = _keys(impressions, others, answers)
    left_out = {
        name: f"only {share:.2%} of its keys are keys of {impressions.name}"
        for name, share in contained.items()
        if share < _LEAST
    }
    left_out |= {stream.name: "it has no columns of the key" for stream in others if stream.name not in contained}
    joined = [stream for stream in others if stream.name not in left_out]
    if not joined:
        said = "; ".join(f"{name}: {why}" for name, why in left_out.items()) or "there is one stream only"
        answers.decide(
            impressions.name,
            f"no stream joins to the impressions ({said}).",
            (),
            "--key COLUMN,COLUMN and --impressions NAME",
        )
    user = answers.user or words.user_column(impressions.columns)
    item = answers.item or words.item_column(impressions.columns)
    if keys[impressions.name] == (user,) and not answers.key:
        alone = "the key is the user alone, as no column has items: an outcome counts for the user's last impression (--key COLUMN,COLUMN)"
        unsure = "; ".join(part for part in (unsure, alone) if part)
    return Join(
        impressions=impressions,
        outcomes=tuple(joined),
        keys={stream.name: keys[stream.name] for stream in (impressions, *joined)},
        user=user,
        item=item,
        contained={stream.name: contained[stream.name] for stream in joined},
        left_out=left_out,
        unsure=unsure,
    )


def containment(impressions: FoundStream, key: Sequence[str], outcome: FoundStream, own: Sequence[str]) -> float:
    """Share of the outcome's rows whose key is one of the impressions' keys."""
    shown, happened = keyed(impressions.frame, key), keyed(outcome.frame, own)
    return float(happened[_KEYED].is_in(shown[_KEYED].unique().implode()).mean() or 0.0)  # type: ignore[arg-type]


def keyed(frame: pl.DataFrame, key: Sequence[str]) -> pl.DataFrame:
    """The rows with the key as one text in the column KEYED; rows without a key are left out."""
    whole = {name for name in key if frame[name].dtype.is_float()}  # 1007.0 is 1007
    parts = [pl.col(name).cast(pl.Int64 if name in whole else pl.String, strict=False).cast(pl.String) for name in key]
    return frame.with_columns(pl.concat_str(parts, separator="\0").alias(_KEYED)).filter(pl.col(_KEYED).is_not_null())


KEYED = _KEYED
"""Column with the key as one text."""


def _impressions(streams: Sequence[FoundStream], answers: Answers) -> tuple[FoundStream, str]:
    names = [stream.name for stream in streams]
    by_name = dict(zip(names, streams, strict=True))
    if answers.impressions is not None:
        if answers.impressions not in by_name:
            answers.decide(
                f"--impressions {answers.impressions}", "no stream has this name.", names, "--impressions NAME"
            )
        return by_name[answers.impressions], ""
    staged = {name: place for name in names if (place := words.stage(name)) is not None}
    largest = max(names, key=lambda name: by_name[name].rows)
    if staged and (min(staged.values()) <= 1 or largest in staged):
        first = min(staged.values())
        best = max((name for name in names if staged.get(name) == first), key=lambda name: by_name[name].rows)
        if first <= 1 and best == largest and list(staged.values()).count(first) == 1:
            return by_name[best], ""
    else:
        best = _containing(streams, answers)
    others = [name for name in names if name != best]
    chosen = answers.choose("Which stream has the impressions?", names, best)
    if chosen != best:
        return by_name[chosen], ""
    return by_name[best], f"the impressions are an assumption. Alternatives: {', '.join(others)} (--impressions NAME)"


def _containing(streams: Sequence[FoundStream], answers: Answers) -> str:
    """The largest stream that contains the keys of the others."""
    best = max(streams, key=lambda stream: stream.rows)
    _, contained = _keys(best, [stream for stream in streams if stream is not best], answers)
    if not contained or min(contained.values()) < _CLEAR:
        said = ", ".join(f"{share:.0%} of {name}" for name, share in contained.items()) or "none"
        return answers.decide(
            best.name,
            f"no name says which stream has the impressions, and the largest one contains too few keys of the others ({said}).",
            [stream.name for stream in streams],
            "--impressions NAME",
        )
    return best.name


def _keys(
    impressions: FoundStream, others: Sequence[FoundStream], answers: Answers
) -> tuple[dict[str, tuple[str, ...]], dict[str, float]]:
    """Stream -> key, and outcome stream -> containment, of the first kind of key that joins."""
    own_id = impressions.event_id
    for keys in _candidates(impressions, others, answers):
        own = keys[impressions.name]
        contained = {
            stream.name: containment(impressions, own, stream, keys[stream.name])
            for stream in others
            if stream.name in keys
        }
        least = _CLEAR if own == (own_id,) and not answers.key else _LEAST
        joined = [share >= least for share in contained.values()]
        if any(joined) and (least == _LEAST or (all(joined) and len(joined) == len(others))):
            return keys, contained
    answers.decide(
        impressions.name,
        f"no columns join {', '.join(stream.name for stream in others)} to it. Its columns: {', '.join(impressions.columns)}.",
        (),
        "--key COLUMN,COLUMN, or --key STREAM=COLUMN,COLUMN for each stream if the names differ",
    )
    return {}, {}


def _candidates(
    impressions: FoundStream, others: Sequence[FoundStream], answers: Answers
) -> list[dict[str, tuple[str, ...]]]:
    """Kinds of keys: the impression's own id; user and item; all ids in common; the user, if the impressions have no item."""
    streams = (impressions, *others)
    given = {
        stream.name: tuple(part.strip() for part in text.split(","))
        for stream in streams
        if (text := answers.of(answers.key, stream.name, stream.sample.source.name))
    }
    if given:
        for stream in streams:
            for column in given.get(stream.name, ()):
                if column not in stream.frame.columns:
                    answers.decide(
                        stream.name, f"--key: no column is called {column!r}.", (), f"--key {stream.name}=COLUMN,COLUMN"
                    )
        return [given] if impressions.name in given else []
    common = [name for name in impressions.columns if all(name in other.columns for other in others)]
    found: list[dict[str, tuple[str, ...]]] = []
    own_id = impressions.event_id
    if own_id is not None and not impressions.where:
        found.append({stream.name: (own_id,) for stream in streams if own_id in stream.columns})
    users = {
        stream.name: answers.user if answers.user in stream.columns else words.user_column(stream.columns)
        for stream in streams
    }
    items = {
        stream.name: answers.item if answers.item in stream.columns else words.item_column(stream.columns)
        for stream in streams
    }
    pairs: dict[str, tuple[str, ...]] = {
        name: (user, item) for name, user in users.items() if user and (item := items[name])
    }
    ids = tuple(name for name in common if _may_join(impressions, name))
    found += [pairs, {stream.name: ids for stream in streams} if 0 < len(ids) <= 3 else {}]
    if impressions.name not in pairs:
        found.append({name: (user,) for name, user in users.items() if user})
    return [keys for keys in found if impressions.name in keys and len(keys) > 1]


def _may_join(stream: FoundStream, name: str) -> bool:
    values = stream.frame[name]
    return (values.dtype == pl.String or values.dtype.is_integer()) and (words.is_id(name) or values.n_unique() > 20)
