"""Locations of files: a path on this machine or a mounted volume, or the URL of an object store."""

from __future__ import annotations

from models.recipe.errors import InputError, masked

STORES = {"s3": "s3", "minio": "s3", "gs": "gs"}
"""Scheme of a URL -> protocol of its store."""


SECRET = (
    "credentials in a URL would appear in logs, metadata and manifests. Remove them, and provide credentials by the "
    "environment (AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY, GOOGLE_APPLICATION_CREDENTIALS) or the machine's account."
)


def is_url(location: str) -> bool:
    """Whether a location is a URL. Anything else is a path."""
    return "://" in location


def has_secret(location: str) -> bool:
    """Whether a location is a URL with a user, key, signature or token."""
    return is_url(location) and masked(location) != location


def bucket_and_key(url: str) -> tuple[str, str, str]:
    """(protocol, bucket, key) of `s3://BUCKET/KEY`. The key is taken literally, without unescaping.

    Raises:
        InputError: the scheme is unknown, the bucket is missing, or the URL has a secret.
    """
    if has_secret(url):
        raise InputError(f"{url}: {SECRET}")
    scheme, _, rest = url.partition("://")
    bucket, _, key = rest.partition("/")
    if scheme not in STORES or not bucket:
        known = ", ".join(f"{name}://BUCKET/..." for name in STORES)
        raise InputError(f"{url}: expected a path or a URL of an object store: {known}.")
    return STORES[scheme], bucket, key.strip("/")
