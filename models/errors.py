"""The errors that a person can act on; everything else is a defect of gatewise and keeps its traceback."""

from __future__ import annotations


class GatewiseError(Exception):
    """Base of the errors whose message alone is enough for the reader: no traceback is shown.

    `exit_code` is what the command line ends with.
    """

    exit_code = 1


class InputError(GatewiseError):
    """A recipe, a log file or an option is wrong: says where, what was expected, what came and what to do."""

    exit_code = 1


class TrainingError(GatewiseError):
    """The training cannot go on (a loss is not a number, nothing to learn from): says which task and step."""

    exit_code = 1


class NoVerdictError(GatewiseError):
    """What was to judge a model has not come to it: killed, out of memory, out of time. That says nothing of the model, so
    the stage fails and keeps no result: the same command tries again."""

    exit_code = 3
