"""The round trip of an artifact's properties through Kubeflow's metadata store."""

from __future__ import annotations

from typing import Any


def after_round_trip(metadata: dict[str, Any], key: str) -> dict[str, Any]:
    """What the next step is given of what a step wrote: wrapped lists and mappings, booleans as numbers, two more entries.

    Raises:
        ValueError: a null; the publisher fails on it.
    """
    given: dict[str, Any] = {"display_name": key, "store_session_info": '{"Provider":"s3"}'}
    for name, value in metadata.items():
        if value is None:
            raise ValueError(f"{key}: the property {name} is null")
        if isinstance(value, bool):
            given[name] = float(value)
        elif isinstance(value, list):
            given[name] = {"list": value}
        elif isinstance(value, dict):
            given[name] = {"struct": value}
        else:
            given[name] = value
    return given
