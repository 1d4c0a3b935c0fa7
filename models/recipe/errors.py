"""The errors that a person can act on; everything else is a defect of gatewise and keeps its traceback."""

from __future__ import annotations

import re

_SHOWN = 200
_LONGEST_LINE = 2000

_IN_URL = re.compile(
    r"""(?<=://)(?:
        [^\s'"<>/]*@                               # user@, user:password@
        | [^\s'"<>/@:]*:(?!\d{1,5}/)[^\s'"<>]*@   # key:secret@ of a secret with slashes; :8080/ is a port
    )""",
    re.VERBOSE,
)
_IN_QUERY = re.compile(
    r"""(?<=[?&;\#])([\w.-]*(?:key|secret|signature|sig|token|password|passwd|pwd|credential|auth|jwt|session|cookie)[\w.-]*)=
        [^\s&;\#'"<>]+""",
    re.VERBOSE | re.IGNORECASE,
)


def masked(text: str) -> str:
    """The text without the secrets of the URLs in it: `://***@` for who logs in, `***` for keys, signatures and tokens."""
    if "://" in text:
        text = _IN_URL.sub("***@", text)
    return _IN_QUERY.sub(r"\1=***", text) if "=" in text else text


def shown(value: object) -> str:
    """The value as a message shows it: its `repr`, of a long one the beginning, without secrets that the cut would hide."""
    if isinstance(value, str):
        value = masked(value)
    if isinstance(value, str | bytes):
        return f"{value[:_SHOWN]!r}{'...' if len(value) > _SHOWN else ''}"
    text = masked(repr(value))
    return text if len(text) <= _SHOWN else f"{text[:_SHOWN]}..."


def _bounded(line: str) -> str:
    if len(line) <= _LONGEST_LINE:
        return line
    left = len(line) - _LONGEST_LINE
    return f"{line[: _LONGEST_LINE // 2]} ... [{left:,} characters left out] ... {line[-_LONGEST_LINE // 2 :]}"


class GatewiseError(Exception):
    """Base of the errors whose message alone is enough for the reader: no traceback is shown.

    What no message may say or nobody reads is taken out here, once for all: secrets in URLs (`masked`), and the middle
    of lines of thousands of characters. `exit_code` is what the command line ends with.
    """

    exit_code = 1

    def __init__(self, message: object = "") -> None:
        super().__init__("\n".join(_bounded(line) for line in masked(str(message)).split("\n")))


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
