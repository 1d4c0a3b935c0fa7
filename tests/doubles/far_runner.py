"""A Beam runner that passes for one with workers in other pods: it is the local one under a name that says nothing of it."""

from __future__ import annotations

from apache_beam.runners.portability.fn_api_runner import FnApiRunner


class FarRunner(FnApiRunner):
    """See above."""
