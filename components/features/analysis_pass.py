"""The first pass, in Beam: the train split's row groups -> analyses -> one analysis -> the TransformGraph.

Create(pieces) -> Reshuffle -> Analyse -> Merge -> WriteTransformGraph
"""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import apache_beam as beam
import pyarrow as pa
import pyarrow.parquet as pq
from apache_beam.io.filesystems import FileSystems
from tfx.dsl.io import fileio

from components.features.analysers import Analysis, analyse, conclude, merge
from components.features.columns import raw_names
from components.features.plan import FeaturesPlan
from models.encoding import ANALYSED_FILE, ENCODING_FILE, Analysed, encode
from models.preprocessing import vocabulary_file, write_transform_graph
from models.recipe import Feature

# A piece of a split: (file, row group).
Piece = tuple[str, int]

BATCH_ROWS = 262_144
_MERGE_AT = 16


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
        return (
            pipeline
            | "Pieces" >> beam.Create(self._pieces).with_output_types(tuple[str, int])
            | "Spread" >> beam.Reshuffle()
            | "Analyse" >> beam.Map(_analyse, plan=plan).with_output_types(dict)
            | "Merge" >> beam.CombineGlobally(MergeAnalyses())
            | "WriteTransformGraph" >> beam.Map(write, plan=plan, folder=self._folder)
        )


class MergeAnalyses(beam.CombineFn):
    """`merge` for Beam. A few analyses are gathered before they are merged: one by one would hash everything again."""

    def create_accumulator(self) -> list[Analysis]:
        return []

    def add_input(self, mutable_accumulator: list[Analysis], element: Analysis) -> list[Analysis]:
        return _compact([*mutable_accumulator, element])

    def merge_accumulators(self, accumulators: Iterable[list[Analysis]]) -> list[Analysis]:
        return _compact([analysis for accumulator in accumulators for analysis in accumulator])

    def extract_output(self, accumulator: list[Analysis]) -> Analysis:
        return merge(accumulator)


def _compact(analyses: list[Analysis]) -> list[Analysis]:
    return analyses if len(analyses) < _MERGE_AT else [merge(analyses)]


def _analyse(piece: Piece, plan: str) -> Analysis:
    path, row_group = piece
    features = FeaturesPlan.model_validate_json(plan).features
    with FileSystems.open(path) as file:
        batches = pq.ParquetFile(file).iter_batches(BATCH_ROWS, [row_group], raw_names(features))
        return merge([analyse(batch, features) for batch in batches] or [{"rows": 0}])


def write(analysis: Analysis, plan: str, folder: str) -> str:
    """Writes the TransformGraph with its encoding, and returns the folder.

    Raises:
        InputError: the train split is empty, or a feature has no value in it.
    """
    features = FeaturesPlan.model_validate_json(plan).features
    analysed, vocabularies = conclude(analysis, features)
    with tempfile.TemporaryDirectory() as temporary:
        for table, values in vocabularies.items():
            _write_lines(os.path.join(temporary, vocabulary_file(table)), values)
        _write_graph(features, analysed, temporary, folder)
    for name, text in ((ENCODING_FILE, encode(features, analysed).to_json()), (ANALYSED_FILE, analysed.to_json())):
        with fileio.open(os.path.join(folder, name), "w") as file:
            file.write(text)
    return folder


def _write_graph(features: Mapping[str, Feature], analysed: Analysed, vocabularies: str, folder: str) -> None:
    # A task that Beam runs again finds what the first left; TensorFlow writes no SavedModel over another.
    if fileio.exists(folder):
        for name in fileio.listdir(folder):
            path = os.path.join(folder, name)
            fileio.rmtree(path) if fileio.isdir(path) else fileio.remove(path)
    write_transform_graph(features, analysed, vocabularies, folder)


def _write_lines(path: str, values: pa.Array) -> None:
    lines = values.cast(pa.string()).cast(pa.large_binary()) if pa.types.is_integer(values.type) else values
    with open(path, "wb") as file:
        file.writelines(line + b"\n" for line in lines.to_pylist())
