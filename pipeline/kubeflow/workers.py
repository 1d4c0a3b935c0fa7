"""Whether Beam's work is done in a stage's own pod, or by workers in others, which see nothing of its disk."""

from __future__ import annotations

import itertools
from collections.abc import Sequence

IN_THE_POD = ("fnapi", "direct", "bundlebaseddirect", "switchingdirect", "prism")
"""Runners of one machine, as Beam itself compares their names: in any case, with or without "Runner"."""


def elsewhere(beam_arguments: Sequence[str]) -> bool:
    """Whether these flags of Beam name a runner with workers outside of the pod; the last `--runner` counts, as for Beam."""
    name = "direct"
    for flag, following in itertools.pairwise([*beam_arguments, ""]):
        if flag.startswith("--runner="):
            name = flag.removeprefix("--runner=")
        elif flag == "--runner":
            name = following
    return name.rpartition(".")[2].lower().removesuffix("runner") not in IN_THE_POD
