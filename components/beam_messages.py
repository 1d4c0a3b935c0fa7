"""What a person reads of an error from inside a Beam pipeline, whatever engine it ran on."""

from __future__ import annotations

import contextlib
import re
from collections.abc import Iterator

from models.recipe.errors import InputError

_INPUT_ERROR = f"{InputError.__module__}.{InputError.__name__}: "
_OUR_MODULE = re.compile(r"No module named '((?:models|components|pipeline)(?:\.\w+)*)'")
_NO_SCHEDULER = re.compile(r"[Tt]imed out trying to connect to (\S+)")


@contextlib.contextmanager
def plain_messages() -> Iterator[None]:
    """Makes of what an engine raises the InputError that it stands for, if it stands for one.

    Beam appends the step's name to an InputError, which is of no use to the reader of recipe and logs; a portable job ends
    with a RuntimeError that has the workers' traceback as its text; and a cluster may be missing, or unfit.
    """
    try:
        yield
    except InputError as error:
        raise InputError(_without_step(str(error))) from None
    except Exception as error:
        message = _message(error)
        if message is None:
            raise
        raise InputError(message) from None


def _without_step(text: str) -> str:
    return re.sub(r" \[while running .*", "", text, flags=re.DOTALL)


def _message(error: Exception) -> str | None:
    text, kind = str(error), type(error)
    if _INPUT_ERROR in text:
        return _without_step(text.rpartition(_INPUT_ERROR)[2]).strip()
    if missing := _OUR_MODULE.search(text):
        return (
            f"beam: a worker has no module {missing[1]!r}: it runs another version of gatewise than this process, or none. "
            "Start the workers from the same image, or in the same checkout with PYTHONPATH set to it."
        )
    if unreachable := _NO_SCHEDULER.search(text):
        return (
            f"beam.flags: no Dask scheduler answers at {unreachable[1]}. Start one (`dask scheduler`), "
            "or correct `--dask_client_address`."
        )
    if kind.__name__ == "FutureTimeoutError" and kind.__module__.partition(".")[0] == "grpc":
        return (
            "beam.flags: no job service answers at the `--job_endpoint`. Start one, or correct the flag; "
            "`--job_server_timeout` gives it more seconds."
        )
    if kind.__name__ == "KilledWorker":
        return (
            "beam: the worker processes died at one piece of work again and again. Mostly they had too little memory: give "
            f"them more, or raise `beam.partitions` so that a partition is smaller. Dask says: {text}"
        )
    return None
