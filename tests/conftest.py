"""What holds for all tests."""

import os
import sys
from collections.abc import Iterator

import hypothesis
import pytest

# No test is timed: a machine that does something else besides must not fail one.
hypothesis.settings.register_profile("gatewise", deadline=None)
hypothesis.settings.load_profile("gatewise")

# XLA takes longer to compile a small model than the model to train, most of it to make and to optimise machine code. The graph's
# own passes are as ever. tests/e2e/test_real_recipes.py trains without the flags, as a user does.
os.environ.setdefault(
    "XLA_FLAGS",
    "--xla_backend_optimization_level=0 --xla_cpu_use_fusion_emitters=false --xla_llvm_disable_expensive_passes=true",
)

LONGEST_FIRST = (
    "tests/e2e/test_shop.py",
    "tests/e2e/test_real_recipes.py",
    "tests/e2e/test_compare.py",
    "tests/e2e/test_python.py",
    "tests/e2e/test_nights.py",
    "tests/e2e/test_kubeflow.py",
    "tests/models/training/test_multi_task_model.py",
    "tests/e2e/test_census_architectures.py",
    "tests/e2e/test_kill.py",
    "tests/e2e/test_wrong_inputs.py",
    "tests/e2e/test_engines.py",
    "tests/models/training/test_trainer.py",
    "tests/e2e/test_auxiliary_tasks.py",
    "tests/e2e/test_kubeflow_by_url.py",
    "tests/models/training/test_trainer_replicas.py",
    "tests/benchmarks/test_logs_to_model.py",
    "tests/e2e/test_hashed_ids.py",
    "tests/benchmarks/test_pipeline.py",
)
"""Files that take a minute or so, which begin before the others: two processes that share the files then end together."""


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    place = {name: number for number, name in enumerate(LONGEST_FIRST)}
    items.sort(key=lambda item: place.get(item.nodeid.split("::")[0], len(place)))


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
