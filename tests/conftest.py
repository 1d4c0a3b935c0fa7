"""What holds for all tests."""

import sys
from collections.abc import Iterator

import hypothesis
import pytest

# No test is timed: a machine that does something else besides must not fail one.
hypothesis.settings.register_profile("gatewise", deadline=None)
hypothesis.settings.load_profile("gatewise")


@pytest.fixture(scope="session", autouse=True)
def quick_beam() -> Iterator[None]:
    """A hundred small pipelines spend their seconds in Beam's book-keeping: it remembers what it has found out once."""
    if "apache_beam" not in sys.modules:
        yield
        return
    from quick_beam import quicken

    with pytest.MonkeyPatch.context() as patches:
        quicken(patches)
        yield
