"""The Beam pipeline of the statistics: row groups -> summaries of their columns -> one summary a split -> its files.

Create(shares) -> Reshuffle -> Summarise -> MergeInOrder (per split) -> WriteStatistics

Within a step each thread takes a column after the other, so it holds one column of a batch, whatever the examples' width.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Collection, Iterable, Mapping
from typing import Any

import apache_beam as beam

from components.beam.merging import MergeInOrder
from components.columnar.ordered_map import ordered_map
from components.statistics.protos import dataset
from components.statistics.reading import Piece, SplitFiles, described_columns, footer, read_column, shares
from components.statistics.summary import Summary, merge_all, summarise
from components.storage.reading import open_file
from components.storage.writing import write_message

Share = tuple[Piece, ...]
Summaries = dict[str, Summary]

# Merging costs with the number of distinct values, not of rows: so a share is far larger than a batch.
SHARE_ROWS = 2**23


@dataclasses.dataclass(frozen=True, kw_only=True)
class SplitPlan:
    """What to write of a split.

    Attributes:
        files: the examples.
        output: path of the statistics of all columns.
        ids: columns of integer ids among them.
        categories: path of the statistics of the ids as categories.
    """

    files: SplitFiles
    output: str
    ids: tuple[str, ...]
    categories: str


class Describe(beam.PTransform):
    """Writes the statistics of every split; one leaf, so that a runner that follows only the last leaf runs all of it.

    Args:
        plans: by split.
        share_rows: about how many rows one step summarises.
    """

    def __init__(self, plans: Mapping[str, SplitPlan], share_rows: int = SHARE_ROWS) -> None:
        super().__init__()
        self._plans, self._share_rows = dict(plans), share_rows

    def expand(self, pipeline: beam.Pipeline) -> Any:
        given = [
            (split, (number, share))
            for split, plan in self._plans.items()
            for number, share in enumerate(shares(plan.files.pieces, self._share_rows))
        ]
        return (
            pipeline
            | "Shares" >> beam.Create(given).with_output_types(tuple[str, tuple[int, tuple]])
            | "Spread" >> beam.Reshuffle()
            | "Summarise"
            >> beam.Map(
                _summarise, ids={split: frozenset(plan.ids) for split, plan in self._plans.items()}
            ).with_output_types(tuple[str, tuple[int, dict]])
            | "Merge" >> MergeInOrder(merge_summaries)
            | "WriteStatistics" >> beam.Map(_write, plans=self._plans)
        )


def summarise_share(share: Share, ids: Collection[str]) -> Summaries:
    """The summaries of all columns of some row groups, on several threads.

    Args:
        share: the row groups.
        ids: columns of integer ids.
    """
    footers = {path: footer(path) for path in dict.fromkeys(path for path, _, _ in share)}
    columns = {
        path: dict.fromkeys(described_columns(found.schema.to_arrow_schema())) for path, found in footers.items()
    }
    names = list(dict.fromkeys(name for path in columns for name in columns[path]))

    def parts(name: str) -> Iterable[Summary]:
        for path, row_group, _ in share:
            if name in columns[path]:
                with open_file(path) as file:
                    for array in read_column(file, footers[path], row_group, name):
                        yield summarise(name, array, name in ids)

    found = ordered_map(lambda name: merge_all(name, parts(name)), names)
    return {name: summary for name, summary in zip(names, found, strict=True) if summary is not None}


def merge_summaries(parts: Iterable[Summaries]) -> Summaries:
    """The summaries of all parts' rows together, column by column, on several threads."""
    gathered: dict[str, list[Summary]] = {}
    for part in parts:
        for name, summary in part.items():
            gathered.setdefault(name, []).append(summary)
    found = ordered_map(lambda name: merge_all(name, gathered[name]), gathered)
    return {name: summary for name, summary in zip(gathered, found, strict=True) if summary is not None}


def _summarise(
    given: tuple[str, tuple[int, Share]], ids: Mapping[str, Collection[str]]
) -> tuple[str, tuple[int, Summaries]]:
    split, (number, share) = given
    return split, (number, summarise_share(share, ids[split]))


def _write(given: tuple[str, Summaries], plans: Mapping[str, SplitPlan]) -> str:
    split, summaries = given
    plan = plans[split]
    ordered = {name: summaries[name] for name in plan.files.columns if name in summaries}
    write_message(plan.output, dataset(plan.files.rows, ordered))
    if plan.ids:
        ids = {name: ordered[name] for name in plan.ids}
        write_message(plan.categories, dataset(plan.files.rows, ids, as_categories=True))
    return plan.output
