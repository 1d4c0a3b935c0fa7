"""The component Pusher: the stock one, with an executor that can be killed and repeated."""

from __future__ import annotations

from tfx.components.pusher.component import Pusher as StockPusher
from tfx.dsl.components.base import executor_spec

from components.push.executor import Executor


class Pusher(StockPusher):
    """Inputs, outputs and parameters of the stock Pusher; `model` must be given, the blessings should be.

    The version is the second at which the model was made, and it appears whole or not at all.
    """

    EXECUTOR_SPEC = executor_spec.ExecutorClassSpec(Executor)
