"""Paths and URLs."""

from __future__ import annotations

import pytest

from models.recipe.errors import InputError
from models.recipe.locations import bucket_and_key, is_url


def test_what_a_url_names() -> None:
    assert bucket_and_key("s3://b/a b/[1]%20.csv") == ("s3", "b", "a b/[1]%20.csv")
    assert bucket_and_key("minio://b/") == ("s3", "b", "") and bucket_and_key("gs://b") == ("gs", "b", "")
    assert is_url("s3://b/a") and not is_url("/s3/b/a") and not is_url("a")


@pytest.mark.parametrize("url", ["hdfs://b/a", "S3://b/a", "s3:///a", "://"])
def test_what_is_none_of_a_store(url: str) -> None:
    with pytest.raises(InputError, match=r"expected a path or a URL of an object store: s3://BUCKET/\.\.\., minio://"):
        bucket_and_key(url)
