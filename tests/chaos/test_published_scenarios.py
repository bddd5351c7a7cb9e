"""The scenarios of the published list that this version repairs, each in a whole run."""

from __future__ import annotations

import pytest

from chaos import experiment
from chaos.engines.zen import Zen
from chaos.host import HostUnavailableError
from chaos.result import Outcome
from chaos.scenario import load_all

pytestmark = [pytest.mark.systemd, pytest.mark.needs_root, pytest.mark.slow]

REPAIRED = (
    "old_temp_files",
    "deleted_open_log",
    "inode_exhaustion",
    "hung_service",
    "stale_pidfile",
    "memory_leak",
    "descriptor_leak",
    "runaway_child",
    "journal_grown",
    "stuck_job",
)
LEFT_ALONE = ("pid_of_another", "memory_leak_recurs", "read_only_after_damage", "uninterruptible")
#: Repaired although text tries to get in the way, or in parts that pass already.
ALSO_REPAIRED = (
    "resolver_killed", "hostile_names", "bad_nameserver", "ports_exhausted", "runaway_capped", "login_attempts",
)  # fmt: skip
#: Nothing is done, or no more than may be tried before people are told.
TRAPS = (
    "nothing_wrong", "metrics_empty", "metrics_zero", "fought_over", "probes_led_astray", "probes_without_answers",
    "hostile_text", "recurring_crash", "hostile_logins",
)  # fmt: skip


@pytest.mark.parametrize("name", [*REPAIRED, *ALSO_REPAIRED, *LEFT_ALONE, *TRAPS])
def test_the_engine_does_what_is_right_and_nothing_else(name: str) -> None:
    try:
        result = experiment.run(load_all()[name], Zen)
    except HostUnavailableError as reason:
        pytest.skip(str(reason))
    if result.outcome is Outcome.NOT_SHOWN:
        pytest.skip(", ".join(result.because))
    assert (result.outcome, result.because) == (Outcome.PASSED, ())
    assert result.repaired is (name in {*REPAIRED, *ALSO_REPAIRED})
