"""A pytest plugin: hypothesis for a run in which the same tests run again and again in one process, and slowly."""

from __future__ import annotations

from hypothesis import HealthCheck, settings

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
