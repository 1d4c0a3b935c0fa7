"""Beam with a memory: what it asks of the same class, or reads from the same flags, again and again.

A pipeline of a dozen steps inspects every method of each DoFn ten times and parses its flags four hundred times: more
than half of the seconds of a small one. Nothing of what the steps do is replaced.
"""

from __future__ import annotations

import copy
from collections.abc import Sequence
from typing import Any

import pytest
from apache_beam.options.pipeline_options import PipelineOptions
from apache_beam.transforms import userstate


def quicken(patches: pytest.MonkeyPatch) -> None:
    """Lets Beam remember the states and timers of each class of DoFn, and the options of each tuple of flags."""
    ask, parse = userstate.get_dofn_specs, PipelineOptions.__init__
    specs: dict[type, Any] = {}
    parsed: dict[tuple[type, tuple[str, ...]], Any] = {}

    def get_dofn_specs(dofn: Any) -> Any:
        # One class wraps all functions, which may ask for a state in their defaults.
        if getattr(getattr(dofn, "_fn", None), "__defaults__", None):
            return ask(dofn)
        if type(dofn) not in specs:
            specs[type(dofn)] = ask(dofn)
        return specs[type(dofn)]

    def read(self: Any, flags: Sequence[str] | None = None, **overrides: Any) -> None:
        if flags is None or isinstance(flags, str) or overrides:
            parse(self, flags, **overrides)
            return
        key = (type(self), tuple(flags))
        if key not in parsed:
            parse(self, flags)
            parsed[key] = copy.deepcopy(self._visible_options)
            return
        self._flags, self._visible_options, self._all_options = flags, copy.deepcopy(parsed[key]), {}
        for name in self._visible_option_list():
            self._all_options[name] = getattr(self._visible_options, name)

    patches.setattr(userstate, "get_dofn_specs", get_dofn_specs)
    patches.setattr(PipelineOptions, "__init__", read)
