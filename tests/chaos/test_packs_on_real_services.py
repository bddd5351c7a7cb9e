"""Packs meet the services that they are about, as Debian packages them: skipped where these are not installed.

Here is what takes a few seconds; `python -m chaos.run run` meets all of them.
"""

from __future__ import annotations

import pytest

from chaos import experiment
from chaos.engines.zen import Zen
from chaos.host import HostUnavailableError
from chaos.result import Outcome
from chaos.scenario import load_all

pytestmark = [pytest.mark.systemd, pytest.mark.needs_root, pytest.mark.slow]


@pytest.mark.parametrize("name", ["pack_cron"])
def test_a_pack_does_what_is_right_and_nothing_else(name: str) -> None:
    try:
        result = experiment.run(load_all()[name], Zen)
    except HostUnavailableError as reason:
        pytest.skip(str(reason))
    if result.outcome is Outcome.NOT_SHOWN:
        pytest.skip(", ".join(result.because))
    assert (result.outcome, result.because) == (Outcome.PASSED, ())
