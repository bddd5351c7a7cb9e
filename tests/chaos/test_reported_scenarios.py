"""The scenarios that users of other programs report, each in a whole run."""

from __future__ import annotations

import pytest

from chaos import experiment
from chaos.engines.zen import Zen
from chaos.host import HostUnavailableError
from chaos.kinds import Right
from chaos.result import Outcome
from chaos.scenario import Scenario, load_all

pytestmark = [pytest.mark.systemd, pytest.mark.needs_root, pytest.mark.slow]

#: Those of packs are in `test_packs_on_real_services`.
REPORTED = {name: each for name, each in load_all().items() if each.origin and not each.origin.startswith("pack:")}


def test_there_are_at_least_fifteen() -> None:
    assert len(REPORTED) >= 15


@pytest.mark.parametrize("scenario", REPORTED.values(), ids=REPORTED)
def test_the_engine_does_what_is_right_and_nothing_else(scenario: Scenario) -> None:
    try:
        result = experiment.run(scenario, Zen)
    except HostUnavailableError as reason:
        pytest.skip(str(reason))
    if result.outcome is Outcome.NOT_SHOWN:
        pytest.skip(", ".join(result.because))
    assert (result.outcome, result.because) == (Outcome.PASSED, ())
    assert result.repaired is (scenario.expect.outcome is Right.REPAIRED)
