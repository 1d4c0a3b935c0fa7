"""Resolves the baseline: the newest blessed model before the candidate.

In an unchanged second run, the stock LatestBlessedModelStrategy resolves the candidate itself, so the same model is evaluated
and pushed again. This strategy considers only older models, so the second run is fully cached. If a pipeline trains models of
two kinds, each is compared with its own kind. A model of an experiment (`gatewise run --no-push`) is no baseline until a run pushes it,
and a model that `gatewise rollback` has withdrawn is none until it is restored.
"""

from __future__ import annotations

import dataclasses
import logging
from pathlib import Path

import ml_metadata as mlmd
from tfx import types
from tfx.components.evaluator import constants
from tfx.dsl.components.common import resolver
from tfx.dsl.io import fileio
from tfx.types import standard_artifacts

from components.push.executor import DISABLED, MODEL_ID, NEWER_DAY
from components.push.withdrawn import read_note
from models.files.version_folders import version_number

logger = logging.getLogger(__name__)

CANDIDATE, BASELINE, BLESSING = "candidate", "baseline_model", "model_blessing"


class OlderBlessedModel(resolver.ResolverStrategy):
    """Resolves the newest blessed `Model` that is older than the candidate, still exists on disk, and is neither of an experiment nor withdrawn.

    Inputs: `candidate` (this run's model), `baseline_model` (all models that compare) and `model_blessing` (all blessings).
    Resolves `baseline_model` to one artifact or none.
    """

    def resolve_artifacts(
        self, store: mlmd.MetadataStore, input_dict: dict[str, list[types.Artifact]]
    ) -> dict[str, list[types.Artifact]]:
        """See `ResolverStrategy`."""
        found = {**input_dict, BASELINE: [], BLESSING: []}
        candidates = [artifact.id for artifact in input_dict.get(CANDIDATE, [])]
        if not candidates:
            return found
        blessings = {
            artifact.get_int_custom_property(constants.ARTIFACT_PROPERTY_CURRENT_MODEL_ID_KEY): artifact
            for artifact in input_dict.get(BLESSING, [])
            if artifact.get_int_custom_property(constants.ARTIFACT_PROPERTY_BLESSED_KEY) == constants.BLESSED_VALUE
        }
        pushes = _read_pushes(store)
        passed_over = []
        for model in sorted(input_dict.get(BASELINE, []), key=lambda artifact: artifact.id, reverse=True):
            if (
                model.id < min(candidates)
                and model.id in blessings
                and model.id not in pushes.experiments
                and fileio.exists(model.uri)
            ):
                if model.id in pushes.withdrawn:
                    passed_over.append(pushes.withdrawn[model.id])
                    continue
                _tell(pushes.live.get(model.id, model.uri), passed_over)
                return {**found, BASELINE: [model], BLESSING: [blessings[model.id]]}
        _tell("none", passed_over)
        return found


@dataclasses.dataclass(frozen=True)
class _Pushes:
    """What the pushes say of the models, by id.

    Attributes:
        experiments: models that only runs without a push have trained, or nights of a day older than that of a pushed model.
        withdrawn: models of which no pushed version is left but withdrawn ones -> the newest of these in words.
        live: models with a version that servers see -> the newest of these in words.
    """

    experiments: set[int]
    withdrawn: dict[int, str]
    live: dict[int, str]


def _read_pushes(store: mlmd.MetadataStore) -> _Pushes:
    kept: set[int] = set()
    pushable: set[int] = set()
    withdrawn: dict[int, str] = {}
    live: dict[int, str] = {}
    for pushed in store.get_artifacts_by_type(standard_artifacts.PushedModel.TYPE_NAME):
        model = pushed.custom_properties[MODEL_ID].int_value
        unpushed = DISABLED in pushed.custom_properties or NEWER_DAY in pushed.custom_properties
        (kept if unpushed else pushable).add(model)
        place = Path(pushed.custom_properties["pushed_destination"].string_value)
        number = version_number(place.name)
        if number is None:  # nothing was pushed
            continue
        words = f"version {number} of {place.parent.name}"
        if note := read_note(place.parent, number):
            withdrawn[model] = f"{words}, {note.in_words()}"
        elif place.is_dir():
            live[model] = words
    return _Pushes(kept - pushable, {model: words for model, words in withdrawn.items() if model not in live}, live)


def _tell(found: str, passed_over: list[str]) -> None:
    """Says which model is taken if a newer one is passed over."""
    if passed_over:
        logger.warning("Newest blessed model: %s. Passed over: %s.", found, "; ".join(passed_over))


def baseline_model_resolver(
    candidate: types.BaseChannel, name: str = "baseline_model", stage: str | None = None
) -> resolver.Resolver:
    """The node that finds the baseline. Its output `baseline_model` is an input of the model's evaluation.

    Only models of the same stage, from any run, are considered: a ranker is not a baseline of a retrieval model.

    Args:
        candidate: the candidate, or another output of this run that the baseline has to be older than.
        name: name of the node.
        stage: the stage of the models. Default: that of the candidate.
    """
    return resolver.Resolver(
        strategy_class=OlderBlessedModel,
        **{
            CANDIDATE: candidate,
            # From every run, but only from this stage: the producer of a plain channel is a condition of its query.
            BASELINE: types.Channel(
                type=standard_artifacts.Model, producer_component_id=stage or candidate.producer_component_id
            ),
            BLESSING: types.Channel(type=standard_artifacts.ModelBlessing),
        },
    ).with_id(name)
