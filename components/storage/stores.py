"""Object stores through Arrow's file systems, without further dependencies.

Credentials, region and endpoint come from the usual places of each store: for S3 the environment (AWS_ACCESS_KEY_ID,
AWS_SECRET_ACCESS_KEY, AWS_ENDPOINT_URL, ...), ~/.aws, or the role of the pod.
"""

from __future__ import annotations

import contextlib
import functools
import re
from collections.abc import Iterator

from pyarrow import fs

from models.recipe.errors import InputError
from models.recipe.locations import bucket_and_key


def store_of(url: str) -> tuple[fs.FileSystem, str]:
    """The file system in which `url` lies, and its path there, `BUCKET/KEY`.

    Raises:
        InputError: no URL of a store that is known here; or its bucket is not found.
    """
    protocol, bucket, key = bucket_and_key(url)
    with answers_of(url):
        return _file_system(protocol, bucket), f"{bucket}/{key}" if key else bucket


@functools.lru_cache(maxsize=64)
def _file_system(protocol: str, bucket: str) -> fs.FileSystem:
    # Of the bucket alone: a key may hold what has a meaning in a URL.
    return fs.FileSystem.from_uri(f"{protocol}://{bucket}")[0]


@contextlib.contextmanager
def answers_of(url: str) -> Iterator[None]:
    """Turns what a store, or the way to it, answers into an InputError that says what to do about it.

    Raises:
        InputError: in place of an OSError.
    """
    try:
        yield
    except OSError as error:
        raise InputError(_explained(url, error)) from None


def no_bucket(url: str) -> InputError:
    """The error to raise where the bucket of a URL is not there."""
    _, bucket, _ = bucket_and_key(url)
    return InputError(f"{url}: there is no bucket {bucket!r}. Create it, correct the URL, or check AWS_ENDPOINT_URL.")


def _explained(url: str, error: OSError) -> str:
    said = str(error).splitlines()[0]
    if re.search(r"NO_SUCH_BUCKET|Bucket '.*' not found", said):
        return str(no_bucket(url))
    if re.search(
        r"ACCESS_DENIED|INVALID_ACCESS_KEY_ID|SIGNATURE|FORBIDDEN|InvalidAccessKeyId|HTTP status 40[13]", said
    ):
        return (
            f"{url}: the store refuses access ({said}). Give the process and each worker credentials to list, read "
            "and write there: AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY (on Kubeflow from kubeflow.secrets), or a role."
        )
    if re.search(r"NETWORK_CONNECTION|curlCode|resolve host", said):
        return f"{url}: the store cannot be reached ({said}). Check AWS_ENDPOINT_URL and this machine's network."
    if isinstance(error, FileNotFoundError):
        return f"{url}: the file does not exist."
    return f"{url}: {said}"
