"""The first pass, in Beam: the train split's row groups -> analyses -> one analysis -> the TransformGraph.

Create(pieces, several at a time) -> Reshuffle -> Analyse -> MergeInOrder -> WriteTransformGraph
"""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import apache_beam as beam
import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from components.beam.merging import MergeInOrder
from components.columnar.cells import Cells
from components.columnar.frequent import Frequent
from components.columnar.ordered_map import ordered_map
from components.example_schema import TIME
from components.features.analysers import Analysis, Part, analyse, conclude, merge, merge_parts
from components.features.columns import raw_names
from components.features.night_ids import counted_since, night_ids, read_past
from components.features.plan import FeaturesPlan
from components.features.seen import Seen
from components.storage.reading import open_parquet
from components.storage.writing import remove_folder, whole_file, write_text, written_folder
from models.features.ids import write_ids
from models.features.layout import ANALYSED_FILE, IDS_FILE, IDS_REPORT_FILE, LAYOUT_FILE, Analysed, feature_layout
from models.features.preprocessing import write_transform_graph
from models.features.value_ids import vocabulary_file
from models.recipe.features import Feature

# A piece of a split: (file, row group).
Piece = tuple[str, int]

BATCH_ROWS = 131_072
# Of one element: Beam's local runner takes elements one after the other, so the threads are inside of one.
_PIECES = 16
_MERGE_AT = 16
_LIGHT = 2**18
_LINES = 2**18
_END_OF_LINE = pa.scalar(b"", pa.large_binary()), pa.scalar(b"\n", pa.large_binary())


class AnalysisPass(beam.PTransform):
    """Writes the TransformGraph that the train split and the plan give; one leaf.

    Args:
        pieces: of the train split.
        plan: the features.
        folder: of the TransformGraph.
    """

    def __init__(self, pieces: Sequence[Piece], plan: FeaturesPlan, folder: str) -> None:
        super().__init__()
        self._pieces, self._plan, self._folder = list(pieces), plan, folder

    def expand(self, pipeline: beam.Pipeline) -> Any:
        plan = self._plan.model_dump_json()
        since = counted_since(self._plan, read_past(self._plan))
        return (
            pipeline
            | "Pieces" >> beam.Create(_chunks(self._pieces)).with_output_types(tuple[int, list[tuple[str, int]]])
            | "Spread" >> beam.Reshuffle()
            | "Analyse" >> beam.Map(_analyse, plan=plan, since=since).with_output_types(tuple[int, tuple[int, dict]])
            | "Merge" >> MergeInOrder(merge_analyses)
            | "WriteTransformGraph" >> beam.Map(_write, plan=plan, folder=self._folder)
        )


Gathered = dict[str, list[Part]]


def merge_analyses(analyses: Iterable[Analysis]) -> Analysis:
    """`merge` of a stream. Analyses are gathered before they are merged: one by one would hash everything again."""
    gathered: Gathered = {}
    for analysis in analyses:
        gathered = gather(gathered, {key: [part] for key, part in analysis.items()})
    return {key: merge_parts(parts) for key, parts in gathered.items()}


def gather(gathered: Gathered, more: Gathered) -> Gathered:
    """Adds `more` to `gathered`, and merges the entries of which much, or many, have come together.

    An entry is merged once its later parts weigh as much as its first one, which holds all that was merged before: so
    each value is hashed a few times, however many parts there are, and at most twice of what is needed is in memory.
    """
    for key, parts in more.items():
        together = gathered.setdefault(key, [])
        together += parts
        first, *later = map(_weight, together)
        if (len(together) >= _MERGE_AT and sum(later) >= first) or sum(later) >= max(first, _LIGHT):
            gathered[key] = [merge_parts(together)]
    return gathered


def _weight(part: Part) -> int:
    match part:
        case Frequent():
            return len(part.counts.counts)
        case Seen():
            return len(part.frequent.counts.counts)
        case Cells():
            return len(part.counts)
    return 1


def _chunks(pieces: Sequence[Piece]) -> list[tuple[int, list[Piece]]]:
    chunks = [list(pieces[start : start + _PIECES]) for start in range(0, len(pieces), _PIECES)]
    return list(enumerate(chunks))


Since = Mapping[str, int] | None


def _analyse(chunk: tuple[int, list[Piece]], plan: str, since: Since) -> tuple[int, tuple[int, Analysis]]:
    number, pieces = chunk
    features = FeaturesPlan.model_validate_json(plan).features
    # In the order of the pieces, whichever is done first. All are of one key: the train split's.
    return 0, (number, merge_analyses(ordered_map(lambda piece: _analyse_piece(piece, features, since), pieces)))


def _analyse_piece(piece: Piece, features: Mapping[str, Feature], since: Since) -> Analysis:
    path, row_group = piece
    columns = raw_names(features) if since is None else [*raw_names(features), TIME]
    with open_parquet(path) as parquet:
        batches = parquet.iter_batches(BATCH_ROWS, [row_group], columns)
        return merge([analyse(batch, features, since) for batch in batches] or [{"rows": 0}])


def _write(merged: tuple[int, Analysis], plan: str, folder: str) -> str:
    return write(merged[1], plan, folder)


def write(analysis: Analysis, plan: str, folder: str) -> str:
    """Writes the TransformGraph with its layout, and returns the folder.

    Raises:
        InputError: the train split is empty, a feature has no value in it, or the ancestor's state is damaged.
    """
    parts = FeaturesPlan.model_validate_json(plan)
    features, past = parts.features, read_past(parts)
    ids = None
    if parts.ids is not None and analysis.get("rows"):
        ids = night_ids(analysis, features, parts.ids, past)
    analysed, vocabularies = conclude(analysis, features, past, ids)
    with tempfile.TemporaryDirectory() as temporary:
        for table, values in vocabularies.items():
            _write_lines(os.path.join(temporary, vocabulary_file(table)), values)
        _write_graph(features, analysed, temporary, folder)
    texts = {
        LAYOUT_FILE: feature_layout(features, analysed, ids.ids.capacities if ids else {}).to_json(),
        ANALYSED_FILE: analysed.to_json(),
    }
    if ids is not None:
        with whole_file(os.path.join(folder, IDS_FILE)) as local:
            write_ids(ids.ids, local)
        texts[IDS_REPORT_FILE] = ids.report()
    for name, text in texts.items():
        write_text(os.path.join(folder, name), text)
    return folder


def _write_graph(features: Mapping[str, Feature], analysed: Analysed, vocabularies: str, folder: str) -> None:
    # A task that Beam runs again finds what the first left; TensorFlow writes no SavedModel over another.
    remove_folder(folder)
    with written_folder(folder) as local:
        write_transform_graph(features, analysed, vocabularies, local)


def _write_lines(path: str, values: pa.Array) -> None:
    lines = values.cast(pa.string()) if pa.types.is_primitive(values.type) else values
    if pa.types.is_floating(values.type):
        # The key that the graph looks up: `models.features.value_ids.float_keys`. Zeros have no sign here.
        keys = pa.array(values.to_numpy(zero_copy_only=False).view(np.int32)).cast(pa.string())
        lines = pc.binary_join_element_wise(lines, keys, "\t")
    with open(path, "wb") as file:
        for start in range(0, len(lines), _LINES):
            some = lines.slice(start, _LINES).cast(pa.large_binary())
            file.write(pc.binary_join_element_wise(some, *_END_OF_LINE).buffers()[2])
