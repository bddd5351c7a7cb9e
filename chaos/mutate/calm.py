"""A pytest plugin: what makes a run calm and quick in which the same tests run again for every mutant, in one process."""

from __future__ import annotations

import gc
import sys

import pytest
from hypothesis import HealthCheck, settings
from mutmut.state import state

# The same seed for every mutant, or a mutant would live or die by luck. To hypothesis the second run of a test class in one
# process is another executor, which is no fault here.
settings.register_profile(
    "mutants",
    derandomize=True,
    deadline=None,
    database=None,
    suppress_health_check=[HealthCheck.differing_executors, HealthCheck.too_slow],
)
settings.load_profile("mutants")


def pytest_configure() -> None:
    """Forget what the code under test remembers of earlier runs, or no mutant of what it remembered is ever run."""
    for name, module in list(sys.modules.items()):
        if name.startswith("zen_agents."):
            for value in list(vars(module).values()):
                if hasattr(value, "cache_clear"):
                    value.cache_clear()
    # What all runs share is left out of the collections at the end of each, which cost more than most tests.
    gc.freeze()


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Run the quickest tests first: the first that fails ends the run, and most mutants fail a quick one."""
    seconds = state().duration_by_test
    items.sort(key=lambda item: seconds.get(item.nodeid, 0.0))
