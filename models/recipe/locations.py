"""What names a place where files lie: a path on this machine or a mounted volume, or the URL of an object store."""

from __future__ import annotations

from models.recipe.errors import InputError, masked

STORES = {"s3": "s3", "minio": "s3", "gs": "gs"}
"""Scheme of a URL -> the protocol that its store speaks."""


SECRET = (
    "a URL with credentials in it would stand in logs, metadata and manifests. Take them out: the store's come from the "
    "environment (AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY, GOOGLE_APPLICATION_CREDENTIALS) or the machine's account."
)


def is_url(location: str) -> bool:
    """Whether it is a URL; all else is a path."""
    return "://" in location


def has_secret(location: str) -> bool:
    """Whether it is a URL with a user, a key, a signature or a token in it."""
    return is_url(location) and masked(location) != location


def bucket_and_key(url: str) -> tuple[str, str, str]:
    """(protocol, bucket, key) of `s3://BUCKET/KEY`; the key as it is written, nothing in it stands for anything else.

    Raises:
        InputError: another scheme, no bucket, or a secret in it.
    """
    if has_secret(url):
        raise InputError(f"{url}: {SECRET}")
    scheme, _, rest = url.partition("://")
    bucket, _, key = rest.partition("/")
    if scheme not in STORES or not bucket:
        known = ", ".join(f"{name}://BUCKET/..." for name in STORES)
        raise InputError(f"{url}: expected a path or a URL of an object store: {known}.")
    return STORES[scheme], bucket, key.strip("/")
